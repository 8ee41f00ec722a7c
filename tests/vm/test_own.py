"""A node's own machine: reached and reaching by calls of the node to itself, by the same rules."""

import hashlib
import os

from fixtures import ALONE
from omerta_lab import wait_until
from test_access import fetch, web
from vmlab import (BOOT_SECONDS, END_SECONDS, ROOM, assert_nothing_left, give_image, inside, omerta,
                   provided, qemus, running, wanted)


def test_own_machine_both_ways(make, image, tmp_path):
    """SSH into it, files both ways, one exposed port out of it and no other; after kill -9, too."""
    one = make("p", ALONE).start()
    give_image(one, image)
    one.rpc("provide.set", on=True, **ROOM)
    with web(b"from this node") as port, web(b"not for it") as closed:
        one.rpc("expose.add", port=closed, to=["self"])  # for the user, not for the machine
        vm = running(one, "mine", expose=[port])
        assert wanted(one)[0]["self"] and wanted(one)[0]["provider"] == one.self_id()
        assert inside(one, "mine", "hostname").strip() == vm
        assert inside(one, "mine", fetch(port)) == "from this node"
        assert "No route to host" in inside(one, "mine", fetch(closed), code=1)

        body = os.urandom(5 * 1024 * 1024)
        (tmp_path / "there").write_bytes(body)
        done = omerta(one, "vm", "cp", str(tmp_path / "there"), "mine:/root/file",
                      seconds=BOOT_SECONDS)
        assert done.returncode == 0, done.stderr
        assert inside(one, "mine", "sha256sum /root/file").split()[0] == \
            hashlib.sha256(body).hexdigest()
        done = omerta(one, "vm", "cp", "mine:/root/file", str(tmp_path / "back"),
                      seconds=BOOT_SECONDS)
        assert done.returncode == 0 and (tmp_path / "back").read_bytes() == body, done.stderr

        # Its user's list knows at once.
        assert one.rpc("vm.extend", vm="mine", ttl="2h")["left_s"] > 7200
        assert wait_until(lambda: wanted(one)[0]["left_s"] > 7200, END_SECONDS)

        # Killed: the machine goes on, and both of its sides find each other again.
        before = qemus(one)
        one.kill()
        one.start()
        assert qemus(one) == before
        assert wait_until(lambda: one.rpc("links.list")["links"], END_SECONDS)
        assert inside(one, "mine", fetch(port)) == "from this node"
        one.rpc("vm.release", vm="mine")
        assert wait_until(lambda: not wanted(one), END_SECONDS)
    assert wait_until(lambda: not provided(one), END_SECONDS)
    assert_nothing_left(one)
