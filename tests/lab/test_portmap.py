"""The daemon's port at a home router: mapped, reached, renewed, given back, refused."""

import json
import re
import time

import pytest

import igd
from daemon import program, wait_until
from fixtures import ALONE, need

PORT = 18002
# The lab's own hosts are found by nobody else: multicast stays inside.
QUIET = ["--no-lan"]
TOLD_SECONDS = 30  # both protocols silent or slow, on a busy machine


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta-meshd", "omerta")


@pytest.fixture
def house(lab):
    """A lab with a client behind a router that maps nothing yet."""
    igd.home(lab)
    return lab


def netcheck(daemon):
    """What the daemon says of its mapping."""
    return daemon.rpc("netcheck")["portmap"]


def settled(daemon, state):
    """Its mapping, once it is in @state."""
    assert wait_until(lambda: netcheck(daemon)["state"] == state, TOLD_SECONDS), netcheck(daemon)
    return netcheck(daemon)


def client(make, lab, args=(), name="client"):
    """A daemon behind the router."""
    return make(name, QUIET + list(args), lab=lab, host="client", port=PORT).start()


def result_of(told, protocol):
    """What a protocol came to."""
    return next(t for t in told["tried"] if t["protocol"] == protocol)


def command(lab, host, daemon, *words):
    """omerta of @daemon; its output."""
    return lab.run(host, [program("omerta"), "--home", daemon.home, *words], check=False)


@pytest.mark.parametrize("natpmp, upnp, protocol", [
    (True, True, "nat-pmp"), (True, False, "nat-pmp"), (False, True, "upnp")])
def test_mapped_reached_and_given_back(house, make, natpmp, upnp, protocol):
    igd.Miniupnpd(house, natpmp=natpmp, upnp=upnp)
    inside = client(make, house)
    told = settled(inside, "held")
    assert told["protocol"] == protocol and told["external"] == f"{igd.WAN}:{PORT}"
    assert 7000 < told["expires_s"] <= 7200
    assert re.fullmatch(rf"{protocol} 11\.0\.0\.1:{PORT} until \S+Z", told["text"])
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}
    # A stranger reaches the daemon by it.
    outside = make("outside", QUIET + ["--no-portmap", *inside.bootstrap(igd.WAN)], lab=house,
                   host="outside", port=PORT).start()
    ping = command(house, "outside", outside, "ping", inside.self_id(), "-c", "3", "-i", "0.2")
    assert ping.returncode == 0, ping.stdout + ping.stderr
    # And is told of it.
    peer = outside.rpc("peers.list")["peers"][0]
    assert peer["endpoints"][0] == f"{igd.WAN}:{PORT}", peer
    assert inside.stop() == 0
    assert not igd.mappings(house)
    # Control: now nobody is reached.
    stranger = make("stranger", QUIET + ["--no-portmap"], lab=house, host="outside",
                    port=PORT + 1).start()
    again = client(make, house, ["--no-portmap"])
    stranger.rpc("peers.add", peer=again.self_id(), endpoints=[f"{igd.WAN}:{PORT}"])
    ping = command(house, "outside", stranger, "ping", again.self_id(), "-c", "2", "-i", "0.2")
    assert ping.returncode != 0, ping.stdout


def test_events_and_metrics(house, make):
    router = igd.Miniupnpd(house)
    inside = client(make, house, ["--no-portmap"])
    assert netcheck(inside)["text"] == "off by configuration (portmap)"
    assert inside.stop() == 0
    inside.args = list(QUIET)
    inside.start()
    settled(inside, "held")
    text = inside.rpc("metrics.show")["text"]
    assert "\nomerta_portmap_held 1\n" in text
    assert '\nomerta_portmap_answers_total{result="mapped"} 1\n' in text
    with inside.events() as events:
        router.stop()
        # The route goes, and later leads to a router that says nothing.
        house.ip("client", "route del default")
        gone = events.event(lambda e: e["method"] == "unmapped", TOLD_SECONDS)
        assert gone["params"]["addr"] == f"{igd.WAN}:{PORT}"
        events.event(lambda e: e["method"] == "map_failed", TOLD_SECONDS)
        house.gateway("client", igd.LAN)
        assert wait_until(lambda: netcheck(inside)["tried"][1]["why"] == "no answer", TOLD_SECONDS)
        assert netcheck(inside)["text"] == "no router answers"
        igd.Miniupnpd(house)
        house.address("client", "eth0", "192.168.1.77/24")
        came = events.event(lambda e: e["method"] == "mapped", TOLD_SECONDS)
        assert came["params"]["addr"] == f"{igd.WAN}:{PORT}"


@pytest.mark.parametrize("natpmp, upnp", [(True, False), (False, True)])
def test_found_again_after_kill(house, make, natpmp, upnp):
    igd.Miniupnpd(house, natpmp=natpmp, upnp=upnp)
    inside = client(make, house)
    settled(inside, "held")
    before = igd.mappings(house)
    inside.kill()
    assert igd.mappings(house) == before  # it stays, until its life ends
    inside.start()
    told = settled(inside, "held")
    assert told["external"] == f"{igd.WAN}:{PORT}" and igd.mappings(house) == before
    assert inside.stop() == 0
    assert not igd.mappings(house)


def test_conflict_takes_another_port(house, make):
    igd.Miniupnpd(house, natpmp=False)
    first = client(make, house)
    settled(first, "held")
    # Another machine of the house with the same port.
    house.host("other")
    house.segment("house", "other")
    house.address("other", "eth0", "192.168.1.3/24")
    house.gateway("other", igd.LAN)
    second = make("other", QUIET, lab=house, host="other", port=PORT).start()
    told = settled(second, "held")
    assert told["external"] == f"{igd.WAN}:{PORT + 1}"
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}", PORT + 1: f"192.168.1.3:{PORT}"}
    assert second.stop() == 0
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}


def test_renewed_at_half_life(house, make):
    router = igd.Scripted(house, life=12)
    inside = client(make, house)
    told = settled(inside, "held")
    assert told["protocol"] == "nat-pmp" and told["expires_s"] <= 12

    def maps():
        return [q for q in router.asked() if q[0] == "map"]

    assert maps() == [("map", PORT, PORT, 7200)]
    assert wait_until(lambda: len(maps()) >= 3, 30), maps()
    assert netcheck(inside)["state"] == "held"
    # Control: when nobody renews it, it ends.
    router.stop()
    told = settled(inside, "waiting")
    assert told["text"] == "no router answers"


def test_external_address_changes(house, make):
    router = igd.Scripted(house, life=12)
    inside = client(make, house)
    settled(inside, "held")
    with inside.events() as events:
        router.stop()
        igd.Scripted(house, life=12, external="11.0.0.9")
        came = events.event(lambda e: e["method"] == "mapped", TOLD_SECONDS)
        assert came["params"]["addr"] == f"11.0.0.9:{PORT}"
    assert netcheck(inside)["external"] == f"11.0.0.9:{PORT}"


def test_router_says_that_its_address_changed(house, make):
    """The lease is of two hours: without the router's word nothing would be seen for long."""
    igd.Miniupnpd(house)
    inside = client(make, house)
    assert settled(inside, "held")["external"] == f"{igd.WAN}:{PORT}"
    with inside.events() as events:
        house.set_address("router", "wan", "11.0.0.9/24")
        came = events.event(lambda e: e["method"] == "mapped", TOLD_SECONDS)
        assert came["params"]["addr"] == f"11.0.0.9:{PORT}"
    assert igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}


def test_router_that_restarts_is_asked_again(house, make):
    router = igd.Miniupnpd(house)
    inside = client(make, house)
    settled(inside, "held")
    router.stop()
    house.run("router", ["nft", "flush", "chain", "inet", "miniupnpd", "mapping"])
    assert not igd.mappings(house)
    igd.Miniupnpd(house)
    assert wait_until(lambda: igd.mappings(house) == {PORT: f"{igd.CLIENT}:{PORT}"}, TOLD_SECONDS)
    assert netcheck(inside)["state"] == "held"


def test_router_refuses(lab, make):
    """Its own address is one of a documentation range: miniupnpd takes that for no connection."""
    igd.home(lab, wan="198.51.100.1")
    igd.Miniupnpd(lab)
    inside = client(make, lab)
    told = settled(inside, "waiting")
    assert told["text"].startswith("refused: "), told
    assert result_of(told, "nat-pmp")["result"] == "refused"
    assert result_of(told, "upnp")["result"] in ("refused", "absurd"), told
    assert 500 < told["again_s"] <= 600
    shown = command(lab, "client", inside, "netcheck").stdout
    assert re.search(r"^port mapping +waiting +refused: nat-pmp: ", shown, re.M), shown
    assert not igd.mappings(lab)
    # Control: a router with a public address, the same otherwise, is test_mapped_*.


@pytest.mark.parametrize("words, result", [
    ({"code": 2}, "refused"), ({"external": "10.1.2.3"}, "nested"),
    ({"external": "127.0.0.1"}, "absurd"), ({"outer": 0}, "absurd"), ({"life": 1}, "absurd")])
def test_lying_router_is_not_believed(house, make, words, result):
    router = igd.Scripted(house, **words)
    inside = client(make, house)
    told = settled(inside, "waiting")
    assert result_of(told, "nat-pmp")["result"] == result, told
    assert told["external"] is None
    ends = inside.rpc("peers.list", network="default")["peers"]
    assert not [e for p in ends for e in p["endpoints"] if igd.CLIENT not in e]
    assert inside.stop() == 0
    # What it says it has made and is of no use was given back; a refusal made nothing.
    removals = [q for q in router.asked() if q[0] == "map" and q[3] == 0]
    assert bool(removals) == (result != "refused" and words != {"outer": 0}), router.asked()


@pytest.mark.parametrize("words, result, fetched", [
    ({"location": "http://11.0.0.2:80/"}, "silent", 0),
    ({"control": "http://11.0.0.2:80/c"}, "absurd", 1), ({"control": "/c"}, "absurd", 2)])
def test_upnp_that_leads_elsewhere_is_not_followed(house, make, words, result, fetched):
    router = igd.Scripted(house, "igd", **words)
    strangers = house.capture("outside", "eth0", "host 11.0.0.1 and not udp")
    inside = client(make, house)
    told = settled(inside, "waiting")
    assert result_of(told, "upnp")["result"] == result, told
    asked = [q[0] for q in router.asked()]
    # The last is the control: a URL of its own is asked, and answers nonsense.
    assert "search" in asked and min(asked.count("http"), 2) == fetched, asked
    assert not strangers.stop()


def test_router_that_trickles_holds_nobody_up(house, make):
    router = igd.Scripted(house, "igd", trickle=1)
    inside = client(make, house)
    assert wait_until(lambda: ("http", "/d") in router.asked(), TOLD_SECONDS)
    for _ in range(20):
        began = time.monotonic()
        assert netcheck(inside)["state"] == "asking"
        assert time.monotonic() - began < 1
    told = settled(inside, "waiting")
    assert result_of(told, "upnp")["why"] == "it began to answer and did not end"
    assert "\nomerta_portmap_hung_total 1\n" in inside.rpc("metrics.show")["text"]
    # Its thread still reads: the end does not wait for it, nor in the middle of a question.
    began = time.monotonic()
    assert inside.stop() == 0
    assert time.monotonic() - began < 8
    inside.start()
    assert wait_until(lambda: router.asked().count(("http", "/d")) == 2, TOLD_SECONDS)
    began = time.monotonic()
    assert inside.stop() == 0
    assert time.monotonic() - began < 8


def test_no_router_and_no_network(lab, make):
    lab.host("client", "mute")
    inside = client(make, lab)
    assert netcheck(inside)["text"] == "off: this machine is in no IPv4 network"
    lab.link("client", "eth0", "mute", "eth0")
    lab.address("client", "eth0", f"{igd.CLIENT}/24")
    told = settled(inside, "waiting")
    assert told["text"] == "no router answers"
    assert {t["why"] for t in told["tried"]} == {"no IPv4 router"}
    # A router that is there and says nothing.
    lab.address("mute", "eth0", f"{igd.LAN}/24")
    lab.gateway("client", igd.LAN)
    assert wait_until(lambda: {t["why"] for t in netcheck(inside)["tried"]} == {"no answer"},
                      TOLD_SECONDS), netcheck(inside)
    shown = json.loads(command(lab, "client", inside, "netcheck", "--json").stdout)
    assert shown["routes"] == {"ipv4": True, "ipv6": False}
    assert [c["check"] for c in shown["checks"]] == [
        "UDP over IPv4", "UDP over IPv6", "port mapping", "  nat-pmp", "  upnp"]
    assert inside.stop() == 0


def test_bound_to_the_loopback_asks_nobody(house, make):
    igd.Miniupnpd(house)
    inside = client(make, house, ["--bind4", "127.0.0.1"])
    told = netcheck(inside)
    assert told["text"] == "off: bound to the loopback (bind4)" and told["state"] == "off"
    assert inside.stop() == 0
    # Control: bound to its own address it asks.
    inside.args = QUIET + ["--bind4", igd.CLIENT]
    inside.start()
    settled(inside, "held")


def test_those_of_other_tests_ask_nobody():
    assert "--no-portmap" in ALONE
