"""stream.py - one connection through the mesh, both of its ends in our hands.

What:   so many seeded random bytes up and so many down, at a pace, each way's SHA-256 taken where
        it is written and where it is read; when each end ended, and how.
Why:    that a stream is whole, cut or stuck can only be said by who sees both ends on one clock.
"""

import asyncio
import contextlib
import hashlib
import random
import time

PIECE = 1 << 16
TICK = 0.25  # seconds between two pieces of a stream that has a pace
REAP_SECONDS = 5
HEAD = 8     # bytes: the stream's number, sent first by the near end and then by the far one

WHOLE = "whole"  # all came, as it was sent, and its end
SHORT = "short"  # an ordinary end before all had come: as if it were whole
ERROR = "error"  # a reset, or an exit code: a program knows that it was cut
WRONG = "wrong"  # other bytes than were sent


class End:
    """One end: @reader and @writer of it, what it sends and what it waits for."""

    def __init__(self, stream, reader, writer, sends, takes):
        self.stream, self.reader, self.writer = stream, reader, writer
        self.sends, self.takes = sends, takes
        self.got, self.sent, self.moved_at = 0, 0, time.monotonic()
        self.is_heard = False  # the other has said all
        self.how, self.over_at = None, None

    async def run(self, exit_code=None):
        """Both ways to their end; afterwards it is known how that was."""
        sending = asyncio.create_task(self.send())
        how = ERROR
        try:
            said = await self.receive()
            self.is_heard = said == WHOLE
            if self.is_heard:
                await sending
            self.is_heard, self.moved_at = False, time.monotonic()
            how = ERROR if exit_code and await exit_code() else said
        except OSError:
            pass
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await sending
            self.finish(how)

    def finish(self, how):
        """It ended like that, now; the first word on it stands."""
        if self.how is None:
            self.how, self.over_at = how, time.monotonic()
        # All of a good end was written and is the kernel's; of another nothing is wanted.
        if how == WHOLE:
            self.writer.close()
        elif not self.writer.transport.is_closing():
            self.writer.transport.abort()

    async def send(self):
        """All it has to send, at its pace, and the end."""
        size, seed = self.sends
        dice = random.Random(seed)
        begin = time.monotonic()
        while self.sent < size:
            piece = dice.randbytes(min(self.stream.piece(size), size - self.sent))
            self.writer.write(piece)
            await self.writer.drain()
            self.sent += len(piece)
            if self.stream.seconds:
                due = begin + self.stream.seconds * self.sent / size
                await asyncio.sleep(max(due - time.monotonic(), 0))
        self.writer.write_eof()

    async def receive(self):
        """All that comes; how it ended."""
        size, seed = self.takes
        heard = hashlib.sha256()
        while piece := await self.reader.read(PIECE):
            heard.update(piece)
            self.got += len(piece)
            self.moved_at = time.monotonic()
        if self.got < size:
            return SHORT
        return WHOLE if heard.digest() == digest(size, seed, self.stream.piece(size)) else WRONG


def digest(size, seed, piece):
    """SHA-256 of what send() writes of @size and @seed in pieces of @piece."""
    dice, told = random.Random(seed), hashlib.sha256()
    for at in range(0, size, piece):
        told.update(dice.randbytes(min(piece, size - at)))
    return told.digest()


class Stream:
    """A connection from a program on @near's host to one on @far's, by @kind of way in."""

    def __init__(self, number, near, far, kind, sizes, seconds):
        self.number, self.near, self.far, self.kind = number, near, far, kind
        self.up, self.down = sizes
        self.seconds = seconds  # its pace: how long either way takes; 0: as fast as it goes
        self.ends, self.process = {}, None
        self.born = time.monotonic()
        self.is_open = self.is_found = False
        self.is_doomed, self.ready_at = False, None
        self.flaw = None  # planted: what is to be wrong with it

    def piece(self, size):
        """How much is written at once."""
        if not self.seconds:
            return PIECE
        return max(1, min(PIECE, int(size * TICK / self.seconds)))

    def way(self, is_up):
        """(bytes, seed) of one direction."""
        return (self.up, f"{self.number} up") if is_up else (self.down, f"{self.number} down")

    def end(self, side, reader, writer):
        """Its near or far end."""
        is_near = side == "near"
        takes = self.way(not is_near)
        if self.flaw == "wrong" and is_near:
            takes = (takes[0], "another seed")
        self.ends[side] = End(self, reader, writer, self.way(is_near), takes)
        return self.ends[side]

    def is_over(self):
        """It has begun, and neither end goes on."""
        return bool(self.ends) and all(end.how for end in self.ends.values())

    def moved_at(self):
        """Since when one of its ends waits, for bytes or for its program to end."""
        waiting = [end.moved_at for end in self.ends.values() if not (end.how or end.is_heard)]
        return min(waiting, default=time.monotonic() if self.ends else self.born)

    def over_at(self):
        """When the later end ended."""
        return max((end.over_at for end in self.ends.values() if end.how), default=self.born)

    def is_whole(self):
        """Everything came, both ways."""
        return len(self.ends) == 2 and all(end.how == WHOLE for end in self.ends.values())

    def touches(self, name):
        """One of its ends is on the host @name."""
        return name in (self.near, self.far)

    def abort(self):
        """Whatever of it is left is gone."""
        for end in self.ends.values():
            end.finish(ERROR)

    async def reap(self):
        """The program that was its near end is gone, too; both its pipes are closed by now."""
        if self.process:
            try:
                await asyncio.wait_for(self.process.wait(), REAP_SECONDS)
            except asyncio.TimeoutError:
                self.process.kill()
                await self.process.wait()

    def __str__(self):
        parts = [f"stream {self.number} ({self.kind}, {self.near} to {self.far})"]
        for side, end in self.ends.items():
            parts.append(f"{side} end {end.how or 'open'}: sent {end.sent} of {end.sends[0]}, "
                         f"got {end.got} of {end.takes[0]}")
        return "; ".join(parts)
