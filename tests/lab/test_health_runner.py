"""omerta-health says what is wrong when something is, and leaves nothing changed behind.

That all is well where nothing is wrong is lab/health-faults and lab/health-loads, the control of
what is here.
"""

import html.parser
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from daemon import program, wait_until
from fixtures import need

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "demos",
                    "health-runner")
sys.path.insert(0, HERE)

from lab import Pair  # noqa: E402

SECONDS = 60
STAYS = "nft add table inet stays; " \
        "nft 'add chain inet stays in { type filter hook input priority -200; }'; " \
        "nft add rule inet stays in udp dport 18002 drop"


@pytest.fixture
def pair(lab, folder):
    """ann and ben, who know each other."""
    need("omerta-meshd", "omerta-health", "omerta-lab-wire")
    made = Pair(lab, folder)
    try:
        assert made.met()
        yield made
    finally:
        made.end()


def is_blocked(pair, table="omerta_health", host="ben"):
    """Is @table in the packet filter of @host?"""
    return f"table inet {table}" in pair.lab.run(host, ["nft", "list", "tables"]).stdout


class Page(html.parser.HTMLParser):
    """The headings of a report and what is drawn below each; ValueError unless its tags match."""

    EMPTY = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.drawn, self.elsewhere = [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            raise ValueError(f"open at the end: {self.open}")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.handle_endtag(tag)

    def handle_starttag(self, tag, attrs):
        self.elsewhere += [value for name, value in attrs if name in ("src", "href", "data")]
        if tag == "h2":
            self.headings.append("")
            self.drawn.append(0)
        elif tag == "svg":
            self.drawn[-1] += 1
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if "h2" in self.open:
            self.headings[-1] += data


def want_page(path, *headings):
    """The page at @path is one whole file, and below each of @headings something is drawn."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page(text)
    assert page.headings == list(headings) and all(page.drawn), (page.headings, page.drawn)
    assert not page.elsewhere and not re.search("https?:|url\\(|@import", text)
    with pytest.raises(ValueError):  # the control
        Page(text.replace("</svg>", "", 1))


def rules(pair):
    """What is left of a run at both daemons."""
    return pair.ann.rpc("forward.list")["forwards"] + pair.ben.rpc("expose.list")["exposed"]


def start(pair, *options):
    """omerta-health under way."""
    return pair.lab.popen("ann", pair.argv(*options), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def report(pair, process):
    """The exit and the one phase of the report of @process."""
    out, err = process.communicate(timeout=120)
    with open(os.path.join(pair.folder, "report.json"), encoding="utf-8") as file:
        row, = json.load(file)["phases"]
    return process.returncode, row, out + err


def test_a_block_that_stays_fails_the_recovery(pair):
    page = os.path.join(pair.folder, "report.html")
    argv = ["--phase", "7", "--json", os.path.join(pair.folder, "report.json"), "--html", page]
    code, row, said = report(pair, start(pair, *argv))
    assert (code, row["verdict"]) == (0, "held"), said  # the control
    want_page(page, "7 1 s blocked: held")
    assert not is_blocked(pair) and not rules(pair)
    process = start(pair, *argv)
    assert wait_until(lambda: is_blocked(pair), SECONDS)
    pair.lab.run("ben", ["sh", "-c", STAYS])
    code, row, said = report(pair, process)
    assert (code, row["verdict"]) == (1, "FAILED"), said
    assert row["reason"] == "no answer for 15 s after it was open again"
    assert "FAILED" in said
    want_page(page, "7 1 s blocked: FAILED")
    assert is_blocked(pair, "stays") and not is_blocked(pair)


def test_a_second_way_that_does_not_carry_fails_the_first_one_cut(pair):
    # With a slack that is longer than the phase stays: what is allowed still ends.
    process = start(pair, "--phase", "17", "--slack", "2500",
                    "--json", os.path.join(pair.folder, "report.json"))
    assert wait_until(lambda: is_blocked(pair, host="ann"), SECONDS)
    pair.lab.run("ben", ["sh", "-c", STAYS])
    assert wait_until(lambda: not is_blocked(pair, host="ann"), SECONDS)
    pair.lab.run("ben", ["nft", "delete", "table", "inet", "stays"])
    code, row, said = report(pair, process)
    assert (code, row["verdict"]) == (1, "FAILED"), said
    assert re.fullmatch(r"silent for \d+ ms", row["reason"]), row["reason"]
    assert row["figures"]["silent_ms"] > 3500


def test_a_cable_that_loses_fails_its_profile(pair, folder):
    # It says that it is as it was asked to be, and loses a third.
    false = os.path.join(folder, "false")
    with open(false, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {pair.cable.program(folder)} \"$1\" \"$2\" 33\n")
    os.chmod(false, 0o755)
    path = os.path.join(folder, "report.json")
    code, row, said = report(pair, start(pair, "--phase", "10", "--quick", "--json", path,
                                         "--wire", false))
    assert (code, row["verdict"]) == (1, "FAILED"), said
    assert row["reason"].startswith("50 ms: ") and "% came, want 100.0" in row["reason"]


def test_what_was_changed_is_taken_back(pair):
    for number in (signal.SIGINT, signal.SIGKILL):
        process = start(pair, "--phase", "5")
        assert wait_until(lambda: is_blocked(pair), SECONDS) and rules(pair)
        process.send_signal(number)
        process.communicate(timeout=SECONDS)
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        assert wait_until(lambda: not is_blocked(pair) and not rules(pair), SECONDS), rules(pair)


def test_words_that_make_no_sense():
    need("omerta-health")

    def said(*words):
        done = subprocess.run([program("omerta-health"), *words], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    for words, why in ((["--ssh", "x"], "want --peer NAME"),
                       (["--peer", "ben"], "want one of --ssh HOST and --netns NAME"),
                       (["--peer", "ben", "--ssh", "a", "--netns", "b"], "want one of --ssh"),
                       (["--peer", "ben", "--ssh", "-oProxyCommand=x"], "want a host"),
                       (["--peer", "b", "--ssh", "a", "--peer-home", "/x;y"], "take apart"),
                       (["--peer", "ben", "--ssh", "a", "--slack", "soon"], "want milliseconds"),
                       (["--peer", "ben", "--ssh", "a", "--phase", "4,99"], 'no phase "99"'),
                       (["ben"], "a word that is no option")):
        code, out, err = said(*words)
        assert (code, out) == (2, "") and why in err and len(err.splitlines()) == 1, err
    code, out, _ = said("--list")
    assert code == 0
    rows = [line.split(maxsplit=1) for line in out.splitlines()]
    assert [(number, what.split("  ")[0]) for number, what in rows if "not built" in what] == \
        [("12b", "batch sweep"), ("15", "several endpoints")]
    assert len({number for number, _ in rows}) == len(rows)
    # Each runs in a ctest.
    with open(os.path.join(HERE, "..", "CMakeLists.txt"), encoding="utf-8") as file:
        lists = re.findall(r"set\(health_\w+ (\S+)\)", file.read())
    assert {number for number, _ in rows} == set(",".join(lists).split(","))
    code, out, _ = said("--help")
    assert code == 0 and "--ssh HOST" in out
    with open(os.path.join(HERE, "omerta-health.1"), encoding="utf-8") as file:
        page = file.read().replace("\\-", "-")
    options = set(re.findall("--[a-z-]+", out))
    assert len(options) > 15 and options - set(re.findall("--[a-z-]+", page)) == set()
