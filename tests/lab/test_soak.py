"""tests/soak.sh for half a minute: what is planted is found, and nothing else; and its judge."""

import collections
import json
import os
import subprocess
import sys

import pytest

from fixtures import need

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.append(os.path.join(TESTS, "soak"))

for part in ("vm", "system"):
    sys.path.append(os.path.join(TESTS, part))

import figures  # noqa: E402
import machines  # noqa: E402
import stream  # noqa: E402
import traffic  # noqa: E402

SOAK = os.path.join(TESTS, "soak.sh")
SHORT = ["--minutes", "0.5", "--streams", "10", "--no-vm", "--seed", "1", "--stuck", "15",
         "--end", "30"]


def soak(*words):
    """Its (exit code, output, stderr)."""
    done = subprocess.run([SOAK, *words], capture_output=True, text=True, check=False, timeout=280)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    return done.returncode, done.stdout, done.stderr


def test_what_is_planted_is_found(folder):
    need("omerta", "omerta-meshd")
    figures = os.path.join(folder, "soak.json")
    code, out, err = soak(*SHORT, "--json", figures, "--plant", "file,stuck,wrong")
    assert err == "", err
    with open(figures, encoding="utf-8") as file:
        report = json.load(file)
    found = {one.get("planted") or "other": one["what"] for one in report["findings"]}
    assert code == 1 and set(found) == {"stuck", "wrong", "other"}, out
    assert len(report["findings"]) == 3, out
    assert found["stuck"].startswith("stuck: no byte for 15 s: stream "), found
    assert found["wrong"].startswith("other bytes came than were sent: stream "), found
    assert found["other"].startswith("relay1 has 3 more files open"), found
    # All else held: so many streams were whole, and those of whom was killed ended.
    assert report["streams"]["whole"] >= 10 and report["streams"]["at_once"] >= 5, out
    assert len(report["faults"]) == 7, out
    assert {row["daemon"]: row["starts"] for row in report["daemons"]}["consumer"] >= 2, out


def judged(grown_kb, rest, seconds):
    """What a watch finds of a daemon that held so much more at its second calm."""
    life = figures.Life(1)
    life.samples = [(float(at), 5000) for at in range(seconds)]
    life.calm = {"middle": 5000, "end": 5000 + grown_kb}
    life.files = {when: collections.Counter(["/dev/null"]) for when in life.calm}
    watch = figures.Watch({"relay1": None}, rest)
    watch.lives["relay1"].append(life)
    return [one["what"] for one in watch.findings()]


def test_memory_that_grows_is_found():
    grown, old = figures.SLACK_KB + 1, figures.WARM_SECONDS + figures.JUDGED_SECONDS + 1
    assert judged(grown, 65, old) == [f"relay1 holds {grown} kB more (middle to end)"]
    assert judged(figures.SLACK_KB, 65, old) == []
    assert judged(grown, 0, old) == [] and judged(grown, 65, old - 60) == []


def sloping(kb_h, seconds):
    """What a watch finds of a daemon whose memory grows so, beneath streams that come and go."""
    life = figures.Life(1)
    life.samples = [(float(at), 5000 + kb_h * at // 3600 + 3000 * (at % 40 > 20))
                    for at in range(seconds)]
    life.calm = {"middle": 5000, "end": 5000}
    life.files = {when: collections.Counter(["/dev/null"]) for when in life.calm}
    watch = figures.Watch({"relay1": None}, 65)
    watch.lives["relay1"].append(life)
    return [one["what"] for one in watch.findings()]


def test_memory_that_climbs_is_found():
    long = figures.WARM_SECONDS + figures.SLOPE_SECONDS + 2 * figures.WINDOW_SECONDS
    found, = sloping(2 * figures.SLOPE_KB_H, long)
    assert found.startswith("relay1 holds 1") and "kB more each hour" in found, found
    assert sloping(figures.SLOPE_KB_H // 2, long) == [] == sloping(0, long)
    assert sloping(2 * figures.SLOPE_KB_H, long - 120) == []  # too short to say


def test_a_stream_that_a_dead_daemon_leaves_open_is_found():
    """At either end, once, and no sooner than it may be."""
    judge = traffic.Traffic(collections.namedtuple("Net", "daemons")({}), 1, 1, (1, 2), (15, 5))
    for how in ({"near": stream.ERROR}, {"far": stream.ERROR}, {}):
        one = stream.Stream(1, "consumer", "provider", "nc", (1, 1), 0)
        for side in ("near", "far"):
            one.end(side, None, None).how = how.get(side)
        one.is_doomed, one.ready_at, one.abort = True, 100.0, lambda: None
        judge.live, judge.findings = {1: one}, []
        judge.look(105.0)
        assert judge.findings == []
        judge.look(105.1)
        judge.look(106.0)
        assert [f["what"].partition(": ")[0] for f in judge.findings] == \
            ["open 5 s after a new daemon was there"]
    for side in one.ends.values():
        side.how = stream.ERROR
    judge.findings = []
    judge.look(200.0)
    assert judge.findings == []  # the control: it ended


def test_a_machine_that_is_used_no_more_is_found():
    """Once until it is in use again; a transfer that had begun before the fault says nothing."""
    three = machines.Machines(None, 1, 3, (60, 5), 100)
    three.whole_from.update(lab1=10.0, lab2=10.0, lab3=10.0)
    three.look(1000.0)
    assert three.findings == []  # no fault, nothing owed
    three.hurt("cut of third", 50.0)
    three.hurt("kill of provider", 60.0)
    three.whole_from.update(lab1=55.0, lab2=61.0)
    three.look(149.0)
    assert three.findings == [] and three.owed("lab2") is None
    three.look(151.0)
    assert [one["what"] for one in three.findings] == [
        "100 s after cut of third no whole transfer went into lab3; the last refusal: none"]
    three.look(161.0)
    assert len(three.findings) == 2 and "kill of provider" in three.findings[1]["what"]
    three.look(1000.0)
    three.settle()
    assert len(three.findings) == 2
    three.whole_from["lab3"] = 61.0
    three.idle.discard("lab3")
    three.hurt("cut of relay1", 2000.0)
    three.look(2101.0)
    assert len(three.findings) == 4  # lab2 and lab3; lab1 was found, and is not in use yet


@pytest.mark.parametrize("words, wanted", [(["--minutes", "0"], "--minutes: want 0.5 to 1440"),
                                           (["--vms", "9"], "--vms: want 0 to 3"),
                                           (["--plant", "x"],
                                            "--plant: want of file,stuck,wrong,machine"),
                                           (["--no-vm", "--plant", "machine"],
                                            "--plant machine: want a machine"),
                                           (["--again", "1"], "--again: want 20 to 3600"),
                                           (["more"], "unrecognized arguments: more")])
def test_bad_words_are_named(words, wanted):
    code, out, err = soak(*words)
    assert code == 2 and out == "" and wanted in err
