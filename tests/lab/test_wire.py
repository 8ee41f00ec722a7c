"""The bad cable: it does what its options say, it counts what it does, and it does it again."""

import json
import re
import shutil
import signal
import statistics
import subprocess
import sys

import pytest

from fixtures import need
from omerta_lab import LabError, search_path

COUNT = 3000
ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 7))
print("ready", flush=True)
while True:
    data, where = s.recvfrom(100)
    s.sendto(data, where)
"""
TRIPS = """
import json, socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], 7))
trips = []
for i in range(int(sys.argv[2])):
    start = time.monotonic()
    s.send(b"%d" % i)
    assert s.recv(100) == b"%d" % i
    trips.append((time.monotonic() - start) * 1000)
print(json.dumps(trips))
"""
# Says which numbers came, once its input ends and all that waits was read.
COLLECT = """
import json, select, socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
try:
    s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # beyond the machine's bound
except PermissionError:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    if s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < 8 << 20:
        print("small", flush=True)
s.bind(("::", 9))
s.setblocking(False)
print("ready", flush=True)
came, is_over = [], False
while not is_over:
    is_over = sys.stdin in select.select([s, sys.stdin], [], [])[0]
    try:
        while True:
            came.append(int(s.recv(2000)[:8]))
    except BlockingIOError:
        pass
print(json.dumps(came))
"""
FLOOD = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[2])):
    s.sendto(b"%08d" % i + bytes(int(sys.argv[3])), (sys.argv[1], 9))
"""
SINK = """
import hashlib, json, socket, sys, time
s = socket.socket()
s.bind(("10.0.0.2", 80))
s.listen()
print("ready", flush=True)
c, _ = s.accept()
digest, count, start = hashlib.sha256(), 0, None
while True:
    data = c.recv(1 << 16)
    if not data:
        break
    start = start or time.monotonic()
    digest.update(data)
    count += len(data)
print(json.dumps([count, digest.hexdigest(), time.monotonic() - start]))
"""
SOURCE = """
import hashlib, socket, sys
data = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(int(sys.argv[1]) // 32))
s = socket.create_connection(("10.0.0.2", 80), 5)
s.settimeout(60)
s.sendall(data)
s.shutdown(socket.SHUT_WR)
s.recv(1)
print(hashlib.sha256(data).hexdigest())
"""


def python(lab, host, script, *words, **options):
    """Starts @script in @host; returns it once it is ready."""
    process = lab.popen(host, [sys.executable, "-c", script, *map(str, words)], text=True,
                        stdout=subprocess.PIPE, **options)
    said = process.stdout.readline()
    if said == "small\n":
        pytest.skip("wants root, or 4 MiB in net.core.rmem_max, to receive all that is sent")
    assert said == "ready\n"
    return process


def ends(lab, name, **options):
    """Hosts a and b with @name after them, a bad cable between: (a, b, the cable)."""
    need("omerta-lab-wire")
    if shutil.which("ethtool", path=search_path()) is None:
        pytest.skip("ethtool is not installed")
    a, b = "a" + name, "b" + name
    lab.host(a, b)
    wire = lab.wire(a, "eth0", b, "eth0", **options)
    lab.address(a, "eth0", "10.0.0.1/24", "fd00::1/64")
    lab.address(b, "eth0", "10.0.0.2/24", "fd00::2/64")
    # Who has to ask for its neighbour meanwhile queues, drops and reorders what it sends.
    for host, other, number in ((a, b, 2), (b, a, 1)):
        mac = re.search(r"ether (\S+)", lab.ip(other, "link show eth0"))[1]
        for address in (f"10.0.0.{number}", f"fd00::{number}"):
            lab.ip(host, f"neigh add {address} lladdr {mac} dev eth0")
    return a, b, wire


def flood(lab, name, to, count=COUNT, size=0, **options):
    """Sends @count numbers from a to b: (those that came, the cable's counters of that way)."""
    a, b, wire = ends(lab, name, **options)
    collect = python(lab, b, COLLECT, stdin=subprocess.PIPE)
    lab.run(a, [sys.executable, "-c", FLOOD, to, str(count), str(size)])
    counts = wire.stop()["left_to_right"]
    return json.loads(collect.communicate("", timeout=20)[0]), counts


def stream(lab, name, count, **options):
    """A TCP stream of @count bytes from a to b, which has to arrive whole: (Mb/s, counters)."""
    a, b, wire = ends(lab, name, **options)
    sink = python(lab, b, SINK)
    digest = lab.run(a, [sys.executable, "-c", SOURCE, str(count)]).stdout.strip()
    came, arrived, seconds = json.loads(sink.communicate(timeout=20)[0])
    assert (came, arrived) == (count, digest)
    return came * 8e-6 / seconds, wire.stop()


def test_delay_is_one_way(lab):
    least = {}
    for delay in (0, 20):
        a, b, wire = ends(lab, str(delay), delay=delay)
        python(lab, b, ECHO)
        for to in ("10.0.0.2", "fd00::2"):
            out = lab.run(a, [sys.executable, "-c", TRIPS, to, "21"]).stdout
            trips = json.loads(out)
            assert min(trips) >= 2 * delay
            least[delay, to] = min(trips)  # the others may wait for a busy machine
        assert wire.stop()["left_to_right"]["lost"] == 0
    for to in ("10.0.0.2", "fd00::2"):
        assert least[20, to] < 50
        assert least[0, to] < 15


def test_delay_may_differ_by_direction_and_jitter(lab):
    a, b, wire = ends(lab, "", delay=(30, 5), jitter=(10, 0))
    python(lab, b, ECHO)
    trips = json.loads(lab.run(a, [sys.executable, "-c", TRIPS, "10.0.0.2", "30"]).stdout)
    assert min(trips) >= 35
    assert statistics.quantiles(trips, n=4)[0] < 65  # the others may wait for a busy machine
    assert max(trips) - min(trips) > 4
    wire.stop()


@pytest.mark.parametrize("to", ["10.0.0.2", "fd00::2"])
def test_loss_is_counted_and_comes_again(lab, to):
    came, counts = flood(lab, "none", to)
    assert came == list(range(COUNT))
    assert (counts["lost"], counts["offered"] - counts["control"]) == (0, COUNT)

    runs = [flood(lab, f"some{i}", to, loss=1, seed=seed) for i, seed in enumerate((5, 5, 6))]
    for came, counts in runs:
        assert counts["offered"] - counts["control"] == COUNT
        assert counts["delivered"] - counts["control_delivered"] == len(came)
        assert counts["lost"] == COUNT - len(came)
        assert came == sorted(set(came))
        assert 4 <= counts["lost"] <= 57  # 30 expected, five standard deviations are 27
    assert runs[0][0] == runs[1][0]
    assert runs[0][0] != runs[2][0]


def test_loss_may_be_of_one_direction(lab):
    a, b, wire = ends(lab, "", loss=(0, 100))
    collect = python(lab, b, COLLECT, stdin=subprocess.PIPE)
    lab.run(a, [sys.executable, "-c", FLOOD, "10.0.0.2", "100", "0"])
    counts = wire.counts()
    there = counts["left_to_right"]
    assert there["delivered"] - there["control_delivered"] == 100
    assert not lab.ping(a, "10.0.0.2", 1)
    counts = wire.stop()
    assert json.loads(collect.communicate("", timeout=20)[0]) == list(range(100))
    assert counts["left_to_right"]["lost"] == 0
    assert counts["right_to_left"]["lost"] > 0


def test_jitter_reorders_only_if_told(lab):
    came, _ = flood(lab, "kept", "10.0.0.2", delay=0, jitter=3)
    assert came == sorted(came)
    assert len(came) > COUNT / 2  # the last ones are still under way
    came, _ = flood(lab, "moved", "10.0.0.2", delay=0, jitter=3, reorder=True)
    assert came != sorted(came)
    assert len(came) == len(set(came)) > COUNT / 2


def test_rate_caps_what_passes(lab):
    free, _ = stream(lab, "free", 8 << 20)
    capped, counts = stream(lab, "capped", 2 << 20, rate=20)
    assert 2 < capped < 20  # of what is less the machine has its share
    assert free > 3 * capped
    assert counts["left_to_right"]["lost"] == 0


def test_a_full_queue_drops_its_tail(lab):
    came, counts = flood(lab, "", "10.0.0.2", count=500, size=992, rate=1, queue=20000)
    assert counts["queue_full"] >= 400
    assert counts["queue_full"] + counts["delivered"] + counts["under_way"] == counts["offered"]
    assert counts["delivered"] - counts["control_delivered"] == len(came)
    assert came == sorted(came)


def test_tcp_survives_a_bad_cable(lab):
    _, counts = stream(lab, "", 1 << 20, delay=5, jitter=1, loss=2)
    assert counts["left_to_right"]["lost"] > 0


def test_frames_that_no_cable_carries_are_told(lab):
    a, b, wire = ends(lab, "")
    lab.run(a, ["ethtool", "-K", "eth0", "tx", "on", "tso", "on"])
    collect = python(lab, b, COLLECT, stdin=subprocess.PIPE)
    lab.run(a, [sys.executable, "-c", FLOOD, "10.0.0.2", "10", "0"])
    with pytest.raises(LabError, match="unfinished"):
        wire.stop()
    assert json.loads(collect.communicate("", timeout=20)[0]) == []


def test_a_cable_wants_its_ends(lab):
    a, _, wire = ends(lab, "")
    program = wire.process.args[4]
    done = lab.run(a, [program, "left", "right"], check=False)
    assert done.returncode == 1 and "left" in done.stderr
    done = lab.run(a, [program, "--loss", "x", "left", "right"], check=False)
    assert done.returncode == 2 and "usage" in done.stderr
    wire.process.send_signal(signal.SIGINT)
    assert wire.process.wait(10) == 0
