"""faults.py - what goes wrong while streams are open, chosen by a seed, one thing at a time.

Each fault does its deed, undoes it, and is over when all streams that are to live have moved since,
and, where a daemon was ended, one of its own has opened again. How long that took is noted.
"""

import random
import time

import nat
from daemon import wait_until
from homes import outside
from net import HOMES, RELAYS

RECOVER_SECONDS = 60
SLOW_SECONDS = 5            # after so long it is said who was waited for
AWAY_SECONDS = (0, 8)       # a daemon that was ended is away for so long
CUT_SECONDS = (1, 12)       # and so a line that was cut
REST_SECONDS = (2, 6)       # from one fault to the next
NUMBERS = {**{name: number for name, (_, number) in HOMES.items()}, **RELAYS}
# Whom to end in the first half, and whom in the second: who lives through a half is measured.
MORTALS = (("consumer", "relay1"), ("provider", "third", "relay2"))
WEIGHTS = {"kill": 4, "relay restart": 2, "NAT flush": 3, "NAT flip": 3, "new address at home": 2,
           "new address outside": 2, "cut": 3}
# Near the end of a half nobody dies: whose memory is compared from there on is to be warm.
DEADLY, CALM_SECONDS = ("kill", "relay restart"), 75
CUT = """
table inet soak {{
  chain forward {{
    type filter hook forward priority 0;
    iifname "{0}" drop
    oifname "{0}" drop
  }}
}}
"""


def router(name):
    """Whose outside the core sees, and the kind of NAT it is."""
    kind = HOMES[name][0]
    return (f"{name}-c", "port") if kind == "double" else (f"{name}-r", kind)


class Faults:
    """All of what goes wrong; @tell is told each fault in words, as it is over."""

    def __init__(self, net, traffic, machines, seed, haste, tell):
        self.haste = haste  # 1, or less: all pauses are shorter by so much
        self.net, self.lab, self.traffic, self.machines = net, net.lab, traffic, machines
        self.dice, self.tell = random.Random(f"{seed} faults"), tell
        self.done, self.findings = [], []
        self.kinds = {name: router(name)[1] for name in HOMES}
        self.flips = {name: 0 for name in HOMES}
        self.table = {"kill": self.kill, "relay restart": self.relay_restart,
                      "NAT flush": self.nat_flush, "NAT flip": self.nat_flip,
                      "new address at home": self.home_address,
                      "new address outside": self.outside_address, "cut": self.cut}

    def until(self, end, half, first=()):
        """One after the other until @end; those of @first come first. At least one each."""
        first = list(first)
        while first or time.monotonic() < end:
            kinds = list(WEIGHTS)
            if time.monotonic() > end - CALM_SECONDS * self.haste:
                kinds = [kind for kind in kinds if kind not in DEADLY]
            weights = [WEIGHTS[kind] for kind in kinds]
            self.one(first.pop(0) if first else self.dice.choices(kinds, weights)[0], half)
            self.rest()

    def idle(self, seconds):
        """The world goes on; nothing is waited for."""
        time.sleep(seconds * self.haste)

    def rest(self):
        """Between two faults."""
        self.idle(self.dice.uniform(*REST_SECONDS))

    def one(self, kind, half):
        """One fault and its recovery."""
        whom, since, ended = self.table[kind](half)
        self.machines.hurt(f"{kind} of {whom}", since)
        left, last = [], []

        def has_recovered():
            left[:] = self.traffic.silent(since, ended)
            last[:] = left or last
            return not left

        wait_until(has_recovered, RECOVER_SECONDS)
        took = time.monotonic() - since
        self.done.append({"fault": kind, "whom": whom, "recovered_s": round(took, 2)})
        if left:
            self.findings.append({"what": f"{RECOVER_SECONDS} s after {kind} of {whom}: {left[0]}"
                                          f" (and {len(left) - 1} more)"})
        why = f", the last: {last[0]}" if last and took > SLOW_SECONDS else ""
        self.tell(f"{kind}: {whom}; streams go on after {took:.1f} s{why}")

    def away(self, name, end):
        """Ends the daemon @name by end(), and starts it again; when it was there."""
        with self.traffic.dooms(name), self.machines.dooms(name):
            end()
        self.idle(self.dice.uniform(*AWAY_SECONDS))
        self.net.daemons[name].start()
        now = time.monotonic()
        self.traffic.ready(name, now)
        self.machines.ready(name, now)
        return now

    def kill(self, half):
        """SIGKILL of a daemon of this half."""
        name = self.dice.choice(MORTALS[half])
        return name, self.away(name, self.net.daemons[name].kill), name

    def relay_restart(self, half):
        """A relay that is ended in order, as by an upgrade."""
        name = next(name for name in MORTALS[half] if name in RELAYS)
        return name, self.away(name, self.net.daemons[name].stop), name

    def nat_flush(self, _half):
        """A router forgets its flows, as it does when its address goes for a moment."""
        name = self.dice.choice(list(HOMES))
        where, _ = router(name)
        self.lab.set_address(where, "wan", f"{self.address(name)}/24")
        return name, time.monotonic(), None

    def nat_flip(self, _half):
        """A router is another kind of NAT from now on, and has forgotten everything."""
        name = self.dice.choice(list(HOMES))
        where, _ = router(name)
        self.kinds[name] = "sym" if self.kinds[name] == "port" else "port"
        self.lab.run(where, ["nft", "flush", "ruleset"])
        rules = nat.rules(self.kinds[name], "wan", "lan", self.address(name))
        self.lab.run(where, ["nft", "-f", "-"], input=rules)
        self.lab.set_address(where, "wan", f"{self.address(name)}/24")
        return f"{name}, now {self.kinds[name]}", time.monotonic(), None

    def home_address(self, _half):
        """A home's host has another address, as a DHCP server gives it."""
        name = self.dice.choice(list(HOMES))
        self.lab.set_address(name, "eth0", f"192.168.1.{self.dice.randrange(3, 250)}/24")
        return name, time.monotonic(), None

    def outside_address(self, _half):
        """All others see a home at another address."""
        name = self.dice.choice(list(HOMES))
        self.flips[name] += 1
        self.lab.set_address(router(name)[0], "wan", f"{self.address(name)}/24")
        return name, time.monotonic(), None

    def address(self, name):
        """Where the core sees @name now: one of two."""
        return outside(NUMBERS[name]).rpartition(".")[0] + (".2", ".33")[self.flips[name] % 2]

    def cut(self, _half):
        """Nothing passes between one and all others for a while."""
        name = self.dice.choice(list(NUMBERS))
        self.lab.run("core", ["nft", "-f", "-"], input=CUT.format(f"net{NUMBERS[name]}"))
        seconds = self.dice.uniform(*CUT_SECONDS)
        self.idle(seconds)
        self.lab.run("core", ["nft", "delete", "table", "inet", "soak"])
        return f"{name}, {seconds * self.haste:.0f} s", time.monotonic(), None
