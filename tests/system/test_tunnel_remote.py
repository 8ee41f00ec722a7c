"""Remote forwards: a port of a peer leads here, with the peer's consent, for as long as we want."""

import os
import signal
import socket

import pytest

import servers
from daemon import wait_until
from fixtures import ALONE
from tunnel_pair import (connect, expose, exactly, failing, read_all, told, two)  # noqa: F401


@pytest.fixture
def serving(two):
    """ann lets ben open ports; ben has an echo server: (ann, ben, its port, ann's consent)."""
    ann, ben = two
    with servers.serving(servers.echo) as port:
        yield ann, ben, port, expose(ann, "listen", "--to", "ben")["id"]


def remote(ben, spec, *options):
    """omerta forward add -R @spec; the port of the peer, and its number."""
    row = told(ben, "forward", "add", "-R", spec, *options)
    assert row["kind"] == "remote" and row["up"] is True
    return int(row["listen"].rpartition(":")[2]), row["id"]


def ask(port, said=b"hello"):
    with connect(port) as s:
        s.sendall(said)
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


def listens(port):
    try:
        connect(port).close()
        return True
    except ConnectionRefusedError:
        return False


def test_a_port_of_the_peer_leads_here(serving):
    ann, ben, port, _ = serving
    there, number = remote(ben, f"0:ann:{port}")
    data = os.urandom(3 << 20)
    assert ask(there, b"hello") == b"hello"
    with connect(there) as one, connect(there) as other:
        one.sendall(b"1")
        other.sendall(data[:70000])
        assert exactly(one, 1) == b"1" and exactly(other, 70000) == data[:70000]
        guest = ann.rpc("forward.list")["forwards"][0]
        assert (guest["kind"], guest["peer"], guest["open"]) == ("guest", ben.self_id(), 2)
        assert ben.rpc("forward.list")["forwards"][0]["open"] == 2
        told(ben, "forward", "remove", str(number))
        assert exactly_none(one)
    assert wait_until(lambda: not listens(there), 10)
    assert ann.rpc("forward.list")["forwards"] == ben.rpc("forward.list")["forwards"] == []


def exactly_none(connection):
    """True once it ended without a byte."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_udp_leads_here(two):
    ann, ben = two
    expose(ann, "listen", "--to", "ben")  # to TCP: no help
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        service.bind(("127.0.0.1", 0))
        service.settimeout(20)
        client.settimeout(20)
        said = failing(ben, "forward", "add", "-R", f"0:ann:{service.getsockname()[1]}", "--udp")
        assert f"omerta expose listen:127.0.0.1:0 --udp --to {ben.self_id()}" in said
        expose(ann, "listen", "--udp", "--to", "ben")
        there, _ = remote(ben, f"0:ann:{service.getsockname()[1]}", "--udp")
        client.sendto(b"ping", ("127.0.0.1", there))
        data, sender = service.recvfrom(100)
        service.sendto(data + b" pong", sender)
        assert client.recv(100) == b"ping pong"


def test_without_consent_nobody_listens(two):
    ann, ben = two
    port = servers.free_tcp_port()
    with servers.serving(servers.echo) as here:
        said = failing(ben, "forward", "add", "-R", f"{port}:ann:{here}")
        assert f"omerta expose listen:127.0.0.1:{port} --to {ben.self_id()}" in said
        assert ben.rpc("forward.list")["forwards"] == [] and not listens(port)
        expose(ann, f"listen:{port}", "--to", "ben")  # as it says: the control
        assert remote(ben, f"{port}:ann:{here}")[0] == port and ask(port) == b"hello"


def test_consent_to_udp_is_none_to_tcp(two):
    ann, ben = two
    expose(ann, "listen", "--udp", "--to", "ben")
    with servers.serving(servers.echo) as here:
        said = failing(ben, "forward", "add", "-R", f"0:ann:{here}")
        assert "omerta expose listen:127.0.0.1:0 --to" in said
        expose(ann, "listen", "--to", "ben")
        assert ask(remote(ben, f"0:ann:{here}")[0]) == b"hello"  # the control


@pytest.mark.parametrize("consent, asked", [("listen", "1023"), ("listen", "0.0.0.0:0"),
                                            ("listen:0.0.0.0:0", "127.0.0.1:0")])
def test_consent_is_to_an_address_and_a_port(two, consent, asked):
    ann, ben = two
    expose(ann, consent, "--to", "ben")
    with servers.serving(servers.echo) as here:
        assert "not_allowed" in failing(ben, "forward", "add", "-R", f"{asked}:ann:{here}")
        good = "0.0.0.0:0" if "0.0.0.0" in consent else "0"
        assert ask(remote(ben, f"{good}:ann:{here}")[0]) == b"hello"  # the control


def test_a_peer_reaches_only_what_it_was_given(serving):
    """ann's side may use the number of ben's forward, but not for a host, nor another number."""
    ann, ben, port, _ = serving
    there, number = remote(ben, f"0:ann:{port}")
    assert ask(there) == b"hello"  # the control
    said = failing(ann, "nc", "ben", str(port))
    assert "not_allowed" in said or "expose" in said


def test_consent_withdrawn_ends_it(serving):
    ann, ben, port, consent = serving
    there, _ = remote(ben, f"0:ann:{port}")
    assert ask(there) == b"hello"
    told(ann, "expose", "remove", str(consent))
    assert not listens(there)
    row = ben.rpc("forward.list")["forwards"][0]
    assert wait_until(lambda: not ben.rpc("forward.list")["forwards"][0]["up"], 10), row
    assert ben.rpc("forward.list")["forwards"][0]["last_error"]
    expose(ann, "listen", "--to", "ben")
    assert wait_until(lambda: listens(there), 20), "it is asked for again"
    assert wait_until(lambda: ben.rpc("forward.list")["forwards"][0]["up"], 10)
    assert ben.rpc("forward.list")["forwards"][0]["last_error"] == ""
    assert ask(there) == b"hello"


def test_a_network_is_left_with_guests_in_it(make):
    """Its consents go, and the ports that peers opened by them; the daemon does not."""
    ann, ben = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "ben"))
    told(ann, "network", "create", "--name", "lab", "--open")
    link = told(ann, "network", "invite", "lab", f"--at=127.0.0.1:{ann.port}")["link"]
    told(ben, "network", "join", link, "--name", "lab")
    to = ("--to", ben.self_id())
    for kind in ([], ["--udp"]):
        expose(ann, "listen", *kind, *to)
    with servers.serving(servers.echo) as port:
        there = [remote(ben, f"0:{ann.self_id()}:{port}")[0] for _ in range(2)]
        remote(ben, f"0:{ann.self_id()}:{port}", "--udp")
        assert [ask(one) for one in there] == [b"hello", b"hello"]
        assert len(ann.rpc("forward.list")["forwards"]) == 3
        told(ann, "network", "leave", "lab")
        assert wait_until(lambda: not any(listens(one) for one in there), 10)
        assert ann.rpc("forward.list")["forwards"] == ann.rpc("expose.list")["exposed"] == []


def test_it_comes_back_with_the_peer(serving):
    ann, ben, port, consent = serving
    told(ann, "expose", "remove", str(consent))
    expose(ann, "listen", "--to", "ben", "--keep")
    there, _ = remote(ben, f"{servers.free_tcp_port()}:ann:{port}", "--keep")
    ann.end()
    assert not listens(there)
    ann.start()
    assert wait_until(lambda: listens(there), 40)
    assert ask(there) == b"hello"
    ben.end()
    assert wait_until(lambda: not listens(there), 40), "nobody listens for who went"
    ben.start()
    assert wait_until(lambda: listens(there), 40), "it was kept"
    assert ask(there) == b"hello"


def test_a_peer_that_is_away_is_named(serving):
    ann, ben, port, _ = serving
    assert remote(ben, f"0:ann:{port}")  # the control
    ann.process.send_signal(signal.SIGSTOP)
    try:
        said = failing(ben, "forward", "add", "-R", f"0:ann:{port}")
    finally:
        ann.process.send_signal(signal.SIGCONT)
    assert "the peer does not listen: timeout" in said
    assert len(ben.rpc("forward.list")["forwards"]) == 1


def test_a_taken_port_is_named(serving):
    _, ben, port, _ = serving
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = failing(ben, "forward", "add", "-R", f"{taken.getsockname()[1]}:ann:{port}")
        assert "another program listens there" in said


def test_ports_of_one_peer_are_bounded(serving):
    _, ben, port, _ = serving
    for _ in range(16):
        remote(ben, f"0:ann:{port}")
    assert "too many ports" in failing(ben, "forward", "add", "-R", f"0:ann:{port}")
    told(ben, "forward", "remove", str(ben.rpc("forward.list")["forwards"][0]["id"]))
    assert ask(remote(ben, f"0:ann:{port}")[0]) == b"hello"  # the control
