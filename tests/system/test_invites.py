"""What an invitation is still good for once the daemon that gave it out was started again."""

import os
import resource

import pytest

from commands import data, good, refused
from daemon import wait_until
from fixtures import ALONE, need

REFUSED = 4


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="three")
def admin_and_two(make):
    """The admin of the network "lab", and two who are not in it."""
    admin, *others = (make(name, ALONE).start() for name in ("admin", "one", "two"))
    good(admin.home, "network", "create", "--name", "lab")
    return admin, *others


def invite(admin, *more):
    """A link into the network of @admin."""
    return good(admin.home, "network", "invite", "lab", f"--at=127.0.0.1:{admin.port}",
                *more).strip()


def join(daemon, link):
    """@daemon follows @link."""
    return data(daemon.home, "network", "join", "-", "--name", "lab", stdin=link)


def again(daemon, end):
    """@daemon ends as @end has it end, and starts."""
    end()
    daemon.start()


def test_who_has_just_joined_is_reached(three):
    """By one ping, though in that moment the session to join is over and the other not begun."""
    admin, one, _ = three
    key = one.rpc("networks.join", link=invite(admin), name="lab")["self"]
    with admin.control() as control:
        control.rpc("ping.start", peer=key, count=1, network="lab")
        pong = control.event(lambda e: e["method"] == "pong", 20)["params"]
    assert pong["rtt_ms"] is not None, pong


@pytest.mark.parametrize("how", ["end", "kill"])
def test_invitation_over_a_restart(three, how):
    """Used once it is used, however soon after that the admin dies; unused it goes on to count."""
    admin, one, two = three
    used, unused = invite(admin), invite(admin)
    again(admin, getattr(admin, how))
    join(one, used)
    again(admin, getattr(admin, how))
    refused(two.home, "network", "join", "-", code=REFUSED, says=["used"], stdin=used)
    join(two, unused)


def test_uses_are_counted_over_restarts(make, three):
    """Of two uses one is left after the restart; who was let in by it may ask again."""
    admin, one, two = three
    link = invite(admin, "--uses", "2")
    self = join(one, link)["self"]
    again(admin, admin.kill)
    good(one.home, "network", "leave", "lab")
    assert join(one, link)["self"] == self
    again(admin, admin.kill)
    join(two, link)
    again(admin, admin.kill)
    last = make("last", ALONE).start()
    refused(last.home, "network", "join", "-", code=REFUSED, says=["used"], stdin=link)
    join(last, invite(admin))
    assert wait_until(lambda: data(admin.home, "network", "show", "lab")["connected"] == 3, 30)


def set_largest_file(daemon, size):
    """@daemon can make no file larger than that, until it is started again."""
    pid, limit = daemon.process.pid, resource.RLIMIT_FSIZE
    _, most = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (size, most))


def test_invitation_where_the_disk_is_full(three):
    """Nobody is let in whom a restart would forget, and the one use is not lost; the admin says so
    once."""
    admin, one, two = three
    link, other = invite(admin), invite(admin)
    made = data(admin.home, "network", "show", "lab")["id"]
    issued = os.path.join(admin.home, "networks", made + ".issued")

    def try_join():
        refused(one.home, "network", "join", "-", code=REFUSED, says=["cannot keep it"], stdin=link)

    os.mkdir(issued)  # its log can be written meanwhile, unlike with the limit below
    try_join()
    try_join()
    assert admin.log().count("cannot be kept") == 1, admin.log()
    os.rmdir(issued)
    with open(issued, "wb") as file:
        file.truncate(16 << 20)  # it is as long as it may be
    try_join()
    os.unlink(issued)
    set_largest_file(admin, 0)
    try_join()
    again(admin, admin.kill)
    join(two, link)
    refused(one.home, "network", "join", "-", code=REFUSED, says=["used"], stdin=link)
    join(one, other)


def standings(daemon):
    """What @daemon thinks of the members of "lab"."""
    members = data(daemon.home, "network", "members", "lab", "--all")["members"]
    return {member["standing"] for member in members}


def test_revocation_where_the_disk_is_full(three):
    """Who cannot be put out for good is not put out at all, and the user is told so; else the admin
    would have told others what it does not know itself after its next start."""
    admin, one, two = three
    for daemon, name in ((one, "one"), (two, "two")):
        good(daemon.home, "network", "join", "-", "--name", "lab", "--as", name,
             stdin=invite(admin))
    given = invite(admin)
    set_largest_file(admin, 0)
    for what in (["one"], ["--invite", given]):
        refused(admin.home, "network", "revoke", *what, code=REFUSED, says=["cannot be kept"])
    assert standings(admin) == standings(two) == {"good"}
    again(admin, admin.kill)
    good(admin.home, "network", "revoke", "one")
    assert standings(admin) == {"good", "revoked"}
    assert wait_until(lambda: standings(two) == {"good", "revoked"}, 30)


def test_ledger_that_is_full_is_written_anew(three):
    """The file of what admins signed has a bound; behind it goes on what it was for. Where the new
    file finds no room, the old one is as it was."""
    admin, one, _ = three
    good(one.home, "network", "join", "-", "--name", "lab", "--as", "one", stdin=invite(admin))
    made = data(admin.home, "network", "show", "lab")["id"]
    ledger = os.path.join(admin.home, "networks", made + ".ledger")
    with open(ledger, "r+b") as file:
        file.seek(0, os.SEEK_END)
        had = file.tell()
        file.truncate(96 << 20)  # zeros, each two of which say nothing
    set_largest_file(admin, had)
    refused(admin.home, "network", "revoke", "one", code=REFUSED, says=["cannot be kept"])
    assert os.path.getsize(ledger) == 96 << 20 and not os.path.exists(ledger + ".new")
    set_largest_file(admin, resource.RLIM_INFINITY)
    good(admin.home, "network", "revoke", "one")
    assert had < os.path.getsize(ledger) < had + 4096 and not os.path.exists(ledger + ".new")
    again(admin, admin.kill)
    assert standings(admin) == {"good", "revoked"}
    good(admin.home, "network", "revoke", "--invite", invite(admin))
