"""UDP of a SOCKS5 proxy: where it leads, who is heard, and when it is over."""

import os
import threading

import pytest

from daemon import wait_until
from socks_client import Association
from tunnel_pair import expose, proxy, socks, told, two  # noqa: F401

TARGETS_MAX = 64  # of one association


@pytest.fixture
def echoing():
    """Makes ports of services that send every datagram back, with a mark."""
    services = []

    def make(mark=b">"):
        s = Association.socket()
        s.settimeout(None)

        def serve():
            while (got := s.recvfrom(65535))[0] != b"stop":
                s.sendto(mark + got[0], got[1])

        services.append((s, threading.Thread(target=serve, daemon=True)))
        services[-1][1].start()
        return s.getsockname()[1]

    yield make
    for s, thread in services:
        s.sendto(b"stop", s.getsockname())
        thread.join()
        s.close()


@pytest.fixture
def echoed(two, echoing):
    """ann exposes an echo of UDP to ben, who has a proxy: (ann, ben, the echo's port, proxy's)."""
    ann, ben = two
    port = echoing()
    expose(ann, str(port), "--udp", "--to", "ben")
    return ann, ben, port, proxy(ben)


def rule(daemon):
    """The only forward of @daemon."""
    [row] = daemon.rpc("forward.list")["forwards"]
    return row


def is_counted(daemon, before, why):
    """True once one more failure than in row @before is counted, with @why as the last."""
    return wait_until(lambda: rule(daemon)["failed"] == before["failed"] + 1 and
                      why in rule(daemon)["last_error"], 10)


def no_answer(s, seconds=0.5):
    """True if nothing comes."""
    s.settimeout(seconds)
    try:
        s.recv(1)
        return False
    except TimeoutError:
        return True
    finally:
        s.settimeout(10)


@pytest.mark.parametrize("address, listen", [("127.0.0.1", "127.0.0.1:0"), ("::1", "[::1]:0"),
                                             ("127.0.0.1", "0.0.0.0:0"),
                                             ("127.0.0.1", "[::]:0"), ("::1", "[::]:0")])
def test_datagrams_of_every_size_come_back(echoed, address, listen):
    _, ben, port, _ = echoed
    at = int(told(ben, "proxy", listen)["listen"].rpartition(":")[2])
    a = Association(at, address)
    assert a.answer == 0 and a.relay[0] == address and a.relay[1] not in (0, at)
    for size in (0, 1, 1000, 1200, 9000, 60000):
        data = os.urandom(size)
        assert a.ask("ann.omerta", port, data) == ("ann.omerta", port, b">" + data)


def test_each_target_has_its_own_answers(echoed, echoing):
    ann, ben, port, at = echoed
    other = echoing(b"<")
    expose(ann, str(other), "--udp", "--to", "ben")
    network = ben.network()["name"]
    a, b = Association(at), Association(at)
    for name in ("ann.omerta", f"ann.{network}.omerta", "ann.OMERTA."):
        assert a.ask(name, port, b"one") == (name, port, b">one")
        assert a.ask(name, other, b"two") == (name, other, b"<two")
        assert b.ask(name, port, b"three") == (name, port, b">three")
    assert rule(ben)["open"] == 2 + 9


def test_it_is_over_with_its_connection(echoed):
    ann, ben, port, at = echoed
    a, b = Association(at), Association(at)
    for one in (a, b):
        assert one.ask("ann.omerta", port, b"x")[2] == b">x"
    assert rule(ben)["open"] == 4
    with pytest.raises(OSError):
        Association.socket(source=a.relay)  # the control: that port is taken
    a.close()
    assert wait_until(lambda: rule(ben)["open"] == 2, 10)
    assert wait_until(lambda: ann.rpc("expose.list")["exposed"][0]["open"] == 1, 10)
    Association.socket(source=a.relay).close()
    assert b.ask("ann.omerta", port, b"y")[2] == b">y"
    told(ben, "forward", "remove", str(rule(ben)["id"]))
    with pytest.raises(ConnectionResetError):
        b.tcp.recv(1)
    Association.socket(source=b.relay).close()


def test_only_its_client_is_heard(echoed):
    _, ben, port, at = echoed
    a = Association(at)
    assert a.ask("ann.omerta", port, b"mine")[2] == b">mine"
    stranger, before = a.socket(), rule(ben)
    a.send("ann.omerta", port, b"not mine", via=stranger)
    assert is_counted(ben, before, "another program")
    assert no_answer(stranger) and no_answer(a.udp)
    assert a.ask("ann.omerta", port, b"mine")[2] == b">mine"  # the control
    before = rule(ben)
    a.send("ann.omerta", port, b"nor from elsewhere", via=a.socket("127.0.0.2"))
    assert is_counted(ben, before, "another program")


def test_the_named_port_is_the_only_one(echoed):
    _, ben, port, at = echoed
    named = Association.socket()
    a = Association(at, named=named.getsockname()[1])
    before = rule(ben)
    a.send("ann.omerta", port, b"first, from another port")
    assert is_counted(ben, before, "another program")
    a.send("ann.omerta", port, b"as named", via=named)
    assert named.recv(100).endswith(b">as named")


@pytest.mark.parametrize("raw, why", [
    (b"\0\0\1\3\x0aann.omerta\0\7x", "fragment"),
    (b"\0\0\x80\3\x0aann.omerta\0\7x", "fragment"),
    (b"\0\1\0\3\x0aann.omerta\0\7x", "no datagram"),
    (b"", "no datagram"),
    (b"\0\0\0", "no datagram"),
    (b"\0\0\0\2\1\1\1\1\0\7", "no datagram"),
    (b"\0\0\0\1\1\1\1\1\0", "no datagram"),
    (b"\0\0\0\1\1\1\1\1\0\0x", "no datagram"),
    (b"\0\0\0\3\0\0\7x", "no datagram"),
    (b"\0\0\0\3\xffann.omerta\0\7x", "no datagram"),
    (b"\0\0\0\3\3a\nb\0\7x", "no datagram"),
])
def test_what_makes_no_sense_is_dropped(echoed, raw, why):
    _, ben, port, at = echoed
    a, before = Association(at), rule(ben)
    a.udp.sendto(raw, a.relay)
    assert is_counted(ben, before, why) and rule(ben)["total"] == before["total"]
    assert a.ask("ann.omerta", port, b"sense")[2] == b">sense"  # the control


def test_where_it_may_not_lead(echoed):
    ann, ben, port, at = echoed
    a = Association(at)
    for host, to, why in (("nobody.omerta", port, "no_such_host"), ("ann.omerta", 9, "not_allowed"),
                          ("127.0.0.1", port, "not_allowed"), ("localhost", port, "not_allowed")):
        before = rule(ben)
        a.send(host, to, b"x")
        assert is_counted(ben, before, why), (host, rule(ben))
    assert a.ask("ann.omerta", port, b"x")[2] == b">x"  # the control
    expose(ann, str(port), "--to", "ben")  # of TCP: another one
    assert socks(at, "ann.omerta", port)[0] == "refused"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1",
                                     "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
                                     "255.255.255.255", "::1", "::", "fd00::1", "fe80::1",
                                     "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
                                     "localhost", "a.localhost"])
def test_the_internet_is_not_our_own_networks(two, echoing, address):
    ann, ben = two
    port = echoing()
    at = proxy(ben, "--via", "ann")
    expose(ann, "internet", "--to", "ben")
    a, before = Association(at), rule(ben)
    a.send(address, port, b"x")
    why = "no_such_host" if address == "a.localhost" else "not_allowed"
    assert is_counted(ben, before, "") and no_answer(a.udp, 0.1)
    assert rule(ben)["last_error"].partition(":")[0] in (why, "not_allowed")
    expose(ann, f"{port}", "--udp", "--to", "ben")
    assert a.ask("ann.omerta", port, b"x")[2] == b">x"  # the control


def test_one_target_too_many_ends_the_oldest(two, echoing):
    ann, ben = two
    port, at = echoing(), proxy(ben)
    a = Association(at)
    exposed = range(1, TARGETS_MAX + 2)
    for number in exposed:
        expose(ann, f"{number}:127.0.0.1:{port}", "--udp", "--to", "ben")
        if number == TARGETS_MAX:
            assert a.ask("ann.omerta", 1, b"again") == ("ann.omerta", 1, b">again")
        assert a.ask("ann.omerta", number, b"x") == ("ann.omerta", number, b">x")
    assert rule(ben)["open"] == 1 + TARGETS_MAX
    assert wait_until(lambda: sum(row["open"] for row in ann.rpc("expose.list")["exposed"]) ==
                      TARGETS_MAX, 10)
    opened = {row["port"]: row["open"] for row in ann.rpc("expose.list")["exposed"]}
    assert [number for number in exposed if not opened[number]] == [2]
    assert a.ask("ann.omerta", 2, b"back") == ("ann.omerta", 2, b">back")
