"""A peer that opens all it can takes neither the daemon from its owner nor its service for good."""

import contextlib
import resource
import socket

import servers
from daemon import wait_until
from tunnel_pair import connect, exactly, expose, failing, forward, told, two  # noqa: F401

LIMIT = 256  # descriptors of the one who offers
CROWD = 300
FLOWS = 40
SECONDS = 60


def lives(connection):
    """True if what is sent comes back; False if the connection ends, by a reset or without."""
    try:
        connection.sendall(b"x")
        return connection.recv(1) == b"x"
    except ConnectionError:
        return False


def answered(port):
    """True if one more connection to @port is served."""
    with contextlib.suppress(ConnectionError), connect(port) as s:
        return lives(s)
    return False


@contextlib.contextmanager
def echoing():
    """A service of UDP that holds no descriptor for each of its clients."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


def crowd(stack, local):
    """So many connections to @local at once; those that are served, which stay open."""
    with contextlib.ExitStack() as refused:
        every = []
        for _ in range(CROWD):
            with contextlib.suppress(ConnectionError):
                every.append(refused.enter_context(connect(local, seconds=SECONDS)))
        kept = [s for s in every if lives(s)]
        refused.pop_all()
    for s in every:
        if s in kept:
            stack.enter_context(s)
        else:
            s.close()
    return kept


def test_the_owner_keeps_descriptors(two):
    ann, ben = two
    _, most = resource.prlimit(ann.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(ann.process.pid, resource.RLIMIT_NOFILE, (LIMIT, most))
    with servers.serving(servers.echo) as port, echoing() as udp:
        expose(ann, str(port), "--to", "ben")
        expose(ann, str(udp), "--udp", "--to", "ben")
        local, number = forward(ben, f"0:ann:{port}")
        flows, _ = forward(ben, f"0:ann:{udp}", "--udp")
        assert answered(local), "the control: it is served while there is room"
        with contextlib.ExitStack() as stack:
            kept = crowd(stack, local)
            assert 0 < len(kept) < LIMIT, len(kept)
            for _ in range(FLOWS):
                s = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                s.sendto(b"x", ("127.0.0.1", flows))
            assert not answered(local)
            row = next(r for r in ben.rpc("forward.list")["forwards"] if r["id"] == number)
            assert row["last_error"].startswith("busy: "), row
            assert wait_until(lambda: flows_refused(ann, udp), SECONDS), ann.rpc("expose.list")
            assert told(ann, "status")
            assert all(lives(s) for s in kept), "who was let in is not disturbed"
            extra = expose(ann, "9", "--to", "ben")["id"]  # it is saved, too
            assert told(ann, "expose", "remove", str(extra))
        assert wait_until(lambda: answered(local), SECONDS), "room again, and nobody is served"


def flows_refused(daemon, port):
    """True once every flow to @port was refused."""
    rows = daemon.rpc("expose.list")["exposed"]
    row = next(r for r in rows if r["port"] == port)
    return row["open"] == 0 and row["total"] == FLOWS
