"""The JSON of every command: its keys and kinds are those of golden/, and each key is documented.

OMERTA_GOLDEN=write writes golden/ anew; read the difference before you keep it.
"""

import contextlib
import json
import os
import re
import socket
import tempfile

import pytest

from commands import Live, data, good, line_after, run, write_config
from daemon import Daemon, free_port, talk, wait_until
from fixtures import ALONE, need

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
WRITES = os.environ.get("OMERTA_GOLDEN") == "write"
# Their keys are of the moment: all of them stand for one.
MAPS = {"drops": "REASON", "dropped": "REASON", "config": "KEY"}
# May be empty: which addresses this machine has is no matter of ours.
LISTS = {"endpoints": "string", "seen": "string"}
# Null or empty until the daemon has measured a while, or has something to say.
FIGURES = {"mean_ms": "number", "p50_ms": "number", "p95_ms": "number", "p99_ms": "number",
           "samples": "integer"}
LATER = {"latency": FIGURES,
         "latency_of_peers": [FIGURES | {"network": "string", "peer": "string"}],
         "better": [{"hint": "string", "n": "integer", "text": "string"}],
         "relays": [{"address": "string", "home": "boolean", "id": "string", "name": "string",
                     "rtt_ms": "number", "warm": "boolean"}]}


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def kind(value):
    """The name of the kind of a scalar."""
    names = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}
    return names[type(value)]


def shape(value, key=None):
    """@value with kinds in the place of values, and of each array only the first element."""
    if value in (None, []) and key in LATER:
        return LATER[key]
    if isinstance(value, dict) and key in MAPS:
        assert len({kind(each) for each in value.values()}) <= 1, value
        return {MAPS[key]: kind(next(iter(value.values()), 0))}
    if isinstance(value, dict):
        return {name: shape(each, name) for name, each in sorted(value.items())}
    if isinstance(value, list) and key in LISTS:
        assert all(kind(each) == LISTS[key] for each in value), value
        return [LISTS[key]]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return kind(value)


def keys_of(wanted):
    """Every key in a shape but those that stand for many."""
    if isinstance(wanted, list):
        return set().union(*map(keys_of, wanted))
    if not isinstance(wanted, dict):
        return set()
    return set(wanted).union(*map(keys_of, wanted.values())) - set(MAPS.values())


def differences(got, wanted, where="$"):
    """Sentences on what @got has too much, too little or of another kind."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        found = [f"{where}: no key {key}" for key in sorted(wanted.keys() - got.keys())]
        found += [f"{where}: new key {key}" for key in sorted(got.keys() - wanted.keys())]
        for key in sorted(got.keys() & wanted.keys()):
            found += differences(got[key], wanted[key], f"{where}.{key}")
        return found
    if isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        return [one for i, pair in enumerate(zip(got, wanted))
                for one in differences(*pair, f"{where}[{i}]")]
    return [] if got == wanted else [f"{where}: {json.dumps(got)}, want {json.dumps(wanted)}"]


def path_of(name):
    """Where the shape called @name is kept."""
    return os.path.join(GOLDEN, f"{name}.json")


def compare(name, value):
    """@value has the shape golden/@name.json, which is written anew when that was asked for."""
    got = shape(value)
    if WRITES:
        os.makedirs(GOLDEN, exist_ok=True)
        with open(path_of(name), "w", encoding="utf-8") as file:
            file.write(json.dumps(got, indent=2) + "\n")
    with open(path_of(name), encoding="utf-8") as file:
        wanted = json.load(file)
    found = differences(got, wanted)
    assert not found, f"omerta {name} --json: " + "; ".join(found)


def lines(text):
    """One shape for each kind of line, in the order in which they came."""
    found = []
    for line in text.splitlines():
        value = json.loads(line)
        if shape(value) not in map(shape, found):
            found.append(value)
    return found


def compare_lines(name, text):
    """The same of live output: one shape for each kind of line."""
    values = lines(text)
    assert values, name
    for i, value in enumerate(values):
        compare(name if i == 0 else f"{name}-{i + 1}", value)


# The control: what a difference looks like.

def test_differences_are_seen():
    wanted = {"a": [{"b": "integer"}], "c": "string"}
    assert not differences(shape({"a": [{"b": 1}, {"x": 2}], "c": "s"}), wanted)
    for value, word in [({"a": [{"b": 1}]}, "no key c"),
                        ({"a": [{"b": 1}], "c": "s", "d": 1}, "new key d"),
                        ({"a": [{"b": 1.0}], "c": "s"}, "$.a[0].b: \"number\""),
                        ({"a": [{"b": True}], "c": "s"}, "boolean"),
                        ({"a": [], "c": "s"}, "$.a"),
                        ({"a": [{"b": None}], "c": "s"}, "null"),
                        ([1], "want")]:
        assert word in "; ".join(differences(shape(value), wanted)), value


# Where the daemon that answers was started by hand, with a peer.

@pytest.fixture(name="two", scope="module")
def two_that_talk():
    """Two daemons that have exchanged messages."""
    need("omerta", "omerta-meshd")
    with tempfile.TemporaryDirectory(prefix="om-") as base:
        first = Daemon(os.path.join(base, "a"), ALONE + ["--name", "anna"])
        second = Daemon(os.path.join(base, "b"), ALONE + ["--name", "bert"])
        try:
            first.start()
            second.args += first.bootstrap()
            second.start()
            assert talk(first, second, "out") and talk(second, first, "in")
            yield first, second
        finally:
            first.end()
            second.end()


# The name of the golden file, and the arguments; PEER is the id of the other.
ASKED = {
    "approvals": ["approvals"],
    "check-deps": ["check-deps"],
    "cloister": ["cloister"],
    "config": ["config"],
    "config-keys": ["config", "keys"],
    "config-path": ["config", "path"],
    "doctor": ["doctor"],
    "filter": ["filter"],
    "filter-add": ["filter", "add", "--name", "coins", "--then", "ask", "--words", "mining"],
    "filter-reputation": ["filter", "reputation"],
    "filter-test": ["filter", "test", "--peer", "PEER", "--description", "mining"],
    "health": ["health", "PEER", "-c", "2"],
    "help": ["help"],
    "help-command": ["help", "log"],
    "help-exit-codes": ["help", "exit-codes"],
    "image": ["image"],
    "key": ["key", "show"],
    "message": ["message", "PEER", "a text"],
    "message-list": ["message", "--list"],
    "message-wait": ["message", "--wait", "PEER", "a text"],
    "netcheck": ["netcheck"],
    "network": ["network"],
    "peers": ["peers"],
    "peers-one": ["peers", "PEER"],
    "peers-add": ["peers", "add", "PEER"],
    "provide": ["provide"],
    "providers": ["providers"],
    "status": ["status"],
    "version": ["version"],
    "vm": ["vm"],
}


@pytest.mark.parametrize("name", ASKED)
def test_asked(two, name):
    first, second = two
    argv = [second.self_id() if word == "PEER" else word for word in ASKED[name]]
    code, out, err = run(first.home, *argv, "--json")
    assert err == "" and (code == 0 or name in ("doctor", "check-deps")), (code, out, err)
    compare(name, json.loads(out))


def test_ping(two):
    first, second = two
    compare_lines("ping", good(first.home, "ping", second.self_id(), "-c2", "-i0.05", "--json"))


def test_why(two):
    first, second = two
    argv = ["why", first.self_id()]  # who was asked has tried nothing
    assert wait_until(lambda: data(second.home, *argv)["paths"][0]["rtt_ms"])
    compare("why", data(second.home, *argv))


def test_tunnels(two):
    first, second = two
    compare("expose", data(first.home, "expose", "22", "--to", second.self_id()))
    compare("expose-list", data(first.home, "expose"))
    spec = f"0:{second.self_id()}:22"
    compare("forward", data(first.home, "forward", "add", "-L", spec))
    compare("proxy", data(first.home, "proxy", "0", "--via", second.self_id()))
    compare("dns", data(first.home, "dns", "0", "--gateway", second.self_id()))
    forwards = data(first.home, "forward")
    compare("forward-list", forwards)
    number = str(forwards["forwards"][0]["id"])
    compare("forward-remove", data(first.home, "forward", "remove", number))
    spec = f"0:{first.self_id()}:22"
    local = data(second.home, "forward", "add", "-L", spec)["listen"].rpartition(":")[2]
    with contextlib.suppress(ConnectionResetError):
        socket.create_connection(("127.0.0.1", int(local)), 10).close()
    assert wait_until(lambda: data(first.home, "expose", "usage")["usage"], 10)
    compare("expose-usage", data(first.home, "expose", "usage"))
    compare("expose-rate", data(first.home, "expose", "23", "--to", second.self_id(),
                                "--rate", "1M", "--max-connections", "9"))
    compare("expose-remove", data(first.home, "expose", "remove", "1"))


def test_cloister(two):
    first, second = two
    asked = data(first.home, "cloister", second.self_id())
    compare("cloister-ask", asked)
    compare("cloister-list", data(first.home, "cloister", "list"))
    compare("cloister-deny", data(first.home, "cloister", "deny", str(asked["id"])))
    assert wait_until(lambda: not data(second.home, "cloister")["cloisters"], 10)


def test_link(two):
    first, second = two
    line = {"open": "link", "kind": "ip", "peer": second.self_id(), "here": "10.64.0.1/24",
            "there": "10.64.0.2"}
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(first.home, "data.sock"))
        s.sendall(json.dumps(line).encode() + b"\n\0\0\0\x01x")  # a frame of one byte
        assert b'"ok":true' in s.recv(4096)
        compare("link", data(first.home, "link"))
        compare("link-list", data(first.home, "link", "list"))


def test_watch(two):
    first, second = two
    with Live(first.home, "watch", "message", "--json", "-c", "1") as watch:
        assert wait_until(lambda: first.rpc("status")["clients"] >= 2)
        to = first.self_id()
        line = line_after(watch, lambda: second.rpc("message.send", peer=to, text="x"))
    compare("watch-message", json.loads(line))


def test_watch_node(make):
    first = make("first", ALONE).start()
    second = make("second", ALONE + first.bootstrap())

    def come():
        second.end()
        second.start()

    with Live(first.home, "watch", "session_up", "--json", "-c", "1") as watch:
        assert wait_until(lambda: first.rpc("status")["clients"] >= 2)
        line = line_after(watch, come)
    compare("watch", json.loads(line))


def test_of_a_home(home, folder):
    compare("init", data(home, "init"))
    keys = {"port": free_port(), "lan": False, "portmap": False}
    write_config(home, keys)
    compare("version-alone", data(home, "version"))
    try:
        compare("up", data(home, "up"))
        compare("up", data(home, "up"))
        compare_lines("log", good(home, "log", "-n", "2", "--json"))
        write_config(home, {**keys, "log": {"level": "debug"}})
        compare("reload", data(home, "reload"))
        compare("bugreport", data(home, "bugreport", "-o", os.path.join(folder, "report")))
        compare("down", data(home, "down"))
        assert data(home, "up")["was_running"] is False
        ended = data(home, "down", "--purge", "--yes")
        compare("down", ended)
        assert ended["was_running"] and ended["purged"] and ended["files"] > 3
    finally:
        run(home, "down")


def methods(daemon):
    """What the daemon says of each method's reply: all of it as one text."""
    return {each["name"]: " ".join(f"{one['name']} {one['help']}" for one in each["reply"])
            for each in daemon.rpc("methods.list")["methods"]}


def words_about(text, of_methods):
    """The words of @text, and of the replies and methods that it refers to."""
    seen, todo = set(), [text]
    found = set()
    while todo:
        one = todo.pop()
        found.update(re.findall(r"[a-z_0-9]+", one))
        for name in re.findall(r"(?:reply\s+of|as)\s+([a-z.]+[a-z])", one):
            if name in of_methods and name not in seen:
                seen.add(name)
                todo.append(of_methods[name])
    return found


def test_network(make):
    home = make("alone", ALONE).start().home
    asked = {"network-create": ["network", "create", "--name", "a", "--open"],
             "network-show": ["network", "show"],
             "network-rename": ["network", "rename", "a", "b"],
             "network-invite": ["network", "invite", "--at", "127.0.0.1"],
             "key-link": ["key", "link", "--name", "us", "--at", "127.0.0.1"],
             "network-show-direct": ["network", "show", "us"],
             "network-leave": ["network", "leave", "us"]}
    for name, argv in asked.items():
        compare(name, data(home, *argv))


def test_members(make):
    ann, ben = (make(name, ALONE + ["--name", name]).start() for name in ("ann", "ben"))
    good(ann.home, "network", "create", "--name", "lab")
    links = [data(ann.home, "network", "invite", "--role", "relay",
                  f"--at=127.0.0.1:{ann.port}")["link"] for _ in range(2)]
    good(ben.home, "network", "join", "-", "--name", "lab", stdin=links[0])
    assert wait_until(lambda: ann.network()["connected"] == 1)
    listed = data(ann.home, "network", "members")
    listed["members"].sort(key=lambda member: member["own"])
    compare("network-members", listed)
    compare("network-block", data(ann.home, "network", "block", "ben"))
    compare("network-block-list", data(ann.home, "network", "block", "--list"))
    compare("network-revoke-invite",
            data(ann.home, "network", "revoke", "--invite", "-", stdin=links[1]))
    compare("network-revoke", data(ann.home, "network", "revoke", "ben"))


def test_every_key_is_documented(two):
    first, _ = two
    of_methods = methods(first)
    helps = {c["name"]: c["help"] for c in data(first.home, "help")}
    helps["check-deps"] = helps[re.search(r"See (\w+)", helps["check-deps"]).group(1)]
    undocumented = {}
    names = [name.removesuffix(".json") for name in sorted(os.listdir(GOLDEN))]
    for name in names:
        command = max((c for c in helps if f"{name}-".startswith(f"{c}-")), key=len)
        with open(path_of(name), encoding="utf-8") as file:
            keys = keys_of(json.load(file))
        lacking = keys - words_about(helps[command], of_methods)
        if name == "watch-message":
            lacking -= words_about(of_methods["message.list"], of_methods)
        if lacking:
            undocumented[name] = sorted(lacking)
    assert not undocumented
    # Every command is compared, but for those whose output is a script, a peer's, OpenSSH's or a
    # job's (tests/vm/test_jobs.py).
    assert {max((c for c in helps if f"{name}-".startswith(f"{c}-")), key=len)
            for name in names} == set(helps) - {
                "completion", "cp", "nc", "run", "ssh", "submit"}
    # The control: a key that nobody wrote of.
    assert "rtt_us" not in words_about(helps["peers"], of_methods)
