"""The consumer gets into its virtual machines, and they reach what it lets them reach."""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import http.server
import os
import pty
import select
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from daemon import RpcError, program
from fixtures import ALONE
from omerta_lab import wait_until
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, SSH_SECONDS, assert_nothing_left,
                   counter, give_image, inside, omerta, provided, qemus, running, sitting,
                   start_counter, wanted)

ALIVE_SECONDS = 5
HERE = "10.77.1.1"  # the consumer, as the first machine of a provider sees it
GUEST_SSH = "10.77.1.2:22"


class Handler(http.server.BaseHTTPRequestHandler):
    """Always the same file."""

    def do_GET(self):  # noqa: N802 - http.server's name
        """One file for all."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        """Not on the terminal."""


@contextlib.contextmanager
def web(body):
    """An HTTP server on the loopback; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.body = body
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(port):
    """For the guest: the file at @port of the consumer, or why not. Its wget ends badly with -T."""
    return f"wget -q -O - http://$(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p')" \
           f":{port}/ 2>&1"


def test_ways_in(three, tmp_path):
    """ssh, which waits for one that boots, scp both ways, ssh by the name alone; the exit code is
    the guest's."""
    provider, consumer, _ = three
    peer = provider.self_id()
    assert "no such virtual machine" in omerta(consumer, "vm", "ssh", "lab1", "true").stderr
    with consumer.control() as control:
        early = control.rpc("vm.request", peer=peer, name="early", **SMALL)["vm"]
        done = omerta(consumer, "vm", "ssh", "early", "hostname", seconds=BOOT_SECONDS)
        assert done.returncode == 0 and done.stdout.strip() == early, done
        assert "waiting until it runs" in done.stderr, done
        control.rpc("vm.release", vm=early)
        done = omerta(consumer, "vm", "ssh", early, "true")
        assert done.returncode and ("not running" in done.stderr or "no such" in done.stderr), done
    done = omerta(consumer, "vm", "request", "--provider", f"127.0.0.1:{provider.port}", "--memory",
                  "192M", "--name", "lab1", "--wait", seconds=BOOT_SECONDS)
    assert done.returncode == 0, (done.stdout, done.stderr)
    vm = wanted(consumer)[0]["vm"]
    assert wanted(consumer)[0]["provider"] == peer
    config = os.path.join(consumer.home, "ssh", "config")
    assert "omerta vm ssh lab1" in done.stdout and f'Include {config}"' in done.stdout

    assert inside(consumer, "lab1", "uname -a").startswith(f"Linux {vm} ")
    assert inside(consumer, vm[:6], "hostname; id -u").split() == [vm, "0"]
    inside(consumer, "lab1", "exit 7", code=7)
    for name in ("id_ed25519", "config", "vm_known_hosts"):
        assert os.stat(os.path.join(consumer.home, "ssh", name)).st_mode & 0o777 == 0o600
    assert not os.path.exists(os.path.join(consumer.home, "ssh", "known_hosts"))

    body = os.urandom(20 * 1024 * 1024)
    (tmp_path / "there").write_bytes(body)
    done = omerta(consumer, "vm", "cp", str(tmp_path / "there"), "lab1:/root/file",
                  seconds=BOOT_SECONDS)
    assert done.returncode == 0, done.stderr
    assert inside(consumer, "lab1", "sha256sum /root/file").split()[0] == \
        hashlib.sha256(body).hexdigest()
    done = omerta(consumer, "vm", "cp", "lab1:/root/file", str(tmp_path / "back"),
                  seconds=BOOT_SECONDS)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == body

    # Plain OpenSSH, which knows nothing but the fragment.
    for host in ("lab1", vm):
        done = subprocess.run(["ssh", "-F", config, "-o", "BatchMode=yes", host, "hostname"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=SSH_SECONDS)
        assert done.returncode == 0 and done.stdout.strip() == vm, done.stderr

    # The host key is the one that the provider told, and no other is taken.
    known = os.path.join(consumer.home, "ssh", "vm_known_hosts")
    with open(known, encoding="ascii") as file:
        text = file.read()
    with open(known, "w", encoding="ascii") as file:
        file.write(text.replace("AAAAC3NzaC1lZDI1NTE5AAAAI", "AAAAC3NzaC1lZDI1NTE5AAAAJ"))
    done = omerta(consumer, "vm", "ssh", "lab1", "true")
    assert done.returncode == 255 and "verification failed" in done.stderr

    done = omerta(consumer, "vm", "release", "lab1")
    assert done.returncode == 0, done.stderr

    def forgotten():
        with open(config, encoding="ascii") as file:
            return "Host " not in file.read()

    assert wait_until(forgotten, 10)
    assert omerta(consumer, "vm", "ssh", "lab1", "true").returncode == 2
    assert_nothing_left(provider)


def test_what_it_reaches(three):
    """Ports that were exposed to the machine, and nothing else of the consumer or the provider."""
    provider, consumer, other = three
    peer = provider.self_id()
    with web(b"from the consumer") as port, web(b"not for you") as closed:
        consumer.rpc("expose.add", port=closed, to=[peer])  # for the provider, not its machines
        provider.rpc("expose.add", port=closed, to=[consumer.self_id()])
        with_port = running(consumer, "with", peer=peer, expose=[port])
        without = running(consumer, "without", peer=peer)
        assert inside(consumer, "with", fetch(port)) == "from the consumer"
        for name, to in (("without", port), ("with", closed)):
            assert "No route to host" in inside(consumer, name, fetch(to), code=1)
        shown = [r for r in consumer.rpc("expose.list")["exposed"] if r.get("machine")]
        assert {(r["machine"], r["port"], r["udp"]) for r in shown} == {
            (with_port, port, False), (with_port, port, True)}

        # The internet, and names of it: neither, as it was not asked for.
        assert inside(consumer, "with", "nslookup example.org 2>&1; true").lower().count(
            "refused") >= 1
        assert "No route to host" in inside(consumer, "with", "wget -O - http://192.0.2.1/ 2>&1",
                                            code=1)
        # A third node cannot use the machine, not even by its name.
        with pytest.raises(RpcError):
            other.rpc("vm.release", vm=with_port, peer=peer)
        done = omerta(other, "nc", with_port, "22")
        assert done.returncode != 0 and done.stdout == "", done
        for vm in (with_port, without):
            consumer.rpc("vm.release", vm=vm)
        assert wait_until(lambda: not wanted(consumer), END_SECONDS)
        assert not [r for r in consumer.rpc("expose.list")["exposed"] if r.get("machine")]
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    assert_nothing_left(provider)


def terminal(argv, daemon, rows, columns):
    """@argv on a terminal of its own: the process, and our end."""
    mine, its = pty.openpty()
    resize(mine, rows, columns)
    process = subprocess.Popen(argv, env=dict(os.environ, OMERTA_HOME=daemon.home, TERM="vt100"),
                               stdin=its, stdout=its, stderr=its, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(its)
    return process, mine


def resize(fd, rows, columns):
    """As a window that its user draws larger."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def read_until(fd, wanted_bytes, seconds=SSH_SECONDS):
    """What came up to @wanted_bytes, and with it."""
    came, end = b"", time.monotonic() + seconds
    while wanted_bytes not in came:
        left = end - time.monotonic()
        assert left > 0 and select.select([fd], [], [], left)[0], came
        piece = os.read(fd, 4096)
        assert piece, came
        came += piece
    return came


def test_terminal(three):
    """A shell on a terminal, whose size follows that of the window."""
    provider, consumer, _ = three
    running(consumer, "lab1", peer=provider.self_id())
    shell, fd = terminal([program("omerta"), "vm", "ssh", "lab1"], consumer, 33, 101)
    try:
        read_until(fd, b"# ")
        os.write(fd, b"stty size\n")
        read_until(fd, b"33 101")  # and maybe the next prompt
        resize(fd, 44, 122)
        # The new size is on its way: asked again until it came.
        os.write(fd, b"until [ \"$(stty size)\" = '44 122' ]; do :; done; echo si''ze\n")
        read_until(fd, b"size\r\n")
        os.write(fd, b"exit 5\n")
        assert shell.wait(SSH_SECONDS) == 5
    finally:
        shell.kill()
        shell.wait()
        os.close(fd)


def test_disk_full(three):
    """A guest that fills its disk hears of it, and lives on."""
    provider, consumer, _ = three
    running(consumer, "lab1", peer=provider.self_id(), disk="64M")
    out = inside(consumer, "lab1", "d=$(df -k | awk '/^\\/dev\\/vd/ {print $6}' | head -1); "
                 "dd if=/dev/zero of=$d/big bs=1M 2>&1; echo \"code $?\"; ls -l $d/big")
    assert "No space left" in out and "code 1" in out, out
    assert inside(consumer, "lab1", "echo alive") == "alive\n"
    assert provided(provider)[0]["state"] == "running"


def test_datagrams(three):
    """UDP, too, goes to a port that was exposed, and no other machine's."""
    provider, consumer, _ = three
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        running(consumer, "with", peer=provider.self_id(), expose=[port])
        running(consumer, "without", peer=provider.self_id())

        def send(name, text):
            route = "$(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p')"
            omerta(consumer, "vm", "ssh", name, f"timeout 3 tftp -g -r {text} {route} {port}")

        send("without", "closed")
        send("with", "open")
        server.settimeout(SSH_SECONDS)
        heard, sender = server.recvfrom(2048)
        assert b"open" in heard, heard
        server.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                assert b"closed" not in server.recv(2048)
        assert sender[0] == "127.0.0.1"


def test_forward(three):
    """A port here that leads to one of the machine, by either command; not for another node."""
    provider, consumer, other = three
    vm = running(consumer, "lab1", peer=provider.self_id())
    inside(consumer, "lab1", "(while :; do echo hello from $(hostname) | nc -l -p 8080; done) "
           ">/dev/null 2>&1 </dev/null &")
    done = omerta(consumer, "vm", "forward", "lab1", "0:8080")
    assert done.returncode == 0 and f"leads to port 8080 of {vm}" in done.stdout, done.stderr
    done = omerta(consumer, "forward", "add", "-L", "0:lab1:8080")
    assert done.returncode == 0 and f"leads to port 8080 of {vm}" in done.stdout, done.stderr
    rules = consumer.rpc("forward.list")["forwards"]
    assert [r["link"] for r in rules] == [vm, vm]

    def says(daemon_rule):
        address, port = daemon_rule["listen"].rsplit(":", 1)
        try:
            with socket.create_connection((address, int(port)), SSH_SECONDS) as client:
                return client.makefile("rb").read() == f"hello from {vm}\n".encode()
        except ConnectionResetError:  # nobody listens at this moment
            return False

    for rule in rules:
        assert wait_until(lambda rule=rule: says(rule), SSH_SECONDS)
    row = other.rpc("forward.add", listen="127.0.0.1:0", peer=provider.self_id(), link=vm,
                    port=8080)
    assert not says(row)
    last = [r for r in other.rpc("forward.list")["forwards"] if r["id"] == row["id"]][0]
    assert "not_allowed" in last["last_error"]


@contextlib.contextmanager
def sink():
    """A port of the loopback that takes whatever is said to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def run():
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in held:
                client.close()


def standing(consumer, end):
    """How many connections the guest has of which @end, in words of netstat, is an end."""
    asked = f"netstat -tn | grep ' {end} ' | grep -c ESTABLISHED; true"
    return int(inside(consumer, "lab1", asked))


def test_provider_is_killed(three):
    """SIGKILL of the provider's daemon: the guest counts on, what is open ends, new ssh works."""
    provider, consumer, _ = three
    with sink() as port:
        to_sink = f"{HERE}:{port}"
        running(consumer, "lab1", peer=provider.self_id(), expose=[port])
        start_counter(consumer, "lab1")
        inside(consumer, "lab1", f"(while echo x; do usleep 500000; done | nc {HERE} {port}; "
               "touch /tmp/ended) >/dev/null 2>&1 </dev/null &")
        inside(consumer, "lab1", f"sleep 10000 | nc {HERE} {port} >/dev/null 2>&1 &")  # only reads
        pid = provided(provider)[0]["pid"]
        before = counter(consumer, "lab1")
        with sitting(consumer, "lab1") as ssh:
            asked = time.monotonic()
            inside(consumer, "lab1", "test ! -e /tmp/ended")
            one_ssh = time.monotonic() - asked
            assert standing(consumer, to_sink) == 2
            assert standing(consumer, GUEST_SSH) == 2  # what asks this, too
            provider.kill()
            assert qemus(provider) == [pid]
            provider.start()
            back = time.monotonic()
            assert ssh.wait(END_SECONDS) == 255
            reset_after = time.monotonic() - back
        assert wait_until(lambda: omerta(consumer, "vm", "ssh", "lab1", "true").returncode == 0,
                          SSH_SECONDS)
        in_after = time.monotonic() - back
        assert wait_until(lambda: omerta(consumer, "vm", "ssh", "lab1", "test -e /tmp/ended")
                          .returncode == 0, SSH_SECONDS)
        guest_after = time.monotonic() - back
        assert wait_until(lambda: standing(consumer, to_sink) == 0 and
                          standing(consumer, GUEST_SSH) == 1, SSH_SECONDS)
        silent_after = time.monotonic() - back
    print(f"after the daemon was back: reset {reset_after:.1f} s, in again {in_after:.1f} s, "
          f"the guest's connection ended {guest_after:.1f} s, one that only reads "
          f"{silent_after:.1f} s")
    assert counter(consumer, "lab1") > before and qemus(provider) == [pid]
    # Four questions by ssh are in it, which on a busy machine take what they take.
    assert max(reset_after, in_after, guest_after, silent_after) < ALIVE_SECONDS + 4 * one_ssh


def nic_of(pid):
    """The card's end, in QEMU @pid, of the connection to the daemon."""
    pidfd_getfd, libc = 438, ctypes.CDLL(None, use_errno=True)
    who = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            fd = libc.syscall(pidfd_getfd, who, int(name), 0)
            if fd < 0 and ctypes.get_errno() == errno.EPERM:
                pytest.skip("this user may not take sockets of processes")
            if fd < 0:
                continue
            with contextlib.suppress(OSError), socket.socket(fileno=fd) as taken:
                path = taken.getsockname()
                taken.getpeername()
                if isinstance(path, str) and path.endswith("/nic.sock"):
                    return taken.dup()
    finally:
        os.close(who)
    return None


def test_card_is_plugged_in_again(three):
    """The connection of the card ends while both sides live: there is another one."""
    provider, consumer, _ = three
    running(consumer, "lab1", peer=provider.self_id())
    first = provider.rpc("links.list")["links"][0]["id"]
    with nic_of(provided(provider)[0]["pid"]) as taken:
        taken.shutdown(socket.SHUT_RDWR)
    assert wait_until(lambda: [k["id"] for k in provider.rpc("links.list")["links"]] not in
                      ([], [first]), 20)
    assert wait_until(lambda: omerta(consumer, "vm", "ssh", "lab1", "true").returncode == 0,
                      SSH_SECONDS)
    assert len(provider.rpc("links.list")["links"]) == 1


def test_consumer_is_killed(three):
    """SIGKILL of the consumer's daemon: the machine stays its own, with all that it may reach."""
    provider, consumer, _ = three
    with web(b"still here") as port:
        vm = running(consumer, "lab1", peer=provider.self_id(), expose=[port])
        consumer.kill()
        consumer.start()
        assert [(m["vm"], m["name"]) for m in wanted(consumer)] == [(vm, "lab1")]
        assert wait_until(lambda: omerta(consumer, "vm", "ssh", "lab1", "true").returncode == 0,
                          SSH_SECONDS)
        assert inside(consumer, "lab1", fetch(port)) == "still here"


def test_many(three, image):
    """Three machines of one consumer and one of its provider at it, at once."""
    provider, consumer, _ = three
    room = {"vms": 3, "cpus": 3, "memory": "1G", "disk": "1G"}
    provider.rpc("provide.set", on=True, to=[consumer.self_id()], **room)
    give_image(consumer, image)
    consumer.rpc("provide.set", on=True, to=[provider.self_id()], **room)
    asked = [(consumer, provider, f"lab{i}") for i in (1, 2, 3)] + [(provider, consumer, "back")]
    ids = {}
    with consumer.control() as mine, provider.control() as its:
        for who, whom, name in asked:
            control = mine if who is consumer else its
            control.rpc("vm.request", peer=whom.self_id(), name=name, memory="128M")
        for who, _, name in asked:
            assert wait_until(lambda who=who, name=name: [
                m["state"] for m in wanted(who) if m["name"] == name] == ["running"], BOOT_SECONDS)
            ids[name] = [m["vm"] for m in wanted(who) if m["name"] == name][0]
    assert len(set(ids.values())) == 4
    for who, _, name in asked:
        assert inside(who, name, "hostname").strip() == ids[name]
    for who in (consumer, provider):
        done = omerta(who, "vm", "release", "--all", seconds=BOOT_SECONDS)
        assert done.returncode == 0, done.stderr
        assert wanted(who) == []
    for who in (consumer, provider):
        assert wait_until(lambda who=who: not provided(who), END_SECONDS)
        assert_nothing_left(who)


def test_own_machine(make, image):
    """One node that is provider and consumer: the same ways in, and out."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    alone.rpc("provide.set", on=True, **ROOM)
    with web(b"from myself") as port:
        vm = running(alone, "mine", expose=[port])
        assert inside(alone, "mine", "hostname").strip() == vm
        assert inside(alone, "mine", fetch(port)) == "from myself"
        inside(alone, "mine", "(while :; do echo hello | nc -l -p 8080; done) "
               ">/dev/null 2>&1 </dev/null &")
        assert wait_until(lambda: omerta(alone, "nc", "mine", "8080").stdout == "hello\n",
                          SSH_SECONDS)
        done = omerta(alone, "vm", "forward", vm, "127.0.0.1:0:22")
        assert done.returncode == 0, done.stderr
        host, at = alone.rpc("forward.list")["forwards"][0]["listen"].rsplit(":", 1)
        with socket.create_connection((host, int(at)), SSH_SECONDS) as client:
            assert client.recv(4) == b"SSH-"
    done = omerta(alone, "vm", "release", "mine", seconds=BOOT_SECONDS)
    assert done.returncode == 0, done.stderr
    assert_nothing_left(alone)
