"""The matrix's own words: which pairs meet when, and what counts as agreement."""

import itertools
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import matrix
import omerta_lab
from daemon import program


def kinds(count):
    """Some, by number."""
    return [SimpleNamespace(name=f"kind{i}") for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 14])
def test_rounds_have_each_pair_once(count):
    all_kinds, seen = kinds(count), []
    for pairs in matrix.rounds(all_kinds):
        for side in zip(*pairs):
            assert len({kind.name for kind in side}) == len(pairs), "a home is in two pairs"
        seen += [frozenset(kind.name for kind in pair) for pair in pairs]
    names = [kind.name for kind in all_kinds]
    wanted = itertools.combinations_with_replacement(names, 2)
    assert sorted(map(sorted, seen)) == sorted(map(sorted, map(frozenset, wanted)))


def test_spread_has_each_kind():
    for count in (1, 2, 3, 7, 14):
        tries = matrix.spread(kinds(count))
        assert len({kind.name for pairs in tries for pair in pairs for kind in pair}) == count
    seen = [frozenset(kind.name for kind in pair) for pairs in tries for pair in pairs]
    assert len(set(seen)) == len(seen) == 14 and all(len(pair) == 2 for pair in seen)


def tried(got, *outcomes):
    """An attempt of kind0 and kind1 of which the simulator said @outcomes."""
    left, right = kinds(2)
    return SimpleNamespace(left=left, right=right, got=lambda: got, agrees=lambda: got in outcomes)


def test_verdict():
    known = {frozenset(("kind0", "kind1")): ("relay", "a reason")}
    good, bad = tried("direct", "direct"), tried("relay", "direct")
    assert matrix.verdict(good, good, {}) == "yes"
    assert matrix.verdict(tried("relay", "direct", "relay"), bad, {}) == "yes"
    assert matrix.verdict(bad, good, {}) == "yes, 2nd"
    assert matrix.verdict(bad, bad, {}) == "NO"
    assert matrix.verdict(bad, bad, known) == "no: a reason"
    assert matrix.verdict(bad, tried("nothing", "direct"), known) == "NO"


def test_what_is_explained_is_read(tmp_path, monkeypatch):
    text = "# x\n\n## Where the lab differs\n\nwords\n\n| a | b | daemons | why |\n" \
        "|---|---|---|---|\n| stride | full | relay | of a reason |\n\n## More\n\n" \
        "| a |\n|---|\n| b |\n"
    path = tmp_path / "paths.md"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(matrix, "PLANS", str(path))
    assert matrix.explained() == {frozenset(("full", "stride")): ("relay", "of a reason")}


def test_plans_explain_kinds_that_exist():
    """And the section is there."""
    with open(matrix.PLANS, encoding="utf-8") as file:
        assert "\n## Where the lab differs\n" in file.read()
    names = {kind.name for kind in matrix.read_kinds()}
    assert names and all(pair <= names for pair in matrix.explained())


@pytest.mark.parametrize("words, home, players", [
    ("-", "public", "none"), ("port", "port", "kernel"), ("stride", "stride", "wire"),
    ("port / carrier filter=apd", ("port", "carrier filter=apd"), "kernel+wire")])
def test_kinds_are_read(words, home, players):
    kind = matrix.Kind("some", words)
    assert (kind.home, kind.played_by()) == (home, players)


def test_a_simulator_that_is_wrong_fails(tmp_path):
    """It says of two without a NAT that they need a relay. The control is lab/nat-lab."""
    reason = omerta_lab.missing()
    if reason:
        pytest.skip(reason)
    for name in ("omerta-meshd", "omerta", "omerta-lab-wire"):
        (tmp_path / name).symlink_to(program(name))
    liar = tmp_path / "omerta-matrix"
    liar.write_text(f"#!/bin/sh\n'{program('omerta-matrix')}' \"$@\" |\n"
                    "    sed 's/, direct [0-9.]*m*s,/, direct never,/'\n", encoding="utf-8")
    liar.chmod(0o755)
    done = subprocess.run([sys.executable, matrix.__file__, "--kinds", "open", "--seeds", "1"],
                          env=dict(os.environ, OMERTA_BIN=str(tmp_path)), text=True,
                          capture_output=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 pairs: 0 agree, 0 at the second try, 0 differ as explained, 1 differ" in done.stdout
