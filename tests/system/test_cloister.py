"""Two daemons agree on a network of their own, or do not."""

import contextlib
import json
import os
import pty
import subprocess

import pytest

from commands import Live, data, environment_of, good, line_after, refused
from daemon import program, wait_until
from fixtures import ALONE, need

USAGE, REFUSED = 2, 4


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="two")
def two_in_one_network(make):
    """Two daemons that met in an open network "all"."""
    first, second = make("first", ALONE).start(), make("second", ALONE).start()
    good(first.home, "network", "create", "--name", "all", "--open")
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


def ended(daemon, why):
    """How many questions of @daemon ended for @why."""
    return data(daemon.home, "cloister", "list")["ended"][why]


def compare(first, second, *options):
    """@first asks @second; the questions of both, which show one code."""
    asked = data(first.home, "cloister", self_in(second, "all"), "--network", "all", *options)
    assert wait_until(lambda: waiting(second) and waiting(second)[0]["code"], 20)
    other = waiting(second)[0]
    assert asked["code"] == other["code"] and len(asked["code"]) == 6
    assert asked["asked_here"] and not other["asked_here"]
    assert asked["state"] == other["state"] == "comparing"
    assert other["peer"] == self_in(first, "all") and other["network"] == "all"
    return asked, other


def test_cloister_two_agree(two):
    """One code, two yeses, one network of two; it lives on without the old one, and a restart."""
    first, second = two
    with Live(second.home, "watch", "cloister", "message", "--json") as watch:
        line_after(watch, lambda: good(
            first.home, "message", self_in(second, "all"), "is it on?"))

        def next_told():
            return json.loads(watch.line(lambda line: json.loads(line)["event"] == "cloister"))

        asked, other = compare(first, second, "--name", "us")
        told = next_told()
        assert (told["event"], told["state"], told["code"]) == ("cloister", "comparing",
                                                                asked["code"])
        with Live(first.home, "cloister", "accept", str(asked["id"])) as accept:
            assert wait_until(lambda: waiting(first)[0]["state"] == "agreed", 20)
            assert names(first) == names(second) == ["all"]  # one yes is none
            made = good(second.home, "cloister", "accept", str(other["id"]), "--name", "ours")
            assert made.startswith('in network "ours"')
            assert accept.line().startswith('in network "us"')
        told = next_told()
        assert (told["state"], told["made"]) == ("done", "ours")
    assert names(first) == ["all", "us"] and names(second) == ["all", "ours"]
    assert not waiting(first) and not waiting(second)
    here, there = (data(d.home, "network", "show", n) for d, n in ((first, "us"), (second, "ours")))
    assert here["id"] == there["id"] and here["kind"] == there["kind"] == "direct"
    assert here["pins"] == [there["self"]] and there["pins"] == [here["self"]]
    assert here["pins_left"] == there["pins_left"] == 0
    assert here["self"] != self_in(first, "all")
    for daemon in two:
        good(daemon.home, "network", "leave", "all")
    good(first.home, "message", there["self"], "hello", "--wait")
    second.end()
    second.start()
    good(second.home, "message", here["self"], "and back", "--wait")
    refused(first.home, "network", "invite", "us", code=REFUSED, says=["only who made"])


def test_cloister_over_the_default_network(pair):
    """The built-in network goes as soon as there is another, but not before both have that."""
    first, second = pair
    assert wait_until(lambda: first.self_id() in second.peer_ids(), 20)
    asked = data(second.home, "cloister", first.self_id(), "--name", "us")
    assert wait_until(lambda: waiting(first) and waiting(first)[0]["code"] == asked["code"], 20)
    with Live(first.home, "cloister", "accept", str(waiting(first)[0]["id"]), "--name", "us"):
        good(second.home, "cloister", "accept", str(asked["id"]))
        assert wait_until(lambda: names(first) == names(second) == ["us"], 20)
    good(second.home, "message", self_in(first, "us"), "hello", "--wait")


def test_cloister_is_denied(two):
    """A no of either ends it for both, also after the yes of the other; it can be asked anew."""
    first, second = two
    asked, other = compare(first, second)
    with Live(first.home, "cloister", "accept", str(asked["id"])):
        assert wait_until(lambda: waiting(first)[0]["state"] == "agreed", 20)
        good(second.home, "cloister", "deny", str(other["id"]))
        assert wait_until(lambda: not waiting(first) and not waiting(second), 20)
    assert ended(second, "denied") == 1 and ended(first, "refused") == 1
    refused(second.home, "cloister", "accept", str(other["id"]), code=REFUSED, says=["no question"])
    asked, other = compare(first, second)
    good(first.home, "cloister", "deny", str(asked["id"]))
    assert wait_until(lambda: not waiting(second), 20)
    assert ended(second, "refused") == 1 and ended(first, "denied") == 1
    assert names(first) == names(second) == ["all"]


def test_cloister_needs_both_words(two):
    """What waits blocks a second one with that peer, and ends with the daemon that asked."""
    first, second = two
    compare(first, second)
    peers = [self_in(daemon, "all") for daemon in two]
    refused(first.home, "cloister", peers[1], code=REFUSED, says=["one already"])
    refused(second.home, "cloister", peers[0], code=REFUSED, says=["one already"])
    assert "comparing" in good(second.home, "cloister")
    first.end()
    assert wait_until(lambda: not waiting(second), 30)
    assert names(second) == ["all"]
    first.start()
    assert names(first) == ["all"] and not waiting(first)


def test_cloister_both_at_once(two):
    """Of two that ask each other one question is left, whichever came first."""
    first, second = two
    keys = [self_in(daemon, "all") for daemon in two]
    with Live(first.home, "cloister", keys[1]) as one, \
            Live(second.home, "cloister", keys[0]) as other:
        assert wait_until(lambda: all(w and w[0]["code"] for w in map(waiting, two)), 20)
        codes = {waiting(daemon)[0]["code"] for daemon in two}
        assert len(codes) == 1 and len(waiting(first)) == len(waiting(second)) == 1
        assert codes.pop() in (one.line() if waiting(first)[0]["asked_here"] else other.line())


@contextlib.contextmanager
def at_terminal(home, *argv):
    """omerta @argv, whose standard input is a terminal: the process, and where one types."""
    there, here = pty.openpty()
    try:
        with subprocess.Popen([program("omerta"), *argv], env=environment_of(home), stdin=here,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process, there
            finally:
                process.kill()
    finally:
        os.close(there)
        os.close(here)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_cloister_asks_at_a_terminal(two, answer):
    """Who sits there is shown the code and asked; anything but yes is a no."""
    first, second = two
    peer = self_in(second, "all")
    with at_terminal(first.home, "cloister", peer, "--name", "us") as (process, keys):
        assert wait_until(lambda: waiting(second) and waiting(second)[0]["code"], 20)
        other = waiting(second)[0]
        os.write(keys, f"{answer}\n".encode())
        if answer == "yes":
            good(second.home, "cloister", "accept", str(other["id"]))
        out, err = process.communicate(timeout=30)
    assert out.startswith(f"code: {other['code']}\n") and "same code" in err
    is_in = "us" in names(first)
    assert (process.returncode, is_in) == ((0, True) if answer == "yes" else (1, False))
    assert wait_until(lambda: not waiting(first) and not waiting(second), 20)
    assert (ended(second, "refused"), len(names(second))) == ((0, 2) if answer == "yes" else (1, 1))


def test_cloister_is_asked_thrice_a_day(two):
    """Of a peer to which nobody says yes a fourth question is not shown; the other may ask."""
    first, second = two
    for _ in range(3):
        _, other = compare(first, second)
        good(second.home, "cloister", "deny", str(other["id"]))
        assert wait_until(lambda: not waiting(first), 20)
    refused(first.home, "cloister", self_in(second, "all"), "--network", "all", code=REFUSED)
    assert not waiting(second) and ended(second, "busy") == 1
    compare(second, first)


def test_cloister_questions_are_bounded(make):
    """Twelve of others may wait; the next is refused and counted, until one of them ended."""
    first, second = make("first", ALONE).start(), make("second", ALONE).start()
    asks = []
    for i in range(13):
        peer = first.rpc("networks.create", name=f"n{i}", open=True)["self"]
        link = first.rpc("networks.invite", network=f"n{i}", at=f"127.0.0.1:{first.port}")["link"]
        second.rpc("networks.join", link=link, name=f"n{i}")
        asks.append({"peer": peer, "network": f"n{i}"})
    for ask in asks[:12]:
        second.rpc("cloister.ask", **ask)
    refused(second.home, "cloister", asks[12]["peer"], "--network", "n12", code=REFUSED,
            says=["too many"])
    assert len(waiting(first)) == 12 and ended(first, "busy") == 1 == ended(second, "busy")
    good(first.home, "cloister", "deny", str(waiting(first)[5]["id"]))
    assert second.rpc("cloister.ask", **asks[12])["state"] == "comparing"
    assert len(waiting(first)) == 12


def test_cloister_bad_inputs(two):
    """A sentence for each, and nothing waits after it."""
    first, second = two
    peer = self_in(second, "all")
    for argv, code, says in [(["accept"], USAGE, "want"), (["deny", "x"], USAGE, "x"),
                             (["accept", "1"], REFUSED, "no question"),
                             (["deny", "99999999999"], USAGE, "4294967295"),
                             ([self_in(first, "all")], REFUSED, ""),
                             ([peer, "--name", "a/b"], REFUSED, "a/b"),
                             ([peer, "--name", "all"], REFUSED, "already"),
                             ([peer, "more"], USAGE, "")]:
        refused(first.home, "cloister", *argv, code=code, says=[says])
    assert not waiting(first) and not waiting(second)
    assert "nothing waits" in good(first.home, "cloister", "list")
