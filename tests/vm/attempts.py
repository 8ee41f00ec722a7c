"""attempts.py - what a guest tries, as root, to reach what it may not.

ATTEMPTS: a name, on which host it is seen where no gate is, and what does it. Each bears a token of
its own, by which it is known wherever it comes out. told.py does them, in the guest.
"""

import socket
import struct
import time

import frames as f

CARD = "eth0"
PORT = 7777           # where every host of the lab listens
SCANNED = range(1, 1025)
FLOOD_SECONDS = 3
READY_SECONDS, TENTATIVE = 60, 0x40
ETH_P_ALL = 3
MARK = b"OMTK"
TOKEN = 12            # bytes: MARK and eight digits
STRANGE, METADATA, METADATA6 = "198.51.100.66", "169.254.169.254", "fd00:ec2::254"
INTERNET, BEHIND = "8.8.8.8", "192.168.7.7"
LANS_BROADCAST = "10.0.0.255"


def source_port(token):
    """A port for whoever bears @token."""
    return 20000 + int(token[len(MARK):]) % 20000


class Env:
    """Where the guest is: its card and addresses; @hosts is what the lab told of the others."""

    def __init__(self, hosts):
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.raw.bind((CARD, 0))
        self.mac = open(f"/sys/class/net/{CARD}/address", encoding="ascii").read().strip()
        self.mtu = int(open(f"/sys/class/net/{CARD}/mtu", encoding="ascii").read())
        self.hosts = hosts
        self.gw, self.gw_mac = hosts["gateway"]["ip"], hosts["gateway"]["mac"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((self.gw, 9))
            self.ip = probe.getsockname()[0]
        self.ip6 = self.ll = None
        end = time.monotonic() + READY_SECONDS
        while not (self.ip6 and self.ll) and time.monotonic() < end:
            self.look()
            time.sleep(0.1)  # its kernel makes them, of what the router says
        if not (self.ip6 and self.ll):
            raise OSError("the card has no addresses of IPv6")

    def look(self):
        """Finds the addresses of IPv6 that the card has for good."""
        with open("/proc/net/if_inet6", encoding="ascii") as table:
            for line in table:
                digits, _, _, scope, flags, card_name = line.split()
                if card_name != CARD or int(flags, 16) & TENTATIVE:
                    continue
                text = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
                if scope == "20":
                    self.ll = text
                else:
                    self.ip6 = text

    def own(self, to):
        """Our address of the family of @to."""
        return self.ip6 if ":" in to else self.ip

    def send(self, *made):
        """Frames as they are; one that the card does not take is an error."""
        for one in made:
            self.raw.send(one)

    def routed(self, to, proto, payload, src=None, **more):
        """A packet in a frame to the gateway."""
        return f.ether(self.gw_mac, self.mac, *f.packet(src or self.own(to), to, proto, payload,
                                                       **more))

    def direct(self, host, to, proto, payload, src=None, **more):
        """A packet in a frame to the card of @host."""
        return f.ether(self.hosts[host]["mac"], self.mac,
                       *f.packet(src or self.own(to), to, proto, payload, **more))

    def datagram(self, to, token, src=None, dport=PORT):
        """UDP that bears @token, and from a port that no other has: an exchange of its own."""
        return f.udp(src or self.own(to), to, source_port(token), dport, token)


def at(host, which="ip"):
    """The address of @host, when it is known."""
    return lambda e: e.hosts[host][which]


def fixed(address):
    """An address that is always the same."""
    return lambda e: address


def connect(where, port=PORT):
    """TCP by the guest's own kernel."""
    def attempt(e, token):
        to = where(e)
        family = socket.AF_INET6 if ":" in to else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as line:
            line.settimeout(4)
            line.connect((to, port))
            line.sendall(token)
    return attempt


def datagram(where, port=PORT, body=lambda token: token):
    """UDP by the guest's own kernel."""
    def attempt(e, token):
        to = where(e)
        with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET,
                           socket.SOCK_DGRAM) as line:
            line.sendto(body(token), (to, port))
    return attempt


def routed_udp(where, **more):
    """UDP to where the gateway may route it."""
    return lambda e, t: e.send(e.routed(where(e), f.UDP, e.datagram(where(e), t), **more))


def routed_echo(where):
    """A ping."""
    def attempt(e, token):
        proto, body = f.echo(e.own(where(e)), where(e), token)
        e.send(e.routed(where(e), proto, body))
    return attempt


def routed_proto(proto, body=lambda e, t: t):
    """A packet of a protocol that is neither TCP nor UDP nor ICMP, to the LAN."""
    return lambda e, t: e.send(e.routed(e.hosts["lan"]["ip"], proto, body(e, t)))


def group(to, port):
    """UDP to a group or a broadcast, in the frame that goes with it."""
    def attempt(e, token):
        is_all = to.endswith(".255")
        src = e.ll if ":" in to else e.ip
        e.send(f.ether(f.BROADCAST if is_all else f.group_mac(to), e.mac, *f.packet(
            src, to, f.UDP, f.udp(src, to, source_port(token), port, token))))
    return attempt


def forged_ip(source, target="lan", which="ip"):
    """UDP in the name of another; in a frame for everybody, which nobody refuses for its target."""
    def attempt(e, token):
        src, to = source(e), e.hosts[target][which]
        e.send(f.ether(f.BROADCAST, e.mac, *f.packet(src, to, f.UDP, e.datagram(to, token, src))))
    return attempt


def raw_type(kind, dst=f.BROADCAST, head=b""):
    """A frame of another type than IP's."""
    return lambda e, t: e.send(f.ether(dst, e.mac, kind, head + t))


def tagged(kinds):
    """UDP to the LAN's host behind one tag for each of @kinds."""
    def attempt(e, token):
        tags = b"".join(struct.pack(">HH", 1, k) for k in [*kinds[1:], f.IP4])
        to = e.hosts["lan"]["ip"]
        e.send(f.ether(e.hosts["lan"]["mac"], e.mac, kinds[0],
                       tags + f.ipv4(e.ip, to, f.UDP, e.datagram(to, token))))
    return attempt


def card(host, which="ip"):
    """An honest packet in a frame to the card of another."""
    return lambda e, t: e.send(e.direct(host, e.hosts[host][which], f.UDP, e.datagram(
        e.hosts[host][which], t)))


def forged_mac(source, dst="lan"):
    """A whole packet of ours in a frame of another's."""
    def attempt(e, token):
        to = e.hosts["lan"]["ip"]
        e.send(f.ether(e.hosts[dst]["mac"], source(e),
                       *f.packet(e.ip, to, f.UDP, e.datagram(to, token))))
    return attempt


def arp(kind, source, src_mac, to):
    """ARP in the name of another; the token is behind it, where a frame has padding."""
    return lambda e, t: e.send(f.ether(f.BROADCAST, e.mac, f.ARP, f.arp(
        kind, src_mac(e), source(e), "00:00:00:00:00:00", to(e)) + t))


def neighbour(kind, make, src, dst="ff02::1"):
    """A message of Neighbour Discovery to all nodes."""
    def attempt(e, token):
        rest, body = make(e, token)
        e.send(f.ether(f.group_mac(dst), e.mac, f.IP6, f.ipv6(
            src(e), dst, f.ICMP6, f.icmp6(src(e), dst, kind, 0, rest, body), hops=255)))
    return attempt


def fragments(*parts):
    """UDP in pieces of IPv4: offsets and lengths in bytes, and whether more follow."""
    def attempt(e, token):
        to = e.hosts["lan"]["ip"]
        whole = f.udp(e.ip, to, source_port(token), PORT, token * 8)
        for start, n, more in parts:
            e.send(e.routed(to, f.UDP, whole[start:start + n],
                            part=start // 8 | (0x2000 if more else 0), number=77))
    return attempt


def fragments6(*parts):
    """The same of IPv6."""
    def attempt(e, token):
        to = e.hosts["lan"]["ip6"]
        whole = f.udp(e.ip6, to, source_port(token), PORT, token * 8)
        for start, n, more in parts:
            head = struct.pack(">BBHI", f.UDP, 0, start | more, 77)
            e.send(e.routed(to, 44, head + whole[start:start + n]))
    return attempt


def extension(kind, body):
    """UDP of IPv6 behind a header of its own."""
    def attempt(e, token):
        to = e.hosts["lan"]["ip6"]
        e.send(e.routed(to, kind, bytes([f.UDP]) + body(e) + e.datagram(to, token)))
    return attempt


def options(make):
    """UDP of IPv4 with options."""
    def attempt(e, token):
        to = e.hosts["lan"]["ip"]
        e.send(e.routed(to, f.UDP, e.datagram(to, token), options=make(e)))
    return attempt


def segment(flags, to=at("lan")):
    """One segment of TCP that bears the token."""
    return lambda e, t: e.send(e.routed(to(e), f.TCP, f.tcp(
        e.own(to(e)), to(e), source_port(t), PORT, flags, t)))


def scan(host):
    """A SYN to each of many ports."""
    def attempt(e, token):
        to = e.hosts[host]["ip"]
        for port in SCANNED:
            e.send(e.routed(to, f.TCP, f.tcp(e.ip, to, 40003, port, f.SYN, token)))
    return attempt


def flood(make):
    """One kind of frame as fast as the card takes it."""
    def attempt(e, token):
        many = make(e, token)
        end, sent = time.monotonic() + FLOOD_SECONDS, 0
        while time.monotonic() < end:
            for one in many:
                try:
                    e.raw.send(one)
                except BlockingIOError:
                    pass
            sent += len(many)
        return sent
    return attempt


def flood_udp(e, token):
    """Big datagrams to many ports of the LAN's host."""
    to, data = e.hosts["lan"]["ip"], token + bytes(1300)
    return [e.routed(to, f.UDP, f.udp(e.ip, to, 40001, 9000 + i, data)) for i in range(64)]


def flood_arp(e, token):
    """Claims of all addresses of the LAN."""
    return [f.ether(f.BROADCAST, e.mac, f.ARP, f.arp(2, e.mac, f"10.0.0.{i}", f.BROADCAST,
                                                     f"10.0.0.{i}") + token)
            for i in range(100, 164)]


def flood_syn(e, token):
    """Connections that nobody finishes, from many ports."""
    to = e.hosts["lan"]["ip"]
    return [e.routed(to, f.TCP, f.tcp(e.ip, to, 50000 + i, PORT, f.SYN, token))
            for i in range(256)]


def flood_broadcast(e, token):
    """Datagrams for everybody."""
    to = LANS_BROADCAST
    return [f.ether(f.BROADCAST, e.mac, f.IP4, f.ipv4(e.ip, to, f.UDP, e.datagram(to, token)))]


def giant(e, token):
    """The largest frame that the card takes, of those that are too large: its size."""
    to = e.hosts["lan"]["ip"]
    for size in (65535, 2 * e.mtu, e.mtu + 14 + 4):
        body = (token * (size // TOKEN + 1))[:size - 14 - 4 - 28]
        inner = f.ipv4(e.ip, to, f.UDP, f.udp(e.ip, to, source_port(token), PORT, body))
        try:
            e.send(f.ether(e.hosts["lan"]["mac"], e.mac, 0x8100, b"\0\1\x08\0" + inner))
        except OSError:
            continue
        return size
    raise OSError("the card takes none")


def runt(e, token):
    """A frame that ends in the middle of what it says it is."""
    to = e.hosts["lan"]["ip"]
    e.send(e.routed(to, f.UDP, token * 8)[:14 + 20 + 4 * TOKEN])


def redirect4(e, token):
    """ICMP: "send what is for the router to me" (RFC 792), in the gateway's name."""
    to = e.hosts["lan"]["ip"]
    inner = f.ipv4(to, INTERNET, f.UDP, token)
    e.send(f.ether(f.BROADCAST, e.mac, *f.packet(e.hosts["router"]["ip"], to, f.ICMP,
                                                 f.icmp(5, 1, f.ip(e.ip), inner))))


def from_strange(e):
    """The address of nobody here."""
    return STRANGE


OWN_MAC, OWN_IP, OWN_LL = (lambda e: e.mac), (lambda e: e.ip), (lambda e: e.ll)
VICTIM = at("router")


def advert(e, token):
    """An NA that gives the router's address our MAC."""
    return b"\x20\0\0\0", f.ip(e.hosts["router"]["ip6"]) + f.link_option(2, e.mac) + f.nonce(token)


def solicit(e, token):
    """An NS that does, by the option of its source."""
    return bytes(4), f.ip(e.hosts["lan"]["ip6"]) + f.link_option(1, e.mac) + f.nonce(token)


def redirect6(e, token):
    """Neighbour Discovery's redirect (RFC 4861 section 4.5)."""
    return bytes(4), f.ip(e.ll) + f.ip("2001:db8::1") + f.link_option(2, e.mac) + f.nonce(token)


def ra(e, token):
    """A router advertisement."""
    return f.router_advert(e.mac, token)


def dhcp(e, token):
    """An offer, as if this were the LAN's DHCP server."""
    body = f.dhcp_offer(e.ip, "10.0.0.200", e.hosts["lan"]["mac"], token)
    e.send(f.ether(f.BROADCAST, e.mac, f.IP4, f.ipv4(
        e.ip, "255.255.255.255", f.UDP, f.udp(e.ip, "255.255.255.255", 67, 68, body))))


def dhcpv6(e, token):
    """An advertisement to the LAN's host."""
    to, body = e.hosts["lan"]["ll"], f.dhcpv6_advertise(token)
    e.send(e.direct("lan", to, f.UDP, f.udp(e.ll, to, 547, 546, body), src=e.ll))


def report(kind, dst):
    """A word to multicast routers: hop limit 1, router alert."""
    def attempt(e, token):
        if kind == f.IGMP:
            inner = f.icmp(0x16, 0, f.ip("239.1.2.3")) + token
            e.send(f.ether(f.group_mac(dst), e.mac, f.IP4, f.ipv4(
                e.ip, dst, f.IGMP, inner, ttl=1, options=b"\x94\4\0\0")))
        else:
            inner = f.icmp6(e.ll, dst, 130, 0, bytes(4), bytes(16) + token)
            e.send(f.ether(f.group_mac(dst), e.mac, f.IP6, f.ipv6(
                e.ll, dst, 0, bytes([f.ICMP6, 0, 5, 2, 0, 0, 1, 0]) + inner, hops=1)))
    return attempt


def inner_udp(e, t):
    """A packet in the name of the LAN's host, for inside of another."""
    to, src = e.hosts["lan"]["ip"], e.hosts["router"]["ip"]
    return f.ipv4(src, to, f.UDP, f.udp(src, to, 1, PORT, t))


def inner_udp6(e, t):
    """The same of IPv6."""
    to, src = e.hosts["lan"]["ip6"], e.hosts["router"]["ip6"]
    return f.ipv6(src, to, f.UDP, f.udp(src, to, 1, PORT, t))


def dns_name(token):
    """A question whose name is the token."""
    return f.question(token + b".test")


ATTEMPTS = [
    # By the guest's own kernel, as any program would.
    ("tcp4 provider", "prov", connect(at("prov"))),
    ("tcp6 provider", "prov", connect(at("prov", "ip6"))),
    ("tcp4 lan host", "lan", connect(at("lan"))),
    ("tcp6 lan host", "lan", connect(at("lan", "ip6"))),
    ("tcp4 router", "router", connect(at("router"), 80)),
    ("tcp4 metadata", "router", connect(fixed(METADATA), 80)),
    ("tcp6 metadata", "router", connect(fixed(METADATA6), 80)),
    ("tcp4 internet", "router", connect(fixed(INTERNET), 443)),
    ("tcp4 behind the consumer", "cons", connect(fixed(BEHIND))),
    ("tcp4 other machine", "vm2", connect(at("vm2"))),
    ("udp4 provider", "prov", datagram(at("prov"))),
    ("udp6 provider", "prov", datagram(at("prov", "ip6"))),
    ("udp4 lan host", "lan", datagram(at("lan"))),
    ("udp6 lan host", "lan", datagram(at("lan", "ip6"))),
    ("dns of the lan", "lan", datagram(at("lan"), 53, dns_name)),
    ("udp4 metadata", "router", datagram(fixed(METADATA))),
    ("udp4 internet", "router", datagram(fixed(INTERNET), 53)),
    ("udp4 other machine", "vm2", datagram(at("vm2"))),
    ("udp6 other machine", "vm2", datagram(at("vm2", "ip6"))),
    # Addresses that mean the host itself, or another in disguise.
    ("loopback 127.0.0.1", "prov", routed_udp(fixed("127.0.0.1"))),
    ("loopback ::1", "prov", routed_udp(fixed("::1"))),
    ("address 0.0.0.0", "prov", routed_udp(fixed("0.0.0.0"))),
    ("link-local of the provider", "prov", routed_udp(at("prov", "ll"))),
    ("mapped ::ffff:10.0.0.9", "prov", routed_udp(fixed("::ffff:10.0.0.9"))),
    ("mapped ::ffff:127.0.0.1", "prov", routed_udp(fixed("::ffff:127.0.0.1"))),
    ("nat64 of a lan host", "prov", routed_udp(fixed("64:ff9b::a00:9"))),
    ("6to4 of a lan host", "prov", routed_udp(fixed("2002:a00:9::1"))),
    ("icmp4 provider", "prov", routed_echo(at("prov"))),
    ("icmp6 provider", "prov", routed_echo(at("prov", "ip6"))),
    ("icmp4 lan host", "lan", routed_echo(at("lan"))),
    ("icmp6 lan host", "lan", routed_echo(at("lan", "ip6"))),
    ("ttl 1", "prov", routed_udp(at("lan"), ttl=1)),
    ("card of other machine", "vm2", card("vm2")),
    ("card of lan host", "lan", card("lan")),
    ("card of lan host, ip6", "lan", card("lan", "ip6")),
    # Groups.
    ("broadcast", "lan", group("255.255.255.255", PORT)),
    ("broadcast of the lan", "lan", group(LANS_BROADCAST, PORT)),
    ("mdns4", "lan", group("224.0.0.251", 5353)),
    ("mdns6", "lan", group("ff02::fb", 5353)),
    ("ssdp", "lan", group("239.255.255.250", 1900)),
    ("all nodes", "lan", group("ff02::1", PORT)),
    ("igmp", "lan", report(f.IGMP, "224.0.0.22")),
    ("mld query", "lan", report(f.ICMP6, "ff02::1")),
    # In the name of others.
    ("mac of lan host", "router", forged_mac(at("lan", "mac"), "router")),
    ("mac of nobody", "lan", forged_mac(fixed("02:00:5e:10:00:01"))),
    ("ip4 of provider", "lan", forged_ip(at("prov"))),
    ("ip4 of router", "lan", forged_ip(at("router"))),
    ("ip4 of other machine", "lan", forged_ip(at("vm2"))),
    ("ip4 of nobody", "lan", forged_ip(from_strange)),
    ("ip4 from 127.0.0.1", "lan", forged_ip(fixed("127.0.0.1"))),
    ("ip4 from a group", "lan", forged_ip(fixed("224.1.2.3"))),
    ("ip4 from 240.0.0.1", "lan", forged_ip(fixed("240.0.0.1"))),
    ("ip6 of router", "lan", forged_ip(at("router", "ip6"), which="ip6")),
    ("ip6 of other machine", "lan", forged_ip(at("vm2", "ip6"), which="ip6")),
    ("ip6 from ::1", "lan", forged_ip(fixed("::1"), which="ip6")),
    ("arp request as router", "lan", arp(1, VICTIM, OWN_MAC, at("lan"))),
    ("arp reply as router", "lan", arp(2, VICTIM, OWN_MAC, at("lan"))),
    ("arp announcement", "lan", arp(1, VICTIM, OWN_MAC, VICTIM)),
    ("arp with mac of lan host", "lan", arp(2, OWN_IP, at("lan", "mac"), at("router"))),
    ("nd advertisement", "lan", neighbour(136, advert, OWN_LL)),
    ("nd advertisement as router", "lan", neighbour(136, advert, at("router", "ll"))),
    ("nd solicitation as router", "lan", neighbour(135, solicit, at("router", "ip6"))),
    ("ra", "lan", neighbour(134, ra, OWN_LL)),
    ("ra as router", "lan", neighbour(134, ra, at("router", "ll"))),
    ("redirect4", "lan", redirect4),
    ("redirect6", "lan", neighbour(137, redirect6, at("router", "ll"))),
    ("dhcp offer", "lan", dhcp),
    ("dhcpv6 advertisement", "lan", dhcpv6),
    # Frames that are not IP.
    ("lldp", "lan", raw_type(0x88cc, "01:80:c2:00:00:0e", b"\x02\x07\x04" + bytes(6))),
    ("type 0x88b5", "lan", raw_type(0x88b5)),
    ("wake on lan", "lan", raw_type(0x0842, head=b"\xff" * 6 + b"\x02\0\0\0\0\x09" * 16)),
    ("pppoe", "lan", raw_type(0x8863, head=b"\x11\x09\0\0\0\x0c")),
    ("mpls", "lan", raw_type(0x8847, head=b"\0\1\1\x40")),
    ("802.1x", "lan", raw_type(0x888e, head=b"\1\1\0\x0c")),
    ("stp", "lan", lambda e, t: e.send(f.llc("01:80:c2:00:00:00", e.mac,
                                            b"\x42\x42\x03\0\0\0\0\0" + t))),
    ("snap", "lan", lambda e, t: e.send(f.llc(e.hosts["lan"]["mac"], e.mac,
                                             b"\xaa\xaa\x03\0\0\0\x08\0" + t))),
    ("vlan", "lan", tagged([0x8100])),
    ("qinq", "lan", tagged([0x88a8, 0x8100])),
    # Protocols other than the usual.
    ("gre", "lan", routed_proto(47, lambda e, t: b"\0\0\x08\0" + inner_udp(e, t))),
    ("esp", "lan", routed_proto(50, lambda e, t: bytes([0, 0, 1, 0, 0, 0, 0, 1]) + t)),
    ("ah", "lan", routed_proto(51, lambda e, t: bytes([f.UDP, 4, 0, 0]) + bytes(20) + t)),
    ("sctp", "lan", routed_proto(132, lambda e, t: struct.pack(">HHII", 1, PORT, 0, 0) + t)),
    ("dccp", "lan", routed_proto(33)),
    ("udp-lite", "lan", routed_proto(136, lambda e, t: struct.pack(">HHHH", 1, PORT, 8, 0) + t)),
    ("ospf", "lan", routed_proto(89)),
    ("ip in ip", "lan", routed_proto(4, inner_udp)),
    ("ip6 in ip", "lan", routed_proto(41, inner_udp6)),
    ("protocol 255", "lan", routed_proto(255)),
    # Pieces, options, and shapes.
    ("fragments4", "lan", fragments((0, 64, True), (64, 64, False))),
    ("fragments4 that overlap", "lan", fragments((0, 64, True), (8, 64, True), (64, 64, False))),
    ("fragments4 tiny", "lan", fragments((0, 8, True), (8, 96, False))),
    ("fragment4 without a first", "lan", fragments((64, 40, False),)),
    ("fragments6", "lan", fragments6((0, 64, True), (64, 40, False))),
    ("fragment6 atomic", "lan", fragments6((0, 104, False),)),
    ("source route", "lan", options(lambda e: b"\x83\x07\x04" + f.ip(e.hosts["router"]["ip"]) +
                                    b"\0")),
    ("record route", "lan", options(lambda e: b"\x07\x07\x04" + bytes(4) + b"\0")),
    ("routing header", "lan", extension(43, lambda e: bytes([2, 0, 1, 0, 0, 0, 0]) +
                                        f.ip(e.hosts["router"]["ip6"]))),
    ("hop-by-hop", "lan", extension(0, lambda e: b"\0\5\2\0\0\1\0")),
    ("destination options", "lan", extension(60, lambda e: b"\0\x1e\4\0\0\0\0")),
    ("giant frame", "lan", giant),
    ("frame cut short", "prov", runt),
    ("syn with data", "lan", segment(f.SYN)),
    ("ack of no connection", "lan", segment(f.ACK)),
    ("tcp without flags", "lan", segment(0)),
    ("tcp with all flags", "lan", segment(f.FIN | f.SYN | f.PSH | f.ACK | f.URG)),
    # Many.
    ("port scan of provider", "prov", scan("prov")),
    ("port scan of lan host", "lan", scan("lan")),
    ("flood of udp", "lan", flood(flood_udp)),
    ("flood of arp", "lan", flood(flood_arp)),
    ("flood of syn", "lan", flood(flood_syn)),
    ("flood of broadcasts", "lan", flood(flood_broadcast)),
]
