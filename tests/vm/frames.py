"""frames.py - frames of Ethernet byte by byte: those that a guest sends to get out.

Runs in the guest, too: nothing but the standard library, and little of that.
"""

import socket
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
ETHER_MIN = 60
IP4, ARP, IP6 = 0x0800, 0x0806, 0x86dd
ICMP, IGMP, TCP, UDP, ICMP6 = 1, 2, 6, 17, 58
SYN, ACK, FIN, PSH, URG = 2, 16, 1, 8, 32


def mac(text):
    """Six bytes of a MAC as people write it."""
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    """The bytes of an address of either family."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def group_mac(address):
    """Where a group of IP is sent to: RFC 1112 section 6.4, RFC 2464 section 7."""
    raw = ip(address)
    head = b"\x33\x33" + raw[12:] if len(raw) == 16 else b"\x01\x00\x5e" + raw[1:]
    return (head[:3] + bytes([head[3] & 0x7f]) + head[4:] if len(raw) == 4 else head).hex(":")


def checksum(data):
    """The Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def pseudo(src, dst, proto, n):
    """What is summed before a payload of @n bytes."""
    a, b = ip(src), ip(dst)
    if len(a) == 16:
        return a + b + struct.pack(">IHBB", n, 0, 0, proto)
    return a + b + struct.pack(">BBH", 0, proto, n)


def ether(dst, src, kind, payload):
    """A frame, padded as a card would."""
    return (mac(dst) + mac(src) + struct.pack(">H", kind) + payload).ljust(ETHER_MIN, b"\0")


def llc(dst, src, payload):
    """A frame of 802.3 with a length in place of the type."""
    return (mac(dst) + mac(src) + struct.pack(">H", len(payload)) + payload).ljust(ETHER_MIN, b"\0")


def ipv4(src, dst, proto, payload, ttl=64, options=b"", part=0, number=1):
    """A packet; @part: flags and offset of a fragment."""
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), number, part,
                       ttl, proto, 0, ip(src), ip(dst)) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, proto, payload, hops=64):
    """A packet."""
    return struct.pack(">IHBB", 0x60000000, len(payload), proto, hops) + ip(src) + ip(dst) + payload


def packet(src, dst, proto, payload, **more):
    """A packet of the family of @src, with its type for ether()."""
    return (IP6, ipv6(src, dst, proto, payload, **more)) if ":" in src else \
        (IP4, ipv4(src, dst, proto, payload, **more))


def udp(src, dst, sport, dport, data):
    """A datagram."""
    n = 8 + len(data)
    head = struct.pack(">HHHH", sport, dport, n, 0)
    total = checksum(pseudo(src, dst, UDP, n) + head + data) or 0xffff
    return head[:6] + struct.pack(">H", total) + data


def tcp(src, dst, sport, dport, flags, data=b"", sequence=1000):
    """A segment."""
    head = struct.pack(">HHIIBBHHH", sport, dport, sequence, 1 if flags & ACK else 0, 0x50, flags,
                       8192, 0, 0)
    total = checksum(pseudo(src, dst, TCP, len(head) + len(data)) + head + data)
    return head[:16] + struct.pack(">H", total) + head[18:] + data


def icmp(kind, code, rest, data=b""):
    """A message of ICMP; @rest: four bytes."""
    body = struct.pack(">BBH", kind, code, 0) + rest + data
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def icmp6(src, dst, kind, code, rest, data=b""):
    """A message of ICMPv6; @rest: four bytes."""
    body = struct.pack(">BBH", kind, code, 0) + rest + data
    total = checksum(pseudo(src, dst, ICMP6, len(body)) + body)
    return body[:2] + struct.pack(">H", total) + body[4:]


def echo(src, dst, data):
    """A request of either family, and its protocol."""
    rest = struct.pack(">HH", 7, 1)
    return (ICMP6, icmp6(src, dst, 128, 0, rest, data)) if ":" in src else \
        (ICMP, icmp(8, 0, rest, data))


def arp(kind, src_mac, src, dst_mac, dst):
    """A message of ARP."""
    return struct.pack(">HHBBH", 1, IP4, 6, 4, kind) + mac(src_mac) + ip(src) + mac(dst_mac) + \
        ip(dst)


def link_option(kind, address):
    """An option of Neighbour Discovery that has a MAC."""
    return bytes([kind, 1]) + mac(address)


def nonce(token):
    """An option that carries @token: RFC 3971 section 5.3.2, of 8 bytes' multiples."""
    body = token.ljust((len(token) + 2 + 7) // 8 * 8 - 2, b"\0")
    return bytes([14, (len(body) + 2) // 8]) + body


def router_advert(source_mac, token):
    """The body of an RA that names its sender as a router, and a prefix of its own."""
    prefix = bytes([3, 4, 64, 0xc0]) + struct.pack(">III", 600, 600, 0) + ip("2001:db8:bad::")
    head = struct.pack(">BBHII", 64, 0, 1800, 0, 0)
    return head[:4], head[4:] + link_option(1, source_mac) + prefix + nonce(token)


def dhcp_offer(server, yours, client_mac, token):
    """A DHCPOFFER (RFC 2131): the message type, the server, and a router."""
    fixed = struct.pack(">BBBBIHH4s4s4s4s16s64s128s", 2, 1, 6, 0, 0x4f4d, 0, 0x8000, ip("0.0.0.0"),
                        ip(yours), ip(server), ip("0.0.0.0"), mac(client_mac), b"", b"")
    return fixed + bytes.fromhex("63825363") + b"\x35\x01\x02\x36\x04" + ip(server) + \
        b"\x03\x04" + ip(server) + bytes([43, len(token)]) + token + b"\xff"


def dhcpv6_advertise(token):
    """A DHCPv6 ADVERTISE (RFC 8415) with a server's identity."""
    return b"\x02\x4f\x4d\x00" + struct.pack(">HH", 2, len(token)) + token


def question(name):
    """A question of DNS for the address of @name."""
    labels = b"".join(bytes([len(x)]) + x for x in name.split(b".")) + b"\0"
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1)
