"""Certificates of a closed network weeks later: members renew theirs, those put out do not."""

import base64
import datetime
import glob
import os
import shutil
import stat
import subprocess
import time

import pytest

from commands import data, good, run
from daemon import Daemon, wait_until
from fixtures import ALONE, need

DAY_S = 86400
LIFE_S = 90 * DAY_S  # of a certificate; from half of it on it is renewed
SECONDS = 60
REFUSED_KEY = "handshake_credential"  # of the drops: somebody who may not come
HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(autouse=True)
def programs():
    """Without the programs, and a compiler for calendar.c, there is nothing to test."""
    need("omerta", "omerta-meshd")
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")


class Later(Daemon):
    """A daemon whose calendar is @days ahead; its other clocks are right."""

    days = 0

    def argv(self):
        """env becomes the daemon: it is that process that is ended."""
        options = os.environ.get("ASAN_OPTIONS", "")  # whose library is not the first then
        return ["env", f"LD_PRELOAD={os.path.dirname(self.home)}/calendar.so",
                f"OMERTA_TEST_AHEAD_S={self.days * DAY_S}",
                f"ASAN_OPTIONS={options}:verify_asan_link_order=0", *super().argv()]


@pytest.fixture(name="three")
def three_members(folder):
    """ann, who made lab, bob and cat, whom she invited; none of them runs any more."""
    subprocess.run(["cc", "-shared", "-fPIC", "-o", os.path.join(folder, "calendar.so"),
                    os.path.join(HERE, "calendar.c")], check=True)
    three = [Later(os.path.join(folder, name), [*ALONE, "--name", name, "--log-level", "debug"])
             for name in ("ann", "bob", "cat")]
    for daemon in three:
        daemon.start()
    ann = three[0]
    good(ann.home, "network", "create", "--name", "lab")
    link = good(ann.home, "network", "invite", "lab", "--uses", "2",
                f"--at=127.0.0.1:{ann.port}").strip()
    for other in three[1:]:
        good(other.home, "network", "join", "-", "--name", "lab", stdin=link)
    for daemon in three:
        daemon.key = show(daemon)["self"]
        daemon.end()
    yield three
    for daemon in three:
        daemon.end()


def show(daemon):
    """All that is told of lab."""
    return data(daemon.home, "network", "show", "lab")


def kept(daemon):
    """Until when the certificate in the file of @daemon holds; it is of that daemon's key."""
    [path] = [path for path in glob.glob(os.path.join(daemon.home, "networks", "*"))
              if "." not in os.path.basename(path)]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, "rb") as file:
        raw = file.read()
    key = base64.b32decode(daemon.key.upper() + "=" * (-len(daemon.key) % 8))
    # version, roles, number, issued, expires, 8 bytes of the invitation, overlay address, key
    at = raw.rindex(key) - 26
    assert raw[at] == 1
    return int.from_bytes(raw[at + 10:at + 14], "big")


def at(daemon, days):
    """Starts @daemon @days later."""
    daemon.days = days
    return daemon.start()


def shown(daemon, key):
    """Until when the certificate that @key showed to @daemon holds."""
    for member in data(daemon.home, "network", "members", "--all")["members"]:
        if member["id"] == key:
            return int(datetime.datetime.fromisoformat(member["expires"]).timestamp())
    return 0


def test_renewal_of_a_member_in_good_standing(three):
    """bob's certificate is another 50 days later, once ann is there; cat, whom she put out, has no
    other; and bob's is in use after a restart, when the first one had ended."""
    ann, bob, cat = three
    begun = time.time()
    first, untouched = kept(bob), kept(cat)
    assert abs(first - begun - LIFE_S) < 600 and abs(untouched - first) < 600
    at(bob, 40).end()  # it has time
    assert kept(bob) == first
    at(bob, 50)
    with bob.events() as events:
        assert show(bob)["connected"] == 0 and kept(bob) == first  # nobody is there to ask
        at(ann, 50)
        good(ann.home, "network", "revoke", "--yes", cat.key, "--network", "lab")
        at(cat, 50)
        assert wait_until(lambda: kept(bob) > first, SECONDS), bob.log()
        assert events.event(lambda e: "renewed" in str(e), SECONDS)
    second = kept(bob)
    assert abs(second - begun - 50 * DAY_S - LIFE_S) < 600
    assert run(cat.home, "ping", ann.key, "-c", "1")[0] == 1
    assert wait_until(lambda: data(ann.home, "status")["drops"].get(REFUSED_KEY), SECONDS)
    assert wait_until(lambda: show(cat)["connected"] == 0, SECONDS)  # bob may hear of it later
    assert kept(cat) == untouched
    for daemon in three:
        daemon.end()
    for daemon in three:
        at(daemon, 92)  # the first is over, by more than calendars may differ
    assert wait_until(lambda: shown(ann, bob.key) == second, SECONDS), bob.log()
    good(bob.home, "ping", ann.key, "-c", "1")
    assert kept(bob) == second and kept(cat) == untouched
    assert run(cat.home, "ping", ann.key, "-c", "1")[0] == 1
