"""Every command of omerta, on real daemons."""

import json
import os
import re
import shutil
import subprocess

import pytest

from commands import (Live, contents, data, gone, good, line_after, new_home, refused, run,
                      write_config)
from daemon import knows, program, talk, wait_until
from fixtures import ALONE, need

ID = re.compile(r"\b[a-z2-7]{52}\b")


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture
def upped(home):
    """A home whose daemon `omerta up` started; it is stopped with the test."""
    new_home(home, lan=False)
    good(home, "up")
    yield home
    run(home, "down")


def mode(*parts):
    """The permission bits of a path."""
    return os.stat(os.path.join(*parts)).st_mode & 0o777


# init, key

def test_init_makes_a_home(home):
    out = good(home, "init")
    assert ID.search(out), out
    assert mode(home) == 0o700
    assert mode(home, "ssh") == 0o700
    for name in "config.json", "identity/seed", "local.key", "ssh/id_ed25519":
        assert mode(home, name) == 0o600, name
    with open(os.path.join(home, "local.key"), encoding="ascii") as file:
        assert re.fullmatch(r"[0-9a-f]{64}\n?", file.read())


def test_init_again_keeps_everything(home):
    good(home, "init")
    before = contents(home)
    assert good(home, "init").count("found ") == 4
    after = contents(home)
    assert before.pop("lock") != after.pop("lock") and after == before


def test_init_beside_the_daemon(upped):
    before = contents(upped)
    assert good(upped, "init") == good(upped, "key", "show")
    refused(upped, "init", "--force", says=["omerta down"])
    os.unlink(os.path.join(upped, "local.key"))
    refused(upped, "init", says=["omerta down"])
    good(upped, "down")
    assert contents(upped)["identity/seed"] == before["identity/seed"]
    # The control: without a daemon it is made.
    good(upped, "init")
    assert contents(upped)["local.key"] != before["local.key"]


def test_init_force_keeps_backups(home):
    first = ID.search(good(home, "init")).group()
    old = contents(home)
    second = ID.search(good(home, "init", "--force")).group()
    assert first != second
    new = contents(home)
    kept = set(new.values())
    for name in "identity/seed", "local.key", "ssh/id_ed25519":
        assert old[name] != new[name], name
        assert old[name] in kept, name
    # Twice in a second, perhaps: no backup takes the place of another.
    good(home, "init", "--force")
    assert {old["identity/seed"], new["identity/seed"]} < set(contents(home).values())
    for top, _, names in os.walk(home):
        for name in names:
            if ".pub" not in name:
                assert mode(top, name) == 0o600, name


def test_key_show_is_the_id_of_the_daemon(daemon):
    assert ID.search(good(daemon.home, "key", "show")).group() == daemon.self_id()


# up, down, omertad

def test_up_and_down(home):
    new_home(home)
    assert "runs" in good(home, "up")
    pid = data(home, "status")["pid"]
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
        assert file.read().split("\0")[0] == program("omerta-meshd")
    assert "already running" in good(home, "up")
    assert data(home, "status")["pid"] == pid
    assert "stopped" in good(home, "down")
    assert gone(pid)
    assert not os.path.exists(os.path.join(home, "control.sock"))
    refused(home, "status", code=3, says=["omerta up"])
    assert "identity/seed" in contents(home)


def test_up_without_init(home, folder):
    # A port of its own by the configuration only: the default may be taken on this machine.
    os.mkdir(home, 0o700)
    new_home(os.path.join(folder, "other"))
    shutil.copy2(os.path.join(folder, "other", "config.json"), home)
    out = good(home, "up")
    assert ID.search(out), out
    good(home, "down")


def test_down_purge(upped):
    pid = data(upped, "status")["pid"]
    out = good(upped, "down", "--purge", "--yes")
    assert gone(pid)
    for name in "identity/seed", "local.key", "config.json":
        assert os.path.join(upped, name) in out
    assert not os.path.exists(upped)


def test_down_purge_asks(home):
    new_home(home)
    before = contents(home)
    for answer in "no\n", "", "yess\n":
        code, out, err = run(home, "down", "--purge", stdin=answer)
        assert code == 1 and "nothing was removed" in err and "identity" in out
        assert contents(home) == before
    # The control: the word asked for.
    code, _, err = run(home, "down", "--purge", stdin="yes\n")
    assert code == 0, err
    assert not os.path.exists(home)


def test_log_file_rotates(home):
    new_home(home)
    logs = os.path.join(home, "logs")
    path = os.path.join(logs, "meshd.log")
    good(home, "up")
    good(home, "down")
    assert mode(path) == 0o600
    assert not os.path.exists(path + ".1")
    with open(path, "ab") as file:
        file.truncate(16 << 20)
    good(home, "up")
    good(home, "down")
    assert os.path.getsize(path + ".1") == 16 << 20
    assert 0 < os.path.getsize(path) < 1 << 20


def test_omertad(home, folder):
    new_home(home)
    # As it is installed: a link beside the others.
    where = os.path.join(folder, "bin")
    os.mkdir(where)
    for name in "omerta", "omerta-meshd":
        os.symlink(program(name), os.path.join(where, name))
    seed = os.path.join(where, "omertad")
    os.symlink(program("omerta"), seed)
    assert "runs" in good(home, "start", name=seed)
    pid = data(home, "status")["pid"]
    assert str(pid) in good(home, "status", name=seed)
    out = good(home, "restart", name=seed)
    assert "stopped" in out and "runs" in out
    assert data(home, "status")["pid"] != pid and gone(pid)
    assert "stopped" in good(home, "stop", name=seed)
    refused(home, "status", code=3)
    code, _, err = run(home, "begin", name=seed)
    assert code == 2 and "start|stop|status|restart" in err
    # restart starts what does not run.
    code, out, err = run(home, "restart", name=seed)
    assert code == 0 and "runs" in out, err
    good(home, "stop", name=seed)


# status, peers, network, version

def test_status(pair):
    first, second = pair
    assert knows(first, [second.self_id()])
    out = good(first.home, "status")
    assert first.self_id() in out and str(first.port) in out and first.home in out
    assert str(first.process.pid) in out and "default" in out


def test_peers(pair):
    first, second = pair
    to = second.self_id()
    assert knows(first, [to])
    out = good(first.home, "peers")
    assert out.splitlines()[0].split()[:3] == ["PEER", "NAME", "NETWORK"]
    assert to[:10] in out and to not in out
    assert good(first.home, "peers", "list").split("\n")[0].split() == out.split("\n")[0].split()


def test_peers_one(pair):
    first, second = pair
    to = second.self_id()
    assert talk(first, second, "so that there is a session")
    for word in to, to[:6]:
        out = good(first.home, "peers", word)
        assert to in out and f"127.0.0.1:{second.port}" in out, out
    one = data(first.home, "peers", to[:6])
    assert one["id"] == to and one["status"]


def test_peers_one_that_is_gone(pair):
    first, second = pair
    to = second.self_id()
    assert talk(first, second, "so that there is a session")
    second.kill()
    out = good(first.home, "peers", to)
    assert to in out and "not" in out


def test_peers_add(make):
    first, second = make("first", ALONE).start(), make("second", ALONE).start()
    to = second.self_id()
    assert to not in first.peer_ids()
    good(first.home, "peers", "add", to, f"127.0.0.1:{second.port}")
    assert knows(first, [to]) and knows(second, [first.self_id()])


def test_network(daemon):
    for argv in ["network"], ["network", "list"]:
        out = good(daemon.home, *argv)
        assert "default" in out and "NETWORK" in out


def test_network_may_be_named(pair):
    first, second = pair
    assert knows(first, [second.self_id()])
    out = good(first.home, "--network", "default", "peers")
    assert second.self_id()[:10] in out
    refused(first.home, "--network", "nosuch", "peers", says=["nosuch"])


def test_version(daemon, home):
    out = good(daemon.home, "version")
    assert re.search(r"omerta-meshd +\d+\.\d+", out), out
    assert "not running" in good(home + "2", "version")
    assert good(daemon.home, "--version") == out
    assert "not running" in good("", "version", HOME="")
    refused("", "status", HOME="", says=["no home"])


# ping, health, message

def test_ping(pair):
    first, second = pair
    assert talk(first, second, "x")
    out = good(first.home, "ping", second.self_id()[:8], "-c", "3", "-i", "0.05")
    lines = out.splitlines()
    assert len(lines) >= 5 and all("time=" in line for line in lines[:3]), out
    # The only peer need not be named.
    assert good(first.home, "ping", "--count=1").count("time=") == 1


def test_ping_goes_on_until_interrupted(pair):
    first, second = pair
    assert talk(first, second, "x")
    with Live(first.home, "ping", second.self_id(), "-c", "256", "-i", "0.05") as ping:
        ping.line(lambda line: "seq=2 " in line or "seq=3 " in line)
        code, out, err = ping.interrupt()
    assert code == 0 and "---" in out and err == "", (code, out, err)


def test_ping_says_what_is_lost(pair):
    first, second = pair
    assert talk(first, second, "x")
    assert run(first.home, "ping", "-c", "1")[0] == 0
    assert run(first.home, "health", "-c", "1")[0] == 0
    to = second.self_id()
    second.kill()
    code, out, err = run(first.home, "ping", to, "-c", "2", "-i", "0.2")
    assert code == 1 and out.count("no answer") == 2 and err == "", (code, out, err)
    assert "100% loss" in out
    code, out, err = run(first.home, "health", to, "-c", "1")
    assert code == 1 and err == "" and re.search("^echoed +0$", out, re.M), (code, out, err)


def test_health(pair):
    first, second = pair
    assert talk(first, second, "x")
    out = good(first.home, "health", second.self_id()[:8], "-c", "2")
    assert len(out.splitlines()) >= 3
    good(first.home, "health")


def test_message(make):
    first = make("first", ALONE + ["--name", "anna"]).start()
    second = make("second", ALONE + ["--name", "bert", *first.bootstrap()]).start()
    to = second.self_id()
    assert talk(first, second, "x")
    assert wait_until(lambda: any(p["name"] == "bert" for p in first.rpc("peers.list")["peers"]))
    texts = {to: "by id", to[:5]: "by prefix", "bert": "by name"}
    for word, text in texts.items():
        good(first.home, "message", word, *text.split())
    good(first.home, "message", "--wait", "bert", "and waited for")
    good(first.home, "message", "bert", "--", "--dash")

    def listed():
        out = good(second.home, "message", "--list")
        return all(text in out for text in [*texts.values(), "and waited for", "--dash"])
    assert wait_until(listed), good(second.home, "message", "--list")
    out = good(second.home, "message", "-l")
    assert first.self_id()[:10] in out and not ID.search(out)


def test_message_waits_until_the_peer_has_it(pair):
    first, second = pair
    assert talk(first, second, "x")
    good(first.home, "message", "-w", second.self_id(), "waited")
    assert any(m["text"] == "waited" for m in second.rpc("message.list")["messages"])


# watch, log, config, reload

@pytest.fixture(name="comer")
def who_comes_to_another(make):
    """A daemon, one that was told of it, and what has the second come, anew if need be."""
    first = make("first", ALONE).start()
    second = make("second", ALONE + first.bootstrap())

    def come():
        second.end()
        second.start()

    return first, second, come


def test_watch_sees_a_session(comer):
    first, second, come = comer
    with Live(first.home, "watch", "session_up", "-c", "1") as watch:
        assert wait_until(lambda: first.rpc("status")["clients"] >= 2)
        line = line_after(watch, come)
        assert second.self_id() in line
        assert watch.process.wait(10) == 0


def test_watch_sees_all_kinds(comer):
    first, second, come = comer
    with Live(first.home, "watch", "--json") as watch:
        assert wait_until(lambda: first.rpc("status")["clients"] >= 2)
        line = line_after(watch, come, lambda line: json.loads(line)["event"] == "session_up")
        assert json.loads(line)["peer"] == second.self_id()
        assert watch.interrupt()[0] == 0


def test_config(daemon):
    out = good(daemon.home, "config")
    assert f"{daemon.port}" in out and "log.level" in out
    assert good(daemon.home, "config", "show") == out
    assert good(daemon.home, "config", "path").strip() == os.path.join(daemon.home, "config.json")
    keys = good(daemon.home, "config", "keys")
    for line in out.splitlines():
        key = line.split(" = ")[0].removeprefix("config.")
        if key != "file":
            assert re.search(rf"\b{re.escape(key)}\b", keys), key


def test_reload(upped):
    assert "nothing changed" in good(upped, "reload")
    with open(os.path.join(upped, "config.json"), encoding="utf-8") as file:
        keys = json.load(file)
    write_config(upped, {**keys, "log": {"level": "debug"}})
    out = good(upped, "reload")
    assert "log.level" in out and "info" in out and "debug" in out
    # What holds only after a restart is said to.
    write_config(upped, {**keys, "log": {"level": "debug"}, "limits": {"peers": 77}})
    assert "restart" in good(upped, "reload")


def test_log(upped):
    # So that there are two lines: of the start, and of this.
    with open(os.path.join(upped, "config.json"), encoding="utf-8") as file:
        keys = json.load(file)
    write_config(upped, {**keys, "log": {"level": "debug"}})
    good(upped, "reload")
    lines = good(upped, "log", "-n", "2").splitlines()
    assert len(lines) == 2
    assert len(good(upped, "log").splitlines()) >= 2
    assert good(upped, "log", "--lines=1").splitlines() == lines[1:]
    good(upped, "down")
    # Of the file, when nobody runs.
    assert len(good(upped, "log", "-n", "1").splitlines()) == 1


def test_log_follows(upped):
    with Live(upped, "log", "-f", "-n", "1") as log:
        log.line()
        with open(os.path.join(upped, "config.json"), encoding="utf-8") as file:
            keys = json.load(file)
        write_config(upped, {**keys, "log": {"level": "debug"}})
        good(upped, "reload")
        log.line(lambda line: "log.level" in line)
        assert log.interrupt()[0] == 0


# doctor, bugreport, completion, help

@pytest.mark.parametrize("name", ["doctor", "check-deps"])
def test_doctor(daemon, name):
    code, out, err = run(daemon.home, name)
    assert err == ""
    assert re.search(r"^OK +daemon: ", out, re.M) and re.search(r"^OK +home: ", out, re.M), out
    assert code == (1 if re.search(r"^FAIL", out, re.M) else 0)
    seed = os.path.join(daemon.home, "identity", "seed")
    assert "OK   identity: in order" in out
    os.chmod(daemon.home, 0o755)
    os.chmod(seed, 0o644)
    code, out, _ = run(daemon.home, name)
    assert code == 1 and re.search(rf"^FAIL home: .*\n +mend: chmod 700 {daemon.home}", out, re.M)
    assert re.search(rf"^FAIL identity: .*\n +mend: chmod 600 {seed}$", out, re.M), out
    os.chmod(daemon.home, 0o700)
    os.chmod(seed, 0o600)


def test_doctor_asks_the_daemon_for_its_port(daemon):
    write_config(daemon.home, {"port": 4})
    assert f"OK   port: UDP port {daemon.port} is held" in run(daemon.home, "doctor")[1]
    # Without a daemon the file is all there is.
    assert daemon.stop() == 0
    assert " port: UDP port 4 is " in run(daemon.home, "doctor")[1]


def test_bugreport_has_no_secrets(make):
    first = make("first", ALONE + ["--name", "annasnode"]).start()
    second = make("second", ALONE + first.bootstrap()).start()
    assert talk(first, second, "x")
    assert first.stop() == 0
    good(first.home, "init")
    first.start()
    assert talk(first, second, "x")
    path = os.path.join(os.path.dirname(first.home), "report")
    out = good(first.home, "bugreport", "-o", path, USER="jane-of-tests",
               HOME="/home/jane-of-tests")
    assert path in out and mode(path) == 0o600
    with open(path, encoding="utf-8") as file:
        report = file.read()
    files = contents(first.home)
    secrets = {"identity": files["identity/seed"].decode("latin-1"),
               "local key": files["local.key"].decode().strip(),
               "own id": first.self_id(), "peer": second.self_id(),
               "peer, short": second.self_id()[:10], "home": first.home,
               "name": "annasnode", "endpoint": f"127.0.0.1:{second.port}"}
    assert files["identity/seed"].hex() not in report
    # The control: all of that is where the report was made of, or in the home.
    source = "".join(good(first.home, command, "--json") for command in ("status", "peers"))
    source += good(first.home, "peers", "list", "--json") + good(first.home, "config", "--json")
    source += "".join(text.decode("latin-1") for text in files.values())
    for what, secret in secrets.items():
        assert secret in source, what
        if what != "endpoint":
            assert secret not in report, what
    assert "jane-of-tests" not in report
    for wanted in "version", "doctor", "config", "status", "log":
        assert f"== {wanted}" in report, wanted


def test_bugreport_on_the_terminal(daemon):
    out = good(daemon.home, "bugreport", "-o", "-")
    assert "== status" in out and daemon.self_id() not in out


def test_bugreport_hides_addresses_and_user(upped):
    with open(os.path.join(upped, "config.json"), encoding="utf-8") as file:
        keys = json.load(file)
    peer = ID.search(good(upped, "key", "show")).group()
    write_config(upped, {**keys, "bootstrap": [f"{peer}@203.0.113.77:4242"]})
    with open(os.path.join(upped, "config.json"), encoding="utf-8") as file:
        assert "203.0.113.77" in file.read()
    report = good(upped, "bugreport", "-o", "-", USER="janeoftests")
    assert "203.0.113.77" not in report and peer not in report and "== config.json" in report
    # The control: a user's name that is in the text is replaced.
    assert "bootstrap" in report
    assert "bootstrap" not in good(upped, "bugreport", "-o", "-", USER="bootstrap")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(home, shell):
    out = good(home, "completion", shell)
    for word in "bugreport", "check-deps", "--json", "peers":
        assert word.lstrip("-") in out, word
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed: its script was not run")
    for text, works in (out, True), ("if then (", False):
        done = subprocess.run([shell, "-n"], input=text, text=True, check=False,
                              capture_output=True)
        assert (done.returncode == 0) == works, done


def test_help_of_each_command(home):
    commands = json.loads(good(home, "help", "--json"))
    overview = good(home, "help")
    assert good(home, ) == overview
    assert len(commands) > 15
    for command in commands:
        name = command["name"]
        assert re.search(rf"^ +{name}\b", overview, re.M), name
        out = good(home, "help", name)
        assert out == good(home, name, "--help") == good(home, name, "-h")
        assert command["summary"] in out
        for option in command["options"]:
            assert f"--{option['name']}" in out
    assert "3" in good(home, "help", "exit-codes")
    assert good(home, "help", "--man").startswith(".")


def test_no_colours_in_a_pipe(daemon):
    assert "\033" not in run(daemon.home, "doctor")[1]
    assert "\033" not in run(daemon.home, "doctor", "--color=never")[1]
    assert "\033" in run(daemon.home, "doctor", "--color=always")[1]
