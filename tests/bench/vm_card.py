"""vm_card.py - what a machine's card carries, what that costs, and what is possible at all

What:  one TCP stream of iperf3 each way between a guest and the outside, ours and bare QEMU's in
       turn, with each MTU; the processor time of every thread that takes part.
Why:   a guest without KVM spends most of the time itself, whoever carries its packets: twice the
       rate of slirp may be more than its processor can do. So the bound is measured in the same
       runs: the rate if carrying cost nothing, the guest and QEMU's card alone having the
       processors that the runs had.
"""

import json
import os
import socket
import statistics
import subprocess
import threading
import time

import vm_machines
from vm_machines import die_with_parent

CARD_AIM, BOUND_PART = 2.0, 0.5
MTUS = (9000, 1500)
IPERF_SECONDS_MORE = 30
OURS, BARE = "omerta", "slirp"
WAYS = (("guest to outside", ()), ("outside to guest", ("-R",)))
TICKS = os.sysconf("SC_CLK_TCK")
GUEST, QEMU, SERVER = "guest", "qemu", "iperf3"


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


def threads(pid):
    """Processor seconds of each thread so far."""
    took = {}
    for name in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{name}/stat", encoding="ascii") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        took[name] = (int(fields[11]) + int(fields[12])) / TICKS
    return took


def idle_seconds():
    """Of all processors so far."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = stat.readline().split()
    return (int(fields[4]) + int(fields[5])) / TICKS


class Meter:
    """Who spends how much while a stream lasts."""

    def __init__(self, pids):
        self.pids = pids
        self.before = {name: threads(pid) for name, pid in pids.items()}
        self.idle, self.start = idle_seconds(), time.monotonic()

    def read(self, gbit, seconds):
        """Seconds for each of @gbit, by name; and the processors that could be had while the stream
        lasted, @seconds of the time since."""
        elapsed, idle = time.monotonic() - self.start, idle_seconds() - self.idle
        took = {}
        for name, pid in self.pids.items():
            spent = [s - self.before[name].get(t, 0) for t, s in threads(pid).items()]
            took[name] = sum(spent)
            if name == QEMU: # the thread that is the guest's processor is the busiest
                took[GUEST] = max(spent)
                took[QEMU] -= took[GUEST]
        cost = {name: round(s / gbit, 3) for name, s in took.items()}
        return cost, round(sum(took.values()) / seconds + idle / elapsed, 2)


class Card:
    """Both kinds of machine, one busy at a time."""

    def __init__(self, bench, server):
        self.server, self.pair = server, bench.pair
        self.machines = {OURS: bench.ours(("--expose", str(server.port))), BARE: bench.bare()}

    def set_mtu(self, mtu):
        """Of the card, in both guests."""
        for machine in self.machines.values():
            subprocess.run(machine.ssh("ip", "link", "set", "eth0", "mtu", str(mtu)), check=True,
                           stdin=subprocess.DEVNULL, timeout=IPERF_SECONDS_MORE)

    def stream(self, kind, seconds, words):
        """One stream of TCP: its rate and what it took."""
        machine = self.machines[kind]
        pids = {QEMU: machine.pid, SERVER: self.server.process.pid}
        if kind == OURS:
            pids.update(provider=self.pair.provider.process.pid,
                        consumer=self.pair.consumer.process.pid)
        meter = Meter(pids)
        done = subprocess.run(
            machine.ssh("iperf3", "-J", "-c", machine.outside(), "-p", str(self.server.port), "-t",
                        str(seconds), *words),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=seconds + IPERF_SECONDS_MORE)
        if done.returncode:
            raise RuntimeError(f"iperf3 in the guest: {done.stdout[-500:]}{done.stderr}")
        end = json.loads(done.stdout)["end"]["sum_received"]
        cost, processors = meter.read(end["bytes"] * 8 / 1e9, end["seconds"])
        return {"mbit_per_s": round(end["bits_per_second"] / 1e6, 1), "s_per_gbit": cost,
                "processors": processors}

    def end(self):
        """Both are gone."""
        for machine in self.machines.values():
            machine.end()


def measure(bench, note):
    """All of it: [{"mtu", "way", "runs": {kind: [row]}}]."""
    options = bench.options
    rows = [{"mtu": mtu, "way": way, "runs": {OURS: [], BARE: []}}
            for mtu in MTUS for way, _ in WAYS]
    with Server() as server:
        card = Card(bench, server)
        for turn in range(options.runs):
            if turn and bench.is_late():
                break
            for row in rows:
                card.set_mtu(row["mtu"])
                for kind, runs in row["runs"].items():
                    runs.append(card.stream(kind, options.seconds, dict(WAYS)[row["way"]]))
                    note(f"card {turn + 1}: MTU {row['mtu']}, {row['way']}: {kind}: {runs[-1]}")
        card.end()
    for row in rows:
        judge(row)
    return rows


def median_cost(runs, name):
    """Of one who took part."""
    return statistics.median(r["s_per_gbit"][name] for r in runs)


def judge(row):
    """What follows from the runs of one row: ratio, bound, and what is wanted."""
    runs = row["runs"]
    rates = {kind: statistics.median(r["mbit_per_s"] for r in some) for kind, some in runs.items()}
    # The cheapest guest and the cheapest card that were seen; nobody who carries.
    guest, qemu, server = (min(median_cost(some, name) for some in runs.values())
                           for name in (GUEST, QEMU, SERVER))
    processors = statistics.median(r["processors"] for r in runs[OURS])
    bound = 1000 * min(1 / guest, processors / (guest + qemu + server))
    row.update(mbit_per_s=rates, bound_mbit_per_s=round(bound, 1), processors=processors,
               best_mbit_per_s={k: max(r["mbit_per_s"] for r in some) for k, some in runs.items()},
               ratio=round(statistics.median(
                   a["mbit_per_s"] / b["mbit_per_s"] for a, b in zip(runs[OURS], runs[BARE])), 2),
               of_bound=round(rates[OURS] / bound, 2),
               total_s_per_gbit={kind: round(statistics.median(
                   sum(r["s_per_gbit"].values()) for r in some), 2) for kind, some in runs.items()})
    row["is_aim_possible"] = CARD_AIM * rates[BARE] <= bound
    row["is_aim_reached"] = row["ratio"] >= CARD_AIM
    row["is_missed"] = not row["is_aim_reached"] and row["of_bound"] < BOUND_PART


def parts(runs):
    """Who spent how much."""
    return ", ".join(f"{name} {median_cost(runs, name):.2f}" for name in runs[0]["s_per_gbit"])


def show(rows, engine):
    """The tables of streams; returns the aims that were missed."""
    print(f"\none TCP stream, {engine}, Mb/s, medians of {len(rows[0]['runs'][OURS])} runs in turn "
          "(best)")
    print(f"{'card MTU, way':24}{OURS:>16}{BARE:>16}{'ratio':>7}{'bound':>8}{'of it':>6}")
    for row in rows:
        both = "".join(f"{row['mbit_per_s'][k]:9.0f} ({row['best_mbit_per_s'][k]:4.0f})"
                       for k in (OURS, BARE))
        print(f"{row['mtu']:<5}{row['way']:19}{both}{row['ratio']:7.2f}"
              f"{row['bound_mbit_per_s']:8.0f}{row['of_bound']:6.2f}")
    print("processor s/Gb:")
    for row in rows:
        for kind, runs in row["runs"].items():
            print(f"{row['mtu']:<5}{row['way']:19}{kind:8}{row['total_s_per_gbit'][kind]:.2f}: "
                  f"{parts(runs)}")
    print("bound: the rate if carrying cost nothing: of the processors that the runs could have, "
          "the guest,\nits card in QEMU and the server use all, and the guest no more than one.\n"
          f"wanted: a ratio of {CARD_AIM:g}, or {BOUND_PART:g} of the bound where that is less. "
          "slirp's segments have\n1460 bytes whatever the card's MTU is.")
    for row in rows:
        if not row["is_aim_reached"]:
            why = ("which is below the bound" if row["is_aim_possible"] else
                   "which is above the bound, so that nobody could reach it here")
            print(f"MTU {row['mtu']}, {row['way']}: not {CARD_AIM:g} times slirp, {why}")
    return [f"MTU {r['mtu']}, {r['way']}: {r['ratio']} of slirp, {r['of_bound']} of the bound"
            for r in rows if r["is_missed"]]
