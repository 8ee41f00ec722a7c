"""The security checklist of virtual machines: a test for each of its ten items.

Each test has its control: what it says is not there is found where it was put on purpose.
"""

import contextlib
import os
import re
import subprocess
import sys

import pytest

import omerta_lab
from checklist import (ANN, BEN, HOME4, HOME6, NAS4, NAS6, PORT, Service, World, drops, leaks,
                       logs_of, read, secrets_of, sockets_of, ssh_seed, too_open, udp_packet,
                       ways_out)
from daemon import Daemon, RpcError, program
from fixtures import ALONE, need
from omerta_lab import die_with_parent, wait_until
from vmlab import END_SECONDS, SMALL, inside, omerta, provided, qemus, running, until, wanted

HOMES = 48
NUMBER = 0x4242
MARKER = "checklist-marker-7f3a"
FORGED = "10.99.0.1"
FORGE = f"ip addr add {FORGED}/32 dev eth0; ping -q -c {{n}} -i 0.01 -W 1 -I {FORGED} {{to}}; " \
        f"ip addr del {FORGED}/32 dev eth0; echo on"


@pytest.fixture(scope="module")
def world(image):
    """ann, ben and nas, for all tests of this file."""
    need("omerta", "omerta-meshd")
    reason = omerta_lab.missing()
    if reason:
        pytest.skip(reason)
    made = World(image)
    yield made
    made.end()


@pytest.fixture(scope="module")
def box(world):
    """A machine of ben's at ann, which may reach one port of ben's, where a service is."""
    world.services["own"] = Service(world.lab, "ben", MARKER, 8081)
    return running(world.ben, "box", peer=world.ann.self_id(), expose=[8081], disk="0",
                   memory="128M", description=MARKER)


def gateway(world):
    """What ben is for the machine."""
    out = inside(world.ben, "box", "ip route")
    return re.search(r"default via ([0-9.]+)", out)[1]


def nc(address, port):
    """For the guest: what answers there, nothing if nobody does."""
    return f"echo hello | timeout 4 nc {address} {port} 2>/dev/null; true"


def datagram(address, port):
    """For the guest, whose nc has no UDP: asks there for a file."""
    return f"timeout 1 tftp -g -l /dev/null -r hello {address} {port} >/dev/null 2>&1; true"


def test_01_control_messages_are_encrypted(world, box):
    """Nothing between the nodes is readable, forgeable or of a shape that could be told."""
    for one, other in ((world.ann, world.ben), (world.ben, world.ann)):
        row = [p for p in one.rpc("peers.list")["peers"] if p["id"] == other.self_id()]
        assert row[0]["cipher"] in ("chacha20-poly1305", "aes-256-gcm"), row
    wire = world.lab.capture("ann", "eth0", "udp or tcp")
    plain = world.lab.capture("ben", "lo", "tcp port 8081")
    with world.ben.control() as control:
        refused = dict(SMALL, image=f"no-{MARKER}", description=MARKER)
        with pytest.raises(RpcError, match=MARKER):
            control.rpc("vm.request", peer=world.ann.self_id(), **refused)
    assert MARKER in inside(world.ben, "box", nc(gateway(world), 8081))
    sent = [p for p in wire.packets() if p.dst == BEN or p.dst == ANN]
    words = [MARKER.encode(), b"vm.request", b"SSH-2.0", b"ssh-ed25519", b"jsonrpc", b"omerta",
             box.encode(), world.ben.self_id().encode()]

    def readable(packets):
        return {word for word in words for p in packets if word in p.payload}

    assert len(sent) > 50 and readable(sent) == set()
    assert all(p.proto == 17 for p in sent), "something beside the mesh was captured"
    # No byte of any datagram has a value that tells what it is.
    assert all(is_varied(sent, at) for at in range(12))
    # The control: the same words where they are in plain text, on ben's loopback and on this wire.
    assert MARKER.encode() in readable(plain.stop())
    for word in words:
        world.send("ben", [udp_packet((BEN, 9), (ANN, 9), b"plain: " + word)])
    found = wire.wait(lambda p: p.dport == 9 and words[-1] in p.payload)
    heard = wire.stop()
    assert found and readable(heard) == set(words)
    assert not is_varied([p for p in heard if p.dport == 9], 0)
    # Each datagram was opened again before it left: none was held back, so none was plain.
    assert world.ann.rpc("metrics.show")["text"].count("\nomerta_audit_refused_total 0") == 1
    with losing(world):
        assert_authentic(world)


def is_varied(packets, at):
    """The bytes of @packets at @at have so many values that these say nothing."""
    return len({p.payload[at] for p in packets}) > min(len(packets), 256) / 4


@contextlib.contextmanager
def losing(world):
    """ann's kernel loses all that ben's daemon sends, but what carries NUMBER."""
    world.lab.run("ann", ["nft", "-f", "-"], input="table ip lost { chain in { type filter hook "
                  f"prerouting priority 0; ip saddr {BEN} udp dport 18002 ip id != {NUMBER} drop; "
                  "}; }")
    try:
        yield
    finally:
        world.lab.run("ann", ["nft", "delete", "table", "ip", "lost"])


def small(packets):
    """Those of a session: a handshake, raced when nobody answers, has 448 bytes or more."""
    return [p.payload for p in packets if len(p.payload) < 448]


def assert_authentic(world):
    """What ben sent and ann never got: altered it is refused, as it was it is taken, but once."""
    wire = world.lab.capture("ann", "eth0", f"src host {BEN} and dst port 18002")
    environment = dict(os.environ, OMERTA_HOME=world.ben.home)
    argv = [program("omerta"), "ping", world.ann.self_id(), "-i", "0.1"]
    with subprocess.Popen(argv, env=environment, preexec_fn=die_with_parent,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as ping:
        assert wait_until(lambda: len(small(wire.packets())) >= 8, 20)
        ping.terminate()
    lost = small(wire.stop())[:8]

    def sent(payloads):
        """What the drops of ann rise by until all of @payloads were looked at."""
        before, count = drops(world.ann), world.ann.rpc("metrics.show")["text"]
        world.send("ben", [udp_packet((BEN, 18002), (ANN, 18002), p, NUMBER) for p in payloads])
        got = int(re.search(r"^omerta_datagrams_in_total (\d+)", count, re.MULTILINE)[1])

        def arrived():
            page = world.ann.rpc("metrics.show")["text"]
            now = int(re.search(r"^omerta_datagrams_in_total (\d+)", page, re.MULTILINE)[1])
            return now >= got + len(payloads)

        assert wait_until(arrived, 10)
        after = drops(world.ann)
        return {reason: n - before[reason] for reason, n in after.items() if n > before[reason]}

    altered = [p[:20] + bytes([p[20] ^ 1]) + p[21:] for p in lost]
    assert sent(altered) == {"open": len(lost)}
    assert sent(lost) == {}
    assert sent(lost) == {"replay": len(lost)}


def weak(keys):
    """Why @keys are not each 32 bytes that nobody can guess; None if nothing speaks against it."""
    if any(len(key) != 32 for key in keys):
        return "not 32 bytes"
    if len(set(keys)) < len(keys) or len({key[:8] for key in keys}) < len(keys):
        return "alike"
    for at in range(256):
        ones = sum(key[at // 8] >> at % 8 & 1 for key in keys)
        # Each is a toss of HOMES coins: 6 sigma, of which one in 10^8 is beyond.
        if abs(ones - len(keys) / 2) > 6 * (len(keys) / 4) ** 0.5:
            return "a bit that hardly changes"
    ones = sum(int.from_bytes(key, "big").bit_count() for key in keys)
    if abs(ones - 128 * len(keys)) > 6 * (64 * len(keys)) ** 0.5:
        return "too few or too many ones"
    return None


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """The secrets of HOMES fresh homes, and where these are."""
    need("omerta-meshd")
    folder = tmp_path_factory.mktemp("homes")
    made = []
    for i in range(HOMES):
        daemon = Daemon(folder / f"h{i}")
        code, out, err = daemon.tool("init")
        assert code == 0, (out, err)
        made.append((daemon.home, dict(secrets_of(daemon.home))))
    return made


def test_02_keys_are_32_random_bytes(homes):
    """The keys of many homes: 32 bytes each, no two alike, no bit that can be foretold."""
    every = []
    for name in ("identity", "local key", "ssh key"):
        keys = [secrets[name] for _, secrets in homes]
        assert len(keys) == HOMES and weak(keys) is None, name
        every += keys
    assert weak(every) is None  # nor is one made of another
    # The control: keys as bad generators make them.
    random = [os.urandom(32) for _ in range(HOMES)]
    assert weak(random) is None
    assert weak([key[:16] for key in random]) == "not 32 bytes"
    assert weak([*random[1:], random[1]]) == "alike"
    assert weak([bytes([i]) * 8 + os.urandom(24) for i in range(HOMES)]) is not None
    assert weak([os.urandom(8) + bytes(24) for _ in range(HOMES)]) == "a bit that hardly changes"
    assert weak([bytes(a & b for a, b in zip(os.urandom(32), os.urandom(32)))
                 for _ in range(HOMES)]) is not None


def keygen(*argv):
    """What ssh-keygen says."""
    return subprocess.run(["ssh-keygen", *argv], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL).stdout.split()


def test_03_ssh_keys_are_ed25519(world, box, homes, tmp_path):
    """Those of homes, of the machine, and what the machine itself shows; no other kind."""
    def kind(path):
        return keygen("-lf", path)[-1]

    keys = {}
    for home, secrets in homes:
        path = os.path.join(home, "ssh", "id_ed25519")
        keys[path] = secrets["ssh key"]
        assert keygen("-lf", path)[::3] == ["256", "(ED25519)"]
        public = read(path + ".pub").decode().split()
        assert keygen("-yf", path)[:2] == public[:2]
    assert len(set(keys.values())) == HOMES

    # The machine's: made for it alone, told to ben by the session, and shown by it.
    told = [m for m in wanted(world.ben) if m["vm"] == box][0]["host_key"]
    known = tmp_path / "told.pub"
    known.write_text(told + "\n")
    assert kind(known) == "(ED25519)"
    config = os.path.join(world.ben.home, "ssh", "config")
    assert inside(world.ben, "box", "ls /etc/dropbear").split() == ["host_key"]
    for algorithm, wants in (("ssh-ed25519", 0), ("rsa-sha2-256", 255),
                             ("ecdsa-sha2-nistp256", 255)):
        done = subprocess.run(["ssh", "-vF", config, "-o", f"HostKeyAlgorithms={algorithm}", "box",
                               "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=60)
        assert done.returncode == wants, done.stderr
        shown = re.findall(r"Server host key: (\S+) (\S+)", done.stderr)
        assert shown == ([] if wants else [(algorithm, keygen("-lf", known)[1])]), done.stderr
    # The control: a key of another kind is not taken for one.
    other = tmp_path / "rsa"
    keygen("-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", other)
    assert kind(other) == "(RSA)"
    with pytest.raises(ValueError):
        ssh_seed(other.read_text())


def test_04_machine_has_only_the_gate(world, box):
    """One card, a Unix socket of ours behind it, and what it may not send is counted there."""
    row = [m for m in provided(world.ann) if m["vm"] == box][0]
    argv = read(f"/proc/{row['pid']}/cmdline").decode().split("\0")
    cards = [argv[i + 1] for i, word in enumerate(argv) if word == "-netdev"]
    assert len(cards) == 1 and cards[0].startswith("stream,") and "addr.type=unix" in cards[0]
    assert "-nodefaults" in argv and not {"-nic", "-net"} & set(argv)
    assert sockets_of(row["pid"]) and ways_out(row["pid"]) == []
    # The control: a QEMU with a network of its own, and a program with raw frames.
    port = 20022
    qemu = world.lab.popen("ann", ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-S",
                                   "-nic", f"user,hostfwd=tcp:127.0.0.1:{port}-:22"])
    assert wait_until(lambda: ways_out(qemu.pid) == ["tcp"], 20), ways_out(qemu.pid)
    qemu.terminate()
    raw = world.lab.popen("ann", [sys.executable, "-c", "import socket, time\n"
                                  "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)\n"
                                  "u = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\n"
                                  "input()"], stdin=subprocess.PIPE)
    assert wait_until(lambda: ways_out(raw.pid) == ["packet", "raw"], 20), ways_out(raw.pid)
    raw.stdin.close()

    # What it sends: its only card, honest packets are answered, the others refused and counted.
    assert inside(world.ben, "box", "ls /sys/class/net").split() == ["eth0", "lo"]
    far = [world.lab.capture("ann", interface, "net 10.99.0.0/24 or net 10.77.0.0/16")
           for interface in ("lo", "eth0", "eth1")]
    here = gateway(world)
    assert " 0% packet loss" in inside(world.ben, "box", f"ping -q -c 5 -W 2 {here}")
    refused = world.ann.rpc("vm.traffic", vm=box)["refused"]
    assert "spoofed" not in refused, refused
    inside(world.ben, "box", FORGE.format(n=7, to=here))
    assert world.ann.rpc("vm.traffic", vm=box)["refused"]["spoofed"] == 7
    # The control of the captures: the same packet, from a program of ann's host.
    world.send("ann", [udp_packet((FORGED, 9), (NAS4, 9), b"forged")])
    assert far[2].wait(lambda p: p.src == FORGED)
    assert [len([p for p in c.stop() if p.src.startswith("10.")]) for c in far] == [0, 0, 1]


def test_05_provider_limits_what_a_machine_sends(world):
    """The provider may bound the rate and end who forges; without that neither happens."""
    size, rate = 600000, 80000  # slow, for a busy machine emulates a guest at a tenth of its pace
    sink = ("import socket\ns = socket.create_server(('127.0.0.1', 8082))\nprint(flush=True)\n"
            "while True:\n    c, _ = s.accept()\n    n = 0\n"
            "    while d := c.recv(1 << 20): n += len(d)\n"
            "    c.sendall(b'%d' % n)\n    c.close()\n")
    server = world.lab.popen("ben", [sys.executable, "-c", sink], stdout=subprocess.PIPE)
    server.stdout.readline()

    words = dict(SMALL, peer=world.ann.self_id(), expose=[8082], disk="0", memory="128M")

    def seconds():
        script = ("read a b </proc/uptime; head -c {} /dev/zero | nc $(ip route | sed -n "
                  "'s/default via \\([0-9.]*\\).*/\\1/p') 8082; read c d </proc/uptime; "
                  "echo; echo $a $c")
        out = inside(world.ben, "strict", script.format(size)).split()
        return float(out[-1]) - float(out[-2])

    forge = FORGE.format(n=200, to="10.77.255.1")
    try:
        # Without: the control.
        world.ann.rpc("provide.set", on=True, violations="log", rate=0)
        vm = running(world.ben, "strict", **words)
        free = seconds()
        assert size / free > 2 * rate, free
        assert inside(world.ben, "strict", forge).endswith("on\n")
        assert world.ann.rpc("vm.traffic", vm=vm)["refused"]["spoofed"] == 200
        assert [m["state"] for m in provided(world.ann) if m["vm"] == vm] == ["running"]
        world.ben.rpc("vm.release", vm=vm)
        assert wait_until(lambda: all(m["vm"] != vm for m in provided(world.ann)), END_SECONDS)
        # With both.
        world.ann.rpc("provide.set", on=True, violations="kill", rate=rate)
        with world.ben.control() as control:
            control.rpc("vm.request", name="strict", **words)
            vm = until(control, "running")["vm"]
            bound = seconds()
            print(f"{size} bytes: {free:.2f} s without a rate, {bound:.2f} s with {rate} B/s")
            assert rate * 0.6 < size / bound < rate * 1.15, bound
            omerta(world.ben, "vm", "ssh", "strict", forge)
            end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
        assert end["vm"] == vm and end["end"] == "violation" and "spoofed" in end["text"], end
    finally:
        world.ann.rpc("provide.set", on=True, violations="pause", rate=0)


def test_06_secrets_are_their_users_alone(world, box, make):
    """0600 and 0700, however open the mask; and what others could read is told or refused."""
    for daemon in (world.ann, world.ben):
        # The image was linked in by the test, and is no secret.
        assert too_open(daemon.home) == []
    assert os.path.exists(os.path.join(world.ann.home, "vms", box, "seed.iso"))
    assert os.path.exists(os.path.join(world.ben.home, "ssh", "vm_known_hosts"))
    alone = make("loose", ALONE)
    assert alone.tool("init")[0] == 0
    alone.start()
    assert too_open(alone.home) == [] and alone.stop() == 0
    # The control: each secret, loosened, is seen, and refused until it is mended.
    for name in ("local.key", "identity/seed", "ssh/id_ed25519"):
        path = os.path.join(alone.home, name)
        assert alone.tool("check")[0] == 0
        os.chmod(path, 0o644)
        assert too_open(alone.home) == [path]
        code, out, err = alone.tool("check")
        assert code != 0 and name in out + err, (name, out, err)
        if name == "identity/seed":  # the one that the daemon itself reads
            with pytest.raises(AssertionError, match=name):
                alone.start()
        os.chmod(path, 0o600)
    alone.start()
    assert alone.stop() == 0


def test_07_no_secrets_in_logs(world, box):
    """All that both daemons log and print at the level that tells most, and what others see."""
    world.ben.rpc("forward.add", listen="127.0.0.1:0", proxy=True, user="checker",
                  password=MARKER + "-password")
    inside(world.ben, "box", FORGE.format(n=20, to=gateway(world)))  # of which the logs tell
    secrets = [("password", (MARKER + "-password").encode())]
    for daemon in (world.ann, world.ben):
        found = secrets_of(daemon.home)
        assert len(found) == (4 if daemon is world.ann else 3)
        secrets += found
    texts = []
    for daemon in (world.ann, world.ben):
        texts.append(("log", read(daemon.log_path)))
        texts += logs_of(daemon.home)
        for words in (("status",), ("peers",), ("vm", "list"), ("vm", "show", box),
                      ("forward", "list"), ("provide", "show"), ("doctor",)):
            for form in ((), ("--json",)):
                _, out, err = daemon.cli(*words, *form)
                assert out or "no such virtual machine" in err, (words, err)
                texts.append((" ".join(words), (out + err).encode()))
        texts.append(("metrics", daemon.rpc("metrics.show")["text"].encode()))
        for pid in [daemon.process.pid, *qemus(daemon)]:
            texts += [(f"{what} of {pid}", read(f"/proc/{pid}/{what}"))
                      for what in ("cmdline", "environ")]
    texts.append(("console", world.ben.rpc("vm.console", vm=box)["text"].encode()))
    assert len(texts) > 40 and any("events" in place for place, _ in texts)
    assert leaks(secrets, texts) == []
    # The control: the logs do tell much, what is public is found by the same search, and so is
    # each secret in any spelling once it is there.
    logs = b"".join(text for place, text in texts if place == "log")
    assert b"session_up" in logs and box.encode() in logs
    assert ("public", "log") in leaks([("public", box.encode())], texts)
    for name, secret in secrets:
        for spelled in (secret, secret.hex().encode(), secret[:12].hex().upper().encode()):
            assert leaks([(name, secret)], [("planted", logs + b"key=" + spelled)]), name
    texts.append(("a secret", read(os.path.join(world.ben.home, "ssh", "id_ed25519"))))
    assert [name for name, _ in leaks(secrets, texts)] == ["ssh key"]


def addresses_of(world, host):
    """Each address of @host, as the guest would name it."""
    if host == "nas":
        return [NAS4, NAS6, world.link_local("nas", "eth0") + "%eth0"]
    return [ANN, HOME4, HOME6, "127.0.0.1", "::1", world.link_local("ann", "eth0") + "%eth0",
            world.link_local("ann", "eth1") + "%eth0"]


def attempts(world, host):
    """TCP, UDP and pings of the guest to all addresses of @host; which of its services answered.

    Pings are answered by the stack behind the guest's card, whomever they are for: where they
    went is seen at the interfaces.
    """
    answers = []
    for address in addresses_of(world, host):
        out = inside(world.ben, "box", f"{nc(address, PORT)}\n{datagram(address, PORT)}\n"
                     f"ping -c 2 -W 1 {address} >/dev/null 2>&1; true")
        if out:
            answers.append((address, out))
    return answers


def link_of(world, vm):
    """The link behind the card of @vm."""
    return [link for link in world.ann.rpc("links.list")["links"] if vm in link["name"]][0]


def counted(world, vm):
    """How many packets and connections of it the provider's gate refused."""
    link = link_of(world, vm)
    return link["refused"] + sum(link["dropped"].values())


def mac_of(world):
    """Of the guest's card."""
    text = inside(world.ben, "box", "cat /sys/class/net/eth0/address").strip()
    return bytes.fromhex(text.replace(":", ""))


def foreign(packets):
    """Of the packets of an interface: those of the service, and pings."""
    return [p for p in packets if PORT in (p.sport, p.dport) or
            (p.proto == 1 and p.payload[0] in (0, 8)) or
            (p.proto == 58 and p.payload[0] in (128, 129))]


def unreached(world, vm, host, watched):
    """Nothing of the guest reaches @host nor an interface of @watched; and a plain program does."""
    service, own, here6 = world.services[host], world.services["own"], link_of(world, vm)["here6"]
    # What its kernel would not send by itself root sends.
    inside(world.ben, "box", f"ip -6 route add default via {here6} dev eth0 2>/dev/null; true")
    far = [world.lab.capture(*where) for where in watched]
    mac = mac_of(world)
    before, refused = service.asked(), counted(world, vm)
    assert attempts(world, host) == []
    # What was for another than the guest itself, and those of its own link: by TCP and UDP.
    routed = [a for a in addresses_of(world, host) if not re.match("127|::1|fe80", a)]
    assert counted(world, vm) >= refused + 2 * len(routed)
    assert service.asked() == before
    assert [foreign(c.packets()) for c in far] == [[] for _ in far]
    assert [mac in read(c.path) for c in far] == [False for _ in far]
    # The control: all that is open to others, and the guest itself to what it may reach.
    near = {"ann": [("ann", HOME4), ("ann", "127.0.0.1"), ("ann", "::1"), ("ben", ANN),
                    ("nas", HOME4), ("nas", HOME6)],
            "nas": [("ann", NAS4), ("ann", NAS6)]}[host]
    for i, (who, address) in enumerate(near, 1):
        assert world.ask(who, "SOCK_STREAM", address) == host
        assert world.ask(who, "SOCK_DGRAM", address) == host
        assert wait_until(lambda n=before + 2 * i: service.asked() == n)
        assert world.lab.ping(who, address)
    for capture in far:
        seen = foreign(capture.stop())
        assert {p.proto for p in seen} >= {1, 6, 17}, capture.path
    # By each way that was tried.
    for address in (gateway(world), here6):
        before = own.asked("udp")
        assert wait_until(lambda at=address: inside(world.ben, "box", nc(at, 8081)) == MARKER, 30)
        inside(world.ben, "box", datagram(address, 8081))
        assert wait_until(lambda n=before: own.asked("udp") > n, 10), (address, own.log())


def test_08_machine_reaches_nothing_of_the_host(world, box):
    """No address of its provider's, by TCP, UDP or ping; connections are refused and counted."""
    unreached(world, box, "ann", [("ann", "eth0"), ("ann", "lo")])


def test_09_machine_reaches_nothing_of_the_lan(world, box):
    """No host beside its provider, though the provider's kernel would route to it."""
    unreached(world, box, "nas", [("nas", "eth0"), ("ann", "eth1")])
    # Broadcasts and neighbours that it asks for stay on its own link.
    far, mac = world.lab.capture("nas", "eth0"), mac_of(world)
    for asked in ("ping -c 2 -W 1 -b 255.255.255.255", "ping -c 2 -W 1 ff02::1%eth0",
                  f"arping -c 2 -w 2 -I eth0 {NAS4}"):
        before = link_of(world, box)["frames_in"]
        inside(world.ben, "box", f"{asked} >/dev/null 2>&1; true")
        assert link_of(world, box)["frames_in"] > before
    assert mac not in read(far.path)
    world.frame("ann", "eth1", b"\xff" * 6 + mac + b"\x88\xb5" + bytes(46))
    assert wait_until(lambda: mac in read(far.path))
    far.stop()


def test_10_consumer_reaches_nothing_of_the_lan(world, box):
    """What a provider's machines give a consumer is the machines, not what is beside them."""
    ann, ben, services = world.ann, world.ben, [world.services[host] for host in ("ann", "nas")]
    peer, before = ann.self_id(), [one.asked() for one in services]

    def port(**words):
        made = ben.rpc("forward.add", listen="127.0.0.1:0", peer=peer, **words)
        return int(made["listen"].rpartition(":")[2])

    def ask(at):
        return world.ask("ben", "SOCK_STREAM", "127.0.0.1", at)

    proxy = port(proxy=True)
    behind = [HOME4, NAS4, HOME6, NAS6, "127.0.0.1", "::1", ANN]
    direct = port(port=PORT)
    lan = port(port=PORT, host=NAS4)

    def tries():
        through = [ask(direct), ask(lan)]
        for words in ({}, {"host": NAS4}, {"host": "127.0.0.1"}):  # beside its own machine
            try:
                through.append(ask(port(link=box, port=PORT, **words)))
            except RpcError as refused:  # said at once is as good
                assert "link" in refused.message, refused
        return [word for word in through if word] + \
            [said for said in (world.socks(proxy, address) for address in behind)
             if said[0] == "ok"]

    assert tries() == []
    # The internet as seen from there is not its LAN either.
    row = ann.rpc("expose.add", internet=True, to=[ben.self_id()])
    assert tries() == []
    ann.rpc("expose.remove", id=row["id"])
    # Nor may it have the provider listen there.
    with pytest.raises(RpcError, match="not_allowed"):
        ben.rpc("forward.add", listen=f"{HOME4}:9999", peer=peer, port=8081, remote=True)
    assert world.ask("nas", "SOCK_STREAM", HOME4, 9999) == ""
    assert [one.asked() for one in services] == before
    # The control: what ann opens to ben by name is reached by the same ways.
    ann.rpc("expose.add", internet=True, also=["192.168.50.0/24"], to=[ben.self_id()])
    assert world.socks(proxy, NAS4) == ["ok", "nas"]
    assert ask(lan) == "nas" and ask(direct) == ""
    assert world.socks(proxy, NAS6)[0] != "ok"
    ann.rpc("expose.add", port=PORT, host=NAS4, to=[ben.self_id()])
    assert ask(direct) == "nas"
    assert wait_until(lambda: [one.asked() for one in services] == [before[0], before[1] + 3])
    # And the machine itself is behind its link.
    assert ask(port(link=box, port=22)).startswith("SSH-2.0-")
