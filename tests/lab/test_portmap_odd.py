"""Routers that refuse, lie, trickle or are not there, and what the daemon makes of them."""

import json
import re
import time

import pytest

import igd
from daemon import wait_until
from fixtures import ALONE, need

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


def test_router_refuses(lab, make):
    """Its own address is one of a documentation range: miniupnpd takes that for no connection."""
    igd.home(lab, wan="198.51.100.1")
    igd.Miniupnpd(lab)
    inside = igd.client(make, lab)
    told = igd.settled(inside, "waiting")
    assert told["text"].startswith("refused: "), told
    assert igd.result_of(told, "nat-pmp")["result"] == "refused"
    assert igd.result_of(told, "upnp")["result"] in ("refused", "absurd"), told
    assert 500 < told["again_s"] <= 600
    shown = igd.command(lab, "client", inside, "netcheck").stdout
    assert re.search(r"^port mapping +waiting +refused: nat-pmp: ", shown, re.M), shown
    assert not igd.mappings(lab)
    # Control: a router with a public address, the same otherwise, is test_mapped_*.


@pytest.mark.parametrize("words, result", [
    ({"code": 2}, "refused"), ({"external": "10.1.2.3"}, "nested"),
    ({"external": "127.0.0.1"}, "absurd"), ({"outer": 0}, "absurd"), ({"life": 1}, "absurd")])
def test_lying_router_is_not_believed(house, make, words, result):
    router = igd.Scripted(house, **words)
    inside = igd.client(make, house)
    told = igd.settled(inside, "waiting")
    assert igd.result_of(told, "nat-pmp")["result"] == result, told
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
    inside = igd.client(make, house)
    told = igd.settled(inside, "waiting")
    assert igd.result_of(told, "upnp")["result"] == result, told
    asked = [q[0] for q in router.asked()]
    # The last is the control: a URL of its own is asked, and answers nonsense.
    assert "search" in asked and min(asked.count("http"), 2) == fetched, asked
    assert not strangers.stop()


def test_router_that_trickles_holds_nobody_up(house, make):
    router = igd.Scripted(house, "igd", trickle=1)
    inside = igd.client(make, house)
    assert wait_until(lambda: ("http", "/d") in router.asked(), igd.TOLD_SECONDS)
    for _ in range(20):
        began = time.monotonic()
        assert igd.netcheck(inside)["state"] == "asking"
        assert time.monotonic() - began < 5  # who waits for the router waits for 15
    told = igd.settled(inside, "waiting")
    assert igd.result_of(told, "upnp")["why"] == "it began to answer and did not end"
    assert "\nomerta_portmap_hung_total 1\n" in inside.rpc("metrics.show")["text"]
    # Its thread still reads: the end does not wait for it, nor in the middle of a question.
    began = time.monotonic()
    assert inside.stop() == 0
    assert time.monotonic() - began < 8
    inside.start()
    assert wait_until(lambda: router.asked().count(("http", "/d")) == 2, igd.TOLD_SECONDS)
    began = time.monotonic()
    assert inside.stop() == 0
    assert time.monotonic() - began < 8


def test_no_router_and_no_network(lab, make):
    lab.host("client", "mute")
    inside = igd.client(make, lab)
    assert igd.netcheck(inside)["text"] == "off: this machine is in no IPv4 network"
    lab.link("client", "eth0", "mute", "eth0")
    lab.address("client", "eth0", f"{igd.CLIENT}/24")
    told = igd.settled(inside, "waiting")
    assert told["text"] == "no router answers"
    assert {t["why"] for t in told["tried"]} == {"no IPv4 router"}
    # A router that is there and says nothing.
    lab.address("mute", "eth0", f"{igd.LAN}/24")
    lab.gateway("client", igd.LAN)
    assert wait_until(lambda: {t["why"] for t in igd.netcheck(inside)["tried"]} == {"no answer"},
                      igd.TOLD_SECONDS), igd.netcheck(inside)
    shown = json.loads(igd.command(lab, "client", inside, "netcheck", "--json").stdout)
    assert shown["routes"] == {"ipv4": True, "ipv6": False}
    assert [c["check"] for c in shown["checks"]] == [
        "UDP over IPv4", "UDP over IPv6", "port mapping", "  nat-pmp", "  upnp"]
    assert inside.stop() == 0


def test_bound_to_the_loopback_asks_nobody(house, make):
    igd.Miniupnpd(house)
    inside = igd.client(make, house, ["--bind4", "127.0.0.1"])
    told = igd.netcheck(inside)
    assert told["text"] == "off: bound to the loopback (bind4)" and told["state"] == "off"
    assert inside.stop() == 0
    # Control: bound to its own address it asks.
    inside.args = igd.QUIET + ["--bind4", igd.CLIENT]
    inside.start()
    igd.settled(inside, "held")


def test_those_of_other_tests_ask_nobody():
    assert "--no-portmap" in ALONE
