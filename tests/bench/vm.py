#!/usr/bin/env python3
"""vm.py - how soon a machine is there, and what its card carries, beside bare QEMU in one run

usage: tests/bench/vm.sh [--runs N] [--seconds N] [--only boot|card] [--limit S] [--check]

Boot: from `omerta vm request` to the first byte of the machine's SSH server at `omerta nc`, through
two daemons on the loopback; and from the start of bare QEMU (same image, kernel, command line, disk
and seed, which are there before) to the same byte through slirp. In turn, --runs times each; the
medians, and their ratio. The first of ours reads its image, which the daemon knows from then on.
Card: one TCP stream of iperf3 each way between a guest and what the consumer exposes to it, and
between the same guest in bare QEMU and slirp's host, with an MTU of 9000 (the product's) and one of
1500, in turn, the other guest idle; see vm_card.py. After --limit seconds no further turn begins.
Prints tables, writes build/bench-vm.json; --check makes a missed aim an exit code: at most 1.15 of
bare QEMU's time to boot; at least 2 times slirp's rate, or half of what would be possible if
carrying cost nothing, where that is less.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time

import vm_card
import vm_machines
from vm_machines import Bare, Pair, program

BOOT_AIM = 1.15
OURS, BARE = "omerta", "bare QEMU"


def note(text):
    """For who watches."""
    print(f"  {text}", file=sys.stderr, flush=True)


class Bench:
    """One pair of daemons, and the time that is left."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.until = time.monotonic() + options.limit
        self.pair = Pair(folder, vm_machines.image(options.cache))
        self.model, self.number, self.engine = None, 0, None

    def ours(self, more=()):
        """A machine of the product's, like which bare ones are from now on."""
        machine = self.pair.request(more)
        self.engine = machine.engine
        self.model = self.model or machine.model(self.folder)
        return machine

    def bare(self):
        """One by hand."""
        self.number += 1
        machine = Bare(self.model, self.folder, f"b{self.number}")
        machine.key = os.path.join(self.pair.consumer.home, "ssh", "id_ed25519")
        return machine

    def is_late(self):
        """Is there no time for another turn?"""
        return time.monotonic() > self.until

    def boot(self):
        """Both kinds, in turn: {kind: {"seconds", "cpu", "marks", "inside"}}, lists."""
        rows = {OURS: [], BARE: []}
        for turn in range(self.options.runs):
            if turn and self.is_late():
                break
            for kind, make in ((OURS, self.ours), (BARE, self.bare)):
                machine = make()
                rows[kind].append(machine)
                machine.end()
                note(f"boot {turn + 1}: {kind}: {machine.seconds:.2f} s, cpu {machine.cpu:.2f} s")
        return {kind: {"seconds": [round(m.seconds, 3) for m in machines],
                       "cpu": [round(m.cpu, 2) for m in machines],
                       "inside": [m.inside for m in machines],
                       "marks": [getattr(m, "marks", {}) for m in machines]}
                for kind, machines in rows.items()}


def median(values):
    """Of those that are there."""
    there = [v for v in values if v is not None]
    return statistics.median(there) if there else None


def show_boot(rows, engine):
    """The table of boots; returns the aims that were missed."""
    ours, bare = rows[OURS], rows[BARE]
    ratio = round(median(ours["seconds"]) / median(bare["seconds"]), 3)
    print(f"\nfirst byte of SSH, cold boot, {engine}, median of {len(ours['seconds'])} and "
          f"{len(bare['seconds'])} runs")
    print(f"{'':24}{'s':>8}{'cpu s':>8}{'best s':>8}  inside: card up, all up")
    for kind, row in rows.items():
        inside = [median([i[k] for i in row["inside"]]) for k in ("net", "boot")]
        print(f"{kind:24}{median(row['seconds']):8.2f}{median(row['cpu']):8.2f}"
              f"{min(row['seconds']):8.2f}  {inside[0]} {inside[1]}")
    print(f"ratio {ratio} (wanted: at most {BOOT_AIM})")
    names = {name for marks in ours["marks"] for name in marks}
    marks = {name: median([m.get(name) for m in ours["marks"]]) for name in names}
    print("of ours, s after the request: "
          + ", ".join(f"{name} {at:.3f}" for name, at in sorted(marks.items(), key=lambda x: x[1])))
    return [] if ratio <= BOOT_AIM else [f"boot: {ratio} of bare QEMU, wanted {BOOT_AIM}"]


def read_options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of one stream")
    parser.add_argument("--only", choices=("boot", "card"))
    parser.add_argument("--limit", type=float, default=270, help="seconds")
    parser.add_argument("--cache", default=os.environ.get("OMERTA_VM_CACHE", "build/dev/tests/vm"))
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    parser.add_argument("--json", default="build/bench-vm.json")
    return parser.parse_args()


def main():
    options = read_options()
    lacking = [p for p in ("qemu-system-x86_64", "qemu-img", "iperf3", "ssh", program("omerta"))
               if shutil.which(p) is None]
    if lacking:
        print("skipped: missing: " + " ".join(lacking))
        sys.exit(77)
    missed, results = [], {}
    with tempfile.TemporaryDirectory(prefix="om-") as folder:
        bench = Bench(folder, options)
        if options.only != "card":
            results["boot"] = bench.boot()
            missed += show_boot(results["boot"], bench.engine)
        if options.only != "boot":
            results["card"] = vm_card.measure(bench, note)
            missed += vm_card.show(results["card"], bench.engine)
        bench.pair.close()
    for line in missed:
        print("missed:", line)
    with open(options.json, "w", encoding="ascii") as file:
        json.dump({"bench": "vm", "engine": bench.engine, "missed": missed, "results": results},
                  file, indent=1)
    sys.exit(1 if missed and options.check else 0)


if __name__ == "__main__":
    main()
