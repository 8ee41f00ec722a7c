"""socks_client.py - a program that speaks SOCKS5 about UDP.

socks_client.py PROXY-PORT HOST PORT WORD prints what comes back, or nothing.
"""

import socket
import struct
import sys

from tunnel_pair import connect, exactly


def where(host, port):
    """@host and @port as SOCKS5 writes them."""
    if ":" in host:
        kind = b"\x04" + socket.inet_pton(socket.AF_INET6, host)
    elif host.replace(".", "").isdigit():
        kind = b"\x01" + socket.inet_aton(host)
    else:
        kind = b"\x03" + bytes([len(host)]) + host.encode()
    return kind + struct.pack(">H", port)


def read_where(data):
    """(host, port, what follows) of what where() made."""
    size = {1: 4, 4: 16}.get(data[0])
    if size:
        family = socket.AF_INET if data[0] == 1 else socket.AF_INET6
        host, rest = socket.inet_ntop(family, data[1:1 + size]), data[1 + size:]
    else:
        host, rest = data[2:2 + data[1]].decode(), data[2 + data[1]:]
    return host, struct.unpack(">H", rest[:2])[0], rest[2:]


class Association:
    """UDP ASSOCIATE at the proxy of @port, from a socket of its own; .answer is 0 if it stands."""

    def __init__(self, port, address="127.0.0.1", login=None, named=0, source=None):
        self.tcp = connect(port, address)
        self.udp = self.socket(address, source)
        if login:
            user, password = (word.encode() for word in login)
            self.tcp.sendall(b"\x05\x01\x02" + b"\x01" + bytes([len(user)]) + user +
                             bytes([len(password)]) + password)
            assert exactly(self.tcp, 2) == b"\x05\x02"
            self.login = exactly(self.tcp, 2)
            if self.login != b"\x01\x00":
                return
        else:
            self.tcp.sendall(b"\x05\x01\x00")
            if exactly(self.tcp, 2) != b"\x05\x00":
                self.answer = 0xff
                return
        self.tcp.sendall(b"\x05\x03\x00" + where("::" if ":" in address else "0.0.0.0", named))
        head = exactly(self.tcp, 4)
        self.answer = head[1]
        size = 6 if head[3] == 1 else 18
        host, at, _ = read_where(head[3:] + exactly(self.tcp, size))
        self.relay = (host, at)

    @staticmethod
    def socket(address="127.0.0.1", source=None):
        """A socket of a program on this machine."""
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.bind(source or (address, 0))
        return s

    def send(self, host, port, data, fragment=0, via=None):
        """@data to @host and @port; from the socket @via if not from its own."""
        (via or self.udp).sendto(b"\0\0" + bytes([fragment]) + where(host, port) + data,
                                 self.relay)

    def receive(self):
        """(host, port, data) of the next answer."""
        data, sender = self.udp.recvfrom(65535)
        assert sender[:2] == self.relay and data[:3] == b"\0\0\0"
        return read_where(data[3:])

    def ask(self, host, port, data):
        """What comes back."""
        self.send(host, port, data)
        return self.receive()

    def close(self):
        """The TCP connection ends."""
        self.tcp.close()


def main(argv):
    """One word there and back."""
    at, host, port, word = int(argv[1]), argv[2], int(argv[3]), argv[4]
    a = Association(at)
    a.udp.settimeout(5)
    try:
        a.send(host, port, word.encode())
        print(*a.receive())
    except TimeoutError:
        pass


if __name__ == "__main__":
    main(sys.argv)
