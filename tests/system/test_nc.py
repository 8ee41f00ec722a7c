"""omerta nc: what it says when the connection ends, and how it ends when it is cut."""

import os
import socket
import subprocess
import threading

import pytest

import servers
from commands import environment_of
from daemon import program, wait_until
from tunnel_pair import expose, failing, read_all, told, two  # noqa: F401

MIB = 1 << 20
WHOLE = 3 * MIB


def start(daemon, port, **more):
    """omerta nc ann @port, running."""
    return subprocess.Popen([program("omerta"), "nc", "ann", str(port)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment_of(daemon.home),
                            stdin=more.pop("stdin", subprocess.DEVNULL), **more)


def end_of(nc, seconds=90):
    """Its (exit, number of bytes, stderr)."""
    out, err = nc.communicate(timeout=seconds)
    return nc.returncode, len(out), err.decode()


@pytest.fixture(name="source")
def one_that_pours(two):
    """ann offers a port that says @WHOLE bytes, and then waits: (ann, ben, port, rule, go)."""
    ann, ben = two
    go = threading.Event()

    def pour(connection):
        connection.sendall(os.urandom(WHOLE))
        go.wait(100)

    with servers.serving(pour) as port:
        rule = expose(ann, str(port), "--to", "ben", "--keep")
        yield ann, ben, port, rule, go
        go.set()


def begun(ben, port):
    """nc that has all there is, and goes on."""
    nc = start(ben, port)
    got = nc.stdout.read(WHOLE)
    assert len(got) == WHOLE
    return nc


def test_an_end_is_an_end(source):
    _, ben, port, _, go = source
    nc = begun(ben, port)
    go.set()
    assert end_of(nc) == (0, 0, "")


def cut_by_rule(ann, _ben, rule):
    told(ann, "expose", "remove", str(rule["id"]))


def cut_by_own_daemon(_ann, ben, _rule):
    ben.kill()


def cut_by_peer(ann, _ben, _rule):
    ann.kill()
    ann.start()


@pytest.mark.parametrize("cut", [cut_by_rule, cut_by_own_daemon, cut_by_peer])
def test_a_cut_is_said(source, cut):
    ann, ben, port, rule, _ = source
    nc = begun(ben, port)
    cut(ann, ben, rule)
    assert end_of(nc) == (1, 0, f"omerta: port {port} of ann: cut after 3.0 MiB\n")


def test_a_reset_of_the_server_is_a_cut(two):
    ann, ben = two
    with servers.serving(servers.reset) as port:
        expose(ann, str(port), "--to", "ben")
        code, got, err = end_of(start(ben, port))
        assert (code, got) == (1, 0) and "cut after 0 B" in err, err


def test_an_upload_that_is_cut(two):
    ann, ben = two

    def part(connection):
        """Reads some, and then resets."""
        left = MIB
        while left > 0:
            left -= len(connection.recv(left))
        servers.reset(connection)

    with servers.serving(part) as port:
        expose(ann, str(port), "--to", "ben")
        with open("/dev/zero", "rb") as zeros:
            code, got, err = end_of(start(ben, port, stdin=zeros))
        assert (code, got) == (1, 0) and "cut after sending" in err, err


def test_all_of_it_comes(two):
    ann, ben = two
    data = os.urandom(20 * MIB)
    with servers.serving(servers.echo) as port:
        expose(ann, str(port), "--to", "ben")
        nc = start(ben, port, stdin=subprocess.PIPE)
        out, err = nc.communicate(data, timeout=60)
        assert (nc.returncode, err) == (0, b"") and out == data


def test_an_upload_goes_on_after_the_answer(two):
    """The server says all it has to say and still reads: what it gets is whole."""
    ann, ben = two
    data, got = os.urandom(WHOLE), []

    def answer_first(connection):
        connection.sendall(b"answer")
        connection.shutdown(socket.SHUT_WR)
        got.append(read_all(connection))

    with servers.serving(answer_first) as port:
        expose(ann, str(port), "--to", "ben")
        nc = start(ben, port, stdin=subprocess.PIPE)
        assert nc.stdout.read() == b"answer", "its reader is told that this was all"
        nc.stdin.write(data)
        nc.stdin.close()
        assert nc.wait(60) == 0 and nc.stderr.read() == b""
        assert wait_until(lambda: got, 60) and got[0] == data


def test_an_upload_that_is_cut_after_the_answer(two):
    ann, ben = two
    is_read = threading.Event()

    def answer_and_go(connection):
        connection.sendall(b"answer")
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        is_read.wait(60)  # a reset that overtakes the end of the answer would cut that one
        servers.reset(connection)

    with servers.serving(answer_and_go) as port:
        expose(ann, str(port), "--to", "ben")
        with open("/dev/zero", "rb") as zeros:
            nc = start(ben, port, stdin=zeros)
            assert nc.stdout.read() == b"answer"
            is_read.set()
            assert nc.wait(60) == 1 and b"cut after sending" in nc.stderr.read()


def exit_and_words(daemon, *argv):
    """The exit code of what must fail, and its one sentence."""
    code, _, _ = daemon.cli(*argv)
    return code, failing(daemon, *argv)


def test_exit_codes(two):
    _, ben = two
    code, said = exit_and_words(ben, "nc", "nobody-here", "80")
    assert code == 4 and said.count("nobody-here") == 1, said
    code, said = exit_and_words(ben, "nc", "ann", "80")
    assert code == 1 and "not exposed to us" in said, said
    code, said = exit_and_words(ben, "nc", "ann", "80", "--network", "nothing")
    assert code == 4 and "nothing" in said, said
    for bad in ("0", "70000", "x", "-1", "80x", ""):
        code, said = exit_and_words(ben, "nc", "--", "ann", bad)
        assert code == 2 and f'"{bad}": want a port from 1 to 65535' in said, said
    ben.stop()
    code, said = exit_and_words(ben, "nc", "ann", "80")
    assert code == 3 and "omerta up" in said, said


def test_names_are_shown_once_and_short(two):
    _, ben = two
    _, said = exit_and_words(ben, "nc", "a\033b", "80")
    assert "a\\x1bb" in said and "x5c" not in said, said
    _, said = exit_and_words(ben, "nc", "n" * 5000, "80")
    assert "nnnn" in said and len(said) < 200, said
