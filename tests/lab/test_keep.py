"""The way to a daemon behind a NAT of the kernel stays open at rest, by few datagrams."""

import re

from daemon import program, wait_until
from fixtures import need

PORT = 18002
OUTSIDE = "11.0.9.2"
QUIET = ["--no-lan", "--no-portmap"]
FORGETS = 40  # seconds; what is safe with nothing known is 15, and the first trial takes 30


def house(lab):
    """Two at home behind one router, which forgets soon, and one outside."""
    lab.host("named", "met", "router", "core", "outside")
    for i, home in ((1, "named"), (2, "met")):
        lab.link(home, "eth0", "router", f"lan{i}")
        lab.address(home, "eth0", f"192.168.{i}.2/24")
        lab.address("router", f"lan{i}", f"192.168.{i}.1/24")
        lab.gateway(home, f"192.168.{i}.1")
    lab.link("router", "wan", "core", "net1")
    lab.address("router", "wan", "11.0.1.2/24")
    lab.address("core", "net1", "11.0.1.1/24")
    lab.gateway("router", "11.0.1.1")
    lab.nat("router", "sym", "wan", "lan*", timeouts=(FORGETS, FORGETS))
    lab.link("outside", "eth0", "core", "net9")
    lab.address("outside", "eth0", f"{OUTSIDE}/24")
    lab.address("core", "net9", "11.0.9.1/24")
    lab.gateway("outside", "11.0.9.1")
    lab.forwarding("core")


def figure(daemon, name):
    """The metric @name of @daemon, or 0."""
    page = daemon.rpc("metrics.show")["text"]
    found = re.search(rf"^omerta_{re.escape(name)} (\d+)$", page, re.M)
    return int(found[1]) if found else 0


def life(daemon):
    """How long a silence the NAT of @daemon is known to outlive, in seconds."""
    return figure(daemon, 'nat_life_milliseconds{family="ipv4"}') / 1000


def ping(lab, daemon, other):
    """Does @other answer `omerta ping` of @daemon?"""
    argv = [program("omerta"), "--home", daemon.home, "ping", other.self_id()]
    return lab.run(daemon.host, [*argv, "-c", "1"], check=False).returncode == 0


def is_remembered(lab, home):
    """Does the router know a flow between @home and the one outside?"""
    source = {"named": "192.168.1.2", "met": "192.168.2.2"}[home]
    flows = lab.run("router", ["cat", "/proc/net/nf_conntrack"]).stdout
    return any(f"src={source} dst={OUTSIDE} " in line for line in flows.splitlines())


def test_way_stays_open(lab, make):
    need("omerta-meshd", "omerta")
    house(lab)
    outside = make("outside", QUIET, lab=lab, host="outside", port=PORT).start()
    named = make("named", QUIET + outside.bootstrap(OUTSIDE), lab=lab, host="named",
                 port=PORT).start()
    met = make("met", QUIET, lab=lab, host="met", port=PORT).start()
    met.rpc("peers.add", peer=outside.self_id(), endpoints=[f"{OUTSIDE}:{PORT}"])
    assert wait_until(lambda: ping(lab, outside, named) and ping(lab, outside, met), 30)
    # It learns by itself that the NAT outlives more than is taken for granted, and not more than
    # it does.
    assert wait_until(lambda: life(named) >= 30, 200), named.log()
    assert life(named) < FORGETS
    assert figure(named, "keepalive_asks_total") >= 2
    # For longer than the NAT remembers it has little to say, and is there all the time.
    had = figure(named, "keepalives_total")
    missing = set()

    def look():
        missing.update(home for home in ("named", "met") if not is_remembered(lab, home))
        return figure(named, "keepalives_total") >= had + 2 and "met" in missing

    assert wait_until(look, 150), named.log()
    assert missing == {"met"}  # the control, whose way nobody wanted kept
    assert ping(lab, outside, named), named.log()
    assert figure(named, "keepalive_losses_total") == 0
    assert figure(met, "keepalives_total") == 0
