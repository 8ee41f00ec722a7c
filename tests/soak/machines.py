"""machines.py - three virtual machines of the provider for the consumer, in use all the time.

What:   a thread for each machine: asks for it, sends bytes into it by `omerta vm ssh`, at a pace,
        and compares the SHA-256 that it answers; at times gives the machine back for a new one.
        After each fault each of them, or the one in its place, is in use again within a given time.
Why:    a machine outlives the daemons at both of its ends, and so do its ways in.
"""

import contextlib
import hashlib
import os
import platform
import random
import shutil
import subprocess
import threading
import time

from commands import environment_of
from daemon import RpcError, die_with_parent, program, wait_until
from vmlab import BOOT_SECONDS, END_SECONDS, built, give_image, qemus

ENDS = ("provider", "consumer")
ROOM = {"cpus": 3, "memory": "1G", "disk": "1G"}
MEMORY = "128M"
SIZE = (1 << 16, 1 << 19)  # bytes that are sent into it at once
SECONDS = (3, 15)          # and how long that takes
GIVEN_BACK_ONE_IN = 15     # after so many transfers on average
AGAIN_SECONDS = 0.5
LOOK_SECONDS = 1           # between looks at who is not in use again
REFUSED, CUT = "omerta: port 22 of ", ": cut after "  # a connection that was not made; that broke
TICKS = 20
TOOLS = ("qemu-system-x86_64", "qemu-img", "apt-get", "dpkg-deb", "lz4", "flock", "ssh")


def missing():
    """Why no machine can be had here, or None."""
    if platform.machine() != "x86_64":
        return "the images are for x86_64"
    return next((f"{tool} is missing" for tool in TOOLS if not shutil.which(tool)), None)


class Transfer:
    """Bytes that go into a machine, and their hash that comes back."""

    def __init__(self, home, name, data):
        self.name, self.data = name, data
        self.is_doomed, self.ready_at, self.over_at, self.late = False, None, None, None
        self.process = subprocess.Popen([program("omerta"), "vm", "ssh", name, "sha256sum"],
                                        env=environment_of(home), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=die_with_parent)

    def run(self, seconds, bounds):
        """All of it; what is wrong with it, or None. It is given up after @bounds: (stuck, end)."""
        stuck, end = bounds
        watch = threading.Thread(target=self.watch, args=(seconds + stuck, end), daemon=True)
        watch.start()
        step = len(self.data) // TICKS
        with contextlib.suppress(OSError):
            for at in range(0, len(self.data), step):
                self.process.stdin.write(self.data[at:at + step])
                self.process.stdin.flush()
                time.sleep(seconds / TICKS)
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        out, err = self.process.stdout.read(), self.process.stderr.read()
        code = self.process.wait()
        self.over_at = time.monotonic()
        watch.join()
        self.process.stdout.close()
        self.process.stderr.close()
        if code == 0:
            good = out.split()[:1] == [hashlib.sha256(self.data).hexdigest().encode()]
            return None if good else f"it answered {out!r} to {len(self.data)} bytes"
        return f"ssh ended with {code}: {err.decode(errors='replace').strip()[-200:]}"

    def watch(self, seconds, end_seconds):
        """Kills what does not end in time; one that is doomed has less."""
        end = time.monotonic() + seconds

        def is_late():
            now = time.monotonic()
            return now > end or (self.ready_at and now > self.ready_at + end_seconds)

        wait_until(lambda: self.process.poll() is not None or is_late(), seconds + 1)
        if self.process.poll() is None:
            self.late = f"{time.monotonic() - (self.ready_at or end):.1f} s too long"
            self.process.kill()


class Machines:
    """@count machines; none: nothing is done."""

    def __init__(self, net, seed, count, bounds, again, is_planted=False):
        self.net, self.seed, self.count, self.bounds = net, seed, count, bounds
        self.again, self.is_planted = again, is_planted
        self.names = [f"lab{i + 1}" for i in range(count)]
        self.faults, self.idle = [], set()         # (when it was over, words); who was found
        self.whole_from = dict.fromkeys(self.names, 0.0)  # when the last whole transfer began
        self.findings, self.late = [], []
        self.hashed = self.bytes = self.ended = self.boots = self.refused = 0
        self.current, self.dooming, self.last_refusal = {}, set(), "none"
        self.stopping = threading.Event()
        self.threads = []

    def start(self):
        """The image, the offer, and all machines; returns when they run."""
        if self.count == 0:
            return
        image = built("mini")
        provider, consumer = (self.net.daemons[name] for name in ENDS)
        give_image(provider, image)
        provider.rpc("provide.set", on=True, to=[consumer.self_id()], vms=self.count, **ROOM)
        for i in range(self.count):
            self.threads.append(threading.Thread(target=self.keep, args=(i,), daemon=True))
            self.threads[-1].start()
        self.threads.append(threading.Thread(target=self.watch, daemon=True))
        self.threads[-1].start()
        if not wait_until(lambda: self.hashed >= self.count or self.findings, 2 * BOOT_SECONDS):
            raise RuntimeError(f"the machines are not in use after {2 * BOOT_SECONDS} s; "
                               f"the last refusal: {self.last_refusal}")

    def hurt(self, what, at):
        """The fault @what was over at @at: from now on each machine has to be in use again."""
        if self.is_planted and not self.faults:  # the first is given back, and nobody gets another
            self.net.daemons["provider"].rpc("provide.set", on=False)
        self.faults.append((at, what))

    def owed(self, name):
        """The first fault, as (when, words), after which no transfer of @name began that was whole;
        None where there is none, and once it was found."""
        since = self.whole_from[name]
        return next((one for one in list(self.faults) if one[0] > since and name not in self.idle),
                    None)

    def look(self, now):
        """Who is not in use again in time at @now is found, once until it is."""
        for name in self.names:
            first = self.owed(name)
            if first and now - first[0] > self.again:
                self.idle.add(name)
                self.findings.append({
                    "planted": "machine" if self.is_planted else None,
                    "what": f"{self.again:g} s after {first[1]} no whole transfer went into "
                            f"{name}; the last refusal: {self.last_refusal}"})

    def watch(self):
        """A thread."""
        while not self.stopping.wait(LOOK_SECONDS):
            self.look(time.monotonic())

    def settle(self):
        """Waits until all are in use after the last fault, or found."""
        wait_until(lambda: not any(self.owed(name) for name in self.names),
                   self.again + 2 * LOOK_SECONDS)
        self.look(time.monotonic())

    def stop(self):
        """No transfer begins any more; waits for those that go on."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(SECONDS[1] + 2 * self.bounds[0])

    def give_back(self):
        """All of them; what is left of them is a finding."""
        if self.count == 0:
            return
        provider, consumer = (self.net.daemons[name] for name in ENDS)
        done = subprocess.run([program("omerta"), "vm", "release", "--all"], check=False,
                              env=environment_of(consumer.home), capture_output=True, text=True,
                              timeout=BOOT_SECONDS, stdin=subprocess.DEVNULL)
        if done.returncode:
            self.findings.append({"what": f"vm release --all: {done.stderr.strip()}"})
        folder = os.path.join(provider.home, "vms")
        if not wait_until(lambda: not qemus(provider) and not os.listdir(folder), END_SECONDS):
            self.findings.append({"what": f"left of machines: processes {qemus(provider)}, "
                                          f"folders {os.listdir(folder)}"})

    def end(self):
        """Nothing of them is left, however it went."""
        self.stopping.set()
        for transfer in list(self.current.values()):
            transfer.process.kill()
        for pid in qemus(self.net.daemons["provider"]) if self.count else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)

    @contextlib.contextmanager
    def dooms(self, name):
        """The daemon @name is ended meanwhile."""
        if name in ENDS:
            self.dooming.add(name)
        try:
            self.doom(name)
            yield
            self.doom(name)
        finally:
            self.dooming.discard(name)

    def doom(self, name):
        """Those transfers may break."""
        for transfer in list(self.current.values()) if name in ENDS else []:
            transfer.is_doomed = True

    def ready(self, name, at):
        """A new daemon @name was there at @at."""
        for transfer in list(self.current.values()) if name in ENDS else []:
            if transfer.is_doomed and transfer.ready_at is None:
                transfer.ready_at = at

    def rows(self):
        """The consumer's machines by name; None while its daemon is away."""
        try:
            vms = self.net.daemons["consumer"].rpc("vm.list")["vms"]
        except (OSError, RpcError):
            return None
        return {vm["name"]: vm for vm in vms}

    def keep(self, number):
        """One machine: there, and in use."""
        name, dice = self.names[number], random.Random(f"{self.seed} machine {number}")
        has_it = False
        while not self.stopping.is_set():
            rows = self.rows()
            if rows is not None and name not in rows:
                if has_it:
                    self.findings.append({"what": f"the machine {name} is gone"})
                has_it = self.ask(name)
            elif rows and rows[name]["state"] == "running":
                has_it = True
                self.use(name, dice)
                is_planted = self.is_planted and self.faults and number == 0
                if (is_planted or dice.randrange(GIVEN_BACK_ONE_IN) == 0) \
                        and not self.stopping.is_set():
                    has_it = not self.release(name)
                continue
            self.stopping.wait(AGAIN_SECONDS)

    def ask(self, name):
        """Requests it; true if that was taken."""
        consumer, provider = self.net.daemons["consumer"], self.net.daemons["provider"]
        try:
            consumer.rpc("vm.request", peer=provider.self_id(), name=name, memory=MEMORY,
                         disk="128M", ttl="2h")
        except (OSError, RpcError) as error:
            self.refused, self.last_refusal = self.refused + 1, str(error)
            return False
        self.boots += 1
        return True

    def release(self, name):
        """Gives it back; true once the consumer has no machine of that name."""
        with contextlib.suppress(OSError, RpcError):
            self.net.daemons["consumer"].rpc("vm.release", vm=name)
            return wait_until(lambda: (rows := self.rows()) is not None and name not in rows,
                              END_SECONDS)
        return False

    def use(self, name, dice):
        """One transfer, judged."""
        data = dice.randbytes(dice.randrange(*SIZE))
        transfer = Transfer(self.net.daemons["consumer"].home, name, data)
        transfer.is_doomed = bool(self.dooming)
        self.current[name], began = transfer, time.monotonic()
        wrong = transfer.run(dice.uniform(*SECONDS), self.bounds)
        del self.current[name]
        if wrong is None:
            self.hashed += 1
            self.bytes += len(data)
            self.whole_from[name] = began
            self.idle.discard(name)
        elif not transfer.late and REFUSED in wrong and CUT not in wrong:
            self.refused, self.last_refusal = self.refused + 1, wrong
        elif transfer.late or wrong.startswith("it answered") or not transfer.is_doomed:
            self.findings.append({"what": f"ssh into {name}: {transfer.late or wrong}"})
        else:
            self.ended += 1
            if transfer.ready_at:
                self.late.append(max(transfer.over_at - transfer.ready_at, 0.0))
