"""What the kernel's TCP sees of a link: closing, resets, refusals, windows. Each with a control."""

import pytest

from daemon import wait_until
from links import HERE4, HERE6, SECONDS, link  # noqa: F401 (a fixture)

# Runs serve(connection) for each who comes; what it says ends up on standard output.
SERVER = """
l = listen(sys.argv[1])
print("ready")
while True:
    c, _ = l.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
"""
# Prints the name of the error with which @act() fails, or what it returns.
OUTCOME = """
import errno
def outcome(act):
    try:
        return str(act())
    except OSError as e:
        return errno.errorcode.get(e.errno, repr(e))
"""
CONNECTS = OUTCOME + """
def once():
    with connect(sys.argv[2], sys.argv[1]) as s:
        return "connected"
print(outcome(once))
"""
ECHO = """
def serve(c):
    with c:
        while piece := c.recv(1 << 16):
            c.sendall(piece)
"""


def service(link, port, source):
    """Serves @source on @port of ann's host, which she exposes."""
    process = link.serve(source + SERVER, port)
    link.expose(str(port))
    return process


def connecting(link, address, port):
    """What becomes of a connect() inside "c"."""
    return link.inside(CONNECTS, address, port).stdout.strip()


def refusals(link):
    """Connections that were refused, so far."""
    return link.row()["refused"]


@pytest.mark.parametrize("address", [HERE4, HERE6])
def test_half_close_from_here(link, address):
    # What it has to say, it says only after it has heard the end.
    service(link, 8000, """
def serve(c):
    with c:
        said = read_all(c)
        c.sendall(hashlib.sha256(said).digest() + said)
""")
    done = link.inside("""
said = os.urandom(1 << 20)
with connect(8000, sys.argv[1]) as s:
    s.sendall(said)
    s.shutdown(socket.SHUT_WR)
    answer = read_all(s)
print(answer == hashlib.sha256(said).digest() + said)
""", address)
    assert done.stdout == "True\n"


@pytest.mark.parametrize("address", [HERE4, HERE6])
def test_half_close_from_there(link, address):
    process = service(link, 8000, """
def serve(c):
    with c:
        c.sendall(b"first")
        c.shutdown(socket.SHUT_WR)
        print(hashlib.sha256(read_all(c)).hexdigest())
""")
    done = link.inside("""
said = os.urandom(1 << 20)
with connect(8000, sys.argv[1]) as s:
    assert read_all(s) == b"first"
    s.sendall(said)
print(hashlib.sha256(said).hexdigest())
""", address)
    assert process.stdout.readline() == done.stdout


def test_reset_here_is_a_reset_there(link):
    process = service(link, 8000, OUTCOME + """
def serve(c):
    c.sendall(b"x")
    print(outcome(lambda: read_all(c).decode()))
""")
    done = link.inside("""
for how in (socket.socket.close, reset):
    s = connect(8000)
    exactly(s, 1)
    s.sendall(b"said")
    how(s)
print("done")
""")
    assert done.stdout == "done\n"
    said = sorted(process.stdout.readline() for _ in range(2))
    assert said == ["ECONNRESET\n", "said\n"]


def test_reset_there_is_a_reset_here(link):
    service(link, 8000, """
def serve(c):
    how = exactly(c, 1)
    reset(c) if how == b"r" else c.close()
""")
    done = link.inside(OUTCOME + """
for how in (b"c", b"r"):
    with connect(8000) as s:
        s.sendall(how)
        print(repr(outcome(lambda: read_all(s))))
""")
    assert done.stdout.splitlines() == ["\"b''\"", "'ECONNRESET'"]


@pytest.mark.parametrize("address", [HERE4, HERE6])
def test_refused(link, address):
    service(link, 8000, ECHO)
    link.expose("8001")  # nothing listens there
    assert connecting(link, address, 8000) == "connected"
    before = refusals(link)
    assert connecting(link, address, 8001) == "ECONNREFUSED"
    assert refusals(link) == before + 1
    assert link.row()["last_error"].startswith("connection_refused")


@pytest.mark.parametrize(("address", "wanted"), [(HERE4, "EHOSTUNREACH"), (HERE6, "EACCES")])
def test_policy(link, address, wanted):
    service(link, 8000, ECHO)
    assert connecting(link, address, 8000) == "connected"
    # ICMP 3/13 and ICMPv6 1/1, as Linux tells its programs.
    assert connecting(link, address, 9999) == wanted
    assert link.row()["last_error"].startswith("not_allowed")


def test_unreachable_and_timeout(link):
    service(link, 8000, ECHO)
    link.expose("8001:10.99.0.1:80")  # ann's host has no route
    link.expose("8002:10.1.0.3:80")
    link.lab.address("p", "eth0", "10.1.0.3/32")
    rules = "table ip t { chain c { type filter hook input priority 0; ip daddr 10.1.0.3 drop; }; }"
    link.lab.run("p", ["nft", "-f", "-"], input=rules)
    assert connecting(link, HERE4, 8000) == "connected"
    assert connecting(link, HERE4, 8001) == "EHOSTUNREACH"
    assert link.row()["last_error"].startswith("unreachable")
    assert connecting(link, HERE4, 8002) == "EHOSTUNREACH"
    assert link.row()["last_error"].startswith("timeout")


def test_nobody_else_is_on_the_link(link):
    service(link, 8000, ECHO)
    assert connecting(link, HERE4, 8000) == "connected"
    assert connecting(link, "10.64.0.77", 8000) == "EHOSTUNREACH"
    assert link.row()["unroutable"] == 1


def rss_kib(daemon):
    """Its memory."""
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def stalled(read):
    """True once read() has not changed for a while."""
    seen = []

    def same():
        seen.append(read())
        return len(seen) > 25 and len(set(seen[-25:])) == 1

    return wait_until(same, SECONDS)


def test_zero_window_there_to_here(link):
    service(link, 8000, """
def serve(c):
    with c:
        said = os.urandom(1 << 20) * 64
        c.sendall(said)
        assert exactly(c, 32) == hashlib.sha256(said).digest()
        c.sendall(b"same")
""")
    before = rss_kib(link.ben)
    reader = link.lab.popen("c", ["/usr/bin/env", "python3", "-c", link.prelude + """
s = connect(8000)
print("connected", flush=True)
sys.stdin.readline()
said = exactly(s, 64 << 20)
s.sendall(hashlib.sha256(said).digest())
print(read_all(s).decode())
"""], stdin=-1, stdout=-1, text=True)
    assert reader.stdout.readline() == "connected\n"
    assert stalled(lambda: link.row()["bytes_out"])
    assert link.row()["bytes_out"] < 16 << 20
    assert rss_kib(link.ben) - before < 64 << 10
    reader.stdin.write("go\n")
    reader.stdin.flush()
    assert reader.stdout.readline() == "same\n"


def test_zero_window_here_to_there(link):
    process = link.lab.popen("p", ["/usr/bin/env", "python3", "-u", "-c", link.prelude + """
l = listen(8000)
print("ready")
c, _ = l.accept()
sys.stdin.readline()
c.sendall(hashlib.sha256(read_all(c)).digest())
"""], stdin=-1, stdout=-1, text=True)
    assert process.stdout.readline() == "ready\n"
    link.expose("8000")
    before = rss_kib(link.ben)
    writer = link.lab.popen("c", ["/usr/bin/env", "python3", "-c", link.prelude + """
said = os.urandom(1 << 20) * 64
with connect(8000) as s:
    s.sendall(said)
    s.shutdown(socket.SHUT_WR)
    print(exactly(s, 32) == hashlib.sha256(said).digest())
"""], stdout=-1, text=True)
    assert wait_until(lambda: link.row()["bytes_in"] > 1 << 20, SECONDS)
    assert stalled(lambda: link.row()["bytes_in"] >> 14)  # probes of a closed window go on
    assert link.row()["bytes_in"] < 32 << 20
    assert rss_kib(link.ben) - before < 64 << 10
    process.stdin.write("go\n")
    process.stdin.flush()
    assert writer.stdout.readline() == "True\n"


def test_single_bytes(link):
    service(link, 8000, ECHO)
    before = link.row()["frames_in"]
    done = link.inside("""
said = bytes(i % 251 for i in range(2000))
with connect(8000) as s:
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(said)):  # one that waits for its echo, one that does not
        s.sendall(said[i:i + 1])
        assert exactly(s, 1) == said[i:i + 1]
    for i in range(len(said)):
        s.sendall(said[i:i + 1])
    print(exactly(s, len(said)) == said)
""")
    assert done.stdout == "True\n"
    assert link.row()["frames_in"] - before > 2000


# Prints each datagram's length and its source's port to whom it may concern, and echoes it.
UDP_ECHO = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
print("ready")
while True:
    said, who = s.recvfrom(65536)
    print(len(said))
    s.sendto(said, who)
"""


def test_fragments_are_refused_by_name(link):
    process = link.serve(UDP_ECHO, 8000)
    link.expose("8000", "--udp")
    for address, fits in ((HERE4, 1472), (HERE6, 1452)):
        done = link.inside("""
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(30)
for n in (int(sys.argv[2]) + 1, int(sys.argv[2])):
    s.sendto(bytes(n), (sys.argv[1], 8000))
print(len(s.recv(65536)))
""", address, fits)
        assert done.stdout == f"{fits}\n" and process.stdout.readline() == f"{fits}\n"
    assert link.dropped("fragment") == 4
    assert link.row()["rogue_score"] > 0


def test_spoofed_source(link):
    process = link.serve(UDP_ECHO, 8000)
    link.expose("8000", "--udp")
    link.inside("""
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def send(source, n):
    udp = struct.pack(">HHHH", 4000, 8000, 8 + n, 0) + bytes(n)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 7, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton("10.64.0.1"))
    raw.sendto(head + udp, ("10.64.0.1", 0))
send("10.64.0.3", 100)
send("192.0.2.1", 101)
send("10.64.0.1", 102)
send("10.64.0.2", 103)
""")
    assert process.stdout.readline() == "103\n"
    assert link.dropped("spoofed") == 3
    assert link.row()["rogue_score"] >= 50


def test_a_peer_that_starts_anew_is_a_reset(link):
    service(link, 8000, ECHO)
    client = link.lab.popen("c", ["/usr/bin/env", "python3", "-u", "-c",
                                  link.prelude + OUTCOME + """
s = connect(8000, seconds=120)
s.sendall(b"x")
print(exactly(s, 1).decode())
print(outcome(lambda: s.recv(1)))
"""], stdout=-1, text=True)
    assert client.stdout.readline() == "x\n"
    link.ann.kill()
    link.ann.start()
    assert client.stdout.readline() == "ECONNRESET\n"
    assert wait_until(lambda: link.row()["flows"] == 0)
    link.expose("8000")  # was not kept
    assert connecting(link, HERE4, 8000) == "connected"


def test_loss_on_the_way(link):
    service(link, 8000, ECHO)
    rules = ("table inet loss { chain c { type filter hook input priority 0; iif eth0 "
             "numgen random mod 100 < 3 counter drop; }; }")
    for host in ("p", "c"):
        link.lab.run(host, ["nft", "-f", "-"], input=rules)
    done = link.inside("""
said = os.urandom(1 << 20) * 4
with connect(8000) as s:
    threading.Thread(target=s.sendall, args=(said,)).start()
    print(exactly(s, len(said)) == said)
""")
    assert done.stdout == "True\n"
    for host in ("p", "c"):
        said = link.lab.run(host, ["nft", "list", "table", "inet", "loss"]).stdout
        assert "packets 0 " not in said, said
