"""The lab itself: each fixture does what its name says, and nothing stays behind."""

import os
import signal
import subprocess
import sys

import pytest

import nat
import omerta_lab
import pcap

SEND = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[3])))
s.sendto(sys.argv[4].encode(), (sys.argv[1], int(sys.argv[2])))
"""


def send(lab, host, to, port, source, text):
    """One datagram."""
    lab.run(host, [sys.executable, "-c", SEND, to, str(port), str(source), text])


def saying(text):
    """For Capture.wait: UDP with this payload."""
    return lambda packet: packet.proto == pcap.UDP and packet.payload == text.encode()


def cable(lab):
    """Two hosts and one cable."""
    lab.host("a", "b")
    lab.link("a", "eth0", "b", "eth0")
    lab.address("a", "eth0", "10.0.0.1/24", "fd00::1/64")
    lab.address("b", "eth0", "10.0.0.2/24", "fd00::2/64")


def home(lab):
    """A client behind a router, and two servers outside on one segment with it."""
    lab.host("client", "router", "s1", "s2")
    lab.link("client", "eth0", "router", "lan")
    lab.segment("net", "router", interface="wan")
    lab.segment("net", "s1", "s2")
    lab.address("client", "eth0", "192.168.1.2/24")
    lab.address("router", "lan", "192.168.1.1/24")
    lab.address("router", "wan", "11.0.0.1/24")
    lab.address("s1", "eth0", "11.0.0.11/24")
    lab.address("s2", "eth0", "11.0.0.12/24")
    lab.gateway("client", "192.168.1.1")


def test_link_carries_ping(lab):
    cable(lab)
    assert lab.ping("a", "10.0.0.2")
    assert lab.ping("a", "fd00::2")
    assert not lab.ping("a", "10.0.0.3", 1)


def test_link_down_and_up(lab):
    cable(lab)
    assert lab.ping("a", "10.0.0.2")
    lab.down("b", "eth0")
    assert not lab.ping("a", "10.0.0.2", 1)
    lab.up("b", "eth0")
    assert lab.ping("a", "10.0.0.2")


def test_segment_joins_three(lab):
    names = ("a", "b", "c")
    lab.host(*names)
    lab.segment("lan", *names)
    for number, name in enumerate(names, 1):
        lab.address(name, "eth0", f"10.0.0.{number}/24")
    for name in names:
        for number in (1, 2, 3):
            assert lab.ping(name, f"10.0.0.{number}"), (name, number)


def test_capture_sees_a_datagram(lab):
    cable(lab)
    capture = lab.capture("b", "eth0", "udp port 7")
    send(lab, "a", "10.0.0.2", 7, 5001, "four")
    send(lab, "a", "fd00::2", 7, 5002, "six")
    send(lab, "a", "10.0.0.2", 8, 5003, "filtered")
    assert capture.wait(saying("four")) and capture.wait(saying("six"))
    four, six = (p for p in capture.stop() if p.proto == pcap.UDP)
    assert four[1:] == ("10.0.0.1", "10.0.0.2", pcap.UDP, 5001, 7, b"four")
    assert six[1:] == ("fd00::1", "fd00::2", pcap.UDP, 5002, 7, b"six")
    assert four.time <= six.time


def test_address_changes_while_running(lab):
    home(lab)
    lab.forwarding("router")
    lab.route("s1", "192.168.1.0/24", "11.0.0.1")
    assert lab.ping("client", "11.0.0.11")
    lab.set_address("client", "eth0", "192.168.1.77/24")
    capture = lab.capture("s1", "eth0", "udp")
    send(lab, "client", "11.0.0.11", 7, 5001, "moved")
    assert capture.wait(saying("moved"))[0].src == "192.168.1.77"
    assert not lab.ping("s1", "192.168.1.2", 1)
    assert lab.ping("s1", "192.168.1.77")


def test_masquerade_hides_the_inner_address(lab):
    home(lab)
    lab.forwarding("router")
    capture = lab.capture("s1", "eth0", "udp")
    send(lab, "client", "11.0.0.11", 7, 5001, "plain")
    assert capture.wait(saying("plain"))[0].src == "192.168.1.2"
    lab.nat("router", "port", "wan", "lan")
    send(lab, "client", "11.0.0.11", 7, 5002, "hidden")
    assert capture.wait(saying("hidden"))[0].src == "11.0.0.1"


# Who may answer to a port that the client used towards port 7 of s1, and whether its port towards
# s2 is the same.
ANSWERS = {
    "full": (True, True, True),
    "addr": (True, False, True),
    "port": (False, False, True),
    "portdrop": (False, False, True),
    "ranged": (False, False, True),
    "symblock": (False, False, False),
    "sym": (False, False, False),
    "symrand": (False, False, False),
    "hairpin": (True, True, True),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_nat_kind(lab, kind):
    home(lab)
    lab.nat("router", kind, "wan", "lan", "11.0.0.1")
    inside = lab.capture("client", "eth0", "udp")
    first = lab.capture("s1", "eth0", "udp")
    second = lab.capture("s2", "eth0", "udp")
    send(lab, "client", "11.0.0.11", 7, 5001, "ask")
    port = first.wait(saying("ask"))[0].sport
    send(lab, "s1", "11.0.0.1", port, 7, "answer")
    assert inside.wait(saying("answer"))
    send(lab, "s1", "11.0.0.1", port, 8, "other port")
    send(lab, "s2", "11.0.0.1", port, 7, "other host")
    # What comes last shows that what came before has had its chance.
    send(lab, "s1", "11.0.0.1", port, 7, "end")
    assert inside.wait(saying("end"))
    send(lab, "client", "11.0.0.12", 9, 5001, "ask")
    again = second.wait(saying("ask"))[0].sport
    heard = [p.payload for p in inside.stop()]
    assert (b"other port" in heard, b"other host" in heard, port == again) == ANSWERS[kind]


def test_hairpin_comes_back(lab):
    home(lab)
    lab.nat("router", "hairpin", "wan", "lan", "11.0.0.1")
    outside = lab.capture("s1", "eth0", "udp")
    inside = lab.capture("client", "eth0", "udp")
    send(lab, "client", "11.0.0.11", 7, 5001, "open")
    assert outside.wait(saying("open"))
    send(lab, "client", "11.0.0.1", 5001, 5002, "round")
    assert inside.wait(lambda p: saying("round")(p) and p.src == "11.0.0.1")


def test_udp_blocked_and_tcp_443_open(lab):
    home(lab)
    connect = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"
    capture = lab.capture("s1", "eth0", "udp or tcp")
    lab.nat("router", "udpblock", "wan", "lan")
    send(lab, "client", "11.0.0.11", 7, 5001, "blocked")
    # Nobody listens there: the refusal is an answer.
    done = lab.run("client", [sys.executable, "-c", connect, "11.0.0.11", "443"], check=False)
    assert "ConnectionRefusedError" in done.stderr
    assert not [p for p in capture.stop() if p.proto == pcap.UDP]
    done = lab.run("client", [sys.executable, "-c", connect, "11.0.0.11", "80"], check=False)
    assert "TimeoutError" in done.stderr


def test_capture_says_what_is_wrong(lab):
    cable(lab)
    for interface, expression in (("eth7", "udp"), ("eth0", "udp port nowhere")):
        with pytest.raises(omerta_lab.LabError, match="capture on b"):
            lab.capture("b", interface, expression)


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="full, addr"):
        nat.rules("cone", "wan", "lan", "")


def test_failing_command_says_so(lab):
    lab.host("a")
    with pytest.raises(omerta_lab.LabError, match="exit 3"):
        lab.run("a", ["sh", "-c", "exit 3"])


def test_nothing_stays_behind(lab):
    del lab
    inner = omerta_lab.Lab()
    with pytest.raises(RuntimeError), inner:
        inner.host("a", "b")
        child = inner.popen("a", ["sleep", "600"])
        # It outlives its parent inside b, and ignores the polite signal.
        inner.run("b", ["sh", "-c", "trap '' TERM; setsid sleep 600 >/dev/null 2>&1 </dev/null &"])
        left = omerta_lab.pids(inner.name("b"))
        assert omerta_lab.pids(inner.name("a")) == [child.pid] and len(left) == 1
        assert inner.name("a") in omerta_lab.namespaces()
        raise RuntimeError
    assert not [n for n in omerta_lab.namespaces() if n.startswith(inner.prefix)]
    assert child.returncode is not None and not os.path.exists(inner.folder)
    assert omerta_lab.wait_until(lambda: not alive(left[0]))


def alive(pid):
    """True for a process that still runs; one that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


SCRIPT = """
import sys; sys.path.insert(0, sys.argv[1])
import omerta_lab
with omerta_lab.Lab() as lab:
    lab.host("a")
    child = lab.popen("a", ["sleep", "600"])
    print(lab.name("a"), child.pid, lab.folder, flush=True)
    child.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_leaves_nothing(lab, number):
    del lab
    here = os.path.dirname(os.path.abspath(__file__))
    with subprocess.Popen([sys.executable, "-c", SCRIPT, here], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        namespace, pid, folder = process.stdout.readline().split()
        assert namespace in omerta_lab.namespaces() and alive(int(pid)) and os.path.isdir(folder)
        process.send_signal(number)
        process.wait(10)
    # After SIGKILL the next lab clears up.
    omerta_lab.sweep()
    assert namespace not in omerta_lab.namespaces() and not os.path.exists(folder)
    assert omerta_lab.wait_until(lambda: not alive(int(pid)))
