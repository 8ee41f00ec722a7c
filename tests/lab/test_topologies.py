"""Two daemons in each of the ten networks of topologies.py: they meet as is expected of it."""

import pytest

from daemon import wait_until
from homes import met, path, ping, start
from topologies import TOPOLOGIES, split

SECONDS = 40  # a first attempt takes 1 s to 3 s; a busy machine may need the next one


class Mesh:
    """The daemons of a topology."""

    def __init__(self, lab, make, name):
        self.lab = lab
        self.plan = TOPOLOGIES[name](lab)
        self.relays, known = [], []
        for host, address in self.plan.relays.items():
            self.relays.append(start(lab, make, host, ["--relay", *known]))
            known = known or self.relays[0].bootstrap(address)
        self.right = start(lab, make, "right", known, self.plan.right_port)
        known = known or self.right.bootstrap(self.plan.right_at[0])
        self.left = start(lab, make, "left", known)

    def met(self):
        """True once all of them know each other."""
        return met(*self.relays, self.left, self.right, seconds=SECONDS)

    def answers(self):
        """Does the right one come to answer the left one?"""
        return self.hears(self.left, self.right)

    def is_direct(self):
        """Does each send to where the other is?"""
        ways = ((path(self.left, self.right), self.plan.right_at),
                (path(self.right, self.left), self.plan.left_at))
        return all(way.startswith(tuple(f"{at}:" for at in places)) for way, places in ways)

    def hears(self, asker, other):
        """Does @asker come to hear @other?"""
        return wait_until(lambda: ping(self.lab, asker, other).returncode == 0, SECONDS)

    def check_direct(self):
        """They come to talk directly, and need no relay any more."""
        assert self.met() and self.answers(), self.left.log()
        # The ping goes on while they find the way.
        assert wait_until(lambda: self.is_direct() or not self.answers(), SECONDS) and \
            self.is_direct(), (path(self.left, self.right), path(self.right, self.left))
        for relay in self.relays:
            assert relay.stop() == 0
        assert self.answers()


@pytest.mark.parametrize("name", ["pair", "same LAN", "double NAT", "CGNAT and home",
                                  "one public", "IPv6 alone and dual"])
def test_topology(lab, make, name):
    mesh = Mesh(lab, make, name)
    assert mesh.plan.expected == "direct"
    mesh.check_direct()


def test_relay_behind_nat(lab, make):
    """The public relay helps the others to the one at home, and dies."""
    mesh = Mesh(lab, make, "relay behind NAT")
    public, inner = mesh.relays
    assert mesh.met() and mesh.answers()
    at = mesh.plan.relays["inner"]
    for end in (mesh.left, mesh.right):
        assert wait_until(lambda a=end: ping(lab, a, inner).returncode == 0 and
                          path(a, inner).startswith(f"{at}:"), SECONDS), path(end, inner)
    before = inner.rpc("status")["relay"]["carried"]
    assert public.kill() == -9
    assert mesh.answers(), mesh.left.log()
    assert path(mesh.left, mesh.right).startswith("relay ")
    assert inner.rpc("status")["relay"]["carried"] > before
    # Control: there is no other way.
    assert inner.stop() == 0
    assert ping(lab, mesh.left, mesh.right).returncode != 0


def test_two_uplinks(lab, make):
    """One is pulled, and then the other instead."""
    mesh = Mesh(lab, make, "two uplinks")
    assert mesh.met() and mesh.answers()
    for pulled, other, there in (("eth0", "eth1", 1), ("eth1", "eth0", 0)):
        lab.down("left", pulled)
        lab.up("left", other)
        # The route that went with its cable is the test's to restore: no DHCP client does it.
        gateway = mesh.plan.left_at[there].rpartition(".")[0] + ".1"
        lab.ip("left", f"route replace default via {gateway} metric {100 + there}")
        assert mesh.answers(), mesh.left.log()
        seen = mesh.plan.left_at[there]
        assert wait_until(lambda at=seen: path(mesh.right, mesh.left).startswith(f"{at}:") or
                          not mesh.answers(), SECONDS), path(mesh.right, mesh.left)
        assert path(mesh.right, mesh.left).startswith(f"{seen}:")


def test_udp_blocked(lab, make):
    mesh = Mesh(lab, make, "UDP blocked")
    relay, = mesh.relays
    # Control: the other home is heard.
    assert mesh.hears(mesh.right, relay)
    done = ping(lab, mesh.left, relay)
    assert done.returncode == 1 and "3 sent, 0 answered, 100% loss" in done.stdout, done
    assert mesh.right.self_id() not in mesh.left.peer_ids()


def test_partition(lab, make):
    """One is cut off, the others go on; then they find each other again."""
    mesh = Mesh(lab, make, "partition")
    relay, = mesh.relays
    assert mesh.met() and wait_until(lambda: mesh.answers() and mesh.is_direct(), SECONDS)
    with split(lab):
        assert wait_until(lambda: ping(lab, mesh.left, mesh.right).returncode != 0, SECONDS)
        assert mesh.hears(mesh.left, relay)  # control
        assert ping(lab, mesh.right, relay).returncode != 0
    assert mesh.answers(), mesh.left.log()
    assert mesh.hears(mesh.right, relay)
    # Not only over the relay: which way either prefers here, where it costs no time, is left open.
    assert relay.stop() == 0
    assert wait_until(lambda: mesh.answers() and mesh.is_direct(), SECONDS)
