"""demos/quickstart.sh with its machine: Ctrl-C as it boots leaves nothing, and then it runs."""

import os
import signal
import subprocess

from daemon import program, wait_until
from fixtures import need
from test_quickstart import ROOT, held, networks, told_of
from vmlab import BOOT_SECONDS, CACHE, END_SECONDS

SECONDS = 300  # of the whole story: what a second run may take on two cores


def begin(folder, log):
    """The story, in a process group of its own as at a terminal, with its files in @folder."""
    build = os.path.dirname(os.path.dirname(os.path.abspath(program("omerta"))))
    with open(log, "wb") as out:
        return subprocess.Popen(
            [os.path.join(ROOT, "demos", "quickstart.sh"), "--built", build],
            env=dict(os.environ, TMPDIR=folder, OMERTA_VM_CACHE=CACHE),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0)


def test_ctrl_c_as_the_machine_boots(image, folder, tmp_path):
    need("omerta", "omerta-meshd")
    assert image
    log = tmp_path / "log"

    def machines():
        return {pid for pid, words in told_of(folder).items()
                if words[0].endswith(b"qemu-system-x86_64")}

    story = begin(folder, log)
    assert wait_until(lambda: machines() or story.poll() is not None, BOOT_SECONDS)
    assert story.poll() is None, log.read_text()
    with held(machines()) as inside:
        assert inside and "held: it runs" not in log.read_text()
        os.killpg(story.pid, signal.SIGINT)
        assert story.wait(END_SECONDS) == 130, log.read_text()
        assert wait_until(lambda: not told_of(folder), END_SECONDS), told_of(folder)
        assert wait_until(lambda: not inside & networks(), END_SECONDS), inside
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        assert folder not in mounts.read()
    assert not os.listdir(folder)

    story = begin(folder, log)
    assert story.wait(SECONDS) == 0, log.read_text()
    assert "held: it runs" in log.read_text()
    assert not told_of(folder) and not os.listdir(folder)
