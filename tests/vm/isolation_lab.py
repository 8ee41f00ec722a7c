"""isolation_lab.py - hosts around a provider, who looks at all of them, and a guest without a gate.

Why:  that something is blocked is only worth knowing where it gets through otherwise; so the same
      hosts see the same guest twice: behind the daemon's gate, and bridged onto the LAN.
"""

import collections
import ctypes
import fcntl
import json
import os
import selectors
import socket
import struct
import threading

import attempts
import frames
from omerta_lab import wait_until

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000
SO_RCVBUFFORCE = 33
HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING = range(5)
GATE_MAC = "02:6f:6d:00:00:01"  # which the daemon's end of every card has
MESH_PORT = 18002
MTU = 9000  # of machines' cards: what they send must be able to arrive
ETHER_IP4, ETHER_IP6, ETHER_ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
ND = range(130, 138)
# name: MAC, addresses
PLACES = {
    "prov": ("02:00:00:00:00:01", "10.0.0.1", "fd00:1::1"),
    "cons": ("02:00:00:00:00:02", "10.0.0.2", "fd00:1::2"),
    "cons2": ("02:00:00:00:00:03", "10.0.0.3", "fd00:1::3"),
    "lan": ("02:00:00:00:00:09", "10.0.0.9", "fd00:1::9"),
    "router": ("02:00:00:00:00:fe", "10.0.0.254", "fd00:1::fe"),
}
_libc = ctypes.CDLL(None, use_errno=True)


def inside(lab, host, make):
    """What make() returns, called by a thread that is in the namespace of @host."""
    result = []

    def run():
        handle = os.open(f"/run/netns/{lab.name(host)}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.setns(handle, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            result.append(make())
        finally:
            os.close(handle)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert result, f"in {host}: failed"
    return result[0]


def link_local(mac):
    """The address that a kernel makes of @mac."""
    raw = bytearray(frames.mac(mac))
    raw[0] ^= 2
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + bytes(raw[:3]) + b"\xff\xfe" +
                            bytes(raw[3:]))


def build(lab):
    """A provider with a bridge, its LAN, two consumers; one of them has a network of its own."""
    lab.host(*PLACES)
    lab.segment("wire", "cons", "cons2", "lan", "router")
    lab.segment("wire", "prov")
    # A hub: who looks sees what is for others, too, and no forged address leads it astray.
    lab.ip("wire", "link set dev br0 type bridge ageing_time 0")
    lab.ip("prov", "link add name br0 type bridge forward_delay 0 ageing_time 0")
    lab.ip("prov", "link set dev eth0 master br0")
    lab.sysctl("wire", "net.ipv6.conf.all.disable_ipv6", 1)
    lab.sysctl("prov", "net.ipv6.conf.eth0.disable_ipv6", 1)
    for family in ("ip", "ip6", "arp"):  # as lab.segment() has it
        knob = f"net.bridge.bridge-nf-call-{family}tables"
        if os.path.exists("/proc/sys/" + knob.replace(".", "/")):
            lab.sysctl("prov", knob, 0)
    for host, card in (("wire", "br0"), ("prov", "br0")):
        lab.run(host, ["sh", "-c", f"echo 0x4000 >/sys/class/net/{card}/bridge/group_fwd_mask"])
        lab.ip(host, f"link set dev {card} type bridge mcast_snooping 0")
    for host, (mac, four, six) in PLACES.items():
        card = "br0" if host == "prov" else "eth0"
        for where in ("all", card):
            lab.sysctl(host, f"net.ipv4.conf.{where}.accept_source_route", 1)
        for family in ("4", "6"):
            for where in ("all", "default", card):
                lab.sysctl(host, f"net.ipv{family}.conf.{where}.accept_redirects", 0)
        lab.sysctl(host, f"net.ipv6.conf.{card}.accept_ra", 0)
        lab.sysctl(host, "net.ipv4.conf.all.rp_filter", 0)
        lab.sysctl(host, f"net.ipv4.conf.{card}.rp_filter", 0)
        lab.ip(host, f"link set dev {card} down")
        lab.ip(host, f"link set dev {card} address {mac}")
        lab.up(host, card)
        lab.address(host, card, f"{four}/24", f"{six}/64")
    for number, host in enumerate(PLACES):  # a bridge takes that of its smallest card
        lab.ip("wire", f"link set dev port{number} mtu {MTU}")
        lab.ip(host, f"link set dev eth0 mtu {MTU}")
    lab.address("router", "lo", f"{attempts.METADATA}/32", f"{attempts.METADATA6}/128",
                f"{attempts.INTERNET}/32")
    lab.address("cons", "lo", f"{attempts.BEHIND}/32")
    for there in (attempts.METADATA, attempts.INTERNET):
        lab.route("prov", f"{there}/32", PLACES["router"][1])
    lab.route("prov", f"{attempts.METADATA6}/128", PLACES["router"][2])
    lab.route("prov", f"{attempts.BEHIND}/32", PLACES["cons"][1])
    for host in ("cons", "lan", "router"):
        lab.route(host, "10.77.0.0/16", PLACES["prov"][1])
        lab.route(host, "fd6f:6d77::/48", PLACES["prov"][2])


def hosts(vm2=None):
    """What a guest is told of where the others are."""
    told = {name: {"mac": mac, "ip": four, "ip6": six, "ll": link_local(mac)}
            for name, (mac, four, six) in PLACES.items()}
    if vm2:
        told["vm2"] = vm2
    return told


def is_expected(data):
    """Whether a frame is one that hosts of the lab send of themselves, or the mesh's."""
    kind, body = data[12:14], data[14:]
    if data[6:12] not in KNOWN_MACS:
        return False
    if kind == ETHER_ARP:
        return True
    if kind == ETHER_IP4 and body[9] == frames.UDP:
        return MESH_PORT in struct.unpack(">HH", body[20:24])
    if kind != ETHER_IP6:
        return False
    if body[6] == frames.UDP:
        return MESH_PORT in struct.unpack(">HH", body[40:44])
    if body[6] == 0:  # the reports of MLD have one header before theirs
        return body[40] == frames.ICMP6 and body[48] in (130, 131, 132, 143)
    return body[6] == frames.ICMP6 and body[40] in (*ND, 143)


KNOWN_MACS = {frames.mac(mac) for mac, _, _ in PLACES.values()} | {bytes(6)}


class Watch:
    """Looks at every interface of every host, and listens where the guest wants to get to.

    @seen: by token, how often where. @strange: frames that nobody here should have sent, while
    @is_gated.
    """

    def __init__(self, lab):
        self.lab = lab
        self.seen = collections.defaultdict(collections.Counter)
        self.ports = collections.defaultdict(set)
        self.strange, self.is_gated, self.flagged = [], False, 0
        self.looked_at = collections.Counter()
        self.bridges = {"wire": set(), "prov": {"eth0"}}
        self.selector = selectors.DefaultSelector()
        self.is_over = False
        self.looks = threading.Event()  # cleared: it rests, and costs nothing
        self.looks.set()
        self.allowed = set()  # ports of the consumer's that the guest may reach
        for host in [*PLACES, "wire"]:
            self.add(self.packets(host), self.on_frame, host)
            if host != "wire":
                for port in (attempts.PORT, 80, 443, 53):
                    self.listen(host, port)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def add(self, sock, on_ready, host):
        """@sock is read from by the one thread."""
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, (on_ready, host))

    def packets(self, host):
        """All frames of all interfaces of @host."""
        def make():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                 socket.htons(attempts.ETH_P_ALL))
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            return sock
        return inside(self.lab, host, make)

    def listen(self, host, port):
        """Servers of TCP and UDP on every address of @host."""
        def make():
            line = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.bind(("::", port))
            line.listen(64)
            line2 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            line2.bind(("::", port))
            return line, line2
        stream, packets = inside(self.lab, host, make)
        self.add(stream, self.on_client, host)
        self.add(packets, self.on_datagram, host)

    def run(self):
        """The thread."""
        while not self.is_over:
            self.looks.wait()
            for key, _ in self.selector.select(0.2):
                on_ready, host = key.data
                try:
                    on_ready(key.fileobj, host)
                except OSError:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()

    def close(self):
        """Ends it."""
        self.is_over = True
        self.looks.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()

    def note(self, data, where):
        """Remembers the token in @data."""
        start = data.find(attempts.MARK)
        if start >= 0:
            self.seen[data[start:start + attempts.TOKEN].decode(errors="replace")][where] += 1

    def on_client(self, listener, host):
        """Somebody connects."""
        client, _ = listener.accept()
        self.strange += [(host, "a connection")] if self.is_gated else []
        self.add(client, self.on_stream, host)

    def on_stream(self, client, host):
        """And says something."""
        data = client.recv(65536)
        if not data:
            raise ConnectionError
        self.note(data, f"{host}:server")

    def on_datagram(self, sock, host):
        """A datagram came in."""
        data = sock.recv(65536)
        self.strange += [(host, "a datagram")] if self.is_gated else []
        self.note(data, f"{host}:server")

    def on_frame(self, sock, host):
        """Frames, up to some at a time."""
        for _ in range(256):
            try:
                data, (card, _, kind, *_) = sock.recvfrom(65600)
            except BlockingIOError:
                return
            self.looked_at[host] += 1
            is_wire = host == "wire" or card.startswith("tap") or (host, card) == ("prov", "eth0")
            if self.is_gated:
                self.note(data, f"{host}:{card}")
                if not is_expected(data) and not (card == "lo" and self.is_allowed(data)):
                    self.strange.append((host, card, data[:64].hex()))
                continue
            self.flagged += not is_expected(data)
            if not is_wire and kind in (HOST, BROADCAST, MULTICAST):
                self.note(data, f"{host}:{card}")
                self.note_port(data)

    def is_allowed(self, data):
        """Whether it is of a connection to a port that the consumer exposes."""
        return data[12:14] == ETHER_IP4 and data[23] == frames.TCP and \
            self.allowed & set(struct.unpack(">HH", data[34:38]))

    def note_port(self, data):
        """Which ports are asked for, of a scan."""
        start = data.find(attempts.MARK)
        if start >= 0 and data[12:14] == ETHER_IP4 and data[23] == frames.TCP:
            token = data[start:start + attempts.TOKEN].decode(errors="replace")
            self.ports[token].add(data[36:38])


class Boss:
    """Gives the guest orders; it connects, whoever is its gateway."""

    def __init__(self, lab):
        self.lab = lab
        self.listener = self.line = self.file = None
        self.lost = 0

    def move(self, host, address, port=0):
        """Listens at @address of @host from now on; the port."""
        self.close()

        def make():
            return socket.create_server((address, port))
        self.listener = inside(self.lab, host, make)
        return self.listener.getsockname()[1]

    def accept(self, seconds):
        """The guest connects."""
        self.listener.settimeout(seconds)
        self.line, _ = self.listener.accept()
        self.file = self.line.makefile("rb")

    def begin(self, name, **more):
        """One order."""
        self.line.sendall(json.dumps({"name": name, **more}).encode() + b"\n")

    def finish(self, seconds=60):
        """What came of it; None when the guest had to connect anew, as after a flood of its own."""
        self.line.settimeout(seconds)
        try:
            said = self.file.readline()
        except ConnectionError:
            said = b""
        if said:
            return json.loads(said)
        self.lost += 1
        self.accept(seconds)
        return None

    def order(self, name, **more):
        """One order, to its end."""
        for _ in range(3):
            self.begin(name, **more)
            answer = self.finish()
            if answer:
                return answer
        raise AssertionError(f"{name}: the guest hangs up again and again")

    def attempt(self, name, token):
        """One attempt; the token itself is not on the wire before it."""
        return self.order(name, number=token[len(attempts.MARK):])

    def close(self):
        """Ends the connection."""
        for one in (self.file, self.line, self.listener):
            if one:
                one.close()
        self.listener = self.line = self.file = None


class Ears:
    """What the other machine says that it heard."""

    def __init__(self, lab, watch):
        self.lab, self.watch, self.listener, self.count = lab, watch, None, 0

    def move(self, host, address, port=0):
        """Listens at @address of @host from now on; the port."""
        def make():
            return socket.create_server((address, port))
        self.listener = inside(self.lab, host, make)
        self.watch.add(self.listener, self.on_client, "vm2")
        return self.listener.getsockname()[1]

    def on_client(self, listener, host):
        """It connects."""
        client, _ = listener.accept()
        self.count += 1
        self.watch.add(client, self.on_stream, host)

    def on_stream(self, client, host):
        """Each line is a token."""
        data = client.recv(65536)
        if not data:
            raise ConnectionError
        for word in data.split():
            self.watch.seen[word.decode()][host] += 1


class Opened:
    """QEMU's end of a card on the provider's bridge, in place of the gate."""

    def __init__(self, lab, watch, path, number, ip):
        self.tap = inside(lab, "prov", lambda: self.make_tap(f"tap{number}"))
        lab.ip("prov", f"link set dev tap{number} mtu {MTU} master br0 up")
        self.card = socket.socket(socket.AF_UNIX)
        self.left, self.is_over = b"", False
        assert wait_until(lambda: self.card.connect_ex(path) == 0, 20)
        # It learns where its gateway is now; what it had learnt of the gate is the same.
        gateway = gateway_of(ip)
        self.put(frames.ether(frames.BROADCAST, GATE_MAC, frames.ARP, frames.arp(
            1, GATE_MAC, gateway, "00:00:00:00:00:00", ip)))
        ours = link_local(GATE_MAC)
        self.put(frames.ether("33:33:00:00:00:01", GATE_MAC, frames.IP6, frames.ipv6(
            ours, "ff02::1", frames.ICMP6, frames.icmp6(
                ours, "ff02::1", 134, 0, b"\x40\0\x07\x08", bytes(8) + frames.link_option(
                    1, GATE_MAC)), hops=255)))
        watch.selector.register(self.tap, selectors.EVENT_READ, (self.on_tap, "prov"))
        watch.add(self.card, self.on_card, "prov")
        self.card.setblocking(True)

    def close(self):
        """The card is free for another."""
        self.card.shutdown(socket.SHUT_RDWR)  # the thread that reads it closes it
        self.is_over = True

    @staticmethod
    def make_tap(name):
        """A card of the host that is a file."""
        tap = open("/dev/net/tun", "r+b", buffering=0)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        return tap

    def put(self, data):
        """A frame to the guest."""
        self.card.sendall(struct.pack(">I", len(data)) + data)

    def on_tap(self, tap, _):
        """From the host."""
        if self.is_over:
            raise ConnectionError
        self.put(os.read(tap.fileno(), 65600))

    def on_card(self, card, _):
        """From the guest."""
        data = card.recv(1 << 18)
        if self.is_over or not data:
            raise ConnectionError
        self.left += data
        while len(self.left) >= 4:
            n = struct.unpack(">I", self.left[:4])[0]
            if len(self.left) < 4 + n:
                break
            try:
                os.write(self.tap.fileno(), self.left[4:4 + n])
            except OSError:
                pass  # the host's kernel does not take it: seen is what arrives
            self.left = self.left[4 + n:]


def gateway_of(address):
    """Of a machine."""
    return address.rsplit(".", 1)[0] + ".1"


def shut_gate(lab):
    """The host is no router any more."""
    lab.sysctl("prov", "net.ipv4.ip_forward", 0)
    lab.ip("prov", f"link set dev br0 address {PLACES['prov'][0]}")
    for slot in (1, 2):
        lab.ip("prov", f"address del 10.77.{slot}.1/24 dev br0")


def open_gate(lab):
    """The provider's host takes the place of the gate, and forwards."""
    lab.forwarding("prov")
    for host in ("prov", "cons"):
        lab.forwarding(host)
    lab.sysctl("prov", "net.ipv4.conf.br0.route_localnet", 1)
    lab.sysctl("prov", "net.ipv6.conf.br0.accept_ra", 0)
    lab.ip("prov", f"link set dev br0 address {GATE_MAC}")
    for slot in (1, 2):
        lab.address("prov", "br0", f"10.77.{slot}.1/24", f"fd6f:6d77:0:{slot}::1/64")
    lab.address("prov", "br0", f"{link_local(GATE_MAC)}/64")
