#!/usr/bin/env python3
"""loss.py - what one TCP stream carries over delay and loss: ours beside the kernel's, in one run

usage: tests/bench/loss.sh [--seconds N] [--runs N] [--delay MS] [--loss PERCENT,PERCENT]
                           [--only NAME,NAME] [--seed N] [--check]

Two namespaces with the lab's bad cable between (tests/lab/wire.c): --delay each way, and each
direction loses its --loss of all packets, ACKs too. In turn, --runs times, iperf3 from one to the
other: over the kernel's CUBIC; over its BBR; over its BBR with TCP buffers of 64 MB, because the
4 MB it has for sending bind it at 50 ms; and through `omerta forward`, both daemons as an ordinary
user has them. The loss is drawn from --seed; what a flow meets follows from when it sends. Prints a
table, writes build/bench-loss.json; --check makes a missed aim an exit code: 0.8 of the kernel's
BBR as it is, and 5 times its CUBIC.
"""

import argparse
import json
import os
import shutil
import statistics
import sys

import tunnel
from omerta_lab import Lab, missing

PORT, FORWARD = tunnel.PORT, tunnel.FORWARD
OURS, BIG_NAME, BIG = "omerta", "64 MB", 64 << 20
NAMES = ("kernel CUBIC", "kernel BBR", f"kernel BBR {BIG_NAME}", OURS)
KNOBS = ("net.ipv4.tcp_wmem", "net.ipv4.tcp_rmem")
AIMS = (("kernel BBR", 0.8), ("kernel CUBIC", 5.0))
CONTROLS = "/proc/sys/net/ipv4/tcp_available_congestion_control"


class LossBench(tunnel.Bench):
    """Two hosts, a bad cable, and our daemons at its ends."""

    def lossy(self, delay, loss, seed):
        """The cable, and what listens at its far end."""
        self.lab.host("a", "b")
        wire = self.lab.wire("a", "v0", "b", "v1", delay=delay, loss=loss, seed=seed)
        self.lab.address("a", "v0", "10.9.0.1/24")
        self.lab.address("b", "v1", "10.9.0.2/24")
        self.listen()
        return wire

    def buffers(self, name):
        """What a socket of TCP may hold: as the kernel of this machine has it, or BIG."""
        for knob in KNOBS:
            with open("/proc/sys/" + knob.replace(".", "/"), encoding="ascii") as file:
                least, usual, most = file.read().split()
            for host in ("a", "b"):
                self.lab.sysctl(host, knob, f"{least} {usual} {BIG if BIG_NAME in name else most}")

    def one(self, name):
        """Mb/s of one run."""
        self.buffers(name)
        if name == OURS:
            rate, _ = self.iperf("a", "127.0.0.1", FORWARD, [])
        else:
            control = "cubic" if "CUBIC" in name else "bbr"
            rate, _ = self.iperf("a", "10.9.0.2", PORT, ["-C", control])
        return round(rate * 1000, 1)


def measure(loss, options):
    """One network: {name: row}, and what the cable counted."""
    with Lab() as lab:
        bench = LossBench(lab, options.seconds, options.runs)
        wire = bench.lossy(options.delay, loss, options.seed)
        daemons = bench.daemons() if OURS in options.names else ()
        rows = {name: {"all": [], "lost_percent": [], "missed": []} for name in options.names}
        for turn in range(options.runs):
            for name, row in rows.items():
                before = wire.counts()["left_to_right"]
                row["all"].append(bench.one(name))
                met(row, before, wire.counts()["left_to_right"])
                print(f"  {loss} % turn {turn + 1}: {name}: {row['all'][-1]} Mb/s",
                      file=sys.stderr, flush=True)
        for row in rows.values():
            row["mbit_per_s"] = statistics.median(row["all"])
        for daemon in daemons:
            if daemon.stop() != 0:
                raise RuntimeError(f"a daemon ended badly:\n{daemon.log()}")
        return {"rows": rows, "wire": wire.stop(is_exact=False)}


def met(row, before, after):
    """What the flow met: @missed is what the machine was too slow for, and it counts as lost."""
    frames, lost, missed = (after[k] - before[k] for k in ("offered", "lost", "missed"))
    row["lost_percent"].append(round(100 * (lost + missed) / max(frames + missed, 1), 3))
    row["missed"].append(missed)


def ratio(rows, other):
    """Ours over @other's, or None."""
    if OURS not in rows or other not in rows:
        return None
    return round(rows[OURS]["mbit_per_s"] / rows[other]["mbit_per_s"], 2)


def show(results, delay):
    """One table; returns the aims that were missed."""
    missed = []
    print(f"\n{2 * delay:g} ms round trip, Mb/s" + "".join(f"{loss:>9} %" for loss in results)
          + "".join(f"  ratio at {loss} %" for loss in results))
    for name in next(iter(results.values()))["rows"]:
        cells = [f"{r['rows'][name]['mbit_per_s']:11.1f}" for r in results.values()]
        ratios = ["" if name == OURS else ratio(r["rows"], name) for r in results.values()]
        print(f"{name:25}" + "".join(cells)
              + "".join(f"{q if q is not None else '-':>15}" for q in ratios))
    for loss, result in results.items():
        for other, aim in AIMS:
            reached = ratio(result["rows"], other)
            if reached is not None and reached < aim:
                missed.append(f"{loss} %: {reached} of {other}, wanted {aim}")
    return missed


def read_options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--delay", type=float, default=25, help="each way, in ms")
    parser.add_argument("--loss", default="0.1,1", help="in percent, one network each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="of: " + ", ".join(NAMES))
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    parser.add_argument("--json", default="build/bench-loss.json")
    options = parser.parse_args()
    options.names = options.only.split(",") if options.only else list(NAMES)
    if not set(options.names) <= set(NAMES):
        parser.error(f"--only wants some of: {', '.join(NAMES)}")
    return options


def main():
    options = read_options()
    why = missing()
    lacking = [p for p in ("iperf3", "ethtool", "ss")
               if shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
    if why or lacking:
        sys.exit(f"loss.py: {why or 'missing: ' + ' '.join(lacking)}")
    with open(CONTROLS, encoding="ascii") as file:
        if "bbr" not in file.read().split():
            print("skipped: this kernel has no BBR (modprobe tcp_bbr)")
            sys.exit(77)
    results = {loss: measure(float(loss), options) for loss in options.loss.split(",")}
    missed = show(results, options.delay)
    for line in missed:
        print("missed:", line)
    with open(options.json, "w", encoding="ascii") as file:
        json.dump({"bench": "loss", "seconds": options.seconds, "runs": options.runs,
                   "delay_ms": options.delay, "seed": options.seed, "missed": missed,
                   "results": results}, file, indent=1)
    sys.exit(1 if missed and options.check else 0)


if __name__ == "__main__":
    main()
