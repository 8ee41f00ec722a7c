"""ping.py ADDRESS SECONDS - exit 0 once @ADDRESS answers an ICMP echo, 1 if it does not in time.

A bare machine has no ping.
"""

import os
import select
import socket
import struct
import sys
import time

INTERVAL_SECONDS = 0.2


def checksum(data):
    """The Internet checksum of an even number of bytes."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def main(address, seconds):
    """Asks again and again; the kernel fills in the checksum of ICMPv6."""
    six = ":" in address
    family = socket.AF_INET6 if six else socket.AF_INET
    proto = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    request, reply = (128, 129) if six else (8, 0)
    mark = os.getpid() & 0xFFFF
    echo = struct.pack(">BBHHH", request, 0, 0, mark, 1)
    if not six:
        echo = struct.pack(">BBHHH", request, 0, checksum(echo), mark, 1)
    deadline = time.monotonic() + seconds
    with socket.socket(family, socket.SOCK_RAW, proto) as raw:
        while time.monotonic() < deadline:
            try:
                raw.sendto(echo, (address, 0))
            except OSError:
                pass  # no route yet, or not any more: the deadline decides
            until = min(time.monotonic() + INTERVAL_SECONDS, deadline)
            while select.select([raw], [], [], max(until - time.monotonic(), 0))[0]:
                data, source = raw.recvfrom(2048)
                body = data if six else data[(data[0] & 15) * 4:]
                if source[0] == address and body[:1] == bytes([reply]) and body[4:6] == echo[4:6]:
                    return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
