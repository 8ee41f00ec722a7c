"""natprobe.py - what a NAT does, as a table, found out from both of its sides.

What:   probe(net) sends datagrams from two hosts inside to two servers with two ports each, and
        back, and returns rows of (question, answer). A net is Kernel, sockets in the namespaces of
        a lab, or Box, the simulator's NAT behind omerta-lab-natbox. As a program,
        "natprobe.py KIND [PROPERTY...]", it prints the table of a Box.
Why:    the simulator is worth as much as its NATs are like real ones; the same questions to both
        must have the same answers.
"""

import ctypes
import os
import select
import socket
import subprocess
import sys
import time

OWN = 40000  # inside port of the first socket of each host
SERVERS = (("11.0.0.11", 5001), ("11.0.0.11", 5002), ("11.0.0.12", 5001), ("11.0.0.12", 5002))
SAMPLES = 24
REUSE_FLOWS = 96
BLOCK = 512
RANGES = ((20000, 20511), (20000, 60000), (1024, 65535))
CLONE_NEWNET = 0x40000000
FENCE = ("11.0.0.11", 5009)
ARRIVES_SECONDS = 2  # for what has to come: longer than ever needed
LOST_SECONDS = 0.05  # for what did not come before something else, sent later, did
IDLE_SECONDS = (1, 3)
_libc = ctypes.CDLL(None, use_errno=True)


class Box:
    """The simulator's NAT: boxes is a list of (outside, kind, property...), innermost first."""

    def __init__(self, boxes, hosts):
        words = []
        for box in boxes:
            words += ["/"] * bool(words) + list(box)
        program = os.path.join(os.environ["OMERTA_BIN"], "omerta-lab-natbox")
        self.process = subprocess.Popen([program, *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.hosts = hosts
        self.outside = boxes[-1][0]
        self.now = 0

    def close(self):
        """Ends the program, which must have found nothing wrong."""
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait() == 0

    def ask(self, way, source, target, ttl):
        """What became of a datagram: (way, source, target), or None."""
        text = f"{way} {self.now} {source[0]}:{source[1]} {target[0]}:{target[1]} {ttl}\n"
        self.process.stdin.write(text)
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if words[0] == "drop":
            return None
        return words[0], *(address(word) for word in words[1:3])

    def leave(self, host, port, target, ttl=64):
        """A datagram from inside; the source that @target sees, None when it does not come."""
        done = self.ask("out", (self.hosts[host], port), target, ttl)
        return done[1] if done and done[2] == target else None

    def come(self, server, target, host, port):
        """A datagram of @server to @target outside: does socket @port of @host get it?"""
        done = self.ask("in", server, target, 64)
        return done is not None and done[2] == (self.hosts[host], port)

    def turn(self, host, port, target, to_host, to_port):
        """A datagram from inside to outside address @target: the source that another sees."""
        done = self.ask("out", (self.hosts[host], port), target, 64)
        return done[1] if done and done[2] == (self.hosts[to_host], to_port) else None

    def wait(self, seconds):
        """Lets time pass."""
        self.now += int(seconds * 1e6)


class Kernel:
    """The kernel's: sockets inside namespaces. @hosts are (namespace, address), inside first."""

    def __init__(self, hosts, servers, outside):
        self.hosts, self.servers = hosts, dict(servers)
        self.outside = outside
        self.sockets = {}
        self.number = 0  # of the datagram sent last, and its text

    def close(self):
        """Closes all sockets."""
        for each in self.sockets.values():
            each.close()

    def socket(self, namespace, place):
        """The socket at @place, an address and a port, inside @namespace."""
        if place not in self.sockets:
            own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            other = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            enter(other)
            try:
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                made.bind(place)
            finally:
                enter(own)
                os.close(own)
                os.close(other)
            self.sockets[place] = made
        return self.sockets[place]

    def inside(self, host, port):
        """The socket @port of @host."""
        namespace, ip = self.hosts[host]
        return self.socket(namespace, (ip, port))

    def server(self, place):
        """The socket of a server."""
        return self.socket(self.servers[place[0]], place)

    def hear(self, receiver, seconds):
        """The source of the datagram sent last, once @receiver hears it; None at the deadline."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([receiver], [], [], left)[0]:
                return None
            data, seen = receiver.recvfrom(64)
            if data == b"%d" % self.number:
                return seen
        return None

    def fence(self):
        """Sends something out and back that passes: what was sent before has had its chance."""
        inside, server = self.inside(0, FENCE[1]), self.server(FENCE)
        text = b"%d" % self.number
        inside.sendto(text, FENCE)
        seen = self.hear(server, ARRIVES_SECONDS)
        if seen:
            server.sendto(text, seen)
            assert self.hear(inside, ARRIVES_SECONDS), "what was asked for does not come back"

    def pass_on(self, source, target, receiver, ttl=64):
        """Sends to @target; the source that @receiver sees, None when it does not come."""
        self.number += 1
        source.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        source.sendto(b"%d" % self.number, target)
        self.fence()
        return self.hear(receiver, LOST_SECONDS)

    def leave(self, host, port, target, ttl=64):
        """As Box.leave()."""
        return self.pass_on(self.inside(host, port), target, self.server(target), ttl)

    def come(self, server, target, host, port):
        """As Box.come()."""
        return self.pass_on(self.server(server), target, self.inside(host, port)) == server

    def turn(self, host, port, target, to_host, to_port):
        """As Box.turn()."""
        return self.pass_on(self.inside(host, port), target, self.inside(to_host, to_port))

    def wait(self, seconds):
        """Lets time pass: nothing is heard of it."""
        select.select([], [], [], seconds)


def enter(namespace):
    """Makes @namespace, a file, that of this thread."""
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def address(text):
    """"1.2.3.4:5" as ("1.2.3.4", 5)."""
    ip, _, port = text.rpartition(":")
    return ip, int(port)


def word(known):
    """A boolean in a table."""
    return "yes" if known else "no"


def scope(other_port, other_host):
    """RFC 4787's word for who is treated the same."""
    return {(True, True): "endpoint-independent", (True, False): "address-dependent",
            (False, False): "address- and port-dependent"}.get((other_port, other_host), "odd")


def mapping(net):
    """One socket towards four places, and many towards more: which ports are seen."""
    seen = [net.leave(0, OWN, server) for server in SERVERS]
    ports = [place[1] for place in seen]
    more = [net.leave(0, OWN + 100 + i, SERVERS[i % 4]) for i in range(SAMPLES)]
    own = ports == [OWN] * 4
    spread = max(p[1] for p in seen + more) - min(p[1] for p in seen + more)
    steps = {b[1] - a[1] for a, b in zip(more, more[1:])}
    range_ = next(r for r in RANGES if all(r[0] <= p[1] <= r[1] for p in seen + more))
    return [("mapping", scope(ports[0] == ports[1], len(set(ports)) == 1)),
            ("outside address", word(all(place[0] == net.outside for place in seen + more))),
            ("keeps the port", word(own)),
            ("ports of new flows", f"{steps.pop()} further on each" if len(steps) == 1
             else "in no order"),
            ("ports within", "all" if own else
             f"{range_[0]} to {range_[1]}" if range_ != RANGES[-1] or spread >= BLOCK else
             f"{BLOCK} somewhere")]


def filtering(net):
    """Who may answer what was sent to one place."""
    seen = net.leave(0, OWN + 1, SERVERS[0])
    asked, port, host = (net.come(server, seen, 0, OWN + 1) for server in SERVERS[:3])
    return [("who was asked may answer", word(asked)), ("filtering", scope(port, host))]


def sharing(net):
    """Two hosts with one source port, towards different places and then towards the same."""
    first = net.leave(0, OWN + 2, SERVERS[0])
    other = net.leave(1, OWN + 2, SERVERS[2])
    same = net.leave(1, OWN + 2, SERVERS[0])
    return [("two share a port towards different places", word(first == other)),
            ("two share a port towards one place", word(first == same))]


def reuse(net):
    """Are ports of one host used again towards others? Of a block's 512 chance takes two alike."""
    seen = [net.leave(0, OWN + 200 + i, SERVERS[i % 4]) for i in range(REUSE_FLOWS)]
    return [(f"{REUSE_FLOWS} flows share ports", word(len(set(seen)) < len(seen)))]


def early(net):
    """A datagram that comes before one was sent: what becomes of the flow the other way?"""
    port = OWN + 3
    known = net.leave(0, port, SERVERS[3])
    came = net.come(SERVERS[0], known, 0, port)
    seen = net.leave(0, port, SERVERS[0])
    # Not to the host of the first one: the simulator's box knows flows only as finely as it
    # filters, and for one that filters by address that would be no new one.
    after = net.leave(0, port, SERVERS[1])
    if came:
        moved = "it comes in"
    else:
        moved = "the same port" if seen == known else "another port"
    return [("after an early datagram", moved),
            ("and towards others later", "the same port" if after == known else "another port"),
            ("then that one gets in at the new port", word(net.come(SERVERS[0], seen, 0, port))),
            ("and at the old one", word(net.come(SERVERS[0], known, 0, port)))]


def hairpin(net):
    """The inside at an outside address."""
    target = net.leave(0, OWN + 8, SERVERS[0])
    seen = net.turn(1, OWN + 9, target, 0, OWN + 8)
    return [("hairpin", "no" if seen is None else
             "the outside is seen" if seen[0] == net.outside else "the inside is seen")]


def hops(net):
    """The smallest TTL that comes out on the other side."""
    ttl = next(t for t in range(1, 6) if net.leave(0, OWN + 10, SERVERS[0], t))
    return [("hops", str(ttl - 1))]


def timeouts(net):
    """Is a flow open that was idle for so long?"""
    seen = [net.leave(0, OWN + 20 + i, SERVERS[0]) for i in range(len(IDLE_SECONDS))]
    rows, idle = [], 0
    for i, seconds in enumerate(IDLE_SECONDS):
        net.wait(seconds - idle)
        idle = seconds
        is_open = net.come(SERVERS[0], seen[i], 0, OWN + 20 + i)
        rows.append((f"open after {seconds} s", word(is_open)))
    return rows


def probe(net, parts):
    """The table of a NAT; @parts are the questions that make sense for its kind."""
    if net.leave(0, OWN, SERVERS[0]) is None:
        return [("UDP", "no")]
    return [row for part in parts for row in part(net)]


def text(rows):
    """The table for people."""
    return "".join(f"{question:44} {answer}\n" for question, answer in rows)


PARTS = (mapping, filtering, early, hairpin, hops, timeouts, sharing)
INSIDE = ("192.168.1.2", "192.168.1.3")
OUTSIDE = "11.0.0.1"

if __name__ == "__main__":
    print(text(probe(Box([(OUTSIDE, *sys.argv[1:])], INSIDE), PARTS)), end="")
