"""Networks of a home: made, joined, left and renamed while the daemons run."""

import base64
import glob
import json
import os
import re
import select
import socket
import stat
import subprocess

import pytest

from camera import on_terminal, seen
from commands import Live, data, good, refused, run, typed
from daemon import program, wait_until
from fixtures import ALONE, need

USAGE, REFUSED = 2, 4
REFUSED_KEY = "handshake_credential"  # of the drops: somebody who may not come
OLD = "omerta://connect?key=" + "0b" * 32 + "&host=127.0.0.1&port=9"


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def names(home):
    """What the networks of @home are called."""
    return [net["name"] for net in data(home, "network", "list")["networks"]]


def show(home, name):
    """All that is told of the network @name."""
    return data(home, "network", "show", name)


def at(daemon):
    """The option that puts the loopback into a link, whatever addresses this machine has."""
    return f"--at=127.0.0.1:{daemon.port}"


def invite(daemon, name):
    """A link to the network @name by @daemon."""
    return good(daemon.home, "network", "invite", name, at(daemon)).strip()


def meet(daemon, name):
    """True once a peer of the network @name is connected."""
    return wait_until(lambda: show(daemon.home, name)["connected"] > 0, 30)


@pytest.fixture(name="two")
def two_daemons(make):
    """Two daemons that do not know of each other."""
    return make("first", ALONE).start(), make("second", ALONE).start()


def test_create_list_show_rename_leave(daemon):
    """One network from its start to its end, and the default one around it."""
    home, own = daemon.home, daemon.self_id()
    assert names(home) == ["default"]
    made = data(home, "network", "create", "--name", "My Team", "--open")
    assert made["name"] == "My Team" and made["kind"] == "open" and made["open"]
    assert names(home) == ["My Team"]
    assert data(home, "network", "show")["id"] == made["id"]
    assert "My Team" in good(home, "status")
    assert made["self"] != own  # another key than in the default one
    path = os.path.join(home, "networks", made["id"])
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    good(home, "network", "rename", "My Team", "ours")
    assert names(home) == ["ours"] and show(home, "ours")["id"] == made["id"]
    assert good(home, "network", "leave", "ours") == 'left "ours"\n'
    assert not os.path.exists(path)


def test_default_gives_way_and_comes_back(daemon):
    """The built-in network is there while no other is."""
    home, own = daemon.home, daemon.self_id()
    good(home, "network", "create", "--name", "a", "--open")
    good(home, "network", "create", "--name", "b", "--open")
    good(home, "network", "leave", "a")
    assert names(home) == ["b"]
    good(home, "network", "leave", "b")
    assert names(home) == ["default"] and show(home, "default")["self"] == own


def test_networks_outlive_a_restart(make):
    """What was made is there again, with its name, key and secret."""
    daemon = make("home", ALONE).start()
    good(daemon.home, "network", "create", "--name", "a", "--open")
    before, link = show(daemon.home, "a"), invite(daemon, "a")
    shown = good(daemon.home, "key", "show")
    daemon.end()
    assert good(daemon.home, "key", "show") == shown and before["self"] in shown
    daemon.start()
    after = show(daemon.home, "a")
    assert (after["id"], after["self"]) == (before["id"], before["self"])
    assert invite(daemon, "a") == link
    assert names(daemon.home) == ["a"]


def test_default_stays_while_it_is_named(make):
    """A bootstrap peer in it names it; one without a network is left out where it says nothing."""
    peer = make("other", ALONE).start().self_id()
    named = make("named", [*ALONE, "--bootstrap", f"default/{peer}@127.0.0.1:9"]).start()
    good(named.home, "network", "create", "--name", "a", "--open")
    assert sorted(names(named.home)) == ["a", "default"]
    bare = make("bare", [*ALONE, "--bootstrap", f"{peer}@127.0.0.1:9"]).start()
    for name in "ab":
        good(bare.home, "network", "create", "--name", name, "--open")
    assert sorted(names(bare.home)) == ["a", "b"]
    bare.end()
    bare.start()
    assert sorted(names(bare.home)) == ["a", "b"] and "names no network" in bare.log()


def test_tunnels_go_with_their_network(make):
    """Of a network that was left nothing stays open, now or at the next start."""
    daemon = make("home", ALONE).start()
    for name in "ab":
        good(daemon.home, "network", "create", "--name", name, "--open")
        peer = show(daemon.home, name)["self"]
        good(daemon.home, "expose", "8080", "--to", peer, "--network", name, "--keep")

    def exposed():
        return [rule["network"] for rule in data(daemon.home, "expose", "list")["exposed"]]
    assert sorted(exposed()) == ["a", "b"]
    good(daemon.home, "network", "leave", "a")
    assert exposed() == ["b"]
    daemon.end()
    daemon.start()
    assert exposed() == ["b"]


def test_seventeenth_network_is_refused(daemon):
    """Sixteen, and one sentence for one more; then the sixteen are there still."""
    home = daemon.home
    for i in range(16):
        good(home, "network", "create", "--name", f"n{i}", "--open")
    refused(home, "network", "create", "--name", "more", "--open", code=REFUSED, says=["16"])
    assert sorted(names(home)) == sorted(f"n{i}" for i in range(16))
    good(home, "network", "leave", "n3")
    good(home, "network", "create", "--name", "more", "--open")


def test_join_by_every_way(two):
    """The link as a word, an option, from a file and from standard input."""
    first, second = two
    good(first.home, "network", "create", "--name", "a", "--open")
    link = invite(first, "a")
    path = os.path.join(second.home, "link")
    with open(path, "w", encoding="utf-8") as file:
        file.write(link[:70] + "\n" + link[70:] + "\n")  # as a mail breaks it
    os.chmod(path, 0o600)
    ways = [([link], None), (["--key", link], None), (["--file", path], None),
            (["--file", "-"], link), (["-"], link + "\n")]
    for way, stdin in ways:
        said = good(second.home, "network", "join", *way, "--name", "theirs", stdin=stdin)
        assert 'in network "theirs"' in said and "1 of its peers connected" in said
        refused(second.home, "network", "join", *way, code=REFUSED, says=["theirs"], stdin=stdin)
        good(second.home, "network", "leave", "theirs")


def test_member_of_two_networks(make):
    """Another key in each; the peers of one are nowhere in the other; --network says which."""
    middle, left, right = (make(n, ALONE).start() for n in ("middle", "left", "right"))
    for name, other in (("l", left), ("r", right)):
        good(middle.home, "network", "create", "--name", name, "--open")
        good(other.home, "network", "join", "-", "--name", name, stdin=invite(middle, name))
    assert meet(middle, "l") and meet(middle, "r")
    keys = {name: show(middle.home, name)["self"] for name in "lr"}
    assert keys["l"] != keys["r"]
    theirs = {"l": show(left.home, "l")["self"], "r": show(right.home, "r")["self"]}
    for name, other in (("l", "r"), ("r", "l")):
        peers = good(middle.home, "peers", "--network", name, "--json")
        assert theirs[name] in peers and theirs[other] not in peers
    for other, name, hidden in ((left, "l", "r"), (right, "r", "l")):
        everything = "".join(good(other.home, *words, "--json") for words in
                             (["status"], ["peers"], ["network", "list"], ["netcheck"]))
        assert keys[name] in everything  # it is there to be found
        assert keys[hidden] not in everything and theirs[hidden] not in everything
    good(middle.home, "ping", theirs["l"], "-c", "1", "--network", "l")
    refused(middle.home, "ping", theirs["l"], "-c", "1", "--network", "r", says=["heard of it"])
    good(middle.home, "ping", theirs["l"], "-c", "1")  # a key is of one network
    status = good(middle.home, "status")
    assert "network  l:" in status and "network  r:" in status


def test_two_daemons_and_one_direct_link(two):
    """Who exchange one link reach each other, in no other network and over a restart."""
    first, second = two
    link = good(first.home, "key", "link", "--name", "us", at(first)).strip()
    assert link.startswith("omerta://connect?key=")
    assert f"&host=127.0.0.1&port={first.port}&peer={show(first.home, 'us')['self']}" in link
    assert show(first.home, "us")["pins_left"] == 1
    good(second.home, "network", "join", "-", "--name", "us", stdin=link)
    assert names(first.home) == names(second.home) == ["us"]
    assert meet(first, "us") and meet(second, "us")
    ids = [show(daemon.home, "us")["self"] for daemon in two]
    assert wait_until(lambda: show(first.home, "us")["pins"] == [ids[1]], 10)
    assert show(second.home, "us")["pins"] == [ids[0]]
    assert not show(first.home, "us")["open"]
    good(first.home, "message", ids[1], "hello", "--wait")
    first.end()
    first.start()
    assert show(first.home, "us")["pins"] == [ids[1]] and meet(first, "us")


def test_direct_link_lets_in_the_first_only(make, two):
    """A third who has the link, too, is not answered; nor is the link given out again."""
    first, second = two
    third = make("third", ALONE).start()
    link = good(first.home, "key", "link", "--name", "us", at(first)).strip()
    assert good(first.home, "key", "link", "us", at(first)).strip() == link
    good(second.home, "network", "join", "-", stdin=link)
    assert wait_until(lambda: show(first.home, "us")["pins_left"] == 0, 10)
    third.rpc("networks.join", link=link, name="us")
    assert wait_until(lambda: data(first.home, "status")["drops"].get(REFUSED_KEY), 30)
    assert show(third.home, "us")["connected"] == 0
    assert show(third.home, "us")["self"] not in good(first.home, "peers", "--json")
    assert meet(first, "us")  # and nothing changed for the two
    refused(first.home, "key", "link", "us", code=REFUSED, says=["used"])
    refused(second.home, "network", "invite", code=REFUSED, says=["only who made"])


def test_direct_link_of_the_old_form(two):
    """It does not say whose it is: nothing is sent before that is known."""
    first, second = two
    link = good(first.home, "key", "link", "--name", "us", at(first)).strip()
    old, _, peer = link.partition("&peer=")
    refused(second.home, "network", "join", "-", code=REFUSED, says=["--peer"], stdin=old)
    assert names(second.home) == ["default"]
    code, _, said = run(second.home, "network", "join", "-", "--peer", peer, stdin=old)
    assert code == 0 and "warning: the link does not say whose it is" in said
    assert meet(first, "us")


def test_direct_link_of_the_old_form_asks_at_a_terminal(two):
    """Who sits there is asked for the peer; until that was typed nothing goes to the address."""
    first, second = two
    link = good(first.home, "key", "link", "--name", "us", at(first)).strip()
    old, _, peer = link.partition("&peer=")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(10)
        there = old.replace(f"&port={first.port}", f"&port={wire.getsockname()[1]}")
        assert there != old
        for answer, says in (("", "without the id"), ("nobody", "nobody")):
            code, said = typed(second.home, answer, "network", "join", there)
            assert code in (USAGE, REFUSED) and "peer id: " in said and says in said
        assert names(second.home) == ["default"]
        assert select.select([wire], [], [], 1) == ([], [], [])
        with Live(second.home, "network", "join", there, "--peer", peer, "--name", "there"):
            assert len(wire.recv(2048)) >= 448  # the control: that is the address
    good(second.home, "network", "leave", "there")
    code, said = typed(second.home, peer, "network", "join", old)
    assert code == 0 and meet(first, "us"), said


def test_closed_network_by_invitation(two):
    """Who was invited is in, with a certificate; the secret is in no link."""
    first, second = two
    made = data(first.home, "network", "create", "--name", "lab")
    assert made["kind"] == "closed" and not made["open"]
    link = good(first.home, "network", "invite", "lab", at(first)).strip()
    said = good(second.home, "network", "join", "-", "--name", "lab", stdin=link)
    assert "1 of its peers connected" in said and names(second.home) == ["lab"]
    assert show(second.home, "lab")["id"] == made["id"]
    good(first.home, "message", show(second.home, "lab")["self"], "welcome", "--wait")
    refused(second.home, "network", "invite", "lab", code=REFUSED, says=["only an admin"])
    refused(second.home, "network", "join", "-", code=REFUSED, says=["lab"], stdin=link)


def test_joined_it_is_called_as_there(make, two):
    """Who gives no name has that of the admin, unless another network has it here."""
    first, second = two
    good(first.home, "network", "create", "--name", "My Team")
    link = good(first.home, "network", "invite", at(first), "--uses", "2").strip()
    good(second.home, "network", "join", "-", stdin=link)
    assert names(second.home) == ["My Team"]
    third = make("third", ALONE).start()
    good(third.home, "network", "create", "--name", "My Team")
    made = show(first.home, "My Team")["id"]
    good(third.home, "network", "join", "-", stdin=link)
    assert sorted(names(third.home)) == ["My Team", f"net-{made[:6]}"]


def test_invitation_is_used_up(make, two):
    """The second who follows a link for one is told so, also after a restart of who made it."""
    first, second = two
    third = make("third", ALONE).start()
    good(first.home, "network", "create", "--name", "lab")
    link = good(first.home, "network", "invite", "lab", at(first)).strip()
    good(second.home, "network", "join", "-", stdin=link)
    first.end()
    first.start()
    refused(third.home, "network", "join", "-", code=REFUSED, says=["used"], stdin=link)
    assert names(third.home) == ["default"]
    wide = good(first.home, "network", "invite", "lab", "--uses", "2", "--expires", "2h",
                "--role", "relay", at(first)).strip()
    good(third.home, "network", "join", "-", "--name", "lab", stdin=wide)
    assert meet(third, "lab")
    for argv, says in ((["--role", "king"], "relay"), (["--expires", "91d"], "expires"),
                       (["--uses", "0"], "uses")):
        refused(first.home, "network", "invite", "lab", *argv, code=REFUSED, says=[says])


def test_half_a_certificate_is_no_end_of_notes(make, two):
    """Who made one and died while he wrote it down still counts those that come later."""
    first, second = two
    others = [make(name, ALONE).start() for name in ("third", "fourth")]
    good(first.home, "network", "create", "--name", "lab")
    good(second.home, "network", "join", "-",
         stdin=good(first.home, "network", "invite", "lab", at(first)).strip())
    first.end()
    [notes] = glob.glob(os.path.join(first.home, "networks", "*.issued"))
    with open(notes, "ab") as file:
        file.write(b"\x9b\x01\x02")
    first.start()
    link = good(first.home, "network", "invite", "lab", at(first)).strip()
    good(others[0].home, "network", "join", "-", stdin=link)
    first.end()
    first.start()
    refused(others[1].home, "network", "join", "-", code=REFUSED, says=["used"], stdin=link)


def test_closed_network_outlives_a_restart(two):
    """Both start again and meet by the certificates that they kept."""
    first, second = two
    good(first.home, "network", "create", "--name", "lab")
    link = good(first.home, "network", "invite", "lab", at(first)).strip()
    good(second.home, "network", "join", "-", "--name", "lab", stdin=link)
    for daemon in two:
        daemon.end()
    for daemon in two:
        daemon.start()
    assert meet(first, "lab") and meet(second, "lab")
    good(second.home, "network", "leave", "lab")
    assert names(second.home) == ["default"]


def entries(home, network):
    """Number and kind of each entry of an admin that @home keeps of @network, by file order."""
    path = os.path.join(home, "networks", network + ".ledger")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, "rb") as file:
        rest, out = file.read(), []
    while rest:
        part, rest = rest[3:2 + int.from_bytes(rest[:2], "big")], \
            rest[2 + int.from_bytes(rest[:2], "big"):]
        while part:  # kind, owner, length, and then the entry or a certificate
            size = int.from_bytes(part[33:35], "big")
            if part[0] == 0:
                out.append((int.from_bytes(part[35:39], "big"), part[71]))
            part = part[35 + size:]
    return out


def test_ledger_outlives_a_restart(two):
    """An admin goes on with its log where it was, and what it signed reaches the members."""
    first, second = two
    made = data(first.home, "network", "create", "--name", "lab")["id"]
    good(second.home, "network", "join", "-", "--name", "lab", stdin=invite(first, "lab"))
    assert wait_until(lambda: entries(first.home, made) == [(1, 1)], 30)
    ledger = os.path.join(second.home, "networks", made + ".ledger")
    assert wait_until(lambda: os.path.exists(ledger) and entries(second.home, made) == [(1, 1)],
                      30)
    good(second.home, "network", "leave", "lab")
    assert not os.path.exists(ledger)
    first.end()
    with open(os.path.join(first.home, "networks", made + ".ledger"), "ab") as file:
        file.write(b"\2\0cut off by a crash")
    first.start()
    good(second.home, "network", "join", "-", "--name", "lab", stdin=invite(first, "lab"))
    assert entries(first.home, made) == [(1, 1), (2, 1)]
    assert wait_until(lambda: os.path.exists(ledger) and
                      sorted(entries(second.home, made)) == [(1, 1), (2, 1)], 30)


def test_export_and_import(two):
    """A link sealed under a password: for that password, its owner and this file only."""
    first, second = two
    sealed = os.path.join(first.home, "sealed")
    good(first.home, "network", "create", "--name", "a", "--open")
    good(first.home, "key", "export", sealed, at(first), stdin="secret\n")
    assert stat.S_IMODE(os.stat(sealed).st_mode) == 0o600
    with open(sealed, "rb") as file:
        assert b"omerta://" not in file.read()
    refused(first.home, "key", "export", sealed, stdin="secret\n", says=["there already"])
    refused(second.home, "key", "import", sealed, stdin="other\n", says=["another password"])
    assert names(second.home) == ["default"]
    good(second.home, "key", "import", sealed, "--name", "a", stdin="secret\n")
    assert meet(first, "a")


def test_qr_is_read_back(daemon):
    """What a camera sees on the terminal is the link, of each kind."""
    good(daemon.home, "network", "create", "--name", "a", "--open")
    good(daemon.home, "network", "create", "--name", "b")
    for argv, most in ((["network", "invite", "a", "--qr"], 80), (["key", "qr", "a"], 80),
                       (["network", "invite", "b", "--qr"], 100)):
        assert seen(good(daemon.home, *argv, at(daemon)), daemon.home) <= most


def test_qr_wants_its_columns(daemon):
    """A terminal that would break its lines shows none, but says how wide it is to be."""
    good(daemon.home, "network", "create", "--name", "b")
    argv = ["network", "invite", "b", "--qr", at(daemon)]
    code, said = on_terminal(daemon.home, 60, *argv)
    assert code == 1 and "█" not in said and "this terminal 60" in said
    wide = int(re.search(r"is (\d+) columns wide", said)[1])
    assert said.splitlines()[-1].startswith("omerta://join/")
    code, said = on_terminal(daemon.home, wide, *argv)
    assert code == 0 and seen(said, daemon.home) == wide
    code, said = on_terminal(daemon.home, wide - 1, *argv)
    assert code == 1 and "█" not in said


BAD = [
    (["network", "frobnicate"], USAGE, ["rename"]),
    (["network", "create", "--open"], USAGE, ["--name"]),
    (["network", "invite", "here", "--uses", "2"], REFUSED, ["closed"]),
    (["network", "invite", "here", "--expires", "soon"], USAGE, ["soon"]),
    (["network", "create", "--name", "", "--open"], USAGE, ["--name"]),
    (["network", "create", "--name", "a/b", "--open"], REFUSED, ["visible"]),
    (["network", "create", "--name", "x" * 33, "--open"], REFUSED, ["32"]),
    (["network", "create", "--name", "default", "--open"], REFUSED, ["already"]),
    (["network", "create", "--name", "here", "--open"], REFUSED, ["already"]),
    (["network", "join"], USAGE, ["one link"]),
    (["network", "join", "x", "--key", "y"], USAGE, ["one link"]),
    (["network", "join", "x"], REFUSED, ["not a link"]),
    (["network", "join", "omerta://join/"], REFUSED, ["join link"]),
    (["network", "join", "omerta://join/AAAAAAAA"], REFUSED, ["checksum"]),
    (["network", "join", "--file", "/nonexistent"], 1, ["/nonexistent"]),
    (["network", "join", OLD], REFUSED, ["--peer"]),
    (["network", "join", OLD, "--peer", "me"], REFUSED, ["52"]),
    (["network", "join", OLD.replace("127.0.0.1", "example.org")], REFUSED, ["address"]),
    (["network", "leave"], USAGE, ["NETWORK"]),
    (["network", "leave", "nowhere"], REFUSED, ["nowhere"]),
    (["network", "rename", "here"], USAGE, ["new name"]),
    (["network", "rename", "here", "here"], REFUSED, ["already"]),
    (["network", "rename", "nowhere", "x"], REFUSED, ["nowhere"]),
    (["network", "show", "nowhere"], REFUSED, ["nowhere"]),
    (["network", "invite", "nowhere"], REFUSED, ["nowhere"]),
    (["network", "invite", "here", "--at", "nobody"], REFUSED, ["nobody"]),
    (["key"], USAGE, ["export"]),
    (["key", "link", "--uses", "9"], REFUSED, ["8"]),
    (["key", "link", "--uses", "0"], REFUSED, ["8"]),
    (["key", "link", "--uses", "many"], USAGE, ["many"]),
    (["key", "export"], USAGE, ["FILE"]),
    (["key", "import", "/nonexistent"], 1, ["/nonexistent"]),
]


@pytest.fixture(name="here", scope="module")
def home_with_one_network(tmp_path_factory):
    """A daemon in one network, which all bad input leaves as it is."""
    from daemon import Daemon  # pylint: disable=import-outside-toplevel
    need("omerta", "omerta-meshd")
    daemon = Daemon(str(tmp_path_factory.mktemp("h")), ALONE)
    try:
        daemon.start()
        good(daemon.home, "network", "create", "--name", "here", "--open")
        yield daemon
    finally:
        daemon.end()


@pytest.mark.parametrize("argv,code,says", BAD, ids=[" ".join(argv)[:40] for argv, _, _ in BAD])
def test_bad_input(here, argv, code, says):
    """One sentence, its exit code, and nothing changed."""
    stdin = "password\n" if argv[:2] == ["key", "import"] else None
    refused(here.home, *argv, code=code, says=says, stdin=stdin)
    assert names(here.home) == ["here"]
    assert os.listdir(os.path.join(here.home, "networks")) == [show(here.home, "here")["id"]]


def forms(secret):
    """Every way in which @secret might be written down."""
    padded = base64.b64encode(secret).decode().rstrip("=")
    return [secret.hex(), base64.b32encode(secret).decode().lower().rstrip("="),
            padded[:-1], padded[:-1].replace("+", "-").replace("/", "_")]


def secret_of(link):
    """The 32 secret bytes in @link."""
    if "key=" in link:
        return bytes.fromhex(link.split("key=")[1][:64])
    raw = link.rpartition("/")[2]
    return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))[37:69]


def test_no_secret_is_told(two):
    """Not by show, status, list, bugreport or config, in no log, and in no list of processes."""
    first, second = two
    good(first.home, "network", "create", "--name", "a", "--open")
    links = [invite(first, "a"), good(first.home, "key", "link", at(first)).strip()]
    good(first.home, "network", "create", "--name", "closed")
    closed = good(first.home, "network", "invite", "closed", at(first)).strip()
    for link in [*links, closed]:
        good(second.home, "network", "join", "-", stdin=link)
    links.append(closed)
    told = ""
    for daemon in two:
        for words in (["status"], ["network", "list"], ["network", "show", "a"], ["config"],
                      ["bugreport", "-o", "-"], ["peers"], ["log", "-n", "1000"], ["doctor"]):
            for json_too in ([], ["--json"]):
                told += "".join(run(daemon.home, *words, *json_too)[1:])
        told += daemon.log()
        with open(f"/proc/{daemon.process.pid}/cmdline", "rb") as file:
            told += file.read().decode(errors="replace")
        for top, folders, files in os.walk(daemon.home):
            if "networks" in folders:
                folders.remove("networks")  # where it is to be
            for name in files:
                path = os.path.join(top, name)
                if not stat.S_ISREG(os.stat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                assert all(secret_of(link) not in content for link in links), path
                told += content.decode(errors="replace")
    assert "this node is" in told and "datagrams" in told  # something was looked at
    for link in links:
        secret = secret_of(link)
        if "key=" in link:  # one that is found where it is
            assert any(form in link for form in forms(secret))
        assert not [form for form in forms(secret) if form in told.lower() + told]
        assert link not in told


def test_open_networks_kept_files_are_judged(make):
    """A network that others could read stops the start, as the seed does; the mended one starts."""
    daemon = make("home", ALONE).start()
    made = data(daemon.home, "network", "create", "--name", "a", "--open")
    daemon.end()
    path = os.path.join(daemon.home, "networks", made["id"])
    os.chmod(path, 0o644)
    done = subprocess.run([program("omerta-meshd"), "--home", daemon.home, "--port", "0", *ALONE],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0 and "chmod 600" in done.stderr
    os.chmod(path, 0o600)
    daemon.start()
    assert json.loads(good(daemon.home, "network", "list", "--json"))["networks"][0]["name"] == "a"
