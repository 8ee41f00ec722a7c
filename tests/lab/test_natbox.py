"""The simulator's NAT and the kernel's, asked the same questions."""

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


def kernel(lab, kinds):
    """Two hosts inside, the boxes in a row, two servers outside; all of it namespaces."""
    need("omerta-lab-natbox")
    lab.host("c1", "c2", "s1", "s2", *(f"r{i}" for i in range(len(kinds))))
    lab.segment("home", "c1", "c2")
    lab.segment("home", "r0", interface="lan")
    lab.address("r0", "lan", "192.168.1.1/24")
    for host, ip in zip(("c1", "c2"), natprobe.INSIDE):
        lab.address(host, "eth0", f"{ip}/24")
        lab.gateway(host, "192.168.1.1")
    for i in range(len(kinds) - 1):
        lab.link(f"r{i}", "wan", f"r{i + 1}", "lan")
        lab.address(f"r{i}", "wan", "100.64.0.2/24")
        lab.address(f"r{i + 1}", "lan", "100.64.0.1/24")
        lab.gateway(f"r{i}", "100.64.0.1")
    last = len(kinds) - 1
    lab.segment("net", "s1", "s2")
    lab.segment("net", f"r{last}", interface="wan")
    for host, ip in ((f"r{last}", natprobe.OUTSIDE), ("s1", "11.0.0.11"), ("s2", "11.0.0.12")):
        lab.address(host, "wan" if host[0] == "r" else "eth0", f"{ip}/24")
    for i, kind in enumerate(kinds):
        outside = natprobe.OUTSIDE if i == last else "100.64.0.2"
        lab.nat(f"r{i}", kind, "wan", "lan", outside, timeouts=(2, 4))
    names = [(lab.name(host), ip) for host, ip in zip(("c1", "c2"), natprobe.INSIDE)]
    servers = [("11.0.0.11", lab.name("s1")), ("11.0.0.12", lab.name("s2"))]
    return natprobe.Kernel(names, servers, natprobe.OUTSIDE)


def simulated(kinds):
    """The same out of the simulator."""
    boxes = []
    for i, kind in enumerate(kinds):
        outside = natprobe.OUTSIDE if i == len(kinds) - 1 else "100.64.0.2"
        fresh = [] if kind in ("full", "addr", "hairpin") else FRESH
        boxes.append((outside, kind, *fresh))
    return natprobe.Box(boxes, natprobe.INSIDE)


@pytest.mark.parametrize("case", CASES)
def test_simulator_does_as_the_kernel(lab, case):
    kinds, parts = CASES[case]
    tables = []
    for net in (kernel(lab, kinds), simulated(kinds)):
        tables.append(natprobe.text(natprobe.probe(net, parts)))
        net.close()
    print(f"{case}\n{tables[0]}")
    assert tables[0] == tables[1]


def test_kinds_differ():
    """What the tables are compared by tells the kinds apart."""
    need("omerta-lab-natbox")
    tables = {}
    for case, (kinds, _) in CASES.items():
        net = simulated(kinds)
        table = natprobe.text(natprobe.probe(net, FLOWS))
        net.close()
        assert table not in tables, f"{case} and {tables[table]} have one table"
        tables[table] = case
