"""The check "router" against the real miniupnpd of a home router, and against a mute one."""

import json
import os
import re
import shutil

import pytest

from daemon import program
from fixtures import need
from omerta_lab import search_path, wait_until

CONFIG = """
ext_ifname=wan
ext_ip=11.0.0.1
listening_ip=lan
port=5000
enable_natpmp={natpmp}
enable_upnp={upnp}
secure_mode=yes
system_uptime=yes
uuid=5e2e6d7a-6a0f-4b0c-9c55-000000000001
allow 1024-65535 192.168.1.0/24 1024-65535
"""
RELAYS = "so it makes no port mappings: where no direct way is found, relays will be used"


@pytest.fixture
def behind(lab):
    """A client behind a router that translates and, so far, makes no mappings."""
    need("omerta-meshd")
    lab.host("client", "router")
    lab.link("client", "eth0", "router", "lan")
    lab.segment("net", "router", interface="wan")
    lab.address("client", "eth0", "192.168.1.2/24")
    lab.address("router", "lan", "192.168.1.1/24")
    lab.address("router", "wan", "11.0.0.1/24")
    lab.gateway("client", "192.168.1.1")
    lab.nat("router", "port", "wan", "lan")
    return lab


def serve(lab, natpmp, upnp):
    """Starts miniupnpd on the router; returns once it listens."""
    miniupnpd = shutil.which("miniupnpd", path=search_path())
    if miniupnpd is None:
        pytest.skip("miniupnpd is not installed")
    path = os.path.join(lab.folder, "miniupnpd.conf")
    words = {True: "yes", False: "no"}
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIG.format(natpmp=words[natpmp], upnp=words[upnp]))
    log = os.path.join(lab.folder, "miniupnpd.log")
    with open(log, "wb") as out:
        process = lab.popen("router", [miniupnpd, "-d", "-f", path, "-P", path + ".pid"],
                            stdout=out, stderr=out)
    port = ":1900 " if upnp else ":5351 "

    def listens():
        return process.poll() is not None or port in lab.run("router", ["ss", "-uln"]).stdout

    assert wait_until(listens, 10) and process.poll() is None, open(log, encoding="utf-8").read()


def check(lab):
    """What `omerta-meshd check` says of the router, as text and as JSON."""
    argv = [program("omerta-meshd"), "check", "--home", os.path.join(lab.folder, "home")]
    text = lab.run("client", argv, check=False).stdout
    told = json.loads(lab.run("client", [*argv, "--json"], check=False).stdout)
    return re.search(r"^\w+ +router: .*$", text, re.M)[0], told[-1]


@pytest.mark.parametrize("natpmp, upnp, names", [
    (True, True, "NAT-PMP and UPnP IGD"), (True, False, "NAT-PMP"), (False, True, "UPnP IGD")])
def test_router_that_makes_mappings(behind, natpmp, upnp, names):
    serve(behind, natpmp, upnp)
    line, told = check(behind)
    what = f"192.168.1.1 makes port mappings by {names}; external address 11.0.0.1"
    assert line == f"OK   router: {what}"
    assert told == {"check": "router", "state": "ok", "what": what, "fix": None}


def test_mute_router_is_a_warning(behind):
    home = os.path.join(behind.folder, "home")
    behind.run("client", [program("omerta-meshd"), "init", "--home", home])
    line, told = check(behind)
    assert line == f"WARN router: 192.168.1.1 answers neither NAT-PMP nor UPnP IGD, {RELAYS}"
    assert told["state"] == "warn" and told["fix"]
    # The home is in order, and a warning fails nothing.
    behind.run("client", [program("omerta-meshd"), "check", "--home", home])


def test_check_asks_and_maps_nothing(behind):
    serve(behind, True, True)
    check(behind)
    assert "dport" not in behind.run("router", ["nft", "list", "ruleset"]).stdout


def test_no_router(lab):
    need("omerta-meshd")
    lab.host("client")
    assert check(lab)[0].startswith("WARN router: no IPv4 router")
