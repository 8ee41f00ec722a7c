"""Each reason for which a link lets nobody in, as its user reads it; "used" is in test_invites, and
"taken back" in test_members."""

import base64
import ctypes
import hashlib
import socket
import struct
import subprocess
import time

import pytest

from commands import data, environment_of, good, refused
from daemon import program, wait_until
from fixtures import ALONE, need
from test_secrets import b64_of, secrets_in

REFUSED = 4
HOUR = 3600
PATIENCE_SECONDS = 90  # a join gives up after 60
GRANT, GRANT_BODY, GRANT_TIMES, PLACES, PLACE = 101, 52, 12, 217, 50  # in a link of the creator's


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="ann")
def creator(make):
    """Who made lab, and invites."""
    ann = make("ann", ALONE).start()
    good(ann.home, "network", "create", "--name", "lab")
    return ann


def invite(ann, *options):
    """A link of @ann's into lab."""
    return good(ann.home, "network", "invite", "lab", *options,
                f"--at=127.0.0.1:{ann.port}").strip()


def show(daemon):
    """What @daemon says of lab."""
    return data(daemon.home, "network", "show", "lab")


def key_of(text):
    """The bytes of a key or an id, from its text."""
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))


def link_of(raw):
    """The text of a link of @raw, with a checksum that is right."""
    raw += hashlib.blake2b(raw, digest_size=32).digest()[:4]
    return "omerta://join/" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed_anew(ann, link, shift):
    """@link with an invitation whose times are @shift seconds later, signed as the creator does."""
    sodium = ctypes.CDLL("libsodium.so.23")
    raw = bytearray(b64_of(link.encode())[:-4])
    grant = raw[GRANT:GRANT + GRANT_BODY]
    times = [at + shift for at in struct.unpack_from(">II", grant, GRANT_TIMES)]
    struct.pack_into(">II", grant, GRANT_TIMES, *times)
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
    assert sodium.crypto_sign_seed_keypair(public, secret,
                                           secrets_in(ann.home)["authority of lab"]) == 0
    text = b"omerta1 grant\0" + key_of(show(ann)["id"]) + bytes(grant)
    signature = ctypes.create_string_buffer(64)
    assert sodium.crypto_sign_detached(signature, None, text, ctypes.c_ulonglong(len(text)),
                                       secret) == 0
    raw[GRANT:PLACES] = grant + signature.raw
    return link_of(bytes(raw))


def led_to(link, daemon):
    """@link, whose places are all that of @daemon, a member."""
    raw = b64_of(link.encode())[:-4]
    place = key_of(show(daemon)["self"]) + b"\0" * 10 + b"\xff\xff" + \
        socket.inet_aton("127.0.0.1") + struct.pack(">H", daemon.port)
    count, rest = divmod(len(raw) - PLACES, PLACE)
    assert rest == 0 and count > 0
    return link_of(raw[:PLACES] + place * count)


def test_too_old(ann, make):
    """Over since a second, by the calendar of who gave it out; another invitation is good."""
    cat = make("cat", ALONE).start()
    link = invite(ann, "--expires", "1s")
    until = time.time() + 1
    assert wait_until(lambda: show(ann)["invites"] == [] and time.time() > until + 1, 10)
    refused(cat.home, "network", "join", "-", code=REFUSED,
            says=["invitation is too old: ask for a new one"],
            stdin=link)
    good(cat.home, "network", "join", "-", stdin=invite(ann))


def test_wrong_clock(ann, make):
    """Made in our future, by more than clocks may differ; by less it is good."""
    cat = make("cat", ALONE).start()
    link = invite(ann)
    refused(cat.home, "network", "join", "-", code=REFUSED, says=["calendar is before"],
            stdin=signed_anew(ann, link, 25 * HOUR))
    good(cat.home, "network", "join", "-", stdin=signed_anew(ann, link, 23 * HOUR))


def test_nobody_and_no_admin(ann, make):
    """All are away; or a member answers, who is no admin; or no creator, where it takes him."""
    bob = make("bob", [*ALONE, "--relay"]).start()
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=invite(ann, "--role", "relay"))
    links = {"none of those that the link names answered": invite(ann),
             "no admin of the network": led_to(invite(ann), bob),
             "who made the network could not": led_to(invite(ann, "--role", "admin"), bob)}
    joiners = [make(f"joiner{i}", ALONE).start() for i in range(len(links) + 1)]
    # The control: where bob is met and ann is there, he carries to her.
    good(joiners.pop().home, "network", "join", "-", stdin=led_to(invite(ann), bob))
    ann.end()
    asking = [subprocess.Popen([program("omerta"), "network", "join", "-"], text=True,
                               env=environment_of(one.home), stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
              for one in joiners]
    for one, link in zip(asking, links.values()):
        one.stdin.write(link)
        one.stdin.close()
    for one, says in zip(asking, links):
        assert one.wait(PATIENCE_SECONDS) == REFUSED
        assert says in one.stderr.read()
