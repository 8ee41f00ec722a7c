"""Offers of virtual machines in a network, and the choice among them, with real daemons."""

import json
import os
import signal

import pytest

from daemon import RpcError
from fixtures import ALONE
from omerta_lab import wait_until
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, assert_nothing_left, give_image,
                   has_session, provided, qemus, refusal, until, wanted)

HEARD_SECONDS = 60


def offers(daemon, **words):
    """What it knows of the providers, the best first."""
    return daemon.rpc("providers.list", **words)["providers"]


def knows(daemon, providers):
    """Until the offers of exactly @providers are known."""
    names = {p.self_id() for p in providers}

    def heard():
        return {o["provider"] for o in offers(daemon, all=True)} == names
    return wait_until(heard, HEARD_SECONDS)


def asked(events):
    """The providers that were asked, in order."""
    return [e["params"]["provider"] for e in events if e["params"]["state"] == "asking"]


@pytest.fixture
def mesh(make, image):
    """Three providers, a, b and c, none of which provides yet, and a consumer."""
    first = make("a", ALONE).start()
    others = [make(name, ALONE + first.bootstrap()).start() for name in ("b", "c")]
    more = [word for one in others for word in one.bootstrap()]
    consumer = make("u", ALONE + first.bootstrap() + more).start()
    providers = [first, *others]
    for one in providers:
        assert has_session(consumer, one.self_id())
        give_image(one, image)
    yield providers, consumer
    for one in [consumer, *providers]:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGCONT)
            one.stop()
    for one in providers:
        for pid in qemus(one):
            os.kill(pid, 9)


def provide(daemon, consumer, **room):
    """Has @daemon provide for @consumer."""
    daemon.rpc("provide.set", on=True, to=[consumer.self_id()], **{**ROOM, **room})


def test_offers_come_and_go(mesh):
    """Seen by who may want one, with what they have; filtered by size; withdrawn by off."""
    providers, consumer = mesh
    assert offers(consumer, all=True) == []
    provide(providers[0], consumer)
    provide(providers[1], consumer, memory="4G", cpus=4)
    providers[2].rpc("provide.set", on=True, **ROOM)  # for itself alone: nobody is told
    assert knows(consumer, providers[:2])
    by_id = {o["provider"]: o for o in offers(consumer)}
    one, two = by_id[providers[0].self_id()], by_id[providers[1].self_id()]
    assert one["engine"] in ("kvm", "tcg") and one["images"] == ["mini", "python"], one
    assert one["cpus"] == 2 and one["memory_mib"] == 1024 and one["disk_mib"] == 2048, one
    assert two["cpus"] == 4 and two["memory_mib"] == 4096 and one["vms"] == two["vms"] == 2
    assert one["fits"] and one["why"] == "" and not one["everybody"] and one["rtt_ms"] is not None

    replies = {m["name"]: m["reply"] for m in consumer.rpc("methods.list")["methods"]}
    assert all(key in replies["providers.list"][0]["help"] for key in one), one

    # By size, image and network.
    assert [o["provider"] for o in offers(consumer, memory="2G")] == [two["provider"]]
    assert [o["provider"] for o in offers(consumer, cpus=3)] == [two["provider"]]
    assert offers(consumer, memory="64G") == offers(consumer, image="other") == []
    assert offers(consumer, disk="3G") == [] and len(offers(consumer, disk="1G")) == 2
    assert len(offers(consumer, network=one["network"])) == 2
    with pytest.raises(RpcError, match="network"):
        offers(consumer, network="elsewhere")
    why = {o["provider"]: o["why"] for o in offers(consumer, memory="2G", all=True)}
    assert "1024 MiB of memory" in why[one["provider"]] and why[two["provider"]] == ""
    assert offers(providers[0]) != [] and offers(providers[0])[0]["provider"] == two["provider"]

    # The same by the command.
    code, out, err = consumer.cli("providers", "--memory", "2G")
    assert code == 0 and two["provider"][:10] in out and one["provider"][:10] not in out, err
    code, out, err = consumer.cli("providers", "--cpu", "64")
    assert code == 0 and "no provider that fits" in out, err
    code, out, err = consumer.cli("providers", "--cpu", "3", "--all", "--json")
    assert code == 0 and len(json.loads(out)["providers"]) == 2, err

    providers[1].rpc("provide.set", on=False)
    assert knows(consumer, providers[:1])
    providers[0].rpc("provide.set", on=False)
    assert knows(consumer, [])
    assert consumer.rpc("providers.list")["dropped"] == 0
    assert "no provider is known that fits" in refusal(consumer, any=True, **SMALL)


def test_a_place_that_is_there_again(mesh):
    """An offer is told at most once a minute: who was full is asked where nobody else fits."""
    providers, consumer = mesh
    one = providers[0]
    one.rpc("provide.set", on=True, **ROOM)
    with one.control() as control:  # its own machine takes the only place
        own = control.rpc("vm.request", **SMALL)["vm"]
        one.rpc("provide.set", on=False)
        provide(one, consumer, vms=1)
        assert knows(consumer, [one]) and offers(consumer) == []
        assert "asked 1 provider, which gave none" in refusal(consumer, any=True, **SMALL)
        control.rpc("vm.release", vm=own)
        assert control.event(lambda e: e["params"].get("state") == "gone", END_SECONDS)
    with consumer.control() as control:
        assert control.rpc("vm.request", any=True, **SMALL)["vm"]
        vm = wanted(consumer)[0]["vm"]
        control.rpc("vm.release", vm=vm)
        assert control.event(lambda e: e["params"].get("state") == "gone", END_SECONDS)
    assert_nothing_left(one)


def test_all_refuse(mesh):
    """Each is asked once, and the last refusal is the answer."""
    providers, consumer = mesh
    for one in providers:
        # An offer says nothing of whom it is for: that is found out by asking.
        one.rpc("provide.set", on=True, to=[providers[0].self_id(), providers[1].self_id()], **ROOM)
    assert knows(consumer, providers)
    with consumer.control() as control:
        with pytest.raises(RpcError) as why:
            control.rpc("vm.request", any=True, **SMALL)
        assert "asked 3 providers, none gave one; the last: " in why.value.message
        assert "no virtual machines to you" in why.value.message
        told = [control.event(lambda e: e["method"] == "vm", 5) for _ in providers]
    assert sorted(asked(told)) == sorted(p.self_id() for p in providers)
    assert "; asking " in told[1]["params"]["text"] and "to you" in told[1]["params"]["text"]
    assert wanted(consumer) == [] and all(o["failures"] == 1 for o in offers(consumer))
    code, out, err = consumer.cli("vm", "request", "--memory", "192M")
    assert code == 4 and "asked 3 providers" in err and out.count("asking") == 3, (out, err)
    for one in providers:
        assert_nothing_left(one)


def make_second(daemon, consumer, other):
    """@daemon provides, and is chosen after others: it refused @consumer once."""
    daemon.rpc("provide.set", on=True, to=[other.self_id()], **ROOM)
    assert knows(consumer, [daemon])
    assert "asked 1 provider" in refusal(consumer, any=True, **SMALL)
    provide(daemon, consumer)


def test_next_provider_after_refusal(mesh):
    """The one that refuses is left for the next one, which runs the machine; the key is good."""
    (refuser, giver, _), consumer = mesh
    make_second(giver, consumer, refuser)
    refuser.rpc("provide.set", on=True, to=[giver.self_id()], **ROOM)
    assert knows(consumer, [refuser, giver])
    assert offers(consumer)[0]["provider"] == refuser.self_id()
    with consumer.control() as control:
        got = control.rpc("vm.request", any=True, key="one-only", **SMALL)
        told = [control.event(lambda e: e["params"]["state"] == "asking", 5) for _ in range(2)]
        assert asked(told) == [refuser.self_id(), giver.self_id()]
        assert "no virtual machines to you; asking " in told[1]["params"]["text"]
        again = control.rpc("vm.request", any=True, key="one-only", **SMALL)
        assert got["provider"] == again["provider"] == giver.self_id()
        assert got["vm"] == again["vm"] and got["vm"]
        assert until(control, "running")["vm"] == got["vm"]
        failures = {o["provider"]: o["failures"] for o in offers(consumer)}
        assert failures == {refuser.self_id(): 1, giver.self_id(): 0}
        control.rpc("vm.release", vm=got["vm"])
        control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)
    assert wanted(consumer) == []
    assert_nothing_left(giver)
    assert_nothing_left(refuser)


def test_killed_provider_is_passed_over(mesh):
    """One that is gone, and whose offer is still known, costs its time and no more."""
    (dead, giver, _), consumer = mesh
    make_second(giver, consumer, dead)
    provide(dead, consumer)
    assert knows(consumer, [dead, giver])
    dead.kill()
    with consumer.control() as control:
        got = control.rpc("vm.request", any=True, **SMALL)
        assert got["provider"] == giver.self_id()
        control.rpc("vm.release", vm=got["vm"])
        control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)
    # It may have a machine for us: that is not forgotten, until it says that it has none.
    assert consumer.rpc("vm.list")["owed"] == 1
    assert consumer.stop() == 0
    consumer.start()
    assert consumer.rpc("vm.list")["owed"] == 1
    dead.start()
    assert wait_until(lambda: consumer.rpc("vm.list")["owed"] == 0, 120)


def test_late_answer_leaves_no_machine(mesh):
    """One that stands still while it is asked, and goes on later, has to give back what it made."""
    (late, giver, _), consumer = mesh
    make_second(giver, consumer, late)
    provide(late, consumer)
    assert knows(consumer, [late, giver])
    late.process.send_signal(signal.SIGSTOP)
    with consumer.control() as control:
        got = control.rpc("vm.request", any=True, key="once", **SMALL)
        assert got["provider"] == giver.self_id()
        assert consumer.rpc("vm.list")["owed"] == 1
        late.process.send_signal(signal.SIGCONT)
        control.rpc("vm.release", vm=got["vm"])
        control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)

    def is_settled():
        return consumer.rpc("vm.list")["owed"] == 0 and not provided(late)
    assert wait_until(is_settled, BOOT_SECONDS)
    assert_nothing_left(late)
    # What it made and was not asked to give back would be there: it does make machines.
    assert consumer.rpc("vm.request", peer=late.self_id(), **SMALL)["vm"]
    assert len(provided(late)) == 1


def test_providers_by_address(mesh):
    """IP:PORT of a peer that is known, ID@IP:PORT of one that is not; nothing else is guessed."""
    (one, two, _), consumer = mesh
    there = f"127.0.0.1:{one.port}"
    assert "provides no virtual machines" in refusal(consumer, peer=there, **SMALL)
    assert "several peers are at 127.0.0.1" in refusal(consumer, peer="127.0.0.1", **SMALL)
    assert "name it as ID@192.0.2.1:5" in refusal(consumer, peer="192.0.2.1:5", **SMALL)
    assert "52 characters" in refusal(consumer, peer="abcd@127.0.0.1", **SMALL)
    full = f"{two.self_id()}@127.0.0.1:{two.port}"
    assert "provides no virtual machines" in refusal(consumer, peer=full, **SMALL)
    assert "this node itself" in refusal(consumer, peer=f"{consumer.self_id()}@127.0.0.1", **SMALL)
    assert "not both" in refusal(consumer, peer=full, any=True, **SMALL)
    code, _, err = consumer.cli("vm", "request", "--provider", there)
    assert code == 4 and "provides no virtual machines" in err
    code, _, err = consumer.cli("vm", "request", "--provider", "[2001:db8::1]:7")
    assert code == 4 and "name it as ID@" in err


def test_stranger_by_address(make):
    """ID@IP:PORT reaches a node of the same network that nobody had mentioned."""
    provider, consumer = make("p", ALONE).start(), make("u", ALONE).start()
    full = f"{provider.self_id()}@127.0.0.1:{provider.port}"
    assert "nobody here has heard of it" in refusal(consumer, peer=provider.self_id(), **SMALL)
    assert "provides no virtual machines" in refusal(consumer, peer=full, **SMALL)
    assert "provides no virtual machines" in refusal(consumer, peer=full.split("@")[1], **SMALL)
    assert "provides no virtual machines" in refusal(consumer, peer="127.0.0.1", **SMALL)
