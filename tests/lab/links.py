"""links.py - a consumer behind a TUN whose packets end in its own daemon, and a provider.

What:   ann on host "p" exposes; ben on host "c" has a link to her, whose other end is the TUN om0
        of the kernel of "c".
Why:    the kernel's own TCP/IP, and any program, is then what is behind a link.
"""

import json
import os
import subprocess
import sys

import pytest

from daemon import program, wait_until
from fixtures import ALONE, need
from tunnel_pair import named, told

HERE = os.path.dirname(os.path.abspath(__file__))
HARNESS = "../tests/lab/tun_link"
HERE4, THERE4 = "10.64.0.1", "10.64.0.2"
HERE6, THERE6 = "fd64::1", "fd64::2"
MAC = "52:54:00:00:00:02"
SECONDS = 30


def harness():
    """Where the build put tun_link."""
    return os.path.normpath(program(HARNESS))


class Link:
    """The link, as its two daemons and the kernel behind it see it."""

    def __init__(self, lab, ann, ben, process):
        self.lab, self.ann, self.ben, self.process = lab, ann, ben, process

    prelude = property(lambda self: PRELUDE)

    def row(self):
        """What omerta link list says of it."""
        rows = told(self.ben, "link", "list")["links"]
        assert len(rows) == 1, rows
        return rows[0]

    def dropped(self, reason):
        """How many packets were dropped for that reason."""
        return self.row()["dropped"].get(reason, 0)

    def inside(self, source, *argv, **options):
        """Runs Python @source inside "c", to its end."""
        return self.lab.run("c", [sys.executable, "-c", PRELUDE + source, *map(str, argv)],
                            **options)

    def serve(self, source, *argv, host="p"):
        """Starts Python @source inside @host; returns it once it has said "ready"."""
        process = self.lab.popen(host, [sys.executable, "-u", "-c", PRELUDE + source,
                                       *map(str, argv)], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    def expose(self, *words):
        """ann exposes something to ben."""
        return told(self.ann, "expose", *words, "--to", self.ben.self_id())


# What every piece of Python inside a host begins with.
PRELUDE = """
import hashlib, os, select, socket, struct, sys, threading, time

def exactly(s, n):
    pieces = []
    while n > 0:
        piece = s.recv(min(n, 1 << 16))
        assert piece, f"{n} bytes are missing"
        pieces.append(piece)
        n -= len(piece)
    return b"".join(pieces)

def read_all(s):
    pieces = []
    while piece := s.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)

def listen(port, address="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port)))
    s.listen(512)
    return s

def connect(port, address="10.64.0.1", seconds=30):
    return socket.create_connection((address, int(port)), seconds)

RESET = struct.pack("ii", 1, 0)
def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()
"""


def start_tun(lab, host, daemon, device="om0", **words):
    """Starts tun_link on @host; (process, the daemon's answer)."""
    line = json.dumps({"open": "link"} | words)
    kind = "tap" if words["kind"] == "ether" else "tun"
    socket = os.path.join(daemon.home, "data.sock")
    process = lab.popen(host, [harness(), kind, device, socket, line],
                        stdout=subprocess.PIPE, text=True)
    answer = process.stdout.readline()
    return process, json.loads(answer) if answer else None


def ip_words(ann, mtu=1500):
    """What to say for a link of raw IP, of both families, to @ann."""
    return {"kind": "ip", "mtu": mtu, "peer": ann.self_id(), "here": f"{HERE4}/24",
            "there": THERE4, "here6": f"{HERE6}/64", "there6": THERE6}


def set_up(lab, mtu):
    """Addresses and routes of the TUN in the kernel of "c"."""
    lab.ip("c", "link set dev om0 addrgenmode none")  # fe80:: is not ours
    # A TUN holds 500 packets, which is less than a window of ours.
    lab.ip("c", f"link set dev om0 mtu {mtu} txqueuelen 5000 up")
    lab.address("c", "om0", f"{THERE4}/24", f"{THERE6}/64")
    for net in ("203.0.113.0/24", "198.18.0.0/15"):
        lab.ip("c", f"route add {net} dev om0")


def set_up_tap(lab):
    """The same of a TAP: a card with an address, fe80:: too, whose neighbour is ours."""
    lab.ip("c", f"link set dev om0 address {MAC} txqueuelen 5000 up")
    lab.address("c", "om0", f"{THERE4}/24", f"{THERE6}/64")
    for address in (HERE4, HERE6):
        lab.route("c", "203.0.113.0/24" if address == HERE4 else "2001:db8::/32", address)


def two_daemons(lab, make, *options):
    """ann (with @options) on p and ben on c, who know each other."""
    need("omerta", "omerta-meshd", HARNESS)
    lab.host("p", "c")
    lab.link("p", "eth0", "c", "eth0")
    lab.address("p", "eth0", "10.1.0.1/24")
    lab.address("c", "eth0", "10.1.0.2/24")
    ann = make("ann", [*ALONE, "--name", "ann", *options], lab=lab, host="p", port=18002).start()
    ben = make("ben", [*ALONE, "--name", "ben", *ann.bootstrap("10.1.0.1")], lab=lab, host="c",
               port=18002).start()
    assert wait_until(lambda: named(ben, "ann") and named(ann, "ben"), 20)
    return ann, ben


def open_link(lab, make, mtu=1500):
    """ann, ben, and a link of ben's to ann whose other end is the TUN om0."""
    ann, ben = two_daemons(lab, make)
    process, answer = start_tun(lab, "c", ben, **ip_words(ann, mtu))
    assert answer and answer["ok"] and answer["mtu"] == mtu, answer
    set_up(lab, mtu)
    return Link(lab, ann, ben, process)


def open_tap(lab, make, *options, words=None):
    """The same with frames of Ethernet: om0 is a TAP, as the card of a machine. With @words, which
    say more of the link, the card has no address yet; @options are ann's."""
    ann, ben = two_daemons(lab, make, *options)
    all_words = ip_words(ann) | {"kind": "ether", "mac": MAC} | (words or {})
    all_words = {key: word for key, word in all_words.items() if word is not None}
    process, answer = start_tun(lab, "c", ben, **all_words)
    assert answer and answer["ok"], answer
    if words is None:
        set_up_tap(lab)
    return Link(lab, ann, ben, process)


@pytest.fixture
def link(lab, make):
    """A Link with an MTU of 1500."""
    return open_link(lab, make)
