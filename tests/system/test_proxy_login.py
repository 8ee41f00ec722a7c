"""A proxy that lets in one user: who gets through, and where the password is and is not."""

import json
import os
import pty
import stat
import subprocess

import pytest

import servers
from daemon import program
from servers import need_program
from socks_client import Association
from tunnel_pair import connect, expose, socks, told, two  # noqa: F401

USER, PASSWORD = "gërt", "open: sesame"
LISTEN = "127.0.0.1:0"


def proxy(daemon, said, *options):
    """omerta proxy --user @options with @said on standard input: (exit, stdout, stderr)."""
    done = subprocess.run([program("omerta"), "--home", daemon.home, "proxy", LISTEN, *options],
                          input=said, capture_output=True, timeout=60, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def proxy_port(daemon, said=PASSWORD + "\n", *options):
    """The port of one that asks for a password."""
    code, out, err = proxy(daemon, said, "--user", USER, "--json", *options)
    assert code == 0, err
    row = json.loads(out)
    assert row["user"] == USER and "password" not in row
    return int(row["listen"].rpartition(":")[2])


def curl(port, kind, login=None, host="ann.omerta"):
    """curl through the proxy: (exit, body, the proxy's HTTP status)."""
    words = ["curl", "-sS", "-m", "20", "--proxytunnel", "--proxy", f"{kind}://127.0.0.1:{port}",
             "-w", "\n%{http_connect}", f"http://{host}/"]
    if login:
        words += ["--proxy-user", ":".join(login)]
    done = subprocess.run(words, capture_output=True, timeout=60, text=True, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, body, status


WRONG = [None, (USER, "open"), (USER, PASSWORD + "x"), ("gert", PASSWORD), (USER, ""),
         ("", PASSWORD)]


def test_socks_lets_in_who_knows_it(two):
    ann, ben = two
    with servers.serving(servers.echo) as port:
        expose(ann, str(port), "--to", "ben")
        at = proxy_port(ben)
        for login in WRONG[1:]:
            if all(login):
                assert Association(at, login=login).login == b"\x01\x01", login
        before = ann.rpc("expose.list")
        with pytest.raises(AssertionError):  # it does not take the method without one
            socks(at, "ann.omerta", port)
        assert Association(at).answer == 0xff
        assert ann.rpc("expose.list") == before
        right = Association(at, login=(USER, PASSWORD))
        assert right.login == b"\x01\x00" and right.answer == 0


@pytest.mark.parametrize("kind", ["socks5h", "http"])
def test_curl_gets_through_with_it(two, folder, kind):
    need_program("curl")
    ann, ben = two
    with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as file:
        file.write("hello")
    with servers.web(folder) as port:
        expose(ann, f"80:127.0.0.1:{port}", "--to", "ben")
        at = proxy_port(ben)
        for login in WRONG:
            code, body, status = curl(at, kind, login)
            assert code != 0 and not body, (login, body)
            assert status == ("407" if kind == "http" else "000"), login
        assert curl(at, kind, (USER, PASSWORD))[:2] == (0, "hello")


def test_it_is_kept_and_shown_nowhere(two):
    ann, ben = two
    at = proxy_port(ben, PASSWORD, "--keep")
    kept = os.path.join(ben.home, "tunnels.json")
    with open(kept, encoding="utf-8") as file:
        assert json.load(file)["forwards"][0]["password"] == PASSWORD  # the control
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    assert ben.stop() == 0
    ben.start()
    assert Association(at, login=(USER, PASSWORD)).answer == 0
    assert Association(at, login=(USER, "wrong")).login == b"\x01\x01"
    [row] = told(ben, "forward", "list")["forwards"]
    assert row["user"] == USER and row["keep"]
    shown = [json.dumps(ben.rpc("forward.list"), ensure_ascii=False)]
    for argv in (("forward", "list"), ("forward", "list", "--json"), ("log", "-n", "1000"),
                 ("bugreport", "-o", "-"), ("config", "show"), ("status", "--json")):
        code, out, err = ben.cli(*argv)
        assert code == 0, (argv, err)
        shown.append(out)
    assert USER in shown[0] and USER in shown[1]
    for text in (*shown, ben.log()):
        assert PASSWORD not in text and "sesame" not in text
    for name in os.listdir(ben.home):
        path = os.path.join(ben.home, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                assert (b"sesame" in file.read()) == (name == "tunnels.json"), name
    told(ben, "forward", "remove", str(row["id"]))
    with open(kept, encoding="utf-8") as file:
        assert "sesame" not in file.read()


def test_a_broken_file_is_not_quoted(two):
    _, ben = two
    proxy_port(ben, PASSWORD, "--keep")
    assert ben.stop() == 0
    kept = os.path.join(ben.home, "tunnels.json")
    with open(kept, encoding="utf-8") as file:
        text = file.read()
    broken = text.replace(f'"{PASSWORD}"', f'"{PASSWORD}" "{PASSWORD}"')
    assert broken != text
    with open(kept, "w", encoding="utf-8") as file:
        file.write(broken)
    ben.spawn()
    assert ben.wait() != 0
    assert "tunnels.json: line" in ben.log() and "sesame" not in ben.log()


def test_removing_ends_who_is_not_through(two):
    _, ben = two
    at = proxy_port(ben)
    a = Association(at, login=(USER, PASSWORD))
    waiting = connect(at)
    waiting.sendall(b"\x05\x01\x02")
    assert waiting.recv(2) == b"\x05\x02"
    [row] = told(ben, "forward", "list")["forwards"]
    assert row["open"] == 2
    told(ben, "forward", "remove", str(row["id"]))
    for s in (a.tcp, waiting):
        with pytest.raises(ConnectionResetError):
            s.recv(1)


@pytest.mark.parametrize("said, options, wanted", [
    ("", ["--user", "ben"], "1 to 255 bytes"),
    ("\n", ["--user", "ben"], "1 to 255 bytes"),
    ("x" * 256, ["--user", "ben"], "1 to 255 bytes"),
    ("secret", ["--user", "b:n"], 'no ":"'),
    ("secret", ["--user", "b" * 256], "1 to 255 bytes"),
    ("sec\tret", ["--user", "ben"], "control characters"),
    ("secret", ["--password-file", "-"], "--user"),
    ("secret", ["--user", "ben", "--password-file", "/nonexistent"], "No such file"),
])
def test_what_is_no_login_is_refused(pair, said, options, wanted):
    code, out, err = proxy(pair[1], said, *options)
    assert code > 0 and not out and wanted in err and "secret" not in err, err
    assert not pair[1].rpc("forward.list")["forwards"]


def test_of_other_forwards_it_is_refused(pair):
    first, second = pair
    for words in ({"user": "ben", "password": "x"}, {"user": "ben"}, {"password": "x"}):
        with pytest.raises(Exception, match="proxy"):
            second.rpc("forward.add", listen=LISTEN, peer=first.self_id(), port=80, **words)
    with pytest.raises(Exception, match="both or none"):
        second.rpc("forward.add", listen=LISTEN, proxy=True, user="ben")


def test_the_password_of_a_file(pair, folder):
    _, ben = pair
    path = os.path.join(folder, "password")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PASSWORD + "\r\nanother line\n")
    at = proxy_port(ben, "", "--password-file", path)
    assert Association(at, login=(USER, PASSWORD)).answer == 0


def test_a_terminal_does_not_show_it(pair):
    _, ben = pair
    ours, theirs = pty.openpty()
    with subprocess.Popen([program("omerta"), "--home", ben.home, "proxy", LISTEN, "--user", USER,
                           "--json"], stdin=theirs, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        assert p.stderr.read(10) == b"password: "
        os.write(ours, (PASSWORD + "\n").encode())
        out, _ = p.communicate(timeout=30)
    assert p.returncode == 0
    os.write(theirs, b"echoed\n")
    shown = b""
    while b"echoed" not in shown:
        shown += os.read(ours, 1000)
    assert b"sesame" not in shown
    at = int(json.loads(out)["listen"].rpartition(":")[2])
    assert Association(at, login=(USER, PASSWORD)).answer == 0
    os.close(ours)
    os.close(theirs)
