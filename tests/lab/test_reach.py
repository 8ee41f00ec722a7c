"""Daemons behind NATs of the kernel: they meet over a relay, and go directly where NATs allow.

All pairs of NATs are in test_reach_pairs.py and matrix.py, other networks in test_topologies.py;
here is what needs a street of its own.
"""

import pytest

from daemon import wait_until
from homes import (attach, home, home_sixth, met, neighbours, outside, path, ping, public,
                   sixth, start)

SECONDS = 30  # a first attempt takes 1 s; a busy machine may need the next one
LEFT, RIGHT, RELAY = 1, 2, 9


def homes(lab, make, ports=(18002, 18002)):
    """The relay and both homes, which know nobody but the relay."""
    relay = start(lab, make, "relay", ["--relay"])
    known = relay.bootstrap(outside(RELAY))
    left, right = (start(lab, make, name, known, port)
                   for name, port in zip(("left", "right"), ports))
    assert met(relay, left, right, seconds=SECONDS)
    return relay, left, right


def street(lab, left, right):
    """Two homes behind routers that translate as @left and @right, and a relay that is public."""
    home(lab, "left", left, LEFT)
    home(lab, "right", right, RIGHT)
    public(lab, "relay", RELAY)


def check_direct(lab, relay, a, b, at_a, at_b):
    """They come to talk directly, to the addresses @at_a of a and @at_b of b."""
    assert wait_until(lambda: ping(lab, a, b).returncode == 0, SECONDS)
    assert wait_until(lambda: path(a, b).startswith(at_b + ":"), SECONDS), (path(a, b), a.log())
    assert wait_until(lambda: path(b, a).startswith(at_a + ":"), SECONDS), path(b, a)
    # Control: what goes on needs no relay any more.
    assert relay.stop() == 0
    assert ping(lab, a, b).returncode == 0


def check_relayed(lab, relay, a, b):
    """They talk, and over the relay alone."""
    assert wait_until(lambda: ping(lab, a, b).returncode == 0, SECONDS)
    assert path(a, b).startswith("relay "), path(a, b)
    assert relay.rpc("status")["relay"]["carried"] > 0
    # Control: without it there is no way.
    assert relay.stop() == 0
    assert ping(lab, a, b).returncode != 0


@pytest.mark.parametrize("left, right", [
    ("port", "port"), ("port", "portdrop"), ("full", "addr"), ("sym", "full")])
def test_direct(lab, make, left, right):
    street(lab, left, right)
    check_direct(lab, *homes(lab, make), outside(LEFT), outside(RIGHT))


def test_relayed(lab, make):
    street(lab, "sym", "sym")
    check_relayed(lab, *homes(lab, make))


def test_one_carrier_that_turns_round(lab, make):
    neighbours(lab, "hairpin", LEFT, "left", "right")
    public(lab, "relay", RELAY)
    check_direct(lab, *homes(lab, make, (18002, 18003)), outside(LEFT), outside(LEFT))


def test_one_carrier_that_does_not(lab, make):
    neighbours(lab, "port", LEFT, "left", "right")
    public(lab, "relay", RELAY)
    check_relayed(lab, *homes(lab, make, (18002, 18003)))


def test_firewalls_of_ipv6(lab, make):
    home_sixth(lab, "left", LEFT)
    home_sixth(lab, "right", RIGHT)
    lab.host("relay")
    attach(lab, "relay", "eth0", RELAY, family=6)
    relay = start(lab, make, "relay", ["--relay"])
    known = relay.bootstrap(f"[{sixth(RELAY)}]")
    left, right = (start(lab, make, name, known) for name in ("left", "right"))
    assert met(relay, left, right, seconds=SECONDS)
    check_direct(lab, relay, left, right, f"[{sixth(LEFT, 1)}]", f"[{sixth(RIGHT, 1)}]")
