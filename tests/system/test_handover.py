"""A network that there is goes to a peer, if its user wants it."""

import pytest

from commands import Live, data, good, refused
from daemon import wait_until
from fixtures import ALONE, need
from rogue import Rogue

USAGE, REFUSED = 2, 4


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="two")
def two_in_one_network(make):
    """Two daemons that met in the open network "all"; the first made two others."""
    first, second = make("first", ALONE).start(), make("second", ALONE).start()
    for name, more in (("all", ["--open"]), ("free", ["--open"]), ("lab", [])):
        good(first.home, "network", "create", "--name", name, *more)
    link = good(first.home, "network", "invite", "all", f"--at=127.0.0.1:{first.port}").strip()
    good(second.home, "network", "join", "-", "--name", "all", stdin=link)
    assert wait_until(lambda: data(first.home, "network", "show", "all")["connected"], 30)
    return first, second


def self_in(daemon, name):
    """The key of @daemon in the network @name."""
    return data(daemon.home, "network", "show", name)["self"]


def names(daemon):
    """What the networks of @daemon are called."""
    return sorted(net["name"] for net in data(daemon.home, "network", "list")["networks"])


def waiting(daemon):
    """The questions that wait at @daemon."""
    return data(daemon.home, "cloister", "list")["cloisters"]


def offering(first, second, name):
    """A command by which @first offers @second the network @name, and waits."""
    return Live(first.home, "cloister", self_in(second, "all"), "--network", "all", "--hand", name)


def question(second):
    """The one that waits at @second."""
    assert wait_until(lambda: waiting(second), 20)
    [row] = waiting(second)
    assert (row["state"], row["network"], row["asked_here"]) == ("offered", "all", False)
    return row


@pytest.mark.parametrize("name,called", [("free", None), ("lab", None), ("lab", "theirs")])
def test_handover_of_each_kind(two, name, called):
    """After the yes both are in it, and can talk there; before it nothing happened."""
    first, second = two
    with offering(first, second, name) as offer:
        row = question(second)
        assert (row["hand"], row["peer"]) == (name, self_in(first, "all"))
        assert row["kind"] == ("closed" if name == "lab" else "open") and name in good(
            second.home, "cloister")
        assert waiting(first)[0]["state"] == "asking" and names(second) == ["all"]
        more = ["--name", called] if called else []
        said = good(second.home, "cloister", "accept", str(row["id"]), *more)
        assert f'in network "{called or name}"' in said
        assert name in offer.line()
    assert names(second) == sorted(["all", called or name])
    assert not waiting(first) and not waiting(second)
    there = data(second.home, "network", "show", called or name)
    assert there["id"] == data(first.home, "network", "show", name)["id"]
    good(first.home, "message", there["self"], "welcome", "--wait", "--network", name)


def test_handover_needs_the_word_of_the_user(two):
    """A no, or a giver who goes away, leaves nothing; it can be offered anew and be taken."""
    first, second = two
    with offering(first, second, "lab") as offer:
        good(second.home, "cloister", "deny", str(question(second)["id"]))
        assert offer.process.wait(20) == REFUSED
        assert b"said no" in offer.process.stderr.read()
    with offering(first, second, "lab"):
        question(second)
        good(first.home, "cloister", "deny", str(waiting(first)[0]["id"]))
        assert wait_until(lambda: not waiting(second), 20)
    assert names(second) == ["all"] and not waiting(first)
    with offering(first, second, "lab") as offer:
        good(second.home, "cloister", "accept", str(question(second)["id"]))
        offer.line()
    assert names(second) == ["all", "lab"]


def test_handover_questions_are_bounded(two):
    """Three that nobody wanted, and no further one is shown; a yes starts the count anew."""
    first, second = two
    for _ in range(2):
        with offering(first, second, "lab"):
            good(second.home, "cloister", "deny", str(question(second)["id"]))
    with offering(first, second, "lab") as offer:
        good(second.home, "cloister", "accept", str(question(second)["id"]))
        offer.line()
    for _ in range(3):
        with offering(first, second, "free") as offer:
            good(second.home, "cloister", "deny", str(question(second)["id"]))
            assert offer.process.wait(20) == REFUSED
    refused(first.home, "cloister", self_in(second, "all"), "--network", "all", "--hand", "free",
            code=REFUSED, says=["no more questions"])
    assert not waiting(second)


def test_handover_bad_inputs(two):
    """A sentence for each, and nothing waits after it."""
    first, second = two
    peer = self_in(second, "all")
    good(second.home, "network", "create", "--name", "own", "--open")
    for name, code, says in (("nowhere", REFUSED, "nowhere"), ("all", REFUSED, "already"),
                             ("", USAGE, "--hand")):
        refused(first.home, "cloister", peer, "--network", "all", "--hand", name, code=code,
                says=[says])
    refused(first.home, "cloister", peer, "--hand", "lab", "--name", "x", code=USAGE,
            says=["--name"])
    refused(first.home, "cloister", "nobody", "--hand", "lab", code=REFUSED, says=["no peer"])
    us = good(first.home, "key", "link", "--name", "us", f"--at=127.0.0.1:{first.port}").strip()
    refused(first.home, "cloister", peer, "--network", "all", "--hand", "us", code=REFUSED,
            says=["open or a closed"])
    assert us and not waiting(first) and not waiting(second)
    with offering(first, second, "lab"):
        row = question(second)
        for argv, says in ((["--name", "own"], "already"), (["--name", "a/b"], "visible")):
            refused(second.home, "cloister", "accept", str(row["id"]), *argv, code=REFUSED,
                    says=[says])
        refused(first.home, "cloister", "accept", str(waiting(first)[0]["id"]), code=REFUSED,
                says=["awaited"])
        good(second.home, "cloister", "accept", str(row["id"]))
    assert names(second) == ["all", "lab", "own"]
    refused(second.home, "cloister", self_in(first, "all"), "--network", "all", "--hand", "lab",
            code=REFUSED, says=["only who made"])


def test_handover_to_one_who_leaves_with_its_yes(make):
    """A yes that is taken back in the same breath ends the question, and not the daemon."""
    need("omerta-rogue")
    second = make("second", ALONE).start()
    named = f"default/{second.self_id()}@127.0.0.1:{second.port}"  # else one network ends the other
    first = make("first", [*ALONE, "--bootstrap", named]).start()
    good(first.home, "network", "create", "--name", "free", "--open")
    with Rogue(first) as rogue:
        with Live(first.home, "cloister", rogue.id, "--hand", "free") as offer:
            rogue.until("asked ")
            assert "free" in offer.line()  # it took the link, which is all it was asked
        rogue.say("stops")
        with Live(first.home, "cloister", rogue.id, "--hand", "free") as offer:
            rogue.until("asked ")
            assert offer.process.wait(20) == REFUSED
            assert "went away" in offer.process.stderr.read().decode()
        assert not waiting(first)
        good(first.home, "ping", rogue.id, "-c", "1")
