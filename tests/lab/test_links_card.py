"""What the card of a machine needs of a link: addresses, names, and connections to it."""

import json
import os
import sys

import servers
import upstream
from daemon import wait_until
from links import HERE4, HERE6, MAC, THERE4, THERE6, ip_words, open_tap, start_tun
from tunnel_pair import told

NAMES = ["--dns-upstream", "127.0.0.1:53"]


def dig(link, *words):
    """What dig says inside "c"."""
    argv = [servers.need_program("dig", "bind9-dnsutils"), "+tries=1", "+time=8", *words]
    return link.lab.run("c", argv, check=False).stdout


def start_upstream(link):
    """A resolver of ann's machine, which ann lets ben use; returns once it answers."""
    link.lab.popen("p", [sys.executable, os.path.abspath(upstream.__file__), "127.0.0.1", "53"],
                   stdout=-3)
    link.expose("internet")
    assert wait_until(lambda: "192.0.2.1" in link.lab.run(
        "p", ["dig", "@127.0.0.1", "a.test", "+short", "+tries=1", "+time=1"],
        check=False).stdout, 15)


def test_names(lab, make):
    link = open_tap(lab, make, *NAMES, words={"dns": True})
    lab.ip("c", f"link set dev om0 address {MAC} up")
    lab.address("c", "om0", f"{THERE4}/24", f"{THERE6}/64")
    for here in (HERE4, HERE6):
        assert dig(link, f"@{here}", "ann.omerta", "AAAA", "+short").startswith("fd")
        assert "NXDOMAIN" in dig(link, f"@{here}", "nobody.omerta", "AAAA")
    assert "REFUSED" in dig(link, f"@{HERE4}", "a.test")  # ann lets nobody use her internet yet
    start_upstream(link)
    for here in (HERE4, HERE6):
        assert dig(link, f"@{here}", "a.test", "+short") == "192.0.2.1\n"
        assert "flags: qr tc" in dig(link, f"@{here}", "long.test", "TXT", "+ignore")
        assert "192.0.2.1" in dig(link, f"@{here}", "a.test", "+noedns")
    row = link.row()
    assert row["udp_flows"] == 0 and row["name"] == ""  # nothing went to a port of ann's


def test_a_link_without_names_goes_to_the_peer(lab, make):
    link = open_tap(lab, make)
    assert "no servers" in dig(link, f"@{HERE4}", "ann.omerta", "AAAA", "+time=1")
    assert "not_allowed" in link.row()["last_error"]


def test_names_of_links_differ(lab, make):
    link = open_tap(lab, make, words={"name": "vm-1"})
    assert link.row()["name"] == "vm-1"
    assert told(link.ben, "link", "list")["links"][0]["name"] == "vm-1"
    words = ip_words(link.ann) | {"name": "vm-1"}
    _, answer = start_tun(lab, "c", link.ben, "om1", **words)
    assert not answer["ok"] and answer["error"] == "exists", answer
    _, answer = start_tun(lab, "c", link.ben, "om1", **(words | {"name": "vm-2"}))
    assert answer["ok"]


# What a client does with what it was told: address, route and resolver, as a machine's would be.
UDHCPC = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr add $ip/$mask dev $interface
ip link set dev $interface mtu $mtu
ip route add default via $router
echo "$ip $mask $router $dns $mtu $lease $hostname" > "$(dirname "$0")/told"
"""


def dhcp(lab, folder, *options):
    """Runs a DHCP client at om0; what it was told."""
    script = os.path.join(folder, "udhcpc.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write(UDHCPC)
    os.chmod(script, 0o755)
    lab.run("c", [servers.need_program("busybox"), "udhcpc", "-i", "om0", "-s", script, "-n", "-q",
                  "-f", "-t", "5", "-T", "1", *options])
    with open(os.path.join(folder, "told"), encoding="utf-8") as file:
        return file.read().split()


def test_addresses(lab, make, folder):
    own6 = "fd64::5054:ff:fe00:2"
    # Without "there6": the card makes it.
    link = open_tap(lab, make, *NAMES, words={"dns": True, "dhcp": True, "name": "vm-1",
                                              "mtu": 1400, "there6": None})
    assert link.row()["there6"] == own6
    lab.sysctl("c", "net/ipv6/conf/om0/accept_ra", "2")
    lab.ip("c", f"link set dev om0 address {MAC} addrgenmode eui64 up")
    start_upstream(link)
    said = dhcp(lab, folder, "-a")  # which asks whether anybody else has the address
    assert said == ["10.64.0.2", "24", HERE4, HERE4, "1400", "3600", "vm-1"]
    route = json.loads(lab.run("c", ["ip", "-j", "route", "show", "default"]).stdout)
    assert route[0]["gateway"] == HERE4
    assert lab.ping("c", HERE4)
    assert wait_until(lambda: own6 in lab.run("c", ["ip", "-6", "addr", "show", "dev",
                                                    "om0"]).stdout, 15)
    assert "default via fe80::6f:6dff:fe00:1" in lab.run("c", ["ip", "-6", "route"]).stdout
    assert lab.ping("c", HERE6)
    for here in (HERE4, HERE6):
        assert dig(link, f"@{here}", "ann.omerta", "AAAA", "+short").startswith("fd")
        assert dig(link, f"@{here}", "a.test", "+short") == "192.0.2.1\n"
    dhcp(lab, folder)  # once more: the same
    row = link.row()
    assert row["dhcp"] and row["dhcp_answered"] >= 5 and row["dhcp_dropped"] == 0
    assert "spoofed" not in row["dropped"] and "malformed" not in row["dropped"], row
