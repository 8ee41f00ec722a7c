"""A closed network's secret after somebody was put out: kept, private, in use after a restart."""

import os
import stat

import pytest

from commands import data, good, run
from daemon import wait_until
from fixtures import ALONE, need


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def file_of(daemon):
    """The file of the only network of @daemon."""
    folder = os.path.join(daemon.home, "networks")
    [name] = [n for n in os.listdir(folder) if "." not in n]
    return os.path.join(folder, name)


def epoch(daemon):
    """Number and secret, as they are kept."""
    with open(file_of(daemon), "rb") as file:
        raw = file.read()
    return int.from_bytes(raw[35:39], "big"), raw[39:71]


def test_secret_changes_and_is_kept(make):
    """ann puts cat out; half a minute later ann and bob go by another secret, cat by the old."""
    names = ("ann", "bob", "cat", "dan", "eve")
    ann, bob, cat, dan, eve = [make(name, [*ALONE, "--name", name]).start() for name in names]
    good(ann.home, "network", "create", "--name", "lab")
    link = good(ann.home, "network", "invite", "lab", "--uses", "3",
                f"--at=127.0.0.1:{ann.port}").strip()
    for other in (bob, cat):
        good(other.home, "network", "join", "-", "--name", "lab", stdin=link)
    old = epoch(ann)
    assert epoch(bob) == epoch(cat) == old
    good(ann.home, "network", "revoke", "--yes", "cat")
    assert wait_until(lambda: epoch(ann)[0] == epoch(bob)[0] == old[0] + 1, 60)
    assert epoch(ann) == epoch(bob) and epoch(ann)[1] != old[1]
    assert epoch(cat) == old
    assert stat.S_IMODE(os.stat(file_of(ann)).st_mode) == 0o600
    new = epoch(ann)
    fresh = good(ann.home, "network", "invite", "lab", f"--at=127.0.0.1:{ann.port}").strip()
    for other, by in ((dan, link), (eve, fresh)):  # from before the change, and after it
        good(other.home, "network", "join", "-", "--name", "lab", stdin=by)
        assert epoch(other) == new
    good(ann.home, "network", "revoke", "--yes", "--now", "dan")  # not an hour after the last one
    assert wait_until(lambda: epoch(ann)[0] == epoch(bob)[0] == epoch(eve)[0] == new[0] + 1, 20)
    assert epoch(dan) == new
    new = epoch(ann)
    for daemon in (ann, bob):
        daemon.end()
    for daemon in (ann, bob):
        daemon.start()
    assert wait_until(lambda: data(bob.home, "network", "show", "lab")["connected"] >= 1, 60)
    good(bob.home, "ping", "ann", "-c", "1")
    assert epoch(ann) == epoch(bob) == new
    for daemon in (ann, bob):
        for name in os.listdir(os.path.join(daemon.home, "logs")):
            with open(os.path.join(daemon.home, "logs", name), "rb") as file:
                text = file.read()
            assert new[1] not in text and new[1].hex().encode() not in text
            assert b"not taken back" not in text and b"cannot be kept" not in text


def test_outdated_secret_is_said(make):
    """Whose secret is too old is told by its own daemon: nobody else can speak to it."""
    ann, bob = [make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob")]
    good(ann.home, "network", "create", "--name", "lab")
    link = good(ann.home, "network", "invite", "lab", f"--at=127.0.0.1:{ann.port}").strip()
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=link)
    peer = data(ann.home, "network", "show", "lab")["self"]
    assert run(bob.home, "why", peer)[0] == 0
    assert "network" not in [one["check"] for one in bob.rpc("doctor.daemon")["checks"]]
    bob.end()
    with open(file_of(bob), "r+b") as file:
        file.seek(39)
        file.write(bytes(32))
    bob.start()
    assert wait_until(lambda: "new invitation is needed" in run(bob.home, "why", peer)[1], 60)
    assert "network lab" in run(bob.home, "ping", peer, "-c", "1")[2]
    assert "WARN network: nobody answers in network lab" in run(bob.home, "doctor")[1]
