"""fixtures.py - homes and daemons, for the system tests and for those of the lab."""

import os
import shutil
import tempfile

import pytest

from daemon import Daemon, program

# Other daemons of this machine, of other tests perhaps, would be found by multicast; and the
# router of whoever runs the tests is to be left alone.
ALONE = ["--no-lan", "--no-portmap"]


def need(*names):
    """Skips the test where a program was not built."""
    for name in names:
        if not os.access(program(name), os.X_OK):
            pytest.skip(f"{program(name)} is not built")


@pytest.fixture
def folder():
    """A folder whose path is short: a home's Unix sockets must fit into 108 bytes."""
    path = tempfile.mkdtemp(prefix="om-")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(folder):
    """A home that does not exist yet."""
    return os.path.join(folder, "home")


@pytest.fixture
def make(folder):
    """make(name, args=(), ...) - a Daemon that is ended with the test; not started."""
    need("omerta-meshd")
    made = []

    def build(name, args=(), **options):
        made.append(Daemon(os.path.join(folder, name), args, **options))
        return made[-1]

    yield build
    for daemon in made:
        daemon.end()


@pytest.fixture
def daemon(make):
    """One daemon on the loopback, ready."""
    return make("home", ALONE).start()


@pytest.fixture
def pair(make):
    """Two daemons on the loopback; the second was told of the first."""
    first = make("first", ALONE).start()
    return first, make("second", ALONE + first.bootstrap()).start()


@pytest.fixture
def five(make, lab):
    """Five daemons on five hosts of one segment; four of them were told of the first."""
    names = [f"h{i}" for i in range(1, 6)]
    lab.host(*names)
    lab.segment("lan", *names)
    daemons = []
    for i, name in enumerate(names, 1):
        lab.address(name, "eth0", f"10.0.0.{i}/24", f"fd00::{i}/64")
        args = daemons[0].bootstrap("10.0.0.1") if daemons else []
        daemons.append(make(name, args, lab=lab, host=name, port=18002).start())
    return daemons
