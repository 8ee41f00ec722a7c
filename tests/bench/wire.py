#!/usr/bin/python3
"""wire.py - both sides of an omerta-wire-bench as one table and one line of JSON

usage: tests/bench/wire.py NAME SENDER_LINES RECEIVER_LINES
"""

import json
import sys


def read(path):
    """What one side said, by the name of the turn."""
    with open(path, encoding="ascii") as lines:
        return {r["what"]: r for r in map(json.loads, lines) if "what" in r}


def main():
    name, sent, came = sys.argv[1], read(sys.argv[2]), read(sys.argv[3])
    print(f"{name:18} {'1,000 B/s':>10} {'Gb/s':>7} {'lost':>7} {'cpu s/GB out':>13} "
          f"{'cpu s/GB in':>12} {'ratio':>6}")
    results = []
    for what in ("bare", "datagrams", "stream"):
        s, r = sent[what], came[what]
        gb = r["bytes"] / 1e9
        row = {"name": what, "per_s": round(r["bytes"] / 1000 / r["seconds"]),
               "gbit_per_s": r["gbit_per_s"],
               "lost": 0 if what == "stream" else round(1 - r["bytes"] / s["bytes"], 4),
               "cpu_s_per_gb_send": round(s["cpu_s"] / gb, 3),
               "cpu_s_per_gb_receive": round(r["cpu_s"] / gb, 3),
               "calls_send": s["calls"], "calls_receive": r["calls"],
               "wakeups_send": s["wakeups"], "wakeups_receive": r["wakeups"],
               "ratio": round(r["gbit_per_s"] / came["bare"]["gbit_per_s"], 3)}
        results.append(row)
        print(f"{what:18} {row['per_s']:10} {row['gbit_per_s']:7.2f} {row['lost']:7.2%} "
              f"{row['cpu_s_per_gb_send']:13.2f} {row['cpu_s_per_gb_receive']:12.2f} "
              f"{row['ratio']:6.2f}")
    print(json.dumps({"bench": "wire", "link": name, "results": results}))


if __name__ == "__main__":
    main()
