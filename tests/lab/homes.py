"""homes.py - a small internet: a core, public hosts, homes behind one router or two.

What:   each gets a number, and with it the network 11.0.NUMBER.0/24 at the core; whoever lives
        there has address 2. In IPv6 it is 2a11:NUMBER::/32, and all are told of it who want it.
Why:    tests of how nodes behind NATs meet want many homes on one core, as a real mesh has them.
"""

import nat
from daemon import program, wait_until
from fixtures import need

PORT = 18002
QUIET = ["--no-lan", "--no-portmap"]
# A home behind two routers: its own, and its carrier's.
DOUBLE = {"double": ("port", "port")}


def outside(number):
    """Where the core sees who lives at @number."""
    return f"11.0.{number}.2"


def core_of(lab):
    """Makes the core, once."""
    if "core" not in lab.hosts:
        lab.host("core")
        lab.forwarding("core")


def attach(lab, host, interface, number, family=4, metric=None):
    """A cable from @host to the core, which it has as its gateway by @family alone; where it has
    two, the one with the lower @metric is used."""
    core_of(lab)
    own, core, bits = (outside(number), f"11.0.{number}.1", 24) if family == 4 else \
        (sixth(number), sixth(number, 0, 1), 48)
    lab.link(host, interface, "core", f"net{number}")
    lab.address(host, interface, f"{own}/{bits}")
    lab.address("core", f"net{number}", f"{core}/{bits}")
    preferred = f" metric {metric}" if metric else ""
    lab.ip(host, f"-{family} route add default via {core}{preferred}")


def public(lab, name, number):
    """A host that all can reach."""
    lab.host(name)
    attach(lab, name, "eth0", number)


def attach_boxed(lab, router, number, kind):
    """The same for "wan" of @router through a NAT of the simulator's @kind; @router forwards."""
    core_of(lab)
    own, core = f"11.0.{number}.3", f"11.0.{number}.1"
    lab.wire(router, "wan", "core", f"net{number}", nat=f"{outside(number)} {kind}")
    lab.address(router, "wan", f"{own}/24")
    lab.address("core", f"net{number}", f"{core}/24")
    lab.gateway(router, core)
    # Nobody has the outside address itself; what is for it passes the box from either side.
    lab.route("core", f"{outside(number)}/32", own)
    lab.route(router, f"{outside(number)}/32", core)
    lab.forwarding(router)


def uplink(lab, router, kind, number):
    """Connects @router to the core, translating as @kind: the kernel's if it is one of nat.KINDS,
    else the simulator's, in the words of natkind.h."""
    if kind in nat.KINDS:
        attach(lab, router, "wan", number)
        lab.nat(router, kind, "wan", "lan", wan_address=outside(number))
    else:
        attach_boxed(lab, router, number, kind)


def behind(lab, name, gateway, kind, address, lan="192.168.1"):
    """Puts @name behind @gateway, which translates as @kind to its @address on "wan"; with None it
    does already, or only forwards."""
    lab.host(name)
    lab.link(name, "eth0", gateway, "lan")
    lab.address(gateway, "lan", f"{lan}.1/24")
    lab.address(name, "eth0", f"{lan}.2/24")
    lab.gateway(name, f"{lan}.1")
    if kind is not None:
        lab.nat(gateway, kind, "wan", "lan", wan_address=address)


def home(lab, name, kind, number):
    """A home whose router, called @name-r, is of @kind: "public", one for uplink(), or of DOUBLE.

    A pair of kinds is a router of the kernel's first kind behind a carrier's of the second.
    """
    if kind == "public":
        public(lab, name, number)
        return
    inner, outer = kind if isinstance(kind, tuple) else DOUBLE.get(kind, (kind, None))
    router = f"{name}-r"
    if outer is None:
        lab.host(router)
        uplink(lab, router, inner, number)
        behind(lab, name, router, None, None)
        return
    carrier = f"{name}-c"
    lab.host(carrier, router)
    uplink(lab, carrier, outer, number)
    lab.link(router, "wan", carrier, "lan")
    lab.address(carrier, "lan", "100.64.0.1/24")
    lab.address(router, "wan", "100.64.0.2/24")
    lab.gateway(router, "100.64.0.1")
    behind(lab, name, router, inner, "100.64.0.2")


def neighbours(lab, kind, number, *names):
    """Homes @names behind routers of one carrier that translates as @kind; the carrier's name."""
    carrier = f"carrier{number}"
    lab.host(carrier, *(f"{name}-r" for name in names))
    uplink(lab, carrier, kind, number)
    lab.segment(f"street{number}", carrier, interface="lan")
    lab.segment(f"street{number}", *(f"{name}-r" for name in names), interface="wan")
    lab.address(carrier, "lan", "100.64.0.1/24")
    for i, name in enumerate(names):
        lab.address(f"{name}-r", "wan", f"100.64.0.{10 + i}/24")
        lab.gateway(f"{name}-r", "100.64.0.1")
        behind(lab, name, f"{name}-r", "port", f"100.64.0.{10 + i}", lan=f"192.168.{10 + i}")
    return carrier


def sixth(number, subnet=0, host=2):
    """An IPv6 address at @number; subnet 0 is next to the core."""
    return f"2a11:{number:x}:{subnet:x}::{host}"


def home_sixth(lab, name, number):
    """A home without IPv4, behind a firewall that lets in what was asked for."""
    lab.host(name, f"{name}-r")
    attach(lab, f"{name}-r", "wan", number, family=6)
    lab.link(name, "eth0", f"{name}-r", "lan")
    lab.address(f"{name}-r", "lan", f"{sixth(number, 1, 1)}/48")
    lab.address(name, "eth0", f"{sixth(number, 1)}/48")
    lab.gateway(name, sixth(number, 1, 1))
    lab.route("core", f"2a11:{number:x}:1::/48", sixth(number))
    lab.nat(f"{name}-r", "v6only", "wan", "lan")


def start(lab, make, host, args=(), port=PORT):
    """A daemon on @host."""
    need("omerta-meshd", "omerta")
    return make(host, [*QUIET, *args], lab=lab, host=host, port=port).start()


def met(*daemons, seconds=30):
    """True once all of them know each other."""
    ids = {daemon.self_id() for daemon in daemons}
    return all(wait_until(lambda d=daemon: ids <= d.peer_ids() | {d.self_id()}, seconds)
               for daemon in daemons)


def peer(daemon, other):
    """What @daemon knows of @other; nothing: {}."""
    return next((p for p in daemon.rpc("peers.list")["peers"] if p["id"] == other.self_id()), {})


def path(daemon, other):
    """The way by which @daemon now sends to @other; none: ""."""
    return peer(daemon, other).get("path") or ""


def ping(lab, daemon, other, *words):
    """`omerta ping` from @daemon to @other."""
    argv = [program("omerta"), "--home", daemon.home, "ping", other.self_id()]
    return lab.run(daemon.host, [*argv, "-c", "3", "-i", "0.2", *words], check=False)
