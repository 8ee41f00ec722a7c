"""Under an SSH session and an scp between two homes a relay dies, addresses change, a NAT forgets.

ann runs OpenSSH's server and exposes it, ben logs in by `omerta ssh`, and scp goes through
`omerta nc`. The longest silence of the session is printed; a line goes to and fro
each 100 ms. The copy is as quick as the wire lets it, and so are the relays' lanes, as a way that
was direct may be one for minutes.
"""

import os
import select
import subprocess
import threading
import time

import pytest

import servers
from commands import environment_of
from daemon import die_with_parent, program, wait_until
from homes import home, met, outside, path, ping, public, start
from test_roaming import hash_of
from tunnel_pair import expose, named

SECONDS = 60
LEFT, RIGHT = 1, 2
RELAYS = {"r9": 9, "r10": 10}
TICK = 0.1
MB = 1000 * 1000
SIZE = 20 * MB   # of the copy
WIRE = "20mbit"  # of ben's: the copy lasts 8 s
RATE = 4 * MB    # bytes a second of a lane


class Session:
    """`omerta ssh ann cat`: a line each TICK, and when it came back."""

    def __init__(self, daemon, sshd):
        argv = [program("omerta"), "ssh", "-p", str(sshd.port), f"{sshd.user}@ann",
                "-o", "ServerAliveInterval=0", "cat"]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment_of(daemon.home),
                                        preexec_fn=die_with_parent)
        self.sent, self.came, self.left = 0, [], b""
        self.is_ending = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """Until close(), or the end of ssh."""
        pipe = self.process.stdout.fileno()
        due = time.monotonic()
        while not self.is_ending:
            now = time.monotonic()
            if now >= due:
                self.process.stdin.write(b"%d\n" % self.sent)
                self.process.stdin.flush()
                self.sent += 1
                due = now + TICK
            if select.select([pipe], [], [], max(due - now, 0))[0]:
                piece = os.read(pipe, 1 << 16)
                if not piece:
                    return
                *lines, self.left = (self.left + piece).split(b"\n")
                self.came += [(int(line), time.monotonic()) for line in lines]

    def gap(self, since):
        """The longest time without a line after @since, and when it ended."""
        times = [at for _, at in self.came if at >= since - TICK]
        return max(b - a for a, b in zip(times, times[1:]))

    def goes_on(self):
        """True once a line that is sent now has come back."""
        number = self.sent
        return wait_until(lambda: self.came and self.came[-1][0] > number, SECONDS)

    def close(self):
        """Ends it: what came was all of it, in order, and ssh ended well."""
        self.is_ending = True
        self.thread.join()
        rest, _ = self.process.communicate(timeout=SECONDS)
        numbers = [number for number, _ in self.came]
        numbers += [int(line) for line in (self.left + rest).split()]
        assert numbers == list(range(self.sent)), (self.sent, len(numbers))
        assert self.process.returncode == 0


class Copy:
    """scp of a file of @size random bytes to ann, which is under way."""

    def __init__(self, daemon, sshd, folder, size):
        self.here, self.there = os.path.join(folder, "here"), os.path.join(folder, "there")
        with open(self.here, "wb") as file:
            file.write(os.urandom(size))
        proxy = f"ProxyCommand={program('omerta')} --home {daemon.home} nc ann %p"
        argv = ["scp", "-q", "-P", str(sshd.port), "-o", proxy,
                "-i", os.path.join(daemon.home, "ssh", "id_ed25519"),
                "-o", f"UserKnownHostsFile={folder}/known", "-o", "StrictHostKeyChecking=no",
                self.here, f"{sshd.user}@ann:{self.there}"]
        self.size = size
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=environment_of(daemon.home),
                                        preexec_fn=die_with_parent)
        assert wait_until(lambda: self.process.poll() is not None or self.done() > size // 20,
                          SECONDS) and self.is_under_way(), (self.done(), self.process.stderr)

    def done(self):
        """Bytes that are there."""
        return os.path.getsize(self.there) if os.path.exists(self.there) else 0

    def is_under_way(self):
        """True before its end."""
        return self.process.poll() is None and self.done() < self.size

    def finish(self):
        """Waits for its end; all of it is there."""
        _, said = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, said
        assert hash_of(self.there) == hash_of(self.here)


class Mesh:
    """Two homes of one kind, two relays, and OpenSSH's server at ann's."""

    def __init__(self, lab, make, folder, kind):
        self.lab = lab
        home(lab, "left", kind, LEFT)
        home(lab, "right", kind, RIGHT)
        lab.command(["tc", "-n", lab.name("right"), "qdisc", "add", "dev", "eth0", "root", "tbf",
                     "rate", WIRE, "burst", "256kb", "latency", "50ms"])
        for name, number in RELAYS.items():
            public(lab, name, number)
        self.relays, known = {}, []
        for name, number in RELAYS.items():
            relay = start(lab, make, name, ["--relay", "--relay-rate-bytes", str(RATE), "--name",
                                            name, *known])
            self.relays[name] = relay
            known += relay.bootstrap(outside(number))
        self.ann = start(lab, make, "left", [*known, "--name", "ann"])
        self.ben = start(lab, make, "right", [*known, "--name", "ben"])
        everybody = (self.ann, self.ben, *self.relays.values())
        assert met(*everybody, seconds=SECONDS)
        assert wait_until(lambda: named(self.ben, "ann") and named(self.ann, "ben"), SECONDS)
        assert wait_until(lambda: ping(lab, self.ben, self.ann).returncode == 0, SECONDS)
        os.makedirs(os.path.join(self.ben.home, "ssh"), exist_ok=True)
        self.sshd = servers.Sshd(os.path.join(folder, "sshd"), self.ben.home)
        os.chmod(folder, 0o777)
        lab.popen("left", self.sshd.argv(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ask = ["sh", "-c", f"ssh-keyscan -p {self.sshd.port} 127.0.0.1 2>&1 | grep ed25519"]
        assert wait_until(lambda: lab.run("left", ask, check=False).returncode == 0, SECONDS)
        expose(self.ann, str(self.sshd.port), "--to", "ben")

    def way(self):
        """How ben sends to ann."""
        return path(self.ben, self.ann)

    def is_direct(self):
        """True while neither sends over a relay."""
        ways = self.way(), path(self.ann, self.ben)
        return all(way and not way.startswith("relay ") for way in ways)

    def under_traffic(self, folder, size, deed, seconds):
        """Does deed() under a session and a copy, neither of which may be silent for @seconds."""
        session = Session(self.ben, self.sshd)
        assert wait_until(lambda: len(session.came) > 10 or session.process.poll() is not None,
                          SECONDS) and len(session.came) > 10, session.process.stderr.read()
        copy = Copy(self.ben, self.sshd, folder, size)
        calm, began = session.gap(0), time.monotonic()
        deed()
        assert copy.is_under_way()
        assert session.goes_on(), self.ben.log()
        gap = session.gap(began)
        copy.finish()
        gap_of_all = session.gap(0)
        session.close()
        print(f"longest silence {1000 * gap:.0f} ms, of all {1000 * gap_of_all:.0f}, "
              f"before it {1000 * calm:.0f}; now {self.way()}")
        assert gap < seconds, gap


def test_the_relay_dies(lab, make, folder, capsys):
    mesh = Mesh(lab, make, folder, "sym")
    killed = []

    def deed():
        killed.append(mesh.way().removeprefix("relay "))  # a busy machine may have it swap them
        assert mesh.relays[killed[0]].kill() == -9

    with capsys.disabled():
        mesh.under_traffic(folder, SIZE, deed, 5)
    other, = set(mesh.relays) - set(killed)
    assert mesh.way() == f"relay {other}"


def new_address_at_home(mesh):
    """As a DHCP server gives it."""
    mesh.lab.set_address("left", "eth0", "192.168.1.77/24")


def new_address_of_the_router(mesh):
    """Everybody sees ann at another place."""
    mesh.lab.set_address("left-r", "wan", "11.0.1.33/24")


def the_router_forgets(mesh):
    """What masquerades forgets all its flows when its address goes, if only for a moment."""
    mesh.lab.set_address("left-r", "wan", f"{outside(LEFT)}/24")


@pytest.mark.parametrize("deed", [new_address_at_home, new_address_of_the_router,
                                  the_router_forgets])
def test_the_way_changes(lab, make, folder, capsys, deed):
    mesh = Mesh(lab, make, folder, "port")
    assert wait_until(mesh.is_direct, SECONDS), mesh.ben.log()
    with capsys.disabled():
        print(f"\n{deed.__name__} ({mesh.way()}): ", end="")
        mesh.under_traffic(folder, SIZE, lambda: deed(mesh), 5)
    if deed is the_router_forgets:
        assert wait_until(mesh.is_direct, SECONDS), mesh.ben.log()
