"""checklist.py - a provider with a network of its own, and how to look for what must not be there.

What:   World is a provider (ann) between a consumer (ben) and a network of hers with a host (nas);
        services that say who came; searches for secrets in any spelling, for files that are too
        open, for sockets by which a process could reach a network.
Why:    each search is used twice by its test: where nothing may be found, and where something is.
"""

import base64
import glob
import os
import re
import shutil
import socket
import stat
import struct
import sys
import tempfile

from daemon import Daemon
from fixtures import ALONE
from omerta_lab import OFFLOAD_OFF, Lab, wait_until
from vmlab import ROOM, give_image, has_session, qemus

ANN, BEN = "10.0.0.2", "10.0.0.1"
HOME4, NAS4, HOME6, NAS6 = "192.168.50.1", "192.168.50.9", "fd50::1", "fd50::9"
PORT = 8080
HERE = os.path.dirname(os.path.abspath(__file__))
LOUD = ["--log-level", "trace", "--audit-encryption"]
SERVICE = """
import select, socket, sys
name, port = sys.argv[1].encode(), int(sys.argv[2])
tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(("::", port))
print("ready", flush=True)
while True:
    for one in select.select([tcp, udp], [], [])[0]:
        if one is tcp:
            line, who = tcp.accept()
            with line:
                line.sendall(name)
        else:
            data, who = udp.recvfrom(2000)
            udp.sendto(name, who)
        print("asked", "tcp" if one is tcp else "udp", who[0], flush=True)
"""
ASK = """
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
where = socket.getaddrinfo(host, port, type=getattr(socket, kind))[0]
with socket.socket(*where[:2]) as s:
    s.settimeout(5)
    try:
        s.connect(where[4])
        if kind == "SOCK_DGRAM":
            s.send(b"hello")
        print(s.recv(100).decode("latin-1"), end="")
    except OSError:
        pass
"""
SOCKS = f"""
import sys
sys.path[:0] = [{os.path.join(HERE, "..", "system")!r}, {os.path.join(HERE, "..", "lab")!r}]
from tunnel_pair import socks
said, line = socks(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
with line:
    print(said, line.recv(100).decode() if said == "ok" else "", end="")
"""
FRAME = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
s.send(bytes.fromhex(sys.argv[2]))
"""
SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for line in sys.stdin:
    packet = bytes.fromhex(line)
    s.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
"""


class Service:
    """A server of TCP and UDP at all addresses of a host; it answers with its name."""

    def __init__(self, lab, host, name="", port=PORT):
        self.path = os.path.join(lab.folder, f"service-{host}-{port}")
        with open(self.path, "wb") as log:
            lab.popen(host, [sys.executable, "-c", SERVICE, name or host, str(port)], stdout=log)
        assert wait_until(lambda: "ready" in self.log(), 20)

    def log(self):
        """All it wrote."""
        with open(self.path, encoding="ascii") as file:
            return file.read()

    def asked(self, how=""):
        """How often somebody came, by "tcp" or "udp" or any."""
        return self.log().count(f"asked {how}")


class World:
    """ann provides and has a LAN, ben consumes; both log all they can."""

    def __init__(self, image):
        self.folder = tempfile.mkdtemp(prefix="om-")
        self.lab = Lab().__enter__()
        lab = self.lab
        lab.host("ann", "ben", "nas")
        lab.segment("mesh", "ann", "ben")
        for host in ("ann", "ben"):  # what is captured is what is sent, datagram by datagram
            lab.run(host, ["ethtool", "-K", "eth0", *OFFLOAD_OFF])
        lab.segment("home", "ann", interface="eth1")
        lab.segment("home", "nas")
        lab.address("ben", "eth0", f"{BEN}/24")
        lab.address("ann", "eth0", f"{ANN}/24")
        lab.address("ann", "eth1", f"{HOME4}/24", f"{HOME6}/64")
        lab.address("nas", "eth0", f"{NAS4}/24", f"{NAS6}/64")
        # Whatever came out of the guest would find its way on, and back.
        lab.forwarding("ann")
        lab.gateway("nas", HOME4)
        lab.gateway("nas", HOME6)
        self.services = {host: Service(lab, host) for host in ("ann", "nas")}
        self.ben = Daemon(os.path.join(self.folder, "ben"), [*ALONE, *LOUD], lab=lab, host="ben",
                          port=18002)
        self.ann = Daemon(os.path.join(self.folder, "ann"), [*ALONE, *LOUD], lab=lab, host="ann",
                          port=18002)
        # What a home holds is its user's alone whatever the mask says.
        before = os.umask(0)
        try:
            for daemon in (self.ben, self.ann):
                code, out, err = daemon.tool("init")
                assert code == 0, (out, err)
            self.ben.start()
            self.ann.args += self.ben.bootstrap(BEN)
            self.ann.start()
        finally:
            os.umask(before)
        assert has_session(self.ben, self.ann.self_id())
        give_image(self.ann, image)
        self.ann.rpc("provide.set", on=True, to=[self.ben.self_id()], **ROOM)

    def ask(self, host, kind, address, port=PORT):
        """What the service at @address answers a plain socket of @host, or ""."""
        return self.lab.run(host, [sys.executable, "-c", ASK, kind, address, str(port)]).stdout

    def socks(self, proxy, address, port=PORT):
        """What the proxy at @proxy of ben's says about @address, and the service behind it."""
        return self.lab.run("ben", [sys.executable, "-c", SOCKS, str(proxy), address,
                                    str(port)]).stdout.split()

    def send(self, host, packets):
        """Whole IPv4 packets, from wherever they say that they come."""
        self.lab.run(host, [sys.executable, "-c", SEND],
                     input="".join(p.hex() + "\n" for p in packets))

    def frame(self, host, interface, data):
        """A whole frame of Ethernet."""
        self.lab.run(host, [sys.executable, "-c", FRAME, interface, data.hex()])

    def link_local(self, host, interface):
        """The address of @interface that IPv6 makes by itself."""
        shown = self.lab.ip(host, f"-6 address show dev {interface}")
        return re.search(r"fe80:[0-9a-f:]+", shown)[0]

    def end(self):
        """Everything is gone."""
        for daemon in (self.ben, self.ann):
            daemon.end()
        for pid in qemus(self.ann):
            os.kill(pid, 9)
        self.lab.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)


def drops(daemon):
    """What its metrics say that was thrown away, by reason."""
    page = daemon.rpc("metrics.show")["text"]
    found = re.findall(r'^omerta_drops_total\{reason="(\w+)"\} (\d+)', page, re.MULTILINE)
    return {reason: int(n) for reason, n in found}


def udp_packet(source, target, payload, number=0):
    """An IPv4 packet; @source and @target are (address, port), @number its identification."""
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(target[0])) + udp


def forms(secret):
    """The spellings in which @secret, or the first 12 bytes of it, could stand in a text."""
    head = secret[:12]
    found = {secret, head, head.hex().encode(), head.hex().upper().encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Only the letters that are of whole bytes of it.
            text = encode(bytes(before) + head)
            found.add(text[(before * 8 + 5) // 6:(before + len(head)) * 8 // 6])
    text = base64.b32encode(head)[:len(head) * 8 // 5]
    return found | {text, text.lower()}


def leaks(secrets, texts):
    """Of (name, secret) and (place, bytes): which is where."""
    return [(name, place) for name, secret in secrets for place, text in texts
            if any(form in text for form in forms(secret))]


def ssh_seed(text):
    """The 32 secret bytes of an Ed25519 key as OpenSSH writes it (PROTOCOL.key, no cipher)."""
    body = re.search(r"PRIVATE KEY-----(.*?)-----END", text.replace("\\n", "\n"), re.DOTALL)[1]
    data = base64.b64decode("".join(body.split()))
    at = data.index(b"ssh-ed25519", data.index(b"ssh-ed25519") + 1) + len(b"ssh-ed25519")
    size, = struct.unpack(">I", data[at:at + 4])
    at += 4 + size
    assert struct.unpack(">I", data[at:at + 4]) == (64,)
    return data[at + 4:at + 36]


def read(path):
    """A file's bytes."""
    with open(path, "rb") as file:
        return file.read()


def secrets_of(home):
    """(name, bytes) of each secret that a home keeps."""
    found = [("identity", read(os.path.join(home, "identity", "seed"))),
             ("local key", bytes.fromhex(read(os.path.join(home, "local.key")).decode())),
             ("ssh key", ssh_seed(read(os.path.join(home, "ssh", "id_ed25519")).decode()))]
    for path in glob.glob(os.path.join(home, "vms", "*", "seed.iso")):
        found.append(("host key", ssh_seed(read(path).decode("latin-1"))))
    return found


def logs_of(home):
    """(place, bytes) of all that a home keeps of what happened."""
    paths = glob.glob(os.path.join(home, "events*")) + glob.glob(os.path.join(home, "logs", "**"),
                                                                 recursive=True)
    return [(path, read(path)) for path in paths if os.path.isfile(path)]


def too_open(home):
    """What of @home somebody else than its user could read, write or go into."""
    found = []
    for folder, folders, files in os.walk(home):
        for name in [".", *folders, *files]:
            path = os.path.join(folder, name)
            about = os.lstat(path)
            if not stat.S_ISLNK(about.st_mode) and (about.st_mode & 0o077 or
                                                    about.st_uid != os.getuid()):
                found.append(os.path.normpath(path))
    return sorted(set(found))


def sockets_of(pid):
    """What the descriptors of process @pid are, of those that are sockets."""
    found = set()
    for fd in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            found.add(os.readlink(fd))
        except OSError:  # closed meanwhile
            continue
    return {target for target in found if target.startswith(("socket:[", "/dev/net/tun",
                                                              "/dev/vhost-net"))}


def ways_out(pid):
    """The sockets and devices by which process @pid could reach a network."""
    targets = sockets_of(pid)
    inodes = {target[8:-1] for target in targets if target.startswith("socket:[")}
    found = [target for target in targets if target.startswith("/dev/")]
    for table in ("tcp", "tcp6", "udp", "udp6", "udplite", "raw", "raw6", "icmp", "packet"):
        path = f"/proc/{pid}/net/{table}"
        if os.path.exists(path):
            for line in read(path).decode().splitlines()[1:]:
                words = line.split()
                if words[-1 if table == "packet" else 9] in inodes:
                    found.append(table)
    return sorted(found)
