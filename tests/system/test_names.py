"""Names of members: by certificate, one for one, wherever a peer is named."""

import ipaddress
import json
import socket

import pytest

from commands import data, good, refused
from daemon import wait_until
from fixtures import ALONE, need
from test_dns import dig, serve
from tunnel_pair import expose, proxy, socks
import servers

REFUSED = 4


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def at(daemon):
    """The option that puts the loopback into a link, whatever addresses this machine has."""
    return f"--at=127.0.0.1:{daemon.port}"


def create(daemon, name, *options):
    """A closed network by @daemon."""
    return data(daemon.home, "network", "create", "--name", name, *options)


def invite(daemon, name, *options):
    """A link into it."""
    return good(daemon.home, "network", "invite", name, at(daemon), *options).strip()


def join(daemon, link, name, *options):
    """What @daemon, which calls that network @name, is told after it followed @link."""
    return data(daemon.home, "network", "join", "-", "--name", name, *options, stdin=link)


def called(home, name):
    """What the node of @home is called in the network @name."""
    return data(home, "network", "show", name)["as"]


def named(home, network=None):
    """The names of all peers of @home, by id."""
    words = ["--network", network] if network else []
    return {p["id"]: p["name"] for p in data(home, "peers", *words)["peers"]}


@pytest.fixture(name="three")
def three_daemons(make):
    """Three that do not know of each other; the last one is called as no member can be."""
    return [make(name, [*ALONE, "--name", says]).start()
            for name, says in (("a", "ann"), ("b", "ben"), ("c", "Ben's Mac!"))]


def test_members_are_named_by_their_certificates(three):
    """Each is called as an admin called it, also by those who never met it; so says the DNS."""
    ann, ben, mac = three
    create(ann, "lab")
    link = invite(ann, "lab", "--uses", "2")
    assert join(ben, link, "lab")["as"] == "ben"
    said = good(mac.home, "network", "join", "-", "--name", "lab", stdin=link)
    own = data(mac.home, "network", "show", "lab")["self"]
    assert f"where this node is ben-s-mac, {own}" in said
    wanted = {data(d.home, "network", "show", "lab")["self"]: name
              for d, name in zip(three, ("ann", "ben", "ben-s-mac"))}
    for daemon in three:
        own = data(daemon.home, "network", "show", "lab")["self"]
        others = {peer: name for peer, name in wanted.items() if peer != own}
        assert wait_until(lambda daemon=daemon, others=others: named(daemon.home) == others, 30), \
            named(daemon.home)
    good(ben.home, "ping", "ben-s-mac", "-c", "1")
    good(ben.home, "message", "ann", "hello", "--wait")
    good(ben.home, "message", "ann.lab", "hello", "--wait")
    assert json.loads(good(ben.home, "why", "ann", "--json"))["peer"] in wanted
    good(ben.home, "expose", "8080", "--to", "ANN", "--to", "ben-s-mac.lab")
    refused(ben.home, "ping", "anna", "-c", "1", says=["anna"])
    port = serve(ben)
    for name, peer in (("ann", ann), ("ben", ben), ("ben-s-mac", mac)):
        found = dig(port, f"{name}.lab.omerta", "AAAA")
        assert found.status == "NOERROR" and len(found.data()) == 1, found.text
        self_id = data(peer.home, "network", "show", "lab")["self"]
        assert dig(port, f"{name}.omerta", "TXT").data() == [f'"id={self_id}"']
        inside = dig(port, f"{name}.lab.omerta", "A")
        assert ipaddress.ip_address(inside.data()[0]) in ipaddress.ip_network("100.64.0.0/10")
        for address in found.data() + inside.data():
            assert dig(port, "-x", address).data() == [f"{name}.lab.omerta."], address
    with servers.serving(servers.echo) as local:
        expose(ann, str(local), "--to", "ben")
        for kind in ("A", "AAAA"):
            how, s = socks(proxy(ben), dig(port, "ann.omerta", kind).data()[0], local)
            with s:
                assert how == "ok", kind
                s.sendall(b"hello")
                assert s.recv(5, socket.MSG_WAITALL) == b"hello"
        how, s = socks(proxy(ben), "100.64.0.1", local)
        s.close()
        assert how != "ok"  # nobody's


def test_a_wished_name_is_made_safe(three):
    """As somebody says, if that can be a name; else nothing is made and nobody asked."""
    ann, ben, _ = three
    for name in ("Ann", "a" * 33, "1a", "a-", "", "10.0.0.1", "self", "a.b"):
        refused(ann.home, "network", "create", "--name", "lab", "--as", name, says=["--as"] if not
                name else ["a-z"])
    assert create(ann, "lab", "--as", "chief")["as"] == "chief"
    refused(ann.home, "network", "create", "--name", "x", "--open", "--as", "ann", code=REFUSED,
            says=["closed"])
    link = invite(ann, "lab")
    refused(ben.home, "network", "join", "-", "--as", "self", code=REFUSED, says=["self"],
            stdin=link)
    assert join(ben, link, "lab", "--as", "a" * 32)["as"] == "a" * 32
    for daemon in (ann, ben):
        daemon.end()
        daemon.start()
    assert called(ann.home, "lab") == "chief" and called(ben.home, "lab") == "a" * 32
    assert wait_until(lambda: list(named(ben.home).values()) == ["chief"], 30)


def test_a_name_that_is_taken_gets_a_number(three):
    """Who comes second is told what it is called then, and is called so by all."""
    ann, ben, mac = three
    create(ann, "lab")
    assert join(ben, invite(ann, "lab"), "lab", "--as", "ann")["as"] == "ann-2"
    assert join(mac, invite(ann, "lab"), "lab", "--as", "ann")["as"] == "ann-3"
    assert wait_until(lambda: sorted(named(ben.home).values()) == ["ann", "ann-3"], 30)
    good(mac.home, "ping", "ann-2", "-c", "1")


def test_names_in_several_networks(three):
    """Without a network a name may be of any, but of one only; with it behind, of that."""
    ann, ben, mac = three
    for owner, name in ((ann, "lab"), (mac, "home")):
        create(owner, name, "--as", "chief")
        join(ben, invite(owner, name), name)
    assert wait_until(lambda: len(named(ben.home)) == 2, 30)
    ids = {name: next(iter(named(ben.home, name))) for name in ("lab", "home")}
    for words in (["chief"], ["chief", "--network", "home"], ["chief.home"], [ids["home"]]):
        if words == ["chief"]:
            said = refused(ben.home, "ping", *words, "-c", "1")
            assert "chief.lab" in said and "chief.home" in said
            said = refused(ben.home, "forward", "add", "-L", "0:chief:80")
            assert "chief.lab" in said and "--network" in said
            refused(ben.home, "expose", "80", "--to", "chief", says=["--network"])
        else:
            assert data(ben.home, "why", *words)["peer"] == ids["home"]
            good(ben.home, "message", *words, "hello", "--wait")
    good(ben.home, "forward", "add", "-L", "0:chief.lab:80")
    assert [f["peer"] for f in ben.rpc("forward.list")["forwards"]] == [ids["lab"]]
    port = serve(ben, "--network", "lab")
    for name, peer in ids.items():
        assert dig(port, f"chief.{name}.omerta", "TXT").data() == [f'"id={peer}"']


def test_an_admin_by_invitation_invites(three):
    """Whom the creator made an admin lets others in while the creator is down; all are one."""
    ann, ben, mac = three
    create(ann, "lab")
    refused(ann.home, "network", "invite", "lab", "--role", "king", says=["admin"])
    join(ben, invite(ann, "lab", "--role", "admin"), "lab")
    refused(ben.home, "network", "invite", "lab", "--role", "admin", code=REFUSED,
            says=["only who made"])
    ann.end()
    ben.end()
    ben.start()  # it is one still
    link = invite(ben, "lab")
    assert join(mac, link, "lab", "--as", "ben")["as"] == "ben-2"
    refused(mac.home, "network", "invite", "lab", code=REFUSED, says=["only an admin"])
    good(mac.home, "message", "ben", "hello", "--wait")
    ann.start()
    assert wait_until(lambda: sorted(named(ann.home).values()) == ["ben", "ben-2"], 30)
    assert wait_until(lambda: sorted(named(mac.home).values()) == ["ann", "ben"], 30)
    for daemon, other in ((ann, "ben-2"), (mac, "ann"), (ben, "ann")):
        good(daemon.home, "message", other, "hello", "--wait")


def test_case_is_no_difference(three):
    """A name is one name however it is written, for the CLI, the daemon, the DNS and the proxy."""
    ann, ben, _ = three
    create(ann, "lab")
    own = join(ben, invite(ann, "lab"), "lab")["self"]
    assert wait_until(lambda: named(ann.home) == {own: "ben"}, 30), named(ann.home)
    for form in ("ben", "BEN", "Ben.LAB", f"BEN-{own[:6].upper()}.lab", own.upper()[:12]):
        good(ann.home, "ping", form, "-c", "1")
        good(ann.home, "message", form, "hello", "--wait")
        good(ann.home, "forward", "add", "-L", f"0:{form}:80")
        assert data(ann.home, "why", form, "--network", "LAB")["peer"] == own, form
        assert ann.rpc("peers.why", peer=form)["peer"] == own, form
    refused(ann.home, "ping", "BENN", "-c", "1", says=["BENN"])
    refused(ann.home, "network", "create", "--name", "LAB", code=REFUSED, says=["already"])
    assert {one["peer"] for one in ann.rpc("forward.list")["forwards"]} == {own}
    with servers.serving(servers.echo) as local:
        expose(ben, str(local), "--to", "ANN")
        how, s = socks(proxy(ann), "BEN.LAB.omerta", local)
        with s:
            assert how == "ok"
            s.sendall(b"hello")
            assert s.recv(5, socket.MSG_WAITALL) == b"hello"


def doubled(make):
    """ann, who made lab, and ben, an admin; each alone let a joe in; all are there again."""
    ann, ben, one, two = daemons = [make(name, [*ALONE, "--name", name]).start()
                                    for name in ("ann", "ben", "one", "two")]
    create(ann, "lab")
    join(ben, invite(ann, "lab", "--role", "admin"), "lab")
    ben.end()
    assert join(one, invite(ann, "lab"), "lab", "--as", "joe")["as"] == "joe"
    ann.end()
    one.end()
    ben.start()
    assert join(two, invite(ben, "lab"), "lab", "--as", "joe")["as"] == "joe"
    for daemon in (ann, one):
        daemon.start()
    keys = [data(daemon.home, "network", "show", "lab")["self"] for daemon in daemons]
    for daemon, key in zip(daemons[:2], keys):
        assert wait_until(lambda daemon=daemon, key=key: set(named(daemon.home)) == set(keys)
                          - {key} and all(named(daemon.home).values()), 60), named(daemon.home)
    return daemons, keys


def listed(daemon, *options):
    """The names of the members of lab as @daemon has them, by id."""
    found = data(daemon.home, "network", "members", "lab", *options)["members"]
    return {member["id"]: member["name"] for member in found}


def test_a_doubled_name_means_one(make):
    """Whom members, block and revoke call joe is called so everywhere; the other is joe-ID."""
    (ann, ben, _, _), keys = doubled(make)
    names = named(ann.home)
    [first] = [key for key in keys[2:] if names[key] == "joe"]
    [second] = [key for key in keys[2:] if key != first]
    other = f"joe-{second[:6]}"
    assert names[second] == other
    for daemon in (ann, ben):
        assert listed(daemon) == {keys[0]: "ann", keys[1]: "ben", first: "joe", second: other}
    for peer, forms in ((first, ["joe", "joe.lab", f"joe-{first[:6]}", f"joe-{first[:6]}.lab"]),
                        (second, [other, f"{other}.lab"])):
        for form in forms:
            assert data(ben.home, "why", form)["peer"] == peer, form
            assert ben.rpc("peers.why", peer=form)["peer"] == peer, form
    good(ben.home, "ping", f"joe-{first[:6]}.lab", "-c", "1")
    refused(ben.home, "ping", f"ben-{first[:6]}.lab", "-c", "1", says=["ben-"])
    create(ben, "home")  # so lab is not the only one there
    refused(ben.home, "network", "block", other, says=["--network"])
    refused(ben.home, "network", "block", f"{other}.home", says=["nobody is known", "home"])
    assert data(ben.home, "network", "block", f"{other}.lab")["id"] == second
    [one] = data(ben.home, "network", "block", "--list", "--network", "lab")["blocked"]
    assert (one["id"], one["name"]) == (second, other)
    assert data(ben.home, "network", "block", "--undo", f"{other.upper()}.LAB")["id"] == second
    assert data(ben.home, "network", "block", "joe.lab")["id"] == first
    assert listed(ben) == listed(ann)  # a block changes no name
    assert data(ben.home, "network", "block", "--undo", f"joe-{first[:6]}.lab")["id"] == first
    assert data(ann.home, "network", "revoke", other)["name"] == other
    assert set(listed(ann)) == {keys[0], keys[1], first}
    assert listed(ann, "--all")[second] == other  # for joe is a member's still
    assert data(ann.home, "network", "revoke", "joe.lab")["id"] == first
    assert set(listed(ann)) == {keys[0], keys[1]}


def test_a_machines_name_is_told_in_its_first_network(make):
    """In the next it would tell that two nodes are one; what its user says is told in each."""
    plain = make("plain", [*ALONE, "--relay"]).start()
    first, other = [make(name, [*ALONE, "--relay", "--name", name]).start()
                    for name in ("first", "other")]
    hosts = socket.gethostname().split(".")[0][:32]

    def heard(by, of, network):
        """What @of calls itself in the open @network, once @by heard it say something."""
        own = data(of.home, "network", "show", network)["self"]
        said = {p["id"]: p for p in data(by.home, "peers", "--network", network)["peers"]}
        return said[own]["name"] if said.get(own, {}).get("relay") else None

    for network in ("one", "two"):
        create(plain, network, "--open")
        link = invite(plain, network)
        for daemon in (first, other):
            join(daemon, link, network)
    for _ in range(2):
        for network, name in (("one", hosts), ("two", "")):
            assert wait_until(lambda: heard(first, plain, network) is not None, 30)
            assert heard(first, plain, network) == name
            assert wait_until(lambda: heard(first, other, network) == "other", 30)
        plain.end()
        plain.start()
    assert create(plain, "three")["as"] == "node"
    assert create(plain, "four", "--as", "ann")["as"] == "ann"
    assert create(other, "three")["as"] == "other"
    for network in ("one", "two", "three", "four"):
        good(plain.home, "network", "leave", network)
    assert create(plain, "five")["as"] != "node" or hosts == "node"
