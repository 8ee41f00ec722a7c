"""The first five minutes of README.md, as they are printed there, between two daemons."""

import os
import re
import shutil
import subprocess

import pytest

from commands import data, environment_of
from daemon import program, wait_until
from fixtures import ALONE, need

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
TITLE = "## The first five minutes"
# Of the lines that say so behind them; the others are of whom their block is for.
WHO = {"first": "ann", "second": "ben"}
# These want an sshd that lets us in, or boot a machine: system/test_tunnels, vm/test_jobs do that.
ELSEWHERE = ("omerta ssh ", "omerta run ")
SECONDS = 60


def blocks():
    """The indented blocks of the section: lists of (command, what is said of it)."""
    with open(README, encoding="utf-8") as file:
        text = file.read()
    section = text.partition(TITLE)[2].partition("\n## ")[0]
    found = re.findall(r"(?:^ {4}.*\n)+", section, re.M)
    return [[re.match(r" {4}(.*?)(?: {2,}(.*))?$", line).groups("")
             for line in block.splitlines()] for block in found]


def lines():
    """(who, command) of all of them, in their order."""
    first, second, both = blocks()
    told = [("ann", command) for command, _ in first] + [("ben", command) for command, _ in second]
    for command, said in both:
        who = WHO.get(said.partition(":")[0])
        assert who, f"want first or second behind {command}"
        told.append((who, command))
    return told


def typed(daemon, command, folder):
    """@command in a shell whose daemon is @daemon: (exit, what it said)."""
    environment = environment_of(daemon.home)
    environment["PATH"] = os.path.dirname(program("omerta")) + ":" + environment["PATH"]
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, timeout=SECONDS,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout


@pytest.fixture(name="two")
def two_daemons(make):
    """ann and ben, called so as their machines would be; they do not know of each other."""
    need("omerta", "omerta-meshd")
    return {name: make(name, [*ALONE, "--name", name]).start() for name in ("ann", "ben")}


def test_as_printed(two, folder):
    """Each line that boots nothing does what it says; the loopback is put into the link."""
    done = []
    for who, command in lines():
        if command.startswith(ELSEWHERE):
            continue
        if command.startswith("omerta network invite"):
            command = command.replace("invite", f"invite --at=127.0.0.1:{two['ann'].port}")
        code, said = typed(two[who], command, folder)
        assert code == 0, (who, command, said)
        done.append((command, said))
    said = {" ".join(command.split()[1:3]): text for command, text in done}
    assert 'in network "team", where this node is ben' in said["network join"]
    assert "ann" in said["network members"] and "ben" in said["network members"]
    assert "hello" in [m["text"] for m in two["ann"].rpc("message.list")["messages"]]
    [rule] = two["ann"].rpc("expose.list")["exposed"]
    assert rule["port"] == 22, rule
    ids = {name: data(one.home, "network", "show", "team")["self"] for name, one in two.items()}
    lent = two["ann"].rpc("provide.show")
    assert lent["on"] and lent["to"] == [ids["ben"]], lent
    if shutil.which("qemu-system-x86_64"):
        assert wait_until(lambda: lends(two["ben"], ids["ann"]), SECONDS), \
            data(two["ben"].home, "providers", "--all")


def lends(daemon, peer):
    """Does @peer offer @daemon what `omerta run` asks for when it is not told more?"""
    found = data(daemon.home, "providers", "--cpu", "1", "--memory", "256M")["providers"]
    return peer in [one["provider"] for one in found]
