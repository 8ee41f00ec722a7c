"""Images of a home: made when first asked for, added, looked at, removed."""

import glob
import hashlib
import json
import os
import struct
import subprocess

import pytest

from daemon import RpcError
from fixtures import ALONE
from omerta_lab import wait_until

BOOT_SECONDS = 240
BUILD_SECONDS = 300
END_SECONDS = 60
SMALL = {"memory": "192M", "ttl": "20m"}
ROOM = {"vms": 3, "cpus": 3, "memory": "2G", "disk": "2G"}


@pytest.fixture(scope="session")
def cache(image):
    """What the builder keeps, filled once: so that a build takes seconds."""
    return os.path.dirname(image)


@pytest.fixture
def alone(make, cache):
    """A provider without images, whose builder finds packages in @cache."""
    daemon = make("p", ALONE).start()
    os.symlink(cache, os.path.join(daemon.home, "images", ".cache"))
    daemon.rpc("provide.set", on=True, **ROOM)
    yield daemon
    if daemon.process.poll() is None:
        daemon.stop()


def events(control, last, seconds):
    """What is told of machines until one is in a state of @last."""
    seen = []

    def is_last(event):
        if event["method"] == "vm":
            seen.append(event["params"])
        return event["method"] == "vm" and event["params"]["state"] in last

    control.event(is_last, seconds)
    return seen


def builders(home):
    """Processes that make an image below @home."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if any(w.endswith(b"build.sh") for w in words) and \
                any(w.startswith(home.encode()) for w in words):
            found.append(path)
    return found


def sha256(path):
    """In hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_made_when_first_asked_for(alone):
    """No image is there: it is made, with word of how far it is, and then is what runs."""
    assert not os.path.exists(os.path.join(alone.home, "images", "mini"))
    with alone.control() as control:
        control.rpc("vm.request", timeout="20m", **SMALL)
        seen = events(control, ("booting", "gone"), BUILD_SECONDS)
        assert seen[-1]["state"] == "booting", seen
        texts = [e["text"] for e in seen if e["state"] == "preparing"]
        assert any(t.startswith("building the image mini: ") for t in texts), texts
        assert any("packing" in t for t in texts), texts
        assert any("HOME/images/mini" in t for t in texts) and alone.home not in str(seen), texts
        assert not seen[-1]["text"]
        assert events(control, ("running", "gone"), BOOT_SECONDS)[-1]["state"] == "running"
    code, out, _ = alone.cli("image", "verify", "mini")
    assert code == 0, out
    assert wait_until(lambda: not builders(alone.home), 10)
    # One that runs of it is not taken away.
    code, _, err = alone.cli("image", "remove", "mini")
    assert code == 1 and "uses it" in err, err
    vm = alone.rpc("vm.list")["vms"][0]["vm"]
    alone.rpc("vm.release", vm=vm)
    assert wait_until(lambda: not alone.rpc("vm.list")["provided"], END_SECONDS)
    code, _, err = alone.cli("image", "remove", "mini")
    assert code == 0, err
    assert os.listdir(os.path.join(alone.home, "images")) == [".cache"]


def test_build_is_waited_for_in_time(alone, cache):
    """Another has the lock: the request's own deadline counts, and says what ate it; a daemon that
    stops takes its build with it."""
    lock = subprocess.Popen(["flock", os.path.join(cache, "lock"), "cat"], stdin=subprocess.PIPE)
    try:
        with alone.control() as control:
            control.rpc("vm.request", timeout="4s", **SMALL)
            seen = events(control, ("gone",), END_SECONDS)
        assert seen[-1]["end"] == "timeout" and "building the image mini" in seen[-1]["text"], seen
        assert "ask again" in seen[-1]["text"]
        assert any("waiting for another build" in e["text"] for e in seen), seen
        assert builders(alone.home)
        assert alone.stop() == 0
        assert wait_until(lambda: not builders(alone.home), 10)
    finally:
        lock.stdin.close()
        lock.wait()
    assert not os.path.exists(os.path.join(alone.home, "images", "mini"))


def test_build_that_fails(alone):
    """A sentence says why, and nothing is left."""
    os.unlink(os.path.join(alone.home, "images", ".cache"))
    with open(os.path.join(alone.home, "images", ".cache"), "w", encoding="utf-8"):
        pass
    with alone.control() as control:
        control.rpc("vm.request", **SMALL)
        end = events(control, ("gone",), END_SECONDS)[-1]
    assert end["end"] == "failed" and "image mini could not be made: " in end["text"], end
    assert "cannot make" in end["text"], end
    assert not alone.rpc("vm.list")["provided"]
    with pytest.raises(RpcError, match="no image \"nothing\""):
        alone.rpc("vm.request", image="nothing", **SMALL)


def test_unit_of_systemd(make):
    """Started by a unit without our drop-in, that is said where it matters; with it, or by hand,
    not. A user's unit has its drop-in elsewhere, and a manager that is our parent."""
    unit, of_user = {"INVOCATION_ID": "0" * 32}, "~/.config/systemd/user/omerta-meshd.service.d"
    for i, (extra, is_told, is_user) in enumerate((
            (unit, True, False), ({**unit, "OMERTA_PROVIDES": "1"}, False, False),
            ({**unit, "MANAGERPID": str(os.getpid())}, True, True),
            ({**unit, "MANAGERPID": "1"}, True, False), ({}, False, False))):
        daemon = make(f"p{i}", ALONE)
        kept = dict(os.environ)
        for name in ("INVOCATION_ID", "MANAGERPID"):
            os.environ.pop(name, None)
        os.environ.update(extra)
        try:
            daemon.start()
        finally:
            os.environ.clear()
            os.environ.update(kept)
        code, out, err = daemon.cli("provide", "on", "--vms", "1", "--cpu", "1", "--memory", "512M",
                                    "--disk", "1G")
        assert code == 0 and ("omerta-meshd-provide.conf" in out) == is_told, (out, err)
        assert (of_user in out) == is_user, out
        out = daemon.cli("doctor")[1]
        assert ("omerta-meshd-provide.conf" in out) == is_told and "virtual-machines" in out, out
        assert daemon.stop() == 0


def disk(path, size=4 << 20):
    """A raw disk that has a boot record."""
    with open(path, "wb") as file:
        file.write(b"\0" * 510 + b"\x55\xaa")
        file.truncate(size)
    return str(path)


def test_add_list_verify_remove(alone, tmp_path):
    """A disk of one's own through its life as an image."""
    raw = disk(tmp_path / "some.img")
    code, _, err = alone.cli("image", "add", "some", "--disk", raw, "--sha256", "0" * 64)
    assert code == 1 and "SHA-256" in err and sha256(raw) in err, err
    code, out, err = alone.cli("image", "add", "some", "--disk", raw, "--sha256", sha256(raw))
    assert code == 0, err
    folder = os.path.join(alone.home, "images", "some")
    assert os.stat(folder).st_mode & 0o777 == 0o700
    with open(os.path.join(folder, "image.json"), encoding="utf-8") as file:
        said = json.load(file)
    assert said["files"] == {"disk.raw": sha256(raw)} and said["agent"] == 0, said
    assert said["disk_min_mib"] == 4
    code, out, _ = alone.cli("image", "list")
    assert code == 0 and "some" in out
    assert alone.cli("image", "verify", "some")[0] == 0
    code, _, err = alone.cli("image", "add", "some", "--disk", raw)
    assert code == 1 and "there is an image some" in err, err
    # What was changed since is told, and not run.
    with open(os.path.join(folder, "disk.raw"), "r+b") as file:
        file.write(b"x")
    code, _, err = alone.cli("image", "verify", "some")
    assert code == 1 and "changed" in err, err
    with alone.control() as control:
        control.rpc("vm.request", image="some", memory="256M")
        end = events(control, ("gone",), END_SECONDS)[-1]
    assert end["end"] == "failed" and "disk.raw" in end["text"], end
    code, _, err = alone.cli("image", "remove", "some")
    assert code == 0 and not os.path.exists(folder), err
    code, _, err = alone.cli("image", "remove", "some")
    assert code == 1 and "no image \"some\"" in err, err


def qcow2(path, backing="", features=0):
    """The header of one, version 3."""
    name = backing.encode()
    head = struct.pack(">IIQIIQIIQQIIQ", 0x514649fb, 3, 112 if name else 0, len(name), 16, 4 << 20,
                       0, 1, 0x30000, 0x10000, 1, 0, 0)
    head += struct.pack(">QQQII", features, 0, 0, 4, 104) + b"\0" * 8
    with open(path, "wb") as file:
        file.write(head + name)
        file.truncate(0x40000)
    return str(path)


def test_what_is_no_image(alone, tmp_path):
    """Each with a sentence, and nothing is left of any."""
    raw = disk(tmp_path / "good.img")
    (tmp_path / "odd").write_bytes(b"\x55\xaa" * 300)
    (tmp_path / "blank").write_bytes(b"\0" * 4096)
    (tmp_path / "packed").write_bytes(b"\x1f\x8b" + b"\0" * 4094)
    wrong = [
        (["some", "--disk", str(tmp_path / "missing")], "is no file"),
        (["some", "--disk", str(tmp_path / "odd")], "sectors"),
        (["some", "--disk", str(tmp_path / "blank")], "no boot record"),
        (["some", "--disk", str(tmp_path / "packed")], "packed by gzip"),
        (["some", "--disk", qcow2(tmp_path / "lean", "/etc/shadow")], "leans on another file"),
        (["some", "--disk", qcow2(tmp_path / "data", features=4)], "leans on another file"),
        (["some", "--disk", raw, "--initrd", raw], "go with a kernel"),
        (["some", "--disk", raw, "--agent", "qga"], "want none or omerta"),
        (["some", "--disk", raw, "--sha256", "12"], "64 hexadecimal digits"),
        (["mini", "--disk", raw], "built-in"),
        (["../some", "--disk", raw], "no name of an image"),
        (["so me", "--disk", raw], "as its name"),
    ]
    for words, sentence in wrong:
        code, _, err = alone.cli("image", "add", *words)
        assert code in (1, 2) and sentence in err, (words, code, err)
    code, _, err = alone.cli("image", "add", "some")
    assert code == 2 and "--disk" in err, err
    assert os.listdir(os.path.join(alone.home, "images")) == [".cache"]
    # The same in order goes in.
    code, _, err = alone.cli("image", "add", "some", "--disk", qcow2(tmp_path / "whole"))
    assert code == 0, err


def test_remove_without_a_daemon(alone, tmp_path):
    """Machines outlive a daemon that was killed: nothing is removed under them."""
    raw = disk(tmp_path / "some.img")
    assert alone.cli("image", "add", "some", "--disk", raw)[0] == 0
    assert alone.stop() == 0
    os.mkdir(os.path.join(alone.home, "vms", "vm-0000000000"))
    code, _, err = alone.cli("image", "remove", "some")
    assert code == 1 and "start the daemon" in err, err
    os.rmdir(os.path.join(alone.home, "vms", "vm-0000000000"))
    code, _, err = alone.cli("image", "remove", "some")
    assert code == 0, err
