"""Tunnels over time: many one after the other, and a peer that dies in the middle of one."""

import os
import socket
import time

import pytest

import servers
from daemon import wait_until
from test_endurance import anonymous_kb, quiet_descriptors, descriptors
from tunnel_pair import connect, exactly, expose, forward, two  # noqa: F401

MANY = 10_000
WARM = 300  # before the first count: allocators grow to their size
SLACK_KB = 4096
END_SECONDS = 60
SILENT_SECONDS = 3  # how long a dead peer is looked at


def come_and_go(port, count):
    """So many connections, one after the other, half of them ended by us, half by a reset."""
    for i in range(count):
        with connect(port) as s:
            s.sendall(b"x")
            assert exactly(s, 1) == b"x"
            if i % 2:
                servers.reset(s)
            else:
                s.shutdown(socket.SHUT_WR)
                assert s.recv(1) == b""


def test_many_leave_nothing(two):
    with servers.serving(servers.echo) as port:
        expose(two[0], str(port), "--to", "ben")
        local, _ = forward(two[1], f"0:ann:{port}")
        pids = [daemon.process.pid for daemon in two]
        quiet = [quiet_descriptors(daemon) for daemon in two]
        come_and_go(local, WARM)

        def is_quiet(more=0):
            return [descriptors(pid) for pid in pids] == [n + more for n in quiet]

        assert wait_until(is_quiet, 10), (quiet, [descriptors(pid) for pid in pids])
        with connect(local) as held:
            held.sendall(b"x")
            assert exactly(held, 1) == b"x"
            assert wait_until(lambda: is_quiet(1)), "the control: one that is held is seen"
        assert wait_until(is_quiet, 10)
        memory = [anonymous_kb(pid) for pid in pids]
        begin = time.monotonic()
        come_and_go(local, MANY)
        took = time.monotonic() - begin
        assert wait_until(is_quiet, 10), (quiet, [descriptors(pid) for pid in pids])
        grown = [anonymous_kb(pid) - before for pid, before in zip(pids, memory)]
        print(f"{MANY} connections, {took / MANY * 1000:.2f} ms each; RssAnon {memory} kB {grown}")
        assert max(grown) <= SLACK_KB
        for daemon, method, name in ((two[0], "expose.list", "exposed"),
                                     (two[1], "forward.list", "forwards")):
            row = daemon.rpc(method)[name][0]
            assert (row["total"], row["open"], row["failed"]) == (WARM + 1 + MANY, 0, 0), row


def pour(connection):
    """Bytes without end."""
    try:
        while True:
            connection.sendall(bytes(1 << 16))
    except OSError:
        pass


def holding(ended):
    """A server that answers, and notes in @ended how its connection did."""
    def hold(connection):
        try:
            while connection.recv(1 << 16):
                connection.sendall(b"x")
            ended.append("end")
        except OSError:
            ended.append("reset")
    return hold


def drain(connection):
    """What is still in buffers of this machine."""
    connection.settimeout(0.5)
    try:
        while connection.recv(1 << 20):
            pass
    except TimeoutError:
        pass


def still_open(connection):
    """True if it neither ends nor is reset for a while."""
    connection.settimeout(SILENT_SECONDS)
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False


def seconds_to_end(connection):
    """How long it still brings something until it is reset; AssertionError at an ordinary end."""
    begin = time.monotonic()
    connection.settimeout(END_SECONDS)
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        return time.monotonic() - begin
    except TimeoutError:
        pytest.fail(f"still open after {END_SECONDS} s of silence")
    pytest.fail("it ended as if all had come")


def test_the_daemon_that_serves_is_killed(two):
    ann, ben = two
    with servers.serving(pour) as source, servers.serving(servers.echo) as port:
        expose(ann, str(source), "--to", "ben", "--keep")
        expose(ann, str(port), "--to", "ben", "--keep")
        flowing, _ = forward(ben, f"0:ann:{source}")
        echoing, _ = forward(ben, f"0:ann:{port}")
        with connect(flowing) as flow, connect(echoing) as idle:
            exactly(flow, 1 << 20)
            idle.sendall(b"x")
            assert exactly(idle, 1) == b"x"
            ann.kill()
            drain(flow)
            # A peer that is silent may be asleep, or on its way to another network: it is waited
            # for, as long as its association lives.
            assert still_open(flow) and still_open(idle)
            ann.start()
            took, quiet = seconds_to_end(flow), seconds_to_end(idle)
            print(f"ended {took:.1f} s after a new daemon was there, the idle one {quiet:.1f} s"
                  " later")
        begin = time.monotonic()
        assert wait_until(lambda: answered(echoing), 60)
        print(f"served again {time.monotonic() - begin:.1f} s after the new one was there")


def answered(port):
    """The echo answers."""
    try:
        with connect(port) as s:
            s.sendall(b"again")
            return exactly(s, 5) == b"again"
    except (OSError, AssertionError):
        return False


def test_a_service_hears_that_its_daemon_was_killed(two):
    """By a reset; from a connection that ended, it hears of an end (the control)."""
    ann, ben = two
    ended = []
    with servers.serving(holding(ended)) as port:
        expose(ann, str(port), "--to", "ben", "--keep")
        local, _ = forward(ben, f"0:ann:{port}")
        with connect(local) as s:
            s.sendall(b"x")
            assert exactly(s, 1) == b"x"
            s.shutdown(socket.SHUT_WR)
            assert s.recv(1) == b"" and wait_until(lambda: ended, END_SECONDS)
        with connect(local) as s:
            s.sendall(b"x")
            assert exactly(s, 1) == b"x"
            ann.kill()
            assert wait_until(lambda: len(ended) == 2, END_SECONDS)
    assert ended == ["end", "reset"]


def test_the_daemon_that_uses_is_killed(two):
    ann, ben = two
    ended = []
    with servers.serving(holding(ended)) as port:
        expose(ann, str(port), "--to", "ben")
        local, _ = forward(ben, f"0:ann:{port}")
        with connect(local) as s:
            s.sendall(b"x")
            assert exactly(s, 1) == b"x"
            ben.kill()
            with pytest.raises(ConnectionResetError):  # an end would say that all had come
                s.recv(1)
            assert not wait_until(lambda: ended, SILENT_SECONDS)
            ben.start()
            begin = time.monotonic()
            assert wait_until(lambda: ended, END_SECONDS), ann.rpc("expose.list")
            print(f"the server heard of it {time.monotonic() - begin:.1f} s later: {ended[0]}")
            assert ended == ["reset"]
        assert wait_until(lambda: ann.rpc("expose.list")["exposed"][0]["open"] == 0)


@pytest.mark.parametrize("stopped", ["ann", "ben"])
def test_a_daemon_that_stops_ends_what_is_open(two, stopped):
    ann, ben = two
    with servers.serving(servers.echo) as port:
        expose(ann, str(port), "--to", "ben")
        with connect(forward(ben, f"0:ann:{port}")[0]) as s:
            s.sendall(b"x")
            assert exactly(s, 1) == b"x"
            assert (ann if stopped == "ann" else ben).stop() == 0
            assert seconds_to_end(s) < 5
