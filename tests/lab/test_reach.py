"""Daemons behind NATs of the kernel: they meet over a relay, and go directly where NATs allow."""

import re

import pytest

from daemon import program, wait_until
from fixtures import need

PORT = 18002
RELAY = "11.0.9.2"
QUIET = ["--no-lan", "--no-portmap"]
SECONDS = 30  # a first attempt takes 1 s; a busy machine may need the next one


def street(lab, left, right):
    """Two homes behind routers that translate as @left and @right, and a relay that is public."""
    lab.host("left", "right", "r1", "r2", "core", "relay")
    for i, home, kind in ((1, "left", left), (2, "right", right)):
        lab.link(home, "eth0", f"r{i}", "lan")
        lab.address(home, "eth0", f"192.168.{i}.2/24")
        lab.address(f"r{i}", "lan", f"192.168.{i}.1/24")
        lab.gateway(home, f"192.168.{i}.1")
        lab.link(f"r{i}", "wan", "core", f"net{i}")
        lab.address(f"r{i}", "wan", f"11.0.{i}.2/24")
        lab.address("core", f"net{i}", f"11.0.{i}.1/24")
        lab.gateway(f"r{i}", f"11.0.{i}.1")
        lab.nat(f"r{i}", kind, "wan", "lan", wan_address=f"11.0.{i}.2")
    lab.link("relay", "eth0", "core", "net9")
    lab.address("relay", "eth0", f"{RELAY}/24")
    lab.address("core", "net9", "11.0.9.1/24")
    lab.gateway("relay", "11.0.9.1")
    lab.forwarding("core")


def homes(lab, make):
    """The relay and both homes, which know nobody but the relay."""
    need("omerta-meshd", "omerta")
    relay = make("relay", QUIET + ["--relay"], lab=lab, host="relay", port=PORT).start()
    return relay, *(make(name, QUIET + relay.bootstrap(RELAY), lab=lab, host=name,
                         port=PORT).start() for name in ("left", "right"))


def peer(daemon, other):
    """What @daemon knows of @other; nothing: {}."""
    return next((p for p in daemon.rpc("peers.list")["peers"] if p["id"] == other.self_id()), {})


def ping(lab, daemon, other):
    """`omerta ping` from @daemon to @other."""
    argv = [program("omerta"), "--home", daemon.home, "ping", other.self_id()]
    return lab.run(daemon.host, [*argv, "-c", "3", "-i", "0.2"], check=False)


@pytest.mark.parametrize("left, right", [
    ("port", "port"), ("port", "portdrop"), ("full", "addr"), ("sym", "full")])
def test_direct(lab, make, left, right):
    street(lab, left, right)
    relay, a, b = homes(lab, make)
    assert wait_until(lambda: peer(a, b) and peer(b, a), SECONDS)
    assert wait_until(lambda: ping(lab, a, b).returncode == 0, SECONDS)
    assert wait_until(lambda: re.match(r"11\.0\.2\.2:", peer(a, b)["path"] or ""), SECONDS), \
        (peer(a, b), a.log())
    assert wait_until(lambda: re.match(r"11\.0\.1\.2:", peer(b, a)["path"] or ""), SECONDS), \
        peer(b, a)
    # Control: what goes on needs no relay any more.
    assert relay.stop() == 0
    assert ping(lab, a, b).returncode == 0


def test_relayed(lab, make):
    street(lab, "sym", "sym")
    relay, a, b = homes(lab, make)
    assert wait_until(lambda: peer(a, b) and peer(b, a), SECONDS)
    assert wait_until(lambda: ping(lab, a, b).returncode == 0, SECONDS)
    assert peer(a, b)["path"].startswith("relay "), peer(a, b)
    assert relay.rpc("status")["relay"]["carried"] > 0
    # Control: without it there is no way.
    assert relay.stop() == 0
    assert ping(lab, a, b).returncode != 0
