"""Daemons over paths that carry less than their interfaces, and of which nobody tells."""

import concurrent.futures
import json

import pytest

from daemon import program, wait_until
from fixtures import need

PORT = 18002
SIZES = (1500, 1280, 1124, 900, 576, 9000)
PACKET, MIB = 9000, 1 << 20
HEADS = {4: 28, 6: 48}  # IP and UDP
GRAIN = 8               # bytes at which the search ends
FLOOR = 548             # of UDP payload: below it none is looked for
QUIET = ["--no-lan", "--no-portmap"]
SECONDS = 30


def address(family, net, host):
    return f"11.0.{net}.{host}" if family == 4 else f"2a10:{net}::{host}"


def star(lab, family):
    """A hub, and a leaf for each size behind a router that drops what is larger, without ICMP."""
    lab.host("hub", "router", *(f"leaf{size}" for size in SIZES))
    rules = []
    for net, host in enumerate(("hub", *(f"leaf{size}" for size in SIZES)), start=1):
        lab.link(host, "eth0", "router", f"net{net}")
        for end, interface, number in ((host, "eth0", 2), ("router", f"net{net}", 1)):
            lab.ip(end, f"link set dev {interface} mtu 9000")
            # What the kernel joins would be dropped, or pass, as a whole.
            lab.run(end, ["ethtool", "-K", interface, "tx", "off", "tso", "off",
                          "tx-udp-segmentation", "off"])
            lab.address(end, interface, address(family, net, number) +
                        ("/24" if family == 4 else "/64"))
        lab.gateway(host, address(family, net, 1))
        if net > 1:
            for side in "iifname", "oifname":
                rules.append(f"{side} net{net} meta length > {SIZES[net - 2]} counter drop")
    lab.forwarding("router")
    lab.run("router", ["nft", "-f", "-"], input="\n".join([
        "table inet sizes {", "chain forward {", "type filter hook forward priority 0", *rules,
        "}", "}", ""]))


def probe(lab, hub, leaf, count):
    """`omerta health` with @count packets of 9,000 bytes: its reply."""
    argv = [program("omerta"), "--home", hub.home, "health", leaf.self_id(), "--json",
            "-c", str(count), "-s", str(PACKET)]
    done = lab.run(hub.host, argv, check=False)
    return json.loads(done.stdout) if done.stdout else {"echoed": 0, "error": done.stderr}


def size_to(daemon, other):
    """What @daemon has learnt of the path to @other."""
    for p in daemon.rpc("peers.list")["peers"]:
        if p["id"] == other.self_id():
            return p["mtu"]
    return None


def limits(size, family):
    """The smallest and the largest size that may be learnt."""
    most = size - HEADS[family]
    return (min(FLOOR, most), FLOOR) if most <= FLOOR else (most - GRAIN, most)


@pytest.mark.parametrize("family", [4, 6])
def test_path_size(lab, make, capsys, family):
    need("omerta-meshd", "omerta")
    star(lab, family)
    hub = make("hub", QUIET, lab=lab, host="hub", port=PORT).start()
    here = address(4, 1, 2) if family == 4 else f"[{address(6, 1, 2)}]"
    leaves = {}
    for size in SIZES:
        if HEADS[family] + FLOOR > size:
            continue  # IPv6 begins at 1280, and 596 is the least that is looked for
        leaves[size] = make(f"leaf{size}", QUIET + hub.bootstrap(here), lab=lab,
                            host=f"leaf{size}", port=PORT).start()
    for leaf in leaves.values():
        assert wait_until(lambda: size_to(hub, leaf), SECONDS), leaf.log()

    def carry(count):
        with concurrent.futures.ThreadPoolExecutor(len(leaves)) as pool:
            return dict(zip(leaves, pool.map(lambda leaf: probe(lab, hub, leaf, count),
                                             leaves.values())))

    def is_learnt():
        carry(20)
        return all(low <= (size_to(hub, leaf) or 0) <= high
                   for size, leaf in leaves.items()
                   for low, high in [limits(size, family)])

    assert wait_until(is_learnt, 4 * SECONDS), {s: size_to(hub, l) for s, l in leaves.items()}
    echoed = {size: 0 for size in leaves}
    for count in (100, 17):
        for size, reply in carry(count).items():
            echoed[size] += reply["echoed"]
    with capsys.disabled():
        for size, leaf in leaves.items():
            print(f"\nIPv{family} path of {size}: learnt {size_to(hub, leaf)} bytes, "
                  f"{echoed[size]} of 117 packets of {PACKET} there and back", end="")
    assert all(count * PACKET >= MIB for count in echoed.values()), echoed
    # Control: the router did drop what was too large for it.
    dropped = lab.run("router", ["nft", "list", "table", "inet", "sizes"]).stdout
    assert any("counter packets 0 " not in line for line in dropped.splitlines()
               if "counter" in line), dropped
