"""vmlab.py - what the tests with virtual machines share: the image, and who asks whom."""

import contextlib
import glob
import os
import platform
import shutil
import subprocess

import pytest

from daemon import RpcError, program
from fixtures import ALONE
from omerta_lab import die_with_parent, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "..", "vm", "image", "build.sh")
CACHE = os.environ.get("OMERTA_VM_CACHE", os.path.join(HERE, "..", "..", "build", "tests", "vm"))
BOOT_SECONDS = 240
END_SECONDS = 60
SSH_SECONDS = 60
SMALL = {"memory": "192M", "disk": "256M", "ttl": "20m"}
ROOM = {"vms": 2, "cpus": 2, "memory": "1G", "disk": "2G"}


def built(name, *options):
    """The folder of a built-in image, built once and kept."""
    cache = os.path.join(os.path.abspath(CACHE), "service")
    out = os.path.join(cache, name)
    done = subprocess.run([BUILD, *options, "--cache", cache, "--out", out], capture_output=True,
                          text=True, check=False, timeout=500)
    mirror = os.path.join(HERE, "mirror.sh")
    if done.returncode and subprocess.run([mirror], check=False).returncode:
        pytest.skip("no mirror of Debian's answers this machine")
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def image():
    """The folder of the image "mini"."""
    if platform.machine() != "x86_64":
        pytest.skip("the images are for x86_64")
    for tool in ("qemu-system-x86_64", "qemu-img", "apt-get", "dpkg-deb", "lz4", "flock"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing")
    return built("mini")


def give_image(daemon, image):
    """The image, as "omerta image build" would have left it."""
    os.symlink(image, os.path.join(daemon.home, "images", "mini"))


def qemus(daemon):
    """Process ids of the QEMUs whose folder is in the home of @daemon."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        folder = os.path.join(daemon.home, "vms").encode()
        if words[0].endswith(b"qemu-system-x86_64") and any(folder in w for w in words):
            found.append(int(path.split("/")[2]))
    return found


def assert_nothing_left(daemon):
    """No process, no folder (and so no socket, disk or key)."""
    assert qemus(daemon) == []
    assert os.listdir(os.path.join(daemon.home, "vms")) == []


def provided(daemon):
    """What it says that it runs for others."""
    return daemon.rpc("vm.list")["provided"]


def wanted(daemon):
    """What it says that others run for it."""
    return daemon.rpc("vm.list")["vms"]


def until(control, state, seconds=BOOT_SECONDS):
    """The notification that tells of @state; a machine that is gone instead is a failure."""
    event = control.event(lambda e: e["method"] == "vm" and
                          e["params"]["state"] in (state, "gone"), seconds)["params"]
    assert event["state"] == state, event
    return event


def refusal(daemon, **words):
    """The sentence with which a request is refused."""
    with pytest.raises(RpcError) as why:
        daemon.rpc("vm.request", **words)
    return why.value.message


def has_session(daemon, peer):
    """Until @daemon holds a session with @peer."""
    def connected():
        return any(p["id"] == peer and p["connected"] for p in daemon.rpc("peers.list")["peers"])
    return wait_until(connected, 20)


def omerta(daemon, *argv, seconds=SSH_SECONDS, **options):
    """The command line in the home of @daemon, to its end."""
    return subprocess.run([program("omerta"), *argv], env=dict(os.environ, OMERTA_HOME=daemon.home),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=seconds, preexec_fn=die_with_parent, **options)


def inside(daemon, vm, command, code=0):
    """What @command prints in the guest."""
    done = omerta(daemon, "vm", "ssh", vm, command)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout


def running(daemon, name, **words):
    """Asks for a machine called @name, and waits until it runs; its id."""
    with daemon.control() as control:
        control.rpc("vm.request", name=name, **{**SMALL, **words})
        return until(control, "running")["vm"]


def counter(daemon, name):
    """How far the guest has counted."""
    return int(inside(daemon, name, "cat /tmp/count"))


def start_counter(daemon, name):
    """Has the guest count for as long as it lives."""
    inside(daemon, name, "(i=0; while :; do i=$((i+1)); echo $i >/tmp/new; mv /tmp/new /tmp/count; "
           "usleep 100000; done) >/dev/null 2>&1 </dev/null &")
    assert wait_until(lambda: omerta(daemon, "vm", "ssh", name, "test -s /tmp/count")
                      .returncode == 0, SSH_SECONDS)


@contextlib.contextmanager
def sitting(daemon, name):
    """An ssh that is open, and says a line each second."""
    process = subprocess.Popen([program("omerta"), "vm", "ssh", name,
                                "while :; do date; sleep 1; done"],
                               env=dict(os.environ, OMERTA_HOME=daemon.home),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)
    try:
        assert process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def three(make, image):
    """A provider for the second, which is a consumer; the third is neither."""
    provider = make("p", ALONE).start()
    consumer = make("c", ALONE + provider.bootstrap()).start()
    other = make("o", ALONE + provider.bootstrap()).start()
    for one in (consumer, other):
        assert has_session(one, provider.self_id())
    give_image(provider, image)
    provider.rpc("provide.set", on=True, to=[consumer.self_id()], **ROOM)
    yield provider, consumer, other
    # Whatever a test left behind.
    for one in (provider, consumer):
        if one.process.poll() is None:
            one.stop()
    for pid in qemus(provider):
        os.kill(pid, 9)
