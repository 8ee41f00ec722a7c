"""Machines and the internet: through their consumer if it said so, and never its own networks."""

import os
import sys

import pytest

import upstream
from fixtures import ALONE, need
from omerta_lab import wait_until
from vmlab import (ROOM, give_image, has_session, inside, omerta, qemus, running)

BEN, ANN, OUTSIDE, BESIDE = "10.0.0.1", "10.0.0.2", "9.9.9.9", "192.168.7.7"


@pytest.fixture
def apart(make, lab, image):
    """ann, who provides; ben, who sees the internet, where a host is, and a network of his own."""
    need("omerta", "omerta-meshd")
    lab.host("ann", "ben", "web")
    lab.segment("lan", "ann", "ben")
    lab.link("ben", "wan", "web", "eth0")
    lab.address("ben", "eth0", f"{BEN}/24")
    lab.address("ann", "eth0", f"{ANN}/24")
    lab.address("ben", "wan", "9.9.9.1/32", "192.168.7.1/24")
    lab.ip("ben", f"route add {OUTSIDE} dev wan")
    lab.address("web", "eth0", f"{OUTSIDE}/24", f"{BESIDE}/24")
    ben = make("ben", [*ALONE, "--dns-upstream", "127.0.0.1:53"], lab=lab, host="ben",
               port=18002).start()
    ann = make("ann", [*ALONE, *ben.bootstrap(BEN)], lab=lab, host="ann", port=18002).start()
    assert has_session(ben, ann.self_id())
    give_image(ann, image)
    ann.rpc("provide.set", on=True, to=[ben.self_id()], **ROOM)
    yield ann, ben
    for daemon in (ben, ann):
        daemon.stop()
    for pid in qemus(ann):
        os.kill(pid, 9)


def serve(lab, host, address, text, folder):
    """A web server at @address of @host."""
    place = os.path.join(folder, "site-" + address)
    os.mkdir(place)
    with open(os.path.join(place, "index.html"), "w", encoding="utf-8") as file:
        file.write(text)
    lab.popen(host, [sys.executable, "-m", "http.server", "--bind", address, "--directory", place,
                     "80"], stdout=-3, stderr=-3)


def test_egress(apart, lab, folder):
    """With egress internet: a host there, and names; without: neither. Ben's own: never."""
    ann, ben = apart
    for address, text in ((OUTSIDE, "outside"), (BESIDE, "beside")):
        serve(lab, "web", address, text, folder)
    serve(lab, "ben", BEN, "ben himself", folder)
    lab.popen("ben", [sys.executable, os.path.abspath(upstream.__file__), "127.0.0.1",
                      "53"], stdout=-3, stderr=-3)
    peer = ann.self_id()
    running(ben, "open", peer=peer, egress="internet", memory="128M", disk="0")
    running(ben, "closed", peer=peer, memory="128M", disk="0")
    wget = "wget -q -O - http://{}/ 2>&1"
    assert wait_until(lambda: omerta(ben, "vm", "ssh", "open", wget.format(OUTSIDE)).stdout ==
                      "outside", 30)
    assert "No route" in inside(ben, "closed", wget.format(OUTSIDE), code=1)
    for address in (BESIDE, BEN, ANN, "169.254.169.254"):
        out = inside(ben, "open", wget.format(address), code=1)
        assert "No route" in out or "unreachable" in out, (address, out)
    assert "192.0.2.1" in inside(ben, "open", "nslookup -type=a a.test 2>&1; true")
    assert "REFUSED" in inside(ben, "closed", "nslookup -type=a a.test 2>&1; true")
    # Names of the mesh are no machine's business, and what others asked is not told either.
    for name in ("open", "closed"):
        assert "NXDOMAIN" in inside(ben, name, "nslookup -type=aaaa ben.omerta 2>&1; true")
