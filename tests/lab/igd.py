"""igd.py - home routers that map ports: the real miniupnpd, and one that a test scripts.

What:   a client behind a router with a public-looking address, and an outside; Miniupnpd maps by
        nftables, Scripted answers as it is told; and what the client's daemon says of it.
Why:    what a router does is seen on a router; what only a broken one does has to be played.
Needs:  miniupnpd with nftables (Debian: miniupnpd-nftables).
"""

import os
import shutil
import signal
import sys

import pytest

from daemon import program
from omerta_lab import search_path, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
LAN, WAN, OUTSIDE = "192.168.1.1", "11.0.0.1", "11.0.0.2"
CLIENT = "192.168.1.2"
PORT = 18002
# The lab's own hosts are found by nobody else: multicast stays inside.
QUIET = ["--no-lan"]
TOLD_SECONDS = 30  # both protocols silent or slow, on a busy machine
CONFIG = """
ext_ifname=wan
listening_ip=lan
port=5000
enable_natpmp={natpmp}
enable_upnp={upnp}
secure_mode=yes
system_uptime=yes
uuid=5e2e6d7a-6a0f-4b0c-9c55-000000000001
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=forwarding
upnp_nat_chain=mapping
upnp_nat_postrouting_chain=leaving
{rules}
"""
# Where miniupnpd puts its rules; a chain without them would let nothing new in.
TABLE = """
table inet miniupnpd {
  chain forwarding { }
  chain mapping { }
  chain leaving { }
  chain forward {
    type filter hook forward priority -25; policy accept;
    jump forwarding
  }
  chain pre { type nat hook prerouting priority dstnat; policy accept; jump mapping; }
  chain post { type nat hook postrouting priority srcnat; policy accept; jump leaving; }
}
"""
ALLOW = "allow 1024-65535 192.168.1.0/24 1024-65535"


def home(lab, wan=WAN):
    """client -- router -- net -- outside; the router translates and, so far, maps nothing."""
    lab.host("client", "router", "outside")
    lab.segment("house", "client")
    lab.segment("house", "router", interface="lan")
    lab.segment("net", "router", interface="wan")
    lab.segment("net", "outside")
    lab.address("client", "eth0", f"{CLIENT}/24")
    lab.address("router", "lan", f"{LAN}/24")
    lab.address("router", "wan", f"{wan}/24")
    lab.address("outside", "eth0", f"{wan.rpartition('.')[0]}.2/24")
    lab.gateway("client", LAN)
    lab.nat("router", "port", "wan", "lan")
    lab.run("router", ["nft", "-f", "-"], input=TABLE)


class Miniupnpd:
    """The daemon on the router; it listens once this is made."""

    def __init__(self, lab, natpmp=True, upnp=True, rules=ALLOW):
        miniupnpd = shutil.which("miniupnpd", path=search_path())
        if miniupnpd is None:
            pytest.skip("miniupnpd is not installed")
        self.lab = lab
        path = os.path.join(lab.folder, "miniupnpd.conf")
        words = {True: "yes", False: "no"}
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIG.format(natpmp=words[natpmp], upnp=words[upnp], rules=rules))
        log = os.path.join(lab.folder, "miniupnpd.log")
        with open(log, "ab") as out:
            self.process = lab.popen("router", [miniupnpd, "-d", "-f", path, "-P", path + ".pid"],
                                     stdout=out, stderr=out)
        port = ":1900 " if upnp else ":5351 "

        def listens():
            sockets = lab.run("router", ["ss", "-uln"]).stdout
            return self.process.poll() is not None or port in sockets

        assert wait_until(listens, 10) and self.process.poll() is None, open(
            log, encoding="utf-8", errors="replace").read()

    def stop(self):
        """It goes; what it mapped stays in nftables."""
        def is_gone():
            # Again: it forgets a signal that comes just before it waits for packets.
            self.process.send_signal(signal.SIGTERM)
            return self.process.poll() is not None

        assert wait_until(is_gone, 10)


def mappings(lab):
    """What the router maps: {outer port: "address:port"}."""
    text = lab.run("router", ["nft", "list", "chain", "inet", "miniupnpd", "mapping"]).stdout
    found = {}
    for line in text.splitlines():
        words = line.split()
        if "dport" in words and "dnat" in words:
            found[int(words[words.index("dport") + 1])] = next(
                word for word in words if word.startswith("192.168."))
    return found


class Scripted:
    """A router of one protocol, "natpmp" or "igd": scripted_@kind.py with @words."""

    def __init__(self, lab, kind="natpmp", **words):
        argv = [sys.executable, os.path.join(HERE, f"scripted_{kind}.py"), LAN]
        argv += [f"{key}={value}" for key, value in words.items()]
        self.path = os.path.join(lab.folder, f"{kind}.log")
        with open(self.path, "ab") as out:
            self.process = lab.popen("router", argv, stdout=out)
        port = {"natpmp": ":5351 ", "igd": ":1900 "}[kind]
        assert wait_until(lambda: port in lab.run("router", ["ss", "-uln"]).stdout, 10)

    def asked(self):
        """The questions so far, each its words; numbers as such."""
        with open(self.path, encoding="ascii") as file:
            return [tuple(int(w) if w.isdigit() else w for w in line.split()) for line in file]

    def stop(self):
        """It answers nothing more."""
        self.process.kill()
        self.process.wait(10)


def netcheck(daemon):
    """What the daemon says of its mapping."""
    return daemon.rpc("netcheck")["portmap"]


def settled(daemon, state):
    """Its mapping, once it is in @state."""
    told = {}

    def is_so():
        told.update(netcheck(daemon))
        return told["state"] == state

    assert wait_until(is_so, TOLD_SECONDS), told
    return told


def client(make, lab, args=(), name="client"):
    """A daemon behind the router."""
    return make(name, QUIET + list(args), lab=lab, host="client", port=PORT).start()


def result_of(told, protocol):
    """What a protocol came to."""
    return next(t for t in told["tried"] if t["protocol"] == protocol)


def command(lab, host, daemon, *words):
    """omerta of @daemon; its output."""
    return lab.run(host, [program("omerta"), "--home", daemon.home, *words], check=False)
