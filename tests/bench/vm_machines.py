"""vm_machines.py - a machine asked of a provider, and the same one started by hand

What:  Ours is requested by the command line of a consumer from a provider, two daemons over the
       loopback. Bare is QEMU with the command line, the seed and the kernel that ours was started
       with, a disk made by the same qemu-img, its niceness, and QEMU's own network of user mode
       (slirp) in place of the card's socket. Its disk and seed are there before the clock starts.
Why:   what differs between the two is what the product costs.
"""

import glob
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

from daemon import Daemon, program  # noqa: E402
from omerta_lab import die_with_parent, wait_until  # noqa: E402

BOOT_SECONDS, END_SECONDS, SESSION_SECONDS = 240, 60, 20
MEMORY, DISK, CPUS = 192, 256, 1
SMALL = ["--memory", f"{MEMORY}M", "--disk", f"{DISK}M", "--cpu", str(CPUS), "--ttl", "20m"]
ROOM = {"vms": 2, "cpus": 2, "memory": "1G", "disk": "2G"}
SSH_PORT, NICE = 22, 5
GREETING = b"SSH-"
NET_LINE = re.compile(rb"net: [0-9.]+/[0-9]+ on eth0 after ([0-9.]+) s")
UP_LINE = re.compile(rb"boot: up after ([0-9.]+) s")


def image(cache):
    """The folder of the image "mini", made if need be; SystemExit with a sentence."""
    build = os.path.join(HERE, "..", "..", "vm", "image", "build.sh")
    folder = os.path.join(os.path.abspath(cache), "service")
    done = subprocess.run([build, "--cache", folder, "--out", os.path.join(folder, "mini")],
                          capture_output=True, text=True, check=False, timeout=500)
    if done.returncode:
        sys.exit(f"vm.py: the image cannot be made: {done.stderr.strip()}")
    return os.path.join(folder, "mini")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def words_of(pid):
    """The command line of a process."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return [w.decode() for w in file.read().split(b"\0")[:-1]]


def as_ours_is():
    """The product's QEMU has a session of its own and gives way to other work: on a busy machine
    the scheduler looks at both, so this one must, too."""
    os.setsid()
    os.nice(NICE)
    die_with_parent()


class Pair:
    """A provider and a consumer, and what the consumer asks for."""

    def __init__(self, folder, image_folder):
        alone = ["--no-lan", "--no-portmap"]
        self.provider = Daemon(os.path.join(folder, "p"), alone).start()
        self.consumer = Daemon(os.path.join(folder, "c"), alone + self.provider.bootstrap()).start()
        self.peer = self.provider.self_id()

        def met():
            return any(p["id"] == self.peer and p["connected"]
                       for p in self.consumer.rpc("peers.list")["peers"])

        if not wait_until(met, SESSION_SECONDS):
            raise RuntimeError("the two daemons did not meet")
        os.symlink(image_folder, os.path.join(self.provider.home, "images", "mini"))
        self.provider.rpc("provide.set", on=True, to=[self.consumer.self_id()], **ROOM)
        # What the provider can do is found out once; that is no part of a request.
        if not wait_until(lambda: self.provider.rpc("provide.show")["engine"] in ("kvm", "tcg"),
                          END_SECONDS):
            raise RuntimeError("the provider does not know what it runs guests with")

    def popen(self, *argv, **options):
        """The consumer's command line, started."""
        return subprocess.Popen([program("omerta"), *argv], preexec_fn=die_with_parent,
                                env=dict(os.environ, OMERTA_HOME=self.consumer.home), **options)

    def request(self, more=()):
        """Asks for a machine and waits for its greeting; Ours."""
        return Ours(self, more)

    def close(self):
        """Both daemons end, and nothing may be left of a machine."""
        codes = [self.consumer.stop(), self.provider.stop()]
        left = os.listdir(os.path.join(self.provider.home, "vms"))
        if codes != [0, 0] or left:
            raise RuntimeError(f"the daemons ended with {codes} and left {left}")


class Ours:
    """A machine through two daemons, from the request to the first byte of its SSH server."""

    def __init__(self, pair, more):
        self.pair = pair
        self.marks = {}
        with pair.consumer.events() as events:
            start = time.monotonic()
            cli = pair.popen("vm", "request", "--provider", pair.peer, *SMALL, *more, "--wait",
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            while "running" not in self.marks:
                event = events.event(lambda e: e["method"] == "vm", BOOT_SECONDS)["params"]
                state = event.get("state")
                self.marks.setdefault(state, time.monotonic() - start)
                if state == "gone":
                    raise RuntimeError(f"the machine ended: {event}")
            self.vm, self.address = event["vm"], event["address"]
            self.engine = event["engine"]
            if cli.wait(BOOT_SECONDS):
                raise RuntimeError(f"vm request ended with {cli.returncode}")
            self.marks["request returns"] = time.monotonic() - start
            self.greet(start)
        self.seconds = self.marks["greeting"]
        rows = self.pair.provider.rpc("vm.list")["provided"]
        self.pid = next(r["pid"] for r in rows if r["vm"] == self.vm)
        self.cpu = cpu_seconds(self.pid)
        self.folder = os.path.join(pair.provider.home, "vms", self.vm)
        text = pair.consumer.rpc("vm.console", vm=self.vm)["text"].encode()
        self.inside = {"net": guest_seconds(NET_LINE, text), "boot": guest_seconds(UP_LINE, text)}

    def greet(self, start):
        """Until the machine's greeting is at our end of "omerta nc"."""
        nc = self.pair.popen("nc", self.vm, str(SSH_PORT), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        said = os.read(nc.stdout.fileno(), len(GREETING))
        self.marks["greeting"] = time.monotonic() - start
        nc.stdin.close()
        nc.stdout.close()
        nc.terminate()
        nc.wait()
        if said != GREETING:
            raise RuntimeError(f"{self.vm} greets with {said!r}")

    def model(self, folder):
        """What Bare needs to be like this one, kept in @folder."""
        shutil.copy(os.path.join(self.folder, "seed.iso"), folder)
        return {"words": words_of(self.pid), "from": self.folder,
                "seed": os.path.join(folder, "seed.iso")}

    def ssh(self, *command):
        """The command line that runs @command inside."""
        return [program("omerta"), "--home", self.pair.consumer.home, "vm", "ssh", self.vm,
                *command]

    def outside(self):
        """The consumer, as the guest sees it."""
        return self.address.rpartition(".")[0] + ".1"

    def end(self):
        """Given back; until nothing of it is left."""
        self.pair.consumer.rpc("vm.release", vm=self.vm)
        if not wait_until(lambda: not os.path.exists(self.folder), END_SECONDS):
            raise RuntimeError(f"{self.vm} is not wiped")


class Bare:
    """The same machine, started by hand, with slirp for its card."""

    def __init__(self, model, folder, name):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        shutil.copy(model["seed"], self.folder)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", f"{DISK}M"],
                       cwd=self.folder, check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = [w.replace(model["from"], self.folder) for w in model["words"]]
        at = words.index("-netdev") + 1
        words[at] = f"user,id=nic,hostfwd=tcp:127.0.0.1:{self.port}-:{SSH_PORT}"
        self.key = None
        start = time.monotonic()
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, preexec_fn=as_ours_is)
        self.pid = self.process.pid
        console = self.until_net(start)
        while not self.greets():
            if self.process.poll() is not None or time.monotonic() > start + BOOT_SECONDS:
                raise RuntimeError("bare QEMU does not greet")
        self.seconds = time.monotonic() - start
        self.cpu = cpu_seconds(self.pid)
        self.inside = {"net": guest_seconds(NET_LINE, console),
                       "boot": guest_seconds(UP_LINE, console)}

    def until_net(self, start):
        """Reads the console, as ours does, until the card is up: who tries before that keeps slirp
        busy, and its next attempt would be late."""
        path, text = os.path.join(self.folder, "console.sock"), b""
        with socket.socket(socket.AF_UNIX) as console:
            while True:
                try:
                    console.connect(path)
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > start + END_SECONDS:
                        raise
                    time.sleep(0.005)
            console.settimeout(BOOT_SECONDS)
            while not NET_LINE.search(text):
                piece = console.recv(4096)
                if not piece:
                    raise RuntimeError(f"bare QEMU ended: {text[-200:]!r}")
                text += piece
        return text

    def greets(self):
        """One attempt: slirp hangs up when the guest refuses."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.settimeout(5)
            try:
                if s.recv(len(GREETING)) == GREETING:
                    return True
            except OSError:
                pass
        time.sleep(0.002)
        return False

    def ssh(self, *command):
        """The command line that runs @command inside."""
        return ["ssh", "-F", "none", "-i", self.key, "-p", str(self.port), "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "root@127.0.0.1", *command]

    @staticmethod
    def outside():
        """This machine's loopback, as slirp shows it to the guest."""
        return "10.0.2.2"

    def end(self):
        """It is gone."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def guest_seconds(line, text):
    """What the guest's own clock said in @line, or None."""
    found = line.search(text)
    return float(found.group(1)) if found else None
