"""session.py - a full session of two members, captured: what of it could be read by who listens.

Hellos, a join, handshakes, messages, calls, a stream that carries a file; ben restarts, so that
there are several sessions. The control is the same file over plain TCP.
"""

import os
import sys
import time

import readable
from commands import data, good
from stage import ADDRESS, PORT, has, key_of, name_of, post, wait

NETWORK = "letters-of-the-harbour"
LETTER = "the cargo is forty crates of quicksilver, berth nineteen"
BODY_BYTES = 3_000_000
SLICES, SLICE_BYTES = 8, 24
SESSIONS = 5
SECRET = slice(39, 71)  # of a network's file
SENT_MIN = 1500  # datagrams: fewer say little of how even they are
TCP = 6
WORDS = {"a word of the protocol": b"omerta1", "a name of Noise": b"Noise_IK",
         "a call": b'"method"', "a channel": b"gossip"}
SERVE = """import socket, sys
with socket.create_server(("0.0.0.0", 0)) as s, open(sys.argv[1], "rb") as file:
    content = file.read()
    print(s.getsockname()[1], flush=True)
    while True:
        c, _ = s.accept()
        with c:
            c.sendall(content)
"""
FETCH = """import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s, open(sys.argv[3], "wb") as f:
    while piece := s.recv(1 << 16):
        f.write(piece)
"""


def secrets(ann, ben, link):
    """What is known and must not be seen: {what: bytes}."""
    needles = {"the message": LETTER.encode(), "the network's name": NETWORK.encode(),
               "ann's name": name_of("ann").encode(), "ben's name": name_of("ben").encode(),
               "the link": link.split("/")[-1][-48:].encode()}
    for node in (ann, ben):
        shown = data(node.home, "network", "show", NETWORK)
        needles[f"{node.host}'s id as text"] = shown["self"].encode()
        needles[f"{node.host}'s public key"] = key_of(shown["self"])
        needles[f"{node.host}'s id before"] = node.public_key()
        needles["the network's id as text"] = shown["id"].encode()
        needles["the network's id"] = key_of(shown["id"])
        with open(os.path.join(node.home, "identity", "seed"), "rb") as file:
            needles[f"{node.host}'s seed"] = file.read()
        with open(os.path.join(node.home, "networks", shown["id"]), "rb") as file:
            needles["the network's secret"] = file.read()[SECRET]
    return needles


def make_file(path, needles):
    """A file with all forms of @needles and much else; slices of it are needles, too."""
    body = os.urandom(BODY_BYTES)
    with open(path, "wb") as file:
        file.write(readable.haystack(needles) + body)
    step = BODY_BYTES // SLICES
    return {f"slice {i} of the file": body[i * step:i * step + SLICE_BYTES] for i in range(SLICES)}


def serve(stage, path):
    """A TCP server on ann's host that sends the file to who connects; its port."""
    out = os.path.join(stage.lab.folder, "serve.port")
    with open(out, "wb") as file:
        stage.lab.popen("ann", [sys.executable, "-c", SERVE, path], stdout=file)
    assert wait(lambda: os.path.getsize(out) > 0), "the server of the file does not start"
    with open(out, encoding="utf-8") as file:
        return int(file.read())


def fetch(stage, address, port, path):
    """What a TCP client on ben's host gets there."""
    got = os.path.join(stage.lab.folder, "got")
    stage.lab.run("ben", [sys.executable, "-c", FETCH, address, str(port), got])
    with open(got, "rb") as one, open(path, "rb") as two:
        return one.read() == two.read()


def join(ann, ben):
    """A closed network of the two; the link."""
    good(ann.home, "network", "create", "--name", NETWORK)
    link = good(ann.home, "network", "invite", NETWORK, f"--at={ADDRESS['ann']}:{PORT}").strip()
    good(ben.home, "network", "join", "-", "--name", NETWORK, stdin=link)
    assert wait(lambda: data(ben.home, "network", "show", NETWORK)["connected"]), "no session"
    return link


def tunnel(stage, ann, ben, port):
    """A port of ben's host that leads to ann's @port."""
    good(ann.home, "expose", f"{port}:127.0.0.1:{port}", "--to", name_of("ben"))
    row = data(ben.home, "forward", "add", "-L", f"0:{name_of('ann')}:{port}")
    return int(row["listen"].rpartition(":")[2])


def restarts(ann, ben):
    """ben goes and comes back, several times; when he began, each time."""
    began = [0.0]
    for i in range(SESSIONS - 1):
        ben.stop()
        began.append(time.time())
        ben.start()
        text = f"{LETTER}, letter {i}"
        post(ann, ben, text)
        assert wait(lambda: has(ben, text)), "no session after a restart"
    return began


def run(report, stage, program):
    """The session, its capture, and what is in it."""
    ann, ben = (stage.start(host, program, "--audit-encryption") for host in ("ann", "ben"))
    link = join(ann, ben)
    needles = secrets(ann, ben, link)
    path = os.path.join(stage.lab.folder, "file")
    needles.update(make_file(path, needles))
    needles.update(WORDS)
    port = serve(stage, path)
    ann.id, ben.id = ann.self_id(), ben.self_id()
    post(ann, ben, LETTER)
    got = wait(lambda: has(ben, LETTER))
    same = fetch(stage, "127.0.0.1", tunnel(stage, ann, ben, port), path)
    began = restarts(ann, ben)
    refused = sum(node.status()["audit"]["refused"] for node in (ann, ben))
    same_plain = fetch(stage, ADDRESS["ann"], port, path)
    ann.finish()
    ben.finish()
    opened = [ben.sent(since)[0] for since in began]
    judge(report, needles, ann.sent() + ben.sent(), opened, bool(got and same and refused == 0))
    plain(report, ann, needles, same_plain)


def judge(report, needles, sent, opened, is_whole):
    """Nothing of @needles in @sent, whose bytes are even; @opened began the sessions."""
    names, forms, hits = readable.found(needles, b"".join(sent))
    report.row("capture", "hello, join, handshakes, message, file", "nobody reads any of it",
               f"{hits} of {forms} forms of {len(needles)} secrets in {len(sent)} datagrams"
               + "".join(f", {name}" for name in names), is_whole and hits == 0)
    worst, where = readable.uneven(sent)
    report.row("fingerprint", "each position, each XOR of two", "nothing stands out",
               f"chi-square at most {worst:.0f} ({where}; even is 255 +- 23), {len(sent)} sent",
               worst < readable.CHI_MAX and len(sent) >= SENT_MIN)
    same = readable.shared(opened)
    twice = len(sent) - len(set(sent))
    report.row("first words", f"what ben said first at {len(opened)} starts", "nothing in common",
               f"{len(same)} of {min(map(len, opened))} positions alike, {twice} datagrams twice",
               len(opened) == SESSIONS and not same and twice == 0)


def plain(report, ann, needles, is_whole):
    """The control: the same file over TCP, in which the same search finds all."""
    stream = b"".join(p.payload for p in ann.capture.packets()
                      if p.proto == TCP and p.src == ADDRESS["ann"])
    sliced = {name: value for name, value in needles.items() if "slice" in name}
    spelt = {name: value for name, value in needles.items() if name not in {**sliced, **WORDS}}
    _, forms, hits = readable.found(spelt, stream)
    clear = sum(value in stream for value in sliced.values())
    report.row("control", "the same file over plain TCP", "the same search",
               f"{hits} of {forms} forms, {clear} of {len(sliced)} slices found",
               is_whole and hits == forms and clear == len(sliced))
