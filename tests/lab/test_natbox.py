"""The simulator's NAT, the kernel's, and the simulator's on a cable, asked the same questions."""

import pytest

import natprobe
from fixtures import need

FLOWS = natprobe.PARTS
CONES = [part for part in FLOWS if part is not natprobe.sharing]
FRESH = ["timeout=2s"]
# Kinds of the boxes from the inside to the outside, and what is asked of them. The kernel's cones
# rely on it that no two hosts have one port.
CASES = {
    "full": (["full"], CONES), "addr": (["addr"], CONES), "hairpin": (["hairpin"], CONES),
    "port": (["port"], FLOWS), "portdrop": (["portdrop"], FLOWS), "sym": (["sym"], FLOWS),
    "symrand": (["symrand"], FLOWS), "symblock": (["symblock"], FLOWS),
    "ranged": (["ranged"], FLOWS), "udpblock": (["udpblock"], FLOWS),
    "cgnat-port": (["port", "port"], FLOWS),
    "cgnat-sym": (["port", "sym"], FLOWS), "cgnat-full": (["full", "full"], CONES),
}

# What no rules of the kernel's make: the cable does, with the simulator's own box. On one of them
# time passes too.
TIMELESS = [part for part in FLOWS if part is not natprobe.timeouts]
BLOCKS = [*TIMELESS, natprobe.reuse]
WIRED = {
    "next": TIMELESS, "stride": FLOWS, "block": BLOCKS, "blockex": BLOCKS,
    "restricted": TIMELESS, "carrier": TIMELESS, "next filter=ei hairpin=yes": TIMELESS,
    "full filter=ad ports=random exclusive=yes": TIMELESS,
}


def probe_both(net, other, parts):
    """What becomes of the same questions at both."""
    tables = []
    for each in (net, other):
        tables.append(natprobe.text(natprobe.probe(each, parts)))
        each.close()
    print(tables[0])
    assert tables[0] == tables[1]


def inside(lab, router):
    """Two hosts at "lan" of @router, and two servers."""
    need("omerta-lab-natbox", "omerta-lab-wire")
    lab.host("c1", "c2", "s1", "s2", router)
    lab.segment("home", "c1", "c2")
    lab.segment("home", router, interface="lan")
    lab.address(router, "lan", "192.168.1.1/24")
    for host, ip in zip(("c1", "c2"), natprobe.INSIDE):
        lab.address(host, "eth0", f"{ip}/24")
        lab.gateway(host, "192.168.1.1")
    lab.segment("net", "s1", "s2")
    lab.address("s1", "eth0", "11.0.0.11/24")
    lab.address("s2", "eth0", "11.0.0.12/24")


def sockets(lab):
    """What asks from the hosts of inside()."""
    names = [(lab.name(host), ip) for host, ip in zip(("c1", "c2"), natprobe.INSIDE)]
    servers = [("11.0.0.11", lab.name("s1")), ("11.0.0.12", lab.name("s2"))]
    return natprobe.Kernel(names, servers, natprobe.OUTSIDE)


def wired(lab, words):
    """One box on a cable, between a router that forwards and the servers."""
    inside(lab, "r0")
    lab.wire("r0", "wan", "net", "uplink", nat=f"{natprobe.OUTSIDE} {words}")
    lab.ip("net", "link set dev uplink master br0")
    lab.forwarding("r0")
    lab.address("r0", "wan", "11.0.0.2/24")
    lab.route("r0", f"{natprobe.OUTSIDE}/32", "11.0.0.11")  # into the cable: the box turns it round
    for server in ("s1", "s2"):
        lab.route(server, f"{natprobe.OUTSIDE}/32", "11.0.0.2")
    return sockets(lab)


def kernel(lab, kinds):
    """Two hosts inside, the boxes in a row, two servers outside; all of it namespaces."""
    inside(lab, "r0")
    lab.host(*(f"r{i}" for i in range(1, len(kinds))))
    for i in range(len(kinds) - 1):
        lab.link(f"r{i}", "wan", f"r{i + 1}", "lan")
        lab.address(f"r{i}", "wan", "100.64.0.2/24")
        lab.address(f"r{i + 1}", "lan", "100.64.0.1/24")
        lab.gateway(f"r{i}", "100.64.0.1")
    last = len(kinds) - 1
    lab.segment("net", f"r{last}", interface="wan")
    lab.address(f"r{last}", "wan", f"{natprobe.OUTSIDE}/24")
    for i, kind in enumerate(kinds):
        outside = natprobe.OUTSIDE if i == last else "100.64.0.2"
        lab.nat(f"r{i}", kind, "wan", "lan", outside, timeouts=(2, 4))
    return sockets(lab)


def simulated(kinds):
    """The same out of the simulator."""
    boxes = []
    for i, kind in enumerate(kinds):
        outside = natprobe.OUTSIDE if i == len(kinds) - 1 else "100.64.0.2"
        fresh = [] if kind in ("full", "addr", "hairpin") else FRESH
        boxes.append((outside, kind, *fresh))
    return natprobe.Box(boxes, natprobe.INSIDE)


def boxed(words):
    """The same for one box in words."""
    return natprobe.Box([(natprobe.OUTSIDE, *words.split(), *FRESH)], natprobe.INSIDE)


@pytest.mark.parametrize("case", CASES)
def test_simulator_does_as_the_kernel(lab, case):
    kinds, parts = CASES[case]
    probe_both(kernel(lab, kinds), simulated(kinds), parts)


@pytest.mark.parametrize("words", WIRED)
def test_cable_does_as_the_simulator(lab, words):
    probe_both(wired(lab, " ".join([words, *FRESH])), boxed(words), WIRED[words])


def test_kinds_differ():
    """What the tables are compared by tells the kinds apart."""
    need("omerta-lab-natbox")
    tables = {}
    nets = {case: simulated(kinds) for case, (kinds, _) in CASES.items()}
    nets |= {words: boxed(words) for words in WIRED}
    for case, net in nets.items():
        table = natprobe.text(natprobe.probe(net, [*FLOWS, natprobe.reuse]))
        net.close()
        assert table not in tables, f"{case} and {tables[table]} have one table"
        tables[table] = case
