"""stage.py - two daemons and a stranger on one switch, and all that leaves a host."""

import base64
import os
import re

from daemon import Daemon, RpcError
from omerta_lab import Lab, wait_until

ADDRESS = {"ann": "10.77.0.1", "ben": "10.77.0.2", "eve": "10.77.0.3"}
PORT = 18002
NOBODY = "02:00:00:00:00:99"  # a card that no host has
SECONDS = 40
NO_HELLOS = "--no-lan"
UDP = 17


class Node(Daemon):
    """A daemon of a program of one's own on a host; the host's name is the start of its own."""

    ready_seconds = SECONDS

    def __init__(self, stage, host, program, args=()):
        home = os.path.join(stage.lab.folder, f"{len(stage.nodes)}-{host}")
        flags = ["--no-portmap", "--name", name_of(host), *args]
        super().__init__(home, flags, lab=stage.lab, host=host, port=PORT)
        self.program, self.id = program, None
        self.capture = stage.lab.capture(host, "eth0")
        stage.nodes.append(self)

    def argv(self):
        """The command line, of its own program."""
        return [self.program, *super().argv()[1:]]

    def start(self):
        """Starts it, and learns its id."""
        super().start()
        self.id = self.self_id()
        return self

    def public_key(self):
        """The 32 bytes that its id stands for."""
        return key_of(self.id)

    def sent(self, since=0.0):
        """The UDP payloads that left its host, of those captured so far: all after finish()."""
        own = ADDRESS[self.host]
        return [p.payload for p in self.capture.packets()
                if p.proto == UDP and p.src == own and p.time >= since]

    def status(self):
        """What it says of itself."""
        return self.rpc("status")

    def made(self):
        """How many sessions it has made so far."""
        page = self.rpc("metrics.show")["text"]
        return int(re.search(r"^omerta_sessions_made_total (\d+)$", page, re.M)[1])

    def drops(self):
        """What it threw away: {reason: how many}."""
        return self.status()["drops"]

    def doctor(self, check):
        """What its doctor says of @check: ok or warn; None where it does not look."""
        states = {c["check"]: c["state"] for c in self.rpc("doctor.daemon")["checks"]}
        return states.get(check)

    def finish(self):
        """Ends it; its exit code. Its capture is complete then."""
        code = self.stop()
        self.capture.stop()
        return code


class Stage:
    """A context manager: the hosts, and every node that was started on them."""

    def __init__(self):
        self.lab = Lab()
        self.nodes = []

    def __enter__(self):
        self.lab.__enter__()
        self.lab.host(*ADDRESS)
        for host in ADDRESS:
            self.lab.sysctl(host, "net.ipv6.conf.all.disable_ipv6", 1)
            self.lab.sysctl(host, "net.ipv6.conf.default.disable_ipv6", 1)
        self.lab.segment("lan", *ADDRESS)
        for host, address in ADDRESS.items():
            self.lab.address(host, "eth0", address + "/24")
            # A capture shall see datagrams, not what the card is to cut into them.
            self.lab.ip(host, "link set dev eth0 gso_max_segs 1")
        return self

    def __exit__(self, *why):
        for node in self.nodes:
            node.end()
        return self.lab.__exit__(*why)

    def start(self, host, program, *args):
        """A node, ready."""
        return Node(self, host, program, args).start()

    def pair(self, program, other, *args):
        """ben with @other, then ann with @program and @args, told of him.

        Where one says no hellos, the other does not, either.
        """
        ben = self.start("ben", other, *(word for word in args if word == NO_HELLOS))
        ann = self.start("ann", program, *args, *ben.bootstrap(ADDRESS["ben"]))
        return ann, ben

    def swallow(self, host, other):
        """What @host sends to @other leaves it and arrives nowhere, until deliver()."""
        self.lab.ip(host, f"neigh replace {ADDRESS[other]} lladdr {NOBODY} dev eth0 nud permanent")

    def deliver(self, host, other):
        """Undoes swallow()."""
        self.lab.ip(host, f"neigh del {ADDRESS[other]} dev eth0")


def key_of(text):
    """The 32 bytes of an id."""
    return base64.b32decode(text.upper() + "====")


def name_of(host):
    """The node's name: too long to be anywhere by chance."""
    return f"{host}-of-the-sealed-letters"


def post(sender, receiver, text):
    """Hands a message over for sending, as soon as the daemon takes it; else False."""
    def attempt():
        try:
            sender.rpc("message.send", peer=receiver.id, text=text)
        except RpcError:
            return False
        return True

    return wait(attempt)


def has(receiver, text):
    """Did it get @text?"""
    return any(m["text"] == text for m in receiver.rpc("message.list")["messages"])


def wait(condition):
    """wait_until() with the demo's patience: it runs on machines that have other work, too."""
    return wait_until(condition, SECONDS)
