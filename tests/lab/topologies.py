"""topologies.py - the ten networks in which nodes must find each other, or cannot.

What:   TOPOLOGIES[name](lab) lays one out and returns a Topology: two hosts, who is public, which
        addresses each is seen at by the other, and what is expected of the two.
Why:    a test of anything else between two nodes can be run in each of them; what is expected
        stands beside the cables, not in the test.

The public hosts are the relays; the first of them, or the right host where there is none, is whom
the others are told of.
"""

import contextlib
import dataclasses
import ipaddress

from homes import attach, home, home_sixth, outside, public, sixth, uplink

LEFT, RIGHT, RELAY, SECOND = 1, 2, 9, 12


@dataclasses.dataclass
class Topology:
    """left and right meet as @expected: "direct", "relay" or "nothing".

    left_at is where right sees left if they are direct, an address without its port; several if
    either will do. right_port is another one where two hosts behind one box cannot have the same.
    """

    expected: str
    left_at: tuple = ()
    right_at: tuple = ()
    relays: dict = dataclasses.field(default_factory=lambda: {"relay": outside(RELAY)})
    right_port: int = 18002


def pair(lab):
    """A cable and nobody else."""
    lab.host("left", "right")
    lab.link("left", "eth0", "right", "eth0")
    lab.address("left", "eth0", "10.0.0.1/24")
    lab.address("right", "eth0", "10.0.0.2/24")
    return Topology("direct", ("10.0.0.1",), ("10.0.0.2",), {})


def same_lan(lab):
    """Both in one home, which does not turn round; the relay is far away."""
    lab.host("router", "left", "right")
    uplink(lab, "router", "port", LEFT)
    lab.segment("lan", "left", "right")
    lab.segment("lan", "router", interface="lan")
    lab.address("router", "lan", "192.168.1.1/24")
    for host, ip in (("left", "192.168.1.2"), ("right", "192.168.1.3")):
        lab.address(host, "eth0", f"{ip}/24")
        lab.gateway(host, "192.168.1.1")
    public(lab, "relay", RELAY)
    return Topology("direct", ("192.168.1.2",), ("192.168.1.3",), right_port=18003)


def street(lab, left, right):
    """A home of either kind, and the relay."""
    home(lab, "left", left, LEFT)
    home(lab, "right", right, RIGHT)
    public(lab, "relay", RELAY)
    return Topology("direct", (outside(LEFT),), (outside(RIGHT),))


def double_nat(lab):
    """Both behind two routers in a row."""
    return street(lab, "double", "double")


def cgnat_home(lab):
    """One behind its own router and its carrier's, which deals ports in blocks; one at home."""
    return street(lab, ("port", "carrier filter=apd"), "port")


def one_public(lab):
    """One whose ports cannot be told, and one without a NAT."""
    return street(lab, "sym", "public")


def six_and_dual(lab):
    """One without IPv4, one with both."""
    home_sixth(lab, "left", LEFT)
    both = {}
    for name, number in (("right", RIGHT), ("relay", RELAY)):
        public(lab, name, number)
        attach(lab, name, "eth1", number + SECOND, family=6)
        both[name] = f"[{ipaddress.ip_address(sixth(number + SECOND))}]"
    return Topology("direct", (f"[{sixth(LEFT, 1)}]",), (both["right"],), {"relay": both["relay"]})


def two_uplinks(lab):
    """One with two ways out, of which the kernel prefers the first; one at home."""
    public(lab, "left", LEFT)
    attach(lab, "left", "eth1", SECOND, metric=200)
    home(lab, "right", "port", RIGHT)
    public(lab, "relay", RELAY)
    return Topology("direct", (outside(LEFT), outside(SECOND)), (outside(RIGHT),))


def relay_behind_nat(lab):
    """Two whose ports cannot be told, a relay at home, whose port is open for all who know it, and
    a public one, by which the others get to know it."""
    street(lab, "sym", "sym")
    home(lab, "inner", "full", SECOND)
    return Topology("relay", relays={"relay": outside(RELAY), "inner": outside(SECOND)})


def udp_blocked(lab):
    """One whose router lets no UDP out."""
    street(lab, "udpblock", "port")
    return Topology("nothing")


def partition(lab):
    """Two homes on a core that split() splits."""
    return street(lab, "port", "portdrop")


@contextlib.contextmanager
def split(lab):
    """The core of partition(): while it lasts, what is at left and relay is apart from right."""
    rules = f"""
    table ip split {{
    chain forward {{
        type filter hook forward priority 0;
        iifname "net{RIGHT}" drop
        oifname "net{RIGHT}" drop
    }}
    }}
    """
    lab.run("core", ["nft", "-f", "-"], input=rules)
    yield
    lab.run("core", ["nft", "delete", "table", "ip", "split"])


TOPOLOGIES = {
    "pair": pair, "same LAN": same_lan, "double NAT": double_nat, "CGNAT and home": cgnat_home,
    "one public": one_public, "IPv6 alone and dual": six_and_dual, "two uplinks": two_uplinks,
    "relay behind NAT": relay_behind_nat, "UDP blocked": udp_blocked, "partition": partition,
}
