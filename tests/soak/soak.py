#!/usr/bin/env python3
"""soak.py - many streams and some machines under faults for a long time; see --help"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("vm", "system", "lab"):
    sys.path.insert(0, os.path.join(HERE, "..", folder))

import pytest  # noqa: E402

import machines  # noqa: E402
import omerta_lab  # noqa: E402
from faults import Faults  # noqa: E402
from figures import REST_SECONDS, Watch, table  # noqa: E402
from machines import Machines  # noqa: E402
from net import Net  # noqa: E402
from traffic import Traffic  # noqa: E402

LONGEST, SHORTEST = 60, 3    # seconds of a stream
HASTY_SECONDS = 180          # below which pauses are shorter, too
RESTED_MINUTES = 10          # from which on daemons rest at calms, and their memory is judged
WARM_SHARE = 10              # of the time, streams without faults: the first calm comes after it
FIRST = (("kill", "NAT flush", "NAT flip"),
         ("relay restart", "cut", "new address at home", "new address outside"))
PLANTS = ("file", "stuck", "wrong", "machine")
PLANTED_FILES = 3
LEAKS = "relay1"             # where, as it lives through the second half
SKIPPED = 77


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="tests/soak.sh", allow_abbrev=False,
        description="Real daemons behind NATs, streams between all of them and machines of one for "
                    "another, under faults: daemons killed, relays restarted, NATs that forget or "
                    "change, addresses, cut lines. Each is killed in one half of the time and "
                    "measured in the other. Exit 1 when a stream is stuck, broken or wrong that no "
                    "killed daemon had, when one of those does not end with an error at both ends "
                    "within 5 s of its restart, when a machine, or the one in its place, is "
                    "not in use again within five minutes of a fault, or when open files grow or, "
                    "in ten minutes or more, memory.")
    parser.add_argument("--minutes", type=float, default=30, metavar="N",
                        help="how long (30); half a minute at least")
    parser.add_argument("--seed", type=int, help="of all choices; else the time, which is printed")
    parser.add_argument("--streams", type=int, default=50, metavar="N", help="at once (50)")
    parser.add_argument("--vms", type=int, default=3, metavar="N", help="machines (3)")
    parser.add_argument("--no-vm", action="store_true", help="none")
    parser.add_argument("--stuck", type=float, default=60, metavar="SECONDS",
                        help="a stream without a byte for so long is stuck (60)")
    parser.add_argument("--end", type=float, default=5, metavar="SECONDS",
                        help="after a restart, streams of the killed daemon are over (5)")
    parser.add_argument("--again", type=float, default=300, metavar="SECONDS",
                        help="after a fault a whole transfer went into each machine (300)")
    parser.add_argument("--json", metavar="FILE", help="where the figures go (build/soak.json)")
    parser.add_argument("--plant", default="", metavar="LIST",
                        help="for the test of this: what is to be found, of " + ",".join(PLANTS))
    args = parser.parse_args()
    args.plant = [word for word in args.plant.split(",") if word]
    for good, said in ((0.5 <= args.minutes <= 24 * 60, "--minutes: want 0.5 to 1440"),
                       (1 <= args.streams <= 200, "--streams: want 1 to 200"),
                       (0 <= args.vms <= 3, "--vms: want 0 to 3"),
                       (5 <= args.stuck <= 600, "--stuck: want 5 to 600 seconds"),
                       (1 <= args.end <= 600, "--end: want 1 to 600 seconds"),
                       (20 <= args.again <= 3600, "--again: want 20 to 3600 seconds"),
                       (set(args.plant) <= set(PLANTS), "--plant: want of " + ",".join(PLANTS)),
                       ("machine" not in args.plant or (args.vms and not args.no_vm),
                        "--plant machine: want a machine")):
        if not good:
            parser.error(said)
    args.vms = 0 if args.no_vm else args.vms
    args.seed = int(time.time()) if args.seed is None else args.seed
    return args


class Findings(list):
    """What does not hold, said as soon as it is found."""

    def append(self, finding):
        print(f"NOT: {finding['what']}", flush=True)
        super().append(finding)


class Soak:
    """The whole of it, from a lab to a verdict."""

    def __init__(self, args, lab, folder):
        self.args, self.began = args, time.monotonic()
        self.seconds = args.minutes * 60
        self.net = Net(lab, folder)
        self.net.start()
        bounds = args.stuck, args.end
        haste = min(1.0, max(self.seconds / HASTY_SECONDS, 0.2))
        longest = max(SHORTEST + 1, min(LONGEST, self.seconds / 6))
        self.machines = Machines(self.net, args.seed, args.vms, bounds, args.again,
                                 "machine" in args.plant)
        self.traffic = Traffic(self.net, args.seed, args.streams, (SHORTEST, longest), bounds)
        self.faults = Faults(self.net, self.traffic, self.machines, args.seed, haste, self.tell)
        self.watch = Watch(self.net.daemons, REST_SECONDS if args.minutes >= RESTED_MINUTES else 0)
        self.held, self.findings = [], Findings()
        for part in (self.machines, self.traffic, self.faults):
            part.findings = self.findings

    def tell(self, what):
        """One line of what happens, with when."""
        print(f"{time.monotonic() - self.began:8.1f} s  {what}", flush=True)

    def run(self):
        """All of the time."""
        self.tell(f"{len(self.net.daemons)} daemons know each other")
        self.machines.start()
        if self.args.vms:
            self.tell(f"{self.args.vms} machines are in use")
        self.watch.start()
        self.traffic.start()
        self.traffic.resume()
        begin = time.monotonic()
        time.sleep(self.seconds / WARM_SHARE)
        self.calm("start")
        self.traffic.flaws = [flaw for flaw in self.args.plant if flaw in ("stuck", "wrong")]
        for half, end in enumerate((self.seconds * 0.55, self.seconds)):
            self.traffic.resume()
            self.faults.rest()
            self.faults.until(begin + end, half, FIRST[half])
            if half and "file" in self.args.plant:
                # A control connection that nobody closes is a file that the daemon has open.
                self.held += [self.net.daemons[LEAKS].control() for _ in range(PLANTED_FILES)]
            self.calm(("middle", "end")[half])

    def calm(self, when):
        """No stream: what each daemon then has is what it keeps."""
        if not self.traffic.drain():
            self.findings.append({"what": f"{len(self.traffic.live)} streams do not end"})
        self.watch.calm(when)
        ways = self.net.ways().values()
        relayed = sum(way.startswith("relay ") for way in ways)
        self.tell(f"calm at the {when}: {self.traffic.hashed} streams were whole, "
                  f"{relayed} of {len(ways)} ways over a relay")

    def finish(self):
        """Ends all in order."""
        self.traffic.drain()
        self.machines.settle()
        self.machines.stop()
        self.machines.give_back()
        self.watch.stop()
        for held in self.held:
            held.socket.close()
        for name, code in self.net.stop().items():
            self.findings.append({"what": f"{name} ended with {code}"})

    def end(self):
        """Nothing is left, however it went."""
        self.watch.stop()
        self.machines.end()
        self.traffic.stop()
        self.net.end()

    def report(self):
        """All figures."""
        t, m = self.traffic, self.machines
        faults = {}
        for one in self.faults.done:
            row = faults.setdefault(one["fault"], {"times": 0, "worst_s": 0.0, "sum": 0.0})
            row["times"] += 1
            row["sum"] += one["recovered_s"]
            if one["recovered_s"] >= row["worst_s"]:
                row |= {"worst_s": one["recovered_s"], "worst_of": one["whom"]}
        for row in faults.values():
            row["mean_s"] = round(row.pop("sum") / row["times"], 2)
        return {
            "seconds": round(time.monotonic() - self.began), "minutes": self.args.minutes,
            "seed": self.args.seed, "faults": faults,
            "streams": {"at_once": t.most, "whole": t.hashed, "bytes": t.bytes,
                        "ended_by_kills": t.ended, "worst_end_s": round(max(t.late, default=0), 2),
                        "refused": t.refused},
            "machines": {"count": self.args.vms, "requested": m.boots, "whole": m.hashed,
                         "bytes": m.bytes, "ended_by_kills": m.ended, "refused": m.refused,
                         "worst_end_s": round(max(m.late, default=0), 2)},
            "daemons": [self.watch.row(name) for name in self.net.daemons if
                        self.watch.lives[name]],
            "findings": [*self.findings, *self.watch.findings()],
        }


def show(report):
    """The tables for people."""
    print()
    print(table(["fault", "times", "worst s", "mean s", "worst of"],
                [[name, row["times"], row["worst_s"], row["mean_s"], row["worst_of"]]
                 for name, row in sorted(report["faults"].items())]))
    print()
    keys = {"daemon": "daemon", "starts": "starts", "lived s": "lived_s",
            "RSS first kB": "rss_first_kb", "last": "rss_last_kb", "kB/h": "slope_kb_h",
            "fds first": "fds_first", "last ": "fds_last", "UDP first": "udp_first",
            "last  ": "udp_last"}
    print(table(list(keys), [[row.get(key) for key in keys.values()]
                             for row in report["daemons"]]))
    print()
    for name in ("streams", "machines"):
        row = report[name]
        print(f"{name}: {row['whole']} times whole ({row['bytes'] >> 20} MiB hashed), "
              f"{row['ended_by_kills']} ended by kills, the last end "
              f"{row['worst_end_s']} s after the restart; {row['refused']} were not opened")
    print(f"at most {report['streams']['at_once']} streams were open at once")
    for finding in report["findings"]:
        print(f"NOT: {finding['what']}")
    what = f"{len(report['findings'])} things do not hold" if report["findings"] else "all holds"
    if not report["is_whole"]:
        what += " so far, and it was not run to its end"
    print(f"{what}; seed {report['seed']}, {report['seconds']} s")


def soak(args):
    """Runs it; the exit code."""
    reason = omerta_lab.missing() or (machines.missing() if args.vms else None)
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    print(f"seed {args.seed}, {args.minutes:g} minutes, {args.streams} streams, "
          f"{args.vms} machines", flush=True)
    home, code = tempfile.mkdtemp(prefix="om-"), 1
    try:
        with omerta_lab.Lab() as lab:
            run = Soak(args, lab, home)
            try:
                run.run()
                run.finish()
                code = 0
            except (RuntimeError, AssertionError, omerta_lab.LabError) as error:
                run.findings.append({"what": f"it went no further: {error}"})
            except KeyboardInterrupt:
                print("\ninterrupted: what was seen so far", flush=True)
                code = 130
            finally:
                run.end()
            report = {**run.report(), "is_whole": code == 0}
    except (RuntimeError, AssertionError, omerta_lab.LabError) as error:
        print(f"soak: it cannot begin: {error}", file=sys.stderr)
        return 1
    except pytest.skip.Exception as why:
        print(f"skipped: {why}")
        return SKIPPED
    finally:
        shutil.rmtree(home, ignore_errors=True)
    where = args.json or os.path.join(HERE, "..", "..", "build", "soak.json")
    os.makedirs(os.path.dirname(os.path.abspath(where)), exist_ok=True)
    with open(where, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    show(report)
    return 1 if code == 0 and report["findings"] else code


if __name__ == "__main__":
    try:
        sys.exit(soak(arguments()))
    except KeyboardInterrupt:  # before there was anything to tell
        sys.exit(130)
