"""Bad input: one clear sentence, no success, nothing lost; beside each the same input made good."""

import os
import shutil
import socket
import subprocess
import tempfile

import pytest

from commands import contents, data, environment_of, good, new_home, refused, run, write_config
from daemon import Daemon, free_port, program, wait_until
from fixtures import ALONE, need

NOBODY = 65534
CLIENTS_MAX = 64  # OM_CLIENTS_MAX of meshd/control/control.h
# What may not reach the terminal as it is.
ESCAPE = "x\033[2Jy"


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="one", scope="module")
def one_daemon():
    """A daemon that must survive all that is done to it here."""
    need("omerta", "omerta-meshd")
    with tempfile.TemporaryDirectory(prefix="om-") as base:
        daemon = Daemon(os.path.join(base, "home"), ALONE)
        try:
            yield daemon.start()
        finally:
            daemon.end()


@pytest.fixture(autouse=True)
def nothing_lost(request):
    """Whatever a test did: its daemon is the same process with the same identity, and answers."""
    daemon = request.getfixturevalue("one") if "one" in request.fixturenames else None
    before = daemon and (daemon.process.pid, seed(daemon.home), daemon.self_id())
    yield
    if daemon:
        assert daemon.process.poll() is None, daemon.log()
        assert (daemon.process.pid, seed(daemon.home), daemon.self_id()) == before


@pytest.fixture(name="made")
def made_home(home):
    """A home without a daemon; one that a test leaves there is stopped."""
    yield new_home(home, lan=False)
    run(home, "down")


def seed(home):
    """The secret that all else comes from."""
    with open(os.path.join(home, "identity", "seed"), "rb") as file:
        return file.read()


def kept(home):
    """All files but the lock, in which is who came last."""
    return {name: data for name, data in contents(home).items() if name != "lock"}


def starts(home):
    """The control of those who refuse to start: it starts, answers, and is stopped."""
    assert "runs" in good(home, "up")
    assert data(home, "status")["home"] == home
    good(home, "down")


# The command line

USAGE = [
    (["stauts"], ["stauts", "status"]),
    (["frobnicate"], ["frobnicate", "omerta help"]),
    ([""], ['""']),
    (["z" * 5000], ["zzz..."]),
    ([ESCAPE], ["x\\x1b[2Jy"]),
    (["status", "--jsn"], ["--jsn", "--json"]),
    (["status", "--frobnicate"], ["--frobnicate"]),
    (["status", "-z"], ["-z"]),
    (["status", "--json=1"], ["--json", "no value"]),
    (["status", "extra"], ["extra"]),
    (["status", ESCAPE], ["x\\x1b[2Jy"]),
    (["status", "--" + ESCAPE], ["--x\\x1b[2Jy"]),
    (["status", "--home"], ["--home", "FOLDER"]),
    (["status", "--home="], ["--home", "FOLDER"]),
    (["--home", "", "status"], ["--home", "FOLDER"]),
    (["status", "--network", ""], ["--network", "NAME"]),
    (["status", "--color", "maybe"], ["maybe", "always"]),
    (["ping", "--count"], ["--count", "N"]),
    (["ping", "-c"], ["--count", "N"]),
    (["ping", "-c", "x"], ["1 to 256"]),
    (["ping", "-c", "0"], ["1 to 256"]),
    (["ping", "-c", "257"], ["1 to 256"]),
    (["ping", "-c", "-1"], ["1 to 256"]),
    (["ping", "-c", "99999999999999999999999"], ["1 to 256"]),
    (["ping", "-i", "abc"], ["--interval", "seconds"]),
    (["ping", "-i", "-1"], ["--interval", "seconds"]),
    (["ping", "-i", "nan"], ["--interval", "seconds"]),
    (["ping", "-i", "1e999"], ["--interval", "seconds"]),
    (["health", "-c", "101"], ["1 to 100"]),
    (["log", "-n", "x"], ["--lines", '"x"']),
    (["watch", "-c", "x"], ["--count", '"x"']),
    (["config", "frob"], ["show, keys or path"]),
    (["config", "get", "port"], ["config: want show", "path names"]),
    (["network", "frob"], ["list"]),
    (["network", "create", "team"], ["--name NAME"]),
    (["network", "invite", "--for", "3d"], ["--for (see `omerta help network`"]),
    (["up", "--relay"], ["--relay (see `omerta help up`"]),
    (["expose", "rm", "1"], ["expose: want PORT", "remove"]),
    (["expose", "remove", "x"], ["expose remove: want the ID"]),
    (["vm", "ssh"], ["vm ssh: want VM"]),
    (["vm", "start", "lab"], ["vm: want request"]),
    (["run"], ["run: want a command"]),
    (["key"], ["key: want show"]),
    (["key", "frob"], ["show"]),
    (["peers", "list", "x"], ['"x"']),
    (["peers", "add"], ["full id"]),
    (["peers", "add", "nonsense"], ["nonsense", "52"]),
    (["message"], ["message: want PEER TEXT..."]),
    (["message", "x"], ["message: want PEER TEXT..."]),
    (["message", "abcd", "\udcff"], ["UTF-8"]),
    (["message", "abcd", *["x"] * 400], ["256 words"]),
    (["completion"], ["completion: want bash"]),
    (["completion", "tcsh"], ["bash, zsh or fish"]),
    (["help", "frob"], ["frob"]),
    (["down", "x"], ['"x"']),
    (["provide", "--vms", "2"], ["--vms goes with: omerta provide on"]),
    (["provide", "off", "--rate", "10M"], ["--rate goes with: omerta provide on"]),
]


@pytest.mark.parametrize("argv, says", USAGE, ids=[ascii(" ".join(u[0])[:30]) for u in USAGE])
def test_wrong_usage(one, argv, says):
    refused(one.home, *argv, code=2, says=says)


def test_right_usage(one):
    for argv in (["status", "--json"], ["status", "--color=never"], ["log", "-n", "1"],
                 ["config", "show"], ["network", "list"], ["peers", "list"], ["help", "status"],
                 ["--home", one.home, "status"], ["--network", "default", "peers"]):
        good(one.home, *argv)


def test_watch_of_no_event(one):
    for word, says in ("session_upp", "did you mean session_up?"), ("frobnicate", "omerta-ipc(7)"):
        refused(one.home, "watch", "message", word, code=4, says=[word, says])
    for word in "session_up", "message", "vm":
        assert one.rpc("events.subscribe", kinds=[word]) == {"subscribed": True}


def test_no_place_for_a_report(one, folder):
    refused(one.home, "bugreport", "-o", os.path.join(folder, "none", "x"), code=1, says=["none"])
    good(one.home, "bugreport", "-o", os.path.join(folder, "x"))


def test_output_that_is_full(one):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([program("omerta"), "status"], env=environment_of(one.home),
                              stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "standard output" in done.stderr


# Peers

@pytest.fixture(name="alike", scope="module")
def alike_ids(one):
    """Ids that begin with the same four characters; not every text of that form is an id."""
    found = []
    for number in range(200):
        text = f"abcd{chr(97 + number // 26)}{chr(97 + number % 26)}".ljust(52, "a")
        if len(found) < 2 and run(one.home, "peers", "add", text)[0] == 0:
            found.append(text)
    assert len(found) == 2
    return found


@pytest.mark.parametrize("argv", [["ping", "-c", "1"], ["peers"], ["health"], ["message"]],
                         ids=lambda v: v[0])
def test_peer_unknown_or_ambiguous(one, alike, argv):
    rest = ["a text"] if argv == ["message"] else []
    shown = [each[:10] for each in alike]
    refused(one.home, *argv, "abcd", *rest, code=2, says=['"abcd"', *shown])
    refused(one.home, *argv, "nosuch", *rest, code=2, says=['"nosuch"', "omerta peers"])
    refused(one.home, *argv, "abc", *rest, code=2, says=['"abc"', "4"])
    # The control: a character more tells them apart.
    code, out, err = run(one.home, "peers", alike[0][:6])
    assert code == 0 and alike[0] in out, (out, err)


def test_peers_add_what_cannot_be(one, alike):
    add = ["peers", "add", alike[0]]
    refused(one.home, *add, "nonsense", code=4, says=["nonsense"])
    refused(one.home, *add, "192.0.2.1", code=4, says=["192.0.2.1", "port"])
    refused(one.home, *add, *["192.0.2.1:5"] * 9, code=4, says=["8"])
    refused(one.home, "--network", "nosuch", *add, code=4, says=["nosuch"])
    # Of the right form, but no key of anybody.
    refused(one.home, "peers", "add", "abcd" + "b" * 47 + "a", code=4, says=["abcdbbbbbb"])
    good(one.home, *add, "192.0.2.1:5")


# Nobody there, or not where it should be

@pytest.mark.parametrize("argv", [
    ["status"], ["peers"], ["ping", "abcd"], ["message", "abcd", "x"], ["message", "--list"],
    ["reload"], ["config"], ["network"], ["watch"], ["health", "abcd"], ["log", "-f"],
], ids=" ".join)
def test_no_daemon(home, argv):
    refused(home, *argv, code=3, says=["omerta up", home])
    assert not os.path.exists(home)


def test_down_without_a_daemon(home):
    """Whoever wants it ended is not told to start it."""
    assert "omerta up" not in refused(home, "down", code=3, says=["none to stop", home])
    assert not os.path.exists(home)


def test_plain_file_in_the_place_of_a_socket(made):
    for name in "control.sock", "data.sock", "metrics.sock":
        path = os.path.join(made, name)
        with open(path, "w", encoding="ascii") as file:
            file.write("somebody's own")
        if name == "control.sock":
            refused(made, "status", code=3, says=[path])
        refused(made, "up", code=1, says=[path, "remove it"])
        with open(path, encoding="ascii") as file:
            assert file.read() == "somebody's own"
        os.unlink(path)
    starts(made)


def test_stale_socket(made):
    path = os.path.join(made, "control.sock")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    refused(made, "status", code=3, says=[path])
    starts(made)


def test_home_too_long(folder):
    longest = 107 - len("/control.sock") - len(folder) - 1
    refused(os.path.join(folder, "x" * (longest + 1)), "status", code=2, says=["94 bytes"])
    refused(os.path.join(folder, "x" * 5000), "init", code=2, says=["long"])
    home = os.path.join(folder, "x" * longest)
    new_home(home, lan=False)
    starts(home)


# Whose it is

@pytest.fixture(name="nobody")
def run_as_nobody(folder):
    """nobody(home, *argv) - run() as another user, with copies that it may read."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("wants root and setpriv: there is no other user to be")
    os.chmod(folder, 0o755)
    where = os.path.join(folder, "bin")
    os.mkdir(where)
    for name in "omerta", "omerta-meshd":
        shutil.copy2(program(name), where)
    switch = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def as_nobody(home, *argv, name="omerta"):
        done = subprocess.run([*switch, os.path.join(where, name), *argv], timeout=60, text=True,
                              env=environment_of(home), capture_output=True, check=False,
                              cwd="/", stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    return as_nobody


def one_sentence(got, *words):
    """No success, and one sentence that has @words."""
    code, out, err = got
    assert code > 0 and out == "" and len(err.strip().splitlines()) == 1, got
    assert err.startswith("omerta") and all(word in err for word in words), got


def own(path, uid):
    """Makes @path and all below it belong to @uid."""
    for top, _, names in os.walk(path):
        for each in [top, *(os.path.join(top, name) for name in names)]:
            os.chown(each, uid, uid)


def test_home_of_root(nobody, made):
    before = kept(made)
    for argv in ["init"], ["key", "show"], ["up"], ["status"], ["down", "--purge", "--yes"]:
        one_sentence(nobody(made, *argv), made)
    one_sentence(nobody(made, "--home", made, name="omerta-meshd"), made)
    assert kept(made) == before
    starts(made)
    own(made, NOBODY)
    assert nobody(made, "key", "show")[0] == 0


def test_home_of_another_as_root(nobody, made):
    before = seed(made)
    own(made, NOBODY)
    one_sentence(run(made, "init"), made)
    one_sentence(run(made, "up"), made)
    assert seed(made) == before and os.stat(os.path.join(made, "identity", "seed")).st_uid == NOBODY
    code, out, err = nobody(made, "up")
    assert code == 0 and "runs" in out, err
    assert data(made, "status")["home"] == made  # root may ask whose home it names
    path = os.path.join(made, "control.sock")
    os.chown(path, 0, -1)  # but nobody who serves what is another's
    refused(made, "status", code=1, says=[path, "served by another user"])
    os.chown(path, NOBODY, NOBODY)
    assert nobody(made, "down")[0] == 0


def test_home_that_is_read_only(nobody, made):
    own(made, NOBODY)
    before = kept(made)
    os.chmod(made, 0o500)
    os.chmod(os.path.join(made, "identity"), 0o500)
    for argv in ["init", "--force"], ["up"]:
        one_sentence(nobody(made, *argv), made)
    one_sentence(nobody(made, "--home", made, name="omerta-meshd"), made)
    os.chmod(made, 0o700)
    os.chmod(os.path.join(made, "identity"), 0o700)
    assert kept(made) == before
    assert nobody(made, "up")[0] == 0
    assert nobody(made, "down")[0] == 0


def test_control_socket_is_for_its_own_user(nobody, made):
    good(made, "up")
    one_sentence(nobody(made, "status"), made)
    # Where the modes would let others in, the daemon does not.
    os.chmod(made, 0o755)
    os.chmod(os.path.join(made, "control.sock"), 0o666)
    one_sentence(nobody(made, "status"), "closed")
    ask = ('import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(10); '
           f's.connect("{made}/control.sock"); '
           'ask = b\'{"jsonrpc":"2.0","id":1,"method":"version"}\\n\'\n'
           'try: s.sendall(ask); print(len(s.recv(4096)))\n'
           'except OSError: print(0)')
    got = [subprocess.run(["setpriv", f"--reuid={uid}", "--clear-groups", "/usr/bin/python3", "-c",
                           ask], text=True, capture_output=True, check=True, cwd="/").stdout
           for uid in (NOBODY, 0)]
    assert int(got[0]) == 0 < int(got[1])
    os.chmod(made, 0o700)
    assert data(made, "status")["home"] == made


# The disk is full

def test_disk_full(folder):
    if subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("unshare -Urm: no user namespaces here")
    place, beside = os.path.join(folder, "m"), os.path.join(folder, "b")
    os.mkdir(place)
    os.mkdir(beside)
    write_config(beside, {"port": free_port(), "lan": False, "portmap": False})
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", FULL, "sh", place,
                           os.path.dirname(program("omerta")), beside], text=True, timeout=60,
                          env=environment_of(os.path.join(place, "home")),
                          capture_output=True, check=False)
    if done.returncode == 77:
        pytest.skip(f"tmpfs: {done.stderr.strip()}")
    said = done.stdout.splitlines()
    for step in "empty", "force", "start", "up":
        mine = [line for line in said if line.startswith(step + " ")]
        assert len(mine) == 2 and ("No space" in mine[1] or "disk is full" in mine[1]), said
        assert mine[0] != f"{step} exit 0", said
    for wanted in "made exit 0", "again exit 0", "kept 1", "kept 2", "changed", "settings kept", \
            "room is wanted":
        assert wanted in said, (wanted, said, done.stderr)
    assert "a seed of nothing" not in said


# A home in a file system of 64 KiB: "$1" is where, "$2" the programs, "$3" a folder outside.
FULL = r"""
mount -t tmpfs -o size=64k,mode=700 none "$1" || exit 77
fill() { cat /dev/zero >"$1/filler" 2>/dev/null; }
say() { # PLACE STEP PROGRAM... - how it ended, then what it wrote to stderr
    place=$1 step=$2
    shift 2
    "$@" >/dev/null 2>"$place/said"
    echo "$step exit $?"
    sed "s/^/$step /" "$place/said"
}
fill "$1"
say "$3" empty "$2/omerta" init
unshare -n "$2/omerta" doctor | grep -q "mend: make room" && echo "room is wanted"
[ -e "$1/home/identity/seed" ] && echo "a seed of nothing"
rm "$1/filler"
say "$3" made "$2/omerta" init
cp "$1/home/identity/seed" "$1/home/config.json" "$3"
fill "$1"
say "$3" force "$2/omerta" init --force
cmp "$1/home/identity/seed" "$3/seed" && echo "kept 1"
cmp "$1/home/config.json" "$3/config.json" && echo "settings kept"
say "$3" start timeout 20 "$2/omerta-meshd" --port 0 --no-lan --no-portmap
say "$3" up "$2/omerta" up
cmp "$1/home/identity/seed" "$3/seed" && echo "kept 2"
rm "$1/filler"
say "$3" again "$2/omerta" init --force
cmp -s "$1/home/identity/seed" "$3/seed" || echo "changed"
"""


# Ports and configurations

def test_port_in_use(made):
    port = free_port()
    write_config(made, {"port": port, "lan": False, "portmap": False})
    before = seed(made)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", port))
        refused(made, "up", code=1, says=[str(port), "in use"])
    assert seed(made) == before
    starts(made)


CONFIGS = {
    "unknown-key": ('{"prot": 1}', ['"prot"', '"port"']),
    "kind-of-number": ('{"port": "x"}', ['"port"', "whole number"]),
    "range": ('{"port": 99999}', ['"port"', "65535"]),
    "kind-of-switch": ('{"lan": 3}', ['"lan"', "true or false"]),
    "kind-of-group": ('{"log": 3}', ['"log"', "object"]),
    "word": ('{"log": {"level": "loud"}}', ['"log.level"', "debug"]),
    "bootstrap": ('{"bootstrap": ["x"]}', ['"bootstrap"', "PEER@HOST:PORT"]),
    "no-json": ("not json", [":1:"]),
    "truncated": ('{"port": 18002, "lan": fal', [":1:"]),
    "empty": ("", [":1:"]),
    "list": ("[]", ["object"]),
    "twice": ('{"port": 1, "port": 2}', ["port"]),
    "deep": ("[" * 10000, [":1:"]),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_bad_config(made, name):
    text, says = CONFIGS[name]
    path = os.path.join(made, "config.json")
    with open(path, encoding="utf-8") as file:
        good_text = file.read()
    before = seed(made)
    write_config(made, text)
    refused(made, "up", code=1, says=[path, *says])
    refused(made, "--home", made, name="omerta-meshd", code=3, says=[path, *says])
    with open(path, encoding="utf-8") as file:
        assert file.read() == text
    # The control, and the same while a daemon runs: it goes on with what it has.
    write_config(made, good_text)
    good(made, "up")
    pid = data(made, "status")["pid"]
    write_config(made, text)
    refused(made, "reload", code=4, says=[path, *says])
    assert data(made, "status")["pid"] == pid and seed(made) == before
    write_config(made, good_text)
    assert data(made, "reload") == {"changed": []}


# The control socket, raw

HEAD = b'{"jsonrpc":"2.0","id":1,"method":"status","params":'
OBJECTS = HEAD + b'{"a":' * 10000 + b"1" + b"}" * 10001


def test_truncated_frame(one):
    with one.control() as control:
        control.send(b'{"jsonrpc": "2.0", "id": 1, "meth')
        control.socket.shutdown(socket.SHUT_WR)
        assert control.receive() is None


@pytest.mark.parametrize("text", [b"[" * 10000 + b"]" * 10000, OBJECTS], ids=["lists", "objects"])
def test_frame_10000_deep(one, text):
    with one.control() as control:
        control.send(text + b"\n")
        assert "error" in control.receive()
        # The control: the same connection, a frame that is good.
        assert control.rpc("version")["version"]


def test_frame_of_2_mib(one):
    with one.control() as control:
        try:
            control.send(b'{"a": "' + b"x" * (2 << 20) + b'"}\n')
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = control.receive()
        assert answer is None or "error" in answer
    # The control: one below the limit is read, and its method judged.
    with one.control() as control:
        control.send(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (1 << 19) + b'"}\n')
        assert control.receive()["error"]["code"] == -32601


def test_100_connections_at_once(one):
    clients = []
    try:
        for _ in range(100):
            clients.append(one.control())
        answers = []
        for number, client in enumerate(clients, 1):
            try:
                client.send(f'{{"jsonrpc":"2.0","id":{number},"method":"version"}}\n'.encode())
            except BrokenPipeError:
                pass  # it was told already
            answers.append(client.receive())
        served = [a for a in answers if "result" in a]
        told = [a for a in answers if "result" not in a]
        # As many as there is room for; each of the others is told why.
        assert len(served) == CLIENTS_MAX and len(told) == 100 - CLIENTS_MAX
        assert all("connected already" in a["error"]["message"] for a in told), told[0]
        refused(one.home, "status", says=["connected already"])
    finally:
        for client in clients:
            client.socket.close()
    # The control: there is room again once they have gone.
    assert wait_until(lambda: run(one.home, "status")[0] == 0)
    assert one.rpc("status")["clients"] == 1


def test_subscribers_that_went(one):
    """They are gone, though nothing happened to tell them; who just says no more stays."""
    with one.control() as stays:
        stays.rpc("events.subscribe", kinds=["record"])
        stays.socket.shutdown(socket.SHUT_WR)
        for _ in range(CLIENTS_MAX):
            with one.control() as goes:
                goes.rpc("events.subscribe", kinds=["record"])
        good(one.home, "status")
        with pytest.raises(TimeoutError):
            stays.receive(0.2)


def test_client_that_never_reads(one):
    with one.control() as silent, one.control() as other:
        silent.socket.setblocking(False)
        sent = 0
        ask = b'{"jsonrpc":"2.0","id":1,"method":"methods.list"}\n' * 100
        try:
            while sent < 64 << 20:
                sent += silent.socket.send(ask)
                assert other.rpc("version")["version"]
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
        # It is not read from any more: what the daemon keeps for it is bounded.
        assert sent < 16 << 20
        assert other.rpc("status")["clients"] >= 1
