"""A daemon that lives long, and a home that is started and stopped again and again."""

import os
import shutil
import subprocess

import pytest

from daemon import Daemon, knows, program, talk
from fixtures import need
from omerta_lab import wait_until

CYCLES = int(os.environ.get("OMERTA_CYCLES", "100"))
CONNECTIONS = 1000
RELOADS = 200
WARM = 100  # connections and reloads before the first count: allocators grow to their size
SLACK_KB = 256
# Present only while a daemon runs, or while something is being written.
PASSING = (".sock", "-wal", "-shm", "-journal", ".tmp", ".new", ".part")


def files(folder):
    """Every file below @folder, by its path in it."""
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


def passing(folder):
    """Of these, what a stopped daemon must not leave."""
    return {name for name in files(folder) if name.endswith(PASSING)}


def descriptors(pid):
    """How many files the process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def quiet_descriptors(daemon):
    """The fewest it has open in half a second: what it writes or tells in passing is closed."""
    counts = [descriptors(daemon.process.pid)]
    wait_until(lambda: counts.append(descriptors(daemon.process.pid)), 0.5)
    return min(counts)


def anonymous_kb(pid):
    """Its memory that no file backs."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def test_start_stop_cycles(daemon):
    version, first_id = daemon.rpc("version"), daemon.self_id()
    quiet = quiet_descriptors(daemon)
    assert passing(daemon.home), "the control: a running daemon has files that go with it"
    assert daemon.stop() == 0, daemon.log()
    kept = files(daemon.home)
    for cycle in range(CYCLES):
        daemon.start()
        assert daemon.rpc("version") == version, cycle
        assert wait_until(lambda: descriptors(daemon.process.pid) == quiet), cycle
        assert daemon.stop() == 0, (cycle, daemon.log())
        assert not passing(daemon.home), cycle
        assert files(daemon.home) == kept, cycle
    daemon.start()
    assert daemon.self_id() == first_id


def come_and_go(daemon, connections, reloads):
    """So many control connections, one after the other, and reloads among them."""
    done = 0
    for i in range(connections):
        with daemon.control() as control:
            control.rpc("version")
            while done * connections < reloads * (i + 1):
                control.rpc("config.reload")
                done += 1


def test_connections_and_reloads_leave_nothing(daemon):
    pid = daemon.process.pid
    quiet = quiet_descriptors(daemon)
    come_and_go(daemon, WARM, WARM)
    assert wait_until(lambda: descriptors(pid) == quiet), descriptors(pid)
    memory = anonymous_kb(pid)
    with daemon.control() as held:
        held.rpc("version")
        assert wait_until(lambda: descriptors(pid) == quiet + 1), "a held connection is seen"
    assert wait_until(lambda: descriptors(pid) == quiet)
    come_and_go(daemon, CONNECTIONS, RELOADS)
    assert wait_until(lambda: descriptors(pid) == quiet), descriptors(pid)
    grown = anonymous_kb(pid) - memory
    print(f"RssAnon {memory} kB, {grown:+d} kB after {CONNECTIONS} connections, {RELOADS} reloads")
    assert grown <= SLACK_KB


KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "endurance.supp")


class Checked(Daemon):
    """A daemon under valgrind, which knows no seccomp and takes its time."""

    ready_seconds = 60

    def argv(self):
        return ["valgrind", "--leak-check=full", "--errors-for-leak-kinds=all",
                "--show-leak-kinds=all", f"--suppressions={KEPT}", *super().argv(), "--no-seccomp"]


def test_valgrind_finds_nothing(make, folder):
    need("omerta-meshd")
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed (Debian: valgrind)")
    linked = subprocess.run(["ldd", program("omerta-meshd")], capture_output=True, text=True,
                            check=True).stdout
    if "libasan" in linked:
        pytest.skip("built with AddressSanitizer, which excludes valgrind")
    other = make("other", ["--no-portmap"]).start()
    checked = Checked(os.path.join(folder, "checked"), other.bootstrap())
    try:
        checked.start()
        assert knows(checked, [other.self_id()], 60)
        with checked.events() as control:
            control.rpc("ping.start", peer=other.self_id(), count=1)
            control.event(lambda e: "rtt" in str(e), 20)
        assert talk(checked, other, "under valgrind", 60)
        checked.process.terminate()
        assert checked.wait(60) == 0, checked.log()
    finally:
        checked.end()
    said = checked.log()
    assert "ERROR SUMMARY: 0 errors" in said, said
    for kind in ("definitely lost", "indirectly lost", "possibly lost", "still reachable"):
        assert f"{kind}: 0 bytes" in said or "no leaks are possible" in said, said
