"""demos/quickstart.sh in the middle of its story: what ends it leaves nothing of it behind."""

import contextlib
import os
import shutil
import signal
import subprocess

import pytest

from daemon import wait_until
from fixtures import need

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.path.join(os.environ.get("OMERTA_BIN", os.path.join(ROOT, "build/dev/bin")), "..")
SECONDS = 60  # on a busy machine
DAEMONS = 3


@pytest.fixture(autouse=True)
def programs():
    """Without namespaces the story is another."""
    need("omerta", "omerta-meshd")
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for program in ("unshare", "setpriv", "ip", "nft"):
        if shutil.which(program, path=path) is None:
            pytest.skip(f"{program} is not installed")
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    done = subprocess.run(["unshare", flags, "mount", "-t", "tmpfs", "tmpfs", "/run"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no namespaces can be made: {done.stderr.strip()}")


def told_of(folder):
    """The processes that have @folder in their command line: {pid: words}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if any(str(folder).encode() in word for word in words):
            found[int(pid)] = words
    return found


def networks():
    """The network namespaces that processes are in, as far as we may look."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            continue
    return found


@contextlib.contextmanager
def held(pids):
    """The names of the network namespaces of @pids but ours; open, so that no others get them."""
    files = [os.open(f"/proc/{pid}/ns/net", os.O_RDONLY) for pid in pids]
    try:
        names = {os.readlink(f"/proc/self/fd/{file}") for file in files}
        yield names - {os.readlink("/proc/self/ns/net")}
    finally:
        for file in files:
            os.close(file)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130),
                                          (signal.SIGKILL, -signal.SIGKILL)])
def test_ended_in_the_middle(tmp_path, number, code):
    """Ctrl-C and kill -9, once the daemons run: no process, no namespace, no folder."""
    log = tmp_path / "log"
    folder = tmp_path / "work"
    folder.mkdir()
    with open(log, "wb") as out:
        story = subprocess.Popen(
            [os.path.join(ROOT, "demos", "quickstart.sh"), "--built", BUILD, "--no-vm"],
            env=dict(os.environ, TMPDIR=str(folder)), stdin=subprocess.DEVNULL, stdout=out,
            stderr=out)

        def daemons():
            running = told_of(folder).items()
            return {pid for pid, words in running if words[0].endswith(b"omerta-meshd")}

        assert wait_until(lambda: len(daemons()) == DAEMONS or story.poll() is not None, SECONDS)
        assert story.poll() is None, log.read_text()
        nas = [pid for pid, words in told_of(folder).items() if words[0].endswith(b"python3")]
        with held(nas) as inside:  # its page
            assert inside
            story.send_signal(number)
            assert story.wait(SECONDS) == code, log.read_text()
            assert wait_until(lambda: not told_of(folder), SECONDS), told_of(folder)
            assert wait_until(lambda: not inside & networks(), SECONDS), inside
    if number != signal.SIGKILL:  # who is killed cleans up nothing: only what ran is gone
        assert not os.listdir(folder)
