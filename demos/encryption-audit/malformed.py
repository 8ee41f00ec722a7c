"""malformed.py - ten packets that are not what they should be, to a daemon with a live session."""

import os
import sys
import time

import envelope
from stage import ADDRESS, PORT, UDP, has, post, wait

COPIES = 3
JUNK = b"OMERTA DEBUG"
JSON = b'{"type": "hello", "from": "ann-of-the-sealed-letters", "endpoints": ["10.77.0.1:18002"]}'
LEGACY = b"OMRT\x02" + bytes(8) + b"\x00\x20" + b"network-id" + JSON  # magic, tag, length, header
OF_ENVELOPES = {"size", "foreign", "open", "replay"}
HELD_BACK = "x" * 250  # so long that its datagram is told from others by its size:
HELD_LEAST = 300
HANDSHAKE = range(448, 513)
AHEAD = 1000  # counters that the session has not come to
SEND = """import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for line in sys.stdin.read().split():
        s.sendto(bytes.fromhex(line), (sys.argv[1], int(sys.argv[2])))
"""


def flipped(data, at, bit=1):
    """@data with one bit of its byte @at turned."""
    data = bytearray(data)
    data[at] ^= bit
    return bytes(data)


def cases(good):
    """(name, what was done, reason, packet) for each of the ten, made of the datagram @good."""
    d = envelope.take(good)
    counter = envelope.put(d._replace(counter=d.counter + AHEAD))
    other = envelope.sealed(os.urandom(32), d.index, d.counter + AHEAD, b"\1" + bytes(8))
    return [
        ("plain JSON", "no envelope at all", "foreign", JSON),
        ("raw debug bytes", "shorter than any envelope", "size", JUNK),
        ("spoofed header", "12 genuine bytes, then plain text", "foreign", good[:12] + JSON),
        ("corrupted payload", "a bit of the ciphertext turned", "open",
         envelope.put(d._replace(text=flipped(d.text, len(d.text) // 2)))),
        ("wrong key", "the right index and mask, another key", "open", other),
        ("tampered nonce", "the counter changed, masked anew", "open", counter),
        ("truncated", "the last 5 bytes cut off", "foreign", good[:-5]),
        ("tag bit flipped", "one bit of the tag", "foreign", flipped(good, -1)),
        ("header bit flipped", "one bit of the counter, as masked", "open", flipped(good, 10, 16)),
        ("minimal fake", "28 random bytes, the least size", "foreign", os.urandom(28)),
        ("legacy format", "magic and plain header of before", "foreign", LEGACY),
    ]


def send(stage, packets):
    """eve, who is nobody here, sends @packets to ben."""
    stage.lab.run("eve", [sys.executable, "-c", SEND, ADDRESS["ben"], str(PORT)],
                  input="\n".join(p.hex() for p in packets), stdin=None)


def held_back(stage, ann, ben):
    """A datagram that ann sealed for ben and that he has not seen."""
    def large():
        return [d for d in ann.sent() if len(d) > HELD_LEAST and len(d) not in HANDSHAKE]

    before = len(large())
    stage.swallow("ann", "ben")
    try:
        post(ann, ben, HELD_BACK)
        fresh = wait(lambda: large()[before:])
    finally:
        stage.deliver("ann", "ben")
    return fresh[-1] if fresh else None


def answers(capture):
    """What ben sent to eve."""
    return [p for p in capture.packets() if p.proto == UDP and p.dst == ADDRESS["eve"]]


def drops_of(ben, packets, stage):
    """{reason: how many more} after @packets, once all of them have been counted or taken."""
    before, taken = ben.drops(), ben.status()["traffic"]["datagrams_in"]
    send(stage, packets)
    wait(lambda: ben.status()["traffic"]["datagrams_in"] >= taken + len(packets))
    wait(lambda: sum(ben.drops().values()) >= sum(before.values()) + len(packets))
    return {r: n - before.get(r, 0) for r, n in ben.drops().items() if n > before.get(r, 0)}


def run(report, stage, program):
    """Every case, then what is well formed, then whether the session lived through it."""
    ann, ben = stage.pair(program, program, "--no-lan")
    letters = ["before the malformed packets", "after the malformed packets"]
    met = post(ann, ben, letters[0]) and wait(lambda: has(ben, letters[0]))
    good = held_back(stage, ann, ben)
    if not met or not good or not wait(lambda: has(ben, HELD_BACK)):
        report.row("malformed", "a session to send them into", "", "there is none", False)
        return
    capture, made = stage.lab.capture("eve", "eth0"), ben.made()
    for name, done, reason, packet in cases(good):
        drops = drops_of(ben, [packet] * COPIES, stage)
        report.row(name, done, f"ben: {reason}", f"{COPIES} sent, dropped {told(drops)}",
                   is_only(drops, reason))
    controls(report, stage, ben, good, capture)
    post(ann, ben, letters[1])
    alive = wait(lambda: has(ben, letters[1]))
    after = ben.made()
    report.row("alive", "a message over the same session", "nobody, as it must be",
               f"{'delivered' if alive else 'lost'}, sessions made: {made} before, {after} after",
               alive and 0 < made == after)
    ann.finish()
    ben.finish()


def controls(report, stage, ben, good, capture):
    """The same datagram as it was, from the same stranger: taken, and answered; then a replay."""
    before, since = sum(ben.drops().values()), time.time()
    send(stage, [good])
    wait(lambda: answers(capture))
    taken = sum(ben.drops().values()) == before
    capture.stop()
    loud = [p for p in answers(capture) if p.time < since]
    answered = len(answers(capture)) - len(loud)
    report.row("silence", "answers to all of these", "nobody, as it must be",
               f"{len(loud)} answers; to the well-formed one {answered}",
               not loud and answered > 0)
    report.row("well formed", "the genuine datagram, from elsewhere", "nobody, as it must be",
               f"1 sent, dropped {sum(ben.drops().values()) - before}", taken)
    drops = drops_of(ben, [good] * COPIES, stage)
    report.row("replayed", "the same once more", "ben: replay",
               f"{COPIES} sent, dropped {told(drops)}", is_only(drops, "replay"))


def is_only(drops, reason):
    """Were all copies dropped for @reason, and nothing of the kind for another?"""
    return drops.get(reason) == COPIES and OF_ENVELOPES & set(drops) == {reason}


def told(drops):
    """Drops as words."""
    return ", ".join(f"{n} as {reason}" for reason, n in sorted(drops.items())) or "none"
