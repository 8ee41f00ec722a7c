"""What a person is told of the way to a peer: why, netcheck, ping, and that UDP is blocked."""

import json
import re

import pytest

from daemon import program, wait_until
from homes import home, met, outside, ping, public, start

SECONDS = 30
RELAY = 9


def street(lab, left, right):
    """Two homes behind routers that translate as @left and @right, and a relay that is public."""
    home(lab, "left", left, 1)
    home(lab, "right", right, 2)
    public(lab, "relay", RELAY)


def homes(lab, make, *names):
    """The relay and daemons in the homes @names, which know nobody but the relay."""
    relay = start(lab, make, "relay", ["--relay"])
    return relay, *(start(lab, make, name, relay.bootstrap(outside(RELAY))) for name in names)


def omerta(lab, daemon, *argv):
    """`omerta` @argv at the home of @daemon."""
    return lab.run(daemon.host, [program("omerta"), "--home", daemon.home, *argv], check=False)


def why(lab, daemon, other):
    """The reply of `omerta why` from @daemon about @other."""
    done = omerta(lab, daemon, "why", other.self_id(), "--json")
    return json.loads(done.stdout), done.returncode


def happened(daemon, kind):
    """How often an event of a kind did, by the metrics of @daemon."""
    page = daemon.rpc("metrics.show")["text"]
    return int(re.search(rf'^omerta_events_total{{kind="{kind}"}} (\d+)$', page, re.M).group(1))


def hints(told):
    """The kinds of what would help."""
    return [each["hint"] for each in told["better"]]


def tried(told, what):
    """The attempts of a kind."""
    return [each for each in told["attempts"] if each["what"] == what]


def test_relay_to_direct(lab, make):
    """ping shows relay -> direct as it happens; why says how, and wants nothing more."""
    street(lab, "port", "portdrop")
    relay, a, b = homes(lab, make, "left", "right")
    assert met(relay, a, b, seconds=SECONDS)
    said, runs = "", 0
    while ": now directly" not in said and runs < 4:  # a second attempt to punch comes 10 s later
        done = omerta(lab, a, "ping", b.self_id(), "-c", "100", "-i", "0.1")
        assert done.returncode == 0, done.stdout
        said, runs = said + done.stdout, runs + 1
    assert " path=relay " in said, said
    assert re.search(r": now directly at 11\.0\.2\.2:\d+, was relay ", said), said
    assert re.search(r" path=11\.0\.2\.2:\d+ time=", said), said
    shown = []

    def is_direct():
        """A machine that is busy makes it swap ways for a moment."""
        shown[:] = why(lab, a, b)
        return not shown[0]["relayed"]

    assert wait_until(is_direct, SECONDS), shown
    told, code = shown
    assert code == 0 and told["connected"], told
    assert re.match(r"\w+ is reached directly at 11\.0\.2\.2:\d+, ", told["summary"]), told
    assert tried(told, "punch")[0]["saw"] == "answer", told
    assert any(each["relay"] for each in told["paths"]), told  # the relay is kept as well
    assert not told["better"], told
    [used] = [each for each in told["paths"] if each["active"]]
    assert used["origin"] in ("punched", "heard") and used["state"] == "valid", told
    assert happened(a, "punched") >= 1 and happened(a, "lane_up") >= 1
    assert happened(a, "path_moved") >= 3 and happened(a, "punch_failed") < runs
    text = omerta(lab, a, "why", b.self_id()).stdout
    assert "Ways to it:" in text and "What would help:" not in text, text


def test_relayed(lab, make):
    """Where no direct way is: why, and the remedy; the control is the peer that is near."""
    street(lab, "sym", "sym")
    relay, a, b = homes(lab, make, "left", "right")
    assert met(relay, a, b, seconds=SECONDS)
    assert wait_until(lambda: ping(lab, a, b).returncode == 0, SECONDS)
    failed = ("refusal", "silence")
    assert wait_until(lambda: any(each["saw"] in failed for each in
                                  tried(why(lab, a, b)[0], "punch")), SECONDS), why(lab, a, b)
    told, code = why(lab, a, b)
    assert code == 0 and told["connected"] and told["relayed"], told
    assert re.match(r"\w+ is reached over the relay \w+, .*: no direct way was found, ",
                    told["summary"]), told
    assert happened(a, "punch_failed") >= 1 and happened(a, "punched") == 0
    assert "open_port" in hints(told) and "map_port" in hints(told), told
    text = omerta(lab, a, "why", b.self_id()).stdout
    assert "What would help:" in text and "forwarded" in text, text
    told, code = why(lab, a, relay)
    assert code == 0 and not told["relayed"] and not told["better"], told


@pytest.mark.parametrize("kind, turns, lets", [("port", "no", "unknown"),
                                               ("hairpin", "yes", "address")])
def test_netcheck(lab, make, kind, turns, lets):
    """Who is behind a NAT hears of it, of its outside address, and of the relays."""
    street(lab, kind, "port")
    relay, a, b = homes(lab, make, "left", "right")
    assert met(relay, a, b, seconds=SECONDS)

    def told():
        return json.loads(omerta(lab, a, "netcheck", "--json").stdout)

    assert wait_until(lambda: told()["relays"] and told()["relays"][0]["home"] and
                      told()["relays"][0]["rtt_ms"], SECONDS), told()
    # Two have to see us on one port; then our own datagram comes back, or does not.
    assert wait_until(lambda: told()["families"][0]["hairpin"] == turns, SECONDS), told()
    found = told()
    assert found["families"][0]["nat"] == "eim", found
    assert found["problem"] is None and found["measured"] > 0, found
    four = found["families"][0]
    assert four["heard"] and not four["blocked"], four
    # What is not let in takes two to say, and only the relay sees us from outside.
    assert four["lets_in"] == lets, four
    assert [each.rpartition(":")[0] for each in four["seen"]] == ["11.0.1.2"], four
    assert found["relays"][0]["id"] == relay.self_id() and found["relays"][0]["home"], found
    assert not found["families"][1]["heard"], found
    text = omerta(lab, a, "netcheck").stdout
    assert re.search(r"^UDP over IPv4 +yes ", text, re.M), text
    assert re.search(r"^ *seen as +11\.0\.1\.2:", text, re.M), text
    assert re.search(r"^NAT of IPv4 +easy +one port for every destination", text, re.M), text
    assert re.search(rf"^ *hairpin +{turns} ", text, re.M), text
    assert re.search(r"^relay \w+ +[0-9.]+ ms ", text, re.M), text


def test_blocked(lab, make):
    """UDP that is blocked is said to be, by all that a person asks; then it is let out again."""
    street(lab, "port", "port")
    rules = "table inet block { chain f { type filter hook forward priority -5; " \
            "meta l4proto udp drop; }; }"
    lab.run("left-r", ["nft", rules])
    relay, a = homes(lab, make, "left")
    problem = "UDP seems to be blocked"
    assert wait_until(lambda: a.rpc("netcheck")["problem"], 60), a.rpc("netcheck")
    for argv, code in ((["why", relay.self_id()], 1), (["ping", relay.self_id(), "-c", "1"], 1),
                       (["netcheck"], 1), (["peers"], 0)):
        done = omerta(lab, a, *argv)
        assert done.returncode == code, (argv, done)
        assert problem in done.stdout + done.stderr, (argv, done)
    assert problem in omerta(lab, a, "doctor").stdout
    told, _ = why(lab, a, relay)
    assert told["udp_blocked"] and hints(told)[0] == "udp_blocked", told
    assert happened(a, "udp_blocked") == 1
    lab.run("left-r", ["nft", "delete table inet block"])
    assert wait_until(lambda: ping(lab, a, relay).returncode == 0, 90)
    assert a.rpc("netcheck")["problem"] is None and happened(a, "udp_blocked") == 2
    assert problem not in omerta(lab, a, "doctor").stdout
