"""Who may lend machines in a closed network: the one whose certificate says so."""

import glob
import os
import signal
import threading

import pytest

from commands import data, good, refused, run
from daemon import wait_until
from fixtures import ALONE, need
from servers import need_program

REFUSED = 4
LENDS = "provide on --vms 1 --cpu 1 --memory 512M --disk 1G --accel tcg --to *".split()


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")
    need_program("qemu-system-x86_64", "qemu-system-x86")


def lenders(daemon):
    """The names of those whose offers @daemon makes use of."""
    return {one["name"] for one in data(daemon.home, "providers", "--all")["providers"]}


def test_provider_needs_the_role_in_a_closed_network(make):
    """bob is a plain member, who is told so; ann, who made the network, and cat lend."""
    ann, bob, cat = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob", "cat"))
    good(ann.home, "network", "create", "--name", "lab")
    for one, more in ((bob, []), (cat, ["--role", "provider"])):
        link = good(ann.home, "network", "invite", "lab", f"--at=127.0.0.1:{ann.port}", *more)
        good(one.home, "network", "join", "-", "--name", "lab", stdin=link)
    said = good(bob.home, *LENDS)
    assert "members of the network lab get none" in said and "--role provider" in said
    for one in (ann, cat):
        assert "get none" not in good(one.home, *LENDS)
    assert wait_until(lambda: lenders(ann) == {"cat"}, 60)
    assert wait_until(lambda: lenders(bob) == {"ann", "cat"}, 60)
    assert lenders(ann) == {"cat"}
    ask = ["vm", "request", "--image", "none-such", "--provider"]
    # ann's own word, whatever bob's daemon would say.
    refused(ann.home, *ask, "bob", code=REFUSED,
            says=["the certificate of bob in network lab has not the role of a provider"])
    assert "role of a provider" not in refused(bob.home, *ask, "cat", code=REFUSED)  # no image


def test_nobody_is_asked_whose_certificate_was_not_seen(make):
    """dan, who lost what it knew, has two peers' addresses alone: bob, whose daemon would answer in
    words of its own, is not asked; cat is."""
    ann, bob, cat, dan = (make(name, [*ALONE, "--name", name]).start()
                          for name in ("ann", "bob", "cat", "dan"))
    good(ann.home, "network", "create", "--name", "lab")
    ids = {}
    for one, more in ((bob, []), (cat, ["--role", "provider"]), (dan, [])):
        link = good(ann.home, "network", "invite", "lab", f"--at=127.0.0.1:{ann.port}", *more)
        ids[one] = data(one.home, "network", "join", "-", "--name", "lab", stdin=link)["self"]
    for one in (bob, cat):
        good(one.home, *LENDS)
    dan.end()
    ann.end()
    for one, says, says_not in ((bob, "the certificate of bob in network lab has not the role", ""),
                                (cat, "image", "certificate")):
        for each in (bob, cat):  # who would also tell of the other
            each.process.send_signal(signal.SIGSTOP)
        for name in glob.glob(os.path.join(dan.home, "mesh.db*")):  # what it heard of all of them
            os.unlink(name)
        dan.start()
        good(dan.home, "peers", "add", ids[one], f"127.0.0.1:{one.port}")
        waker = threading.Timer(1, os.kill, (one.process.pid, signal.SIGCONT))
        waker.start()
        code, _, said = run(dan.home, "vm", "request", "--image", "none-such", "--provider",
                            ids[one])
        waker.join()
        for each in (bob, cat):
            each.process.send_signal(signal.SIGCONT)
        assert code == REFUSED and says in said, said
        assert not says_not or says_not not in said, said
        dan.end()


def test_an_offer_is_told_where_those_are_who_are_named(make):
    """ann is in two networks and lends to bob of one: in the other nothing is told of it."""
    ann, bob, cat = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob", "cat"))
    for one, lab in ((bob, "lab"), (cat, "club")):
        good(ann.home, "network", "create", "--name", lab)
        link = good(ann.home, "network", "invite", lab, f"--at=127.0.0.1:{ann.port}")
        good(one.home, "network", "join", "-", "--name", lab, stdin=link)
        good(one.home, "ping", "ann", "-c", "1")
    good(ann.home, *LENDS[:-1], "bob.lab")
    assert wait_until(lambda: lenders(bob) == {"ann"}, 60)
    assert lenders(cat) == set()
    # Control: cat hears of it as soon as it is named, too.
    good(ann.home, "provide", "on", "--to", "bob.lab", "--to", "cat.club")
    assert wait_until(lambda: lenders(cat) == {"ann"}, 60)
