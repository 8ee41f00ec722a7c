"""pcap.py - reads the packets of a tcpdump file of Ethernet frames."""

import collections
import ipaddress
import struct

MAGIC_MICROSECONDS = 0xA1B2C3D4
LINKTYPE_ETHERNET = 1
TCP, UDP = 6, 17

# proto is the IP protocol; the ports are 0 and the payload is all that follows the IP header where
# it is neither UDP nor TCP.
Packet = collections.namedtuple("Packet", "time src dst proto sport dport payload")


def read(path):
    """All whole IP packets of the file; a frame that is still being written is left out."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 24:
        return []
    order = "<" if struct.unpack_from("<I", data)[0] == MAGIC_MICROSECONDS else ">"
    magic, link = struct.unpack_from(f"{order}I16xI", data)
    if magic != MAGIC_MICROSECONDS or link != LINKTYPE_ETHERNET:
        raise ValueError(f"{path}: want a pcap file of Ethernet frames")
    packets = []
    offset = 24
    while offset + 16 <= len(data):
        seconds, micros, size = struct.unpack_from(f"{order}III", data, offset)
        frame = data[offset + 16:offset + 16 + size]
        if len(frame) < size:
            break
        offset += 16 + size
        packet = parse(seconds + micros / 1e6, frame)
        if packet:
            packets.append(packet)
    return packets


def parse(time, frame):
    """The packet of one frame, or None: no IP, or cut short."""
    if len(frame) < 14:
        return None
    kind = struct.unpack_from(">H", frame, 12)[0]
    body = frame[14:]
    if kind == 0x0800 and len(body) >= 20:
        total = struct.unpack_from(">H", body, 2)[0]
        proto, src, dst = body[9], body[12:16], body[16:20]
        rest = body[(body[0] & 15) * 4:total]
    elif kind == 0x86DD and len(body) >= 40:
        length, proto = struct.unpack_from(">HB", body, 4)
        src, dst = body[8:24], body[24:40]
        rest = body[40:40 + length]
    else:
        return None
    sport = dport = 0
    if proto == UDP and len(rest) >= 8:
        sport, dport = struct.unpack_from(">HH", rest)
        rest = rest[8:]
    elif proto == TCP and len(rest) >= 20:
        sport, dport = struct.unpack_from(">HH", rest)
        rest = rest[(rest[12] >> 4) * 4:]
    src, dst = (str(ipaddress.ip_address(address)) for address in (src, dst))
    return Packet(time, src, dst, proto, sport, dport, rest)
