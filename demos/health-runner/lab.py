"""lab.py - two hosts, a NAT, a relay and a bad cable, and omerta-health between the hosts.

What:   ann lives behind a router that translates; ben is public, behind a cable that phase 10 makes
        slow or lossy; both know a public relay. omerta-health runs on ann's host.
Why:    the whole of a health run on one machine; a real pair needs none of this.
Needs:  root, or a namespace of its own as tests/lab/run.sh makes one.

usage: lab.py [OPTION of omerta-health...]         OMERTA_BIN is the folder of the programs
       lab.py --profile SOCKET DELAY JITTER LOSS   what omerta-health runs as its --wire
"""

import os
import signal
import socket
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..", "tests")
sys.path[:0] = [os.path.join(TESTS, "lab"), os.path.join(TESTS, "system")]

import omerta_lab  # noqa: E402
from daemon import Daemon, program, wait_until  # noqa: E402

PORT = 18002
QUIET = ["--no-lan", "--no-portmap"]
ANN, BEN, RELAY = 1, 2, 9
ELSEWHERE = "11.0.2.77/24"  # where ben moves
PROGRAMS = ("omerta-meshd", "omerta-health", "omerta-lab-wire")
MEET_SECONDS = 60
ANSWER_SECONDS = 30


def outside(number):
    """Where the core sees who lives at @number."""
    return f"11.0.{number}.2"


class Apart(omerta_lab.Lab):
    """A lab whose programs do not hear Ctrl-C: first what was changed is taken back."""

    def popen(self, host, argv, **options):
        """As Lab's, in a process group of its own."""
        return super().popen(host, argv, process_group=0, **options)


class Cable:
    """The wire before ben: it is taken away, and another one put, as lines on a socket say."""

    def __init__(self, lab, folder):
        self.lab = lab
        self.wire = lab.wire("core", f"net{BEN}", "ben", "eth0")
        self.middle = lab.hosts[-1]
        self.path = os.path.join(folder, "cable")
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """One line a connection: what comes from ben is so late, so uneven, so often lost."""
        while True:
            caller, _ = self.server.accept()
            with caller, caller.makefile("rw") as line:
                words = line.readline().split()
                if len(words) == 3:
                    self.play(*words)
                    line.write("ok\n")

    def play(self, delay, jitter, loss):
        """Puts the other cable."""
        self.wire.stop(is_exact=False)
        self.wire = omerta_lab.Wire(self.lab, self.middle, [
            "--delay", f"0,{delay}", "--jitter", f"0,{jitter}", "--loss", f"0,{loss}", "--reorder"])

    def program(self, folder):
        """What tells us, as omerta-health runs it."""
        path = os.path.join(folder, "wire")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec '{sys.executable}' '{os.path.abspath(__file__)}' "
                       f"--profile '{self.path}' \"$@\"\n")
        os.chmod(path, 0o755)
        return path


def ask(path, words):
    """Tells a Cable at @path; 0 once it is so."""
    with socket.socket(socket.AF_UNIX) as to:
        to.settimeout(ANSWER_SECONDS)
        to.connect(path)
        to.sendall(" ".join(words).encode() + b"\n")
        return 0 if to.recv(16) == b"ok\n" else 1


class Pair:
    """ann, ben, the relay and the cable, in @lab; homes in @folder, whose path is short."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        lab.host("core", "router", "ann", "ben", "relay")
        lab.forwarding("core")
        for host, number in (("router", ANN), ("relay", RELAY)):
            interface = "wan" if host == "router" else "eth0"
            lab.link(host, interface, "core", f"net{number}")
            self.join_core(host, interface, number)
        self.cable = Cable(lab, folder)
        self.join_core("ben", "eth0", BEN)
        lab.link("ann", "eth0", "router", "lan")
        lab.address("router", "lan", "192.168.1.1/24")
        lab.address("ann", "eth0", "192.168.1.2/24")
        lab.gateway("ann", "192.168.1.1")
        lab.nat("router", "port", "wan", "lan", wan_address=outside(ANN))
        relay = self.daemon("relay", ["--relay"])
        known = relay.bootstrap(outside(RELAY))
        self.daemons = [relay, self.daemon("ann", known), self.daemon("ben", known)]
        _, self.ann, self.ben = self.daemons

    def join_core(self, host, interface, number):
        """Addresses on both ends of a cable to the core."""
        self.lab.address(host, interface, f"{outside(number)}/24")
        self.lab.address("core", f"net{number}", f"11.0.{number}.1/24")
        self.lab.gateway(host, f"11.0.{number}.1")

    def daemon(self, host, args):
        """A daemon on @host, ready."""
        home = os.path.join(self.folder, host)
        return Daemon(home, [*QUIET, "--name", host, *args], lab=self.lab, host=host,
                      port=PORT).start()

    def met(self):
        """True once ann and ben know each other by name."""
        def knows(one, other):
            return any(p["name"] == other for p in one.rpc("peers.list")["peers"])

        return wait_until(lambda: knows(self.ann, "ben") and knows(self.ben, "ann"), MEET_SECONDS)

    def argv(self, *options):
        """omerta-health of ann about ben."""
        return [program("omerta-health"), "--home", self.ann.home, "--peer", "ben", "--netns",
                self.lab.name("ben"), "--peer-home", self.ben.home,
                "--wire", self.cable.program(self.folder), "--raw", outside(BEN),
                "--swap", ELSEWHERE, *options]

    def end(self):
        """Ends the daemons."""
        for daemon in self.daemons:
            daemon.end()


def main(options):
    """The whole of it; exit as omerta-health."""
    reason = omerta_lab.missing()
    for name in PROGRAMS:
        if not os.access(program(name), os.X_OK):
            reason = f"{program(name)} is not built"
    if reason:
        print(f"skipped: {reason}")
        return 77
    with tempfile.TemporaryDirectory(prefix="om-") as folder, Apart() as lab:
        pair = Pair(lab, folder)
        try:
            if not pair.met():
                print("ann and ben do not meet", file=sys.stderr)
                return 1
            process = lab.popen("ann", pair.argv(*options))
            try:
                return process.wait()
            except BaseException:
                # It takes back what it changed, and says what it has, before anything else goes.
                process.send_signal(signal.SIGINT)
                process.wait()
                raise
        finally:
            pair.end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--profile"]:
        sys.exit(ask(sys.argv[2], sys.argv[3:]))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
