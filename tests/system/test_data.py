"""The data socket: programs of one machine talk to programs of another."""

import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading

import pytest
from example_echo import connect, read_line
from omerta_lab import wait_until

MIB = 1 << 20
EXAMPLE = os.path.join(os.path.dirname(__file__), "example_echo.py")


def path_of(daemon):
    return daemon.rpc("status")["data_socket"]


def listen(daemon, name="echo", who=("*",), **more):
    s, answer = connect(path_of(daemon), listen=name, **{"from": list(who)}, **more)
    assert answer["ok"], answer
    return s, answer


def dial(daemon, peer, name="echo", **more):
    return connect(path_of(daemon), open="stream", peer=peer, name=name, **more)


def dial_later(daemon, peer, name="echo", **more):
    """The line that asks; its answer comes once the other side has taken the call."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(path_of(daemon))
    words = {"open": "stream", "peer": peer, "name": name, **more}
    s.sendall(json.dumps(words).encode() + b"\n")
    return s


def take(daemon, listener):
    call = read_line(listener)
    s, answer = connect(path_of(daemon), accept=call["call"])
    assert answer["ok"], answer
    s.settimeout(20)
    return s, call


@pytest.fixture
def stream(pair):
    """A stream from the second daemon to a program of the first: both of its ends."""
    first, second = pair
    listener, _ = listen(first)
    mine = dial_later(second, first.self_id())
    theirs, call = take(first, listener)
    assert read_line(mine)["ok"]
    yield mine, theirs, call
    mine.close()
    theirs.close()


def pump(sink, data):
    def run():
        with contextlib.suppress(BrokenPipeError):  # some tests end before it does
            sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    t = threading.Thread(target=run, daemon=True)
    t.start()
    return t


def read_all(s):
    parts = []
    while part := s.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def test_a_stream_carries_both_ways(stream):
    mine, theirs, _ = stream
    up, down = os.urandom(10 * MIB), os.urandom(10 * MIB)
    results = {}
    pump(mine, up)
    pump(theirs, down)
    reader = threading.Thread(target=lambda: results.update(up=read_all(theirs)), daemon=True)
    reader.start()
    assert hashlib.sha256(read_all(mine)).digest() == hashlib.sha256(down).digest()
    reader.join(30)
    assert hashlib.sha256(results["up"]).digest() == hashlib.sha256(up).digest()


def test_each_direction_ends_on_its_own(stream):
    mine, theirs, _ = stream
    mine.sendall(b"question")
    mine.shutdown(socket.SHUT_WR)
    assert read_all(theirs) == b"question"
    theirs.sendall(b"answer")
    theirs.shutdown(socket.SHUT_WR)
    assert read_all(mine) == b"answer"


def test_the_listener_hears_who_calls_and_why(pair):
    first, second = pair
    listener, _ = listen(first)
    s = dial_later(second, first.self_id(), args={"lang": "en"}, priority="interactive")
    _, call = take(first, listener)
    assert call["peer"] == second.self_id()
    assert call["network"] == "default"
    assert call["args"] == {"lang": "en"}
    assert read_line(s) == {"ok": True, "peer": first.self_id()}


def test_a_program_may_refuse(pair):
    first, second = pair
    listener, _ = listen(first)
    s = dial_later(second, first.self_id())
    call = read_line(listener)
    _, answer = connect(path_of(first), refuse=call["call"], message="not today")
    assert answer == {"ok": True}
    assert read_line(s) == {"ok": False, "error": "refused", "message": "not today"}


def test_nobody_is_let_in_who_was_not_named(pair):
    first, second = pair
    nobody, answer = listen(first, who=[])
    assert answer["from"] == 0
    _, answer = dial(second, first.self_id())
    assert not answer["ok"] and answer["error"] == "unknown_method"
    nobody.close()

    def free():
        s, answer = connect(path_of(first), listen="echo", **{"from": [second.self_id()]})
        return s if answer["ok"] else None

    listener = wait_until(free, 20)
    s = dial_later(second, first.self_id())  # the control: named, it gets through
    take(first, listener)
    assert read_line(s)["ok"]


def test_a_listener_that_leaves_takes_its_calls_along(pair):
    first, second = pair
    listener, _ = listen(first)
    s = dial_later(second, first.self_id())
    read_line(listener)
    listener.close()
    answer = read_line(s)
    assert not answer["ok"] and answer["error"] == "unavailable"


def test_a_listener_that_takes_no_call_stops_only_itself(pair):
    first, second = pair
    idle, _ = listen(first, "idle")
    busy, _ = listen(first)
    calls = [dial_later(second, first.self_id(), "idle") for _ in range(80)]
    numbers = [read_line(idle)["call"] for _ in range(16)]
    assert all(read_line(s)["error"] == "busy" for s in calls[16:])
    s = dial_later(second, first.self_id())
    take(first, busy)
    assert read_line(s)["ok"]
    assert connect(path_of(first), refuse=numbers[0])[1]["ok"]
    assert read_line(calls[0])["error"] == "refused"
    dial_later(second, first.self_id(), "idle").close()  # the control: there is room for one more
    assert read_line(idle)["call"] not in numbers


def test_a_slow_reader_stops_only_itself(pair):
    first, second = pair
    listener, _ = listen(first)
    slow = dial_later(second, first.self_id())
    slow_end, _ = take(first, listener)
    assert read_line(slow)["ok"]
    pump(slow, bytes(64 * MIB))  # which nobody reads
    quick = dial_later(second, first.self_id())
    quick_end, _ = take(first, listener)
    assert read_line(quick)["ok"]
    data = os.urandom(4 * MIB)
    pump(quick, data)
    assert read_all(quick_end) == data
    slow_end.close()


def channel(daemon, who=("*",), name="chat"):
    s, answer = connect(path_of(daemon), open="channel", name=name, **{"from": list(who)})
    assert answer["ok"], answer
    s.settimeout(20)
    return s, answer


def key_of(daemon):
    """The 32 bytes of a peer's key: its id is their base32, without padding, in lower case."""
    return base64.b32decode(daemon.self_id().upper() + "====")


def frame(key, data):
    return struct.pack(">H", len(key) + len(data)) + key + data


def read_frame(s):
    n = struct.unpack(">H", s.recv(2, socket.MSG_WAITALL))[0]
    body = s.recv(n, socket.MSG_WAITALL)
    return body[:32], body[32:]


def test_a_channel_carries_datagrams_both_ways(pair):
    first, second = pair
    a, answer = channel(first)
    b, _ = channel(second)
    assert answer["max"] >= 1000
    b.sendall(frame(key_of(first), b"hello") + frame(key_of(first), b"x" * answer["max"]))
    assert read_frame(a) == (key_of(second), b"hello")
    assert read_frame(a) == (key_of(second), b"x" * answer["max"])
    a.sendall(frame(key_of(second), b"and back"))
    assert read_frame(b) == (key_of(first), b"and back")


def test_a_channel_hears_only_whom_it_named(pair):
    first, second = pair
    deaf, _ = channel(first, who=[])
    hears, _ = channel(first, who=[second.self_id()])
    b, _ = channel(second)
    b.sendall(frame(key_of(first), b"hello"))
    assert read_frame(hears) == (key_of(second), b"hello")
    deaf.setblocking(False)
    with pytest.raises(BlockingIOError):
        deaf.recv(1)


def test_a_wrong_frame_ends_the_channel(daemon):
    s, answer = channel(daemon)
    s.sendall(struct.pack(">H", answer["max"] + 33))
    assert s.recv(1) == b""
    s, _ = channel(daemon)
    s.sendall(struct.pack(">H", 5) + b"short")
    assert s.recv(1) == b""


@pytest.mark.parametrize(
    "line, wanted",
    [
        (b"nonsense", "JSON"),
        (b"[1]", "JSON"),
        (b"{}", "omerta-data"),
        (b'{"open":"door"}', "omerta-data"),
        (b'{"open":"stream","name":"echo"}', "peer"),
        (b'{"open":"stream","peer":"nobody-here","name":"echo"}', "nobody-here"),
        (b'{"open":"stream","peer":"x","name":"NO SUCH NAME"}', "name"),
        (b'{"open":"channel","name":"much-too-long-a-name"}', "name"),
        (b'{"listen":"echo","from":"all"}', "array"),
        (b'{"listen":"echo","from":[7]}', "names or ids"),
        (b'{"listen":"echo","network":"elsewhere"}', "elsewhere"),
        (b'{"accept":99}', "no call"),
        (b'{"refuse":99}', "no call"),
        (b"x" * 70000, "65536"),
        (b"[" * 60000, "JSON"),
    ],
)
def test_a_bad_line_gets_one_sentence(daemon, line, wanted):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(path_of(daemon))
    try:
        s.sendall(line + b"\n")
    except BrokenPipeError:
        pass
    answer = read_line(s)
    assert answer["ok"] is False and wanted in answer["message"]
    assert listen(daemon, "still-here")[1]["ok"]  # the control


def test_one_name_has_one_listener(daemon):
    listener, _ = listen(daemon)
    _, answer = connect(path_of(daemon), listen="echo")
    assert not answer["ok"] and "another program" in answer["message"]
    assert listener.fileno() >= 0


def test_many_connections_are_bounded(daemon):
    held = []
    for i in range(260):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(path_of(daemon))
        held.append(s)
    assert read_line(held[-1])["error"] == "full"
    for s in held:
        s.close()
    wait_until(lambda: listen_once(daemon), 20)


def listen_once(daemon):
    s, answer = connect(path_of(daemon), listen="echo")
    s.close()
    return answer["ok"]


def test_the_example_of_the_manual(pair):
    first, second = pair
    server = subprocess.Popen([sys.executable, EXAMPLE, path_of(first), "serve"])
    try:

        def echoed():
            done = subprocess.run(
                [sys.executable, EXAMPLE, path_of(second), "call", first.self_id(), "hello mesh"],
                capture_output=True,
                text=True,
                timeout=30,
            )
            return done.stdout if done.returncode == 0 else None

        assert wait_until(echoed, 20) == "hello mesh\n"
    finally:
        server.terminate()
        server.wait()


def test_the_manual_shows_the_example_that_runs():
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    page = os.path.join(root, "meshd", "dist", "man", "omerta-data.7")
    with open(page, encoding="utf-8") as f:
        shown = f.read().split(".EX\n")[1].split(".EE\n")[0]
    with open(EXAMPLE, encoding="utf-8") as f:
        wanted = f.read().replace("\\", "\\e").replace("-", "\\-")
    assert shown == wanted


def frames(s):
    """What comes in frames, and whether it came to the end that the other side meant."""
    everything, parts = read_all(s), []
    while len(everything) >= 4:
        n, = struct.unpack(">I", everything[:4])
        if n == 0:
            return b"".join(parts), everything[4:] == b""
        parts.append(everything[4:4 + n])
        everything = everything[4 + n:]
    return b"".join(parts), False


@pytest.mark.parametrize("dials", [True, False])
def test_frames_tell_an_end_from_a_cut(pair, dials):
    first, second = pair
    data = os.urandom(3 * MIB)
    listener, _ = listen(first)
    for ends in (True, False):
        mine = dial_later(second, first.self_id(), framed=dials)
        call = read_line(listener)
        theirs, answer = connect(path_of(first), accept=call["call"], framed=not dials)
        assert answer.get("framed") is (None if dials else True)
        answer = read_line(mine)
        assert answer.get("framed") is (True if dials else None)
        framed, plain, writer = (mine, theirs, first) if dials else (theirs, mine, second)
        got = {}
        reader = threading.Thread(target=lambda s=framed, g=got: g.update(all=frames(s)),
                                  daemon=True)
        reader.start()
        plain.sendall(data)
        if ends:
            plain.shutdown(socket.SHUT_WR)
            framed.shutdown(socket.SHUT_WR)
        else:
            writer.kill()
            writer.start()
        reader.join(60)
        whole, is_ended = got["all"]
        assert is_ended == ends and data.startswith(whole)
        assert not ends or whole == data
        plain.close()
        framed.close()
