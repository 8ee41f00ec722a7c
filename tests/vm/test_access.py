"""The consumer gets into its virtual machines, and they reach what it lets them reach."""

import contextlib
import hashlib
import http.server
import os
import pty
import re
import select
import socket
import subprocess
import threading
import time
import fcntl
import struct
import termios

import pytest

from daemon import RpcError, program
from fixtures import ALONE
from omerta_lab import die_with_parent, wait_until
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, SMALL, assert_nothing_left, give_image,
                   has_session, provided, qemus, until, wanted)

SSH_SECONDS = 60
ALIVE_SECONDS = 5


def omerta(daemon, *argv, seconds=SSH_SECONDS, **options):
    """The command line in the home of @daemon, to its end."""
    return subprocess.run([program("omerta"), *argv], env=dict(os.environ, OMERTA_HOME=daemon.home),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=seconds, preexec_fn=die_with_parent, **options)


def inside(daemon, vm, command, code=0):
    """What @command prints in the guest."""
    done = omerta(daemon, "vm", "ssh", vm, command)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout


def running(daemon, name, **words):
    """Asks for a machine called @name, and waits until it runs; its id."""
    with daemon.control() as control:
        control.rpc("vm.request", name=name, **{**SMALL, **words})
        return until(control, "running")["vm"]


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
    """ssh, scp both ways, ssh by the name alone; the exit code is the guest's."""
    provider, consumer, _ = three
    peer = provider.self_id()
    done = omerta(consumer, "vm", "request", "--provider", peer, "--memory", "192M", "--name",
                  "lab1", "--wait", seconds=BOOT_SECONDS)
    assert done.returncode == 0, (done.stdout, done.stderr)
    vm = wanted(consumer)[0]["vm"]
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
