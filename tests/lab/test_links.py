"""Programs behind a TUN reach what a peer exposes, by plain IP: the daemon ends their packets."""

import json
import os
import sys

import pytest

import servers
from daemon import wait_until
from links import (HERE4, HERE6, THERE4, ip_words, link, open_tap, set_up,  # noqa: F401
                   start_tun, two_daemons)
from tunnel_pair import told

MB = 1000 * 1000
PARALLEL = 200
ECHO = """
def echo(c):
    with c:
        while piece := c.recv(1 << 16):
            c.sendall(piece)
l = listen(sys.argv[1])
print("ready")
while True:
    c, _ = l.accept()
    threading.Thread(target=echo, args=(c,), daemon=True).start()
"""
# Answers every question for an address with 192.0.2.53, large ones with many texts.
DNS = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("ready")
while True:
    q, who = s.recvfrom(4096)
    end = 12
    while q[end]:
        end += q[end] + 1
    is_text = q[end + 1:end + 3] == b"\\0\\x10"
    data = [b"\\xc8" + b"x" * 200] * 15 if is_text else [socket.inet_aton("192.0.2.53")]
    kind = 16 if is_text else 1
    answers = b"".join(struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(d)) + d for d in data)
    s.sendto(q[:2] + struct.pack(">HHHHH", 0x8580, 1, len(data), 0, 0) + q[12:end + 5] + answers,
             who)
"""


def listens(lab, port):
    """True once something accepts on @port of "p"."""
    source = "import socket,sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 1)"
    return wait_until(lambda: lab.run("p", [sys.executable, "-c", source, str(port)],
                                      check=False).returncode == 0, 15)


def test_echo_v4_and_v6(link):
    link.serve(ECHO, 8000)
    link.expose("8000")
    for address in (HERE4, HERE6):
        done = link.inside("""
with connect(8000, sys.argv[1]) as s:
    s.sendall(b"hello")
    s.shutdown(socket.SHUT_WR)
    print(read_all(s).decode())
""", address)
        assert done.stdout == "hello\n"
    row = link.row()
    assert row["opened"] == 2 and row["refused"] == 0 and row["frames_in"] > 0
    assert row["peer"] == link.ann.self_id() and row["dropped"] == {}
    assert wait_until(lambda: link.row()["flows"] == 0)


def test_ethernet(lab, make):
    link = open_tap(lab, make)
    link.serve(ECHO, 8000)
    link.expose("8000")
    link.serve(DNS)
    link.expose("53", "--udp")
    for address in (HERE4, HERE6):
        assert link.lab.ping("c", address)
        done = link.inside("""
said = os.urandom(1 << 20)
with connect(8000, sys.argv[1]) as s:
    threading.Thread(target=s.sendall, args=(said,)).start()
    print(exactly(s, len(said)) == said)
""", address)
        assert done.stdout == "True\n"
        done = link.lab.run("c", [servers.need_program("dig"), f"@{address}", "a.example",
                                  "+short"])
        assert done.stdout == "192.0.2.53\n"
    assert "spoofed" not in link.row()["dropped"]
    # Another card on the same cable.
    link.lab.ip("c", "link set dev om0 address 52:54:00:00:00:03")
    assert not link.lab.ping("c", HERE4, 1)
    assert link.dropped("spoofed") > 0


def test_curl(link, folder):
    curl = servers.need_program("curl")
    site = os.path.join(folder, "site")
    os.mkdir(site)
    with open(os.path.join(site, "big"), "wb") as file:
        file.write(os.urandom(50 * MB))
    link.lab.popen("p", [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", site,
                         "8080"], stdout=-3, stderr=-3)
    assert listens(link.lab, 8080)
    link.expose("8080")
    for host in (HERE4, f"[{HERE6}]"):
        got = os.path.join(folder, "got")
        done = link.lab.run("c", [curl, "-sS", "--fail", "--noproxy", "*", "-o", got, "-w",
                                  "%{speed_download}", f"http://{host}:8080/big"])
        link.lab.command(["cmp", got, os.path.join(site, "big")])
        print(f"{host}: {float(done.stdout) / MB:.0f} MB/s")


def test_200_at_once(link):
    link.serve(ECHO, 8000)
    link.expose("8000")
    done = link.inside("""
count, good = int(sys.argv[1]), []
said = os.urandom(50000)
all_there = threading.Barrier(count)
def one():
    with connect(8000) as s:
        all_there.wait(30)
        s.sendall(said)
        good.append(exactly(s, len(said)) == said)
threads = [threading.Thread(target=one) for _ in range(count)]
for t in threads: t.start()
for t in threads: t.join()
print(sum(good))
""", PARALLEL)
    assert done.stdout == f"{PARALLEL}\n", done.stderr
    assert wait_until(lambda: link.row()["flows"] == 0)
    assert link.row()["opened"] == PARALLEL


def iperf3(link, *words):
    """What the client says at its end."""
    argv = [servers.need_program("iperf3"), "-c", HERE4, "-t", "2", "-J", *words]

    def once():
        said = json.loads(link.lab.run("c", argv, check=False).stdout)
        return None if "busy" in said.get("error", "") else said

    said = wait_until(once, 10)
    assert said and "error" not in said, said
    return said["end"]


@pytest.fixture
def speed(link):
    """A link to an iperf3 server."""
    link.lab.popen("p", [servers.need_program("iperf3"), "-s", "-B", "127.0.0.1"], stdout=-3)
    assert listens(link.lab, 5201)
    link.expose("5201")
    link.expose("5201", "--udp")
    return link


def test_iperf3_tcp(speed):
    for way in ([], ["-R"]):
        rate = iperf3(speed, *way)["sum_received"]["bits_per_second"] / 1e6
        print(f"iperf3 {way}: {rate:.0f} Mb/s")
        assert rate > 10


def test_iperf3_udp(speed):
    for way in ([], ["-R"]):
        end = iperf3(speed, "-u", "-b", "5M", "-l", "1000", *way)["sum"]
        assert end["packets"] > 1000 and end["lost_percent"] < 20, end


def test_ssh(link, folder):
    sshd = servers.Sshd(os.path.join(folder, "sshd"), link.ben.home)
    link.lab.popen("p", sshd.argv(), stdout=-3, stderr=-3)
    assert listens(link.lab, sshd.port)
    link.expose(str(sshd.port))
    done = link.lab.run("c", ["ssh", "-p", str(sshd.port), "-i",
                              os.path.join(link.ben.home, "ssh", "id_ed25519"), "-F", "none",
                              "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                              f"UserKnownHostsFile={folder}/known", f"{sshd.user}@{HERE4}",
                              "wc -c"], input="x" * MB)
    assert done.stdout.strip() == str(MB)


def test_dig(link):
    dig = servers.need_program("dig", "bind9-dnsutils")
    link.serve(DNS)
    link.expose("53", "--udp")
    for address in (HERE4, HERE6):
        done = link.lab.run("c", [dig, f"@{address}", "name.example", "+short"])
        assert done.stdout == "192.0.2.53\n"
        # Larger than the link's MTU and than a datagram of the mesh.
        done = link.lab.run("c", [dig, f"@{address}", "TXT", "name.example", "+short",
                                  "+bufsize=4096", "+ignore"])
        assert done.stdout == f'"{"x" * 200}"\n' * 15
    assert link.row()["udp_flows"] == 4


def test_hosts_behind_the_peer(link):
    # Of another host: an address of ann's own is hers alone, once she has seen that she has it.
    link.lab.host("web")
    link.lab.link("p", "wan", "web", "eth0")
    link.lab.address("p", "wan", "9.9.9.1/32")
    link.lab.ip("p", "route add 9.9.9.9 dev wan")
    link.lab.address("web", "eth0", "9.9.9.9/24")
    link.serve(ECHO.replace("listen(sys.argv[1])", "listen(sys.argv[1], '9.9.9.9')"), 8000,
               host="web")
    link.lab.ip("c", "route add 9.9.9.0/24 dev om0")
    source = """
try:
    connect(8000, "9.9.9.9").close()
    print("connected")
except OSError as e:
    print(e.errno)
"""
    assert link.inside(source).stdout == "113\n"  # EHOSTUNREACH: a policy of ann's
    link.expose("internet")
    assert link.inside(source).stdout == "connected\n"


def test_the_program_goes_and_comes(link):
    link.serve(ECHO, 8000)
    link.expose("8000")
    source = """
with connect(8000, seconds=5) as s:
    s.sendall(b"hello")
    print(exactly(s, 5).decode())
"""
    assert link.inside(source).stdout == "hello\n"
    link.process.kill()
    link.process.wait()
    assert wait_until(lambda: told(link.ben, "link", "list")["links"] == [])
    link.process, answer = start_tun(link.lab, "c", link.ben, **ip_words(link.ann))
    assert answer["ok"]
    set_up(link.lab, 1500)
    assert link.inside(source).stdout == "hello\n"
    assert link.ben.stop() == 0  # with a link open


def test_refusals(lab, make):
    ann, ben = two_daemons(lab, make)
    good = ip_words(ann)
    for words, sentence in ((good | {"here": f"{HERE4}/33"}, "an address and its prefix"),
                            (good | {"mtu": 1279}, "want 1280 to 65521"),
                            (good | {"peer": "nobody"}, "nobody"),
                            (good | {"there": "10.65.0.2"}, "within the prefix"),
                            (good | {"kind": "ether"}, "a card's address")):
        process, answer = start_tun(lab, "c", ben, **words)
        assert not answer["ok"] and sentence in answer["message"], answer
        assert process.wait(10) == 3
    assert told(ben, "link", "list")["links"] == []
    _, answer = start_tun(lab, "c", ben, **good)
    assert answer["ok"] and answer["peer"] == ann.self_id()
    assert [row["there"] for row in told(ben, "link", "list")["links"]] == [THERE4]
