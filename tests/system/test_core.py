"""Who crashes with secrets in its memory leaves no core file, where others do."""

import fcntl
import glob
import os
import resource
import shutil
import signal
import struct
import subprocess
import termios

import pytest

from commands import data, environment_of, good
from daemon import program, wait_until
from fixtures import ALONE, need
from test_secrets import found, join_words, secrets_in

PATTERN = "/proc/sys/kernel/core_pattern"
SIGNALS = [signal.SIGSEGV, signal.SIGABRT]


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="cwd")
def where_cores_go(folder, monkeypatch):
    """The folder in which what a test starts would leave its core, of whatever size."""
    with open(PATTERN, encoding="utf-8") as file:
        pattern = file.read().strip()
    if not pattern or pattern[0] in "|/":
        pytest.skip(f"core files go to \"{pattern}\" here, not into the folder of who crashed")
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        pytest.skip("this user may have no core files at all")
    # A build with sanitizers would catch the signal itself.
    options = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{options}:handle_segv=0:handle_abort=0".lstrip(":"))
    monkeypatch.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield folder
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def cores(folder):
    """The core files there, which are away afterwards."""
    found = glob.glob(os.path.join(folder, "core*"))
    for path in found:
        os.unlink(path)
    return found


def crash(process, number):
    """@process gets the signal @number and ends by it."""
    process.send_signal(number)
    assert process.wait(30) == -number


def sleeper_leaves_one(folder, number):
    """The control: a program like any other, of the same user, limits and folder."""
    with subprocess.Popen(["sleep", "600"]) as other:
        crash(other, number)
    return len(cores(folder)) == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_daemon_leaves_no_core(make, cwd, number):
    """It has a closed network's secret and authority, and a home's seed."""
    daemon = make("home", ALONE).start()
    good(daemon.home, "network", "create", "--name", "lab")
    crash(daemon.process, number)
    assert not cores(cwd)
    assert sleeper_leaves_one(cwd, number)
    daemon.start()  # and nothing was lost
    assert [n["name"] for n in data(daemon.home, "network", "list")["networks"]] == ["lab"]


def unread(pipe):
    """Bytes that wait in @pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


@pytest.mark.parametrize("number", SIGNALS)
def test_command_leaves_no_core(make, cwd, number):
    """It has read a link, or most of it, and waits for more."""
    daemon = make("home", ALONE).start()
    good(daemon.home, "network", "create", "--name", "lab")
    link = good(daemon.home, "network", "invite", "lab", f"--at=127.0.0.1:{daemon.port}").strip()
    argv = [program("omerta"), "network", "join", "-", "--name", "again"]
    with subprocess.Popen(argv, env=environment_of(daemon.home), stdin=subprocess.PIPE) as command:
        command.stdin.write(link.encode())
        command.stdin.flush()
        assert wait_until(lambda: unread(command.stdin.fileno()) == 0, 30)
        crash(command, number)
    assert not cores(cwd)
    assert sleeper_leaves_one(cwd, number)


def dumped(pid, folder):
    """What gdb writes down of the process @pid, as the kernel would at a crash."""
    done = subprocess.run(["gcore", "-o", os.path.join(folder, "core"), str(pid)], text=True,
                          capture_output=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
    path = os.path.join(folder, f"core.{pid}")
    assert os.path.exists(path), done
    with open(path, "rb") as file:
        written = file.read()
    os.unlink(path)
    return written


def test_root_who_dumps_a_daemon_gets_no_secret(make, folder):
    """gcore, by root and with no limit: none of what the files of a home keep is in what it writes;
    the same search finds the secret that another program holds, and the daemon's own home."""
    if not shutil.which("gcore"):
        pytest.skip("needs gdb")
    daemon = make("home", ALONE).start()
    good(daemon.home, "network", "create", "--name", "lab")
    link = good(daemon.home, "network", "invite", "lab", f"--at=127.0.0.1:{daemon.port}").strip()
    needles = secrets_in(daemon.home) | join_words(link) | {"link": link.encode()}
    assert {"identity", "lab", "authority of lab", "J", "invite key"} <= set(needles)
    try:
        os.close(os.open(f"/proc/{daemon.process.pid}/mem", os.O_RDONLY))
    except PermissionError as why:
        pytest.skip(f"needs CAP_SYS_PTRACE to read the memory of a daemon: {why}")
    written = dumped(daemon.process.pid, folder)
    assert len(written) > 1 << 20 and daemon.home.encode() in written
    assert not found(needles, written)
    planted = needles["lab"].hex()
    with subprocess.Popen(["sleep", "600"], env={"PLANTED": planted}) as other:
        assert found(needles, dumped(other.pid, folder)) == ["lab"]
        other.kill()
