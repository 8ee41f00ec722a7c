"""What people, copies and disks do to the commands of networks: a sentence, and nothing lost."""

import base64
import hashlib
import os
import re
import resource
import shutil
import stat
import subprocess
import tempfile

import pytest

from commands import data, environment_of, good, refused, run
from daemon import Daemon, free_port, program
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


def bytes_of(link):
    """What @link says, without its checksum."""
    raw = link.rpartition("/")[2]
    return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))[:-4]


def link_from(raw):
    """The text of a link that says @raw; its checksum is right."""
    raw += hashlib.blake2b(raw, digest_size=32).digest()[:4]
    return "omerta://join/" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def changed(link, at, data_there):
    """@link with @data_there at byte @at of what it says, and a checksum that is right again."""
    raw = bytes_of(link)
    return link_from(raw[:at] + data_there + raw[at + len(data_there):])


def relabelled(link, flags):
    """@link with other @flags and a checksum that is right again."""
    return changed(link, 0, bytes([flags]))


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


AUTHORITY, GRANT, PLACES = 1, 101, 217  # where they begin in an invitation that has no chain
OPEN, ADMIN, PLACE = 1, 2, 4  # flags; of places up to three


def well_summed(link, other):
    """Links whose checksum is right and who do not hold, with why; @link is of a closed network and
    @other of an open one, and each names one place."""
    unknown, unsigned = "this version", "not signed by the network"
    grant = [(0, b"\2"), (1, b"\xff"), (1, b"\1"), (2, bytes(8)), (10, bytes(2)), (12, bytes(8)),
             (20, bytes(32)), (52, bytes(64))]  # version, roles, id, uses, time, key, signature
    yield from ((relabelled(link, flags), unknown) for flags in
                (0, OPEN | PLACE, ADMIN | PLACE, OPEN | ADMIN | PLACE, 3 * PLACE, 4 * PLACE))
    yield from ((relabelled(other, flags), unknown) for flags in (OPEN, PLACE, OPEN | 2 * PLACE))
    yield from ((changed(link, GRANT + at, there), unsigned) for at, there in grant)
    yield changed(link, AUTHORITY, bytes(32)), unsigned
    raw = bytes_of(link)
    yield link_from(bytes([ADMIN | PLACE]) + raw[1:PLACES] + bytes(110) + raw[PLACES:]), unsigned
    yield from ((link_from(cut), unknown) for cut in (raw + b"x", raw[:-1], raw[:1]))
    yield link_from(b""), "cut"


def test_links_whose_sum_is_right(two):
    """What is in them is looked at all the same, before anything is sent."""
    first, second = two
    link, other = link_of(first, "lab"), link_of(first, "all")
    before = networks(second)
    for text, says in well_summed(link, other):
        refused(second.home, "network", "join", "-", code=REFUSED, says=[says], stdin=text)
        assert networks(second) == before
    assert data(first.home, "status")["drops"].get("handshake_credential", 0) == 0
    for name, good_one in (("lab", link), ("all", other)):
        same = link_from(bytes_of(good_one))
        good(second.home, "network", "join", "-", "--name", name, stdin=same)
        good(second.home, "network", "leave", name)


def test_bad_direct_links(two):
    """Of the other form, each by what is wrong with it; the one that they were made of is good, and
    a word of a later version in it is left alone."""
    first, second = two
    key = good(first.home, "key", "link", "--name", "pair", f"--at=127.0.0.1:{first.port}").strip()
    before, port = networks(second), f"port={first.port}"
    for text, says in [
            (key.replace(port, "port=0"), "port"), (key.replace(port, "port=65536"), "port"),
            (key.replace("host=127.0.0.1", "host=127.0.0.256"), "address"),
            (key + "&key=" + "00" * 32, "twice"), (key + "&peer=", "twice"),
            (key[:-52] + "1" * 52, "peer"), (key.replace("key=", "kee="), "key"),
            (key.replace("host=", "host=" + "1" * 200), "too long")]:
        refused(second.home, "network", "join", "-", code=REFUSED, says=[says], stdin=text)
        assert networks(second) == before
    good(second.home, "network", "join", "-", "--name", "pair", stdin=key + "&hint=1")
    for daemon in two:
        good(daemon.home, "network", "leave", "pair")


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
    path = os.path.join(folder, "file")
    for mode in (0o644, 0o600):
        with open(path, "w", encoding="utf-8") as file:
            file.write(link_of(first, "all"))
        os.chmod(path, mode)
        code, _, said = run(second.home, "network", "join", "--file", path, "--name", "all")
        assert code == 0 and ("chmod 600" in said) == (mode == 0o644)
        good(second.home, "network", "leave", "all")
        _, _, said = run(first.home, "key", "import", path, "--password-file", path)
        assert "key export made" in said and ("chmod 600" in said) == (mode == 0o644)


def test_file_in_the_place_of_a_link(two, folder):
    """It is said how a file is told; one that is not there is, before a password is asked for."""
    first, second = two
    path, before = os.path.join(folder, "a link"), networks(second)
    with open(path, "w", encoding="utf-8") as file:
        file.write(link_of(first, "all"))
    os.chmod(path, 0o600)
    refused(second.home, "network", "join", path, code=USAGE, says=["no link", f"--file {path}"])
    refused(second.home, "key", "import", path + "s", code=FAILED, says=["links: No such file"])
    assert networks(second) == before
    good(second.home, "network", "join", "--file", path, "--name", "all")
    good(second.home, "network", "leave", "all")


def test_made_says_what_to_type(two):
    """Whatever the network is called, and that it is not the only one."""
    environment = environment_of(two[0].home)
    environment["PATH"] = os.path.dirname(program("omerta")) + ":" + environment["PATH"]
    for name in "my team", "it's ours", "équipe":
        said = good(two[0].home, "network", "create", "--name", name)
        commands = re.findall(r": (omerta network invite .*)$", said, re.M)
        assert len(commands) == 2, said
        for command in commands:
            done = subprocess.run(["sh", "-c", command + f" --at 127.0.0.1:{two[0].port}"],
                                  env=environment, text=True, capture_output=True, check=False)
            assert done.returncode == 0 and done.stdout.startswith("omerta://join/"), done.stderr
        good(two[0].home, "network", "leave", name)


def test_export_without_a_password(two, folder):
    """No file is made of nothing; the one that is, is its owner's whatever the umask."""
    path, first = os.path.join(folder, "sealed"), two[0]
    argv = ["key", "export", path, "all", f"--at=127.0.0.1:{first.port}"]
    for said, wanted in ((None, "want 1 to"), ("", "want 1 to"), ("\n", "want 1 to"),
                         ("x" * 5000 + "\n", "want 1 to"), ("a\0b\n", "none of them zero")):
        refused(first.home, *argv, code=FAILED, says=["password", wanted], stdin=said)
        assert not os.path.exists(path)
    before = os.umask(0)
    try:
        assert good(first.home, *argv, stdin="secret\n") == f"sealed into {path}\n"
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def ids(count):
    """So many keys of nobody."""
    made = (hashlib.blake2b(bytes([i % 256, i // 256]), digest_size=32).digest()
            for i in range(count))
    return [base64.b32encode(key).decode().lower().rstrip("=") for key in made]


def test_blocked_are_256_at_most(make):
    """One more is refused with a sentence, and nobody is let go for it; then there is room."""
    daemon = make("home", ALONE).start()
    home, made = daemon.home, data(daemon.home, "network", "create", "--name", "lab")["id"]
    *many, more = ids(257)
    daemon.end()
    path = os.path.join(home, "networks", made + ".blocked")
    with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write("".join(key + "\n" for key in many))
    daemon.start()

    def blocked():
        return sorted(p["id"] for p in data(home, "network", "block", "--list")["blocked"])
    assert blocked() == sorted(many)
    refused(home, "network", "block", more, code=REFUSED, says=["256", "lab", "let one"])
    assert blocked() == sorted(many)
    good(home, "network", "block", many[7])  # who is blocked is so still
    good(home, "network", "block", "--undo", many[7])
    good(home, "network", "block", more)
    assert blocked() == sorted([*many[:7], *many[8:], more])
    with open(path, encoding="ascii") as file:
        assert sorted(file.read().split()) == blocked()


def test_seventeenth_network_by_link(make, two):
    """Whatever the form of the link, and none is half joined; when one was left it is followed."""
    first = two[0]
    full = make("full", ALONE).start()
    links = {"all": link_of(first, "all"), "lab": link_of(first, "lab"), "us2": good(
        first.home, "key", "link", "--name", "us2", f"--at=127.0.0.1:{first.port}").strip()}
    for i in range(16):
        good(full.home, "network", "create", "--name", f"n{i}", "--open")
    before = networks(full)
    for link in links.values():
        refused(full.home, "network", "join", "-", code=REFUSED, says=["16 networks"], stdin=link)
        assert networks(full) == before
    for name, link in links.items():
        good(full.home, "network", "leave", networks(full)[0][-1])
        good(full.home, "network", "join", "-", "--name", "a" + name, stdin=link)
    assert len(networks(full)[0]) == 16
    good(first.home, "network", "leave", "us2")


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


def test_left_though_the_built_in_one_cannot_come_back(make):
    """What is wrong with one network is no failure to leave another: it is gone, and the log says
    what is not there instead."""
    daemon = make("leaver", ALONE).start()
    [builtin] = data(daemon.home, "network", "list")["networks"]
    blocked = os.path.join(daemon.home, "networks", builtin["id"] + ".blocked")
    good(daemon.home, "network", "create", "--name", "lab")
    with open(blocked, "w", encoding="ascii") as file:
        file.write("nobody\n")
    os.chmod(blocked, 0o600)
    good(daemon.home, "network", "leave", "lab")
    assert not data(daemon.home, "network", "list")["networks"]
    assert "the built-in network cannot come back" in daemon.log() and builtin["id"] in daemon.log()
    os.unlink(blocked)
    good(daemon.home, "network", "create", "--name", "lab")
    good(daemon.home, "network", "leave", "lab")
    assert [net["id"] for net in data(daemon.home, "network", "list")["networks"]] == \
        [builtin["id"]]
