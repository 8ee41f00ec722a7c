"""Where the secrets of three daemons are: their own files, locked memory, and nowhere else."""

import base64
import ctypes
import glob
import os
import re
import shutil
import stat
import subprocess
import tempfile

import pytest

from commands import Live, data, environment_of, good, refused, run
from daemon import Daemon, program, wait_until
from fixtures import ALONE, need

PASSWORD = "correct-horse-battery-staple"
LOUD = [*ALONE, "--log-level", "debug"]


@pytest.fixture(autouse=True)
def programs():
    """Without the programs there is nothing to test."""
    need("omerta", "omerta-meshd")


def forms(secret):
    """Every way in which the bytes @secret might be written down, without what may be cut off."""
    padded = base64.b64encode(secret).rstrip(b"=")[:-1]
    narrow = base64.b32encode(secret).rstrip(b"=")[:-1]
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), narrow, narrow.lower(),
            padded, padded.replace(b"+", b"-").replace(b"/", b"_")]


def secrets_in(home):
    """What the files of @home keep: of each network its secret and the authority's seed."""
    with open(os.path.join(home, "identity", "seed"), "rb") as file:
        found = {"identity": file.read()}
    for path in glob.glob(os.path.join(home, "networks", "*")):
        if "." in os.path.basename(path):
            continue
        with open(path, "rb") as file:
            raw = file.read()
        name = raw[72:72 + raw[71]].decode()
        found[name] = raw[39:71]
        at = 72 + raw[71]
        at += 1 + raw[at] * 50  # peers
        at += 11 + raw[at + 1] * 32  # pins
        if raw[1] == 2 and raw[at]:
            found[f"authority of {name}"] = raw[at + 1:at + 33]
    return found


def b64_of(link):
    """The bytes in the invitation @link."""
    raw = link.rpartition(b"/")[2]
    return base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))


def join_words(link):
    """What is secret in the invitation @link: the key of its bearer and J."""
    raw = b64_of(link.encode())
    return {"J": raw[37:69], "invite key": raw[69:101]}


def found(needles, hay):
    """The names of those of @needles that are in @hay in some form."""
    return sorted(name for name, secret in needles.items()
                  if any(form in hay for form in forms(secret)))


class Rig:
    """Two daemons that did all that secrets are needed for, and a third that they put out."""

    def __init__(self, first, second, third, folder):
        self.both, self.all = (first, second), (first, second, third)
        at = f"--at=127.0.0.1:{first.port}"
        sealed = os.path.join(folder, "sealed")
        for name, more in (("lab", []), ("all", ["--open"]), ("out", ["--open"])):
            good(first.home, "network", "create", "--name", name, *more)
        self.links = {"lab": good(first.home, "network", "invite", "lab", "--uses", "2",
                                   at).strip(),
                      "all": good(first.home, "network", "invite", "all", at).strip(),
                      "us": good(first.home, "key", "link", "--name", "us", at).strip()}
        self.waiting = b""
        for name, link in self.links.items():
            self.join(second, name, link)
        good(first.home, "key", "export", sealed, "--network", "out", at, stdin=PASSWORD + "\n")
        good(second.home, "key", "import", sealed, "--name", "out", stdin=PASSWORD + "\n")
        self.sealed = sealed
        self.agree()
        self.old = self.put_out(third)

    def agree(self):
        """The two make a network of their own, "two"."""
        first, second = self.both
        peer = data(second.home, "network", "show", "all")["self"]
        asked = data(first.home, "cloister", peer, "--network", "all", "--name", "two")

        def waits():
            rows = data(second.home, "cloister", "list")["cloisters"]
            return rows and rows[0]["code"]
        assert wait_until(waits, 30)
        other = data(second.home, "cloister", "list")["cloisters"][0]["id"]
        with Live(first.home, "cloister", "accept", str(asked["id"])) as accept:
            good(second.home, "cloister", "accept", str(other), "--name", "two")
            accept.line()

    def put_out(self, third):
        """The @third is a member for a while; the secret that the others changed then."""
        first, second = self.both
        self.join(third, "lab", self.links["lab"])
        old = secrets_in(first.home)["lab"]
        good(first.home, "network", "revoke", "--yes", "--now", "--network", "lab",
             data(third.home, "network", "show", "lab")["self"])
        assert wait_until(lambda: old != secrets_in(first.home)["lab"] ==
                          secrets_in(second.home)["lab"], 30)
        assert secrets_in(third.home)["lab"] == old
        return old

    def join(self, daemon, name, link):
        """The @daemon follows @link, and is looked at while it does."""
        argv = [program("omerta"), "network", "join", "-", "--name", name]
        with subprocess.Popen(argv, env=environment_of(daemon.home), stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as process:
            process.stdin.write(link.encode())
            process.stdin.flush()
            self.waiting += self.look_at(process.pid)
            process.stdin.close()
            assert process.wait(60) == 0

    @staticmethod
    def look_at(pid):
        """What ps and its like show of the process @pid."""
        seen = b""
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                seen += file.read()
        return seen

    def needles(self):
        """Every secret of all, by name."""
        named = {f"{daemon.home[-1]}: {name}": secret for daemon in self.all
                 for name, secret in secrets_in(daemon.home).items()}
        named["old lab"] = self.old
        named |= join_words(self.links["lab"])
        named |= {f"link {name}": link.encode() for name, link in self.links.items()}
        return named | {"password": PASSWORD.encode()}


@pytest.fixture(name="rig", scope="module")
def rig_of_three():
    """See Rig; and whoever started all that lets everybody read what he makes."""
    need("omerta", "omerta-meshd")
    folder, before = tempfile.mkdtemp(prefix="om-"), os.umask(0)
    daemons = [Daemon(os.path.join(folder, name), LOUD) for name in "abc"]
    try:
        yield Rig(*(daemon.start() for daemon in daemons), folder)
    finally:
        os.umask(before)
        for daemon in daemons:
            daemon.end()
        shutil.rmtree(folder, ignore_errors=True)


def told_by(daemon):
    """All that the commands say of @daemon that are no question for a link."""
    told = b""
    asked = [["status"], ["peers"], ["network", "list"], ["key", "show"], ["config"], ["doctor"],
             ["netcheck"], ["log", "-n", "1000"], ["cloister", "list"], ["bugreport", "-o", "-"],
             ["network", "block", "--list"], ["network", "members", "lab", "--all"]]
    asked += [["network", "show", net["name"]] for net in
              data(daemon.home, "network", "list")["networks"]]
    for words in asked:
        for more in ([], ["--json"])[:1 if words == ["doctor"] else 2]:  # which takes its time
            told += "".join(run(daemon.home, *words, *more)[1:]).encode()
    return told


def kept_by(daemon):
    """The bytes of all files of @daemon but those that keep its secrets, and its log."""
    kept = daemon.log().encode()
    keepers = {os.path.join(daemon.home, name) for name in ("identity/seed", "local.key")}
    for top, _, names in os.walk(daemon.home):
        for name in names:
            path = os.path.join(top, name)
            is_network = os.path.basename(top) == "networks" and "." not in name
            if not is_network and path not in keepers and stat.S_ISREG(os.stat(path).st_mode):
                with open(path, "rb") as file:
                    kept += file.read()
    return kept


def memory_of(pid):
    """What the process @pid has written: locked and kept out of dumps, and all the rest."""
    locked, open_to_dumps, maps = [], [], []
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        for line in file:
            row = re.match(r"([0-9a-f]+)-([0-9a-f]+) (..)", line)
            if row:
                maps.append([int(row[1], 16), int(row[2], 16), row[3], ""])
            elif line.startswith("VmFlags:") and maps:
                maps[-1][3] = line.split()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, may, flags in maps:
            if may != "rw":
                continue
            try:
                piece = os.pread(mem.fileno(), end - start, start)
            except (OSError, OverflowError):  # pages of the kernel's own
                continue
            side = locked if "lo" in flags and "dd" in flags else open_to_dumps
            side.append(re.sub(rb"\0{64,}", bytes(64), piece))
    return b"".join(locked), b"".join(open_to_dumps)


def test_no_secret_is_told_or_written(rig):
    """Not in a log, an answer, another file, a list of processes: the same search finds them."""
    needles = rig.needles()
    assert {"a: identity", "a: authority of lab", "b: lab", "b: two", "J"} <= set(needles)
    for daemon in rig.both:
        told = told_by(daemon)
        assert b"this node" in told and b"datagrams" in told and b"revoked" in told
        assert not found(needles, told)
    for daemon in rig.all:
        kept = kept_by(daemon)
        assert len(kept) > 4096 and not found(needles, kept)
        assert not found(needles, rig.look_at(daemon.process.pid))
    assert b"join" in rig.waiting and not found(needles, rig.waiting)
    with open(rig.sealed, "rb") as file:
        assert not found(needles, file.read())
    # The controls: each in the file that is its own, and in each form of a link.
    for daemon in rig.all:
        for path in glob.glob(os.path.join(daemon.home, "networks", "*")):
            with open(path, "rb") as file:
                assert "." in os.path.basename(path) or found(needles, file.read())
    assert found(needles, rig.links["us"].encode()) == ["a: us", "b: us", "link us"]
    assert {"a: lab", "J"} <= set(found(needles, b" ".join(
        base64.b64encode(needles[name]) for name in ("a: lab", "J"))))


def test_no_secret_outside_locked_memory(rig):
    """Whoever dumps a daemon by force gets none of what its files keep, nor a link it heard."""
    needles = rig.needles()
    for daemon in rig.all:
        try:
            locked, rest = memory_of(daemon.process.pid)
        except PermissionError as why:
            pytest.skip(f"needs CAP_SYS_PTRACE to read the memory of a daemon: {why}")
        own = daemon.home[-1]
        names = {"lab", "identity"} | ({"all", "us", "two"} if daemon in rig.both else set())
        assert {f"{own}: {name}" for name in names} <= set(found(needles, locked))
        assert own != "c" or "old lab" in found(needles, locked)
        assert len(rest) > 1 << 20 and daemon.home.encode() in rest
        assert not found(needles, rest)
        with open(f"/proc/{daemon.process.pid}/limits", encoding="utf-8") as file:
            assert re.search(r"^Max core file size +0 +0 ", file.read(), re.M)


def test_modes_whatever_the_umask(rig, folder):
    """Files of a home are its user's alone, also where the user's umask says otherwise."""
    report = os.path.join(folder, "report")
    good(rig.both[0].home, "bugreport", "-o", report)
    paths = [report, rig.sealed]
    for daemon in rig.all:
        paths.append(daemon.home)
        paths += [os.path.join(top, name) for top, folders, files in os.walk(daemon.home)
                  for name in folders + files]
    assert len(paths) > 30
    assert not [path for path in paths if stat.S_IMODE(os.lstat(path).st_mode) & 0o077]
    control = os.path.join(folder, "control")
    with open(control, "w", encoding="utf-8"):
        assert stat.S_IMODE(os.stat(control).st_mode) == 0o666


def opened(raw, password):
    """What is in the sealed file @raw, by libsodium and the description of its bytes."""
    sodium = ctypes.CDLL("libsodium.so.23")
    key, text = ctypes.create_string_buffer(32), ctypes.create_string_buffer(len(raw))
    assert raw[:8] == b"omkey01\0" and sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash(key, ctypes.c_ulonglong(32), password,
                                ctypes.c_ulonglong(len(password)), raw[8:24],
                                ctypes.c_ulonglong(3), ctypes.c_size_t(256 << 20), 2) == 0
    box = raw[48:]
    code = sodium.crypto_secretbox_open_easy(text, box, ctypes.c_ulonglong(len(box)), raw[24:48],
                                             key)
    return text.raw[:len(box) - 16] if code == 0 else None


def test_sealed_file_opens_by_its_description(rig):
    """Whoever has the file, its password and libsodium needs nothing of ours."""
    with open(rig.sealed, "rb") as file:
        raw = file.read()
    inside = opened(raw, PASSWORD.encode())
    assert inside.startswith(b"omerta://join/")
    assert found({"out": secrets_in(rig.both[0].home)["out"]}, b64_of(inside)) == ["out"]
    assert opened(raw, b"another") is None


def test_sealed_file_is_whole_or_nothing(daemon, folder):
    """Cut or changed anywhere it is refused, as by another password; as it was it opens."""
    sealed, broken = (os.path.join(folder, name) for name in ("sealed", "broken"))
    good(daemon.home, "network", "create", "--name", "all", "--open")
    good(daemon.home, "key", "export", sealed, stdin=PASSWORD + "\n")
    with open(sealed, "rb") as file:
        raw = file.read()
    changed = raw[:70] + bytes([raw[70] ^ 1]) + raw[71:]
    for bad, says in ((b"", "not a file"), (raw[:8], "not a file"), (raw[:60], "not a file"),
                      (b"omkey02" + raw[7:], "not a file"), (raw + bytes(4096), "not a file"),
                      (raw[:-1], "was changed"), (changed, "was changed")):
        with open(broken, "wb") as file:
            file.write(bad)
        refused(daemon.home, "key", "import", broken, stdin=PASSWORD + "\n", says=[says])
    refused(daemon.home, "key", "import", sealed, stdin=PASSWORD + "\n", says=["called \"all\""])
