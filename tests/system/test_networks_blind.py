"""A member of two closed networks: whoever is in one of them learns nothing of the other."""

import base64
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import threading

import pytest

import servers
from commands import Live, contents, data, good
from daemon import wait_until
from fixtures import ALONE, need
from tunnel_pair import connect, exactly, expose, forward

SECONDS = 60
ALL_PROTOCOLS = 3  # ETH_P_ALL
WORDS = "the treasure is below the oak"


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


class Wire:
    """What goes over the loopback to the UDP port @to, byte by byte; None without the right."""

    def __init__(self, to):
        self.to, self.heard, self.is_over = to, b"", False
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, ALL_PROTOCOLS << 8)
        except PermissionError as why:
            pytest.skip(f"needs CAP_NET_RAW to see datagrams: {why}")
        self.socket.bind(("lo", ALL_PROTOCOLS))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        """Until it is over."""
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                packet = self.socket.recv(65536)
                if packet[:1] == b"\x45" and packet[9] == 17 and \
                        struct.unpack(">H", packet[22:24])[0] == self.to:
                    self.heard += packet[28:]

    def end(self):
        """All of it."""
        self.is_over = True
        self.thread.join()
        self.socket.close()
        return self.heard


def forms(what):
    """Every way in which the text or the bytes @what might be written down."""
    raw = what.encode() if isinstance(what, str) else what
    narrow, padded = base64.b32encode(raw).rstrip(b"="), base64.b64encode(raw).rstrip(b"=")[:-1]
    return [raw, raw.hex().encode(), narrow, narrow.lower(), padded]


def found(needles, hay):
    """The names of those of @needles that are in @hay in some form."""
    return sorted(name for name, what in needles.items() if any(f in hay for f in forms(what)))


def named(text):
    """An id, as it is written and in bytes."""
    return {f"{text[:6]} text": text, f"{text[:6]} start": text[:10],
            f"{text[:6]} bytes": base64.b32decode(text.upper() + "=" * (-len(text) % 8))}


def told_by(daemon, network):
    """All that @daemon tells its user, and keeps."""
    told = b""
    for words in (["status"], ["peers"], ["providers", "--all"], ["network", "list"],
                  ["network", "show", network], ["network", "members", network, "--all"],
                  ["cloister", "list"], ["forward", "list"], ["netcheck"], ["log", "-n", "10000"],
                  ["bugreport", "-o", "-"]):
        told += good(daemon.home, *words, "--json").encode()
    told += str(daemon.rpc("message.list")).encode()
    daemon.seen.rpc("status")  # what it heard comes before the answer
    events = b"".join(str(event).encode() for event in daemon.seen.events)
    return told + events + daemon.log().encode() + b"".join(contents(daemon.home).values())


def join(daemon, by, network, *more):
    """@daemon follows a link of @by."""
    link = good(by.home, "network", "invite", network, f"--at=127.0.0.1:{by.port}").strip()
    good(daemon.home, "network", "join", "-", "--name", network, *more, stdin=link)


def id_in(daemon, network):
    """The key of @daemon in @network."""
    return data(daemon.home, "network", "show", network)["self"]


def use_all_of(mid, cat):
    """What a network is for: offers, messages, a tunnel, and another network made over it."""
    good(mid.home, "message", id_in(cat, "bravonet"), WORDS, "--wait", "--network", "bravonet")
    good(cat.home, "message", id_in(mid, "bravonet"), WORDS, "--wait", "--network", "bravonet")
    if shutil.which("qemu-system-x86_64"):
        good(cat.home, "provide", "on", "--to", "*", "--vms", "3", "--cpu", "1", "--memory", "256M",
             "--disk", "2G")
        assert wait_until(lambda: data(mid.home, "providers", "--all")["providers"], SECONDS)
    with servers.serving(servers.echo) as port:
        expose(cat, str(port), "--to", "*")
        local, _ = forward(mid, f"0:{id_in(cat, 'bravonet')}:{port}")
        with connect(local) as stream:
            stream.sendall(b"deep down")
            assert exactly(stream, 9) == b"deep down"
    asked = data(mid.home, "cloister", id_in(cat, "bravonet"), "--network", "bravonet", "--name",
                 "cellarnet")
    assert wait_until(lambda: data(cat.home, "cloister", "list")["cloisters"], SECONDS)
    [other] = data(cat.home, "cloister", "list")["cloisters"]
    with Live(mid.home, "cloister", "accept", str(asked["id"])) as accept:
        good(cat.home, "cloister", "accept", str(other["id"]), "--name", "cellarnet")
        accept.line()


def call_machine(daemon, name):
    """@daemon runs on a machine that is called @name, and has no name of its own."""
    if subprocess.run(["unshare", "--uts", "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs CAP_SYS_ADMIN to run a daemon under another host name")
    argv = daemon.argv()
    daemon.argv = lambda: ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name,
                           *argv]


def test_nothing_of_one_network_is_told_in_the_other(make):
    """ann, who shares alphanet with mid, is told and sent nothing of bravonet, where mid and cat
    use all there is, and where mid is called as its machine; the same search finds it at mid and
    cat, and where mid tells her itself."""
    ann, mid, cat = [make(name, [*ALONE, *called, "--log-level", "debug"]) for name, called in
                     (("ann", ["--name", "annhost"]), ("mid", []), ("cat", ["--name", "cathost"]))]
    call_machine(mid, "shadyhost")
    for daemon in (ann, mid, cat):
        daemon.start()
    good(ann.home, "network", "create", "--name", "alphanet")
    good(cat.home, "network", "create", "--name", "bravonet")
    wire = Wire(ann.port)
    with ann.events() as ann.seen, cat.events() as cat.seen:
        try:
            join(mid, cat, "bravonet")
            join(mid, ann, "alphanet")
            use_all_of(mid, cat)
            assert data(mid.home, "network", "show", "alphanet")["as"] == "node"
            needles = {"name": "bravonet", "as": "shadyhost", "cat": "cathost", "words": WORDS,
                       "cloister": "cellarnet"}
            for key in (id_in(mid, "bravonet"), id_in(cat, "bravonet"),
                        *(data(mid.home, "network", "show", name)["id"]
                          for name in ("bravonet", "cellarnet"))):
                needles |= named(key)
            good(mid.home, "message", id_in(ann, "alphanet"), "good morning", "--wait",
                 "--network", "alphanet")
            told, there = told_by(ann, "alphanet"), told_by(cat, "bravonet")
            assert b"good morning" in told and id_in(mid, "alphanet").encode() in told
            assert not found(needles, told), found(needles, told)
            assert found(needles, there) == sorted(needles)
            good(mid.home, "message", id_in(ann, "alphanet"), "come to bravonet", "--wait",
                 "--network", "alphanet")
            assert found(needles, told_by(ann, "alphanet")) == ["name"]
        finally:
            heard = wire.end()
    assert len(heard) > 10000 and not found(needles, heard)


def test_the_wire_would_have_been_read():
    """A datagram in the clear, on the same loopback, to the same ear."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        wire = Wire(ear.getsockname()[1])
        try:
            ear.sendto(b"to bravonet" + os.urandom(8), ear.getsockname())
            assert wait_until(lambda: wire.heard, SECONDS)
        finally:
            heard = wire.end()
    assert found({"name": "bravonet"}, heard) == ["name"]
