"""Where something is wrong during one phase of a health run, that phase fails and no other."""

import json
import os
import re
import subprocess

import test_health_runner
from daemon import wait_until
from test_health_runner import is_blocked, want_page

pair = test_health_runner.pair

SECONDS = 60
EXTRA = "192.0.2.77"  # what phase 9 gives ben, for a while
LOSES = "nft add table inet loses; " \
        "nft 'add chain inet loses in { type filter hook input priority -200; }'; " \
        "nft add rule inet loses in meta l4proto udp numgen random mod 4 == 0 drop"
STALLS = LOSES.replace("loses", "stalls").replace("numgen random mod 4 == 0 ", "")


def believes(pair):
    """Does ann's daemon take any way to ben for good?"""
    why = pair.ann.rpc("peers.why", peer=pair.ben.self_id())
    return why["connected"] and any(path["state"] == "valid" for path in why["paths"])


def is_deaf(pair):
    """Has ben heard nothing of ann for two seconds, twice what phase 9 allows?"""
    return any(p["id"] == pair.ann.self_id() and p["heard_s"] >= 2
               for p in pair.ben.rpc("peers.list")["peers"])


def no_block(pair):
    """Phase 8: what it blocks is let through at once."""
    assert wait_until(lambda: is_blocked(pair), SECONDS)
    pair.lab.run("ben", ["nft", "flush", "table", "inet", "omerta_health"])


def stall(pair):
    """Phase 9: when ben has another address nothing reaches him, for longer than a second."""
    def has_it():
        return EXTRA in pair.lab.run("ben", ["ip", "address"]).stdout

    assert wait_until(has_it, SECONDS)
    pair.lab.run("ben", ["sh", "-c", STALLS])
    try:
        assert wait_until(lambda: is_deaf(pair) and not believes(pair), SECONDS)
    finally:
        pair.lab.run("ben", ["nft", "delete", "table", "inet", "stalls"])


def lose(pair):
    """Phases 11a and 12: a quarter of the datagrams to ben is lost."""
    pair.lab.run("ben", ["sh", "-c", LOSES])


def carry(pair):
    """No longer."""
    pair.lab.run("ben", ["nft", "delete", "table", "inet", "loses"])


WRONG = {"8": (no_block, r"\d+ probes passed the block: it is none"),
         "9": (stall, r"silent for \d+ ms"),
         "11a": (lose, r"[\d.]+ % of 1 Mbit/s lost"),
         "12": (lambda _: None, r"[\d.]+ % of 1 Mbit/s lost"),  # still
         "12a": (carry, None)}


def test_a_fault_fails_its_phase_and_no_other(pair):
    path, page = (os.path.join(pair.folder, "report." + kind) for kind in ("json", "html"))
    # With no slack for silence; what shall hold has none either, but nothing is near its bound.
    process = pair.lab.popen("ann", pair.argv("--quick", "--json", path, "--html", page,
                                              "--phase", "8,9,11a,12,12a,13"),
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        begun = re.match(r"phase (\w+):", line)
        if begun and begun[1] in WRONG:
            WRONG[begun[1]][0](pair)
    assert process.wait(SECONDS) == 1, said
    with open(path, encoding="utf-8") as file:
        rows = {row["number"]: row for row in json.load(file)["phases"]}
    assert list(rows) == ["8", "9", "11a", "12", "12a", "13"]
    for number, row in rows.items():
        reason = WRONG.get(number, (None, None))[1]
        if reason is None:
            assert row["verdict"] == "held" and row["figures"], row
        else:
            assert row["verdict"] == "FAILED" and re.fullmatch(reason, row["reason"]), row
    want_page(page, *(f"{number} {row['name']}: {row['verdict']}" for number, row in rows.items()))
