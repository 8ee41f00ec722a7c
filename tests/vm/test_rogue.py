"""A provider and a consumer that mean ill: what they cannot do to the other side."""

import os
import subprocess
import time

import pytest

from daemon import RpcError, program
from fixtures import ALONE
from omerta_lab import die_with_parent, wait_until
from rogue import Rogue
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, give_image, has_session, image, provided,
                   wanted)

assert image  # a fixture
VM = "vm-0123456789"
STATE = '{"event":"state","vm":"%s","state":"%s","text":"%s"}'


@pytest.fixture
def home(make):
    """A daemon, and a rogue that it knows."""
    daemon = make("h", ALONE).start()
    rogue = Rogue(daemon)
    yield daemon, rogue
    rogue.end()


def request(daemon, rogue):
    """A machine of the rogue's."""
    return daemon.rpc("vm.request", peer=rogue.id, **SMALL)


def test_silent_provider(home):
    """It takes every question and never answers: each is given up, and no room is lost to it."""
    daemon, rogue = home
    rogue.say("silence")
    before = time.monotonic()
    with pytest.raises(RpcError, match="says nothing"):
        request(daemon, rogue)
    assert time.monotonic() - before < 20
    listed = daemon.rpc("vm.list")
    assert listed["vms"] == [] and listed["owed"] == 1, listed
    rogue.say("answer " + STATE % (VM, "running", ""))
    assert request(daemon, rogue)["vm"] == VM
    rogue.say("silence")
    before = time.monotonic()
    # As many as there may be at once, and then again.
    for _ in range(2):
        many = [daemon.control() for _ in range(60)]
        for control in many:
            control.send(b'{"jsonrpc":"2.0","id":1,"method":"vm.extend","params":{"vm":"%s",'
                         b'"ttl":"5m"}}\n' % VM.encode())
        for control in many:
            assert "says nothing" in control.receive()["error"]["message"]
            control.__exit__()
    assert time.monotonic() - before < 40


def test_job_without_end(home):
    """A provider that takes a job and never says its end: the program does not wait for ever."""
    daemon, rogue = home
    rogue.say("answer " + STATE % (VM, "running", ""))
    before = time.monotonic()
    words = ("submit", "--provider", rogue.id, "--memory", "192", "--script", "true", "--timeout",
             "1s")
    with subprocess.Popen([program("omerta"), *words], stdin=subprocess.DEVNULL, text=True,
                          stderr=subprocess.PIPE, preexec_fn=die_with_parent,
                          env=dict(os.environ, OMERTA_HOME=daemon.home)) as job:
        assert any("says nothing of the job" in line for line in job.stderr)
        job.kill()  # it waits for the machine's end, which is not told either
    assert 30 < time.monotonic() - before < 58


def test_words_for_the_terminal(home):
    """Whatever a provider says, no control character of it reaches a terminal."""
    daemon, rogue = home
    rogue.say("answer " + STATE % (VM, "running", "\\u001b]0;owned\\u0007"))
    assert request(daemon, rogue)["vm"] == VM
    rogue.say("answer " + STATE % ("\\u001b]0;owned\\u0007", "\\u001b[2J", "\\u001b[2J"))
    for words in (("extend", VM, "5m"), ("release", "--provider", rogue.id, VM),
                  ("traffic", VM), ("console", VM), ("list",), ("show", VM),
                  ("list", "--provider", rogue.id)):
        _, out, err = daemon.cli("vm", *words)
        assert "\x1b" not in out + err and "\x07" not in out + err, (words, out, err)
    assert VM in daemon.cli("vm", "list")[1]


def test_answers_that_lie(home):
    """Of answers whose calls are not ended few are kept, and none for long."""
    daemon, rogue = home
    for i in range(40):
        assert rogue.call("vm.list", "{}") == f"ok {i}\n"
    left = {f"over {i}\n" for i in range(8)}  # they may have come between
    while left - rogue.seen:
        rogue.until("over ")
    assert f"over {39}\n" not in rogue.seen
    before = time.monotonic()
    while "over 39\n" not in rogue.seen:
        rogue.until("over ")
    assert 20 < time.monotonic() - before < 45
    assert daemon.rpc("vm.list")["vms"] == []


def make_and_release(provider, rogue, i):
    """A machine that is given back at once; "", or why it is refused."""
    args = '{"key":"k%s","spec":{"memory":"192M","disk":"256M","ttl":"20m"}}' % i
    said = rogue.call("vm.request", args)
    if not said.startswith("ok"):
        return said
    assert rogue.call("vm.release", '{"key":"k%s"}' % i).startswith("ok"), i
    assert wait_until(lambda: provided(provider) == [], END_SECONDS)
    return ""


def test_consumer_that_keeps_its_calls(make, image):  # noqa: F811
    """Machines that are gone are freed, though their consumer does not end what it heard of them
    on: there is room for others."""
    provider = make("p", ALONE).start()
    give_image(provider, image)
    rogues = [Rogue(provider) for _ in range(6)]  # each may have 12 in a row
    consumer = make("c", ALONE + provider.bootstrap()).start()
    assert has_session(consumer, provider.self_id())
    provider.rpc("provide.set", on=True, to=[r.id for r in rogues] + [consumer.self_id()], **ROOM)
    wait_until(lambda: provider.rpc("provide.show")["engine"] != "unknown", END_SECONDS)
    for rogue in rogues:
        for i in range(11):
            assert make_and_release(provider, rogue, i) == "", i
    with consumer.control() as control:
        assert control.rpc("vm.request", peer=provider.self_id(), **SMALL)["vm"]
        vm = wanted(consumer)[0]["vm"]
        control.rpc("vm.release", vm=vm)
        assert control.event(lambda e: e["params"].get("state") == "gone", END_SECONDS)
    for rogue in rogues:
        rogue.end()


def test_consumer_that_keeps_its_jobs(make, image):  # noqa: F811
    """Of jobs that ended, and whose consumer does not end his side, 32 are kept at a time: the
    places for jobs are not all his."""
    provider = make("p", ALONE).start()
    give_image(provider, image)
    rogue = Rogue(provider)
    provider.rpc("provide.set", on=True, to=[rogue.id], **ROOM)
    spec = '{"key":"k","spec":{"memory":"192M","disk":"256M","ttl":"20m"}}'
    assert rogue.call("vm.request", spec).startswith("ok")
    assert wait_until(lambda: [m["state"] for m in provided(provider)] == ["running"], BOOT_SECONDS)
    job = '{"vm":"%s","job":{"language":"sh","script":0}}' % provided(provider)[0]["vm"]
    assert wait_until(lambda: rogue.call("vm.job", job).startswith("ok"), END_SECONDS)
    said = "ok"  # the agent is there
    for _ in range(100):
        if not said.startswith("ok"):
            break
        rogue.until(f"said {rogue.calls - 1} ")
        said = rogue.call("vm.job", job)
    assert "32 jobs of yours ended, and you have not taken the end" in said
    rogue.until("over ")  # each is let go of in time, and then there is room
    assert rogue.call("vm.job", job).startswith("ok")
    rogue.end()


def test_consumer_that_asks_too_fast(make, image):  # noqa: F811
    """Twelve machines in a row, then one each 10 s: the wait is named, it counts once against who
    asks, and against nobody else. The owner may have as many as she likes."""
    provider = make("p", ALONE).start()
    give_image(provider, image)
    rogue, other = Rogue(provider), Rogue(provider)
    provider.rpc("provide.set", on=True, to=[rogue.id, other.id], **ROOM)
    wait_until(lambda: provider.rpc("provide.show")["engine"] != "unknown", END_SECONDS)
    said, asked, begin = "", 0, time.monotonic()
    while not said:
        said = make_and_release(provider, rogue, asked)
        asked += not said
    assert 12 <= asked <= 12 + (time.monotonic() - begin) / 10 + 1, asked
    assert "you ask for virtual machines too fast (12 at once, then one each 10 s): wait " in said
    wait = int(said.split(": wait ")[1].split(" s")[0])
    assert 1 <= wait <= 10
    known = [{"peer": rogue.id, "reputation": 42}]
    assert provider.rpc("filter.reputation")["peers"] == known
    # Others are none the worse, and in time neither is who was refused.
    assert make_and_release(provider, other, 0) == ""
    assert wait_until(lambda: make_and_release(provider, rogue, "later") == "", 2 * wait + 20)
    assert provider.rpc("filter.reputation")["peers"] == known
    with provider.control() as control:
        for _ in range(15):
            vm = control.rpc("vm.request", **SMALL)["vm"]
            control.rpc("vm.release", vm=vm)
            assert wait_until(lambda: provided(provider) == [], END_SECONDS)
    for one in (rogue, other):
        one.end()
