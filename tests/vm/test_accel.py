"""KVM that is there and fails: the machine that was asked for runs all the same, emulated."""

import fcntl
import json
import os
import shutil
import struct
import time

import pytest

from fixtures import ALONE
from omerta_lab import wait_until
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, assert_nothing_left, give_image,
                   has_session, inside, omerta, provided, qemus, wanted)

PROBE_SECONDS = 60
KVM_GET_API_VERSION = 0xAE00
INTERNAL = "the processor's virtualisation cannot run this guest"


def kvm_lacks():
    """What of KVM is not there for a test of a KVM that fails, or None."""
    try:
        fd = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError as why:
        return f"/dev/kvm does not open: {why.strerror}"
    try:
        fcntl.ioctl(fd, KVM_GET_API_VERSION)
    except OSError:
        return "/dev/kvm opens, and is not KVM"
    finally:
        os.close(fd)
    return None


def bad_kernel():
    """A multiboot kernel that jumps to where there is no memory: of that KVM can make nothing,
    on any processor, and the monitor says STOP and internal-error."""
    base, offset = 0x100000, 52 + 32
    magic = 0x1BADB002
    body = struct.pack("<III", magic, 0, -magic & 0xFFFFFFFF) + b"\xb8\0\0\0\xd0\xff\xe0"
    size = offset + len(body)
    return b"".join((
        b"\x7fELF\x01\x01\x01" + bytes(9),
        struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + offset + 12, 52, 0, 0, 52, 32, 1, 0, 0, 0),
        struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 7, 4096), body))


@pytest.fixture(name="kvm")
def fixture_kvm():
    """Only where KVM can be tried; whether it works the test finds out."""
    lack = kvm_lacks()
    if lack:
        pytest.skip(lack)


def shown(daemon, engine):
    """What "provide show" says once it says @engine."""
    said = {}

    def is_so():
        said.update(daemon.rpc("provide.show"))
        return said["engine"] == engine

    assert wait_until(is_so, PROBE_SECONDS), said
    return said


def offer(consumer):
    """The one offer that is heard of."""
    heard = consumer.rpc("providers.list")["providers"]
    return heard[0] if heard else {"engine": "", "no_kvm": ""}


def doctor(daemon):
    """The word of "omerta doctor" on virtual machines."""
    checks = {c["check"]: c for c in json.loads(omerta(daemon, "doctor", "--json").stdout)}
    return checks["virtual-machines"]


def follow(consumer, provider):
    """Asks for a machine; every event until it runs, with its seconds."""
    begin, seen = time.monotonic(), []
    with consumer.control() as control:
        asked = control.rpc("vm.request", peer=provider.self_id(), name="lab1", **SMALL)
        while not seen or seen[-1][1]["state"] != "running":
            event = control.event(lambda e: e["method"] == "vm", BOOT_SECONDS)["params"]
            assert event["state"] != "gone", (event, seen)
            assert event["vm"] == asked["vm"], event
            seen.append((time.monotonic() - begin, event))
    for seconds, event in seen:
        print(f"{seconds:6.1f} {event['state']:10} {event['engine']:4} {event['text']}")
    return seen


def assert_fell_back(provider, consumer, seen, reason):
    """One machine, now under TCG; the reason is told to the consumer, the owner and the network."""
    last = seen[-1][1]
    if last["engine"] == "kvm":
        pytest.skip("KVM boots a guest here: nothing fails")
    told = [e["text"] for _, e in seen if "KVM failed it" in e["text"]]
    assert len(told) == 1 and reason in told[0] and "under TCG" in told[0], seen
    assert last["engine"] == "tcg" and 0 < last["left_s"] <= 1200, last
    assert [m["vm"] for m in provided(provider)] == [m["vm"] for m in wanted(consumer)] == \
        [last["vm"]]
    assert len(qemus(provider)) == 1
    assert inside(consumer, "lab1", "echo alive") == "alive\n"

    said = shown(provider, "tcg")
    assert said["accel"] == "kvm" and "failed under KVM" in said["reason"], said
    assert reason in said["reason"] and "using TCG" in said["reason"], said
    checked = doctor(provider)
    assert (checked["state"], checked["what"]) == ("warn", said["reason"]), checked
    assert "omerta provide on" in checked["fix"], checked
    assert wait_until(lambda: offer(consumer)["no_kvm"] == "a guest failed under KVM",
                      END_SECONDS), offer(consumer)
    assert offer(consumer)["engine"] == "tcg"
    assert "a guest failed under KVM" in omerta(consumer, "providers").stdout


def release(provider, consumer):
    """Nothing is left of the machine."""
    assert omerta(consumer, "vm", "release", "lab1").returncode == 0
    assert wait_until(lambda: not provided(provider) and not wanted(consumer), END_SECONDS)
    assert_nothing_left(provider)


def test_owners_word(three):
    """--accel tcg: KVM is not tried; it is kept, and shown as the reason. auto finds out anew."""
    provider, consumer, _ = three
    first = provider.rpc("provide.show")
    assert first["accel"] == "auto"
    done = omerta(provider, "provide", "on", "--accel", "xen")
    assert done.returncode != 0 and "auto, kvm or tcg" in done.stderr, done.stderr
    assert omerta(provider, "provide", "on", "--accel", "tcg").returncode == 0
    said = shown(provider, "tcg")
    assert said["accel"] == "tcg" and said["reason"] == \
        "the owner wants no KVM (--accel tcg): using TCG"
    assert wait_until(lambda: offer(consumer)["no_kvm"] == "its owner wants no KVM", END_SECONDS)
    assert doctor(provider)["state"] == "ok"
    seen = follow(consumer, provider)
    assert {e["engine"] for _, e in seen if e["state"] == "running"} == {"tcg"}
    assert not any("KVM failed" in e["text"] for _, e in seen)
    release(provider, consumer)

    provider.stop()
    provider.start()
    assert shown(provider, "tcg")["accel"] == "tcg"
    provider.rpc("provide.set", on=True, accel="auto")
    assert wait_until(lambda: provider.rpc("provide.show")["engine"] in ("kvm", "tcg"),
                      PROBE_SECONDS)
    assert "--accel" not in provider.rpc("provide.show")["reason"]


def test_kvm_aborts(three, kvm):
    """A QEMU that ends as soon as it starts a guest under KVM; provide on tries KVM anew."""
    provider, consumer, _ = three
    assert omerta(provider, "provide", "on", "--accel", "kvm").returncode == 0
    said = shown(provider, "kvm")
    assert "no test guest was run" in said["reason"], said
    assert wait_until(lambda: offer(consumer)["engine"] == "kvm", END_SECONDS)
    seen = follow(consumer, provider)
    assert_fell_back(provider, consumer, seen, "QEMU ended" if any(
        "QEMU ended" in e["text"] for _, e in seen) else "QEMU was ended by signal")

    # What was said of KVM has an end, which the owner can reach; the machine is none the worse.
    assert omerta(provider, "provide", "on").returncode == 0
    assert shown(provider, "kvm")["accel"] == "kvm"
    assert doctor(provider)["state"] == "ok"
    assert wait_until(lambda: offer(consumer)["engine"] == "kvm", END_SECONDS)
    assert [m["state"] for m in provided(provider)] == ["running"]
    assert inside(consumer, "lab1", "echo alive") == "alive\n"
    release(provider, consumer)

    # It was tried, and a person who waits is told of that, too.
    done = omerta(consumer, "vm", "request", "--provider", provider.self_id(), "--name", "lab1",
                  "--memory", "192M", "--disk", "256M", "--wait", seconds=BOOT_SECONDS)
    assert done.returncode == 0 and "KVM failed it" in done.stdout, (done.stdout, done.stderr)
    assert done.stdout.count("KVM failed it") == 1 and ": running" in done.stdout, done.stdout
    release(provider, consumer)


@pytest.fixture(name="wrapped")
def fixture_wrapped(make, image, kvm, tmp_path, monkeypatch):
    """Starts a provider with --accel kvm, and a consumer: of "max" QEMU itself may make nothing
    under such a KVM, so its processor is another one there, and its kernel maybe, too."""
    real = shutil.which("qemu-system-x86_64")
    daemons = []

    def start(kernel):
        swap = f'set -- "${{@/#*\\/vmlinux/{kernel}}}"' if kernel else ":"
        path = tmp_path / "qemu-system-x86_64"
        path.write_text('#!/bin/bash\ncase " $* " in\n*" -accel kvm "*)\n'
                        f'set -- "${{@/#max,*/qemu64,svm=off}}"\n{swap} ;;\nesac\n'
                        f'exec {real} "$@"\n', encoding="ascii")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        provider = make("p", ALONE).start()
        consumer = make("c", ALONE + provider.bootstrap()).start()
        daemons.append(provider)
        assert has_session(consumer, provider.self_id())
        give_image(provider, image)
        provider.rpc("provide.set", on=True, to=[consumer.self_id()], accel="kvm", **ROOM)
        shown(provider, "kvm")
        return provider, consumer

    yield start
    for daemon in daemons:
        if daemon.process.poll() is None:
            daemon.stop()
        for pid in qemus(daemon):
            os.kill(pid, 9)


def test_kvm_internal_error(wrapped, tmp_path):
    """A guest of whose code KVM can make nothing: QEMU stops, and stays there."""
    (tmp_path / "bad.elf").write_bytes(bad_kernel())
    provider, consumer = wrapped(tmp_path / "bad.elf")
    seen = follow(consumer, provider)
    assert_fell_back(provider, consumer, seen, INTERNAL)
    release(provider, consumer)


def test_kvm_gives_up_late(wrapped):
    """The small image itself, where KVM opens and is none: after most of a minute it comes to an
    instruction that KVM does not know, or, on a machine that is busy, its time to boot is over."""
    provider, consumer = wrapped(None)
    seen = follow(consumer, provider)
    late = "did not come up under KVM"
    assert_fell_back(provider, consumer, seen,
                     late if any(late in e["text"] for _, e in seen) else INTERNAL)
    release(provider, consumer)
