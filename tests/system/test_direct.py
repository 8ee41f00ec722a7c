"""Until when the link of a direct network lets somebody in."""

import os
import re
import struct
import time

import pytest

from commands import data, good, refused, run
from daemon import wait_until
from fixtures import ALONE, need

REFUSED = 4
REFUSED_KEY = "handshake_credential"  # of the drops: somebody who may not come
DAY_S = 86400
SECONDS = 30


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="three")
def three_daemons(make):
    """Daemons that do not know of each other."""
    return [make(name, ALONE).start() for name in ("first", "second", "third")]


def show(daemon, name):
    """All that @daemon tells of the network @name."""
    return data(daemon.home, "network", "show", name)


def link_of(daemon, name):
    """The link of a new network @name, for two who follow it."""
    return good(daemon.home, "key", "link", "--name", name, "--uses", "2",
                f"--at=127.0.0.1:{daemon.port}").strip()


def as_of_old(link):
    """@link as it was before it said whose it is, and who that is."""
    return re.fullmatch("(.*)&peer=([a-z2-7]{52})", link).groups()


def follow(daemon, link, name):
    """@daemon follows @link, of either form."""
    if "&peer=" in link:
        good(daemon.home, "network", "join", "-", "--name", name, stdin=link)
    else:
        old, peer = link.split()
        code, _, said = run(daemon.home, "network", "join", "-", "--name", name, "--peer", peer,
                            stdin=old)
        assert code == 0 and "warning: the link does not say whose it is" in said


def meet(daemon, name):
    """True once @daemon has a session in the network @name."""
    return wait_until(lambda: show(daemon, name)["connected"] > 0, SECONDS)


def follow_in_vain(first, daemon, link, name):
    """@daemon follows @link, which @first gives no answer; its key there."""
    text, _, peer = link.partition(" ")
    before = data(first.home, "status")["drops"].get(REFUSED_KEY, 0)
    daemon.rpc("networks.join", link=text, name=name, **({"peer": peer} if peer else {}))
    assert wait_until(lambda: data(first.home, "status")["drops"].get(REFUSED_KEY, 0) > before,
                      SECONDS)
    assert show(daemon, name)["connected"] == 0
    return show(daemon, name)["self"]


def let_end(home, network, left):
    """The link of @network in the stopped @home, with @left uses, is over since a second ago."""
    path, now = os.path.join(home, "networks", network), int(time.time())
    with open(path, "rb") as file:
        kept = file.read()
    ends = [m.start(1) for m in re.finditer(rb"\x01[\0-\x08]%c(?=(.{8}))" % left, kept, re.S)
            if now + DAY_S - 600 < struct.unpack(">Q", m[1])[0] <= now + DAY_S]
    assert len(ends) == 1
    with open(path, "wb") as file:
        file.write(kept[:ends[0]] + struct.pack(">Q", now - 1) + kept[ends[0] + 8:])


@pytest.mark.parametrize("form", ["new", "old"])
def test_direct_link_ends_after_a_day(three, form):
    """Who followed it by then stays, nobody comes after that, and nobody is given it; beside it a
    link of the same daemon that is not over lets the same two in."""
    first, second, third = three
    links = {name: link_of(first, name) for name in ("over", "good")}
    if form == "old":
        links = {name: " ".join(as_of_old(link)) for name, link in links.items()}
    for name, link in links.items():
        follow(second, link, name)
        assert meet(first, name)
    own = {name: show(second, name)["self"] for name in links}
    assert wait_until(lambda: all(show(first, n)["pins"] == [own[n]] for n in links), SECONDS)
    first.end()
    let_end(first.home, show(second, "over")["id"], left=1)
    first.start()
    assert [show(first, name)["pins_left"] for name in ("over", "good")] == [0, 1]
    refused(first.home, "key", "link", "over", code=REFUSED, says=["older than a day"])
    assert good(first.home, "key", "link", "good", f"--at=127.0.0.1:{first.port}")
    third_key = follow_in_vain(first, third, links["over"], "over")
    follow(third, links["good"], "good")
    assert meet(third, "good") and meet(second, "over")
    assert wait_until(lambda: len(show(first, "good")["pins"]) == 2, SECONDS)
    assert show(first, "over")["pins"] == [own["over"]]
    assert third_key not in good(first.home, "peers", "--json")
    good(second.home, "message", show(first, "over")["self"], "still", "--wait",
         "--network", "over")
