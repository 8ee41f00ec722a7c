"""sniff.py INTERFACE FILE EXPRESSION... - writes what passes into a pcap file, until SIGINT.

tcpdump compiles the expression, but cannot capture as the root of a user namespace: it insists on
changing its groups first, which such a root may not.
"""

import ctypes
import select
import signal
import socket
import struct
import subprocess
import sys

SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETH_P_ALL = 3
BUFFER_BYTES = 16 << 20
FRAME_MAX = 1 << 18


def compiled(expression):
    """The filter as the kernel takes it: struct sock_filter after struct sock_filter."""
    argv = ["tcpdump", "-y", "EN10MB", "-ddd", *expression]
    lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    return [struct.pack("=HBBI", *map(int, line.split())) for line in lines[1:]]


def opened(interface, expression):
    """A packet socket that has seen nothing that the filter would not let through."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    if expression:
        steps = compiled(expression)
        code = ctypes.create_string_buffer(b"".join(steps))
        program = struct.pack("@HP", len(steps), ctypes.addressof(code))
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setblocking(False)
    sock.bind((interface, ETH_P_ALL))
    return sock


def drain(sock, file):
    """Writes all that waits."""
    while True:
        try:
            frame, extra, _, _ = sock.recvmsg(FRAME_MAX, 128)
        except BlockingIOError:
            file.flush()
            return
        seconds, nanos = struct.unpack("@qq", extra[0][2])
        file.write(struct.pack("=IIII", seconds, nanos // 1000, len(frame), len(frame)) + frame)


def main(interface, path, *expression):
    """Says "listening" on stderr once nothing can be missed; 1 if the kernel dropped something."""
    end, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGINT, lambda *_: None)
    with opened(interface, expression) as sock, open(path, "wb") as file:
        file.write(struct.pack("=IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, FRAME_MAX, 1))
        file.flush()
        print("listening", file=sys.stderr, flush=True)
        ready = []
        while end not in ready:
            ready, _, _ = select.select([sock, end], [], [])
            drain(sock, file)
        _, drops = struct.unpack("=II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    if drops:
        print(f"{drops} packets dropped", file=sys.stderr)
    return 1 if drops else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
