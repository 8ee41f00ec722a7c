"""The daemon's port at a home router: mapped, reached, renewed, moved, given back."""

import re

import pytest

import igd
from daemon import wait_until
from fixtures import need

PORT = igd.PORT


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta-meshd", "omerta")


@pytest.fixture
def house(lab):
    """A lab with a client behind a router that maps nothing yet."""
    igd.home(lab)
    return lab


@pytest.mark.parametrize("natpmp, upnp, protocol", [
    (True, True, "nat-pmp"), (True, False, "nat-pmp"), (False, True, "upnp")])
def test_mapped_reached_and_given_back(house, make, natpmp, upnp, protocol):
    igd.Miniupnpd(house, natpmp=natpmp, upnp=upnp)
    inside = igd.client(make, house)
    told = igd.settled(inside, "held")
    assert told["protocol"] == protocol and told["external"] == f"{igd.WAN}:{PORT}"
    assert 7000 < told["expires_s"] <= 7200
    assert re.fullmatch(rf"{protocol} 11\.0\.0\.1:{PORT} until \S+Z", told["text"])
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}
    # A stranger reaches the daemon by it.
    outside = make("outside", igd.QUIET + ["--no-portmap", *inside.bootstrap(igd.WAN)], lab=house,
                   host="outside", port=PORT).start()
    ping = igd.command(house, "outside", outside, "ping", inside.self_id(), "-c", "3", "-i", "0.2")
    assert ping.returncode == 0, ping.stdout + ping.stderr
    # And is told of it.
    peer = outside.rpc("peers.list")["peers"][0]
    assert peer["endpoints"][0] == f"{igd.WAN}:{PORT}", peer
    assert inside.stop() == 0
    assert not igd.mappings(house)
    # Control: now nobody is reached.
    stranger = make("stranger", igd.QUIET + ["--no-portmap"], lab=house, host="outside",
                    port=PORT + 1).start()
    again = igd.client(make, house, ["--no-portmap"])
    stranger.rpc("peers.add", peer=again.self_id(), endpoints=[f"{igd.WAN}:{PORT}"])
    ping = igd.command(house, "outside", stranger, "ping", again.self_id(), "-c", "2", "-i", "0.2")
    assert ping.returncode != 0, ping.stdout


def test_events_and_metrics(house, make):
    router = igd.Miniupnpd(house)
    inside = igd.client(make, house, ["--no-portmap"])
    assert igd.netcheck(inside)["text"] == "off by configuration (portmap)"
    assert inside.stop() == 0
    inside.args = list(igd.QUIET)
    inside.start()
    igd.settled(inside, "held")
    text = inside.rpc("metrics.show")["text"]
    assert "\nomerta_portmap_held 1\n" in text
    assert '\nomerta_portmap_answers_total{result="mapped"} 1\n' in text
    with inside.events() as events:
        router.stop()
        # The route goes, and later leads to a router that says nothing.
        house.ip("client", "route del default")
        gone = events.event(lambda e: e["method"] == "unmapped", igd.TOLD_SECONDS)
        assert gone["params"]["addr"] == f"{igd.WAN}:{PORT}"
        events.event(lambda e: e["method"] == "map_failed", igd.TOLD_SECONDS)
        house.gateway("client", igd.LAN)
        assert wait_until(lambda: igd.netcheck(inside)["tried"][1]["why"] == "no answer",
                          igd.TOLD_SECONDS)
        assert igd.netcheck(inside)["text"] == "no router answers"
        igd.Miniupnpd(house)
        house.address("client", "eth0", "192.168.1.77/24")
        came = events.event(lambda e: e["method"] == "mapped", igd.TOLD_SECONDS)
        assert came["params"]["addr"] == f"{igd.WAN}:{PORT}"


@pytest.mark.parametrize("natpmp, upnp", [(True, False), (False, True)])
def test_found_again_after_kill(house, make, natpmp, upnp):
    igd.Miniupnpd(house, natpmp=natpmp, upnp=upnp)
    inside = igd.client(make, house)
    igd.settled(inside, "held")
    before = igd.mappings(house)
    inside.kill()
    assert igd.mappings(house) == before  # it stays, until its life ends
    inside.start()
    told = igd.settled(inside, "held")
    assert told["external"] == f"{igd.WAN}:{PORT}" and igd.mappings(house) == before
    assert inside.stop() == 0
    assert not igd.mappings(house)


def test_conflict_takes_another_port(house, make):
    igd.Miniupnpd(house, natpmp=False)
    first = igd.client(make, house)
    igd.settled(first, "held")
    # Another machine of the house with the same port.
    house.host("other")
    house.segment("house", "other")
    house.address("other", "eth0", "192.168.1.3/24")
    house.gateway("other", igd.LAN)
    second = make("other", igd.QUIET, lab=house, host="other", port=PORT).start()
    told = igd.settled(second, "held")
    assert told["external"] == f"{igd.WAN}:{PORT + 1}"
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}", PORT + 1: f"192.168.1.3:{PORT}"}
    assert second.stop() == 0
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}


def test_renewed_at_half_life(house, make):
    router = igd.Scripted(house, life=12)
    inside = igd.client(make, house)
    told = igd.settled(inside, "held")
    assert told["protocol"] == "nat-pmp" and told["expires_s"] <= 12

    def maps():
        return [q for q in router.asked() if q[0] == "map"]

    assert maps() == [("map", PORT, PORT, 7200)]
    assert wait_until(lambda: len(maps()) >= 3, 30), maps()
    assert igd.netcheck(inside)["state"] == "held"
    # Control: when nobody renews it, it ends.
    router.stop()
    told = igd.settled(inside, "waiting")
    assert told["text"] == "no router answers"


def test_external_address_changes(house, make):
    router = igd.Scripted(house, life=12)
    inside = igd.client(make, house)
    igd.settled(inside, "held")
    with inside.events() as events:
        router.stop()
        igd.Scripted(house, life=12, external="11.0.0.9")
        came = events.event(lambda e: e["method"] == "mapped", igd.TOLD_SECONDS)
        assert came["params"]["addr"] == f"11.0.0.9:{PORT}"
    assert igd.netcheck(inside)["external"] == f"11.0.0.9:{PORT}"


def test_router_says_that_its_address_changed(house, make):
    """The lease is of two hours: without the router's word nothing would be seen for long."""
    igd.Miniupnpd(house)
    inside = igd.client(make, house)
    assert igd.settled(inside, "held")["external"] == f"{igd.WAN}:{PORT}"
    with inside.events() as events:
        house.set_address("router", "wan", "11.0.0.9/24")
        came = events.event(lambda e: e["method"] == "mapped", igd.TOLD_SECONDS)
        assert came["params"]["addr"] == f"11.0.0.9:{PORT}"
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}


def test_router_that_restarts_is_asked_again(house, make):
    router = igd.Miniupnpd(house)
    inside = igd.client(make, house)
    igd.settled(inside, "held")
    router.stop()
    house.run("router", ["nft", "flush", "chain", "inet", "miniupnpd", "mapping"])
    assert not igd.mappings(house)
    igd.Miniupnpd(house)
    assert wait_until(lambda: igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"},
                      igd.TOLD_SECONDS)
    assert igd.netcheck(inside)["state"] == "held"
