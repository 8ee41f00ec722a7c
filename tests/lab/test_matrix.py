"""The matrix's own words: which pairs meet when, and what counts as agreement. No lab is made."""

import itertools
from types import SimpleNamespace

import pytest

import matrix


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
