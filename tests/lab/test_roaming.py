"""Tunnels whose user moves to another address, and the internet as seen from a peer."""

import hashlib
import os
import subprocess
import sys

import pytest

import servers
from commands import environment_of
from daemon import Daemon, program, wait_until
from fixtures import ALONE, need
from tunnel_pair import expose, named, told

MB = 1000 * 1000
BIG = 60 * MB
ANN, BEN, MOVED, OUTSIDE = "10.0.0.1", "10.0.0.2", "10.0.0.77", "9.9.9.9"
NOBODY = "9.9.9.200"
PYTHON = sys.executable
WORDS = "port 53 or port 5353 or port 5355"  # in which machines ask for names


def hash_of(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture
def apart(make, lab):
    """ann and ben on hosts of their own on one segment, and a host outside of it that ann sees."""
    need("omerta", "omerta-meshd")
    lab.host("ann", "ben", "web")
    lab.segment("lan", "ann", "ben")
    lab.link("ann", "wan", "web", "eth0")
    lab.address("ann", "eth0", f"{ANN}/24")
    lab.address("ben", "eth0", f"{BEN}/24")
    # Beside none of her addresses, as what is on the internet.
    lab.address("ann", "wan", "9.9.9.1/32", "2620:fe::1/128")
    for address in (OUTSIDE, NOBODY, "2620:fe::9"):
        lab.ip("ann", f"route add {address} dev wan")
    lab.address("web", "eth0", f"{OUTSIDE}/24", "2620:fe::9/64")
    lab.address("web", "eth0", "192.168.7.7/24")
    lab.address("ann", "wan", "192.168.7.1/24")
    ann = make("ann", [*ALONE, "--name", "ann"], lab=lab, host="ann", port=18002).start()
    ben = make("ben", [*ALONE, "--name", "ben", *ann.bootstrap(ANN)], lab=lab, host="ben",
               port=18002).start()
    assert wait_until(lambda: named(ben, "ann") and named(ann, "ben"), 20)
    return ann, ben


def test_ssh_and_cp_outlive_a_move(apart, lab, folder):
    ann, ben = apart
    sshd = servers.Sshd(os.path.join(folder, "sshd"), ben.home)
    port, here, there = str(sshd.port), os.path.join(folder, "here"), os.path.join(folder, "there")
    with open(here, "wb") as file:
        for _ in range(BIG // MB):
            file.write(os.urandom(MB))
    lab.popen("ann", sshd.argv())
    expose(ann, port, "--to", "ben")
    words = [program("omerta"), "ssh", "-p", port, f"{sshd.user}@ann"]
    options = {"env": environment_of(ben.home), "stdout": subprocess.PIPE,
               "stderr": subprocess.PIPE}
    assert wait_until(lambda: lab.run("ben", [*words, "true"], check=False,
                                      env=environment_of(ben.home)).returncode == 0, 20)
    shell = lab.popen("ben", [*words, "cat"], stdin=subprocess.PIPE, **options)
    # So slow that it is under way when the address changes: 60 MB at 100 Mb/s.
    copy = lab.popen("ben", [program("omerta"), "cp", "-p", port, here, f"{sshd.user}@ann:{there}"],
                     **options)
    lab.command(["tc", "-n", lab.name("ben"), "qdisc", "add", "dev", "eth0", "root", "tbf", "rate",
                 "100mbit", "burst", "256kb", "latency", "50ms"])
    shell.stdin.write(b"before\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == b"before\n"
    assert wait_until(lambda: os.path.exists(there) and os.path.getsize(there) > 2 * MB, 30)
    capture = lab.capture("ann", "eth0", "udp port 18002")
    lab.set_address("ben", "eth0", f"{MOVED}/24")
    assert 0 < os.path.getsize(there) < BIG, "the control: it was under way"
    shell.stdin.write(b"after\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == b"after\n"
    _, err = copy.communicate(timeout=120)
    assert copy.returncode == 0, err
    assert hash_of(there) == hash_of(here)
    shell.stdin.close()
    assert shell.wait(20) == 0
    assert [p for p in capture.stop() if p.src == MOVED]


def web(lab, address, text, folder):
    """A web server at @address of the host outside."""
    place = os.path.join(folder, "site-" + address.replace(":", "."))
    os.mkdir(place)
    with open(os.path.join(place, "index.html"), "w", encoding="utf-8") as file:
        file.write(text)
    lab.popen("web", [PYTHON, "-m", "http.server", "--bind", address, "--directory", place, "80"],
              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def curl(lab, ben, at, url):
    """What curl on ben's host says of @url through the SOCKS proxy: (exit, body, stderr)."""
    done = lab.run("ben", ["curl", "-sS", "-m", "15", "--proxy", f"socks5h://127.0.0.1:{at}", url],
                   check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_internet_through_a_peer(apart, lab, folder):
    servers.need_program("curl")
    ann, ben = apart
    web(lab, OUTSIDE, "outside", folder)
    web(lab, "2620:fe::9", "outside of six", folder)
    web(lab, "192.168.7.7", "secret", folder)
    inside = ["curl", "-sS", "-m", "5"]
    for address, text in ((OUTSIDE, "outside"), ("[2620:fe::9]", "outside of six"),
                          ("192.168.7.7", "secret")):
        # The control: ann's machine reaches all of them.
        assert wait_until(lambda a=address: lab.run("ann", [*inside, f"http://{a}/"], check=False)
                          .stdout, 10) == text
    assert lab.run("ben", [*inside, f"http://{OUTSIDE}/"], check=False).returncode != 0
    row = told(ben, "proxy", "127.0.0.1:0", "--via", "ann")
    at = row["listen"].rpartition(":")[2]
    code, _, err = curl(lab, ben, at, f"http://{OUTSIDE}/")
    assert code == 97 and "(2)" in err, err  # not allowed, as nothing is exposed yet
    expose(ann, "internet", "--to", "ben")
    assert curl(lab, ben, at, f"http://{OUTSIDE}/")[:2] == (0, "outside")
    assert curl(lab, ben, at, "http://[2620:fe::9]/")[:2] == (0, "outside of six")
    for address in ("192.168.7.7", "127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]",
                    "[fd00::1]"):
        code, out, err = curl(lab, ben, at, f"http://{address}/")
        assert code == 97 and "(2)" in err and not out, (address, code, out, err)


ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7))
while True:
    data, sender = s.recvfrom(65535)
    s.sendto(b">" + data, sender)
"""


def test_udp_of_the_internet_through_a_peer(apart, lab):
    ann, ben = apart
    client = os.path.join(os.path.dirname(servers.__file__), "socks_client.py")
    for address in (OUTSIDE, "2620:fe::9", "192.168.7.7"):
        lab.popen("web", [PYTHON, "-c", ECHO, address])
    at = told(ben, "proxy", "127.0.0.1:0", "--via", "ann")["listen"].rpartition(":")[2]

    def ask(host):
        return lab.run("ben", [PYTHON, client, at, host, "7", "word"], check=False).stdout.strip()

    assert ask(OUTSIDE) == ""  # nothing is exposed yet
    expose(ann, "internet", "--to", "ben")
    assert wait_until(lambda: ask(OUTSIDE) == f"{OUTSIDE} 7 b'>word'", 20)
    assert wait_until(lambda: ask("2620:fe::9") == "2620:fe::9 7 b'>word'", 20)
    # The control: ann's machine reaches the one that ben may not.
    reach = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5);" \
            "s.sendto(b'', ('192.168.7.7', 7)); print(s.recv(1))"
    assert lab.run("ann", [PYTHON, "-c", reach]).stdout.strip() == "b'>'"
    assert ask("192.168.7.7") == ""
    assert "not_allowed" in ben.rpc("forward.list")["forwards"][0]["last_error"]


def test_the_internet_is_not_what_is_beside_us(apart, lab, folder):
    servers.need_program("curl")
    ann, ben = apart
    lab.address("ann", "wan", "45.33.1.1/29")
    lab.address("web", "eth0", "45.33.1.2/29")
    web(lab, OUTSIDE, "outside", folder)
    web(lab, "45.33.1.2", "beside", folder)
    lab.popen("ann", [PYTHON, "-m", "http.server", "80", "--directory", folder],
              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    at = told(ben, "proxy", "127.0.0.1:0", "--via", "ann")["listen"].rpartition(":")[2]
    rule = expose(ann, "internet", "--to", "ben")["id"]
    for address in ("45.33.1.1", "45.33.1.2"):
        inside = ["curl", "-sS", "-m", "5", "-o", "/dev/null", f"http://{address}/"]
        assert wait_until(lambda w=inside: lab.run("ann", w, check=False).returncode == 0, 10)
    assert wait_until(lambda: curl(lab, ben, at, f"http://{OUTSIDE}/")[:2] == (0, "outside"), 10)

    def reached(address):
        code, _, err = curl(lab, ben, at, f"http://{address}/")
        assert code == 0 or "(2)" in err, err
        return code == 0

    # What she was given since, she hears of a moment later.
    assert wait_until(lambda: not reached("45.33.1.1") and not reached("45.33.1.2"), 10)
    ann.rpc("expose.remove", id=rule)
    expose(ann, "internet", "--to", "ben", "--also", "45.33.1.0/29")
    assert reached("45.33.1.1") and reached("45.33.1.2")  # the control


def test_the_internet_at_a_rate(apart, lab, folder):
    servers.need_program("curl")
    ann, ben = apart
    size = 4 << 20
    web(lab, OUTSIDE, "x" * size, folder)
    at = told(ben, "proxy", "127.0.0.1:0", "--via", "ann")["listen"].rpartition(":")[2]
    words = ["curl", "-sS", "-m", "30", "-o", os.path.join(folder, "got"), "-w", "%{time_total}",
             "--proxy", f"socks5h://127.0.0.1:{at}", f"http://{OUTSIDE}/"]

    def seconds(*options):
        row = expose(ann, "internet", "--to", "ben", *options)
        assert wait_until(lambda: lab.run("ben", [*words, "-I"], check=False).returncode == 0, 10)
        took = float(lab.run("ben", words).stdout)
        assert wait_until(lambda: ann.rpc("expose.usage")["usage"][0]["open"] == 0, 10)
        of, = ann.rpc("expose.usage")["usage"]
        assert of["id"] == row["id"] and of["internet"] and of["port"] == 0
        assert size < of["bytes_sent"] < size + 2000
        ann.rpc("expose.remove", id=row["id"])
        return took

    free, slow = seconds(), seconds("--rate", "2M")
    print(f"{size >> 20} MiB in {slow:.2f} s, without a rate in {free:.3f} s")
    assert 1.5 <= slow <= 8 and free < slow / 3  # 2 s; a busy machine takes longer


class Asking(Daemon):
    """A daemon whose machine asks @resolver for names."""

    resolver = None

    def argv(self):
        """ip netns exec has made mounts private."""
        return with_resolver(self.resolver, super().argv())


def with_resolver(path, argv):
    """@argv where @path is /etc/resolv.conf."""
    return ["sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', path, *argv]


def with_resolvers(apart, folder, servers_of):
    """Starts both daemons again with a name server of their own; their files."""
    resolvers = {}
    for name, server in servers_of.items():
        resolvers[name] = os.path.join(folder, f"{name}.resolv.conf")
        with open(resolvers[name], "w", encoding="utf-8") as file:
            file.write(f"nameserver {server}\noptions timeout:1 attempts:1\n")
    for daemon, name in zip(apart, ("ann", "ben")):
        assert daemon.stop() == 0
        daemon.__class__, daemon.resolver = Asking, resolvers[name]
        daemon.start()
    return resolvers


def test_names_leave_only_at_the_peer(apart, lab, folder):
    servers.need_program("curl")
    resolvers = with_resolvers(apart, folder, {"ann": OUTSIDE, "ben": ANN})
    ann, ben = apart
    expose(ann, "internet", "--to", "ben")
    at = told(ben, "proxy", "127.0.0.1:0", "--via", "ann")["listen"].rpartition(":")[2]
    assert wait_until(lambda: ben.rpc("peers.list")["peers"], 20)
    here, there = lab.capture("ben", "eth0", WORDS), lab.capture("ann", "wan", WORDS)
    for host in ("nobody.omerta", "ann.omerta", "somewhere.example"):
        assert not there.packets()
        curl(lab, ben, at, f"http://{host}/")
    assert there.wait(lambda packet: True), "ann's machine asks for what ann's machine connects to"
    assert not here.packets()
    # The control: one look-up on ben's machine is seen.
    lab.run("ben", with_resolver(resolvers["ben"], ["getent", "hosts", "control.example"]),
            check=False)
    assert here.wait(lambda packet: True)


def test_dns_leaves_only_at_the_peer(apart, lab, folder):
    servers.need_program("dig", "bind9-dnsutils")
    lab.sysctl("ben", "net.ipv4.ip_unprivileged_port_start", 0)
    resolvers = with_resolvers(apart, folder, {"ann": NOBODY, "ben": "127.0.0.1"})
    script = os.path.join(os.path.dirname(os.path.abspath(servers.__file__)), "upstream.py")
    lab.popen("web", [PYTHON, script, OUTSIDE, "53"])
    ann, ben = apart
    expose(ann, "internet", "--to", "ben")
    told(ben, "dns", "53", "--gateway", "ann")
    assert wait_until(lambda: named(ben, "ann"), 20)
    here, there = lab.capture("ben", "eth0", WORDS), lab.capture("ann", "wan", WORDS)

    def asked(*words):
        return lab.run("ben", with_resolver(resolvers["ben"], list(words)), check=False).stdout

    assert "id=" in asked("dig", "+short", "ann.omerta", "TXT")
    assert asked("getent", "ahosts", "ann.omerta").startswith("fd")
    assert "NXDOMAIN" in asked("dig", "nobody.omerta")
    assert not there.packets()
    dead = asked("dig", "+tries=1", "+time=8", "a.test")
    assert "SERVFAIL" in dead, dead
    with open(resolvers["ann"], "w", encoding="utf-8") as file:
        file.write(f"nameserver {OUTSIDE}\n")
    assert wait_until(lambda: asked("dig", "+short", "a.test").strip() == "192.0.2.1", 20)
    assert asked("getent", "hosts", "b.test").startswith("192.0.2.1")
    assert len(asked("dig", "+short", "long.test", "TXT")) > 4000
    assert there.wait(lambda packet: packet.dst == OUTSIDE), "asked at ann's machine"
    assert not here.packets()
    # The control: one question past our server is seen.
    lab.run("ben", ["dig", "+tries=1", "+time=1", f"@{ANN}", "control.example"], check=False)
    assert here.wait(lambda packet: packet.dst == ANN)
