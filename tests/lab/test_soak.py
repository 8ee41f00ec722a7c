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

import figures  # noqa: E402

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


@pytest.mark.parametrize("words, wanted", [(["--minutes", "0"], "--minutes: want 0.5 to 1440"),
                                           (["--vms", "9"], "--vms: want 0 to 3"),
                                           (["--plant", "x"], "--plant: want of file,stuck,wrong"),
                                           (["more"], "unrecognized arguments: more")])
def test_bad_words_are_named(words, wanted):
    code, out, err = soak(*words)
    assert code == 2 and out == "" and wanted in err
