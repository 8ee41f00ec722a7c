"""Datagrams with a TTL through real routers: how far they get, and what they open on the way."""

import os

import pytest

from daemon import program
from fixtures import need
from omerta_lab import wait_until

OUTSIDE, FAR = "11.0.1.2", "11.0.2.2"
PORT = 4000
SOCKETS = 3
SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
for port in sys.argv[3:]:
    s.sendto(b"answer", (sys.argv[2], int(port)))
"""


@pytest.fixture
def street(lab):
    """Two homes, each behind a router that translates, and a router between these."""
    need("omerta-lab-opener")
    lab.host("left", "right", "r1", "r2", "core")
    for i, home in ((1, "left"), (2, "right")):
        lab.link(home, "eth0", f"r{i}", "lan")
        lab.address(home, "eth0", f"192.168.{i}.2/24")
        lab.address(f"r{i}", "lan", f"192.168.{i}.1/24")
        lab.gateway(home, f"192.168.{i}.1")
        lab.link(f"r{i}", "wan", "core", f"net{i}")
        lab.address(f"r{i}", "wan", f"11.0.{i}.2/24")
        lab.address("core", f"net{i}", f"11.0.{i}.1/24")
        lab.gateway(f"r{i}", f"11.0.{i}.1")
        lab.nat(f"r{i}", "port", "wan", "lan")
    lab.forwarding("core")
    # No router may hold back what it has to say of several that end in one instant.
    for host in ("r1", "core", "r2"):
        lab.sysctl(host, "net.ipv4.icmp_ratelimit", 0)
    return lab


class Opener:
    """omerta-lab-opener on the left, towards the right."""

    def __init__(self, lab, ttl, sockets=SOCKETS):
        self.path = os.path.join(lab.folder, f"opener{ttl}")
        with open(self.path, "wb") as out:
            argv = [program("omerta-lab-opener"), str(ttl), str(sockets), f"{FAR}:{PORT}"]
            lab.popen("left", argv, stdout=out, stderr=out)
        assert wait_until(lambda: self.lines("sent"))
        assert self.lines("sent") == [f"sent {sockets + 1} 0"]

    def lines(self, what):
        """What it has told so far of @what."""
        with open(self.path, encoding="ascii") as file:
            return [line for line in file.read().splitlines() if line.startswith(what)]


def ports(capture):
    """Source ports in @capture of what came from the left's outside."""
    return sorted(packet.sport for packet in capture.packets())


def answer(lab, to):
    """The right sends to @to, ports of the left's outside; its own router keeps its port."""
    lab.run("right", ["python3", "-c", SEND, str(PORT), OUTSIDE, *map(str, to)])


def heard(sockets):
    """What the opener tells when each of @sockets got the answer of the right."""
    return [f"in {i} {FAR}:{PORT}" for i in sockets]


def test_opener_opens_and_does_not_arrive(street):
    passed = street.capture("core", "net1", f"udp and src host {OUTSIDE}")
    arrived = street.capture("r2", "wan", f"udp and src host {OUTSIDE}")
    opener = Opener(street, 2)
    assert wait_until(lambda: len(opener.lines("hop")) == SOCKETS + 1)
    assert opener.lines("hop") == ["hop 2 11.0.1.1:0"] * (SOCKETS + 1)
    # The capture tells of what passed when its process has had its turn.
    assert wait_until(lambda: len(set(ports(passed))) == SOCKETS + 1)
    open_ = ports(passed)
    assert not ports(arrived)
    # Each of them lets in now what comes from there: that is what an opener is for.
    answer(street, open_)
    assert wait_until(lambda: len(opener.lines("in")) == SOCKETS + 1)
    assert sorted(opener.lines("in")) == heard(range(SOCKETS + 1))
    assert not arrived.stop()


def test_without_ttl_it_arrives(street):
    arrived = street.capture("r2", "wan", f"udp and src host {OUTSIDE}")
    opener = Opener(street, 64)
    assert wait_until(lambda: len(ports(arrived)) == SOCKETS + 1)
    assert not opener.lines("hop")


def test_ttl_of_one_opens_nothing(street):
    """The first router ends it before it has a mapping."""
    passed = street.capture("r1", "wan", f"udp and src host {OUTSIDE}")
    opener = Opener(street, 1)
    assert wait_until(lambda: len(opener.lines("hop")) == SOCKETS + 1)
    assert opener.lines("hop") == ["hop 1 192.168.1.1:0"] * (SOCKETS + 1)
    assert not ports(passed)
    other = Opener(street, 2, 0)  # the control; also later than all that was to come
    assert wait_until(lambda: len(other.lines("hop")) == 1)
    assert wait_until(lambda: len(ports(passed)) == 1)


def test_hundreds_of_sockets(street):
    passed = street.capture("core", "net1", f"udp and src host {OUTSIDE}")
    opener = Opener(street, 2, 256)
    assert wait_until(lambda: len(set(ports(passed))) == 257, 10)
    assert wait_until(lambda: opener.lines("hop"))  # a router does not speak for each of so many
    answer(street, ports(passed))
    assert wait_until(lambda: len(opener.lines("in")) == 257)
