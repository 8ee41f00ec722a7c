"""What people, copies and disks do to the commands of networks: a sentence, and nothing lost."""

import base64
import hashlib
import os
import resource
import shutil
import tempfile

import pytest

from commands import data, good, refused, run
from daemon import Daemon, free_port
from fixtures import ALONE, need

USAGE, REFUSED, FAILED, NO_DAEMON = 2, 4, 1, 3


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


@pytest.fixture(name="two", scope="module")
def two_daemons():
    """The first made networks of each kind; the second is in one of its own, "have"."""
    need("omerta", "omerta-meshd")
    folder = tempfile.mkdtemp(prefix="om-")
    daemons = [Daemon(os.path.join(folder, name), ALONE) for name in "ab"]
    try:
        first, second = (daemon.start() for daemon in daemons)
        good(first.home, "network", "create", "--name", "lab")
        good(first.home, "network", "create", "--name", "all", "--open")
        good(second.home, "network", "create", "--name", "have", "--open")
        yield first, second
    finally:
        for daemon in daemons:
            daemon.end()
        shutil.rmtree(folder, ignore_errors=True)


def link_of(daemon, name, *more):
    """An invitation of @daemon to @name."""
    return good(daemon.home, "network", "invite", name, f"--at=127.0.0.1:{daemon.port}",
                *more).strip()


def networks(daemon):
    """What there is of networks at @daemon: their names, and the files that keep them."""
    names = [net["name"] for net in data(daemon.home, "network", "list")["networks"]]
    return sorted(names), sorted(os.listdir(os.path.join(daemon.home, "networks")))


def relabelled(link, flags):
    """@link with other @flags and a checksum that is right again."""
    raw = link.rpartition("/")[2]
    raw = bytes([flags]) + base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))[1:-4]
    raw += hashlib.blake2b(raw, digest_size=32).digest()[:4]
    return "omerta://join/" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def typed_wrong(link, at):
    """@link with another character at @at."""
    return link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1:]


def test_bad_links(two):
    """Each is refused by name; the link that they were made of is good."""
    first, second = two
    link, other = link_of(first, "lab"), link_of(first, "all")
    key = good(first.home, "key", "link", "--name", "us", f"--at=127.0.0.1:{first.port}").strip()
    before = networks(second)
    for text, code, says in [
            (typed_wrong(link, 60), REFUSED, "mistyped or cut"),
            (typed_wrong(other, 20), REFUSED, "mistyped or cut"),
            (link[:-20], REFUSED, "cut"), (link[:-1], REFUSED, "cut"),
            (link + link, REFUSED, "too long"),
            (relabelled(link, 0x84), REFUSED, "this version"),
            (relabelled(link, 0xff), REFUSED, "this version"),
            (key[:40], REFUSED, "key"), (key.replace("key=", "key=z"), REFUSED, "key"),
            (key[:-1], REFUSED, ""),
            ("https://example.org", REFUSED, "omerta://"), ("\n", REFUSED, "not a link"),
            ("omerta://join/\x1b[31mred", REFUSED, "character"),
            ("", FAILED, "standard input"), ("x" * (1 << 20), FAILED, "4096"),
            ("".join(map(chr, range(128))), FAILED, "want a link")]:
        said = refused(second.home, "network", "join", "-", code=code, says=[says], stdin=text)
        assert "\x1b" not in said and len(said) < 200
        assert networks(second) == before
    for name, own in (("lab", link), ("all", other), ("us", key)):
        refused(first.home, "network", "join", "-", code=REFUSED, says=[name], stdin=own)
    assert relabelled(link, 4) == link
    good(second.home, "network", "join", "-", "--name", "lab", stdin=link)
    good(second.home, "network", "leave", "lab")


def test_bad_names(two):
    """A name is text that can be seen and typed; what is refused is shown escaped."""
    first, second = two
    before = networks(first)
    for name in ("a\x1b[31mb", "a\nb", "a/b", "\u202eabc", "x" * 33, "ü" * 17, "default", "lab",
                 " x", "-x", "..", "_x"):
        said = refused(first.home, "network", "create", f"--name={name}", "--open", code=REFUSED)
        assert said.isprintable(), ascii(said)
        assert networks(first) == before
        refused(first.home, "network", "rename", "--", "all", name, code=REFUSED)
    link = link_of(first, "all")
    for name in (" x", "-x", ".."):
        refused(second.home, "network", "join", "-", f"--name={name}", code=REFUSED, stdin=link,
                says=["letter or digit"])
    assert networks(second)[0] == ["have"]
    for name in ("ü" * 16, "日本", "1-x .."):
        good(first.home, "network", "create", f"--name={name}", "--open")
        good(first.home, "network", "leave", name)
    assert networks(first) == before


BAD_LIMITS = [
    (["--uses", "0"], REFUSED, "65535"), (["--uses", "-1"], USAGE, "number"),
    (["--uses", "70000"], REFUSED, "65535"), (["--uses", "x"], USAGE, "number"),
    (["--expires", "0"], USAGE, "duration"), (["--expires", "garbage"], USAGE, "duration"),
    (["--expires", "10y"], USAGE, "duration"), (["--expires", "100d"], REFUSED, "90d"),
    (["--expires", "10ms"], REFUSED, "90d"), (["--role", "nobody"], REFUSED, "member"),
    (["--at", "999.1.1.1:5"], REFUSED, "address"), (["--at", "1.2.3.4:99999"], REFUSED, "port"),
]


def test_bad_limits(two):
    """No link comes of them."""
    for argv, code, says in BAD_LIMITS:
        refused(two[0].home, "network", "invite", "lab", *argv, code=code, says=[says])
    assert link_of(two[0], "lab", "--uses", "65535", "--expires", "90d", "--role", "provider")


def test_no_daemon(folder):
    """Whatever is asked: it is said how to start one, and no file is made."""
    home = os.path.join(folder, "home")
    os.mkdir(home, 0o700)
    out = os.path.join(folder, "out")
    for argv in (["network"], ["network", "invite"], ["network", "create", "--name", "x"],
                 ["network", "join", "-"], ["network", "leave", "x"], ["key", "link"],
                 ["key", "export", out], ["cloister"], ["cloister", "accept", "1"]):
        refused(home, *argv, code=NO_DAEMON, says=["omerta up"], stdin="omerta://join/x\n")
    assert not os.path.exists(out) and os.listdir(home) == []


def test_file_that_others_may_read_is_warned_of(two, folder):
    """Of a link or a password in it; once it is the user's alone nothing is said."""
    first, second = two
    path, missing = os.path.join(folder, "file"), os.path.join(folder, "missing")
    for mode in (0o644, 0o600):
        with open(path, "w", encoding="utf-8") as file:
            file.write(link_of(first, "all"))
        os.chmod(path, mode)
        code, _, said = run(second.home, "network", "join", "--file", path, "--name", "all")
        assert code == 0 and ("chmod 600" in said) == (mode == 0o644)
        good(second.home, "network", "leave", "all")
        _, _, said = run(first.home, "key", "import", missing, "--password-file", path)
        assert "missing" in said and ("chmod 600" in said) == (mode == 0o644)


def try_all(daemon, links):
    """Everything that would change the networks of @daemon; each must be refused."""
    for argv, link in ((["create", "--name", "x", "--open"], None),
                       (["create", "--name", "x"], None), (["join", "-"], links[0]),
                       (["join", "-"], links[1]), (["rename", "have", "had"], None)):
        refused(daemon.home, "network", *argv, code=REFUSED, says=["networks"], stdin=link)
    refused(daemon.home, "key", "link", "--name", "x", code=REFUSED, says=["networks"])
    assert networks(daemon)[0] == ["have"]


def test_full_disk_and_read_only_home(two):
    """What cannot be kept is not done; not even the one use of an invitation is lost."""
    first, second = two
    links = link_of(first, "all"), link_of(first, "lab")
    folder, before = os.path.join(second.home, "networks"), networks(second)
    pid, limit = second.process.pid, resource.RLIMIT_FSIZE
    _, most = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (0, most))
    try_all(second, links)
    resource.prlimit(pid, limit, (most, most))
    assert networks(second) == before
    os.chmod(folder, 0o500)
    try_all(second, links)
    refused(second.home, "network", "leave", "have", code=REFUSED, says=["cannot be removed"])
    os.chmod(folder, 0o700)
    assert networks(second) == before
    for name, link in zip(("all", "lab"), links):
        good(second.home, "network", "join", "-", "--name", name, stdin=link)
        good(second.home, "network", "leave", name)


def test_start_with_a_damaged_network(make):
    """The start is refused with the file's path, and the file is left as it is."""
    daemon = make("home", ALONE).start()
    made = data(daemon.home, "network", "create", "--name", "lab")["id"]
    daemon.end()
    path = os.path.join(daemon.home, "networks", made)
    with open(path, "rb") as file:
        good_bytes = file.read()
    for bad in (b"", good_bytes[:-1], b"\2" + good_bytes[1:], bytes(len(good_bytes))):
        with open(path, "wb") as file:
            file.write(bad)
        code, _, said = daemon.tool("--port", str(free_port()), *ALONE)
        assert code != 0 and made in said, said
        with open(path, "rb") as file:
            assert file.read() == bad
    with open(path, "wb") as file:
        file.write(good_bytes)
    daemon.start()
    assert networks(daemon)[0] == ["lab"]
