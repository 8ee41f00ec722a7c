"""Virtual machines from request to release, with real daemons and the real small image."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from daemon import RpcError, program
from fixtures import ALONE
from omerta_lab import wait_until
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, assert_nothing_left, give_image,
                   has_session, provided, qemus, refusal, until, wanted)


def test_request_to_release(three):
    """One machine through its life: running, seen by its two sides only, extended, released."""
    provider, consumer, other = three
    name = provider.self_id()
    with consumer.control() as control:
        asked = control.rpc("vm.request", peer=name, key="only-once", **SMALL)
        again = control.rpc("vm.request", peer=name, key="only-once", **SMALL)
        assert asked["vm"] == again["vm"] and asked["provider"] == name
        up = until(control, "running")
        vm = up["vm"]
        assert up["host_key"].startswith("ssh-ed25519 ") and up["address"].startswith("10.77.")
        assert 0 < up["left_s"] <= 1200

        # Both sides list the one machine; the kernel's last words are on its console.
        assert [m["vm"] for m in wanted(consumer)] == [vm]
        assert [m["vm"] for m in provided(provider)] == [vm]
        assert [m["vm"] for m in consumer.rpc("vm.list", peer=name)["vms"]] == [vm]
        assert "boot: up after" in consumer.rpc("vm.console")["text"]
        assert len(qemus(provider)) == 1 and qemus(provider)[0] == provided(provider)[0]["pid"]
        assert provider.rpc("links.list")["links"][0]["peer"] == consumer.self_id()

        # A third sees nothing of it and can do nothing to it, not even by its name.
        assert wanted(other) == [] and other.rpc("vm.list", peer=name)["vms"] == []
        for method in ("vm.release", "vm.console", "vm.extend"):
            more = {"ttl": "1h"} if method == "vm.extend" else {}
            with pytest.raises(RpcError, match="no such virtual machine of yours"):
                other.rpc(method, vm=vm, peer=name, **more)
        assert provided(provider)[0]["state"] == "running"

        before = consumer.rpc("vm.extend", vm=vm, ttl="10m")["left_s"]
        assert before > 1200
        consumer.rpc("vm.release", vm=vm)
        control.event(lambda e: e["params"]["state"] == "gone" and
                      e["params"]["end"] == "released", END_SECONDS)
    assert wanted(consumer) == [] and provided(provider) == []
    assert_nothing_left(provider)

    def forgotten():
        with open(os.path.join(consumer.home, "vms.json"), encoding="utf-8") as file:
            return json.load(file) == []

    assert wait_until(forgotten, 10)
    used = provider.rpc("provide.show")["used"]
    assert used == {"vms": 0, "cpus": 0, "memory": 0, "disk": 0}


def started_without_qemu(daemon):
    """@daemon, where no program is found."""
    with_path = os.environ["PATH"]
    os.environ["PATH"] = "/nowhere"
    try:
        daemon.start()
    finally:
        os.environ["PATH"] = with_path


def test_provider_is_killed(three):
    """SIGKILL of the provider's daemon: the machine lives, the next daemon takes it up again, also
    after one that found no QEMU."""
    provider, consumer, _ = three
    with consumer.control() as control:
        control.rpc("vm.request", peer=provider.self_id(), **SMALL)
        vm = until(control, "running")["vm"]
    pid = provided(provider)[0]["pid"]
    provider.kill()
    assert qemus(provider) == [pid]
    started_without_qemu(provider)  # which cannot know whether it runs, and leaves it
    assert wait_until(lambda: f'vm={vm} why="QEMU is not installed' in provider.log(), 30)
    provider.kill()
    assert qemus(provider) == [pid]
    provider.start()
    assert wait_until(lambda: [m["state"] for m in provided(provider)] == ["running"], 30)
    assert provided(provider)[0]["pid"] == pid and provided(provider)[0]["vm"] == vm
    # The consumer finds its way back by itself, and can give it back.
    assert wait_until(lambda: has_session(consumer, provider.self_id()), 40)

    def released():
        try:
            consumer.rpc("vm.release", vm=vm)
        except RpcError:
            return False
        return True

    assert wait_until(released, 60)
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    assert wait_until(lambda: not wanted(consumer), END_SECONDS)
    assert_nothing_left(provider)


def test_killed_before_it_runs(make, image):
    """SIGKILL while a machine is made or boots: the next daemon ends it or has it, never both."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    alone.rpc("provide.set", on=True, **ROOM)
    for state in ("preparing", "booting"):
        with alone.control() as control:
            control.rpc("vm.request", **SMALL)
            until(control, state)
        alone.kill()
        alone.start()
        assert wait_until(lambda: [m["state"] for m in provided(alone)] in ([], ["running"]), 60)
        assert len(qemus(alone)) == len(provided(alone)) == len(wanted(alone))
        for machine in wanted(alone):
            alone.rpc("vm.release", vm=machine["vm"])
        assert wait_until(lambda: not provided(alone) and not wanted(alone), END_SECONDS)
        assert_nothing_left(alone)


def test_consumer_is_killed_as_it_asks(three):
    """SIGKILL of who asks, at any moment: in the end both sides know the same machines."""
    provider, consumer, _ = three
    name = provider.self_id()
    seen = set()
    for asked_for in (0, 1):
        with consumer.control() as control:
            if asked_for:
                control.rpc("vm.request", peer=name, **SMALL)
            else:
                ask = {"jsonrpc": "2.0", "id": 1, "method": "vm.request",
                       "params": dict(SMALL, peer=name)}
                control.send(json.dumps(ask).encode() + b"\n")
        consumer.kill()
        consumer.start()
        assert wait_until(lambda: has_session(consumer, name), 40)

        def agreed():
            ours = [m["vm"] for m in wanted(consumer)]
            return ours == [m["vm"] for m in provided(provider)] and "" not in ours

        assert wait_until(agreed, 60), (wanted(consumer), provided(provider))
        seen.add(len(wanted(consumer)) + asked_for)
        for machine in wanted(consumer):
            consumer.rpc("vm.release", vm=machine["vm"])
        assert wait_until(lambda: not provided(provider) and not wanted(consumer), END_SECONDS)
    assert 2 in seen  # the one that was surely made was found again
    assert_nothing_left(provider)


def test_provider_never_comes_back(three):
    """Its machine leaves the consumer's list once the lease is over, and not before."""
    provider, consumer, _ = three
    vm = consumer.rpc("vm.request", peer=provider.self_id(), memory="192M", ttl="10s",
                      timeout="10s")["vm"]

    def kept():
        with open(os.path.join(consumer.home, "vms.json"), encoding="utf-8") as file:
            return [row["vm"] for row in json.load(file)] == [vm]

    assert wait_until(kept, 10)
    provider.kill()
    consumer.kill()  # a call that stands is waited for longer
    consumer.start()
    with consumer.events() as events:
        assert [m["vm"] for m in wanted(consumer)] == [vm]
        end = events.event(lambda e: e["method"] == "vm" and e["params"]["state"] == "gone",
                           END_SECONDS)["params"]
    assert end["vm"] == vm and "not heard of" in end["text"], end
    assert wanted(consumer) == []


def spawner(daemon):
    """The process id of what starts programs for @daemon."""
    children = subprocess.run(["pgrep", "-P", str(daemon.process.pid), "-f", "vm-spawner"],
                              capture_output=True, text=True, check=True).stdout.split()
    assert len(children) == 1
    return int(children[0])


def test_spawner_is_killed(make, image):
    """The process that watches QEMU ends: the machine stays, and the next daemon has it."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    alone.rpc("provide.set", on=True, **ROOM)
    with alone.control() as control:
        control.rpc("vm.request", **SMALL)
        vm = until(control, "running")["vm"]
    pid = qemus(alone)[0]
    os.kill(spawner(alone), signal.SIGKILL)
    assert wait_until(lambda: "start the daemon again" in alone.rpc("provide.show")["reason"], 10)
    assert qemus(alone) == [pid]
    assert "start the daemon again" in refusal(alone, **SMALL)
    assert alone.stop() == 0
    assert qemus(alone) == [pid]
    alone.start()
    assert wait_until(lambda: [m["state"] for m in provided(alone)] == ["running"], 30)
    assert provided(alone)[0]["pid"] == pid
    alone.rpc("vm.release", vm=vm)
    assert wait_until(lambda: not provided(alone), END_SECONDS)
    assert_nothing_left(alone)


@pytest.mark.parametrize("is_late", (False, True))
def test_spawner_is_killed_while_preparing(three, is_late):
    """Its consumer, which is busy elsewhere, hears that the machine is gone; or it is too late for
    that, and the daemon ends in order all the same."""
    provider, consumer, _ = three
    assert wait_until(lambda: provider.rpc("provide.show")["engine"] != "unknown", END_SECONDS)
    starter = spawner(provider)
    os.kill(starter, signal.SIGSTOP)  # so that it stays in preparation
    with consumer.control() as control:
        control.rpc("vm.request", peer=provider.self_id(), **SMALL)
        until(control, "preparing")
        os.kill(consumer.process.pid, signal.SIGSTOP)
        try:
            os.kill(starter, signal.SIGKILL)
            assert wait_until(lambda: "start the daemon again" in
                              provider.rpc("provide.show")["reason"], 10)
            assert wait_until(lambda: all(m["state"] == "gone" for m in provided(provider)), 20)
            if is_late:
                assert provider.stop() == 0
        finally:
            os.kill(consumer.process.pid, signal.SIGCONT)
        if not is_late:
            end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
            assert end["end"] == "failed", end
            assert wait_until(lambda: provided(provider) == [], END_SECONDS)
            assert provider.stop() == 0
    assert_nothing_left(provider)


def test_qemu_is_killed(make, image):
    """QEMU ends by itself: said, and everything is given back."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    alone.rpc("provide.set", on=True, **ROOM)
    with alone.control() as control:
        control.rpc("vm.request", **SMALL)
        until(control, "running")
        os.kill(qemus(alone)[0], 9)
        end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
    assert end["end"] == "died" and "signal 9" in end["text"], end
    assert_nothing_left(alone)
    assert alone.rpc("provide.show")["used"]["vms"] == 0


def test_lease_ends(make, image):
    """Its provider allows no more: warned of, then gone."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    alone.rpc("provide.set", on=True, max_lease="10s", **ROOM)
    with alone.control() as control:
        control.rpc("vm.request", memory="192M", ttl="10s")
        until(control, "running")
        control.event(lambda e: "ends soon" in e["params"]["text"], END_SECONDS)
        end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
    assert end["end"] == "expired", end
    assert_nothing_left(alone)


def test_own_provider(make, image):
    """One machine alone: --provider self, and what a stopped daemon leaves."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    alone.rpc("provide.set", on=True, **ROOM)
    with alone.control() as control:
        control.rpc("vm.request", **SMALL)
        vm = until(control, "running")["vm"]
        assert [m["vm"] for m in wanted(alone)] == [m["vm"] for m in provided(alone)] == [vm]
        assert alone.rpc("links.list")["links"][0]["peer"] == alone.self_id()
        assert "boot: up after" in alone.rpc("vm.console")["text"]
        assert alone.rpc("vm.extend", vm=vm, ttl="10m")["left_s"] > 1200
        assert [m["vm"] for m in alone.rpc("vm.list", peer="self")["vms"]] == [vm]
        other = control.rpc("vm.request", peer=alone.self_id(), **SMALL)["vm"]
        alone.rpc("vm.release", vm=other)
        control.event(lambda e: e["params"]["vm"] == other and e["params"]["state"] == "gone",
                      END_SECONDS)
    assert len(qemus(alone)) == 1
    assert alone.stop() == 0
    assert_nothing_left(alone)
    alone.start()
    assert wait_until(lambda: wanted(alone) == [], 20) and provided(alone) == []


def test_refusals(make, image):
    """Each reason has a sentence, and nothing is left of what was refused."""
    provider = make("p", ALONE).start()
    consumer = make("c", ALONE + provider.bootstrap()).start()
    name = provider.self_id()
    assert has_session(consumer, name)
    assert "that peer provides no virtual machines" in refusal(consumer, peer=name, **SMALL)
    assert "this node provides no virtual machines (" in refusal(provider, **SMALL)
    with pytest.raises(RpcError, match="say how much"):
        provider.rpc("provide.set", on=True)
    provider.rpc("provide.set", on=True, **ROOM)
    assert "no virtual machines to you" in refusal(consumer, peer=name, **SMALL)
    provider.rpc("provide.set", on=True, to=[consumer.self_id()])
    assert "no image \"nothing\"" in refusal(consumer, peer=name, image="nothing")
    give_image(provider, image)
    assert "memory" in refusal(consumer, peer=name, memory="8G")
    assert "disk" in refusal(consumer, peer=name, disk="8G")
    assert "memory" in refusal(consumer, peer=name, memory="64M")  # less than the image needs
    assert "no image \"other\"" in refusal(consumer, peer=name, image="other")
    assert "ttl" in refusal(consumer, peer=name, ttl="soon")
    assert wanted(consumer) == [] and provided(provider) == []

    # An image that is not the one it was: not run.
    os.unlink(os.path.join(provider.home, "images", "mini"))
    spoilt = os.path.join(provider.home, "images", "mini")
    shutil.copytree(image, spoilt)
    with open(os.path.join(spoilt, "initrd"), "r+b") as file:
        file.seek(1000)
        file.write(b"x")
    with consumer.control() as control:
        control.rpc("vm.request", peer=name, **SMALL)
        end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
    assert end["end"] == "failed" and "initrd" in end["text"], end
    provider.rpc("provide.set", on=False)
    assert "provides no virtual machines" in refusal(consumer, peer=name, **SMALL)
    assert_nothing_left(provider)


def test_stopped_while_it_looks(make):
    """A daemon that is told to stop while its test guest runs: it ends in order."""
    alone = make("p", ALONE).start()
    alone.rpc("provide.set", on=True, **ROOM)
    assert alone.stop() == 0
    alone.start()
    assert alone.stop() == 0


def test_without_qemu(make):
    """Where QEMU is missing nothing can be provided, and that is said."""
    daemon = make("p", ALONE)
    started_without_qemu(daemon)
    with pytest.raises(RpcError, match="QEMU is not installed here"):
        daemon.rpc("provide.set", on=True, **ROOM)
    assert daemon.rpc("provide.show")["engine"] == "none"


def test_command_line(make, image):
    """The same by the commands, each with its words."""
    alone = make("p", ALONE).start()
    code, out, err = alone.cli("vm", "request")
    assert code == 4 and "no provider is known that fits" in err and "--provider self" in err
    code, out, err = alone.cli("vm", "request", "--provider", "self")
    assert code == 4 and "provides no virtual machines" in err
    code, out, err = alone.cli("provide", "on")
    assert code == 4 and "say how much" in err
    code, out, err = alone.cli("provide", "on", "--vms", "1", "--cpu", "1", "--memory", "512M",
                               "--disk", "1G")
    assert code == 0 and "virtual machines" in out, err
    code, out, err = alone.cli("image", "list")
    assert code == 0 and "no image" in out
    give_image(alone, image)
    code, out, err = alone.cli("image", "list")
    assert code == 0 and "mini" in out
    code, out, err = alone.cli("image", "verify")
    assert code == 0 and "mini" in out, err
    argv = [program("omerta"), "vm", "request", "--provider", "self", "--memory", "192M", "--wait"]
    done = subprocess.run(argv, env=dict(os.environ, OMERTA_HOME=alone.home), text=True,
                          timeout=BOOT_SECONDS, capture_output=True, check=False)
    code, out, err = done.returncode, done.stdout, done.stderr
    assert code == 0 and "booting" in out and ": running\n" in out, (out, err)
    vm = out.split(":")[0]
    code, out, err = alone.cli("vm", "list")
    assert code == 0 and out.count(vm) == 2, out
    code, out, err = alone.cli("vm", "show", vm)
    assert code == 0 and "ssh-ed25519" in out
    code, out, err = alone.cli("vm", "console")
    assert code == 0 and "boot: up after" in out
    code, out, err = alone.cli("vm", "extend", "30m")
    assert code == 0 and "left" in out, err
    # The one machine that is allowed runs already.
    code, out, err = alone.cli("vm", "request", "--provider", "self")
    assert code == 4 and err.count("\n") == 1, err
    code, out, err = alone.cli("vm", "release", "--all")
    assert code == 0 and "gone, released" in out, (out, err)
    assert_nothing_left(alone)
    code, out, err = alone.cli("provide", "off")
    assert code == 0 and "provides nothing" in out
