"""figures.py - memory and open files of processes over time, what follows from them, and tables.

A leak is judged where a process lives long: between two moments of calm what it holds may grow by
SLACK_KB, and no file may stay open; UDP sockets are as many as paths want. There are no streams
then, nor were there any for REST_SECONDS: what was needed for a burst is no leak. The slope,
judged over SLOPE_SECONDS or more, is that of the least memory in each window, as a leak lifts the
floor and a burst of streams does not.
"""

import collections
import contextlib
import os
import threading
import time

SAMPLE_SECONDS = 1.0
WINDOW_SECONDS = 15
WARM_SECONDS = 60       # of a process's life: allocators grow to their size
JUDGED_SECONDS = 240    # a slope over less says nothing
SLACK_KB = 2048
SLOPE_SECONDS = 600     # over so long a slope is judged, too,
SLOPE_KB_H = 6000       # by this: half hours had -576 to 2,286
SPARE_UDP = 16          # sockets beside the main one that paths may have
LOOK_SECONDS = 2.5
REST_SECONDS = 65       # a daemon gives back each 30 s what it did not need since the last time


def anonymous_kb(pid):
    """Its memory that no file backs."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def sockets(pid):
    """What the kernel says of the sockets of the host it is on: {inode: words}."""
    found = {}
    for kind, column in (("tcp", 9), ("udp", 9), ("tcp6", 9), ("udp6", 9), ("unix", 6)):
        with open(f"/proc/{pid}/net/{kind}", encoding="ascii", errors="replace") as lines:
            for line in list(lines)[1:]:
                words = line.split()
                shown = words[7:] if kind == "unix" else words[1:4]
                found[words[column]] = " ".join([kind, *shown])
    return found


def files(pid):
    """What it has open, in words: a Counter."""
    known, seen = sockets(pid), collections.Counter()
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            place = os.readlink(f"/proc/{pid}/fd/{name}")
            inode = place.rpartition("[")[2].rstrip("]")
            seen[known.get(inode, place) if place.startswith("socket:") else place] += 1
    return seen


def udp(seen):
    """How many of @seen are UDP sockets: those of paths and trials come and go."""
    return sum(count for words, count in seen.items() if words.startswith("udp"))


def kept(seen):
    """How many of @seen are none."""
    return sum(seen.values()) - udp(seen)


class Life:
    """A process of a daemon: what was seen of it."""

    def __init__(self, pid):
        self.pid, self.samples, self.calm, self.files = pid, [], {}, {}

    def seconds(self):
        """How long it was looked at."""
        return self.samples[-1][0] - self.samples[0][0] if self.samples else 0.0

    def is_old(self):
        """It lived long enough for its memory to be judged."""
        return self.seconds() >= WARM_SECONDS + JUDGED_SECONDS

    def slope(self):
        """(kB an hour, seconds it was taken over); None when it did not live long enough.

        The median of the slopes between all windows: a single high one does not bend it.
        """
        if not self.is_old():
            return None
        begin = self.samples[0][0] + WARM_SECONDS
        windows = {}
        for at, kb in self.samples:
            if at >= begin:
                key = int((at - begin) / WINDOW_SECONDS)
                windows[key] = min(windows.get(key, kb), kb)
        points = sorted(windows.items())
        slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points)
                        for b in points[i + 1:])
        return slopes[len(slopes) // 2] * 3600 / WINDOW_SECONDS, len(points) * WINDOW_SECONDS


class Watch:
    """A thread that looks at all @daemons each second; at a calm it lets them @rest for so long."""

    def __init__(self, daemons, rest):
        self.daemons, self.rest = daemons, rest
        self.lives = {name: [] for name in daemons}
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        """Begins."""
        self.thread.start()

    def stop(self):
        """Ends."""
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join()

    def run(self):
        """The thread."""
        while not self.stopping.wait(SAMPLE_SECONDS):
            for name in self.daemons:
                self.look(name)

    def look(self, name):
        """One sample of the daemon @name, which may just be gone; its life."""
        pid = self.daemons[name].process.pid
        try:
            sample = time.monotonic(), anonymous_kb(pid)
        except (OSError, StopIteration):
            return None
        lives = self.lives[name]
        if not lives or lives[-1].pid != pid:
            lives.append(Life(pid))
        lives[-1].samples.append(sample)
        return lives[-1]

    def calm(self, when):
        """The least of all for some seconds, with no stream open: kept as @when."""
        self.stopping.wait(self.rest)
        begin = time.monotonic()
        while time.monotonic() < begin + LOOK_SECONDS:
            for name in self.daemons:
                if life := self.look(name):
                    seen = files(life.pid)
                    if sum(seen.values()) <= sum(life.files.setdefault(when, seen).values()):
                        life.files[when] = seen
            self.stopping.wait(0.2)
        for lives in self.lives.values():
            lives[-1].calm[when] = min(kb for at, kb in lives[-1].samples if at >= begin)

    def life(self, name):
        """The daemon's life that says most: between two calms, and the longest of these."""
        return max(self.lives[name], key=lambda one: (len(one.calm), one.seconds()))

    def row(self, name):
        """What is told of the daemon @name."""
        life = self.life(name)
        row = {"daemon": name, "starts": len(self.lives[name]), "lived_s": round(life.seconds())}
        if len(life.calm) > 1:
            whens = list(life.calm)
            first, last = whens[0], whens[-1]
            row |= {"between": f"{first} to {last}",
                    "rss_first_kb": life.calm[first], "rss_last_kb": life.calm[last],
                    "fds_first": kept(life.files[first]), "fds_last": kept(life.files[last]),
                    "udp_first": udp(life.files[first]), "udp_last": udp(life.files[last])}
        if slope := life.slope():
            row |= {"slope_kb_h": round(slope[0]), "slope_over_s": slope[1]}
        return row

    def findings(self):
        """What grew and should not have."""
        found = []
        for name in self.daemons:
            row, life = self.row(name), self.life(name)
            if "between" not in row:
                continue
            first, *_, last = life.files.values()
            if row["fds_last"] > row["fds_first"]:
                found.append({"what": f"{name} has {row['fds_last'] - row['fds_first']} more files "
                                      f"open ({row['between']}): {list(last - first)}"})
            if row["udp_last"] > row["udp_first"] + SPARE_UDP:
                found.append({"what": f"{name} has {row['udp_last']} UDP sockets "
                                      f"({row['between']}; {row['udp_first']} then)"})
            grown = row["rss_last_kb"] - row["rss_first_kb"]
            if self.rest and life.is_old() and grown > SLACK_KB:
                found.append({"what": f"{name} holds {grown} kB more ({row['between']})"})
            if row.get("slope_over_s", 0) >= SLOPE_SECONDS and row["slope_kb_h"] > SLOPE_KB_H:
                found.append({"what": f"{name} holds {row['slope_kb_h']} kB more each hour "
                                      f"(over {row['slope_over_s']} s)"})
        return found


def table(head, rows):
    """@rows below @head in columns as wide as they need."""
    cells = [head, *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in cells)
