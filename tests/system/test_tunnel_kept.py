"""Rules that were kept: those that cannot stand wait, keep their numbers, and are not lost."""

import json
import os
import socket

import pytest

import servers
from daemon import wait_until
from fixtures import ALONE, need
from tunnel_pair import connect, expose, forward, proxy, read_all, told, two  # noqa: F401


@pytest.fixture
def cid(make):
    """A daemon alone."""
    need("omerta", "omerta-meshd")
    return make("cid", [*ALONE, "--name", "cid"]).start()


def kept(daemon, **lists):
    """What is in its tunnels.json; with @lists, that is written instead, as in a file of old."""
    path = os.path.join(daemon.home, "tunnels.json")
    if lists:
        with open(path, "w", encoding="utf-8") as file:
            file.write(lists.get("text") or json.dumps(lists, indent=2))
        os.chmod(path, 0o600)
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def rows(daemon):
    return {row["id"]: row for row in daemon.rpc("forward.list")["forwards"]}


def answers(port):
    try:
        with connect(port) as s:
            s.sendall(b"hello")
            s.shutdown(socket.SHUT_WR)
            return read_all(s) == b"hello"
    except OSError:
        return False


def test_a_kept_rule_whose_port_is_taken_waits(two):
    ann, ben = two
    with servers.serving(servers.echo) as port:
        expose(ann, str(port), "--to", "ben")
        local, first = forward(ben, f"0:ann:{port}", "--keep")
        other, second = forward(ben, f"0:ann:{port}", "--keep")
        assert ben.stop() == 0
        with socket.create_server(("127.0.0.1", local)):
            ben.start()
            seen = rows(ben)
            assert [(n, row["up"]) for n, row in seen.items()] == [(first, False), (second, True)]
            assert seen[first]["listen"] == f"127.0.0.1:{local}" and seen[first]["keep"] is True
            assert seen[first]["peer"] == ann.self_id() and seen[first]["port"] == port
            assert "another program listens there" in seen[first]["last_error"]
            assert "another program listens there" in ben.log()
            forward(ben, f"0:ann:{port}", "--keep")  # what is saved now has it all the same
            assert [row["id"] for row in kept(ben)["forwards"]] == [first, second, second + 1]
        assert wait_until(lambda: rows(ben)[first]["up"], 20), "it is tried again"
        assert list(rows(ben)) == [first, second, second + 1], "where it was in the list"
        assert rows(ben)[first]["last_error"] == ""
        assert wait_until(lambda: answers(local), 30) and answers(other)
        assert ben.stop() == 0
        assert all(row["up"] for row in rows(ben.start()).values())


def test_a_rule_that_waits_can_be_removed(cid):
    port, number = proxy(cid, "--keep"), 1
    assert list(rows(cid)) == [number]
    assert cid.stop() == 0
    with socket.create_server(("127.0.0.1", port)):
        row = rows(cid.start())[number]
        assert (row["kind"], row["proxy"], row["up"]) == ("proxy", True, False)
        told(cid, "forward", "remove", str(number))
        assert rows(cid) == {} and kept(cid)["forwards"] == []


def test_a_password_is_kept_while_its_proxy_waits(cid):
    row = cid.rpc("forward.add", listen="0", proxy=True, user="u", password="secret-word",
                  keep=True)
    port = int(row["listen"].rpartition(":")[2])
    assert cid.stop() == 0
    with socket.create_server(("127.0.0.1", port)):
        row = rows(cid.start())[row["id"]]
        assert row["up"] is False and row["user"] == "u" and "password" not in row
        proxy(cid, "--keep")
        assert kept(cid)["forwards"][0]["password"] == "secret-word"


def test_numbers_outlive_the_daemon(two):
    ann, ben = two
    expose(ann, "1", "--to", "ben")
    second = expose(ann, "2", "--to", "ben", "--keep")["id"]
    third = expose(ann, "3", "--to", "ben", "--keep")["id"]
    _, fourth = forward(ann, "0:ben:4", "--keep")
    told(ann, "expose", "remove", str(second))
    assert ann.stop() == 0
    ann.start()
    assert [row["id"] for row in ann.rpc("expose.list")["exposed"]] == [third]
    assert list(rows(ann)) == [fourth]
    assert expose(ann, "5", "--to", "ben")["id"] == fourth + 1
    assert ben.stop() == 0


def test_rules_without_numbers_get_them_once(cid):
    rule = {"to": ["a" * 52], "keep": True, "network": "default"}
    assert cid.stop() == 0
    kept(cid, forwards=[], exposed=[{**rule, "port": 1}, {**rule, "port": 2, "id": 7},
                                    {**rule, "port": 3, "id": 7}])
    cid.start()
    assert [row["id"] for row in cid.rpc("expose.list")["exposed"]] == [8, 7, 9]
    assert [row["id"] for row in kept(cid)["exposed"]] == [8, 7, 9]


def test_what_makes_no_sense_waits_and_is_named(cid):
    good = {"to": ["a" * 52], "keep": True, "network": "default", "port": 1, "id": 3}
    assert cid.stop() == 0
    code, out, _ = checked(cid)
    assert code == 0 and out["state"] == "ok"
    kept(cid, forwards=[], exposed=[good, {**good, "port": 99999, "id": 5},
                                    {**good, "network": "elsewhere", "id": 6}])
    code, out, text = checked(cid)
    assert code == 0 and out["state"] == "warn", "the others stand"
    assert "tunnels.json: exposed, number 2: port: want 1 to 65535" in text
    cid.start()
    assert "port: want 1 to 65535" in cid.log() and "elsewhere" in cid.log()
    seen = {row["id"]: row for row in cid.rpc("expose.list")["exposed"]}
    assert seen[3]["last_error"] == "" and "65535" in seen[5]["last_error"]
    assert "elsewhere" in seen[6]["last_error"] and seen[6]["network"] == "elsewhere"
    expose(cid, "9", "--to", "b" * 51 + "a", "--keep")
    assert [row["port"] for row in kept(cid)["exposed"]] == [1, 99999, 1, 9]


def checked(daemon):
    """omerta-meshd check: (exit, what it says of tunnels, all for people); doctor says the same."""
    code, out, _ = daemon.tool("check", "--json")
    mine = [row for row in json.loads(out) if row["check"] == "tunnels"]
    doctor = json.loads(daemon.cli("doctor", "--json")[1])
    assert len(mine) == 1 and mine[0] in doctor
    return code, mine[0], daemon.tool("check")[1]


@pytest.mark.parametrize("text, wanted", [
    ('{\n  "forwards": [],\n  "exposed": [\n}\n', "tunnels.json: line 4: no JSON"),
    ('{"forwards": 3}', 'tunnels.json: want the lists "forwards" and "exposed"'),
    ("[]", 'tunnels.json: want the lists "forwards" and "exposed"')])
def test_a_broken_file_is_named(cid, text, wanted):
    assert cid.stop() == 0
    kept(cid, text=text)
    code, out, said = checked(cid)
    assert code != 0 and out["state"] == "fail" and wanted in out["what"] and wanted in said
    cid.spawn()
    assert cid.wait() != 0 and wanted in cid.log()
