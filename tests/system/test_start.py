"""Starting and stopping the daemon, and what it says to bad flags, files and frames."""

import json
import os
import signal
import subprocess

import pytest

from daemon import Daemon, RpcError, knows, program, talk, wait_until
from fixtures import need

FRAME_MAX = 1 << 20


def refused(argv):
    """Runs the daemon to its refusal: one sentence on stderr, no success; returns the sentence."""
    need("omerta-meshd")
    done = subprocess.run([program("omerta-meshd"), *argv], capture_output=True, text=True,
                          timeout=20, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode > 0, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def lives(daemon):
    """The daemon answers."""
    assert daemon.process.poll() is None, daemon.log()
    return daemon.rpc("status")


def test_start_status_stop(daemon):
    status = daemon.rpc("status")
    assert len(status["networks"]) == 1
    assert len(daemon.self_id()) > 20
    assert os.stat(daemon.home).st_mode & 0o777 == 0o700
    assert os.stat(daemon.socket_path).st_mode & 0o777 == 0o600
    assert daemon.stop() == 0, daemon.log()
    assert not os.path.exists(daemon.socket_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_with_0(daemon, number):
    daemon.process.send_signal(number)
    assert daemon.wait() == 0, daemon.log()


def test_stop_by_control_socket(daemon):
    daemon.rpc("stop")
    assert daemon.wait() == 0, daemon.log()


def test_identity_survives_kill(daemon):
    before = daemon.self_id()
    assert daemon.kill() == -signal.SIGKILL
    assert daemon.start().self_id() == before


def test_pair_meets_and_talks(pair):
    first, second = pair
    assert knows(first, [second.self_id()]) and knows(second, [first.self_id()])
    assert talk(second, first, "hello") and talk(first, second, "hello yourself")


def test_killed_peer_does_not_answer(pair):
    """While the session stands, too: why and ping say so, not that it is reached."""
    first, second = pair
    other = second.self_id()
    assert knows(first, [other]) and talk(first, second, "hello")
    code, said, _ = first.cli("why", other)
    assert code == 0 and "is reached directly at" in said, said
    second.kill()

    def is_known():
        told = first.rpc("peers.why", peer=other)
        return told["unanswered"] or not told["connected"]

    first.rpc("ping.start", peer=other, count=1)
    assert wait_until(is_known, 30), first.rpc("peers.why", peer=other)
    code, _, err = first.cli("ping", other, "-c", "1")
    assert code == 1 and ("does not answer" in err or "is not connected" in err), err
    code, said, _ = first.cli("why", other)
    assert code == 1 and "is reached" not in said, said


def test_message_is_an_event(pair):
    first, second = pair
    with first.events() as events:
        assert talk(second, first, "seen as it comes")
        events.event(lambda e: "seen as it comes" in json.dumps(e))


def test_port_in_use(daemon, folder):
    said = refused(["--home", os.path.join(folder, "other"), "--port", str(daemon.port)])
    assert str(daemon.port) in said
    lives(daemon)


def test_two_on_one_home(daemon):
    other = Daemon(daemon.home)
    assert daemon.home in refused(["--home", daemon.home, "--port", str(other.port)])
    lives(daemon)


def test_home_path_too_long(folder):
    said = refused(["--home", os.path.join(folder, "x" * 120), "--port", "0"])
    assert "long" in said or "bytes" in said


def test_unknown_flag(home):
    assert "--no-such-flag" in refused(["--home", home, "--no-such-flag"])
    assert not os.path.exists(home)


def test_unknown_config_key(make):
    daemon = make("home", ["--no-portmap"]).start()
    assert daemon.stop() == 0
    path = os.path.join(daemon.home, "config.json")
    keys = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            keys = json.load(file)
    # Positive control: the same file without the key is taken.
    write(path, keys)
    assert daemon.start().stop() == 0
    write(path, {**keys, "prot": 1})
    said = refused(["--home", daemon.home])
    assert "config.json" in said and '"prot"' in said and "port" in said.replace("prot", "")


def write(path, keys):
    """The configuration, readable by its owner only."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(keys, file)
    os.chmod(path, 0o600)


def test_truncated_frame(daemon):
    with daemon.control() as control:
        control.send(b'{"jsonrpc": "2.0", "id": 1, "meth')
    lives(daemon)


def test_frame_of_2_mib(daemon):
    with daemon.control() as control:
        try:
            control.send(b'{"a": "' + b"x" * (2 * FRAME_MAX) + b'"}\n')
            answer = control.receive()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        assert answer is None or "error" in answer
    lives(daemon)


@pytest.mark.parametrize("text", [
    b"[" * 100000 + b"]" * 100000,
    b'{"jsonrpc":"2.0","id":1,"method":"status","params":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    b"no json",
    b"\xff\xfe",
    b"{}",
    b'{"jsonrpc":"2.0","id":1,"method":7}',
    b'{"jsonrpc":"2.0","id":1,"method":"status","params":"x"}',
], ids=["deep-list", "deep-params", "no-json", "no-utf8", "empty", "method-7", "params-text"])
def test_bad_frame_is_refused(daemon, text):
    with daemon.control() as control:
        try:
            control.send(text + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = control.receive()
        assert answer is None or "error" in answer
    lives(daemon)


def test_wrong_method_and_parameter(daemon):
    with daemon.control() as control:
        with pytest.raises(RpcError) as unknown:
            control.rpc("no.such.method")
        assert unknown.value.code == -32601
        with pytest.raises(RpcError):
            control.rpc("message.send", peer="nobody", text="x")
        with pytest.raises(RpcError) as wrong:
            control.rpc("message.send", peer=7, text=["x"])
        assert wrong.value.code == -32602
        # The connection is still good.
        assert control.rpc("status")["networks"]
