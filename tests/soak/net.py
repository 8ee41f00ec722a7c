"""net.py - who takes part: three homes behind NATs, two public relays, a real daemon on each.

consumer and third, whose NATs take another port for each destination, so that what they say to each
other goes over a relay; provider, behind two NATs that keep its port.
"""

import os

from daemon import Daemon, wait_until
from homes import QUIET, home, outside, public
from traffic import SERVED, SOCKS, local_port

HOMES = {"consumer": ("sym", 1), "provider": ("double", 2), "third": ("sym", 3)}
RELAYS = {"relay1": 9, "relay2": 10}
PORT = 18002
LANE_BYTES = 4 << 20  # a second, of each lane of a relay
MEET_SECONDS = 90


class Net:
    """All of them in @lab, with homes below @folder; started, and every one knows all others."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.daemons = {}

    def start(self):
        """Hosts, daemons, rules."""
        for name, (kind, number) in HOMES.items():
            home(self.lab, name, kind, number)
        known = []
        for name, number in RELAYS.items():
            public(self.lab, name, number)
            relay = self.make(name, ["--relay", "--relay-rate-bytes", str(LANE_BYTES), *known])
            known += relay.bootstrap(outside(number))
        for name in HOMES:
            self.make(name, known)
        ids = {daemon.self_id() for daemon in self.daemons.values()}
        for name, daemon in self.daemons.items():
            if not wait_until(lambda d=daemon: ids <= d.peer_ids() | {d.self_id()}, MEET_SECONDS):
                raise RuntimeError(f"{name} does not know all others after {MEET_SECONDS} s")
        self.rules()

    def make(self, name, args):
        """The daemon on host @name."""
        daemon = Daemon(os.path.join(self.folder, name), [*QUIET, "--name", name, *args],
                        lab=self.lab, host=name, port=PORT)
        self.daemons[name] = daemon
        return daemon.start()

    def rules(self):
        """Each exposes a port to all others, has one of its own to each of them, and a proxy."""
        names = list(self.daemons)
        ids = {name: daemon.self_id() for name, daemon in self.daemons.items()}
        for name, daemon in self.daemons.items():
            others = [other for other in names if other != name]
            daemon.rpc("expose.add", port=SERVED, to=[ids[o] for o in others], keep=True)
            daemon.rpc("forward.add", listen=f"127.0.0.1:{SOCKS}", proxy=True, keep=True)
            for other in others:
                daemon.rpc("forward.add", listen=f"127.0.0.1:{local_port(names, other)}",
                           peer=ids[other], port=SERVED, keep=True)

    def ways(self):
        """How each now reaches each: {"consumer to third": "relay relay1"}; none: "" """
        ids = {daemon.self_id(): name for name, daemon in self.daemons.items()}
        ways = {}
        for name, daemon in self.daemons.items():
            for peer in daemon.rpc("peers.list")["peers"]:
                way = peer.get("path") or ""
                ways[f"{name} to {ids[peer['id']]}"] = way
        return ways

    def stop(self):
        """Ends the daemons; those that do not end well: {name: exit code}."""
        return {name: code for name, daemon in self.daemons.items() if (code := daemon.stop())}

    def end(self):
        """They are gone, however they fare."""
        for daemon in self.daemons.values():
            daemon.end()
