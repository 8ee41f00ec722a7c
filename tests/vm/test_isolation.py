"""What a guest tries in order to get out: each is shown to work without a gate, none does with it.

A machine runs behind the provider's gate and does all that attempts.py has, as root. Then the
provider's daemon is killed, the machine's card is put onto the provider's bridge instead, and the
same machine does the same again: what is not seen at its target now proves nothing, and fails.
"""

import itertools
import json
import math
import os

import pytest

import attempts
import isolation_lab as il
from fixtures import ALONE, need
from omerta_lab import wait_until
from test_jobs import begin
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, assert_nothing_left, built, has_session,
                   omerta, provided, qemus, running)

HERE = os.path.dirname(os.path.abspath(__file__))
SEEN_SECONDS = 20  # for what has to be seen, or counted, on a busy machine
COUNTED = ("refused", "unroutable", "udp_dropped", "dhcp_dropped", "inward_refused")
_numbers = itertools.count(10000000 + os.getpid() % 1000 * 10000)


def token():
    """A word that was never sent before."""
    return f"{attempts.MARK.decode()}{next(_numbers)}"


class Scene:
    """The provider, its two consumers, the machine that tries and the one that is tried."""

    def __init__(self, lab, make, image):
        il.build(lab)
        self.lab = lab
        args = {"lab": lab, "port": il.MESH_PORT}
        self.prov = make("p", ALONE, host="prov", **args).start()
        met = [*ALONE, *self.prov.bootstrap(il.PLACES["prov"][1])]
        self.cons = make("c", met, host="cons", **args).start()
        self.cons2 = make("d", met, host="cons2", **args).start()
        for one in (self.cons, self.cons2):
            assert has_session(one, self.prov.self_id())
        assert image  # what it takes is there
        os.symlink(built("python", "--python"), os.path.join(self.prov.home, "images", "python"))
        self.prov.rpc("provide.set", on=True, to=[self.cons.self_id(), self.cons2.self_id()],
                      violations="log", **ROOM)
        self.watch, self.jobs = il.Watch(lab), []
        self.boss, self.ears = il.Boss(lab), il.Ears(lab, self.watch)
        self.vm = self.vm2 = None
        self.cards, self.opened = [], []

    def boot(self, daemon, name, port):
        """A machine with the programs in it; its id."""
        vm = running(daemon, name, peer=self.prov.self_id(), image="python", memory="256M",
                     disk="0", ttl="1h", expose=[port])
        files = [os.path.join(HERE, f) for f in ("frames.py", "attempts.py", "told.py")]
        done = omerta(daemon, "vm", "cp", *files, f"{vm}:/work/")
        assert done.returncode == 0, done
        return vm

    def tell(self, daemon, vm, **words):
        """Starts told.py there."""
        job = begin(daemon, "vm", "run", vm, "--", "python3", "/work/told.py", json.dumps(words))
        self.jobs.append(job)
        return job

    def start(self):
        """Both machines, at work."""
        ears = self.ears.move("cons2", "127.0.0.1")
        self.vm2 = self.boot(self.cons2, "tried", ears)
        at = {"ip": self.gateway(self.vm2), "mac": il.GATE_MAC}
        job = self.tell(self.cons2, self.vm2, listen=True, port=ears, hosts={"gateway": at})
        tried = json.loads(job.stdout.readline())
        port = self.boss.move("cons", "127.0.0.1")
        self.watch.allowed = {port, ears}
        self.vm = self.boot(self.cons, "tries", port)
        at = {"ip": self.gateway(self.vm), "mac": il.GATE_MAC}
        self.tell(self.cons, self.vm, listen=False, port=port,
                  hosts={"gateway": at, **il.hosts(tried)})
        self.boss.accept(BOOT_SECONDS)
        tries = self.boss.order("who")["said"]
        self.cards = [(self.vm, tries["ip"], port), (self.vm2, tried["ip"], ears)]

    def gateway(self, vm):
        """The address at which the machine reaches its consumer."""
        return il.gateway_of([m["address"] for m in provided(self.prov) if m["vm"] == vm][0])

    def counters(self):
        """How much of what the machine sent was refused, and by what name."""
        link = [x for x in self.prov.rpc("links.list")["links"] if x["name"] == self.vm]
        if not link:
            return {}
        found = {f"gate {name}": n for name, n in link[0]["dropped"].items()}
        found.update({name: link[0][name] for name in COUNTED if link[0].get(name)})
        return found

    def settled(self):
        """The counters, once two looks say the same."""
        last = [None]

        def same():
            now = self.counters()
            before, last[0] = last[0], now
            return before == now
        wait_until(same, SEEN_SECONDS)
        return last[0]

    def open(self):
        """Kills the provider's daemon; its host takes the place of the gate."""
        self.prov.kill()
        il.open_gate(self.lab)
        before = self.ears.count
        for number, (vm, ip, port) in enumerate(self.cards):
            (self.ears if number else self.boss).move("prov", il.gateway_of(ip), port)
            path = os.path.join(self.prov.home, "vms", vm, "nic.sock")
            self.opened.append(il.Opened(self.lab, self.watch, path, number, ip))
        self.boss.accept(60)
        assert wait_until(lambda: self.ears.count > before, 60)

    def shut(self):
        """The daemon again, in its place."""
        for one in self.opened:
            one.close()
        il.shut_gate(self.lab)
        self.prov.start()

    def end(self):
        """Nothing is left."""
        for job in self.jobs:
            job.kill()
            out, err = job.communicate()
            print(f"told.py: {out.decode()}{err.decode()}")
        self.boss.close()
        self.watch.close()
        for daemon in (self.cons, self.cons2, self.prov):
            daemon.end()
        for pid in qemus(self.prov):
            os.kill(pid, 9)


@pytest.fixture
def scene(lab, make, image):
    """All of it."""
    need("omerta", "omerta-meshd")
    made = Scene(lab, make, image)
    yield made
    made.end()


def risen(before, after):
    """What counted."""
    return {k: n - before.get(k, 0) for k, n in after.items() if n > before.get(k, 0)}


def gated(scene):
    """Every attempt behind the gate: its token, by what it was counted, what the guest said."""
    rows = {}
    scene.watch.is_gated = True
    for name, _, _ in attempts.ATTEMPTS:
        word = token()
        before = scene.settled()
        answer = scene.boss.attempt(name, word)
        wait_until(lambda b=before: risen(b, scene.counters()), SEEN_SECONDS)
        rows[name] = (word, risen(before, scene.settled()), answer)
    scene.watch.is_gated = False
    return rows


def opened(scene):
    """Every attempt without it: its token, where it was seen."""
    rows = {}
    for name, target, _ in attempts.ATTEMPTS:
        word = token()
        answer = scene.boss.attempt(name, word)
        wait_until(lambda w=word, t=target: arrived(scene, w, t), SEEN_SECONDS)
        rows[name] = (word, arrived(scene, word, target), answer)
    return rows


def arrived(scene, word, target):
    """Where at the target."""
    return [where for where in scene.watch.seen[word] if where.split(":")[0] == target]


PINGS, INTERVAL_S, ROUNDS = 40, 0.02, 24
PERCENTS = (50, 95, 99)


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def round_trips(scene, what):
    """Of pings of the provider's daemon by another peer, while the guest does @what; how many
    frames it sent, and the processor time of the daemon."""
    pid = scene.prov.process.pid
    before = cpu_seconds(pid)
    scene.boss.begin(what, seconds=PINGS * INTERVAL_S)
    with scene.cons2.control() as control:
        control.rpc("ping.start", peer=scene.prov.self_id(), count=PINGS, interval=INTERVAL_S)
        told = [control.event(lambda e: e["method"] == "pong", 20)["params"]["rtt_ms"]
                for _ in range(PINGS)]
    answer = scene.boss.finish() or {}
    assert "error" not in answer, answer
    return told, answer.get("said") or 0, cpu_seconds(pid) - before


def at(values, percent):
    """That percentile."""
    return sorted(values)[len(values) * percent // 100]


def latency(scene):
    """Of others' pings, beside a guest that floods and beside one that only works. Both share two
    processors with all else that runs here, so they take turns of less than a second: what others
    do meets both alike."""
    took, cost, frames = {"busy": [], "storm": []}, {"busy": 0, "storm": 0}, 0
    scene.watch.looks.clear()
    for turn in range(ROUNDS):
        for what in sorted(took, reverse=turn % 2 == 1):
            told, sent, seconds = round_trips(scene, what)
            # One without an answer took longer than all that have one.
            took[what] += [math.inf if one is None else one for one in told]
            cost[what] += seconds
            frames += sent
            scene.settled()  # what waits of a flood is no part of the next turn
    scene.watch.looks.set()
    assert frames > 1000 * ROUNDS  # it was a flood
    rows = {p: (at(took["storm"], p), at(took["busy"], p)) for p in PERCENTS}
    print(f"{len(took['storm'])} pings beside {frames} frames, and beside none: " + ", ".join(
        f"p{p} {storm:.2f} and {busy:.2f} ms ({storm / busy:.2f})"
        for p, (storm, busy) in rows.items()) +
        f"; the daemon's processor time {cost['storm']:.2f} and {cost['busy']:.2f} s")
    lost = {what: sum(map(math.isinf, all_of)) for what, all_of in took.items()}
    assert max(lost.values()) <= PINGS * ROUNDS // 100, f"pings without an answer: {lost}"
    for percent in (50, 95):
        storm, busy = rows[percent]
        assert storm < 2 * busy, percent


def table(behind, free):
    """What was tried, and what came of it, for people."""
    for name, (_, counted, _) in behind.items():
        counts = ", ".join(f"{n} {why}" for why, n in counted.items()) or "NOT COUNTED"
        seen = ", ".join(free[name][1]) or "NOT SEEN"
        print(f"{name:27} blocked: {counts:36} open: {seen}")


def test_isolation(scene, capsys):
    """All attempts, twice; and then the daemon has the machine again."""
    scene.start()
    with capsys.disabled():
        latency(scene)
    behind = gated(scene)
    assert min(scene.watch.looked_at[h] for h in il.PLACES if h not in ("lan", "router")) > 100
    assert scene.watch.strange == [], scene.watch.strange[:20]
    leaks = {n: dict(scene.watch.seen[w]) for n, (w, *_) in behind.items() if scene.watch.seen[w]}
    assert leaks == {}
    assert scene.ears.count == 1  # the other machine's connection stood through all of it
    scene.open()
    free = opened(scene)
    with capsys.disabled():
        table(behind, free)
    assert len(behind) == len(free) >= 40
    assert [n for n, (_, counted, _) in behind.items() if not counted] == []
    assert [(n, answer) for n, (_, seen, answer) in free.items() if not seen] == []
    for name, (word, *_) in free.items():
        if name.startswith("port scan"):
            assert len(scene.watch.ports[word]) > 1000, name
        if name.startswith("flood"):
            assert max(scene.watch.seen[word].values()) > 1000, name
    # What the watch takes for honest is not simply everything.
    assert scene.watch.flagged > 1000
    scene.shut()
    assert wait_until(lambda: [m["state"] for m in provided(scene.prov)] == ["running"] * 2, 60)
    run = ("vm", "run", scene.vm, "--", "echo", "still here")
    assert wait_until(lambda: omerta(scene.cons, *run).stdout == "still here\n", 60)
    for daemon, vm in ((scene.cons, scene.vm), (scene.cons2, scene.vm2)):
        daemon.rpc("vm.release", vm=vm)
    assert wait_until(lambda: provided(scene.prov) == [], END_SECONDS)
    assert_nothing_left(scene.prov)
