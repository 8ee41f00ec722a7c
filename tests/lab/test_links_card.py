"""What the card of a machine needs of a link: addresses, names, and connections to it."""

import json
import os
import subprocess
import sys
import time

import servers
import upstream
from daemon import wait_until
from fixtures import ALONE
from links import (HERE4, HERE6, MAC, PRELUDE, THERE4, THERE6, ip_words, open_tap, set_up_tap,
                   start_tun)
from tunnel_pair import named, told

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


TCP_NAMES = """
def question(name, number):
    labels = b"".join(bytes([len(x)]) + x for x in name.split(b".")) + b"\\0"
    q = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\\0\\1\\0\\1"
    return struct.pack(">H", len(q)) + q
def answer(s):
    return exactly(s, struct.unpack(">H", exactly(s, 2))[0])
with connect(53, sys.argv[1]) as s:
    s.sendall(question(b"a.test", 7) + question(b"b.test", 8)[:9])
    first = answer(s)
    s.sendall(question(b"b.test", 8)[9:])
    s.shutdown(socket.SHUT_WR)
    second = answer(s)
    if first[:2] == b"\\0\\7" and second[:2] == b"\\0\\x08" and s.recv(1) == b"":
        print("two answers")
for said in (b"\\0\\0", b"\\xff\\xff", b"\\0\\4abcd"):
    with connect(53, sys.argv[1]) as s:
        s.sendall(said)
        try:
            assert s.recv(1) == b""
        except ConnectionResetError:
            pass
print("nonsense ends")
held = []
try:
    for _ in range(20):
        held.append(connect(53, sys.argv[1]))
except ConnectionRefusedError:
    pass
if len(held) == 16:
    print("within bounds")
try:
    assert held[0].recv(1) == b""
except ConnectionResetError:
    print("idle ends")
for s in held:
    s.close()
"""


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
        assert "192.0.2.1" in dig(link, f"@{here}", "a.test", "+tcp")
        whole = dig(link, f"@{here}", "long.test", "TXT", "+short")  # by itself over TCP then
        assert len(whole) > upstream.LONG
    row = link.row()
    # Nothing went to a port of ann's.
    assert row["udp_flows"] == 0 and row["opened"] == 0 and row["name"] == ""
    done = link.inside(TCP_NAMES, HERE4)
    assert done.stdout == "two answers\nnonsense ends\nwithin bounds\nidle ends\n"
    assert "192.0.2.1" in dig(link, f"@{HERE4}", "a.test", "+tcp")


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


# As a program of ann's: a stream to a port of what is behind ben's link.
DIAL = """
import json
def dial(**words):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(json.dumps({"open": "tcp", "peer": sys.argv[2]} | words).encode() + b"\\n")
    line = b""
    while not line.endswith(b"\\n"):
        piece = s.recv(1)
        assert piece, "no answer"
        line += piece
    return s, json.loads(line)
"""
ECHO = """
def echo(c):
    with c:
        while piece := c.recv(1 << 16):
            c.sendall(piece)
        c.sendall(b"end")  # after the other side had finished
l = listen(sys.argv[2], sys.argv[1])
print("ready")
while True:
    c, _ = l.accept()
    threading.Thread(target=echo, args=(c,), daemon=True).start()
"""
BIG = """
said = os.urandom(20 * 1000 * 1000)
s, answer = dial(link="vm-1", port=8000)
assert answer["ok"], answer
def say():
    s.sendall(said)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=say).start()
heard = read_all(s)
print(hashlib.sha256(heard).digest() == hashlib.sha256(said + b"end").digest())
"""


def dialled(link, daemon, source, *argv):
    """What @source prints as a program of @daemon's host, with dial()."""
    return link.lab.run("p", [sys.executable, "-c", PRELUDE + DIAL + source,
                              os.path.join(daemon.home, "data.sock"), link.ben.self_id(),
                              *map(str, argv)]).stdout


def error(link, daemon, which, port):
    """The error that a program of @daemon's gets for a stream to that link; "" when it stands."""
    return dialled(link, daemon, """
which = sys.argv[3]
s, answer = dial(link=int(which) if which.isdigit() else which, port=int(sys.argv[4]))
print(answer.get("error", ""))
""", which, port).strip()


def behind(link, address, port):
    """An echo service of the kernel behind the link."""
    process = link.lab.popen("c", [sys.executable, "-u", "-c", PRELUDE + ECHO, address, str(port)],
                             stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"


def test_the_peer_opens_connections(lab, make):
    link = open_tap(lab, make, words={"name": "vm-1", "inward": True})
    set_up_tap(lab)
    behind(link, THERE4, 8000)
    assert dialled(link, link.ann, BIG) == "True\n"
    number = link.row()["id"]
    assert error(link, link.ann, number, 8000) == ""  # by number
    assert error(link, link.ann, "vm-1", 8001) == "connection_refused"
    lab.command(lab.wrap("c", ["nft", "add table inet t; "
                               "add chain inet t in { type filter hook input priority 0; }; "
                               "add rule inet t in tcp dport 8002 drop"]))
    begun = time.monotonic()
    assert error(link, link.ann, "vm-1", 8002) == "timeout"
    assert 3 < time.monotonic() - begun < 12  # several SYNs were sent
    assert error(link, link.ann, "vm-2", 8000) == "not_allowed"
    assert error(link, link.ann, number + 1, 8000) == "not_allowed"
    assert error(link, link.ann, "vm-1", 8000) == ""  # control
    assert wait_until(lambda: link.row()["inward_flows"] == 0)
    row = link.row()
    assert row["inward_opened"] == 5 and row["inward_refused"] == 2 and row["opened"] == 0, row
    assert row["dropped"] == {}, row
    # Whoever asked goes before there is an answer.
    lab.popen("p", [sys.executable, "-c", PRELUDE + DIAL + 'dial(link="vm-1", port=8002)',
                    os.path.join(link.ann.home, "data.sock"), link.ben.self_id()], stderr=-3)
    assert wait_until(lambda: link.row()["inward_flows"] == 1)
    assert link.ann.stop() == 0
    assert wait_until(lambda: link.row()["inward_flows"] == 0)


def test_only_the_peer_of_a_link_that_says_so(lab, make):
    link = open_tap(lab, make, words={"name": "vm-1", "inward": True})
    set_up_tap(lab)
    behind(link, THERE4, 8000)
    carl = make("carl", [*ALONE, "--name", "carl", *link.ann.bootstrap("10.1.0.1")], lab=lab,
                host="p", port=18003).start()
    assert wait_until(lambda: named(carl, "ben") and named(link.ben, "carl"), 20)
    assert error(link, carl, "vm-1", 8000) == "not_allowed"
    assert error(link, link.ann, "vm-1", 8000) == ""  # control
    # A local port of ann's that leads there.
    row = link.ann.rpc("forward.add", listen="8010", peer=link.ben.self_id(), port=8000,
                       link="vm-1")
    assert row["link"] == "vm-1" and row["host"] == ""
    done = lab.run("p", [sys.executable, "-c", PRELUDE + """
with connect(8010, "127.0.0.1") as s:
    s.sendall(b"hello")
    s.shutdown(socket.SHUT_WR)
    print(read_all(s).decode())
"""])
    assert done.stdout == "helloend\n"
    # Another link, whose words do not let the peer in.
    words = ip_words(link.ann) | {"name": "vm-2", "here": "10.65.0.1/24", "there": "10.65.0.2"}
    _, answer = start_tun(lab, "c", link.ben, "om1", **words)
    assert answer["ok"]
    assert error(link, link.ann, "vm-2", 8000) == "not_allowed"


def test_the_peer_opens_connections_v6(lab, make):
    link = open_tap(lab, make, words={"name": "vm-1", "inward": True, "here": None, "there": None})
    lab.ip("c", f"link set dev om0 address {MAC} txqueuelen 5000 up")
    lab.address("c", "om0", f"{THERE6}/64")
    assert wait_until(lambda: "tentative" not in lab.run("c", ["ip", "addr", "show", "dev",
                                                               "om0"]).stdout)
    behind(link, THERE6, 8000)
    assert dialled(link, link.ann, BIG) == "True\n"
    # The link goes, and what was open with it.
    link.process.kill()
    link.process.wait()
    assert wait_until(lambda: error(link, link.ann, "vm-1", 8000) == "not_allowed")


def test_connections_that_come_to_nothing(lab, make):
    link = open_tap(lab, make, words={"name": "vm-1", "inward": True})
    set_up_tap(lab)
    behind(link, THERE4, 8000)
    lab.command(lab.wrap("c", ["nft", "add table inet t; "
                               "add chain inet t in { type filter hook input priority 0; }; "
                               "add rule inet t in tcp dport 8002 drop"]))
    # Above the bound of those that nobody answers.
    said = dialled(link, link.ann, """
told = []
def one():
    told.append(dial(link="vm-1", port=8002)[1]["error"])
threads = [threading.Thread(target=one) for _ in range(80)]
for t in threads: t.start()
for t in threads: t.join()
print(told.count("timeout"), told.count("busy"))
""")
    assert said == "64 16\n"
    assert error(link, link.ann, "vm-1", 8000) == ""  # control
    # The link goes while one stands and one waits.
    process = lab.popen("p", [sys.executable, "-u", "-c", PRELUDE + DIAL + """
s, answer = dial(link="vm-1", port=8000)
s.sendall(b"hello")
exactly(s, 5)
print("ready")
waits = dial(link="vm-1", port=8002)[1]
print(waits["error"], read_all(s))
""", os.path.join(link.ann.home, "data.sock"), link.ben.self_id()],
                        stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    assert wait_until(lambda: link.row()["inward_flows"] == 2)
    link.process.kill()
    link.process.wait()
    assert process.stdout.readline() == "unreachable b''\n"
    assert wait_until(lambda: told(link.ben, "link", "list")["links"] == [])
