"""The longest invitation that there is, on a terminal and before a camera."""

import base64
import re

import pytest

from camera import on_terminal, seen
from commands import data, good
from daemon import wait_until
from fixtures import ALONE, need

PLACES = ["10.9.0.1/24", "10.9.0.2/24", "fd09::1/64"]  # as many as a link has room for
GRANT, ADMIN, PLACE = 116, 110, 32 + 18
LONGEST = 1 + 32 + 4 + 32 + 32 + GRANT + ADMIN + 3 * PLACE + 4  # join_link.h
COLUMNS = 97


def bytes_of(link):
    """What the text of @link stands for."""
    raw = link.rpartition("/")[2]
    return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))


def invite(daemon, *more):
    """An invitation as @daemon, who knows where it is found, gives it out."""
    return good(daemon.home, "network", "invite", "lab", *more).splitlines()[-1]


@pytest.fixture(name="two")
def creator_and_admin(lab, make):
    """Two on one host with three addresses: who made the network, and an admin by invitation."""
    need("omerta-meshd", "omerta")
    lab.host("house")
    lab.segment("lan", "house")
    lab.address("house", "eth0", *PLACES)
    daemons = [make(name, ALONE, lab=lab, host="house").start() for name in ("maker", "admin")]
    maker, admin = daemons
    good(maker.home, "network", "create", "--name", "lab")
    assert len(bytes_of(invite(maker))) == LONGEST - ADMIN
    link = invite(maker, "--role", "admin")
    good(admin.home, "network", "join", "-", "--name", "lab", stdin=link)
    return daemons


def test_longest_link_is_read_back(two):
    """A camera sees just what is printed, of the invited admin's link and of one for an admin; a
    terminal of one column less gets a sentence and the link, and no code."""
    maker, admin = two
    for daemon, more, size in ((admin, [], LONGEST),
                               (maker, ["--role", "admin"], LONGEST - ADMIN)):
        argv = ["network", "invite", "lab", "--qr", *more]
        code, said = on_terminal(daemon.home, 200, *argv)
        assert code == 0
        wide = seen(said, daemon.home)
        assert (wide == COLUMNS) == (size == LONGEST) and wide <= COLUMNS
        assert len(bytes_of(said.splitlines()[-1])) == size
        code, said = on_terminal(daemon.home, wide, *argv)
        assert code == 0 and seen(said, daemon.home) == wide
        code, said = on_terminal(daemon.home, wide - 1, *argv)
        assert code == 1 and "█" not in said
        assert f"is {wide} columns wide and this terminal {wide - 1}" in said
        [link] = re.findall("^omerta://join/.*$", said, re.M)
        assert len(bytes_of(link.strip())) == size


def test_longest_link_is_followed(two, make):
    """It is no picture only: who reads it is let in."""
    link = invite(two[1])
    assert len(bytes_of(link)) == LONGEST
    maker = two[0]
    guest = make("guest", ALONE, lab=maker.lab, host=maker.host).start()
    good(guest.home, "network", "join", "-", "--name", "lab", stdin=link)
    assert wait_until(lambda: data(guest.home, "network", "show", "lab")["connected"] > 0, 30)
