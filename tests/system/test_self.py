"""A node that reaches itself: only what it exposes to itself, and without a datagram."""

import os
import socket
import struct
import threading

import pytest

import servers
from fixtures import ALONE, need
from test_links import ACK, ICMP, SYN, Wire, row, tcp
from test_tunnels import ask, nc
from tunnel_pair import (connect, expose, failing, forward, is_reset, proxy, read_all, socks,
                         told)

MIB = 1 << 20


@pytest.fixture(name="one")
def one_node(make):
    """A daemon that has nobody."""
    need("omerta", "omerta-meshd")
    return make("one", ALONE).start()


def test_nothing_is_open_without_expose(one):
    with servers.serving(servers.echo) as port:
        code, out, err = nc(one, "self", port, b"hello")
        assert code != 0 and out == b"" and "omerta expose" in err, err
        assert is_reset(forward(one, f"0:self:{port}")[0])
        row = expose(one, str(port), "--to", "self")
        assert nc(one, "self", port, b"hello")[:2] == (0, b"hello")
        told(one, "expose", "remove", str(row["id"]))
        assert nc(one, "self", port, b"hello")[0] != 0


@pytest.mark.parametrize("name", ["self", "id"])
def test_nc_and_forward_go_both_ways(one, name):
    peer = one.self_id() if name == "id" else name
    said = os.urandom(4 * MIB)
    with servers.serving(servers.echo) as port:
        expose(one, f"7:127.0.0.1:{port}", "--to", peer)
        assert nc(one, peer, 7, said)[:2] == (0, said)
        local, _ = forward(one, f"0:{peer}:7")
        assert ask(local, b"to myself") == b"to myself"
        with connect(local) as a, connect(local) as b:  # neither holds up the other
            a.sendall(b"one")
            b.sendall(b"two")
            assert b.recv(3) == b"two" and a.recv(3) == b"one"


def test_each_way_ends_on_its_own(one):
    """The whole question first, its end, and only then the answer."""
    def late(connection):
        connection.sendall(b"%d" % len(read_all(connection)))

    with servers.serving(late) as port:
        expose(one, str(port), "--to", "self")
        assert ask(forward(one, f"0:self:{port}")[0], b"x" * MIB) == b"%d" % MIB


def test_a_reset_comes_through(one):
    with servers.serving(servers.reset) as port:
        expose(one, str(port), "--to", "self")
        assert is_reset(forward(one, f"0:self:{port}")[0])


@pytest.mark.parametrize("end", ["whole", "reset"])
def test_a_slow_reader_holds_up_nobody(one, end):
    """What it has not read yet stays with the writer, or is given up with it."""
    said = os.urandom(24 * MIB)
    go = threading.Event()

    def pour(connection):
        try:
            connection.sendall(said if end == "whole" else said[:2 * MIB])
        except OSError:
            pass
        if end == "reset":
            go.wait(60)
            servers.reset(connection)

    with servers.serving(pour) as port, servers.serving(servers.echo) as other:
        expose(one, str(port), "--to", "self")
        expose(one, str(other), "--to", "self")
        local, _ = forward(one, f"0:self:{port}")
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(60)
            s.connect(("127.0.0.1", local))
            head = s.recv(1, socket.MSG_WAITALL)
            assert ask(forward(one, f"0:self:{other}")[0], b"meanwhile") == b"meanwhile"
            if end == "whole":
                assert head + read_all(s) == said
            else:
                go.set()
                with pytest.raises(ConnectionResetError):
                    read_all(s)
        assert ask(forward(one, f"0:self:{other}")[0], b"after") == b"after"


def test_datagrams_come_back(one):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        service.bind(("127.0.0.1", 0))
        service.settimeout(20)
        s.settimeout(20)
        expose(one, str(service.getsockname()[1]), "--udp", "--to", "self")
        made = one.rpc("forward.add", listen="127.0.0.1:0", peer="self",
                       port=service.getsockname()[1], udp=True)
        to = ("127.0.0.1", int(made["listen"].rpartition(":")[2]))
        for size in (0, 1, 1200, 9000, 60000):
            data = os.urandom(size)
            s.sendto(data, to)
            got, sender = service.recvfrom(65535)
            assert got == data
            service.sendto(data[::-1], sender)
            assert s.recv(65535) == data[::-1]


def test_a_forward_into_itself_ends(one):
    """What is exposed is the forward's own port: it goes round until there are too many."""
    port = servers.free_tcp_port()
    expose(one, str(port), "--to", "self")
    forward(one, f"{port}:self:{port}")
    with connect(port) as s:
        s.settimeout(60)
        try:
            assert s.recv(1) == b""
        except ConnectionResetError:
            pass
    assert one.rpc("status")["networks"]  # and nothing else happened


def test_internet_at_oneself_leads_to_nothing_private(one):
    with servers.serving(servers.echo) as port:
        listen = proxy(one, "--via", "self")
        assert socks(listen, "127.0.0.1", port)[0] == "not allowed"
        expose(one, "internet", "--to", "self")
        assert socks(listen, "127.0.0.1", port)[0] == "not allowed"
        told(one, "expose", "remove", str(told(one, "expose", "list")["exposed"][0]["id"]))
        expose(one, "internet", "--to", "self", "--also", "127.0.0.1/32")
        assert socks(listen, "127.0.0.1", port)[0] == "ok"


def test_a_link_leads_to_oneself(one):
    """As the card of a machine that this node provides for itself."""
    w = Wire(one, one, name="card", inward=True)
    assert w.answer["ok"], w.answer
    with servers.serving(servers.echo) as port:
        w.send(tcp(50000, port, 100, 0, SYN))
        assert w.packet()[9] == ICMP and row(one)["refused"] == 1
        expose(one, str(port), "--to", "self")
        seq, ack = w.connect(50001, port)
        w.send(tcp(50001, port, seq, ack, ACK, b"from the card"))
        while not (data := w.segment()[3]):
            pass
        assert data == b"from the card"
    made = one.rpc("forward.add", listen="127.0.0.1:0", peer="self", link="card", port=22)
    with connect(int(made["listen"].rpartition(":")[2])) as s:  # and into the card
        while (segment := w.packet())[20 + 13] & (SYN | ACK) != SYN:
            pass
        from_port, to_port, theirs = struct.unpack(">HHI", segment[20:28])
        assert to_port == 22
        w.send(tcp(22, from_port, 500, theirs + 1, SYN | ACK))
        w.send(tcp(22, from_port, 501, theirs + 1, ACK, b"SSH-2.0-card\r\n"))
        assert s.recv(14) == b"SSH-2.0-card\r\n"
    w.close()


def test_what_only_others_can_be_asked_is_refused(one):
    assert "itself" in failing(one, "message", one.self_id(), "hello")
    assert "itself" in failing(one, "ping", one.self_id())
