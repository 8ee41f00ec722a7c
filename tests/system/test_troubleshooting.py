"""plans/troubleshooting.md: each symptom is brought about, and its commands print what it says."""

import os
import re
import shutil
import time

import pytest

import servers
from commands import good, new_home, run, write_config
from daemon import wait_until
from fixtures import ALONE, need

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "plans", "troubleshooting.md")
QUIET = {"lan": False, "portmap": False}


def symptoms():
    """{heading: [[command, lines...]...]} of all that says what a command prints."""
    found, heading = {}, ""
    with open(PAGE, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("## "):
                heading = line[3:]
            elif line.startswith("    $ omerta "):
                found.setdefault(heading, []).append([line[6:]])
            elif line.startswith("    ") and heading in found:
                found[heading][-1].append(line[4:])
    return found


SYMPTOMS = symptoms()


def is_line(wanted, line):
    """Is @line what the page has, where "..." is anything?"""
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), line) is not None


def seen(heading, home, stdin=None, port=None):
    """The commands of @heading in @home print the lines that are below them."""
    for command, *lines in SYMPTOMS[heading]:
        if port:  # one that nobody else of this machine has
            command = command.replace("8080", str(port))
            lines = [line.replace("8080", str(port)) for line in lines]
        code, out, err = run(home, *command.split()[1:], stdin=stdin)
        said = (out + err).splitlines()
        for line in lines:
            assert any(is_line(line, one) for one in said), (command, line, code, said)


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to see."""
    need("omerta", "omerta-meshd")


@pytest.fixture
def two(make):
    """ann, and ben who knows her by name."""
    ann = make("ann", ALONE + ["--name", "ann"]).start()
    ben = make("ben", ALONE + ["--name", "ben"] + ann.bootstrap()).start()
    assert wait_until(lambda: "ann" in run(ben.home, "peers")[1], 20)
    return ann, ben


def test_each_symptom_is_tried():
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert len(SYMPTOMS) > 10
    assert [heading for heading in SYMPTOMS if f'"{heading}"' not in text] == []
    assert not is_line("a ... c", "a b d") and is_line("a ... c", "a b c")  # the control


def test_what_does_not_start(home, make):
    other = make("other", ALONE).start()
    seen("Nothing answers", home)
    new_home(home, **QUIET)
    write_config(home, {**QUIET, "port": other.port})
    seen("It does not start: the port", home)
    write_config(home, {"prot": 1})
    seen("It does not start: the configuration", home)
    write_config(home, {**QUIET, "port": 0})
    seed = os.path.join(home, "identity", "seed")
    os.chmod(seed, 0o644)
    seen("It does not start: a secret that others can read", home)
    # The control: mended as it says, it does.
    os.chmod(seed, 0o600)
    assert run(home, "up")[0] == 0
    assert run(home, "down")[0] == 0


def test_what_peers_do_not_do(two):
    ann, ben = two
    port = servers.free_tcp_port()
    seen("A peer is not known", ben.home)
    seen("A port of a peer is not exposed", ben.home, port=port)
    ann.rpc("expose.add", port=port, to=["ben"])
    seen("A port of a peer is refused", ben.home, port=port)
    seen("There is no machine to be had", ben.home)
    seen("A provider provides nothing", ben.home)
    if shutil.which("qemu-system-x86_64"):
        assert run(ann.home, *"provide on --vms 1 --cpu 1 --memory 512M --disk 1G".split())[0] == 0
        seen("A provider provides nothing to us", ben.home)
    ann.end()
    seen("A peer does not answer", ben.home)


def test_what_links_do_not_do(two, make):
    ann, ben = two
    assert run(ann.home, "network", "create", "--name", "team")[0] == 0
    link = run(ann.home, "network", "invite", "team", "--at", f"127.0.0.1:{ann.port}")[1].strip()
    other = "A" if link[60] != "A" else "B"
    seen("A link is refused: it is cut", ben.home, stdin=link[:60] + other + link[61:])
    assert run(ben.home, "network", "join", "-", stdin=link)[0] == 0  # the control
    cleo = make("cleo", ALONE).start()
    seen("A link is refused: it is used up", cleo.home, stdin=link)
    brief, until = good(ann.home, "network", "invite", "team", "--expires", "1s"), time.time() + 2
    assert wait_until(lambda: time.time() > until, 10)
    seen("A link is refused: it is too old", cleo.home, stdin=brief)
    assert run(ben.home, "network", "create", "--name", "mine", "--open")[0] == 0
    seen("Which network is meant", ben.home)
