#!/usr/bin/env python3
"""relay.py - what forwarding costs a relay, beside a program that only forwards, in one run

usage: tests/bench/relay.sh [--seconds N] [--runs N] [--check]

Two namespaces that reach each other only through a host between them, which routes nothing; an MTU
of 1,228 bytes, so datagrams have 1,200 of UDP; no segmentation offload. Between two daemons iperf3
runs through `omerta forward`, in turn over a lane of a relay in the middle, and directly, where
omerta-plain-forward in the middle passes the same datagrams on by recvmmsg() and sendmmsg(). Prints
a table and a line of JSON. Costs are CPU seconds of the program in the middle for 10^9 bytes of the
stream: ours receives and sends whole runs where the kernel lets it, which can make up for the keyed
MACs. --check makes an exit code of a relay that costs more than CHECK plain ones.
"""

import argparse
import json
import os
import statistics
import sys

import tunnel
from tunnel import FORWARD, PORT, Bench, cpu_seconds

from daemon import Daemon, knows, program
from omerta_lab import Lab, missing, wait_until

CHECK = 2.0
MTU = 1228
QUIET = ["--no-lan", "--no-portmap"]
MESH, PLAIN = 18002, 18003
RATE = 125000000  # bytes a second of a lane: as many as may be
NAMES = ("relay", "plain")


class RelayBench(Bench):
    """a, the middle, b."""

    def street(self):
        """Two cables that the middle does not join."""
        self.lab.host("a", "middle", "b")
        for net, host in ((1, "a"), (2, "b")):
            self.lab.link(host, "v0", "middle", f"v{net}")
            self.lab.address(host, "v0", f"10.9.{net}.2/24")
            self.lab.address("middle", f"v{net}", f"10.9.{net}.1/24")
            for end, link in ((host, "v0"), ("middle", f"v{net}")):
                self.lab.ip(end, f"link set dev {link} mtu {MTU}")
                self.lab.run(end, ["ethtool", "-K", link, "tx-udp-segmentation", "off"])
        self.listen()

    def daemon(self, host, *words):
        """A daemon of its own on @host."""
        return Daemon(os.path.join(self.lab.folder, f"{host}-{len(words)}"), [*QUIET, *words],
                      lab=self.lab, host=host, port=MESH)

    def middle(self, name):
        """(what forwards, near, far): b's end knows a's only by way of it."""
        if name == "relay":
            relay = self.daemon("middle", "--relay", "--relay-rate-bytes", str(RATE)).start()
            near = self.daemon("a", *relay.bootstrap("10.9.1.1")).start()
            far = self.daemon("b", *relay.bootstrap("10.9.2.1")).start()
            return relay, near, far
        far = self.daemon("b").start()
        plain = self.lab.popen("middle", [program("omerta-plain-forward"), str(PLAIN), "10.9.2.2",
                                          str(MESH)])
        near = self.daemon("a", "--bootstrap", f"{far.self_id()}@10.9.1.1:{PLAIN}").start()
        return plain, near, far

    def measure(self, name):
        """Gb/s and CPU seconds for 10^9 bytes, medians of the runs."""
        between, near, far = self.middle(name)
        if not knows(near, [far.self_id()]) or not knows(far, [near.self_id()]):
            raise RuntimeError(f"{name}: the daemons do not meet")
        tunnel.command(far, "expose", str(PORT), "--to", near.self_id())
        tunnel.command(near, "forward", "add", "-L", f"{FORWARD}:{far.self_id()}:{PORT}")

        def way():
            return [p.get("path") or "" for p in near.rpc("peers.list")["peers"]
                    if p["id"] == far.self_id()][0]

        if not wait_until(way, tunnel.START_SECONDS) or \
                way().startswith("relay ") != (name == "relay"):
            raise RuntimeError(f"{name}: goes {way()!r}, not as was meant")
        process = between.process if name == "relay" else between
        rates, costs = [], []
        for _ in range(self.runs):
            before = cpu_seconds([process])
            rate, count = self.iperf("a", "127.0.0.1", FORWARD, [])
            rates.append(rate)
            costs.append((cpu_seconds([process]) - before) / (count / 1e9))
        near.stop()
        far.stop()
        if name == "relay":
            between.stop()
        else:
            between.terminate()
            between.wait()
        return {"gbit_per_s": round(statistics.median(rates), 3),
                "cpu_s_per_gb": round(statistics.median(costs), 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--check", action="store_true", help=f"exit 1 above {CHECK} plain ones")
    options = parser.parse_args()
    why = missing()
    if why:
        sys.exit(f"relay.py: {why}")
    rows = {}
    with Lab() as lab:
        bench = RelayBench(lab, options.seconds, options.runs)
        bench.street()
        for name in NAMES:
            rows[name] = bench.measure(name)
    ratio = round(rows["relay"]["cpu_s_per_gb"] / rows["plain"]["cpu_s_per_gb"], 2)
    print(f"{'in the middle':16} {'Gb/s':>7} {'cpu s/GB':>9}")
    for name, row in rows.items():
        print(f"{name:16} {row['gbit_per_s']:7.3f} {row['cpu_s_per_gb']:9.2f}")
    print(f"a relay costs {ratio} plain ones")
    print(json.dumps({"bench": "relay", "seconds": options.seconds, "runs": options.runs,
                      "ratio": ratio, "results": rows}))
    sys.exit(1 if options.check and ratio > CHECK else 0)


if __name__ == "__main__":
    main()
