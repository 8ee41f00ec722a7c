"""Networks that get another name, and links that go as a picture or under a password."""

import os
import stat

import pytest

from camera import seen
from commands import contents, data, good, refused
from fixtures import ALONE, need

REFUSED = 4
PASSWORD = "a long password\n"


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def networks(daemon):
    """The networks of @daemon: what each is called, by id."""
    return {net["id"]: net["name"] for net in data(daemon.home, "network", "list")["networks"]}


def at(daemon):
    """Where @daemon is found."""
    return f"--at=127.0.0.1:{daemon.port}"


@pytest.fixture(name="both")
def of_both_kinds(daemon):
    """A daemon with the closed network "lab" and the direct one "us"; and their ids."""
    closed = data(daemon.home, "network", "create", "--name", "lab")["id"]
    good(daemon.home, "key", "link", "--name", "us", at(daemon))
    [direct] = set(networks(daemon)) - {closed}
    return daemon, closed, direct


def test_rename_lasts(both):
    """Another name, also one that differs in case only, is that after a restart too."""
    daemon, closed, direct = both
    for first, second in (("Lab", "Us"), ("team", "pair"), ("TEAM", "PAIR")):
        good(daemon.home, "network", "rename", networks(daemon)[closed], first)
        good(daemon.home, "network", "rename", networks(daemon)[direct], second)
        assert networks(daemon) == {closed: first, direct: second}
        assert daemon.stop() == 0
        daemon.start()
        assert networks(daemon) == {closed: first, direct: second}
    assert [data(daemon.home, "network", "show", name)["kind"] for name in ("team", "pair")] == \
        ["closed", "direct"]
    folder = os.path.join(daemon.home, "networks")
    assert all(stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600
               for name in os.listdir(folder))


def test_rename_to_a_taken_name(both):
    """What another network is called, in any case, or what it is called itself, changes nothing."""
    daemon, closed, direct = both
    before = contents(os.path.join(daemon.home, "networks"))
    for old, new in (("lab", "us"), ("lab", "US"), ("us", "Lab"), ("us", "us"), ("lab", "lab"),
                     ("us", "default"), ("lab", "Default")):
        refused(daemon.home, "network", "rename", old, new, code=REFUSED,
                says=[f"a network is called \"{new}\" already"])
    assert networks(daemon) == {closed: "lab", direct: "us"}
    assert contents(os.path.join(daemon.home, "networks")) == before


def test_link_of_a_direct_network_as_a_picture(both):
    """What a camera sees of key qr is what key link prints."""
    daemon, _, _ = both
    picture = good(daemon.home, "key", "qr", "us", at(daemon))
    link = good(daemon.home, "key", "link", "us", at(daemon)).strip()
    assert link.startswith("omerta://connect?key=") and link in picture
    assert seen(picture, daemon.home) <= 80


@pytest.mark.parametrize("name, kind", [("us", "direct"), ("lab", "closed")])
def test_link_under_a_password(both, make, name, kind):
    """key export seals the link of a direct network, and an invitation into a closed one: imported
    with its password and no other. Who was not the one that made the closed one exports none."""
    daemon, _, _ = both
    sealed = os.path.join(daemon.home, "sealed")
    good(daemon.home, "key", "export", sealed, name, at(daemon), stdin=PASSWORD)
    assert stat.S_IMODE(os.stat(sealed).st_mode) == 0o600
    with open(sealed, "rb") as file:
        assert b"omerta://" not in file.read()
    other = make("other", ALONE).start()
    refused(other.home, "key", "import", sealed, "--name", name, stdin="another password\n",
            says=["another password"])
    assert name not in networks(other).values()
    good(other.home, "key", "import", sealed, "--name", name, stdin=PASSWORD)
    assert data(other.home, "network", "show", name)["kind"] == kind
    refused(other.home, "key", "import", sealed, "--name", "again", stdin=PASSWORD, code=REFUSED,
            says=["in that network already"])
    assert list(networks(other).values()) == [name]
    again = os.path.join(other.home, "sealed")
    if kind == "closed":
        refused(other.home, "key", "export", again, name, at(other), stdin=PASSWORD, code=REFUSED,
                says=["only an admin of a closed network can invite into it"])
        assert not os.path.exists(again)
