"""servers.py - real servers on the loopback, for what tunnels lead to."""

import contextlib
import http.server
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading

import pytest

from daemon import die_with_parent, free_port, wait_until

SEARCH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"
START_SECONDS = 15
GUEST = "guest"  # whom sshd lets in where the tests run as root


def need_program(name, package=None):
    """The path of @name; skips the test where it is not installed."""
    path = shutil.which(name, path=SEARCH)
    if not path:
        pytest.skip(f"{name} is not installed (Debian: {package or name})")
    return path


def free_tcp_port(address="127.0.0.1"):
    """A TCP port that nobody has now."""
    return free_port(socket.SOCK_STREAM, address)


def answers(port, address="127.0.0.1"):
    """True once something accepts on @port."""
    try:
        socket.create_connection((address, port), 1).close()
        return True
    except OSError:
        return False


def reset(connection):
    """Closes it so that the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Threads(socketserver.ThreadingTCPServer):
    """A thread for each connection; what a client does to its own does not matter here."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """Nothing is printed."""


@contextlib.contextmanager
def serving(handle, address="127.0.0.1"):
    """The port at which handle(connection) is run for each who comes."""
    class Handler(socketserver.BaseRequestHandler):
        """One connection."""

        def handle(self):
            handle(self.request)

    class Family(Threads):
        """Of IPv4 or IPv6."""

        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with Family((address, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def echo(connection):
    """Sends back what comes; ends when the other does."""
    with contextlib.suppress(OSError):
        while piece := connection.recv(1 << 16):
            connection.sendall(piece)


@contextlib.contextmanager
def web(folder):
    """The port of an HTTP server that shows @folder."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        """Says nothing of what it does."""

        def __init__(self, *words):
            super().__init__(*words, directory=str(folder))

        def log_message(self, *_):
            """Nothing."""

    with Threads(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def running(argv, port, **options):
    """A server @argv that accepts on @port; ended by its number."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                   preexec_fn=die_with_parent, **options)
        try:
            wait_until(lambda: process.poll() is not None or answers(port), START_SECONDS)
            if process.poll() is not None:
                said.seek(0)
                raise AssertionError(f"{argv}: {said.read().decode(errors='replace')}")
            yield process
        finally:
            process.kill()
            process.wait()


def keygen(path):
    """A new SSH key at @path."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True,
                   stdin=subprocess.DEVNULL)


class Sshd:
    """How OpenSSH's server is run by whoever runs the tests, with nothing of the machine's own.

    As root it would want a user of its own and /run/sshd. So it is made an ordinary user in a
    user namespace, and gets a passwd file in which that user is.
    """

    def __init__(self, folder, home, listen="127.0.0.1"):
        self.program = need_program("sshd", "openssh-server")
        need_program("ssh", "openssh-client")
        self.folder, self.port = folder, free_tcp_port() if listen == "127.0.0.1" else 2222
        os.makedirs(folder, exist_ok=True)
        key = os.path.join(home, "ssh", "id_ed25519")
        if not os.path.exists(key):
            keygen(key)
        shutil.copy(key + ".pub", os.path.join(folder, "authorized_keys"))
        keygen(os.path.join(folder, "host_key"))
        self.write("sshd_config", f"""
            ListenAddress {listen}
            Port {self.port}
            HostKey {folder}/host_key
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            AuthorizedKeysFile {folder}/authorized_keys
            Subsystem sftp internal-sftp
            """)
        self.is_root = os.geteuid() == 0
        with open("/etc/passwd", encoding="utf-8") as file:
            kept = file.read()
        self.write("passwd", f"{GUEST}:x:1000:1000::{folder}:/bin/sh\n" + kept)

    def write(self, name, text):
        """A file of its folder."""
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write("\n".join(line.strip() for line in text.strip().splitlines()) + "\n")

    @property
    def user(self):
        """Who may log in."""
        return GUEST if self.is_root else os.environ.get("USER") or os.getlogin()

    def argv(self):
        """The command line; the process it becomes is sshd itself."""
        argv = [self.program, "-D", "-e", "-f", os.path.join(self.folder, "sshd_config")]
        if not self.is_root:
            return argv
        inner = ('mount --bind "$1" /etc/passwd && shift &&'
                 ' exec unshare -U --map-user=1000 --map-group=1000 "$@"')
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", inner, "sh",
                os.path.join(self.folder, "passwd"), *argv]
