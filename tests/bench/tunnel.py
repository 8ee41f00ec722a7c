#!/usr/bin/env python3
"""tunnel.py - how fast the tunnels are, beside raw veth and the rivals, in one run

usage: tests/bench/tunnel.sh [--seconds N] [--runs N] [--only NAME,NAME] [--offload on|off|both]
                             [--no-install]

Two namespaces joined by veth; omerta-meshd in each, without root's help; iperf3 through
`omerta forward`, a big file through `omerta proxy`, one-byte echoes, datagrams of 1,000 bytes as
fast as they go (what arrives counts); then the same over each rival.
Everything once with UDP segmentation offload and once without, where the kernel cuts every run of
datagrams as a card without offload does. Prints tables, writes build/bench-tunnel.json. CPU seconds
are those of the tunnel's own processes, both ends, and count work of the kernel done for them only
as far as the kernel books it there: compare, do not add.
"""

import argparse
import json
import os
import select
import shutil
import statistics
import subprocess
import sys

import tunnel_rivals
from tunnel_rivals import ECHO

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

from daemon import Daemon, knows  # noqa: E402
from omerta_lab import Lab, missing, wait_until  # noqa: E402

PORT, FILE = 5201, 5302
FORWARD, FORWARD_ECHO, SOCKS = 6201, 6301, 1080
FILE_BYTES = 2 << 30
DATAGRAM = 1000
START_SECONDS = 10
LOADS = (("tcp1", ["-P", "1"]), ("tcp4", ["-P", "4"]), ("reverse", ["-P", "1", "-R"]))


def cpu_seconds(processes):
    """What they have used so far, all threads, user and system."""
    ticks = 0
    for process in processes:
        with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Bench:
    """One lab, its far end listening, and how to measure a way to it."""

    def __init__(self, lab, seconds, runs):
        self.lab, self.seconds, self.runs = lab, seconds, runs
        self.floor = None

    def wire(self, offload):
        """Two hosts, a cable, and what listens in b."""
        self.lab.host("a", "b")
        self.lab.link("a", "v0", "b", "v1")
        self.lab.address("a", "v0", "10.9.0.1/24")
        self.lab.address("b", "v1", "10.9.0.2/24")
        if not offload:
            for host, link in (("a", "v0"), ("b", "v1")):
                self.lab.run(host, ["ethtool", "-K", link, "tx-udp-segmentation", "off"])
        self.listen()

    def listen(self):
        """What listens in b."""
        self.lab.popen("b", ["iperf3", "-s", "-p", str(PORT)], stdout=subprocess.DEVNULL)
        load = self.lab.popen("b", [sys.executable, os.path.join(HERE, "tunnel_load.py"), "serve",
                                    str(ECHO), str(FILE), str(FILE_BYTES)], stdout=subprocess.PIPE)
        if not select.select([load.stdout], [], [], START_SECONDS)[0] or not load.stdout.readline():
            raise RuntimeError("the far end does not listen")
        # Its listening socket is what is asked for: connecting would end it.
        if not wait_until(lambda: f":{PORT}" in self.lab.run("b", ["ss", "-Hltn"]).stdout,
                          START_SECONDS):
            raise RuntimeError("iperf3 -s does not listen")

    def iperf(self, client, address, port, more):
        """(Gb/s, bytes) of one run."""
        came = self.iperf_end(client, address, port, more)["sum_received"]
        return came["bits_per_second"] / 1e9, came["bytes"]

    def iperf_end(self, client, address, port, more):
        """What iperf3 says at the end."""
        argv = ["iperf3", "-c", address, "-p", str(port), "-J", "-t", str(self.seconds),
                "--connect-timeout", "5000", *more]

        def attempt():
            done = self.lab.run(client, argv, check=False, timeout=self.seconds + 20)
            return None if "the server is busy" in done.stdout else done

        done = wait_until(attempt, START_SECONDS)  # it may still be ending the last run
        try:
            return json.loads(done.stdout)["end"]
        except (AttributeError, ValueError, KeyError) as e:
            said = done.stdout[-500:] if done else "the server stays busy"
            raise RuntimeError(f"iperf3 to {address}:{port}: {said}") from e

    def datagrams(self, client, address, port):
        """Thousands of a flood that arrive a second, and how many are lost: medians."""
        rates, losses = [], []
        for _ in range(self.runs):
            end = self.iperf_end(client, address, port, ["-u", "-b", "0", "-l", str(DATAGRAM)])
            lost = end["sum"]["lost_packets"] / max(1, end["sum"]["packets"])
            rates.append(end["sum"]["packets"] * (1 - lost) / end["sum"]["seconds"] / 1000)
            losses.append(100 * lost)
        return {"udp_kpps": round(statistics.median(rates), 1),
                "udp_lost_percent": round(statistics.median(losses), 1)}

    def loads(self, client, address, port, processes):
        """Every load, the median of the runs each, with the CPU it took."""
        row = {}
        for name, more in LOADS:
            rates, costs = [], []
            for _ in range(self.runs):
                before = cpu_seconds(processes)
                rate, count = self.iperf(client, address, port, more)
                rates.append(rate)
                costs.append((cpu_seconds(processes) - before) / (count / 1e9))
            row[name] = round(statistics.median(rates), 2)
            row[name + "_all"] = [round(r, 2) for r in rates]
            if processes:
                row[name + "_cpu_s_per_gb"] = round(statistics.median(costs), 2)
        return row

    def echoes(self, client, address, port):
        """Round trips of one byte."""
        done = self.lab.run(client, [sys.executable, os.path.join(HERE, "tunnel_load.py"), "echo",
                                     address, str(port), "1"])
        trips = json.loads(done.stdout)
        if self.floor is None:
            self.floor = trips
        return {"p50_us": trips["p50_us"], "p99_us": trips["p99_us"],
                "added_p50_us": round(trips["p50_us"] - self.floor["p50_us"], 1),
                "added_p99_us": round(trips["p99_us"] - self.floor["p99_us"], 1)}

    def fetch(self, words):
        """Gb/s of curl, median of the runs."""
        rates = []
        for _ in range(self.runs):
            done = self.lab.run("a", ["curl", "-sS", "-o", "/dev/null", "-w", "%{speed_download}",
                                      "--max-time", "30", *words])
            rates.append(float(done.stdout) * 8 / 1e9)
        return round(statistics.median(rates), 2)

    def daemons(self):
        """Two of ours that know each other, the ports of b open to a."""
        near = Daemon(os.path.join(self.lab.folder, "near"), ["--no-lan", "--name", "near"],
                      lab=self.lab, host="a", port=7001).start()
        far = Daemon(os.path.join(self.lab.folder, "far"),
                     ["--no-lan", "--name", "far", *near.bootstrap("10.9.0.1")],
                     lab=self.lab, host="b", port=7002).start()
        if not knows(far, [near.self_id()]) or not knows(near, [far.self_id()]):
            raise RuntimeError("the daemons do not meet")
        for port in (PORT, ECHO, FILE):
            command(far, "expose", str(port), "--to", near.self_id())
        command(far, "expose", str(PORT), "--udp", "--to", near.self_id())
        command(near, "forward", "add", "-L", f"{FORWARD}:{far.self_id()}:{PORT}")
        command(near, "forward", "add", "--udp", "-L", f"{FORWARD}:{far.self_id()}:{PORT}")
        command(near, "forward", "add", "-L", f"{FORWARD_ECHO}:{far.self_id()}:{ECHO}")
        command(near, "proxy", str(SOCKS))
        return near, far

    def omerta(self):
        """Our own row."""
        near, far = self.daemons()
        if os.environ.get("OM_TUNNEL_PERF"):
            return self.profile(near, far)
        both = [near.process, far.process]
        row = self.loads("a", "127.0.0.1", FORWARD, both)
        row.update(self.echoes("a", "127.0.0.1", FORWARD_ECHO))
        row.update(self.datagrams("a", "127.0.0.1", FORWARD))
        row["socks"] = self.fetch(["-x", f"socks5h://127.0.0.1:{SOCKS}",
                                   f"http://far.omerta:{FILE}/"])
        for daemon in (near, far):
            if daemon.stop() != 0:
                raise RuntimeError(f"a daemon ended badly:\n{daemon.log()}")
        return row

    def profile(self, near, far):
        """perf record of both ends while iperf3 runs, into the folder OM_TUNNEL_PERF names."""
        recorders = [
            subprocess.Popen(["perf", "record", "-q", "-g", "-F", "999", "-p",
                              str(daemon.process.pid), "-o",
                              os.path.join(os.environ["OM_TUNNEL_PERF"], f"{name}.data"),
                              "--", "sleep", str(self.seconds)])
            for name, daemon in (("near", near), ("far", far))]
        row = self.loads("a", "127.0.0.1", FORWARD, [near.process, far.process])
        for recorder in recorders:
            recorder.wait(60)
        return row

    def raw(self):
        """TCP over the cable itself."""
        row = self.loads("a", "10.9.0.2", PORT, [])
        row.update(self.echoes("a", "10.9.0.2", ECHO))
        row.update(self.datagrams("a", "10.9.0.2", PORT))
        row["socks"] = self.fetch([f"http://10.9.0.2:{FILE}/"])
        return row

    def rival(self, name):
        """One of them."""
        tunnel = tunnel_rivals.RIVALS[name](self.lab)
        row = self.loads(tunnel.client, tunnel.address, PORT, tunnel.processes)
        row.update(self.echoes(tunnel.client, tunnel.address, ECHO))
        row.update(self.datagrams(tunnel.client, tunnel.address, PORT))
        return row


def command(daemon, *words):
    """omerta, which has to succeed."""
    code, out, err = daemon.cli(*words)
    if code != 0:
        raise RuntimeError(f"omerta {' '.join(words)}: exit {code}: {out}{err}")


def measure(name, offload, options, floor):
    """(row, echo floor): a lab of its own for everything that is measured."""
    with Lab() as lab:
        bench = Bench(lab, options.seconds, options.runs)
        bench.floor = floor
        bench.wire(offload)
        if name == "raw veth":
            row = bench.raw()
        elif name == "omerta":
            row = bench.omerta()
        else:
            row = bench.rival(name)
        if bench.floor is None:
            bench.echoes("a", "10.9.0.2", ECHO)
        return row, bench.floor


def show(title, rows):
    """One table; ratio is ours over theirs, of one stream; kp/s are thousands of datagrams."""
    ours = rows.get("omerta", {}).get("tcp1")
    print(f"\n{title}\n{'':14} {'TCP 1':>7} {'TCP 4':>7} {'reverse':>7} {'cpu s/GB':>9} "
          f"{'added p50':>9} {'p99 us':>8} {'UDP kp/s':>8} {'lost %':>6} {'curl':>6} {'ratio':>6}")
    for name, row in rows.items():
        ratio = f"{ours / row['tcp1']:6.2f}" if ours and row["tcp1"] else f"{'':6}"
        print(f"{name:14} {row['tcp1']:7.2f} {row['tcp4']:7.2f} {row['reverse']:7.2f} "
              f"{row.get('tcp1_cpu_s_per_gb', '-'):>9} {row.get('added_p50_us', '-'):>9} "
              f"{row.get('added_p99_us', '-'):>8} {row.get('udp_kpps', '-'):>8} "
              f"{row.get('udp_lost_percent', '-'):>6} {row.get('socks', '-'):>6} {ratio}",
              flush=True)


def read_options():
    """The command line."""
    names = ["raw veth", "omerta", *tunnel_rivals.RIVALS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", help="of: " + ", ".join(names))
    parser.add_argument("--offload", choices=("on", "off", "both"), default="both")
    parser.add_argument("--json", default="build/bench-tunnel.json")
    options = parser.parse_args()
    options.names = options.only.split(",") if options.only else names
    if not set(options.names) <= set(names):
        parser.error(f"--only wants some of: {', '.join(names)}")
    return options


def main():
    options = read_options()
    why = missing()
    lacking = [p for p in ("iperf3", "curl", "ethtool", "ss")
               if shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
    if not options.only:
        lacking += tunnel_rivals.missing()
    if why or lacking:
        sys.exit(f"tunnel.py: {why or 'missing: ' + ' '.join(lacking)}")
    results, floor = {}, None
    for offload in (True, False):
        if options.offload not in ("both", "on" if offload else "off"):
            continue
        title = f"UDP segmentation offload {'on' if offload else 'off'}"
        rows = results[title] = {}
        for name in options.names:
            print(f"{title}: {name} ...", file=sys.stderr, flush=True)
            rows[name], floor = measure(name, offload, options, floor)
            print(f"  {json.dumps(rows[name])}", file=sys.stderr, flush=True)
        show(title, rows)
    with open(options.json, "w", encoding="ascii") as file:
        json.dump({"bench": "tunnel", "seconds": options.seconds, "runs": options.runs,
                   "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
