"""tunnel_pair.py - two daemons, ann who offers and ben who uses, and what tests do to them."""

import json
import os
import socket
import struct

import pytest

from daemon import wait_until
from fixtures import ALONE, need

SECONDS = 30
SOCKS = {0: "ok", 1: "failure", 2: "not allowed", 3: "no network", 4: "no host", 5: "refused"}


def expose(daemon, words, *options):
    """omerta expose @words; its number."""
    return told(daemon, "expose", *words.split(), *options)


def forward(daemon, spec, *options):
    """omerta forward add -L @spec; its local port and number."""
    row = told(daemon, "forward", "add", "-L", spec, *options)
    return int(row["listen"].rpartition(":")[2]), row["id"]


def proxy(daemon, *options):
    """omerta proxy on a free port; that port."""
    row = told(daemon, "proxy", "127.0.0.1:0", *options)
    return int(row["listen"].rpartition(":")[2])


def told(daemon, *argv):
    """What omerta @argv --json answers, which must succeed."""
    code, out, err = daemon.cli(*argv, "--json")
    assert code == 0, (argv, out, err)
    return json.loads(out)


def failing(daemon, *argv):
    """The one sentence with which omerta @argv fails."""
    code, out, err = daemon.cli(*argv)
    assert code > 0 and out == "", (argv, code, out, err)
    assert len(err.strip().splitlines()) == 1 and err.startswith("omerta"), (argv, err)
    return err.strip()


def connect(port, address="127.0.0.1", seconds=SECONDS):
    """A TCP connection to a local port."""
    return socket.create_connection((address, port), seconds)


def read_all(connection):
    """All that comes until its end."""
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def exactly(connection, n):
    """The next @n bytes."""
    pieces = []
    while n > 0 and (piece := connection.recv(min(n, 1 << 16))):
        pieces.append(piece)
        n -= len(piece)
    assert n == 0, f"{n} bytes are missing at the end"
    return b"".join(pieces)


def is_reset(port):
    """True if a connection to @port is made and reset before anything comes."""
    try:
        with connect(port) as s:
            assert s.recv(1) == b"", "it talks"
            return False
    except ConnectionResetError:  # connect() may be the one that hears of it
        return True


def socks(port, host, to, seconds=SECONDS):
    """Asks the SOCKS5 proxy at @port for @host:@to: (what it answers, the connection)."""
    s = connect(port, seconds=seconds)
    s.sendall(b"\x05\x01\x00")
    assert exactly(s, 2) == b"\x05\x00"
    name = host.encode()
    if ":" in host:
        where = b"\x04" + socket.inet_pton(socket.AF_INET6, host)
    elif host.replace(".", "").isdigit():
        where = b"\x01" + socket.inet_aton(host)
    else:
        where = b"\x03" + bytes([len(name)]) + name
    s.sendall(b"\x05\x01\x00" + where + struct.pack(">H", to))
    answer = exactly(s, 10)
    assert answer[0] == 5
    return SOCKS.get(answer[1], answer[1]), s


def http_connect(port, host, to):
    """Asks the HTTP proxy at @port for @host:@to; its first line."""
    with connect(port) as s:
        where = f"[{host}]:{to}" if ":" in host else f"{host}:{to}"
        s.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := s.recv(4096)):
            answer += piece
        return answer.split(b"\r\n")[0].decode()


def named(daemon, name):
    """True once it knows a peer of that name."""
    return any(peer.get("name") == name for peer in daemon.rpc("peers.list")["peers"])


@pytest.fixture
def two(make):
    """ann, who offers, and ben, who was told of her; they know each other."""
    need("omerta", "omerta-meshd")
    ann = make("ann", [*ALONE, "--name", "ann"]).start()
    ben = make("ben", [*ALONE, "--name", "ben", *ann.bootstrap()]).start()
    assert wait_until(lambda: named(ben, "ann") and named(ann, "ben"), 20)
    os.makedirs(os.path.join(ben.home, "ssh"), exist_ok=True)
    return ann, ben
