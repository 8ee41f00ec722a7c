"""omerta-health with the peer's end behind a real ssh, where it is not root."""

import json
import os
import subprocess

import servers
from daemon import program, wait_until
from fixtures import need

SECONDS = 60


def connect(folder, sshd, key):
    """A folder for PATH whose ssh knows the way to @sshd, and nothing of whoever runs the tests."""
    path = os.path.join(folder, "path")
    os.mkdir(path)
    with open(os.path.join(path, "ssh"), "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec /usr/bin/ssh -F none -p {sshd.port} -i {key} "
                   f"-o IdentitiesOnly=yes -o StrictHostKeyChecking=no "
                   f"-o UserKnownHostsFile={folder}/known -o LogLevel=ERROR \"$@\"\n")
    os.chmod(os.path.join(path, "ssh"), 0o755)
    return dict(os.environ, PATH=path + ":" + os.environ["PATH"])


def test_the_peer_by_ssh(pair, folder):
    need("omerta-health")
    first, second = pair
    os.chmod(folder, 0o777)
    os.makedirs(os.path.join(second.home, "ssh"), exist_ok=True)
    sshd = servers.Sshd(os.path.join(folder, "sshd"), second.home)
    environment = connect(folder, sshd, os.path.join(second.home, "ssh", "id_ed25519"))
    with subprocess.Popen(sshd.argv(), stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            host = f"{sshd.user}@127.0.0.1"
            assert wait_until(lambda: subprocess.run(["ssh", host, "true"], env=environment,
                                                     check=False).returncode == 0, SECONDS)
            assert wait_until(lambda: second.peer_ids() & {first.self_id()}, SECONDS)
            argv = [program("omerta-health"), "--home", second.home, "--peer", first.self_id(),
                    "--ssh", host, "--peer-home", first.home, "--slack", "5000", "--json", "-",
                    "--peer-program", program("omerta-health")]

            def measured(*more):
                return subprocess.run([*argv, *more], env=environment, capture_output=True,
                                      text=True, timeout=SECONDS, check=False)

            done = measured("--phase", "1,4,13,12b,15")
            # What is not built is not skipped.
            strict = [measured("--no-skip", "--phase", phases) for phases in ("12b", "12b,4")]
        finally:
            server.terminate()
    assert done.returncode == 0, done.stderr
    assert [run.returncode for run in strict] == [0, 1], strict
    assert [run.stderr.count("1 skipped, and --no-skip wants none") for run in strict] == [0, 1]
    report = json.loads(done.stdout)
    rows = {row["number"]: row for row in report["phases"]}
    assert rows["1"]["verdict"] == "held" and rows["13"]["verdict"] == "held", done.stderr
    assert len(rows["13"]["probes"]) >= 500
    assert rows["4"]["verdict"] == "skipped" and rows["4"]["reason"].startswith("not root at ")
    assert rows["12b"]["verdict"] == rows["15"]["verdict"] == "not built"
    assert (report["held"], report["skipped"], report["not_built"]) == (2, 1, 2)
    assert not second.rpc("forward.list")["forwards"] and not first.rpc("expose.list")["exposed"]
