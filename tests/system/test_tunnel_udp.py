"""UDP through the mesh: small datagrams, large ones, who may, and how flows end."""

import os
import socket
import threading
import time

import pytest

import servers
from omerta_lab import wait_until


def udp(address="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    s.bind((address, 0))
    return s


@pytest.fixture
def echo():
    """The port of a service that sends every datagram back, with a mark."""
    s = udp()
    s.settimeout(None)

    def serve():
        while True:
            data, sender = s.recvfrom(65535)
            if data == b"stop":
                return
            s.sendto(b">" + data, sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield s.getsockname()[1]
    s.sendto(b"stop", s.getsockname())
    thread.join()
    s.close()


def forward(pair, port, listen="127.0.0.1:0", expose=True):
    first, second = pair
    if expose:
        first.rpc("expose.add", port=port, to=[second.self_id()], udp=True)
    made = second.rpc("forward.add", listen=listen, peer=first.self_id(), port=port, udp=True)
    host, local = made["listen"].rsplit(":", 1)
    return made, (host.strip("[]"), int(local))


def ask(s, to, data):
    s.sendto(data, to)
    return s.recvfrom(65535)[0]


def test_datagrams_of_every_size_come_back(pair, echo):
    _, to = forward(pair, echo)
    s = udp()
    for size in (0, 1, 500, 1100, 1200, 1500, 9000, 60000):
        data = os.urandom(size)
        assert ask(s, to, data) == b">" + data


def test_each_program_gets_its_own_answers(pair, echo):
    made, to = forward(pair, echo)
    programs = [udp() for _ in range(20)]
    for i, s in enumerate(programs):
        s.sendto(b"%d" % i, to)
    for i, s in enumerate(programs):
        assert s.recv(100) == b">%d" % i
    shown = pair[1].rpc("forward.list")["forwards"][0]
    assert shown["id"] == made["id"] and shown["open"] == 20 and shown["total"] == 20


def test_it_listens_on_v6(pair, echo):
    _, to = forward(pair, echo, listen="[::1]:0")
    assert ask(udp("::1"), to, b"six") == b">six"


def test_nobody_reaches_what_is_not_exposed(pair, echo):
    first, second = pair
    made, to = forward(pair, echo, expose=False)
    s = udp()
    s.sendto(b"hello", to)
    assert wait_until(lambda: second.rpc("forward.list")["forwards"][0]["last_error"], 10)
    row = second.rpc("forward.list")["forwards"][0]
    assert row["last_error"].startswith("not_allowed: ")
    assert f"omerta expose {echo} --udp --to {second.self_id()}" in row["last_error"]
    s.setblocking(False)
    with pytest.raises(BlockingIOError):
        s.recv(1)
    first.rpc("expose.add", port=echo, to=[second.self_id()])  # of TCP: no help
    s.setblocking(True)
    s.settimeout(0.5)
    s.sendto(b"hello", to)
    with pytest.raises(TimeoutError):
        s.recv(1)
    first.rpc("expose.add", port=echo, to=[second.self_id()], udp=True)
    s.settimeout(10)
    assert ask(s, to, b"hello") == b">hello"  # the control
    assert second.rpc("forward.list")["forwards"][0]["last_error"] == ""


def test_many_programs_leave_room_for_others(pair, echo):
    first, second = pair
    _, to = forward(pair, echo)
    with servers.serving(servers.echo) as port:
        first.rpc("expose.add", port=port, to=[second.self_id()])
        made = second.rpc("forward.add", listen="127.0.0.1:0", peer=first.self_id(), port=port)
        programs = [udp() for _ in range(1100)]
        for i, s in enumerate(programs):
            assert ask(s, to, b"%d" % i) == b">%d" % i
        assert second.rpc("forward.list")["forwards"][0]["open"] == 512
        assert ask(programs[0], to, b"again") == b">again"  # it had given way
        local = int(made["listen"].rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", local), 10) as c:
            c.sendall(b"x")
            assert c.recv(1) == b"x"
    for s in programs:
        s.close()


def test_a_flow_at_rest_ends(pair, echo):
    """After two minutes (RFC 4787); one that is used, the control, does not."""
    _, to = forward(pair, echo)
    rest, used = udp(), udp()
    assert ask(rest, to, b"once") == b">once" and ask(used, to, b"once") == b">once"
    used.settimeout(5)
    begin = time.monotonic()

    def flows():
        used.sendto(b"again", to)
        assert used.recv(100) == b">again"
        return [side.rpc(method)[key][0]["open"] for side, method, key in
                ((pair[1], "forward.list", "forwards"), (pair[0], "expose.list", "exposed"))]

    assert flows() == [2, 2]
    assert wait_until(lambda: flows() == [1, 1], 150)
    assert 115 < time.monotonic() - begin < 150
    assert ask(rest, to, b"anew") == b">anew"


def test_removing_ends_the_flows(pair, echo):
    first, second = pair
    _, to = forward(pair, echo)
    s = udp()
    assert ask(s, to, b"one") == b">one"
    rule = first.rpc("expose.list")["exposed"][0]
    assert rule["open"] == 1 and rule["udp"] is True
    first.rpc("expose.remove", id=rule["id"])
    assert wait_until(lambda: second.rpc("forward.list")["forwards"][0]["open"] == 0, 10)
    s.sendto(b"two", to)
    s.settimeout(0.5)
    with pytest.raises(TimeoutError):
        s.recv(1)
    second.rpc("forward.remove", id=second.rpc("forward.list")["forwards"][0]["id"])
    assert second.rpc("forward.list")["forwards"] == []


def test_a_taken_port_is_named(pair, echo):
    first, second = pair
    taken = udp()
    port = taken.getsockname()[1]
    code, _, err = second.cli("forward", "add", "-u", "-L", f"{port}:{first.self_id()}:{echo}")
    assert code != 0 and "another program listens there" in err
    code, _, _ = second.cli("forward", "add", "-u", "-L", f"0:{first.self_id()}:{echo}")
    assert code == 0
