#!/usr/bin/env python3
"""vm.py - how soon a machine is there, and what its card carries, beside bare QEMU in one run

usage: tests/bench/vm.sh [--runs N] [--seconds N] [--only boot|card] [--limit S] [--check]

Boot: from `omerta vm request` to the first byte of the machine's SSH server at `omerta nc`, through
two daemons on the loopback; and from the start of bare QEMU (same image, kernel, command line, disk
and seed, which are there before) to the same byte through slirp. In turn, --runs times each; the
medians, and their ratio. The first of ours reads its image, which the daemon knows from then on.
Card: one TCP stream of iperf3 each way between a guest and what the consumer exposes to it, and
between the same guest in bare QEMU and slirp's host. Both at an MTU of 1500, in turn, the other
guest idle. "cpu" is QEMU's processor time, which a busy machine changes less than it changes the
clock. After --limit seconds no further turn begins. Prints tables, writes build/bench-vm.json;
--check makes a missed aim an exit code: at most 1.15 of bare QEMU's time, at least 2 times slirp's
rate.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import vm_machines
from vm_machines import Bare, Pair, cpu_seconds, die_with_parent, program

BOOT_AIM, CARD_AIM = 1.15, 2.0
IPERF_SECONDS_MORE = 30
OURS, BARE = "omerta", "bare QEMU"
WAYS = (("guest to outside", ()), ("outside to guest", ("-R",)))


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

    def card(self):
        """Both kinds at once, one busy at a time: {way: {kind: [row]}}."""
        with Server() as server:
            machines = {OURS: self.ours(("--expose", str(server.port)))}
            machines[BARE] = self.bare()
            rows = {way: {kind: [] for kind in machines} for way, _ in WAYS}
            for turn in range(self.options.runs):
                if turn and self.is_late():
                    break
                for way, words in WAYS:
                    for kind, machine in machines.items():
                        rows[way][kind].append(self.stream(machine, server.port, words))
                        note(f"card {turn + 1}: {way}: {kind}: {rows[way][kind][-1]}")
            for machine in machines.values():
                machine.end()
        return rows

    def stream(self, machine, port, words):
        """One stream of TCP: Mb/s, and the processor time of a gigabit."""
        pids = {"qemu": machine.pid}
        if isinstance(machine, vm_machines.Ours):
            pids.update(provider=self.pair.provider.process.pid,
                        consumer=self.pair.consumer.process.pid)
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        done = subprocess.run(
            machine.ssh("iperf3", "-J", "-c", machine.outside(), "-p", str(port), "-t",
                        str(self.options.seconds), *words),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=self.options.seconds + IPERF_SECONDS_MORE)
        if done.returncode:
            raise RuntimeError(f"iperf3 in the guest: {done.stdout[-500:]}{done.stderr}")
        end = json.loads(done.stdout)["end"]["sum_received"]
        row = {"mbit_per_s": round(end["bits_per_second"] / 1e6, 1)}
        for name, pid in pids.items():
            row[f"{name}_cpu_s_per_gbit"] = round((cpu_seconds(pid) - before[name])
                                                  / (end["bytes"] * 8 / 1e9), 2)
        return row


class Server:
    """iperf3 -s on the loopback, while the block lasts."""

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(self.port), "--forceflush"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        for line in self.process.stdout:
            if b"listening" in line:
                break
        else:
            raise RuntimeError("iperf3 -s does not listen")
        # What it says for each stream is read, so that it never waits for us.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


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


def show_card(rows, engine):
    """The table of streams; returns the aims that were missed."""
    missed = []
    print(f"\none TCP stream, MTU 1500, {engine}, Mb/s, medians")
    print(f"{'':24}{OURS:>10}{'slirp':>10}{'ratio':>8}  processor s/Gb: ours; slirp")
    for way, kinds in rows.items():
        rates = {k: median([r["mbit_per_s"] for r in runs]) for k, runs in kinds.items()}
        costs = {k: ", ".join(f"{name[:-15]} {median([r[name] for r in runs]):.1f}"
                              for name in runs[0] if name.endswith("_cpu_s_per_gbit"))
                 for k, runs in kinds.items()}
        ratio = round(rates[OURS] / rates[BARE], 2)
        print(f"{way:24}{rates[OURS]:10.1f}{rates[BARE]:10.1f}{ratio:8.2f}  "
              f"{costs[OURS]}; {costs[BARE]}")
        if ratio < CARD_AIM:
            missed.append(f"{way}: {ratio} of slirp, wanted {CARD_AIM}")
    return missed


def read_options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of one stream")
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
            results["card"] = bench.card()
            missed += show_card(results["card"], bench.engine)
        bench.pair.close()
    for line in missed:
        print("missed:", line)
    with open(options.json, "w", encoding="ascii") as file:
        json.dump({"bench": "vm", "engine": bench.engine, "missed": missed, "results": results},
                  file, indent=1)
    sys.exit(1 if missed and options.check else 0)


if __name__ == "__main__":
    main()
