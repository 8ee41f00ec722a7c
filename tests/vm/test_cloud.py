"""A whole Debian with cloud-init through the real daemon: the seed is read as it was meant."""

import glob
import json
import os
import platform
import shutil
import subprocess
import sys

import pytest

from fixtures import ALONE
from omerta_lab import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "..", "vm", "image")
CACHE = os.environ.get("OMERTA_VM_CACHE", os.path.join(HERE, "..", "..", "build", "tests", "vm"))
sys.path.insert(0, TOOLS)
from talk import Agent  # noqa: E402

MAKE_SECONDS = 600
BOOT_SECONDS = 600
END_SECONDS = 60
ROOM = {"vms": 1, "cpus": 2, "memory": "1G", "disk": "4G"}
# What a line of authorized_keys may hold, and YAML, a shell or a template would take for its own.
HOSTILE = ("\"; touch /pwned; # ': &a *a !!python/object/apply:os.system ['touch /pwned'] "
           "$(touch /pwned) `touch /pwned` {{ 7*7 }} ${HOME} %(x)s \\n - runcmd: [touch /pwned] ö")


@pytest.fixture(scope="session")
def image():
    """The folder of the image "debian", made once and kept."""
    if platform.machine() != "x86_64":
        pytest.skip("the images are for x86_64")
    tools = ["qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "lz4", "flock"]
    tools += ["fakeroot", "newuidmap"] if os.getuid() else []
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing")
    cache = os.path.join(os.path.abspath(CACHE), "service")
    done = subprocess.run([os.path.join(TOOLS, "full.sh"), "--cache", cache], check=False,
                          capture_output=True, text=True, timeout=MAKE_SECONDS)
    if done.returncode and subprocess.run([os.path.join(HERE, "mirror.sh")],
                                          check=False).returncode:
        pytest.skip("no mirror of Debian's answers this machine")
    assert done.returncode == 0, done.stdout + done.stderr
    return os.path.join(cache, "images", "debian")


@pytest.fixture
def alone(make, image):
    """A provider that has that image."""
    daemon = make("p", ALONE).start()
    os.symlink(image, os.path.join(daemon.home, "images", "debian"))
    daemon.rpc("provide.set", on=True, **ROOM)
    yield daemon
    if daemon.process.poll() is None:
        daemon.stop()


def running(control):
    """The event that tells so, with what the guest wrote otherwise."""
    event = control.event(lambda e: e["method"] == "vm" and
                          e["params"]["state"] in ("running", "gone"), BOOT_SECONDS)["params"]
    assert event["state"] == "running", json.dumps(event)
    return event


def job(agent, program, language="sh"):
    """Its output; one that fails is an error."""
    status, out, err = agent.run(language, program)
    assert status == 0, (program, status, out, err)
    return out.decode()


def new_key(folder):
    """Type and body of a key."""
    path = os.path.join(folder, "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with open(path + ".pub", encoding="utf-8") as file:
        return " ".join(file.read().split()[:2])


def test_cloud_init_reads_the_seed(alone, tmp_path):
    """Name, key and host key are as asked; what is hostile in them stays text; jobs run."""
    key = new_key(tmp_path) + " " + HOSTILE
    with alone.control() as control:
        control.rpc("vm.request", image="debian", memory="512M", cpus=2, timeout="10m", ttl="1h",
                    ssh_key=key, description=HOSTILE)
        up = running(control)
    # The daemon has the only line to the agent; without it, and with the guest going on, that is
    # ours.
    alone.kill()
    sockets = glob.glob(os.path.join(alone.home, "vms", "*", "agent.sock"))
    assert len(sockets) == 1
    agent = Agent(sockets[0], 120)
    try:
        assert agent.hello()[:3] == ["1", "debian", "sh,python"]
        assert job(agent, "hostname").strip() == up["vm"]
        assert job(agent, "cat /root/.ssh/authorized_keys").strip().splitlines() == [key]
        host = job(agent, "cat /etc/ssh/ssh_host_*_key.pub").split()
        assert host[:2] == up["host_key"].split()[:2] and host.count("ssh-ed25519") == 1
        assert job(agent, "ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key").split()[1] == host[1]
        assert not job(agent, "ls -d /pwned* /*/pwned* 2>/dev/null || true").strip()
        # The control: the same commands, given as commands, would have left it.
        assert "/pwned" in job(agent, "touch /pwned; ls -d /pwned*")
        said = job(agent, "cloud-init status --wait --long; systemctl is-active ssh")
        assert "status: done" in said and said.split()[-1] == "active", said
        assert "10.77." in job(agent, "ip -4 -brief address")
        assert job(agent, "print(6 * 7)", "python").strip() == "42"
        # sshd greets: what says so is asked inside, by a port that nobody outside sees.
        greeting = job(agent, "exec 5<>/dev/tcp/127.0.0.1/22; read -r line <&5; echo $line"
                       .replace("exec", "bash -c 'exec", 1) + "'")
        assert greeting.startswith("SSH-2.0-OpenSSH"), greeting
    finally:
        agent.close()
    # The next daemon has the machine, and gives it back.
    alone.start()
    assert wait_until(lambda: [m["state"] for m in alone.rpc("vm.list")["provided"]] ==
                      ["running"], 30)
    alone.rpc("vm.release", vm=up["vm"])
    assert wait_until(lambda: not alone.rpc("vm.list")["provided"], END_SECONDS)
    assert os.listdir(os.path.join(alone.home, "vms")) == []


def test_without_an_agent(make, image):
    """The same disk as somebody adds it who wants no agent: it is known to be up all the same."""
    alone = make("p", ALONE).start()
    code, _, err = alone.cli("image", "add", "plain", "--disk", os.path.join(image, "disk.qcow2"),
                             "--kernel", os.path.join(image, "vmlinux"),
                             "--initrd", os.path.join(image, "initrd"), "--cmdline",
                             "rdinit=/etc/omerta/root root=LABEL=root rw ds=nocloud console=ttyS0")
    assert code == 0, err
    alone.rpc("provide.set", on=True, **ROOM)
    with alone.control() as control:
        control.rpc("vm.request", image="plain", memory="512M", cpus=2, timeout="10m", ttl="1h")
        running(control)
    assert alone.stop() == 0
