"""Ports of a peer: forwards, the proxy, what is exposed, and what is refused."""

import contextlib
import hashlib
import os
import socket
import struct
import subprocess
import threading

import pytest

import servers
from daemon import Daemon, program, wait_until
from fixtures import ALONE, need
from tunnel_pair import (connect, expose, exactly, failing, forward, http_connect, is_reset, named,
                         proxy, read_all, socks, told, two)  # noqa: F401

MIB = 1 << 20


@pytest.fixture
def echoed(two):
    """ann exposes an echo server to ben: (ann, ben, its port, the number of what is exposed)."""
    ann, ben = two
    with servers.serving(servers.echo) as port:
        row = expose(ann, str(port), "--to", "ben")
        yield ann, ben, port, row["id"]


def nc(daemon, peer, port, said=b""):
    """omerta nc: (exit, stdout, stderr)."""
    done = subprocess.run([program("omerta"), "--home", daemon.home, "nc", peer, str(port)],
                          input=said, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def ask(port, said=b"hello", address="127.0.0.1"):
    """Says something and ends; what comes back."""
    with connect(port, address) as s:
        s.sendall(said)
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


@pytest.mark.parametrize("bind, address", [("0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1"),
                                           ("127.0.0.2:0", "127.0.0.2"), ("[::1]:0", "::1")])
def test_a_forward_listens_where_it_is_told(echoed, bind, address):
    _, ben, port, _ = echoed
    local, _ = forward(ben, f"{bind}:ann:{port}")
    assert ask(local, address=address) == b"hello"
    other = "127.0.0.3" if address != "::1" else "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        connect(local, other)


def test_an_exposed_port_leads_elsewhere(two):
    ann, ben = two
    with servers.serving(servers.echo, "127.0.0.7") as port:
        expose(ann, f"7:127.0.0.7:{port}", "--to", ben.self_id())
        assert ask(forward(ben, "0:ann:7")[0]) == b"hello"
        assert nc(ben, "ann", 7, b"hello")[:2] == (0, b"hello")


def test_each_half_closes_on_its_own(two):
    ann, ben = two
    seen = threading.Event()

    def first_they(connection):
        """Ends what it says before it has heard anything."""
        connection.sendall(b"banner")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"after your end"
        seen.set()

    def first_we(connection):
        """Says nothing until the other has ended."""
        said = read_all(connection)
        connection.sendall(said.upper())

    with servers.serving(first_they) as they, servers.serving(first_we) as we:
        expose(ann, str(they), "--to", "ben")
        expose(ann, str(we), "--to", "ben")
        with connect(forward(ben, f"0:ann:{they}")[0]) as s:
            assert read_all(s) == b"banner"
            s.sendall(b"after your end")
            s.shutdown(socket.SHUT_WR)
            assert seen.wait(20)
        assert sha(ask(forward(ben, f"0:ann:{we}")[0], b"x" * MIB)) == sha(b"X" * MIB)


def test_one_that_ends_leaves_the_others(echoed):
    _, ben, port, _ = echoed
    local, _ = forward(ben, f"0:ann:{port}")
    with connect(local) as stays:
        for is_abrupt in (False, True):
            with connect(local) as goes:
                goes.sendall(b"once")
                assert exactly(goes, 4) == b"once"
                if is_abrupt:
                    goes.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert wait_until(lambda: told(ben, "forward", "list")["forwards"][0]["open"] == 1, 20)
            stays.sendall(b"still")
            assert exactly(stays, 5) == b"still"


def test_names_of_the_proxy(echoed):
    ann, ben, port, _ = echoed
    at = proxy(ben)
    for name in ("ann", ann.self_id(), ann.self_id()[:12]):
        for host in (f"{name}.omerta", f"{name}.default.omerta"):
            answer, s = socks(at, host, port)
            assert answer == "ok", host
            with s:
                s.sendall(b"hello")
                assert exactly(s, 5) == b"hello"
    assert http_connect(at, "ann.omerta", port).startswith("HTTP/1.1 200")
    for host in ("nobody.omerta", "ann.elsewhere.omerta", "x.y.z.omerta"):
        assert socks(at, host, port)[0] == "no host", host


def test_a_refused_port_is_reset(two):
    ann, ben = two
    port = servers.free_tcp_port()
    expose(ann, str(port), "--to", "ben")
    local, _ = forward(ben, f"0:ann:{port}")
    assert is_reset(local)
    at = proxy(ben)
    assert socks(at, "ann.omerta", port)[0] == "refused"
    assert " 502 " in http_connect(at, "ann.omerta", port)
    code, _, err = nc(ben, "ann", port)
    assert code == 1 and "refused" in err, err
    rows = told(ben, "forward", "list")["forwards"]
    assert rows[0]["failed"] == 1 and "refused" in rows[0]["last_error"], rows


def test_what_is_not_exposed_is_not_reached(echoed):
    ann, ben, port, number = echoed
    at = proxy(ben)
    local, _ = forward(ben, f"0:ann:{port}")
    assert ask(local) == b"hello"
    told(ann, "expose", "remove", str(number))
    expose(ann, str(port), "--to", OTHER)
    assert socks(at, "ann.omerta", port)[0] == "not allowed"
    assert " 403 " in http_connect(at, "ann.omerta", port)
    assert is_reset(local)
    code, _, err = nc(ben, "ann", port)
    assert code == 1 and f"omerta expose {port} --to {ben.self_id()}" in err, err
    # What it says is what helps, and the list of forwards says it as well.
    assert told(ben, "forward", "list")["forwards"][1]["last_error"].endswith(ben.self_id())
    words = err.partition("run: omerta ")[2].split()
    told(ann, *words)
    assert nc(ben, "ann", port, b"hello")[:2] == (0, b"hello")


# An id of nobody: 32 bytes of zero.
OTHER = "a" * 52


def test_what_is_no_longer_exposed_ends(echoed):
    ann, ben, port, number = echoed
    local, _ = forward(ben, f"0:ann:{port}")
    with connect(local) as s:
        s.sendall(b"one")
        assert exactly(s, 3) == b"one"
        told(ann, "expose", "remove", str(number))
        with pytest.raises(ConnectionResetError):
            s.recv(1)
    assert is_reset(local)


def test_a_removed_forward_keeps_what_it_began(echoed):
    _, ben, port, _ = echoed
    local, number = forward(ben, f"0:ann:{port}")
    with connect(local) as s:
        s.sendall(b"one")
        assert exactly(s, 3) == b"one"
        told(ben, "forward", "remove", str(number))
        assert wait_until(lambda: not servers.answers(local))
        s.sendall(b"two")
        assert exactly(s, 3) == b"two"


def test_a_slow_reader_stops_only_itself(echoed):
    ann, ben, port, _ = echoed
    local, _ = forward(ben, f"0:ann:{port}")
    with servers.serving(lambda c: pour(c, 64 * MIB)) as source:
        expose(ann, str(source), "--to", "ben")
        fast, _ = forward(ben, f"0:ann:{source}")
        with connect(fast) as slow:
            slow.recv(1)  # and no more
            data = os.urandom(4 * MIB)
            with connect(local) as s:
                sender = threading.Thread(target=s.sendall, args=(data,), daemon=True)
                sender.start()
                assert sha(exactly(s, len(data))) == sha(data)
                sender.join()
            assert len(read_all(slow)) == 64 * MIB - 1  # the control: it was only slow


def sha(data):
    """What two bytes strings are compared by: it can be shown when they differ."""
    return hashlib.sha256(data).hexdigest()


def pour(connection, n):
    """So many bytes."""
    with contextlib.suppress(OSError):
        connection.sendall(bytes(n))


def test_kept_rules_outlive_the_daemon(echoed):
    ann, ben, port, _ = echoed
    expose(ann, f"9:127.0.0.1:{port}", "--to", "ben", "--keep")
    kept, _ = forward(ben, "0:ann:9", "--keep")
    lost, _ = forward(ben, "0:ann:9")
    at = proxy(ben, "--via", "ann", "--keep")
    for daemon in (ann, ben):
        assert daemon.stop() == 0
        daemon.start()
    assert not servers.answers(lost)
    assert wait_until(lambda: answered(kept), 30)
    assert socks(at, "ann.omerta", 9)[0] == "ok"
    rows = told(ben, "forward", "list")["forwards"]
    assert [(r["port"], r["proxy"], r["keep"]) for r in rows] == [(9, False, True),
                                                                   (rows[1]["port"], True, True)]
    assert len(told(ann, "expose", "list")["exposed"]) == 1
    told(ann, "expose", "remove", str(told(ann, "expose", "list")["exposed"][0]["id"]))
    assert ann.stop() == 0
    assert told(ann.start(), "expose", "list")["exposed"] == []


def answered(port):
    """The echo answers, of a tunnel that may not stand yet."""
    try:
        return ask(port) == b"hello"
    except OSError:
        return False


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1",
                                     "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
                                     "255.255.255.255", "::1", "::", "fd00::1", "fe80::1",
                                     "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
                                     "localhost", "0177.0.0.1", "2130706433"])
def test_the_internet_is_not_our_own_networks(echoed, address):
    ann, ben, port, _ = echoed
    at = proxy(ben, "--via", "ann")
    assert socks(at, "127.0.0.1", port)[0] == "not allowed"  # nothing of the kind is exposed
    expose(ann, "internet", "--to", "ben")
    answer, _ = socks(at, address, port)
    assert answer in ("not allowed", "no host"), answer
    if not address[0].isalpha() and "::" not in address and not address.startswith(("0177", "213")):
        assert answer == "not allowed"


def test_named_ranges_are_reached_all_the_same(echoed):
    ann, ben, port, _ = echoed
    at = proxy(ben, "--via", "ann")
    expose(ann, "internet", "--to", "ben", "--also", "127.0.0.0/8", "--also", "fd00::/64")
    assert told(ann, "expose", "list")["exposed"][-1]["also"] == ["127.0.0.0/8", "fd00::/64"]
    answer, connection = socks(at, "127.0.0.1", port)
    assert answer == "ok"
    connection.sendall(b"x")
    assert exactly(connection, 1) == b"x"
    for address in ("10.0.0.1", "::1", "169.254.169.254", "fd00:0:0:1::1"):
        assert socks(at, address, port)[0] == "not allowed", address
    for words, wanted in ((("internet", "--also", "10.1.2.3/8"), "10.0.0.0/8"),
                          (("internet", "--also", "home"), "home"),
                          (("80", "--also", "10.0.0.0/8"), "only the internet")):
        assert wanted in failing(ann, "expose", *words, "--to", "ben")


def test_without_a_gateway_only_peers(echoed):
    _, ben, port, _ = echoed
    at = proxy(ben)
    assert socks(at, "127.0.0.1", port)[0] == "not allowed"
    assert socks(at, "ann.omerta", port)[0] == "ok"  # the control


@pytest.mark.parametrize("words, wanted", [
    ("expose 80", "--to"),
    ("expose 80 --to *", "open to everybody"),
    ("expose 0 --to ben", '"0": want a port'),
    ("expose 65536 --to ben", '"65536": want a port'),
    ("expose 80: --to ben", "PORT"),
    ("expose 80:host --to ben", "PORT"),
    ("expose 80:host:0 --to ben", '"0": want a port'),
    ("expose everything --to ben", "internet"),
    ("expose internet", "--to"),
    ("expose internet --udp --to ann", "TCP and UDP alike"),
    ("expose listen --max-connections 3 --to ann", "only a port or the internet"),
    ("expose listen --rate 1M --to ann", "only a port or the internet"),
    ("expose 80 --to nobody-here", "nobody-here"),
    ("expose remove", "want the ID"),
    ("expose remove 99", "99"),
    ("expose remove x", "ID"),
    ("expose list more", "more"),
    ("forward add", "-L"),
    ("forward add -L 0:ben:80", "no peer"),
    ("forward add -L 80", "BIND"),
    ("forward add -L 0:ben", "BIND"),
    ("forward add -L 0::80", "BIND"),
    ("forward add -L 0:nobody-here:80", "nobody-here"),
    ("forward add -L 0:ann:0", '"0": want a port from 1 to 65535'),
    ("forward add -L 70000:ann:80", '"70000": want a port from 1 to 65535'),
    ("forward add -L 192.0.2.1:0:ann:80", "192.0.2.1"),
    ("forward add -L name:0:ann:80", "name"),
    ("forward add -L x:ann:80", '"x": want a port'),
    ("forward add -R 80x:ann:80", '"80x": want a port'),
    ("forward add -R 0:ann:x", '"x": want a port'),
    ("forward -L 0:ann:80", "did you mean: forward add -L 0:ann:80"),
    ("forward -R 0:ann:80 --udp", "did you mean: forward add -R 0:ann:80"),
    ("forward list --keep", "forward list takes no --keep"),
    ("forward remove 1 -L 0:ann:80", "forward remove takes no --local"),
    ("forward remove 99", "99"),
    ("forward sideways", "add"),
    ("expose 70000", '"70000": want a port from 1 to 65535'),
    ("expose 80:127.0.0.1:x", '"x": want a port'),
    ("expose listen:x", '"x": want a port'),
    ("expose list --to ann", "expose list takes no --to"),
    ("expose usage --to ann", "expose usage takes no --to"),
    ("expose remove 1 --udp", "expose remove takes no --udp"),
    ("dns x", '"x": want a port'),
    ("dns 127.0.0.1:70000", '"70000": want a port'),
    ("proxy 70000", '"70000": want a port'),
    ("proxy x", '"x": want a port'),
    ("proxy 127.0.0.1", "127.0.0.1"),
    ("proxy 0 --via nobody-here", "nobody-here"),
    ("proxy 0 1", "1"),
    ("nc ann", "nc: want PEER PORT"),
    ("nc ann 0", "port"),
    ("nc ann 70000", "port"),
    ("nc nobody-here 80", "nobody-here"),
    ("ssh", "ssh: want [-p PORT] [USER@]PEER"),
    ("cp one", "cp: want [-r]"),
])
def test_bad_words_get_one_sentence(bad, words, wanted):
    assert wanted in failing(bad, *words.split())


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """ben, who knows ann, for all bad words together."""
    need("omerta", "omerta-meshd")
    folder = tmp_path_factory.mktemp("om")
    ann = Daemon(folder / "ann", [*ALONE, "--name", "ann"])
    ben = Daemon(folder / "ben", [*ALONE, "--name", "ben"])
    try:
        ben.args += ann.start().bootstrap()
        ben.start()
        assert wait_until(lambda: named(ben, "ann"), 20)
        yield ben
    finally:
        ben.end()
        ann.end()


@pytest.mark.parametrize("words, again, other", [
    ("80", "80", "81"), ("80", "80:127.0.0.2:90", "80 --udp"), ("80 --udp", "80 --udp", "80"),
    ("80", "80 --rate 1M", "81"), ("internet", "internet --also 10.0.0.0/8", "80"),
    ("listen", "listen", "listen --udp"), ("listen:1234", "listen:127.0.0.1:1234", "listen:1235")])
def test_one_thing_is_exposed_once(bad, words, again, other):
    """Another rule for it may only be for other peers: of two only the older would be used."""
    ids = [letter * 51 + "a" for letter in "abc"]
    made = [told(bad, "expose", *words.split(), "--to", ids[0], "--to", ids[0], "--to", "ann")]
    try:
        assert made[0]["to"][:1] == ids[:1] and len(made[0]["to"]) == 2, "each peer once"
        number = made[0]["id"]
        for to in (ids[:1], ids[1::-1]):
            said = failing(bad, "expose", *again.split(), *[w for i in to for w in ("--to", i)])
            assert f"exists as {number}: omerta expose remove {number}" in said
        made.append(told(bad, "expose", *again.split(), "--to", ids[1], "--to", ids[2]))
        made.append(told(bad, "expose", *other.split(), "--to", ids[0]))  # the control
    finally:
        for row in made:
            told(bad, "expose", "remove", str(row["id"]))
    assert told(bad, "expose", "list")["exposed"] == []


def test_brackets_around_v6_are_no_part_of_it(two):
    ann, ben = two
    with servers.serving(servers.echo, "::1") as port:
        row = expose(ann, f"7:[::1]:{port}", "--to", "ben")
        assert row["host"] == "::1"
        assert ask(forward(ben, "0:ann:7")[0]) == b"hello"
        expose(ann, "internet", "--to", "ben", "--also", "::1/128")
        row = ben.rpc("forward.add", listen="0", peer=ann.self_id(), host="[::1]", port=port)
        assert ask(int(row["listen"].rpartition(":")[2])) == b"hello"


def line(daemon, *argv, wants_err=""):
    """The one line that omerta @argv says when all is well."""
    code, out, err = daemon.cli(*argv)
    assert code == 0 and err == wants_err and out.count("\n") == 1, (argv, code, out, err)
    return out.strip()


def test_what_is_added_is_said(two):
    ann, ben = two
    whom, of = f"ben ({ben.self_id()[:10]})", f"ann ({ann.self_id()[:10]})"
    fleeting = ", until a restart (--keep keeps it)"
    to = ["--to", "ben"]
    assert line(ann, "expose", "80", *to) == f"port 80 is open to {whom}; number 1{fleeting}"
    assert line(ann, "expose", "80", "-u", "-k", *to) == f"port 80/udp is open to {whom}; number 2"
    assert line(ann, "expose", "internet", "--also", "10.0.0.0/8", *to) == (
        f"the internet is open through here to {whom}; number 3{fleeting}")
    assert line(ann, "expose", "listen", *to) == (
        f"we listen at 127.0.0.1, any port from 1024, for {whom} if they ask; number 4{fleeting}")
    assert line(ann, "expose", "listen:localhost:9010", *to) == (
        f"we listen at 127.0.0.1:9010 for {whom} if they ask; number 5{fleeting}")
    assert line(ann, "expose", "81:::1:82", *to).startswith(f"port 81 is open to {whom}; number 6")
    code, out, _ = ann.cli("expose", "list")
    assert code == 0
    rows = out.splitlines()
    assert rows[0].split() == ["ID", "WHAT", "TO", "KEEP", "RATE", "OPEN", "TOTAL", "FAILED",
                               "SENT", "RECEIVED"]
    wanted = ["tcp 80 -> 127.0.0.1:80", "udp 80 -> 127.0.0.1:80", "internet + 10.0.0.0/8",
              "listen 127.0.0.1, any port", "listen 127.0.0.1:9010", "tcp 81 -> [::1]:82"]
    for number, (row, text) in enumerate(zip(rows[1:], wanted, strict=True), 1):
        keep = "yes" if number == 2 else "no"
        assert row.split()[:1] == [str(number)] and f" {text} " in row, row
        assert row.partition(whom)[2].split()[0] == keep, row
    assert max(len(row) for row in rows) < 120, out
    said = line(ben, "forward", "add", "-L", "localhost:0:ann:80")
    assert said.startswith("127.0.0.1:") and f" leads to port 80 of {of}; number 1" in said, said
    assert line(ben, "forward", "add", "-k", "-L", "*:0:ann:80").startswith("0.0.0.0:")
    rows = ben.cli("forward", "list")[1].splitlines()
    at = rows[0].index("KEEP")
    assert [row[at:at + 4].strip() for row in rows[1:]] == ["no", "yes"], rows


def test_a_proxy_for_all_is_warned_of(two, folder):
    _, ben = two
    warning = ("omerta: whoever reaches this port may use it: --user NAME asks for a password\n")
    assert "0.0.0.0:" in line(ben, "proxy", "0.0.0.0:0", wants_err=warning)
    assert "[::]:" in line(ben, "proxy", "[::]:0", wants_err=warning)
    line(ben, "proxy", "0")
    line(ben, "proxy", "[::1]:0")
    secret = os.path.join(folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("opensesame\n")
    line(ben, "proxy", "0.0.0.0:0", "--user", "ann", "--password-file", secret)


def test_two_do_not_listen_at_one_port(echoed):
    _, ben, port, _ = echoed
    local, number = forward(ben, f"0:ann:{port}")
    taken = f"taken by forward {number}"
    assert taken in failing(ben, "forward", "add", "-L", f"{local}:ann:{port}")
    assert taken in failing(ben, "forward", "add", "-L", f"0.0.0.0:{local}:ann:{port}")
    assert taken in failing(ben, "proxy", str(local)) and taken in failing(ben, "dns", str(local))
    udp = told(ben, "forward", "add", "-L", f"{local}:ann:{port}", "--udp")["id"]
    said = failing(ben, "forward", "add", "-L", f"{local}:ann:{port}", "--udp")
    assert f"taken by forward {udp}" in said
    with socket.create_server(("127.0.0.1", 0)) as other:  # the control
        said = failing(ben, "proxy", str(other.getsockname()[1]))
        assert "another program listens there" in said


def test_an_error_of_several_lines_is_one_in_the_list(two):
    """What a browser is told that takes the proxy for a web server."""
    _, ben = two
    with connect(proxy(ben)) as s:
        s.sendall(b"GET http://ann.omerta/ HTTP/1.1\r\nHost: ann.omerta\r\n\r\n")
        told_it = read_all(s)
    assert b"this port is a proxy" in told_it and b"\ncurl" in told_it, told_it
    row = ben.rpc("forward.list")["forwards"][0]
    assert "for example curl" in row["last_error"] and "\\x" not in row["last_error"], row


def test_an_error_is_forgotten_once_it_works(two):
    ann, ben = two
    with servers.serving(servers.echo) as port:
        local, _ = forward(ben, f"0:ann:{port}")
        assert is_reset(local)
        row = ben.rpc("forward.list")["forwards"][0]
        assert "not_allowed" in row["last_error"] and row["failed"] == 1
        expose(ann, str(port), "--to", "ben")
        assert ask(local) == b"hello"
        row = ben.rpc("forward.list")["forwards"][0]
        assert row["last_error"] == "" and row["failed"] == 1
