"""daemon.py - omerta-meshd and omerta as a test runs them, and the control socket between."""

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

from omerta_lab import die_with_parent, wait_until  # noqa: E402

READY_SECONDS = 30  # on a busy machine; else it takes 0.1
ANSWER_SECONDS = 30
# Below those that Linux gives to who asks for none: nobody is given one meanwhile, nor while a
# daemon is down that will want its port again.
PORTS = range(20000, 32768)
_reserved = []  # abstract sockets, which end with this process


def program(name):
    """Where the build put @name."""
    folder = os.environ.get("OMERTA_BIN") or os.path.join(HERE, "..", "..", "build", "dev", "bin")
    return os.path.join(os.path.abspath(folder), name)


def free_port(kind=socket.SOCK_DGRAM, address="127.0.0.1"):
    """A port that nobody has, of UDP or of another @kind of socket; no other test is given it while
    this one runs."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in random.sample(PORTS, 100):
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0omerta-test-port-{port}")
            with socket.socket(family, kind) as probe:
                probe.bind((address, port))
        except OSError:
            name.close()
            continue
        _reserved.append(name)
        return port
    raise OSError(f"no port of {address} is free")


class RpcError(Exception):
    """The daemon answered with an error; code and message are its own."""

    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.message = error.get("message")


class Control:
    """One connection to the control socket; JSON-RPC 2.0, one text a line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(ANSWER_SECONDS)
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.left = b""
        self.number = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Bytes as they are."""
        self.socket.sendall(data)

    def receive(self, seconds=ANSWER_SECONDS):
        """The next line, or None at its end; TimeoutError when none comes."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.left:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self.left += piece
        line, _, self.left = self.left.partition(b"\n")
        return json.loads(line)

    def rpc(self, method, **params):
        """The result of @method; RpcError when it is refused. Events on the way are kept."""
        self.number += 1
        ask = {"jsonrpc": "2.0", "id": self.number, "method": method}
        if params:
            ask["params"] = params
        self.send(json.dumps(ask).encode() + b"\n")
        while True:
            answer = self.receive()
            if answer is None:
                raise ConnectionError(f"{method}: the daemon closed the connection")
            if "id" not in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise RpcError(answer["error"])
            else:
                assert answer["id"] == self.number, answer
                return answer["result"]

    def event(self, wanted, seconds=ANSWER_SECONDS):
        """The next event for which wanted(event) holds; TimeoutError when none comes."""
        deadline = time.monotonic() + seconds
        while True:
            for i, event in enumerate(self.events):
                if wanted(event):
                    return self.events.pop(i)
            event = self.receive(max(deadline - time.monotonic(), 0.001))
            if event is None:
                raise ConnectionError("the daemon closed the connection")
            self.events.append(event)


class Daemon:
    """A daemon with its home; with @lab and @host it runs inside that host."""

    ready_seconds = READY_SECONDS

    def __init__(self, home, args=(), lab=None, host=None, port=None):
        self.home = str(home)
        self.port = port or free_port()
        self.args = list(args)
        self.lab, self.host = lab, host
        self.process = None

    @property
    def socket_path(self):
        """The control socket."""
        return os.path.join(self.home, "control.sock")

    @property
    def log_path(self):
        """What it wrote to stderr, of all its starts."""
        return self.home.rstrip("/") + ".stderr"

    def argv(self):
        """The command line."""
        return [program("omerta-meshd"), "--home", self.home, "--port", str(self.port), *self.args]

    def spawn(self, environment=None):
        """Starts it and does not wait."""
        environment = environment or os.environ
        with open(self.log_path, "ab") as log:
            options = {"env": environment, "stdout": log, "stderr": log}
            if self.lab:
                self.process = self.lab.popen(self.host, self.argv(), **options)
            else:
                self.process = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL,
                                                preexec_fn=die_with_parent, **options)

    def start(self):
        """Starts it and waits for READY=1; AssertionError with its log when it does not come."""
        path = self.home.rstrip("/") + ".notify"
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            self.spawn(dict(os.environ, NOTIFY_SOCKET=path))
            self.wait_ready(notify)
        return self

    def wait_ready(self, notify):
        """Until READY=1 has come."""
        end = os.pidfd_open(self.process.pid)
        deadline = time.monotonic() + self.ready_seconds
        try:
            while True:
                left = max(deadline - time.monotonic(), 0)
                ready, _, _ = select.select([notify, end], [], [], left)
                if notify in ready:
                    if b"READY=1" in notify.recv(4096).split(b"\n"):
                        return
                    continue
                what = f"ended with {self.process.wait()}" if ready else "is not ready in time"
                raise AssertionError(f"{' '.join(self.argv())} {what}:\n{self.log()}")
        finally:
            os.close(end)

    def log(self):
        """All it wrote."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def control(self):
        """A new connection to it."""
        return Control(self.socket_path)

    def rpc(self, method, **params):
        """One question on a connection of its own."""
        with self.control() as control:
            return control.rpc(method, **params)

    def events(self):
        """A connection that has subscribed to all events."""
        control = self.control()
        control.rpc("events.subscribe")
        return control

    def network(self):
        """Its first network, as status shows it."""
        return self.rpc("status")["networks"][0]

    def self_id(self):
        """Its peer id in its first network."""
        return self.network()["self"]

    def peer_ids(self):
        """The ids of the peers it knows."""
        return {peer["id"] for peer in self.rpc("peers.list")["peers"]}

    def wait(self, seconds=10):
        """Its exit code; below 0 is the signal that ended it."""
        return self.process.wait(seconds)

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        return self.wait()

    def end(self):
        """For fixtures: it is gone, however it fares."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def bootstrap(self, address="127.0.0.1"):
        """What another is told to meet this one."""
        return ["--bootstrap", f"{self.self_id()}@{address}:{self.port}"]

    def cli(self, *argv):
        """Runs omerta against this home: (exit, stdout, stderr)."""
        environment = dict(os.environ, OMERTA_HOME=self.home)
        done = subprocess.run([program("omerta"), *argv], env=environment, timeout=60, text=True,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def tool(self, *argv):
        """Runs omerta-meshd for this home as a command: (exit, stdout, stderr)."""
        done = subprocess.run([program("omerta-meshd"), *argv, "--home", self.home], timeout=60,
                              capture_output=True, check=False, text=True,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr


def knows(daemon, others, seconds=20):
    """True once @daemon knows all of @others by id."""
    wanted = set(others)
    return wait_until(lambda: wanted <= daemon.peer_ids(), seconds)


def talk(sender, receiver, text, seconds=20):
    """Sends @text and waits until it has come to @receiver; posts again where there is no way."""
    to = receiver.self_id()

    def came():
        return any(m["text"] == text for m in receiver.rpc("message.list")["messages"])

    def attempt():
        try:
            sender.rpc("message.send", peer=to, text=text)
        except RpcError:
            return False
        return wait_until(came, 2)

    return wait_until(attempt, seconds)
