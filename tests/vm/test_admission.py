"""Who may have a machine: every kind of rule, the owner's word, quotas; each with one let in."""

import json
import os

import pytest

from daemon import RpcError
from fixtures import ALONE
from omerta_lab import wait_until
from vmlab import (END_SECONDS, SMALL, assert_nothing_left, give_image, has_session, omerta,
                   provided, qemus, refusal, until, wanted)

ROOM = {"vms": 4, "cpus": 4, "memory": "2G", "disk": "4G"}


@pytest.fixture(name="pair")
def a_pair(make, image):
    """A provider, and a consumer that may ask it."""
    provider = make("p", ALONE).start()
    consumer = make("c", ALONE + provider.bootstrap()).start()
    assert has_session(consumer, provider.self_id())
    assert has_session(provider, consumer.self_id())
    give_image(provider, image)
    provider.rpc("provide.set", on=True, to=[consumer.self_id()], **ROOM)
    yield provider, consumer
    for one in (provider, consumer):
        if one.process.poll() is None:
            one.stop()
    for pid in qemus(provider):
        os.kill(pid, 9)


def rule(provider, name, then, **conditions):
    """One more rule, at the end."""
    return provider.rpc("filter.add", rule={"name": name, "then": then, **conditions})


def let_in(provider, consumer, **words):
    """The control: such a request comes through all that is asked, and is taken back."""
    asked = consumer.rpc("vm.request", peer=provider.self_id(), **dict(SMALL, **words))
    assert asked["state"] in ("requested", "preparing", "starting", "booting", "running"), asked
    assert asked["text"] == "", asked
    consumer.rpc("vm.release", vm=asked["vm"])
    assert wait_until(lambda: not provided(provider) and not wanted(consumer), END_SECONDS)
    return asked


def kept_out(provider, consumer, name, **words):
    """Such a request is refused by rule @name, and nothing is left of it; returns the sentence."""
    why = refusal(consumer, peer=provider.self_id(), **dict(SMALL, **words))
    assert f"rules say no: rule \"{name}\"" in why, why
    assert provided(provider) == [] and wanted(consumer) == []
    assert_nothing_left(provider)
    return why


def ended(control, vm, seconds=END_SECONDS):
    """The notification that machine @vm is gone."""
    return control.event(lambda e: e["method"] == "vm" and e["params"]["vm"] == vm and
                         e["params"]["state"] == "gone", seconds)["params"]


def test_filter_peer(pair):
    provider, consumer = pair
    rule(provider, "strangers", "deny", peer=[provider.self_id()])
    let_in(provider, consumer)
    rule(provider, "that one", "deny", peer=[consumer.self_id()[:10]], note="by name")
    why = kept_out(provider, consumer, "that one")
    assert "(peer): by name" in why
    # The first that holds decides, and the owner is no peer.
    provider.rpc("filter.add", rule={"name": "friend", "then": "allow",
                                     "peer": [consumer.self_id()]}, before="that one")
    let_in(provider, consumer)
    provider.rpc("filter.default", then="deny")
    let_in(provider, consumer)
    provider.rpc("filter.remove", name="friend")
    provider.rpc("filter.remove", name="that one")
    why = refusal(consumer, peer=provider.self_id(), **SMALL)
    assert "rules say no: no rule holds" in why
    provider.rpc("vm.release", vm=provider.rpc("vm.request", **SMALL)["vm"])
    assert wait_until(lambda: not provided(provider), END_SECONDS)


def test_filter_network(pair):
    provider, consumer = pair
    rule(provider, "elsewhere", "deny", network=["b" * 51 + "a"])
    let_in(provider, consumer)
    rule(provider, "here", "deny", network=[provider.network()["name"]])
    kept_out(provider, consumer, "here")


def test_filter_address(pair):
    provider, consumer = pair
    rule(provider, "far", "deny", address=["192.0.2.0/24"])
    let_in(provider, consumer)
    rule(provider, "near", "deny", address=["127.0.0.0/8", "::1/128"])
    kept_out(provider, consumer, "near")


@pytest.mark.parametrize("over, more", [({"cpus_over": 1}, {"cpus": 2}),
                                        ({"memory_over": "256M"}, {"memory": "512M"}),
                                        ({"disk_over": "300M"}, {"disk": "512M"}),
                                        ({"ttl_over": "30m"}, {"ttl": "31m"})])
def test_filter_resources(pair, over, more):
    provider, consumer = pair
    rule(provider, "large", "deny", resources=over)
    kept_out(provider, consumer, "large", **more)
    let_in(provider, consumer)


def test_filter_egress(pair):
    provider, consumer = pair
    rule(provider, "online", "deny", resources={"egress": "internet"})
    kept_out(provider, consumer, "online", egress="internet")
    let_in(provider, consumer)
    let_in(provider, consumer, egress="none")


def test_filter_description(pair):
    provider, consumer = pair
    rule(provider, "coins", "deny", description={"words": ["Mining"]})
    kept_out(provider, consumer, "coins", description="a little MINING")
    let_in(provider, consumer, description="compiling")
    rule(provider, "nameless", "deny", description={"missing": True})
    kept_out(provider, consumer, "nameless")
    let_in(provider, consumer, description="compiling")


def test_filter_of_a_job(pair):
    """What `omerta submit` was told comes to the rules, one by one, each the other's control."""
    provider, consumer = pair
    provider.rpc("provide.set", on=True, to=[consumer.self_id()], **dict(ROOM, memory="8G"))
    rule(provider, "words", "deny", description={"words": ["Test job"]})
    rule(provider, "wide", "deny", resources={"cpus_over": 1})
    rule(provider, "deep", "deny", resources={"memory_over": "4095M"})
    for name, more in (("words", ("--description", "Test job")), ("wide", ("--cpu", "2")),
                       ("deep", ("--memory", "4096"))):
        code, out, err = consumer.cli("submit", "--provider", provider.self_id(), "--network",
                                      provider.network()["name"], "--language", "python",
                                      "--script", "print('Hello from Omerta!')", *more)
        assert code == 125 and out == "" and f'rule "{name}"' in err, (code, out, err)
    assert provided(provider) == [] and wanted(consumer) == []


def test_filter_quiet_hours(pair):
    """The two halves of the day: one of them is now."""
    provider, consumer = pair
    now = provider.rpc("filter.test", peer=consumer.self_id())["at"]
    halves = {"early": {"from": "00:00", "to": "12:00"}, "late": {"from": "12:00", "to": "00:00"}}
    this, other = ("early", "late") if now < "12:00" else ("late", "early")
    rule(provider, other, "deny", hours=halves[other])
    let_in(provider, consumer)
    rule(provider, this, "deny", hours=halves[this], note="the fan is loud")
    assert "(hours): the fan is loud" in kept_out(provider, consumer, this)
    rule(provider, "night", "ask", hours={"from": "22:00", "to": "08:00"})
    for name in (this, other):
        provider.rpc("filter.remove", name=name)
    for at, verdict in (("22:00", "ask"), ("07:59", "ask"), ("08:00", "allow"),
                        ("21:59", "allow")):
        said = provider.rpc("filter.test", peer=consumer.self_id(), at=at)
        assert said["verdict"] == verdict and said["at"] == at, said


def test_filter_reputation(pair):
    """What the owner refused counts against a peer, and is still known after a restart."""
    provider, consumer = pair
    rule(provider, "unloved", "deny", reputation={"below": 50})
    let_in(provider, consumer)
    rule(provider, "well", "ask")
    vm = consumer.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
    provider.rpc("approvals.deny", vm=vm)
    assert wait_until(lambda: not wanted(consumer), END_SECONDS)
    provider.rpc("filter.remove", name="well")
    known = [{"peer": consumer.self_id(), "reputation": 45}]
    assert provider.rpc("filter.reputation")["peers"] == known
    kept_out(provider, consumer, "unloved")
    assert provider.stop() == 0
    provider.start()
    assert has_session(consumer, provider.self_id())
    assert provider.rpc("filter.reputation")["peers"] == known
    kept_out(provider, consumer, "unloved")
    said = provider.rpc("filter.test", peer=consumer.self_id(), reputation=50)
    assert said["verdict"] == "allow", said


def test_reputation_of_who_behaves(pair):
    """A machine that ran, was used and was given back counts for its consumer; one that nobody
    reached against him; one that never ran neither way."""
    provider, consumer = pair
    let_in(provider, consumer)
    assert provider.rpc("filter.reputation")["peers"] == []
    rule(provider, "trusted", "allow", reputation={"above": 51})
    provider.rpc("filter.default", then="deny")
    assert "no rule holds" in refusal(consumer, peer=provider.self_id(), **SMALL)
    provider.rpc("filter.default", then="allow")
    for use, points in ((None, 48), ("ssh", 50), ("run", 52)):
        with consumer.control() as control:
            vm = control.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
            until(control, "running")
            if use:
                assert omerta(consumer, "vm", use, vm, "--", "true").returncode == 0, use
            control.rpc("vm.release", vm=vm)
            assert ended(control, vm)["end"] == "released"
        known = [{"peer": consumer.self_id(), "reputation": points}]
        assert provider.rpc("filter.reputation")["peers"] == known, use
    provider.rpc("filter.default", then="deny")
    let_in(provider, consumer)


def test_filters_are_kept_and_a_bad_file_refuses(pair):
    """After a restart they hold; one that makes no sense keeps everybody out, and says where."""
    provider, consumer = pair
    path = os.path.join(provider.home, "filters.json")
    listed = provider.rpc("filter.list")
    assert listed == {"default": "allow", "rules": [], "kept": False}
    rule(provider, "coins", "deny", description={"words": ["mining"]})
    provider.stop()
    provider.start()
    assert has_session(consumer, provider.self_id())
    kept_out(provider, consumer, "coins", description="mining")
    provider.stop()
    with open(path, encoding="utf-8") as file:
        good = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(good.replace("\"then\": \"deny\"", "\"then\": \"perhaps\""))
    provider.start()
    assert has_session(consumer, provider.self_id())
    why = refusal(consumer, peer=provider.self_id(), **SMALL)
    assert "rules cannot be read" in why and "rules[0].then" in why, why
    with pytest.raises(RpcError, match="filters.json: rules\\[0\\].then"):
        provider.rpc("filter.list")
    with pytest.raises(RpcError, match="filters.json"):  # which is not written over
        rule(provider, "more", "deny")
    code, out, _ = provider.cli("doctor")
    assert "rules[0].then" in out and "mend that file" in out, (code, out)
    provider.rpc("vm.release", vm=provider.rpc("vm.request", **SMALL)["vm"])
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    with open(path, "w", encoding="utf-8") as file:
        file.write(good)
    assert provider.rpc("filter.list")["rules"][0]["name"] == "coins"
    let_in(provider, consumer)


def ask_owner(provider, consumer, **words):
    """A request that waits for the owner; its id."""
    asked = consumer.rpc("vm.request", peer=provider.self_id(), **dict(SMALL, **words))
    assert asked["state"] == "requested" and asked["text"] == "waits for the provider's owner"
    assert_nothing_left(provider)
    assert provider.rpc("provide.show")["used"]["vms"] == 0
    return asked["vm"]


def approval(control, vm):
    """The state of the next notification about the approval of @vm."""
    return control.event(lambda e: e["method"] == "approval" and e["params"]["vm"] == vm,
                         END_SECONDS)["params"]["state"]


def test_approval_allow(pair):
    provider, consumer = pair
    rule(provider, "ask me", "ask", note="I look at each")
    with provider.events() as events, consumer.control() as control:
        asked = control.rpc("vm.request", peer=provider.self_id(), description="for fun", **SMALL)
        assert asked["state"] == "requested" and asked["text"] == "waits for the provider's owner"
        vm = asked["vm"]
        assert approval(events, vm) == "waiting"
        waits = provider.rpc("approvals.list")["approvals"]
        assert [w["vm"] for w in waits] == [vm] and waits[0]["peer"] == consumer.self_id()
        assert waits[0]["description"] == "for fun" and "ask me" in waits[0]["why"]
        assert 100 < waits[0]["left_s"] <= 120  # the request's own timeout
        assert provider.rpc("provide.show")["used"]["vms"] == 0
        assert provider.rpc("approvals.allow", vm=vm[:6]) == {"vm": vm, "allowed": True}
        assert approval(events, vm) == "allowed"
        control.event(lambda e: e["method"] == "vm" and e["params"]["state"] == "preparing",
                      END_SECONDS)
    with pytest.raises(RpcError, match="no such request waits"):
        provider.rpc("approvals.deny", vm=vm)
    assert provider.rpc("provide.show")["used"]["vms"] == 1
    consumer.rpc("vm.release", vm=vm)
    assert wait_until(lambda: not provided(provider) and not wanted(consumer), END_SECONDS)


def test_approval_deny(pair):
    provider, consumer = pair
    provider.rpc("filter.default", then="ask")
    with provider.events() as events, consumer.control() as control:
        vm = control.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
        assert approval(events, vm) == "waiting"
        provider.rpc("approvals.deny", vm=vm)
        assert approval(events, vm) == "denied"
        end = ended(control, vm)
    assert end["end"] == "refused" and end["text"] == "the provider's owner said no", end
    assert_nothing_left(provider)
    # The control is test_approval_allow; no other machine is in the way of a new request.
    provider.rpc("filter.default", then="allow")
    let_in(provider, consumer)


def test_approval_expiry(pair):
    provider, consumer = pair
    provider.rpc("filter.default", then="ask")
    with provider.events() as events, consumer.control() as control:
        asked = control.rpc("vm.request", peer=provider.self_id(),
                            **dict(SMALL, timeout="10s"))
        vm = asked["vm"]
        assert approval(events, vm) == "waiting" and approval(events, vm) == "expired"
        end = ended(control, vm)
    assert end["end"] == "refused" and "did not answer in time" in end["text"], end
    assert provider.rpc("approvals.list")["approvals"] == []
    with pytest.raises(RpcError, match="no such request waits"):
        provider.rpc("approvals.allow", vm=vm)
    assert_nothing_left(provider)


def test_approval_without_room(pair):
    """Two wait and one fits: the second is refused though it was allowed; so is all when off."""
    provider, consumer = pair
    provider.rpc("provide.set", on=True, vms=1)
    provider.rpc("filter.default", then="ask")
    first, second, third = [ask_owner(provider, consumer) for _ in range(3)]
    with consumer.control() as control:
        control.rpc("events.subscribe")
        provider.rpc("approvals.allow", vm=first)
        provider.rpc("approvals.allow", vm=second)
        end = ended(control, second)
        assert end["end"] == "refused" and "1 of 1" in end["text"], end
        assert [m["vm"] for m in provided(provider)] == [first, third]
        provider.rpc("provide.set", on=False)
        provider.rpc("approvals.allow", vm=third)
        end = ended(control, third)
        assert end["end"] == "refused" and "any more" in end["text"], end
    assert [m["vm"] for m in provided(provider)] == [first]


def test_approval_is_taken_back(pair):
    """Released while it waits; and four of one peer are enough."""
    provider, consumer = pair
    provider.rpc("provide.set", on=True, vms=8, cpus=8)
    provider.rpc("filter.default", then="ask")
    vms = [ask_owner(provider, consumer) for _ in range(4)]
    assert "wait for approval already" in refusal(consumer, peer=provider.self_id(), **SMALL)
    with provider.events() as events:
        consumer.rpc("vm.release", vm=vms[0])
        assert approval(events, vms[0]) == "withdrawn"
    left = [w["vm"] for w in provider.rpc("approvals.list")["approvals"]]
    assert left == vms[1:]
    ask_owner(provider, consumer)


def test_approval_after_a_restart(pair):
    """Whoever waited when the daemon was killed is not waiting any more, and never runs."""
    provider, consumer = pair
    provider.rpc("filter.default", then="ask")
    ask_owner(provider, consumer)
    provider.kill()
    provider.start()
    assert provider.rpc("approvals.list")["approvals"] == [] and provided(provider) == []
    assert wait_until(lambda: not wanted(consumer), 60)
    assert_nothing_left(provider)


def test_quota_per_vm(pair):
    provider, consumer = pair
    provider.rpc("provide.set", on=True, each_vm={"memory": "256M"})
    why = refusal(consumer, peer=provider.self_id(), **dict(SMALL, memory="257M"))
    assert "one VM may have 256" in why, why
    let_in(provider, consumer)


def test_quota_per_peer(pair, make):
    """One peer has what it may; another is let in. A new limit of all leaves the peer's alone."""
    provider, consumer = pair
    other = make("o", ALONE + provider.bootstrap()).start()
    assert has_session(other, provider.self_id())
    provider.rpc("provide.set", on=True, to=[consumer.self_id(), other.self_id()],
                 each_peer={"vms": 1})
    provider.rpc("provide.set", on=True, vms=3)
    limits = provider.rpc("provide.show")["limits"]
    assert [limits[s]["vms"] for s in ("peer", "network", "all")] == [1, 3, 3]
    vm = consumer.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
    why = refusal(consumer, peer=provider.self_id(), **SMALL)
    assert "VMs: 1 asked, 1 of 1 that one peer may have are taken" in why, why
    asked = other.rpc("vm.request", peer=provider.self_id(), **SMALL)
    assert asked["state"] != "gone"
    other.rpc("vm.release", vm=asked["vm"])
    consumer.rpc("vm.release", vm=vm)
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    let_in(provider, consumer)


def test_quota_per_network(pair):
    provider, consumer = pair
    provider.rpc("provide.set", on=True, each_network={"cpus": 1})
    why = refusal(consumer, peer=provider.self_id(), **dict(SMALL, cpus=2))
    assert "cpus: 2 asked, one network may have 1" in why, why
    let_in(provider, consumer)


def test_quota_of_all(pair):
    provider, consumer = pair
    provider.rpc("provide.set", on=True, vms=1)
    vm = consumer.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
    why = refusal(consumer, peer=provider.self_id(), **SMALL)
    assert "1 of 1 that one peer may have are taken" in why or "all VMs here" in why, why
    consumer.rpc("vm.release", vm=vm)
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    let_in(provider, consumer)


def test_owner_goes_first(pair):
    """No room: the newest of others ends, and only that; unless the owner does not want it."""
    provider, consumer = pair
    provider.rpc("provide.set", on=True, vms=2, owner_first=False)
    with consumer.control() as control:
        older = control.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
        newer = control.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
        assert "2 of 2" in refusal(provider, **SMALL)
        assert {m["vm"] for m in provided(provider)} == {older, newer}
        provider.rpc("provide.set", on=True, owner_first=True)
        with provider.control() as own:
            mine = own.rpc("vm.request", **SMALL)
            assert mine["text"] == "waits until machines of others made room", mine
            end = ended(control, newer)
            assert end["end"] == "evicted" and end["text"] == "the owner needs it", end
            own.event(lambda e: e["method"] == "vm" and e["params"]["vm"] == mine["vm"] and
                      e["params"]["state"] == "preparing", END_SECONDS)
        assert {m["vm"] for m in provided(provider)} == {older, mine["vm"]}
        # More than all others have cannot be made free: nobody ends for it.
        provider.rpc("provide.set", on=True, memory="500M")
        assert "memory" in refusal(provider, **dict(SMALL, memory="400M"))
        assert {m["vm"] for m in provided(provider)} == {older, mine["vm"]}


def test_owner_ends_a_running_machine(pair):
    """It is told to shut down first; its consumer hears why, and its reputation does not suffer."""
    provider, consumer = pair
    provider.rpc("provide.set", on=True, vms=1)
    with consumer.control() as control:
        vm = control.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
        until(control, "running")
        with provider.control() as own:
            mine = own.rpc("vm.request", **SMALL)["vm"]
            assert "owner needs the room" in refusal(consumer, peer=provider.self_id(), **SMALL)
            assert ended(control, vm)["text"] == "the owner needs it"
            until(own, "running")
    assert [m["vm"] for m in provided(provider)] == [mine]
    assert provider.rpc("filter.reputation")["peers"] == []


def test_owner_is_bound_by_the_whole_only(pair):
    provider, consumer = pair
    provider.rpc("provide.set", on=True, each_vm={"memory": "192M"}, each_peer={"vms": 0})
    assert "one VM" in refusal(consumer, peer=provider.self_id(), **dict(SMALL, memory="256M"))
    asked = provider.rpc("vm.request", **dict(SMALL, memory="256M"))
    assert asked["state"] != "gone" and asked["text"] == ""


def test_commands(pair):
    """The same by the commands, with what they print."""
    provider, consumer = pair
    peer = consumer.self_id()
    code, out, err = provider.cli("filter")
    assert code == 0 and "there are no rules: allow" in out, err
    code, out, err = provider.cli(
        "filter", "add", "--name", "big", "--then", "ask", "--peer", peer, "--cpu-over", "1",
        "--memory-over", "1G", "--hours", "22:00-08:00", "--words", "x", "--no-description",
        "--reputation-below", "40", "--note", "n", "--address", "10.0.0.0/8", "--ttl-over", "1h",
        "--disk-over", "2G", "--egress", "internet", "--network", provider.network()["name"])
    assert code == 0 and "big" in out and "hours: " in out, (out, err)
    code, out, err = provider.cli("filter", "add", "--name", "first", "--then", "deny",
                                  "--before", "big", "--words", "mining")
    assert code == 0 and out.index("first") < out.index("big"), (out, err)
    code, out, err = provider.cli("filter", "list", "--json")
    rules = json.loads(out)["rules"]
    assert [r["name"] for r in rules] == ["first", "big"]
    assert set(rules[1]) == {"name", "then", "note", "peer", "network", "address", "resources",
                             "description", "hours", "reputation"}
    code, out, err = provider.cli("filter", "test", "--peer", peer, "--description", "Mining")
    assert code == 0 and out == "deny: rule \"first\" (description)\n", (out, err)
    code, out, err = provider.cli("filter", "test", "--peer", peer, "--cpu", "1")
    assert code == 0 and out == "allow: no rule holds\n", (out, err)
    for argv, word in ([["rm", "none"], "no rule \"none\""], [["default", "maybe"], "allow, deny"],
                       [["add", "--name", "x"], "then"], [["add", "--then", "ask"], "name"],
                       [["add", "--name", "x", "--then", "ask", "--hours", "25:00-26:00"], "hours"],
                       [["test"], "--peer"]):
        code, out, err = provider.cli("filter", *argv)
        assert code and word in err and err.count("\n") <= 2, (argv, code, err)
    code, out, err = provider.cli("filter", "rm", "big")
    assert code == 0 and "big" not in out, err
    code, out, err = provider.cli("filter", "default", "ask")
    assert code == 0 and "when none holds: ask" in out, err
    code, out, err = provider.cli("filter", "reputation")
    assert code == 0 and "no peer had a machine" in out, err
    code, out, err = provider.cli("approvals")
    assert code == 0 and out == "no request waits\n", err
    vm = ask_owner(provider, consumer, description="tests")
    code, out, err = provider.cli("approvals", "list")
    assert code == 0 and vm in out and "tests" in out and "no rule holds" in out, (out, err)
    code, out, err = provider.cli("approvals", "deny", vm)
    assert code == 0 and out == f"{vm}: denied\n", err
    code, out, err = provider.cli("approvals", "allow", vm)
    assert code == 4 and "no such request waits" in err
    code, out, err = provider.cli("filter", "reputation")
    assert code == 0 and "45" in out, err
    code, out, err = provider.cli("provide", "on", "--each-peer", "vms=1,memory=1G",
                                  "--each-vm", "cpu=2", "--owner-first", "no")
    assert code == 0 and "a peer   1 machines" in out and "waits, as everybody" in out, (out, err)
    code, out, err = provider.cli("provide", "on", "--each-peer", "vms=many")
    assert code == 2 and "vms=2,cpu=2" in err
