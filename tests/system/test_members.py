"""Members of closed networks: listed, put out by an admin, and what comes of it."""

import base64
import os
import pty
import stat
import subprocess

import pytest

import servers
from commands import data, environment_of, good, refused, run, typed
from daemon import program, wait_until
from fixtures import ALONE, need

USAGE, REFUSED = 2, 4
REFUSED_KEY = "handshake_credential"  # of the drops: somebody who may not come


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def show(daemon):
    """All that is told of the network lab."""
    return data(daemon.home, "network", "show", "lab")


def invite(daemon, *options):
    """A link to the network lab by @daemon, who made it."""
    return good(daemon.home, "network", "invite", "lab", *options,
                f"--at=127.0.0.1:{daemon.port}").strip()


def members(daemon, *options):
    """Who is in lab as @daemon knows, by id."""
    listed = data(daemon.home, "network", "members", *options)["members"]
    return {member["id"]: member for member in listed}


@pytest.fixture(name="three")
def three_members(make):
    """ann, who made lab, then bob and cat, whom she invited; each is connected with both others."""
    names = ("ann", "bob", "cat")
    ann, bob, cat = daemons = [make(name, [*ALONE, "--name", name]).start() for name in names]
    good(ann.home, "network", "create", "--name", "lab")
    link = invite(ann, "--uses", "2")
    for other in (bob, cat):
        good(other.home, "network", "join", "-", "--name", "lab", stdin=link)
    assert wait_until(lambda: [show(one)["connected"] for one in daemons] == [2, 2, 2], 30) \
        or [good(one.home, "ping", other, "-c", "1") for one in daemons for other in names
            if other not in one.home]
    return ann, bob, cat


def state_of(daemon, name):
    """What the table of @daemon says of @name."""
    rows = good(daemon.home, "network", "members", "--all").splitlines()
    [row] = [row for row in rows if row.startswith(name + " ")]
    return row


def test_members_lists_and_names(three):
    """Everybody sees everybody: what certificates say, and who is there."""
    ann, bob, _ = three
    for daemon in three:
        listed = members(daemon)
        assert sorted(m["name"] for m in listed.values()) == ["ann", "bob", "cat"]
        assert listed[show(daemon)["self"]]["own"]
        for member in listed.values():
            by = "authority" if member["name"] == "ann" else "ann"
            assert member["invited_by_name"] == by and member["standing"] == "good"
            assert member["admin"] == ("admin" in member["roles"]) == (member["name"] == "ann")
            assert member["own"] or member["live"]
            assert member["expires"] > member["issued"]
    assert "live" in state_of(ann, "bob") and "this node" in state_of(bob, "bob")


def holding(connection):
    """Says one byte, and nothing more until the other side ends."""
    connection.sendall(b"x")
    connection.recv(1)


def stream(daemon, peer, port):
    """omerta nc from @daemon to @port of @peer, whose first byte has come."""
    nc = subprocess.Popen([program("omerta"), "nc", peer, str(port)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment_of(daemon.home))
    assert nc.stdout.read(1) == b"x", nc.communicate(timeout=10)
    return nc


def test_revoke_ends_streams_and_lasts(three):
    """Who is put out loses what it has open with everybody, and comes in nowhere again."""
    ann, bob, cat = three
    key = show(cat)["self"]
    with servers.serving(holding) as port:
        for daemon in (ann, cat):
            good(daemon.home, "expose", str(port), "--to", "*")
        out = [stream(cat, "ann", port), stream(bob, "cat", port)]
        stays = stream(bob, "ann", port)
        said = good(ann.home, "network", "revoke", "cat")
        assert "cat: a member no more" in said and "1 other is connected" in said
        for nc, peer in zip(out, ("ann", "cat")):
            assert nc.wait(30) == 1 and f"port {port} of {peer}: cut" in nc.stderr.read().decode()
            nc.communicate()
        assert stays.poll() is None
        stays.communicate(b"y", timeout=30)
        assert stays.returncode == 0
    for daemon in (ann, bob):
        assert wait_until(lambda d=daemon: key not in members(d), 30)
        assert members(daemon, "--all")[key]["revoked_by_name"] == "ann"
        assert "revoked by ann" in state_of(daemon, "cat")
        refused(daemon.home, "ping", key, "-c", "1", says=["put out of network lab by ann"])
    code, _, err = run(cat.home, "ping", "ann", "-c", "1")
    assert code == 1 and "this node was put out of network lab, says" in err
    good(bob.home, "ping", "ann", "-c", "1")
    for daemon in three:
        daemon.end()
    for daemon in three:
        daemon.start()
    assert wait_until(lambda: show(ann)["connected"] == show(bob)["connected"] == 1, 60)
    for daemon in (ann, bob):  # who hears it again and again
        assert wait_until(lambda d=daemon: data(d.home, "status")["drops"].get(REFUSED_KEY), 60)
        assert members(daemon, "--all")[key]["standing"] == "revoked"
    assert show(cat)["connected"] == 0
    again = good(ann.home, "network", "revoke", "--yes", key)
    assert "a member no more" in again
    good(cat.home, "network", "leave", "lab")
    drops = data(ann.home, "status")["drops"][REFUSED_KEY]
    with subprocess.Popen([program("omerta"), "network", "join", invite(ann)],
                          env=environment_of(cat.home), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as asking:
        assert wait_until(lambda: data(ann.home, "status")["drops"][REFUSED_KEY] > drops, 30)
        asking.kill()
    assert key not in members(ann)


def blocked(daemon):
    """The names of whom @daemon blocks in lab."""
    return [peer["name"] for peer in data(daemon.home, "network", "block", "--list")["blocked"]]


def test_block_silences_and_lasts(three):
    """Whom a member blocks reaches all but him, also after a restart, until it is undone."""
    ann, bob, cat = three
    good(cat.home, "ping", "bob", "-c", "1")
    assert "cat: blocked" in good(bob.home, "network", "block", "cat")
    assert blocked(bob) == ["cat"] and blocked(ann) == []
    assert "blocked here" in state_of(bob, "cat") and "live" in state_of(ann, "cat")
    refused(bob.home, "ping", "cat", "-c", "1", says=["cat is blocked here"])
    assert run(cat.home, "ping", "bob", "-c", "1")[0] == 1
    for daemon in (bob, cat):
        good(daemon.home, "ping", "ann", "-c", "1")
    bob.end()
    path = os.path.join(bob.home, "networks", show(ann)["id"] + ".blocked")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    bob.start()
    assert wait_until(lambda: "live" in state_of(bob, "ann"), 30)
    assert run(cat.home, "ping", "bob", "-c", "1")[0] == 1
    assert wait_until(lambda: data(bob.home, "status")["drops"].get(REFUSED_KEY), 60)
    assert "may come again" in good(bob.home, "network", "block", "--undo", show(cat)["self"][:8])
    assert blocked(bob) == [] and not os.path.exists(path)
    assert wait_until(lambda: run(bob.home, "ping", "cat", "-c", "1")[0] == 0, 60)
    assert wait_until(lambda: run(cat.home, "ping", "bob", "-c", "1")[0] == 0, 60)


def does_not_start(daemon, says):
    """Its one sentence, for a person, when it is started."""
    done = subprocess.run(daemon.argv(), capture_output=True, text=True, timeout=30, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode > 0 and says in done.stderr, done


def test_lists_that_cannot_be_read_are_not_lost(three):
    """Who is blocked and who was thrown out would be let in again: the daemon does not start."""
    ann, bob, _ = three
    good(bob.home, "network", "block", "cat")
    good(ann.home, "network", "revoke", "cat")
    folder, network = os.path.join(bob.home, "networks"), show(ann)["id"]
    blocks, ledger = (os.path.join(folder, f"{network}.{kind}") for kind in ("blocked", "ledger"))
    assert wait_until(lambda: "revoked" in state_of(bob, "cat"), 30)
    bob.end()
    with open(blocks, encoding="ascii") as f:
        kept = f.read()
    os.chmod(blocks, 0o644)
    does_not_start(bob, f"chmod 600 {blocks}")
    os.chmod(blocks, 0o600)
    with open(blocks, "a", encoding="ascii") as f:
        f.write("nobody\n")
    does_not_start(bob, f"line 2 is nobody who can be blocked: {blocks}")
    with open(blocks, "w", encoding="ascii") as f:
        f.write(kept)
    os.rename(ledger, ledger + ".away")
    os.mkdir(ledger)
    does_not_start(bob, ledger)
    os.rmdir(ledger)
    os.rename(ledger + ".away", ledger)
    bob.start()
    assert blocked(bob) == ["cat"] and "revoked" in state_of(bob, "cat")


def test_void_invitation_lets_nobody_in(make):
    """An invitation taken back by its link or its id lets nobody in; another does."""
    ann, bob, cat = (make(name, ALONE).start() for name in ("ann", "bob", "cat"))
    good(ann.home, "network", "create", "--name", "lab")
    link, other = invite(ann), invite(ann)
    said = good(ann.home, "network", "revoke", "--invite", "-", stdin=link)
    assert "nobody joins by it any more" in said and link not in said
    refused(ann.home, "network", "revoke", "--invite", "0123", code=REFUSED, says=["16 hex"])
    refused(ann.home, "network", "revoke", "--invite", "0" * 16, code=REFUSED, says=["taken back"])
    refused(cat.home, "network", "join", "-", code=REFUSED, stdin=link,
            says=["the invitation was taken back"])
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=other)
    assert sorted(members(ann)) == sorted(show(one)["self"] for one in (ann, bob))


def test_invitations_are_listed_until_they_are_over(make):
    """show has those that still let somebody in, and nothing of their links."""
    ann, bob = (make(name, ALONE).start() for name in ("ann", "bob"))
    good(ann.home, "network", "create", "--name", "lab")
    assert show(ann)["invites"] == []
    once, twice = invite(ann), invite(ann, "--uses", "2", "--role", "relay", "--expires", "2h")
    first, second = show(ann)["invites"]  # the one that ends first comes first
    assert (first["uses"], first["left"], first["roles"]) == (2, 2, ["relay"])
    assert (second["uses"], second["left"], second["roles"]) == (1, 1, [])
    told = good(ann.home, "network", "show", "lab")
    assert f"{first['id']}: 2 of 2 may come, as relay, until 20" in told
    assert f"{second['id']}: 1 of 1 may come, as member, until 20" in told
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=twice)
    assert show(bob)["invites"] == []  # which others gave out
    ann.end()
    ann.start()
    assert [one["left"] for one in show(ann)["invites"]] == [1, 1]
    good(ann.home, "network", "revoke", "--invite", second["id"])
    assert [one["id"] for one in show(ann)["invites"]] == [first["id"]]
    for name in os.listdir(os.path.join(ann.home, "networks")):
        path = os.path.join(ann.home, "networks", name)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        if name.endswith(".invites"):
            with open(path, "rb") as file:
                kept = file.read()
            assert len(kept) == 2 * 19 and bytes.fromhex(first["id"]) in kept
    assert once not in told and twice not in told


def has_heard(daemon, owner):
    """Is an entry of @owner's log kept by @daemon?"""
    path = os.path.join(daemon.home, "networks", show(daemon)["id"] + ".ledger")
    with open(path, "rb") as file:
        return b"\0" + base64.b32decode(owner.upper() + "====") in file.read()


def test_who_made_the_network_ends_its_admins(make):
    """ben, an admin by ann's invitation, cannot end her; she ends his office, and then him: whom he
    let in stays, but for whom she had not heard of."""
    ann, ben, cat, dan = [make(name, [*ALONE, "--name", name]).start()
                          for name in ("ann", "ben", "cat", "dan")]
    good(ann.home, "network", "create", "--name", "lab")
    good(ben.home, "network", "join", "-", "--name", "lab", stdin=invite(ann, "--role", "admin"))
    good(cat.home, "network", "join", "-", "--name", "lab", stdin=invite(ben))
    of_ben, of_cat = show(ben)["self"], show(cat)["self"]
    assert wait_until(lambda: of_cat in members(ann) and has_heard(ann, of_ben), 30)
    assert members(ann)[of_ben]["admin"] and members(ann)[of_cat]["invited_by_name"] == "ben"
    for options in ([], ["--keep-member"]):
        refused(ben.home, "network", "revoke", "ann", *options, code=REFUSED,
                says=["that is an admin: only who made network lab can put one out"])
    ann.end()
    good(dan.home, "network", "join", "-", "--name", "lab", stdin=invite(ben))
    of_dan = show(dan)["self"]
    ben.end()
    dan.end()
    ann.start()
    said = good(ann.home, "network", "revoke", "ben", "--keep-member")
    assert "ben: an admin no more" in said
    for daemon in (ben, dan):
        daemon.start()
    for daemon in (ann, ben, cat):
        assert wait_until(lambda d=daemon: not members(d)[of_ben]["admin"]
                          and members(d, "--all").get(of_dan, {}).get("standing")
                          == "issuer revoked", 60), members(daemon, "--all")
        assert of_cat in members(daemon)
    refused(ben.home, "network", "invite", "lab", code=REFUSED, says=["only an admin"])
    refused(ben.home, "network", "revoke", "cat", code=REFUSED, says=["only an admin"])
    good(ben.home, "ping", "ann", "-c", "1")
    good(ben.home, "ping", "cat", "-c", "1")
    assert run(dan.home, "ping", "ann", "-c", "1")[0] == 1
    said = good(ann.home, "network", "revoke", "ben")
    assert "ben: a member no more" in said
    for daemon in (ann, cat):
        assert wait_until(lambda d=daemon: of_ben not in members(d), 60)
    code, _, err = run(ben.home, "ping", "ann", "-c", "1")
    assert code == 1 and "this node was put out of network lab" in err
    good(cat.home, "ping", "ann", "-c", "1")
    assert set(members(ann)) == {show(ann)["self"], of_cat}


def test_revoke_asks_who_sits_at_a_terminal(make):
    """Only a yes puts somebody out; --yes asks nothing."""
    ann, bob = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob"))
    good(ann.home, "network", "create", "--name", "lab")
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=invite(ann))
    for answer in ("no", "y", ""):
        code, said = typed(ann.home, answer, "network", "revoke", "bob")
        assert code == 1 and "put bob out for good?" in said and "nobody was put out" in said
    assert len(members(ann)) == 2
    code, said = typed(ann.home, "no", "network", "revoke", "--yes", "bob")
    assert (code, said) == (0, "")
    assert wait_until(lambda: len(members(ann)) == 1, 10)


def test_leave_asks_the_only_admin_of_others(make):
    """Those who stay could invite nobody: --yes or a yes; alone, or with another admin, nothing."""
    ann, bob = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob"))
    for lab in "lab", "lab2":
        good(ann.home, "network", "create", "--name", lab)
    good(ann.home, "network", "leave", "lab2")  # nobody else is in it
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=invite(ann))
    assert wait_until(lambda: len(members(ann)) == 2, 20)
    refused(ann.home, "network", "leave", "lab",
            says=["--yes", "the only admin of \"lab\"", "1 other would"])
    for answer in ("no", "y", ""):
        code, said = typed(ann.home, answer, "network", "leave", "lab")
        assert code == 1 and "leave it for good?" in said and "nothing was left" in said
    assert len(members(ann)) == 2
    good(bob.home, "network", "leave", "lab")  # who is no admin is asked nothing
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=invite(ann, "--role", "admin"))
    admins = [True, True]
    assert wait_until(lambda: [m["admin"] for m in members(ann).values() if m["live"] or m["own"]]
                      == admins, 20)
    good(ann.home, "network", "leave", "lab")


def test_leave_by_a_yes(make):
    """Typed, and given as an option."""
    ann, bob = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob"))
    for way in ("typed", "option"):
        good(ann.home, "network", "create", "--name", "lab")
        good(bob.home, "network", "join", "-", "--name", way, stdin=invite(ann))
        assert wait_until(lambda: len(members(ann)) == 2, 20)
        if way == "typed":
            code, said = typed(ann.home, "yes", "network", "leave", "lab")
            assert code == 0 and "leave it for good?" in said
        else:
            good(ann.home, "network", "leave", "lab", "--yes")
        assert "lab" not in [net["name"] for net in data(ann.home, "network", "list")["networks"]]


BAD = [
    (["revoke"], USAGE, ["MEMBER"]),
    (["revoke", "a", "b"], USAGE, ["MEMBER"]),
    (["revoke", "nobody"], REFUSED, ["nobody is known", "lab"]),
    (["revoke", ""], REFUSED, ["nobody is known"]),
    (["revoke", "ann"], REFUSED, ["this node itself", "leave"]),
    (["revoke", "bob", "--keep-member"], REFUSED, ["no admin"]),
    (["revoke", "bob", "--network", "nowhere"], REFUSED, ["nowhere"]),
    (["block"], USAGE, ["PEER"]),
    (["block", "nobody"], REFUSED, ["nobody is known"]),
    (["block", "ann"], REFUSED, ["this node itself"]),
    (["members", "nowhere"], REFUSED, ["nowhere"]),
    (["members", "lab", "lab"], USAGE, ["unexpected"]),
]


def test_revoke_bad_input(make):
    """One sentence each, and nobody is put out; then who may does."""
    ann, bob = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob"))
    good(ann.home, "network", "create", "--name", "lab")
    good(bob.home, "network", "join", "-", "--name", "lab", stdin=invite(ann))
    for argv, code, says in BAD:
        refused(ann.home, "network", *argv, code=code, says=says)
    refused(bob.home, "network", "revoke", "ann", code=REFUSED, says=["only an admin"])
    assert [m["standing"] for m in members(ann, "--all").values()] == ["good", "good"]
    good(ann.home, "network", "create", "--name", "open", "--open")
    refused(ann.home, "network", "members", "open", code=REFUSED, says=["not closed"])
    refused(ann.home, "network", "revoke", show(bob)["self"], "--network", "open", code=REFUSED,
            says=["not closed"])
    good(ann.home, "network", "revoke", "bob", "--network", "lab")


def test_create_warns_of_what_cannot_be_mended(make):
    """Of the only admin, and of an open network; not in JSON, nor of a network that is shown."""
    ann = make("ann", ALONE).start()
    said = good(ann.home, "network", "create", "--name", "lab")
    assert "its only admin" in said and "network invite 'lab' --role admin" in said
    assert "warning" not in good(ann.home, "network", "show", "lab")
    said = good(ann.home, "network", "create", "--name", "all", "--open")
    assert "nobody can be put out" in said and "only admin" not in said
    assert data(ann.home, "network", "create", "--name", "two")["name"] == "two"
    assert "can read the headers" in " ".join(good(ann.home, "help", "network").split())


def test_join_says_at_a_terminal_that_it_asks(make):
    """A minute is long for who sees nothing."""
    ann, bob = (make(name, [*ALONE, "--name", name]).start() for name in ("ann", "bob"))
    good(ann.home, "network", "create", "--name", "lab")
    link = invite(ann)
    ann.end()
    master, slave = pty.openpty()
    with subprocess.Popen([program("omerta"), "network", "join", link], stderr=slave,
                          env=environment_of(bob.home), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as joining:
        os.close(slave)
        said = b""
        while b"minute" not in said:
            said += os.read(master, 4096)
        joining.kill()
        assert joining.communicate()[0] == b""
    os.close(master)
    assert b"asking those whom the link names" in said
