"""What tests/setup.sh does where packages are missing: for root, with sudo, with neither."""

import os
import subprocess

import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# A machine on which only curl is installed, and what is asked of apt is shown.
MACHINE = """
. tests/setup.sh
dpkg-query() { echo installed curl; }
apt-get() { echo "apt-get $*"; }
env() { shift; "$@"; }
om_step() { shift; "$@"; }
id() { echo $user; }
command() {
    if [ "$2" = sudo ]; then [ "$sudo" != none ]; else builtin command "$@"; fi
}
sudo() {
    [ "$1" = -n ] && [ "$sudo" = free ] || return 1
    shift
    echo as root:
    [ "$1" = true ] || "$@"
}
"""


def bash(commands, user=1000, sudo="none"):
    """The run of @commands on that machine."""
    return subprocess.run(["bash", "-euo", "pipefail", "-c", f"user={user} sudo={sudo}{MACHINE}"
                           + commands], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)


def missing(kind):
    """The names that a run of @kind lacks there."""
    return bash(f"om_missing_packages {kind}").stdout.split()


def test_kinds_add_to_each_other():
    demo, every, full = missing("demo"), missing("all"), missing("full")
    assert "gcc" in demo and "curl" not in full
    assert "valgrind" in every and "valgrind" not in demo
    assert "clang" in full and "clang" not in every
    assert set(demo) < set(every) < set(full)


@pytest.mark.parametrize("sudo", ["none", "asks"])
def test_who_may_not_install_is_told_what(sudo):
    done = bash("om_install demo", sudo=sudo)
    assert done.returncode == 1 and not done.stdout, done
    says, command = done.stderr.splitlines()
    assert "may not install" in says
    assert command.endswith("install --no-install-recommends " + " ".join(missing("demo")) + " ")


@pytest.mark.parametrize("user, sudo", [(0, "none"), (1000, "free")])
def test_who_may_installs(user, sudo):
    done = bash("om_install demo", user, sudo)
    assert done.returncode == 0 and not done.stderr, done
    assert " update" in done.stdout and ("as root" in done.stdout) == (user != 0)
    assert " install --no-install-recommends " + " ".join(missing("demo")) in done.stdout


def test_no_install_names_what_is_missing():
    done = bash("om_name_missing demo")
    assert done.returncode == 0 and not done.stdout
    assert done.stderr.count("\n") == 1 and " ".join(missing("demo")) in done.stderr
    assert not bash("dpkg-query() { for p in $(awk '{ print $2 }' tests/packages.txt); do "
                    "echo installed $p; done; }; om_name_missing full; om_install full").stderr
