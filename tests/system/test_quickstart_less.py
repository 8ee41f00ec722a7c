"""demos/quickstart.sh where nobody may make namespaces: the same story, and what it lacks."""

import os
import subprocess

from fixtures import need

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.path.join(os.environ.get("OMERTA_BIN", os.path.join(ROOT, "build/dev/bin")), "..")
SECONDS = 240  # on a busy machine

REFUSED = "unshare failed: Operation not permitted"
HELD = ["ben knows nobody yet", "a link that was used is good for nobody else",
        "with his own ben is in", "hub sees all three members", "ann sees all three members",
        "ben sees all three members", "ann answers ben", "a message arrived",
        "hub's daemon and all of its files are gone", "no process of all this runs"]
LEFT_OUT = ["the virtual machine and the job in one: --no-vm was given.",
            f"the NATs between the machines: no namespaces can be made: {REFUSED}.",
            "from the relay to a direct way: no router is between them that has to be opened.",
            "a port that the router maps: no router is between them.",
            "the bystander in ann's LAN: there is no LAN of hers."]


def test_no_namespaces(tmp_path):
    """Neither root nor a namespace of users: the network, a sentence for each part, 77."""
    need("omerta", "omerta-meshd")
    work, programs = tmp_path / "work", tmp_path / "programs"
    work.mkdir()
    programs.mkdir()
    for name, text in (("unshare", f"echo '{REFUSED}' >&2; exit 1"), ("setpriv", "exit 1"),
                       ("ip", "exit 1"), ("nft", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    done = subprocess.run(
        [os.path.join(ROOT, "demos", "quickstart.sh"), "--built", BUILD, "--no-vm"],
        env=dict(os.environ, TMPDIR=str(work), PATH=f"{programs}:{os.environ['PATH']}"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 77, done.stdout + done.stderr
    assert [line for line in lines if "FAILED:" in line] == []
    for sentence in HELD:
        assert f"  held: {sentence}" in lines, done.stdout
    assert [line for line in lines if line.startswith("Left out")] == \
        [f"Left out: {sentence}" for sentence in LEFT_OUT]
    assert not os.listdir(work)
