"""tunnel_rivals.py - other tunnels between two hosts of a lab, each ready to carry traffic.

What:   every function starts one rival on hosts "a" and "b", which a cable joins (10.9.0.1 and
        10.9.0.2), and returns a Tunnel: from where, to which address, and who pays for it.
Needs:  the rival from Debian (tests/bench/tunnel.sh installs it), and a TUN device.
"""

import json
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

from omerta_lab import wait_until  # noqa: E402

HOSTS = {"a": "10.9.0.1", "b": "10.9.0.2"}
ECHO = 5301  # a port of b where every byte comes back
READY_SECONDS = 15


class Tunnel:
    """From host @client one reaches @address of b; @processes are what carries it."""

    def __init__(self, address, processes, client="a"):
        self.address, self.processes, self.client = address, processes, client


def start(lab, host, argv, **environment):
    """Runs @argv on @host, its words in a log of the lab."""
    path = os.path.join(lab.folder, f"{os.path.basename(argv[0])}-{host}.log")
    with open(path, "ab") as log:
        return lab.popen(host, argv, stdout=log, stderr=log, env=dict(os.environ, **environment))


def write(lab, name, text):
    """A file of the lab; returns its path."""
    path = os.path.join(lab.folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


def has_link(lab, host, link):
    """True once @host has the interface @link."""
    return lab.run(host, ["ip", "link", "show", link], check=False).returncode == 0


def ready(lab, what, tunnel, answers):
    """@tunnel, once answers() is true; RuntimeError with the logs when it is not in time."""
    if wait_until(answers, READY_SECONDS):
        return tunnel
    said = ""
    for name in sorted(os.listdir(lab.folder)):
        if name.endswith(".log"):
            with open(os.path.join(lab.folder, name), encoding="utf-8", errors="replace") as log:
                said += f"--- {name}\n{log.read()[-2000:]}"
    raise RuntimeError(f"{what} does not carry anything\n{said}")


def echoes(lab, host, address):
    """True if the far end's echo answers @host; a NAT need not carry pings."""
    load = os.path.join(HERE, "tunnel_load.py")
    probe = [sys.executable, load, "echo", address, str(ECHO), "0.1"]
    return lab.run(host, probe, check=False).returncode == 0


def other(host):
    """The far one."""
    return "b" if host == "a" else "a"


def wireguard_go(lab):
    """The userspace WireGuard; OM_WIREGUARD_GO names a newer one than Debian's."""
    program = os.environ.get("OM_WIREGUARD_GO") or "wireguard-go"
    keys, processes = {}, []
    os.makedirs("/var/run/wireguard", exist_ok=True)
    for host in HOSTS:
        private = lab.run(host, ["wg", "genkey"]).stdout
        public = lab.run(host, ["wg", "pubkey"], input=private).stdout.strip()
        keys[host] = (write(lab, f"wg-{host}.key", private), public)
    for host in HOSTS:
        link = f"omwg{host}"
        processes.append(start(lab, host, [program, link], WG_PROCESS_FOREGROUND="1"))
        if not wait_until(lambda h=host, i=link: has_link(lab, h, i), READY_SECONDS):
            raise RuntimeError(f"{program} made no interface")
        far = other(host)
        lab.run(host, ["wg", "set", link, "listen-port", "51820", "private-key", keys[host][0],
                       "peer", keys[far][1], "allowed-ips", "10.20.0.0/24",
                       "endpoint", f"{HOSTS[far]}:51820"])
        lab.ip(host, f"address add 10.20.0.{HOSTS[host][-1]}/24 dev {link}")
        lab.ip(host, f"link set dev {link} mtu 1420 up")
    return ready(lab, program, Tunnel("10.20.0.2", processes),
                 lambda: lab.ping("a", "10.20.0.2", 1))


def nebula(lab):
    """AES-256-GCM, its default."""
    folder = os.path.join(lab.folder, "nebula")
    os.makedirs(folder)
    ca = ["-ca-crt", f"{folder}/ca.crt", "-ca-key", f"{folder}/ca.key"]
    lab.command(["nebula-cert", "ca", "-name", "lab", "-out-crt", ca[1], "-out-key", ca[3]])
    processes = []
    for host in HOSTS:
        own = f"10.21.0.{HOSTS[host][-1]}"
        far = other(host)
        lab.command(["nebula-cert", "sign", *ca, "-name", host, "-ip", f"{own}/24",
                     "-out-crt", f"{folder}/{host}.crt", "-out-key", f"{folder}/{host}.key"])
        open_to_all = [{"port": "any", "proto": "any", "host": "any"}]
        config = {
            "pki": {"ca": ca[1], "cert": f"{folder}/{host}.crt", "key": f"{folder}/{host}.key"},
            "static_host_map": {f"10.21.0.{HOSTS[far][-1]}": [f"{HOSTS[far]}:4242"]},
            "lighthouse": {"am_lighthouse": False, "hosts": []},
            "listen": {"host": "0.0.0.0", "port": 4242},
            "tun": {"dev": f"omneb{host}", "mtu": 1300},
            "firewall": {"outbound": open_to_all, "inbound": open_to_all},
        }
        path = write(lab, f"nebula-{host}.yml", json.dumps(config))
        processes.append(start(lab, host, ["nebula", "-config", path]))
    return ready(lab, "nebula", Tunnel("10.21.0.2", processes),
                 lambda: lab.ping("a", "10.21.0.2", 1))


def fastd(lab):
    """salsa2012+umac, what its documentation recommends for speed."""
    keys, processes = {}, []
    for host in HOSTS:
        said = lab.run(host, ["fastd", "--generate-key"]).stdout
        keys[host] = re.findall(r"[0-9a-f]{64}", said)
    for host, address in HOSTS.items():
        far, link = other(host), f"omfd{host}"
        path = write(lab, f"fastd-{host}.conf", f"""
mode tun;
interface "{link}";
method "salsa2012+umac";
bind {address}:10000;
mtu 1426;
secret "{keys[host][0]}";
peer "far" {{ key "{keys[far][1]}"; remote {HOSTS[far]}:10000; }}
""")
        processes.append(start(lab, host, ["fastd", "-c", path]))
        if not wait_until(lambda h=host, i=link: has_link(lab, h, i), READY_SECONDS):
            raise RuntimeError("fastd made no interface")
        lab.ip(host, f"address add 10.22.0.{address[-1]}/24 dev {link}")
        lab.ip(host, f"link set dev {link} up")
    return ready(lab, "fastd", Tunnel("10.22.0.2", processes),
                 lambda: lab.ping("a", "10.22.0.2", 1))


def yggdrasil(lab):
    """Its own addresses out of its keys; over one TCP connection, as it does."""
    processes, addresses = [], {}
    for host in ("b", "a"):  # who dials in vain does so again much later
        config = json.loads(lab.run(host, ["yggdrasil", "-genconf", "-json"]).stdout)
        config.update({
            "Listen": ["tcp://10.9.0.2:9001"] if host == "b" else [],
            "Peers": ["tcp://10.9.0.2:9001"] if host == "a" else [],
            "MulticastInterfaces": [], "AdminListen": "none", "IfName": f"omygg{host}",
        })
        path = write(lab, f"ygg-{host}.json", json.dumps(config))
        addresses[host] = lab.run(
            host, ["yggdrasil", "-useconffile", path, "-address"]).stdout.strip()
        processes.append(start(lab, host, ["yggdrasil", "-useconffile", path]))
        if host == "b" and not wait_until(
                lambda: ":9001" in lab.run("b", ["ss", "-Hltn"]).stdout, READY_SECONDS):
            raise RuntimeError("yggdrasil does not listen")
    return ready(lab, "yggdrasil", Tunnel(addresses["b"], processes),
                 lambda: lab.ping("a", addresses["b"], 1))


def guest(lab):
    """A host without a cable, and a process that holds it."""
    lab.host("guest")
    return lab.popen("guest", ["sleep", "3600"])


def slirp4netns(lab):
    """A NAT in userspace, nothing encrypted: the guest reaches b through a."""
    holder = guest(lab)
    process = start(lab, "a", ["slirp4netns", "--configure", "--mtu=65520",
                               "--disable-host-loopback", str(holder.pid), "tap0"])
    return ready(lab, "slirp4netns", Tunnel("10.9.0.2", [process], "guest"),
                 lambda: echoes(lab, "guest", "10.9.0.2"))


def passt(lab):
    """passt for namespaces (pasta): the guest reaches b through a; nothing encrypted."""
    guest(lab)
    lab.ip("a", "route add default via 10.9.0.2")
    process = start(lab, "a", [
        "pasta", "--foreground", "--log-file", f"{lab.folder}/pasta-said.log", "--config-net",
        "--ipv4-only", "--runas", "0", "--mtu", "65520", "--no-icmp", "--no-map-gw",
        "--outbound-if4", "v0", "--netns-only", "--netns", f"/run/netns/{lab.name('guest')}"])
    return ready(lab, "passt", Tunnel("10.9.0.2", [process], "guest"),
                 lambda: echoes(lab, "guest", "10.9.0.2"))


RIVALS = {
    "wireguard-go": wireguard_go,
    "nebula": nebula,
    "fastd": fastd,
    "yggdrasil": yggdrasil,
    "slirp4netns": slirp4netns,
    "passt": passt,
}


def missing():
    """Programs of rivals that are not there."""
    newer = os.environ.get("OM_WIREGUARD_GO")
    wanted = [newer or "wireguard-go", "wg", "nebula", "nebula-cert", "fastd", "yggdrasil",
              "slirp4netns", "pasta"]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [name for name in wanted if shutil.which(name, path=path) is None]
