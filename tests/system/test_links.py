"""A program behind a link, which may be any: packets made by hand, well-formed and not."""

import json
import os
import random
import socket
import struct

import pytest

import servers
from daemon import wait_until
from tunnel_pair import expose

HERE, THERE = "10.64.0.1", "10.64.0.2"
SECONDS = 20
LINKS_MAX, UDP_MAX = 64, 512
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(payload, proto, source=THERE, to=HERE, fragment=0):
    """A packet."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, fragment, 64, proto, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ping(n=56, **words):
    """An echo request."""
    body = struct.pack(">HH", 7, 1) + bytes(n)
    return ip(struct.pack(">BBH", 8, 0, checksum(b"\x08\0\0\0" + body)) + body, ICMP, **words)


def udp(port, to_port, data, **words):
    """A datagram without a checksum."""
    return ip(struct.pack(">HHHH", port, to_port, 8 + len(data), 0) + data, UDP, **words)


def tcp(port, to_port, seq, ack, flags, data=b""):
    """A segment."""
    body = struct.pack(">HHIIBBHHH", port, to_port, seq, ack, 0x50, flags, 65535, 0, 0) + data
    pseudo = socket.inet_aton(THERE) + socket.inet_aton(HERE) + struct.pack(">HH", TCP, len(body))
    return ip(body[:16] + struct.pack(">H", checksum(pseudo + body)) + body[18:], TCP)


class Wire:
    """The socket of a link."""

    def __init__(self, daemon, peer, **words):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(daemon.rpc("status")["data_socket"])
        line = {"open": "link", "kind": "ip", "peer": peer.self_id(), "here": f"{HERE}/24",
                "there": THERE} | words
        self.socket.sendall(json.dumps(line).encode() + b"\n")
        self.answer = json.loads(self.take_line())

    def take_line(self):
        """What comes before the first frame."""
        line = b""
        while not line.endswith(b"\n"):
            line += self.exactly(1)
        return line

    def exactly(self, n):
        """The next @n bytes."""
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def send(self, *packets):
        """Frames, at once."""
        self.socket.sendall(b"".join(struct.pack(">I", len(p)) + p for p in packets))

    def packet(self):
        """The next one."""
        return self.exactly(struct.unpack(">I", self.exactly(4))[0])

    def segment(self):
        """The next of TCP: (seq, ack, flags, data)."""
        while (p := self.packet())[9] != TCP:
            pass
        seq, ack, offset, flags = struct.unpack(">IIBB", p[24:34])
        return seq, ack, flags, p[20 + (offset >> 4) * 4:]

    def connect(self, port, to_port):
        """A connection by hand: our and their next sequence number."""
        self.send(tcp(port, to_port, 100, 0, SYN))
        seq, ack, flags, _ = self.segment()
        assert (ack, flags) == (101, SYN | ACK)
        self.send(tcp(port, to_port, 101, seq + 1, ACK))
        return 101, seq + 1

    def is_alive(self):
        """True if it still answers an echo."""
        self.send(ping())
        return self.packet()[20] == 0

    def close(self):
        """Pulls the cable."""
        self.socket.close()


@pytest.fixture
def wire(pair):
    """(ann, ben, a link of ben's to ann)."""
    ann, ben = pair
    assert wait_until(lambda: ben.peer_ids() and ann.peer_ids(), SECONDS)
    w = Wire(ben, ann)
    assert w.answer["ok"], w.answer
    yield ann, ben, w
    w.close()


def row(daemon):
    """Its only link."""
    return daemon.rpc("links.list")["links"][0]


def test_frames_in_pieces_and_together(wire):
    _, ben, w = wire
    for byte in struct.pack(">I", 84) + ping():
        w.socket.sendall(bytes([byte]))
    assert w.packet()[20] == 0
    w.send(ping(), ping(1472), ping(0))
    assert [len(w.packet()) for _ in range(3)] == [84, 1500, 28]
    assert row(ben)["frames_in"] == row(ben)["frames_out"] == 4


def test_a_length_that_cannot_be_ends_the_link(pair):
    ann, ben = pair
    assert wait_until(ben.peer_ids, SECONDS)
    for length in (0, 1501, 1 << 31, 0xffffffff):
        w = Wire(ben, ann)
        assert w.is_alive()
        w.socket.sendall(struct.pack(">I", length))
        with pytest.raises((EOFError, ConnectionResetError)):
            w.packet()
        assert ben.rpc("links.list")["links"] == []
    w = Wire(ben, ann)
    w.send(bytes(1500), ping(1472))  # as long as it may be, but no packet
    assert len(w.packet()) == 1500
    assert row(ben)["dropped"] == {"malformed": 1}


def test_a_card_may_send_frames_that_are_too_long(pair):
    """What a guest says is long is refused; above what any card sends the link ends."""
    ann, ben = pair
    assert wait_until(lambda: ben.peer_ids() and ann.peer_ids(), SECONDS)
    ours = bytes.fromhex("525400000001")
    frame = bytes([255] * 6) + ours + b"\x08\x06" + struct.pack(
        ">HHBBH", 1, 0x800, 6, 4, 1) + ours + socket.inet_aton(THERE) + bytes(6) + \
        socket.inet_aton(HERE)
    w = Wire(ben, ann, kind="ether", mac="52:54:00:00:00:01")
    assert w.answer["ok"], w.answer
    w.send(bytes(1515), bytes(65536), frame, bytes(128 * 1024), frame)
    assert wait_until(lambda: row(ben)["frames_in"] == 5, SECONDS)
    assert row(ben)["dropped"] == {"malformed": 3}
    assert row(ben)["bytes_in"] == 1515 + 65536 + 128 * 1024 + 2 * len(frame)
    for _ in range(2):  # both questions are answered
        assert wait_until(lambda: w.packet()[:6] == ours, SECONDS)
    w.socket.sendall(struct.pack(">I", 128 * 1024 + 1))
    assert wait_until(lambda: ben.rpc("links.list")["links"] == [], SECONDS)
    w.close()


def test_only_the_link_itself_answers_an_echo(wire):
    """Nobody is there in the name of hosts that the peer leads to."""
    _, ben, w = wire
    w.send(ping(to="203.0.113.77"), ping(0))
    assert len(w.packet()) == 28
    assert row(ben)["dropped"] == {"policy": 1}


def test_a_program_that_does_not_read(wire):
    _, ben, w = wire
    big = ping(1472)
    some = (struct.pack(">I", len(big)) + big) * 100
    for _ in range(200):
        w.socket.sendall(some)
    assert wait_until(lambda: row(ben)["frames_in"] == 20000, SECONDS)
    lost = row(ben)["out_full"]
    assert 0 < lost < 20000
    for _ in range(20000 - lost):  # no frame is torn
        assert w.packet()[20] == 0
    assert w.is_alive()
    assert row(ben)["out_full"] == lost


def test_each_reason_has_its_name(wire):
    _, ben, w = wire
    w.send(ping(source="10.64.0.3"), ping(source=HERE), ping()[:-1], ping(fragment=0x2000),
           ping(to="127.0.0.1"), ping(to="224.0.0.1"), ping())
    assert w.packet()[20] == 0
    assert row(ben)["dropped"] == {"spoofed": 2, "malformed": 1, "fragment": 1, "martian": 1,
                                   "group": 1}
    page = ben.rpc("metrics.show")["text"]
    assert 'omerta_link_drops_total{reason="spoofed"} 2\n' in page and "omerta_links 1\n" in page
    w.send(*[ping(source="10.64.0.3")] * 10)
    assert w.is_alive()
    assert row(ben)["rogue_score"] > 200
    assert "many packets that may not pass" in ben.log()
    w.close()
    assert wait_until(lambda: ben.rpc("links.list")["links"] == [], SECONDS)
    page = ben.rpc("metrics.show")["text"]  # counters do not go down
    assert 'omerta_link_drops_total{reason="spoofed"} 12\n' in page and "omerta_links 0\n" in page


def test_garbage(wire):
    _, ben, w = wire
    dice = random.Random(7)
    good = [ping(), udp(9, 9, b"x" * 100), tcp(9, 9, 1, 1, SYN), tcp(9, 10, 1, 1, ACK, b"y" * 50)]
    for _ in range(200):
        batch = []
        for _ in range(50):
            p = bytearray(dice.choice(good) if dice.random() < 0.9 else dice.randbytes(200))
            for _ in range(dice.randrange(4)):
                p[dice.randrange(len(p))] = dice.randrange(256)
            if dice.random() < 0.5 and len(p) >= 20:  # else few get past the sum of the head
                p[10:12] = b"\0\0"
                p[10:12] = struct.pack(">H", checksum(bytes(p[:20])))
            batch.append(bytes(p[:dice.randrange(1, len(p) + 1)] if dice.random() < 0.2 else p))
        w.send(*batch)
    w.send(ping(0))
    while (p := w.packet())[9] != ICMP or p[20] != 0 or len(p) != 28:
        pass
    assert row(ben)["frames_in"] == 10001 and sum(row(ben)["dropped"].values()) > 1000
    assert ben.stop() == 0


def test_addresses_that_no_host_has(pair):
    ann, ben = pair
    assert wait_until(ben.peer_ids, SECONDS)
    for here, there in (("127.0.0.1", "127.0.0.2"), ("224.0.0.1", "224.0.0.2")):
        w = Wire(ben, ann, here=f"{here}/8", there=there)
        assert w.answer["error"] == "range" and "one host can have" in w.answer["message"]
    assert Wire(ben, ann).is_alive()


def test_there_can_be_no_more_links(pair):
    ann, ben = pair
    assert wait_until(ben.peer_ids, SECONDS)
    wires = [Wire(ben, ann) for _ in range(LINKS_MAX)]
    assert all(w.answer["ok"] for w in wires)
    full = Wire(ben, ann)
    assert full.answer["error"] == "full" and "64 links" in full.answer["message"]
    # The same addresses on all of them, and each knows its own.
    for w in wires:
        w.send(ping())
    assert all(w.packet()[20] == 0 for w in wires)
    wires.pop().close()
    assert wait_until(lambda: len(ben.rpc("links.list")["links"]) == LINKS_MAX - 1, SECONDS)
    wires.append(Wire(ben, ann))
    assert wires[-1].answer["ok"] and wires[-1].is_alive()
    assert ben.stop() == 0


def test_what_is_no_longer_exposed_is_reset(wire):
    ann, ben, w = wire
    with servers.serving(servers.echo) as port:
        number = expose(ann, str(port), "--to", ben.self_id())["id"]
        seq, ack = w.connect(4000, port)
        w.send(tcp(4000, port, seq, ack, ACK, b"hello"))
        while not (got := w.segment())[3]:
            pass
        assert got[3] == b"hello"
        code, _, err = ann.cli("expose", "remove", str(number))
        assert code == 0, err
        while not (flags := w.segment()[2]) & RST:
            assert not flags & FIN
    assert wait_until(lambda: row(ben)["flows"] == 0, SECONDS)


def test_the_daemon_ends_with_connections(wire):
    ann, ben, w = wire
    with servers.serving(servers.echo) as port:
        expose(ann, str(port), "--to", ben.self_id())
        w.connect(4000, port)
        w.send(tcp(4001, port + 1, 100, 0, SYN))
        assert row(ben)["flows"] >= 1
        assert ben.stop() == 0
        assert ann.stop() == 0


def test_exchanges_are_bounded(wire):
    ann, ben, w = wire
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind(("127.0.0.1", 0))
        service.setblocking(False)
        port = service.getsockname()[1]
        expose(ann, str(port), "--udp", "--to", ben.self_id())
        for i in range(UDP_MAX + 76):
            w.send(udp(2000 + i, port, b"%d" % i))
            if i % 50 == 0:
                assert w.is_alive()
        assert w.is_alive()
        assert row(ben)["udp_flows"] == UDP_MAX, row(ben)
        last = b"%d" % (UDP_MAX + 75)

        def who_said_last():
            """Its buffer holds some 250 datagrams: those that came while nobody read are lost."""
            w.send(udp(2000 + UDP_MAX + 75, port, last))
            try:
                while (heard := service.recvfrom(100))[0] != last:
                    pass
                return heard[1]
            except BlockingIOError:
                return None

        who = wait_until(who_said_last, SECONDS)
        assert who and row(ben)["udp_flows"] == UDP_MAX, row(ben)
        service.sendto(b"answer", who)
        assert w.packet()[28:] == b"answer"


def test_an_answer_larger_than_the_link(wire):
    ann, ben, w = wire
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind(("127.0.0.1", 0))
        service.settimeout(SECONDS)
        port = service.getsockname()[1]
        expose(ann, str(port), "--udp", "--to", ben.self_id())
        w.send(udp(2000, port, b"hello"))
        said, who = service.recvfrom(100)
        assert said == b"hello"
        answer = os.urandom(4000)
        service.sendto(answer, who)
        parts = [w.packet() for _ in range(3)]
    whole = {struct.unpack(">H", p[6:8])[0] & 0x1fff: p[20:] for p in parts}
    assert b"".join(whole[at] for at in sorted(whole))[8:] == answer
