"""matrix.py - every pair of NATs: what the simulator says of it, and what real daemons do.

usage: tests/lab/run.sh python3 tests/lab/matrix.py [--kinds A,B,...] [--spread] [--seeds N] [-v]

What:   asks omerta-matrix for its kinds of NAT and for what becomes of two nodes behind each pair
        of them; builds homes of those kinds out of namespaces, with the kernel's own NAT where
        there is one and with the simulator's box on a cable where not; starts a real daemon in
        each; lets each pair meet; and prints both in one table.
Why:    the simulator is worth as much as its answers are those of the real thing.
Exit:   0 both agree on every pair, 1 they do not, 2 the command line is wrong, 77 no lab can be
        made here.

One attempt: two daemons that never ran before, in a mesh of their own with relays and witnesses. A
pair on which they do not agree tries once more, with the machine to itself: chance may spoil an
attempt of a pair whose ports are guessed, and so may a busy machine. Which pairs had to is said.
Pairs of plans/paths.md under "Where the lab differs" may differ as it says there.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "system")]

import homes  # noqa: E402
import nat  # noqa: E402
import omerta_lab  # noqa: E402
from daemon import Daemon, RpcError, program  # noqa: E402

PLANS = os.path.join(HERE, "..", "..", "plans", "paths.md")
RELAYS, WITNESSES = 2, 2  # the simulator's world has two more: tests/sim/matrix.h
PUBLIC, HOMES = 9, 20     # where their numbers begin
INTERVAL, PINGS = 0.2, 256
DIRECT_SECONDS = 40   # for a pair that shall be direct: a first attempt takes 1 s to 5 s
RELAY_SECONDS = 15    # for one that shall not: the simulator looks after 12 s
NOTHING_SECONDS = 10
ASK_SECONDS = 0.5
LINE = re.compile(r"(\S+) (\S+)  seed \d+: (connected|not connected), first data \S+, "
                  r"direct (never|[\d.]+m?s),")
SKIPPED, INTERRUPTED = 77, 130


class Kind:
    """A kind of NAT: @words are the simulator's for its box, and behind "/" for one around it."""

    def __init__(self, name, words):
        self.name = name
        boxes = [box.strip() for box in words.split("/")]
        self.home = "public" if boxes == ["-"] else boxes[0] if len(boxes) == 1 else tuple(boxes)

    def played_by(self):
        """Whose box the lab has for it."""
        boxes = self.home if isinstance(self.home, tuple) else (self.home,)
        return "+".join("none" if box == "public" else "kernel" if box in nat.KINDS else "wire"
                        for box in boxes)


def read_kinds():
    """Those of the simulator."""
    said = subprocess.run([program("omerta-matrix"), "--kinds"], check=True, text=True,
                          capture_output=True).stdout
    return [Kind(*line.split(" ", 1)) for line in said.splitlines()]


def seconds_of(text):
    """A duration such as "360ms" or "1.064s"."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


class Prediction:
    """What the simulator says of a pair: the outcomes of its worlds, and how soon, as a median."""

    def __init__(self, left, right, seeds):
        argv = [program("omerta-matrix"), "-v", "--seeds", str(seeds), "--pair", left.name,
                right.name]
        said = subprocess.run(argv, check=False, text=True, capture_output=True).stdout
        found = [match for match in map(LINE.match, said.splitlines()) if match]
        if len(found) != seeds:
            raise omerta_lab.LabError(f"{' '.join(argv)}: {len(found)} worlds:\n{said}")
        times = sorted(seconds_of(match[4]) for match in found if match[4] != "never")
        self.seconds = times[len(times) // 2] if times else None
        self.outcomes = {"nothing" if match[3] != "connected" else
                         "relay" if match[4] == "never" else "direct" for match in found}

    def text(self):
        """For the table."""
        soon = f" {self.seconds:.2f} s" if self.seconds is not None else ""
        return " or ".join(sorted(self.outcomes)) + soon


class Street:
    """The homes, one of each kind on either side, and hosts that all can reach."""

    def __init__(self, lab, folder, kinds):
        self.lab, self.folder = lab, folder
        self.numbers = {(side, kind.name): HOMES + 2 * i + (side == "r")
                        for i, kind in enumerate(kinds) for side in "lr"}
        self.meshes = 0
        for i in range(RELAYS + WITNESSES):
            homes.public(lab, f"p{i}", PUBLIC + i)
        for kind in kinds:
            for side in "lr":
                homes.home(lab, f"{side}-{kind.name}", kind.home, self.numbers[side, kind.name])


class Mesh:
    """Relays, witnesses and two homes that know nobody else: daemons that never ran before.

    Many run at once, each on a port of its own: in one mesh of all of them each would speak with
    all others, and a carrier's box has a few hundred ports for a home.
    """

    def __init__(self, street, left, right):
        self.street, self.daemons, self.known = street, [], []
        self.port = homes.PORT + street.meshes
        street.meshes += 1
        self.relays = [self.start(f"p{i}", ["--relay"]) for i in range(RELAYS)]
        for i in range(RELAYS, RELAYS + WITNESSES):
            self.start(f"p{i}")
        self.hosts = f"l-{left.name}", f"r-{right.name}"

    def start(self, host, args=()):
        """A daemon, which is told of the first one."""
        home = os.path.join(self.street.folder, f"{self.port}-{host}")
        daemon = Daemon(home, [*homes.QUIET, *args, *self.known], lab=self.street.lab, host=host,
                        port=self.port)
        self.daemons.append(daemon)
        daemon.start()
        self.known = self.known or daemon.bootstrap(homes.outside(PUBLIC))
        return daemon

    def end(self):
        """Ends them all."""
        for daemon in self.daemons:
            daemon.process.terminate()
        for daemon in self.daemons:
            daemon.end()

    def carried(self):
        """Datagrams that its relays have passed on."""
        return sum(daemon.rpc("status")["relay"]["carried"] for daemon in self.relays)


class Attempt:
    """In the mesh of a pair the left one sends to the right one, as soon as it has heard of it.

    Times are since both were ready; they are those of the probes, not of when this looked.
    """

    def __init__(self, street, mesh, left, right, prediction):
        self.left, self.right, self.prediction = left, right, prediction
        self.inside = homes.outside(street.numbers["l", left.name])
        self.outside = homes.outside(street.numbers["r", right.name])
        self.first = self.leaves = self.direct = None
        self.asked = self.asks_at = 0
        self.carried, self.story = 0, ""
        self.mesh = mesh
        self.here, self.there = (mesh.start(host) for host in mesh.hosts)
        self.ids = self.here.self_id(), self.there.self_id()
        self.began = time.monotonic()
        self.control = self.here.control()
        self.ask()

    def waited(self):
        """Seconds since it began."""
        return time.monotonic() - self.began

    def ask(self):
        """Lets it send; not as long as it knows nobody who has heard of the other."""
        try:
            self.asked = self.waited()
            self.control.rpc("ping.start", peer=self.ids[1], count=PINGS, interval=INTERVAL)
            self.asks_at = None
        except RpcError:
            self.asks_at = self.waited() + ASK_SECONDS

    def look(self):
        """Takes what was answered since; direct is when both send so."""
        if self.asks_at is not None and self.waited() >= self.asks_at:
            self.ask()
        while self.leaves is None:
            try:
                pong = self.control.event(lambda event: event.get("method") == "pong", 0.001)
            except TimeoutError:
                return
            said = pong["params"]
            if said["rtt_ms"] is None:
                continue
            now = self.asked + said["seq"] * INTERVAL + said["rtt_ms"] / 1000
            self.first = now if self.first is None else self.first
            if said["path"].startswith(self.outside + ":"):
                self.leaves = now
        if self.direct is None and \
                homes.path(self.there, self.here).startswith(self.inside + ":"):
            self.direct = self.leaves

    def is_over(self):
        """True once there is nothing to wait for."""
        if self.direct is not None:
            return True
        if "direct" in self.prediction.outcomes:
            return self.waited() > DIRECT_SECONDS
        return self.waited() > (RELAY_SECONDS if "relay" in self.prediction.outcomes
                                else NOTHING_SECONDS)

    def end(self):
        """Ends its daemons; LabError if a relay is said to carry what it does not."""
        self.story = self.tell()
        self.carried = self.mesh.carried()
        self.control.socket.close()
        self.mesh.end()
        if self.got() == "relay" and self.carried == 0:
            raise omerta_lab.LabError(f"{self.left.name} and {self.right.name}: over which relay?")

    def got(self):
        """How they talk at last."""
        if self.first is None:
            return "nothing"
        return "relay" if self.direct is None else "direct"

    def text(self):
        """For the table."""
        soon = self.direct if self.direct is not None else self.first
        return self.got() + (f" {soon:.2f} s" if soon is not None else "")

    def agrees(self):
        """Is it one of the outcomes that the simulator had?"""
        return self.got() in self.prediction.outcomes

    def tell(self):
        """What both logged of each other."""
        lines = []
        for daemon, other in zip((self.here, self.there), reversed(self.ids)):
            lines += [f"  {daemon.host}: {line}" for line in daemon.log().splitlines()
                      if other[:10] in line][-20:]
        return "\n".join(lines)


def rounds(kinds):
    """All pairs, a kind with itself too, so that no home is in two of a round."""
    n = len(kinds)
    for k in range(n // 2 + 1):
        last = n // 2 if n % 2 == 0 and k == n // 2 else n
        yield [(kinds[i], kinds[(i + k) % n]) for i in range(last)]


def spread(kinds):
    """Two rounds that have each of @kinds: with one far from it in the list, where easy NATs are
    first and hard ones last, and with its neighbour, which two hard ones are."""
    return [list(rounds(kinds))[-1], list(zip(kinds[::2], kinds[1::2]))]


def look(attempts):
    """At those that are under way."""
    for attempt in attempts:
        if not attempt.is_over():
            attempt.look()


def meet(street, pairs, predictions):
    """Attempts of @pairs, all at once, to their end."""
    meshes = [Mesh(street, *pair) for pair in pairs]
    now = []
    for mesh, pair in zip(meshes, pairs):
        prediction = predictions[frozenset(kind.name for kind in pair)]
        now.append(Attempt(street, mesh, *pair, prediction))
        look(now)
    while not all(attempt.is_over() for attempt in now):
        look(now)
        time.sleep(omerta_lab.POLL_SECONDS)
    for attempt in now:
        attempt.end()
    return now


def explained():
    """What plans/paths.md explains: {pair: (outcome of the daemons, why)}."""
    with open(PLANS, encoding="utf-8") as file:
        text = file.read().partition("\n## Where the lab differs\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    return {frozenset(row[:2]): (row[2], row[3]) for row in rows[2:]}


def verdict(attempt, again, known):
    """A pair in a word: "yes", "yes, 2nd", "no: REASON" for one that is explained, "NO"."""
    if attempt.agrees():
        return "yes"
    if again.agrees():
        return "yes, 2nd"
    outcome, why = known.get(frozenset((attempt.left.name, attempt.right.name)), ("", ""))
    return f"no: {why}" if outcome == again.got() else "NO"


def report(done, again, order):
    """Prints the table and its sums; how many pairs neither agree nor are explained."""
    known, counts = explained(), {"yes": 0, "yes, 2nd": 0, "no": 0, "NO": 0}
    print(f"{'left':9} {'right':9} {'played by':23} {'simulator':21} {'daemons':16} agree")
    for attempt in sorted(done, key=lambda a: sorted(order[k.name] for k in (a.left, a.right))):
        last = again.get(attempt, attempt)
        said = verdict(attempt, last, known)
        counts[said.partition(":")[0]] += 1
        players = f"{attempt.left.played_by()}, {attempt.right.played_by()}"
        print(f"{attempt.left.name:9} {attempt.right.name:9} {players:23} "
              f"{attempt.prediction.text():21} {last.text():16} {said}")
        if said == "NO":
            print(last.story)
    took = sorted(a.direct for a in done if a.direct is not None)
    print(f"\n{len(done)} pairs: {counts['yes']} agree, {counts['yes, 2nd']} at the second try, "
          f"{counts['no']} differ as explained, {counts['NO']} differ")
    for outcome in ("direct", "relay", "nothing"):
        print(f"  {outcome}: {sum(again.get(a, a).got() == outcome for a in done)}")
    if took:
        print(f"  until direct: median {took[len(took) // 2]:.2f} s, worst {took[-1]:.2f} s")
    return counts["NO"]


def run(kinds, tries, seeds, verbose):
    """Rounds @tries of pairs of @kinds; true when nothing is left to be explained."""
    began = time.monotonic()

    def say(text):
        if verbose:
            print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    predictions = {}
    for pairs in tries:
        for pair in pairs:
            predictions[frozenset(kind.name for kind in pair)] = Prediction(*pair, seeds)
    say(f"the simulator ran {len(predictions) * seeds} worlds")
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(omerta_lab.Lab())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="om-"))
        street = Street(lab, folder, kinds)
        say(f"{len(lab.hosts)} hosts are there")
        done, again = [], {}
        for pairs in tries:
            done += meet(street, pairs, predictions)
            say(f"{len(done)} of {len(predictions)} pairs tried")
        for attempt in done:
            if not attempt.agrees():
                say(f"{attempt.left.name} and {attempt.right.name} try again: {attempt.text()}")
                again[attempt], = meet(street, [(attempt.left, attempt.right)], predictions)
    left = report(done, again, {kind.name: i for i, kind in enumerate(kinds)})
    print(f"  the relays carried {sum(a.carried for a in done)} datagrams; "
          f"{time.monotonic() - began:.0f} s in all")
    return left == 0


def read_options(kinds):
    """The command line; exits with 2 and a sentence when it is none."""
    names = [kind.name for kind in kinds]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0].partition(" - ")[2])
    parser.add_argument("--kinds", default=",".join(names), metavar="A,B",
                        help=f"only pairs of these; of {', '.join(names)}")
    parser.add_argument("--spread", action="store_true",
                        help="each kind in one or two pairs, in place of all")
    parser.add_argument("--seeds", type=int, default=3, metavar="N",
                        help="worlds the simulator plays for each pair, 1 to 100 (3)")
    parser.add_argument("-v", "--verbose", action="store_true", help="says what it is at")
    options = parser.parse_args()
    wanted = options.kinds.split(",")
    for name in wanted:
        if name not in names:
            parser.error(f'--kinds: "{name}" is no kind: wanted of {", ".join(names)}')
    if len(set(wanted)) < len(wanted):
        parser.error("--kinds: wanted each kind once")
    if not 1 <= options.seeds <= 100:
        parser.error(f"--seeds: {options.seeds} is out of range: wanted 1 to 100")
    options.kinds = [kinds[names.index(name)] for name in wanted]
    return options


def main():
    """What the file's head says."""
    for name in ("omerta-matrix", "omerta-meshd", "omerta", "omerta-lab-wire"):
        if not os.access(program(name), os.X_OK):
            sys.exit(f"matrix.py: {program(name)} is missing: build it first")
    options = read_options(read_kinds())
    reason = omerta_lab.missing()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    tries = spread(options.kinds) if options.spread else list(rounds(options.kinds))
    return 0 if run(options.kinds, tries, options.seeds, options.verbose) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except omerta_lab.LabError as error:
        sys.exit(f"matrix.py: {error}")
