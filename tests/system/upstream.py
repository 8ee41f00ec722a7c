"""upstream.py [ADDRESS PORT] - a small DNS server that counts what it is asked."""

import signal
import socket
import struct
import sys
import threading
import time

LONG = 4000  # bytes of the answer for long.test


def encode(name):
    """@name in wire form."""
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


def decode(message, at):
    """The name that begins at @at, without compression: (name, what follows)."""
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1"))
        at += 1 + message[at]
    return ".".join(labels), at + 1


def record(name, kind, ttl, data):
    """One record of class IN."""
    return encode(name) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


class Upstream:
    """Answers UDP and TCP on one port.

    a.*: an address, for 300 s; chain.*: two CNAMEs before it; long.*: LONG bytes of TXT; none.*: no
    such name; dumb.*: nothing at all; fails.*: SERVFAIL. What is asked is in names, in order; in
    times is when it was first.
    """

    def __init__(self, address="127.0.0.1", port=0):
        self.names, self.times, self.lock = [], {}, threading.Lock()
        self.tcp = socket.create_server((address, port), backlog=64)
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, self.port))
        for run in (self.run_udp, self.run_tcp):
            threading.Thread(target=run, daemon=True).start()

    def asked(self, name, tcp=None):
        """How often it was asked for @name."""
        with self.lock:
            return sum(n == name and tcp in (None, t) for n, t in self.names)

    def end(self):
        """Its threads end with their sockets."""
        for s in (self.tcp, self.udp):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def answer(self, query, is_tcp):
        """The answer, or None."""
        name, at = decode(query, 12)
        kind, klass = struct.unpack_from(">HH", query, at)
        with self.lock:
            self.names.append((name, is_tcp))
            self.times.setdefault(name, time.monotonic())
        first = name.split(".")[0].lower()
        rcode, records, authority, flags = 0, [], [], 0x8180
        if first.startswith("dumb"):
            return None
        if first.startswith("none"):
            rcode = 3
            soa = encode("ns.test") * 2 + struct.pack(">IIIII", 1, 2, 3, 4, 60)
            authority.append(record("test", 6, 60, soa))
        elif first.startswith("fails"):
            rcode = 2
        elif first.startswith("long") and kind == 16:
            if is_tcp:
                records += [record(name, 16, 300, b"\xc8" + b"x" * 200) for _ in range(LONG // 200)]
            else:
                flags |= 0x200
        elif first.startswith("chain") and kind == 1:
            records += [record(name, 5, 300, encode("middle.test")),
                        record("middle.test", 5, 300, encode("a.test")),
                        record("a.test", 1, 300, socket.inet_aton("192.0.2.1"))]
        elif kind == 1:
            records.append(record(name, 1, 300, socket.inet_aton("192.0.2.1")))
        counts = struct.pack(">HHHH", 1, len(records), len(authority), 0)
        return (query[:2] + struct.pack(">H", flags | rcode) + counts + query[12:at] +
                struct.pack(">HH", kind, klass) + b"".join(records + authority))

    def run_udp(self):
        """Until its socket is closed."""
        while True:
            try:
                query, sender = self.udp.recvfrom(4096)
                answer = self.answer(query, False) if query else None
                if answer:
                    self.udp.sendto(answer, sender)
            except OSError:
                return

    def run_tcp(self):
        """A thread for each connection."""
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.one_tcp, args=(connection,), daemon=True).start()

    def one_tcp(self, connection):
        """Questions until the other side is done."""
        with connection:
            while True:
                try:
                    head = connection.recv(2, socket.MSG_WAITALL)
                    if len(head) < 2:
                        return
                    query = connection.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                    answer = self.answer(query, True)
                    if answer:
                        connection.sendall(struct.pack(">H", len(answer)) + answer)
                except OSError:
                    return


if __name__ == "__main__":
    KEPT = Upstream(sys.argv[1], int(sys.argv[2]))
    signal.pause()
