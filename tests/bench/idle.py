#!/usr/bin/python3
"""idle.py - what a daemon costs that has many peers and nothing to do

usage: tests/bench/idle.py [--quiet] [--settle N] [--seconds N] [PEERS...]

Anonymous memory and wake-ups of a real omerta-meshd whose peers (default: 1, 10, 100 and 1000) all
live in one omerta-crowd. Programs are looked for in OMERTA_BIN, else in build/dev/bin. With --quiet
the peers do not gossip, so only what sessions cost is seen. Who has just met gossips more often, so
counting begins after --settle seconds. Daemons near by would be met, too: where a network namespace
can be made, all this happens in one of its own. A table, then one line of JSON.
"""

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

from daemon import Daemon, program  # noqa: E402

MEET_SECONDS = 120


def anonymous_kb(pid):
    """Memory that no file backs."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def cpu_seconds(pid):
    """User and system time."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def meet(crowd, wanted):
    """Waits until @wanted sessions stand; returns how many do."""
    deadline, stand, text = time.monotonic() + MEET_SECONDS, 0, b""
    while stand < wanted and time.monotonic() < deadline:
        if not select.select([crowd.stdout], [], [], 1)[0]:
            continue
        piece = os.read(crowd.stdout.fileno(), 4096)
        if not piece:
            break
        text += piece
        *lines, text = text.split(b"\n")
        stand = max([stand] + [int(line.split()[1]) for line in lines])
    return stand


def measure(peers, quiet, settle, seconds):
    """One daemon with @peers peers."""
    with tempfile.TemporaryDirectory(prefix="om-") as folder:
        daemon = Daemon(os.path.join(folder, "home")).start()
        alone = anonymous_kb(daemon.process.pid)
        at = f"{daemon.self_id()}@127.0.0.1:{daemon.port}"
        argv = [program("omerta-crowd"), *(["--quiet"] if quiet else []), str(peers), at]
        crowd = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            stand = meet(crowd, peers)
            time.sleep(settle)
            pid = daemon.process.pid
            memory, cpu = anonymous_kb(pid), cpu_seconds(pid)
            before = daemon.rpc("status")["wakeups"]
            time.sleep(seconds)
            woken = daemon.rpc("status")["wakeups"] - before
            return {"peers": peers, "sessions": stand, "rss_anon_alone_kb": alone,
                    "rss_anon_kb": memory, "rss_anon_later_kb": anonymous_kb(pid),
                    "wakeups_per_s": round(woken / seconds, 3),
                    "cpu_ms_per_s": round(1000 * (cpu_seconds(pid) - cpu) / seconds, 2)}
        finally:
            crowd.stdin.close()
            crowd.wait(10)
            daemon.end()


def alone():
    """Starts anew in a network namespace, if that can be had."""
    if "OM_IDLE_ALONE" in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    if subprocess.run(["unshare", "-Urn", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["OM_IDLE_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "-Urn", sys.executable, *sys.argv])
    print("no namespace here: other daemons may be met", file=sys.stderr)


def main():
    parse = argparse.ArgumentParser(description="memory and wake-ups of an idle daemon")
    parse.add_argument("--quiet", action="store_true", help="peers do not gossip")
    parse.add_argument("--settle", type=float, default=120, help="before counting wake-ups")
    parse.add_argument("--seconds", type=float, default=60, help="to count wake-ups in")
    parse.add_argument("peers", nargs="*", type=int, default=[1, 10, 100, 1000])
    options = parse.parse_args()
    alone()
    print(f"{'peers':>6} {'sessions':>8} {'alone kB':>9} {'RssAnon kB':>11} {'later kB':>9} "
          f"{'wakes/s':>8} {'cpu ms/s':>9}")
    results = []
    for peers in options.peers:
        r = measure(peers, options.quiet, options.settle, options.seconds)
        results.append(r)
        print(f"{r['peers']:6} {r['sessions']:8} {r['rss_anon_alone_kb']:9} "
              f"{r['rss_anon_kb']:11} {r['rss_anon_later_kb']:9} {r['wakeups_per_s']:8.3f} "
              f"{r['cpu_ms_per_s']:9.2f}", flush=True)
    print(json.dumps({"bench": "idle", "gossip": not options.quiet,
                      "settle": options.settle, "seconds": options.seconds,
                      "results": results}))


if __name__ == "__main__":
    main()
