"""link.py - how fast a link is: iperf3 through a TUN, our stack and the mesh to a service.

usage: link.py [--seconds N] [--runs N] [--mtu N...]

The kernel behind the TUN sends packet by packet, so the MTU says what a packet costs. CPU is that
of the process for each GB carried: ben ends the packets, ann has the service, the harness copies
between TUN and socket.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", folder) for folder in ("lab", "system")]

import omerta_lab  # noqa: E402
from daemon import Daemon, wait_until  # noqa: E402
from links import HERE4, open_link  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
GB = 1e9


def cpu_seconds(pid):
    """What that process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICK


def iperf3(lab, seconds, *words):
    """The end of what the client says."""
    argv = ["iperf3", "-c", HERE4, "-t", str(seconds), "-J", *words]

    def once():
        said = json.loads(lab.run("c", argv, check=False, timeout=seconds + 60).stdout)
        return None if "busy" in said.get("error", "") else said

    said = wait_until(once, 10)
    if not said or "error" in said:
        raise SystemExit(f"iperf3: {said}")
    return said["end"]["sum_received"]


def measure(link, seconds, *words):
    """(Gb/s, CPU s/GB of ben, of ann, of the harness)."""
    pids = [process.pid for process in (link.ben.process, link.ann.process, link.process)]
    before = [cpu_seconds(pid) for pid in pids]
    done = iperf3(link.lab, seconds, *words)
    used = [cpu_seconds(pid) - was for pid, was in zip(pids, before)]
    return [done["bits_per_second"] / 1e9, *(each / (done["bytes"] / GB) for each in used)]


@contextlib.contextmanager
def link_of(mtu):
    """A link to ann, who runs iperf3."""
    folder = tempfile.mkdtemp(prefix="om-")
    made = []

    def make(name, args=(), **options):
        made.append(Daemon(os.path.join(folder, name), args, **options))
        return made[-1]

    with omerta_lab.Lab() as lab:
        try:
            link = open_link(lab, make, mtu)
            lab.popen("p", ["iperf3", "-s", "-B", "127.0.0.1"], stdout=-3, stderr=-3)
            link.expose("5201")
            yield link
        finally:
            for daemon in made:
                daemon.end()
            shutil.rmtree(folder, ignore_errors=True)


def main():
    """A table, medians of all runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mtu", type=int, nargs="+", default=[1500, 9000])
    args = parser.parse_args()
    print("| MTU, way | Gb/s | CPU s/GB: ben | ann | harness |\n|---|---|---|---|---|")
    for mtu in args.mtu:
        with link_of(mtu) as link:
            for name, words in (("out", []), ("in", ["-R"]), ("out, 4 at once", ["-P", "4"]),
                                ("in, 4 at once", ["-R", "-P", "4"])):
                runs = [measure(link, args.seconds, *words) for _ in range(args.runs)]
                figures = [statistics.median(column) for column in zip(*runs)]
                print(f"| {mtu} {name} | " + " | ".join(f"{f:.2f}" for f in figures) + " |",
                      flush=True)


if __name__ == "__main__":
    why = omerta_lab.missing()
    if why:
        raise SystemExit(why)
    main()
