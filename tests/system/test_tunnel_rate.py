"""What each peer may have of what is exposed: rates, connections; and what is told of it."""

import concurrent.futures
import json
import os
import socket
import time

import pytest

import servers
from daemon import wait_until
from fixtures import ALONE
from tunnel_pair import (connect, exactly, expose, failing, forward, is_reset, named, read_all,
                         told, two)  # noqa: F401

MIB = 1 << 20
RATE = 2 * MIB
BURST_SECONDS = 0.1
SIZE = 4 * MIB
# Seconds for SIZE at RATE, burst included: 2, and what a busy machine adds; without a rate less.
LEAST, MOST = 1.5, 8.0
FASTER = 3
CPU_SHARE = 0.2
TURN = b"now"


def source(connection):
    """SIZE bytes, after TURN."""
    exactly(connection, len(TURN))
    connection.sendall(bytes(SIZE))


def sink(connection):
    """Takes what comes, to its end, and tells how much."""
    n = 0
    while piece := connection.recv(1 << 18):
        n += len(piece)
    connection.sendall(str(n).encode())


def down(port):
    """Seconds until SIZE bytes came from a source."""
    with connect(port) as s:
        begin = time.monotonic()
        s.sendall(TURN)
        s.shutdown(socket.SHUT_WR)
        assert len(read_all(s)) == SIZE
        return time.monotonic() - begin


def up(port):
    """Seconds until a sink has had SIZE bytes."""
    with connect(port) as s:
        begin = time.monotonic()
        s.sendall(bytes(SIZE))
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == str(SIZE).encode()
        return time.monotonic() - begin


def cpu_seconds(daemon):
    """What its process has used so far."""
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def usage(daemon, number):
    """The rows of what is exposed by that number, by peer, once nothing is open."""
    def rows():
        return [row for row in daemon.rpc("expose.usage")["usage"] if row["id"] == number]

    assert wait_until(lambda: all(row["open"] == 0 for row in rows()), 10), rows()
    return {row["peer"]: row for row in rows()}


@pytest.fixture
def three(two, make):
    """ann, who offers, and two who use: ben and cid."""
    ann, ben = two
    cid = make("cid", [*ALONE, "--name", "cid", *ann.bootstrap()]).start()
    assert wait_until(lambda: named(cid, "ann") and named(ann, "cid"), 20)
    return ann, ben, cid


@pytest.mark.parametrize("server, move", [(source, down), (sink, up)])
def test_a_rate_is_kept(two, server, move):
    ann, ben = two
    with servers.serving(server) as port:
        free = expose(ann, f"7:127.0.0.1:{port}", "--to", "ben")
        slow = expose(ann, str(port), "--to", "ben", "--rate", "2M")
        assert slow["rate"] == RATE and "rate" not in free
        other, _ = forward(ben, "0:ann:7")
        control = min(move(other) for _ in range(3))
        used, begin = [cpu_seconds(daemon) for daemon in two], time.monotonic()
        took = move(forward(ben, f"0:ann:{port}")[0])
        passed = time.monotonic() - begin
        shares = [(cpu_seconds(d) - was) / passed for d, was in zip(two, used)]
        print(f"{SIZE >> 20} MiB in {took:.2f} s, without a rate in {control:.3f} s;"
              f" CPU {shares[0]:.1%} and {shares[1]:.1%}")
        assert LEAST <= took <= MOST
        assert took >= FASTER * control
        assert max(shares) < CPU_SHARE


def test_each_peer_has_a_rate_of_its_own(three):
    ann, ben, cid = three
    with servers.serving(source) as port:
        row = expose(ann, str(port), "--to", "ben", "--to", "cid", "--rate", "2M")
        ports = [forward(peer, f"0:ann:{port}")[0] for peer in (ben, cid)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            took = list(pool.map(down, ports))
        print(f"two peers at once: {took[0]:.2f} s and {took[1]:.2f} s")
        assert all(LEAST <= seconds <= MOST for seconds in took)
        used = usage(ann, row["id"])
        assert sorted(used) == sorted([ben.self_id(), cid.self_id()])
        assert all(of["bytes_sent"] == SIZE and of["total"] == 1 for of in used.values()), used


def test_connections_of_a_peer_share_its_rate(two):
    ann, ben = two
    with servers.serving(source) as port:
        expose(ann, str(port), "--to", "ben", "--rate", "4M")
        local, _ = forward(ben, f"0:ann:{port}")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            took = list(pool.map(down, [local] * 2))
        print(f"two connections at 4M: {took[0]:.2f} s and {took[1]:.2f} s")
        assert LEAST <= max(took) <= MOST
        assert min(took) > max(took) / 2, "each would take half as long alone"


def test_usage_is_exact(two):
    ann, ben = two
    with servers.serving(servers.echo) as port:
        row = expose(ann, str(port), "--to", "ben", "--rate", "1M")
        assert told(ann, "expose", "usage") == {"usage": []}
        local, _ = forward(ben, f"0:ann:{port}")
        with connect(local) as s:
            s.sendall(bytes(1000))
            assert exactly(s, 1000)

            def live():
                of = ann.rpc("expose.usage")["usage"][0]
                return of["open"], of["bytes_sent"], of["bytes_received"]

            assert wait_until(lambda: live() == (1, 1000, 1000)), live()
            listed = ann.rpc("expose.list")["exposed"][0]
            assert (listed["bytes_sent"], listed["bytes_received"]) == (1000, 1000)
            s.sendall(bytes(234567))
            s.shutdown(socket.SHUT_WR)
            assert len(read_all(s)) == 234567
        of = usage(ann, row["id"])[ben.self_id()]
        assert (of["bytes_sent"], of["bytes_received"]) == (235567, 235567)
        assert (of["total"], of["refused"], of["port"], of["internet"]) == (1, 0, port, False)
        assert of["first_used"] < of["last_used"]
        listed = ann.rpc("expose.list")["exposed"][0]
        assert (listed["bytes_sent"], listed["bytes_received"]) == (235567, 235567)
        code, out, _ = ann.cli("expose", "usage")
        assert code == 0 and "230.0 KiB" in out and ben.self_id()[:10] in out, out
        ann.cli("expose", "remove", str(row["id"]))
        assert told(ann, "expose", "usage") == {"usage": []}
    with servers.serving(servers.echo) as gone:
        pass
    row = expose(ann, str(gone), "--to", "ben")
    assert is_reset(forward(ben, f"0:ann:{gone}")[0])
    of = usage(ann, row["id"])[ben.self_id()]
    assert (of["total"], of["refused"], of["bytes_sent"]) == (1, 1, 0)


def held(port, count):
    """So many connections to an echo, each of which stands."""
    all_of_them = []
    for _ in range(count):
        s = connect(port)
        s.sendall(b"x")
        assert exactly(s, 1) == b"x"
        all_of_them.append(s)
    return all_of_them


def test_connections_of_a_peer_are_limited(three):
    ann, ben, cid = three
    with servers.serving(servers.echo) as port:
        row = expose(ann, str(port), "--to", "ben", "--to", "cid", "--max-connections", "3")
        assert row["max_connections"] == 3
        local, number = forward(ben, f"0:ann:{port}")
        some = held(local, 3)
        for _ in range(2):
            assert is_reset(local)
        told_why = [f for f in ben.rpc("forward.list")["forwards"] if f["id"] == number][0]
        assert told_why["last_error"] == "busy: too many connections"
        held(forward(cid, f"0:ann:{port}")[0], 3)[0].close()  # the control: others may
        of = ann.rpc("expose.usage")["usage"]
        assert [(u["open"], u["total"], u["refused"]) for u in of if
                u["peer"] == ben.self_id()] == [(3, 5, 2)]
        some.pop().close()
        assert wait_until(lambda: [u["open"] for u in ann.rpc("expose.usage")["usage"]
                                   if u["peer"] == ben.self_id()] == [2], 5)
        some += held(local, 1)
        for s in some:
            s.close()


def test_datagrams_beyond_the_rate_are_dropped(two):
    ann, ben = two
    size, count = 1000, 400
    heard, of = [], {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        port = server.getsockname()[1]
        row = expose(ann, str(port), "--udp", "--to", "ben", "--rate", "20K")
        local, _ = forward(ben, f"0:ann:{port}", "--udp")

        def is_told():
            """Is all that came in what was dropped, and what is here after a silence?"""
            server.settimeout(0.5)
            with pytest.raises(TimeoutError):
                while True:
                    heard.append(server.recv(2 * size))
            of.update(*[u for u in ann.rpc("expose.usage")["usage"] if u["id"] == row["id"]])
            return of["datagrams"] == of["dropped"] + len(heard)

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", local))
            client.send(bytes(size))
            heard.append(server.recv(2 * size))
            begin = time.monotonic()
            for _ in range(count - 1):
                client.send(bytes(size))
                time.sleep(0.001)  # so that no queue on the way overflows
            assert wait_until(is_told), (len(heard), of)
            passed = time.monotonic() - begin
        print(f"{len(heard)} of {count} datagrams came; {of}")
        assert of["dropped"] > 0 and {len(data) for data in heard} == {size}
        assert of["bytes_received"] == len(heard) * size
        assert len(heard) * size <= 64 * 1024 + (passed + 1) * 20 * 1024


def test_limits_are_kept(two):
    ann, _ = two
    expose(ann, "7", "--to", "ben", "--rate", "10M", "--max-connections", "5", "--keep")
    expose(ann, "internet", "--to", "ben", "--rate", "500k", "--keep")
    ann.stop()
    ann.start()
    rows = told(ann, "expose", "list")["exposed"]
    assert [(row.get("rate"), row["max_connections"]) for row in rows] == [
        (10 * MIB, 5), (500 * 1024, 2048)]
    with open(os.path.join(ann.home, "tunnels.json"), encoding="utf-8") as file:
        assert json.load(file)["exposed"][0]["rate"] == 10 * MIB


@pytest.mark.parametrize("words, said", [
    ("7 --rate x", "--rate"),
    ("7 --rate 0", "--rate"),
    ("7 --rate 1000", "rate: want 1024 to 4294967295"),
    ("7 --rate 4G", "rate: want 1024 to 4294967295"),
    ("7 --max-connections 0", "--max-connections: want 1 or more"),
    ("7 --max-connections 2049", "max_connections: want 1 to 2048"),
    ("listen --rate 1M", "rate: only a port"),
])
def test_wrong_limits_are_refused(two, words, said):
    assert said in failing(two[0], "expose", *words.split(), "--to", "ben")


def test_a_quiet_connection_gives_way(two):
    """One that has said just what a bucket holds keeps no turn from the next."""
    ann, ben = two

    def send_and_wait(connection):
        connection.sendall(bytes(int(exactly(connection, 8))))
        connection.recv(1)

    with servers.serving(send_and_wait) as port:
        expose(ann, str(port), "--to", "ben", "--rate", "100K")
        local, _ = forward(ben, f"0:ann:{port}")
        for _ in range(3):
            with connect(local) as quiet, connect(local, seconds=10) as other:
                quiet.sendall(b"%08d" % 65536)
                exactly(quiet, 65536)
                other.sendall(b"%08d" % 10)
                assert exactly(other, 10) == bytes(10)
