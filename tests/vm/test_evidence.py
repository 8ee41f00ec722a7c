"""What is lost and what is kept when something ends: machines, ssh, images, disks, KVM.

Which test shows which line of what was promised is listed in plans/vm.md.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from fixtures import ALONE
from omerta_lab import wait_until
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, SSH_SECONDS, assert_nothing_left,
                   counter, give_image, has_session, inside, omerta, provided, qemus, running,
                   sitting, start_counter, until, wanted)

ALIVE_SECONDS = 5
CLONE_NEWNS = 0x20000


def test_both_daemons_are_killed(three, image):
    """Three machines one way and one the other, and both daemons die at once: all count on."""
    provider, consumer, _ = three
    provider.rpc("provide.set", on=True, to=[consumer.self_id()], vms=3, cpus=3, memory="1G",
                 disk="1G")
    give_image(consumer, image)
    consumer.rpc("provide.set", on=True, to=[provider.self_id()], **ROOM)
    asked = [(consumer, provider, f"lab{i}") for i in (1, 2, 3)] + [(provider, consumer, "back")]
    ids = {name: running(who, name, peer=whom.self_id(), memory="128M", disk="0")
           for who, whom, name in asked}
    for who, _, name in asked:
        start_counter(who, name)
    before = {name: counter(who, name) for who, _, name in asked}
    processes = sorted(qemus(provider) + qemus(consumer))
    assert len(processes) == 4
    for one in (provider, consumer):
        one.kill()
    assert sorted(qemus(provider) + qemus(consumer)) == processes
    for one in (provider, consumer):
        one.start()
    assert has_session(consumer, provider.self_id())
    back = time.monotonic()
    for who, _, name in asked:
        assert wait_until(lambda who=who, name=name: omerta(who, "vm", "ssh", name, "true")
                          .returncode == 0, SSH_SECONDS), name
        took = time.monotonic() - back
        print(f"{name}: in again {took:.1f} s after both had a session")
        assert counter(who, name) > before[name]
        assert inside(who, name, "hostname").strip() == ids[name]
    assert sorted(qemus(provider) + qemus(consumer)) == processes
    for who in (consumer, provider):
        done = omerta(who, "vm", "release", "--all", seconds=BOOT_SECONDS)
        assert done.returncode == 0, done.stderr
    for who in (consumer, provider):
        assert wait_until(lambda who=who: not provided(who) and not wanted(who), END_SECONDS)
        assert_nothing_left(who)


@pytest.mark.parametrize("how", ["release", "off", "qemu", "expired"])
def test_open_ssh_ends_with_its_machine(three, how):
    """Whoever sits in a machine that ends is not left hanging."""
    provider, consumer, _ = three
    if how == "expired":
        provider.rpc("provide.set", on=True, max_lease="40s")
    with consumer.control() as control:
        control.rpc("vm.request", peer=provider.self_id(), **SMALL)
        vm = until(control, "running")["vm"]
        with sitting(consumer, vm) as ssh:
            assert ssh.poll() is None
            if how == "release":
                consumer.rpc("vm.release", vm=vm)
            elif how == "off":
                omerta(consumer, "vm", "ssh", vm, "poweroff")
            elif how == "qemu":
                os.kill(qemus(provider)[0], signal.SIGKILL)
            end = control.event(lambda e: e["method"] == "vm" and
                                e["params"]["state"] == "gone", 2 * END_SECONDS)["params"]
            gone = time.monotonic()
            assert ssh.wait(END_SECONDS) == 255
            assert time.monotonic() - gone < ALIVE_SECONDS
    assert end["end"] == {"release": "released", "off": "shut_down", "qemu": "died",
                          "expired": "expired"}[how], end
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    assert_nothing_left(provider)


def spoil(folder, name, how):
    """Makes file @name of an image another than it was."""
    path = os.path.join(folder, name)
    if how == "changed":
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
    elif how == "cut":
        os.truncate(path, os.path.getsize(path) // 2)
    elif how == "missing":
        os.unlink(path)
    elif how == "grown":
        with open(path, "ab") as file:
            file.write(b"\0")
    else:
        with open(path, "w", encoding="ascii") as file:
            file.write(how)


def test_spoilt_images(make, image):
    """A file of an image that is not as it was made: no machine of it, and the file is named."""
    alone = make("p", ALONE).start()
    alone.rpc("provide.set", on=True, **ROOM)
    folder = os.path.join(alone.home, "images", "mini")
    kinds = [(name, how) for name in ("vmlinux", "initrd")
             for how in ("changed", "cut", "grown", "missing")]
    kinds += [("image.json", how) for how in ("{", "{}", "[]", "[" * 5000, "cut")]
    for name, how in kinds:
        shutil.copytree(image, folder)
        spoil(folder, name, how)
        done = omerta(alone, "vm", "request", "--provider", "self", "--memory", "192M", "--wait",
                      seconds=BOOT_SECONDS)
        said = done.stdout + done.stderr
        assert done.returncode != 0, (name, how, said)
        assert name in said, (name, how, said)
        assert "booting" not in said, (name, how, said)
        assert wait_until(lambda: not provided(alone) and not wanted(alone), END_SECONDS)
        assert_nothing_left(alone)
        done = omerta(alone, "image", "verify", "mini")
        assert done.returncode == 1 and name in done.stdout + done.stderr, (name, how, done)
        shutil.rmtree(folder)
    # The control: the same folder, as it was made.
    shutil.copytree(image, folder)
    assert omerta(alone, "image", "verify", "mini").returncode == 0
    running(alone, "good")
    assert omerta(alone, "vm", "release", "good").returncode == 0


@pytest.fixture
def mounts():
    """Mounts made by the test are seen by its own processes only, and end with it."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) or subprocess.run(
            ["mount", "--make-rprivate", "/"], check=False).returncode:
        pytest.skip("this user may not have mounts of its own")
    made = []

    def mount(*words):
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made.append(words[-1])

    yield mount
    for path in reversed(made):
        subprocess.run(["umount", "--lazy", path], check=False)


def gone_text(daemon, **words):
    """Why a machine that was asked for never ran."""
    with daemon.control() as control:
        control.rpc("vm.request", **{**SMALL, **words})
        return control.event(lambda e: e["method"] == "vm" and e["params"]["state"] == "gone",
                             END_SECONDS)["params"]["text"]


def filled(path):
    """A file that takes all that is left in @path."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    return path


def test_disk_of_the_provider_is_full(make, image, mounts):
    """The guest stands still until there is room again, and is told of; a new one is refused."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    mounts("-t", "tmpfs", "-o", "size=320m,mode=700",
           "tmpfs", os.path.join(alone.home, "vms"))
    alone.stop()
    alone.start()
    alone.rpc("provide.set", on=True, **ROOM)
    place = os.path.join(alone.home, "vms")
    assert "disk full" in gone_text(alone, disk="512M")
    with alone.control() as control:
        control.rpc("vm.request", name="lab1", memory="192M", disk="16M")
        until(control, "running")
        start_counter(alone, "lab1")
        disk = inside(alone, "lab1", "df | awk '/^.dev.vd/ {print $6}' | head -1").strip()
        inside(alone, "lab1", f"echo kept >{disk}/kept; sync")
        file = filled(os.path.join(place, "filled"))
        inside(alone, "lab1", f"(dd if=/dev/urandom of={disk}/big bs=1M count=10; sync; "
               "touch /tmp/written) >/dev/null 2>&1 </dev/null &")
        paused = control.event(lambda e: e["method"] == "vm" and
                               e["params"]["state"] == "paused", END_SECONDS)["params"]
        assert "disk is full" in paused["text"], paused
        os.unlink(file)
        until(control, "running", END_SECONDS)
    assert wait_until(lambda: omerta(alone, "vm", "ssh", "lab1", "test -e /tmp/written")
                      .returncode == 0, END_SECONDS)
    assert inside(alone, "lab1", f"cat {disk}/kept; stat -c %s {disk}/big").split() == \
        ["kept", str(10 << 20)]
    assert omerta(alone, "vm", "release", "lab1").returncode == 0
    assert_nothing_left(alone)


def test_without_kvm(three, mounts):
    """Machines run emulated, and that is said, with the reason, to the owner and in the offer."""
    provider, consumer, _ = three
    if os.path.exists("/dev/kvm"):
        mounts("--bind", "/dev/null", "/dev/kvm")
    provider.stop()
    provider.start()
    assert has_session(consumer, provider.self_id())
    shown = {}

    def is_tried():
        shown.update(provider.rpc("provide.show"))
        return shown["engine"] == "tcg"

    assert wait_until(is_tried, END_SECONDS), shown
    assert "using TCG" in shown["reason"] and "kvm" in shown["reason"].lower(), shown
    checks = {c["check"]: c for c in json.loads(omerta(provider, "doctor", "--json").stdout)}
    assert checks["virtual-machines"]["what"] == shown["reason"]
    assert checks["kvm"]["state"] == "warn" and "emulated" in checks["kvm"]["what"], checks["kvm"]

    def offered():
        return [p["engine"] for p in consumer.rpc("providers.list")["providers"]] == ["tcg"]

    assert wait_until(offered, END_SECONDS)
    running(consumer, "lab1", peer=provider.self_id())
    assert [m["engine"] for m in wanted(consumer)] == ["tcg"]
