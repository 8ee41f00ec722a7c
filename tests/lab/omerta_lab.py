"""omerta_lab.py - hosts, links and routers for tests, out of network namespaces.

What:   Lab makes namespaces with names of its own, wires them with veth pairs and bridges, runs
        programs inside, captures what passes, and leaves nothing behind.
Why:    what a NAT, a lost link or a changed address does to real sockets is seen on real sockets.
Needs:  root, or a namespace of its own as run.sh makes one; ip, nft, tcpdump.
"""

import contextlib
import ctypes
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import nat
import pcap

HERE = os.path.dirname(os.path.abspath(__file__))
PR_SET_PDEATHSIG = 1
NETNS_FOLDER = "/run/netns"
BIN = os.path.join(HERE, "..", "..", "build", "dev", "bin")
WIRE_WRONG, WIRE_SLOW = ("oversize", "unfinished"), ("no_room", "refused", "missed")
OFFLOAD_OFF = ("tx", "off", "tso", "off", "tx-udp-segmentation", "off")
POLL_SECONDS = 0.02
START_SECONDS = 10
PATIENCE_SECONDS = 20  # with what comes at once where the machine is idle
_numbers = itertools.count()
_libc = ctypes.CDLL(None)


class LabError(Exception):
    """A command of the lab failed; the text is the command and what it said."""


def missing():
    """Why no lab can be made here, or None."""
    for program in ("ip", "nft", "tcpdump"):
        if shutil.which(program, path=search_path()) is None:
            return f"{program} is not installed"
    if os.geteuid() != 0:
        return "not root: start the test through tests/lab/run.sh"
    name = f"om{os.getpid()}-probe"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"ip netns add: {done.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False)
    return None


def search_path():
    """PATH with the folders of the system's own tools, which an ordinary user's lacks."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


def wait_until(condition, seconds=PATIENCE_SECONDS):
    """Asks condition() until it is true or @seconds are over; returns its last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() >= deadline:
            return answer
        time.sleep(POLL_SECONDS)


def die_with_parent():
    """For a child: it is killed when the test is, even when the test gets SIGKILL."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Capture:
    """What passes one interface of a host; @expression is tcpdump's. Complete after stop()."""

    def __init__(self, lab, host, interface, expression):
        self.path = os.path.join(lab.folder, f"capture-{next(_numbers)}.pcap")
        argv = [sys.executable, os.path.join(HERE, "sniff.py"), interface, self.path]
        self.process = lab.popen(host, argv + expression.split(), stderr=subprocess.PIPE)
        ready, _, _ = select.select([self.process.stderr], [], [], START_SECONDS)
        said = self.process.stderr.readline() if ready else b""
        if said != b"listening\n":
            self.process.kill()
            said += self.process.stderr.read()
            raise LabError(f"capture on {host}:{interface}: {said.decode(errors='replace')}")

    def packets(self):
        """What has been captured so far."""
        return pcap.read(self.path)

    def wait(self, wanted, seconds=PATIENCE_SECONDS):
        """The packets for which wanted(packet) holds, once there is one; [] at the deadline."""
        return wait_until(lambda: [p for p in self.packets() if wanted(p)], seconds)

    def stop(self):
        """Ends the capture and returns all packets; LabError if the kernel dropped some."""
        if not self.process.stderr.closed:
            self.process.send_signal(signal.SIGINT)
            said = self.process.stderr.read().decode(errors="replace")
            self.process.stderr.close()
            if self.process.wait() != 0:
                raise LabError(f"capture: {said}")
        return self.packets()


class Wire:
    """A cable that is bad: what lab.wire() returns."""

    def __init__(self, lab, middle, options):
        program = os.path.join(os.environ.get("OMERTA_BIN") or BIN, "omerta-lab-wire")
        self.process = lab.popen(middle, [os.path.abspath(program), *options, "left", "right"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        if not ready or self.process.stdout.readline() != "ready\n":
            self.process.kill()
            raise LabError(f"wire: {self.process.stderr.read()}")

    def counts(self):
        """Its counters so far: those of wire_link.h and wire.c."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def stop(self, is_exact=True):
        """Takes the cable away; returns its counters.

        LabError if a frame was dropped that the options do not drop: the figures would mislead.
        Without @is_exact the machine may have been too slow for all.
        """
        self.process.send_signal(signal.SIGTERM)
        said, wrong = self.process.communicate(timeout=START_SECONDS)
        if self.process.returncode != 0:
            raise LabError(f"wire: exit {self.process.returncode}: {wrong}")
        counts = json.loads(said)
        for way in ("left_to_right", "right_to_left"):
            for name in WIRE_WRONG + (WIRE_SLOW if is_exact else ()):
                if counts[way][name]:
                    raise LabError(f"wire: {way}: {counts[way][name]} {name}")
        return counts


class Lab:
    """A context manager; everything it made is gone when it ends, however it ends."""

    def __init__(self):
        self.prefix = f"om{os.getpid()}-{next(_numbers)}-"
        self.hosts = []
        self.processes = []
        self.bridges = {}
        self.folder = None
        self.old_handler = None

    def __enter__(self):
        sweep()
        self.folder = tempfile.mkdtemp(prefix=f"omlab-{os.getpid()}-")
        if threading.current_thread() is threading.main_thread():
            self.old_handler = signal.signal(signal.SIGTERM, terminated)
        return self

    def __exit__(self, *_):
        try:
            self.end_processes()
        finally:
            for host in list(self.hosts):
                subprocess.run(["ip", "netns", "del", self.name(host)], check=False)
                self.hosts.remove(host)
            shutil.rmtree(self.folder, ignore_errors=True)
            if self.old_handler is not None:
                signal.signal(signal.SIGTERM, self.old_handler)

    def name(self, host):
        """The namespace of @host."""
        return self.prefix + host

    def host(self, *names):
        """Makes a namespace for each of @names, its loopback up."""
        for name in names:
            self.command(["ip", "netns", "add", self.name(name)])
            self.hosts.append(name)
            # No address waits for its duplicate: the tests choose them.
            self.sysctl(name, "net.ipv6.conf.all.accept_dad", 0)
            self.sysctl(name, "net.ipv6.conf.default.accept_dad", 0)
            self.sysctl(name, "net.ipv6.conf.all.dad_transmits", 0)
            self.sysctl(name, "net.ipv6.conf.default.dad_transmits", 0)
            self.ip(name, "link set dev lo up")

    def link(self, left, left_interface, right, right_interface):
        """A cable between two hosts."""
        self.command(["ip", "link", "add", left_interface, "netns", self.name(left), "type", "veth",
                      "peer", "name", right_interface, "netns", self.name(right)])
        self.up(left, left_interface)
        self.up(right, right_interface)

    def wire(self, left, left_interface, right, right_interface, **options):
        """A bad cable between two hosts: a Wire; @options are those of wire.c.

        One value is for both directions, a pair for left to right and right to left. What the
        hosts send is cut and summed as a card without offload has it: a loss is of one packet.
        """
        middle = f"wire{next(_numbers)}"
        self.host(middle)
        self.link(left, left_interface, middle, "left")
        self.link(right, right_interface, middle, "right")
        # Not a word of its own comes from the middle.
        self.sysctl(middle, "net.ipv6.conf.all.disable_ipv6", 1)
        for host, interface in ((left, left_interface), (right, right_interface)):
            self.run(host, ["ethtool", "-K", interface, *OFFLOAD_OFF])
        words = []
        for name, value in options.items():
            if value is True:
                words.append(f"--{name}")
            elif value is not False:
                pair = value if isinstance(value, tuple) else (value,)
                words += [f"--{name}", ",".join(str(v) for v in pair)]
        return Wire(self, middle, words)

    def segment(self, name, *hosts, interface="eth0"):
        """A switch called @name with a cable to @interface of each of @hosts."""
        if name not in self.bridges:
            self.host(name)
            self.ip(name, "link add name br0 type bridge forward_delay 0")
            # A bridge that asks nftables would lose what a router sends back into its own LAN.
            for family in ("ip", "ip6", "arp"):
                knob = f"net.bridge.bridge-nf-call-{family}tables"
                if os.path.exists("/proc/sys/" + knob.replace(".", "/")):
                    self.sysctl(name, knob, 0)
            self.up(name, "br0")
            self.bridges[name] = 0
        for host in hosts:
            port = f"port{self.bridges[name]}"
            self.bridges[name] += 1
            self.link(name, port, host, interface)
            self.ip(name, f"link set dev {port} master br0")

    def address(self, host, interface, *addresses):
        """Adds @addresses, each with its prefix length ("10.0.0.1/24", "fd00::1/64")."""
        for address in addresses:
            nodad = " nodad" if ":" in address else ""
            self.ip(host, f"address add {address} dev {interface}{nodad}")

    def set_address(self, host, interface, address):
        """Replaces all addresses of one family by @address; routes through a gateway stay."""
        family = "-6" if ":" in address else "-4"
        kept = self.ip(host, f"{family} route show dev {interface}").splitlines()
        self.ip(host, f"{family} address flush dev {interface} scope global")
        self.address(host, interface, address)
        for route in kept:
            if " via " in f" {route}":
                words = re.sub(r" (proto|src|metric|pref) \S+", "", route)
                self.ip(host, f"{family} route replace {words} dev {interface}")

    def route(self, host, prefix, gateway):
        """Adds a route."""
        self.ip(host, f"{'-6' if ':' in gateway else '-4'} route add {prefix} via {gateway}")

    def gateway(self, host, address):
        """The default route."""
        self.route(host, "default", address)

    def up(self, host, interface):
        """Plugs the cable in."""
        self.ip(host, f"link set dev {interface} up")

    def down(self, host, interface):
        """Pulls the cable."""
        self.ip(host, f"link set dev {interface} down")

    def forwarding(self, host):
        """Makes @host a router."""
        self.sysctl(host, "net.ipv4.ip_forward", 1)
        self.sysctl(host, "net.ipv6.conf.all.forwarding", 1)

    def nat(self, router, kind, wan, lan, wan_address="", timeouts=None):
        """Makes @router a NAT of @kind, one of nat.KINDS, between interfaces @lan and @wan.

        @wan_address is wanted by those that keep a port open for strangers; @timeouts is (fresh,
        stream) in seconds, after which conntrack forgets a UDP flow.
        """
        self.forwarding(router)
        rules = nat.rules(kind, wan, lan, wan_address)
        self.run(router, ["nft", "-f", "-"], input=rules)
        if timeouts:
            fresh, stream = timeouts
            self.sysctl(router, "net.netfilter.nf_conntrack_udp_timeout", fresh)
            self.sysctl(router, "net.netfilter.nf_conntrack_udp_timeout_stream", stream)

    def capture(self, host, interface, expression=""):
        """Starts a Capture; returns once it listens."""
        return Capture(self, host, interface, expression)

    def ping(self, host, address, seconds=5):
        """True if @address answers @host within @seconds."""
        argv = [sys.executable, os.path.join(HERE, "ping.py"), address, str(seconds)]
        return self.run(host, argv, check=False).returncode == 0

    def sysctl(self, host, knob, value):
        """Sets a kernel knob of @host."""
        path = "/proc/sys/" + knob.replace(".", "/")
        self.run(host, ["sh", "-c", f"echo {value} > {path}"])

    def ip(self, host, words):
        """ip, inside @host; returns what it printed."""
        return self.command(["ip", "-n", self.name(host), *words.split()]).stdout

    def command(self, argv, **options):
        """Runs @argv to its end; LabError when it fails."""
        options.setdefault("timeout", 60)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
        if done.returncode != 0:
            raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
        return done

    def wrap(self, host, argv):
        """The command that runs @argv inside @host: ip becomes it, so the pid stays."""
        return ["ip", "netns", "exec", self.name(host), *argv]

    def run(self, host, argv, check=True, **options):
        """Runs @argv inside @host to its end; with @check false the caller looks at its exit."""
        if check:
            return self.command(self.wrap(host, argv), **options)
        options.setdefault("timeout", 60)
        return subprocess.run(self.wrap(host, argv), capture_output=True, text=True, check=False,
                              **options)

    def popen(self, host, argv, **options):
        """Starts @argv inside @host; it is ended with the lab at the latest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.wrap(host, argv), preexec_fn=die_with_parent, **options)
        self.processes.append(process)
        return process

    def end_processes(self):
        """Ends what popen() started, and what that left behind in these namespaces."""
        running = [p for p in self.processes if p.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + 3
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for process in self.processes:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        self.processes.clear()
        for host in self.hosts:
            for pid in pids(self.name(host)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def pids(namespace):
    """Who runs inside @namespace."""
    done = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True,
                          check=False)
    return [int(word) for word in done.stdout.split()]


def namespaces():
    """All that ip netns knows of."""
    return os.listdir(NETNS_FOLDER) if os.path.isdir(NETNS_FOLDER) else []


def sweep():
    """Deletes what labs left whose process was killed before it could."""
    for name in namespaces():
        match = re.fullmatch(r"om(\d+)-\d+-.*", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    for name in os.listdir(tempfile.gettempdir()):
        match = re.fullmatch(r"omlab-(\d+)-.*", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)


def terminated(number, _frame):
    """SIGTERM ends the test like an exception, so that labs are taken down."""
    raise SystemExit(128 + number)
