"""traffic.py - many streams at once between all hosts, each replaced when it ends.

What:   a thread with a loop of its own keeps so many streams open and judges each that ends; what
        does not hold is a finding, a sentence. Others ask it for what is open.
Why:    faults are made by commands that take their time; how long a stream takes to end is not to
        wait for them.
"""

import asyncio
import contextlib
import ctypes
import os
import random
import socket
import struct
import threading
import time

from commands import environment_of
from daemon import die_with_parent, program
from stream import ERROR, HEAD, SHORT, WRONG, Stream

CLONE_NEWNET = 0x40000000
SERVED = 7000          # the port that each host exposes
SOCKS = 1080
KINDS = ("forward", "socks", "nc")
WEIGHTS = (6, 2, 2)
SIZES = (1 << 15, 1 << 22)   # bytes of one way, the least and the most, with a pace
FAST = 1 << 24               # of one without
ONE_FAST_IN = 12
FLAWED = ("third", "provider")  # who are not killed while streams with planted flaws are open
AGAIN_SECONDS = 0.5          # before what was refused is tried again
WATCH_SECONDS = 0.1
OPEN_AT_ONCE = 512           # connections that wait to be accepted
_libc = ctypes.CDLL(None, use_errno=True)


def local_port(names, far):
    """The port of every host that leads to @far."""
    return SERVED + 1 + names.index(far)


def quiet(loop, context):
    """A pipe that broke is what is counted here, and no news of the loop's."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


async def ask_proxy(end, host):
    """SOCKS5: asks whoever is at the other side of @end for @host."""
    name = host.encode()
    end.writer.write(b"\x05\x01\x00")
    await end.reader.readexactly(2)
    end.writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", SERVED))
    answer = await end.reader.readexactly(10)
    if answer[1]:
        raise ConnectionRefusedError(f"the proxy answers {answer[1]}")


class Traffic:
    """Streams between the hosts of @net, drawn from @seed; none shorter or longer than @seconds."""

    def __init__(self, net, seed, count, seconds, bounds):
        self.net, self.seed, self.count, self.seconds = net, seed, count, seconds
        self.stuck_seconds, self.end_seconds = bounds
        self.names = list(net.daemons)
        self.live, self.findings, self.flaws = {}, [], []
        self.hashed = self.bytes = self.ended = self.refused = self.drawn = 0
        self.late, self.last_refusal, self.most = [], "", 0
        self.opened_at = {}  # pair: when the last stream between them opened
        self.is_draining, self.dooming = False, set()
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(quiet)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.handles = {}

    # ---- for the other threads ----

    def start(self):
        """Opens the servers, and begins."""
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        for name in self.names:
            path = f"/run/netns/{self.net.lab.name(name)}"
            self.handles[name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.serve(), self.loop).result(30)

    def stop(self):
        """Ends whatever is open."""
        self.is_draining = True

        async def cancel():
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            for stream in list(self.live.values()):
                stream.abort()
                await stream.reap()

        if self.thread.is_alive():
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(cancel(), self.loop).result(10)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(10)
        for handle in self.handles.values():
            os.close(handle)
        self.handles.clear()

    def resume(self):
        """All slots draw streams."""
        self.is_draining = False

        async def begin():
            for number in range(self.count):
                asyncio.ensure_future(self.slot(number)).add_done_callback(self.slot_ended)

        asyncio.run_coroutine_threadsafe(begin(), self.loop).result(10)

    def drain(self):
        """No new ones; true once all have ended. Those that never would are findings by then."""
        self.is_draining = True
        end = time.monotonic() + self.seconds[1] + 2 * self.stuck_seconds + self.end_seconds
        while self.live and time.monotonic() < end:
            time.sleep(WATCH_SECONDS)
        return not self.live

    def open_streams(self):
        """Those that are open now."""
        return [s for s in list(self.live.values()) if s.is_open and not s.is_over()]

    @contextlib.contextmanager
    def dooms(self, name):
        """The daemon @name is ended meanwhile: all its streams may break."""
        self.dooming.add(name)
        try:
            self.doom(name)
            yield
            self.doom(name)
        finally:
            self.dooming.discard(name)

    def doom(self, name):
        """Those that are open now."""
        for stream in list(self.live.values()):
            if stream.touches(name):
                stream.is_doomed = True

    def ready(self, name, at):
        """A new daemon @name was there at @at: what was doomed has to be over soon."""
        for stream in list(self.live.values()):
            if stream.is_doomed and stream.ready_at is None and stream.touches(name):
                stream.ready_at = at

    def silent(self, since, name=None):
        """Who should have brought a byte since @since and did not; with @name also a sentence
        where nothing was opened since to or from there."""
        left = [s for s in self.open_streams()
                if not s.is_doomed and s.flaw is None and s.moved_at() < since]
        if name and not any(at >= since for pair, at in list(self.opened_at.items())
                            if name in pair):
            left.append(f"no stream with {name} opened; the last refusal: {self.last_refusal}")
        return left

    # ---- in the loop ----

    def run(self):
        """The thread."""
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def socket_in(self, name):
        """A new TCP socket inside the host @name."""
        try:
            if _libc.setns(self.handles[name], CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        finally:
            _libc.setns(self.own, CLONE_NEWNET)

    async def serve(self):
        """The port of each host, and the watch."""
        for name in self.names:
            listening = self.socket_in(name)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", SERVED))
            await asyncio.start_server(self.accepted, sock=listening, backlog=OPEN_AT_ONCE)
        asyncio.ensure_future(self.watch())

    async def accepted(self, reader, writer):
        """The far end of the stream whose number comes first."""
        try:
            number, = struct.unpack(">Q", await reader.readexactly(HEAD))
        except (OSError, EOFError):
            writer.transport.abort()
            return
        stream = self.live.get(number)
        if stream is None:
            writer.transport.abort()
            return
        end = stream.end("far", reader, writer)
        if stream.flaw == "stuck":
            writer.transport.pause_reading()
            return
        writer.write(struct.pack(">Q", number))
        await end.run()

    async def slot(self, number):
        """One stream after the other."""
        dice = random.Random(f"{self.seed} slot {number}")
        while not self.is_draining:
            stream = self.draw(dice)
            stream.is_doomed = any(stream.touches(name) for name in self.dooming)
            self.live[stream.number] = stream
            await self.go(stream)
            while stream.ends and not stream.is_over():
                await asyncio.sleep(WATCH_SECONDS)
            del self.live[stream.number]
            self.judge(stream)
            await stream.reap()
            if not stream.is_open:
                await asyncio.sleep(AGAIN_SECONDS)

    def slot_ended(self, task):
        """What goes wrong here is no silence of the product's."""
        if not task.cancelled() and task.exception():
            self.findings.append({"what": f"the soak itself: {task.exception()!r}"})

    def draw(self, dice):
        """The next stream of a slot."""
        self.drawn += 1
        near, far = dice.sample(self.names, 2)
        kind, = dice.choices(KINDS, WEIGHTS)
        least, most = SIZES
        sizes = [int(least * (most / least) ** dice.random()) for _ in range(2)]
        seconds = dice.uniform(*self.seconds)
        if dice.randrange(ONE_FAST_IN) == 0:
            sizes, seconds = [dice.randrange(FAST) for _ in range(2)], 0
        stream = Stream(self.drawn, near, far, kind, sizes, seconds)
        if self.flaws:
            stream.flaw = self.flaws.pop()
            stream.near, stream.far = FLAWED
        return stream

    async def go(self, stream):
        """Opens it by its way in and has the near end run to its end."""
        enter = self.nc if stream.kind == "nc" else self.connect
        try:
            end, exit_code = await enter(stream)
        except OSError as error:
            self.last_refusal = f"{stream}: {error}"
            return
        try:
            if stream.kind == "socks":
                await ask_proxy(end, f"{stream.far}.omerta")
            end.writer.write(struct.pack(">Q", stream.number))
            if stream.flaw != "stuck":
                await end.reader.readexactly(HEAD)
        except (OSError, EOFError) as error:
            self.last_refusal = f"{stream}: {error}"
            end.finish(ERROR)
            return
        stream.is_open = True
        self.opened_at[stream.near, stream.far] = end.moved_at = time.monotonic()
        self.most = max(self.most, len(self.open_streams()))
        await end.run(exit_code)

    async def connect(self, stream):
        """To the forwarded port, or to the proxy."""
        made = self.socket_in(stream.near)
        made.setblocking(False)
        port = SOCKS if stream.kind == "socks" else local_port(self.names, stream.far)
        try:
            await self.loop.sock_connect(made, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=made)
        except OSError:
            made.close()
            raise
        return stream.end("near", reader, writer), None

    async def nc(self, stream):
        """By `omerta nc`: its standard output and input, and how to wait for its exit code."""
        home = self.net.daemons[stream.near].home
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            program("omerta"), "nc", stream.far, str(SERVED), env=environment_of(home), stdin=pipe,
            stdout=pipe, stderr=asyncio.subprocess.DEVNULL, preexec_fn=die_with_parent)
        stream.process = process
        return stream.end("near", process.stdout, process.stdin), process.wait

    async def watch(self):
        """Who does not move, or should be over, is found, once, and taken away."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self.look(time.monotonic())

    def look(self, now):
        """One look at all that are open."""
        for stream in list(self.live.values()):
            if stream.is_over():
                continue
            if stream.ready_at and now - stream.ready_at > self.end_seconds:
                self.found(f"open {self.end_seconds:g} s after a new daemon was there", stream)
                stream.abort()
            elif not stream.is_doomed and now - stream.moved_at() > self.stuck_seconds:
                self.found(f"stuck: no byte for {self.stuck_seconds:g} s", stream)
                stream.abort()

    def found(self, what, stream):
        """What does not hold is said once of each stream."""
        if not stream.is_found:
            stream.is_found = True
            self.findings.append({"stream": stream.number, "planted": stream.flaw,
                                  "what": f"{what}: {stream}"})

    def judge(self, stream):
        """A stream that is over."""
        hows = {end.how for end in stream.ends.values()}
        if stream.is_found:
            return
        if stream.flaw and not stream.is_whole() and WRONG not in hows:
            self.flaws.append(stream.flaw)  # a fault was quicker
        if WRONG in hows:
            self.found("other bytes came than were sent", stream)
        elif stream.is_whole():
            self.hashed += 1
            self.bytes += stream.up + stream.down
        elif not stream.is_open:
            self.refused += 1
        elif not stream.is_doomed:
            self.found("broken, and no daemon of it was ended", stream)
        elif SHORT in hows:
            self.found("ended as if all had come", stream)
        else:
            self.ended += 1
            if stream.ready_at:
                self.late.append(max(stream.over_at() - stream.ready_at, 0.0))
