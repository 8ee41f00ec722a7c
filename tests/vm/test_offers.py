"""Offers of virtual machines in a network, and the choice among them, with real daemons."""

import json
import os
import signal

import pytest

from daemon import RpcError
from fixtures import ALONE
from omerta_lab import wait_until
from test_service import give_image, has_session, image, qemus

assert image  # the fixture

ROOM = {"vms": 2, "cpus": 2, "memory": "1G", "disk": "2G"}
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
    assert one["engine"] in ("kvm", "tcg") and one["images"] == ["mini"], one
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
