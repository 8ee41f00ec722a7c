#!/usr/bin/python3
"""hostile_seed.py BUSYBOX - values of a seed that would like to be more than values

Runs the guest's own seed.sh and seed.awk, with the guest's own shell and awk, on a folder that
stands for the guest's root. Each value must come out as it went in, or not at all; none may make a
file where none should be. A refused text has a good one beside it in the same run.
"""
import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GUEST = os.path.join(HERE, "..", "..", "vm", "image", "guest")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGr2"

# What each would do if it were ever read as shell, awk, a format, a pattern or a path.
NASTY = [
    "$(touch PWNED)", "`touch PWNED`", "; touch PWNED", "' ; touch PWNED; '", '" ; touch PWNED; "',
    "a\ntouch PWNED\n", "\n", "\n\n", "a\r\nb", "${IFS}touch${IFS}PWNED", "| touch PWNED",
    "&& touch PWNED &", "\\", "\\\\", "\\n", "\\\"", "\"", "\"\"\"", "'", "%s%n%d", "%", "*", "?",
    "[a-z]", "~root", "!!", "#", "-n", "-e", "--help", "$1", "$0", "&", "\\&", "/",
    "../../../../PWNED", "\t", "\x1b[2J", "\x7f", "é\u20ac\U0001f600", "\u2028", "{\"a\":1}",
    "[1,2]", "}", "]", ",", ":", "null", "#cloud-config", "x" * 100000, "\\\"" * 20000, "\n" * 5000,
    "getline < \"/etc/passwd\"", "system(\"touch PWNED\")", "__proto__", "EOF", "END",
    "-----BEGIN OPENSSH PRIVATE KEY-----", "a b  c   d", " lead", "trail ", ".", "",
]


class Guest:
    """A folder that stands for the guest's root, with busybox's own commands and nothing else."""

    def __init__(self, busybox):
        self.root = tempfile.mkdtemp()
        self.bin = os.path.join(self.root, "tools")
        for name in ("etc", "run", "root", "cwd", "tools", "seed"):
            os.mkdir(os.path.join(self.root, name))
        # The shell of the guest's scripts has its commands built in.
        os.symlink(busybox, os.path.join(self.bin, "sh"))
        self.env = {"OM_ROOT": self.root, "PATH": self.bin, "HOME": "/nonexistent"}

    def close(self):
        shutil.rmtree(self.root)

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def sh(self, *args):
        return subprocess.run([os.path.join(self.bin, "sh"), os.path.join(GUEST, "seed.sh"), *args],
                              cwd=self.path("cwd"), env=self.env, timeout=60, capture_output=True,
                              check=False)

    def apply(self, user, meta=b"{}"):
        if not isinstance(user, bytes):
            user = b"#cloud-config\n" + json.dumps(user).encode()
        with open(self.path("seed/user-data"), "wb") as f:
            f.write(user)
        with open(self.path("seed/meta-data"), "wb") as f:
            f.write(meta)
        return self.sh("apply", self.path("seed"))

    def read(self, name):
        try:
            with open(self.path(name), "rb") as f:
                return f.read()
        except OSError:
            return None

    def tree(self):
        found = set()
        for folder, names, files in os.walk(self.root):
            found |= {os.path.relpath(os.path.join(folder, n), self.root) for n in names + files}
        return found


def check(what, condition, detail=""):
    if not condition:
        sys.exit(f"hostile_seed.py: {what} {detail}")


def contents_come_out_as_they_went_in(busybox):
    guest = Guest(busybox)
    files = [{"path": f"/out/{i}", "content": text} for i, text in enumerate(NASTY)]
    before = guest.tree()
    # Two halves: a seed has a size it may not pass.
    for half in files[::2], files[1::2]:
        run = guest.apply({"write_files": half})
        check("contents", run.returncode == 0 and not run.stderr, run.stderr[-300:])
        for f in half:
            check("content", guest.read(f["path"]) == f["content"].encode(), repr(f)[:200])
    allowed = ("out", "run/seed", "seed/", "root/.ssh")
    new = {n for n in guest.tree() - before if not n.startswith(allowed)}
    check("no file but those", not new - {"etc/hosts", "etc/hostname"}, str(new))
    guest.close()


def names_stay_in_their_place(busybox):
    # It is in several places of one seed, which has a size it may not pass.
    for text in (t[:5000] for t in NASTY):
        guest = Guest(busybox)
        before = guest.tree()
        seed = {"hostname": text, text: "x", "ssh_authorized_keys": [text, KEY + " good"],
                "users": [{"name": text, "ssh_authorized_keys": [text]}, text],
                "write_files": [{"path": text, "content": "x", "permissions": text,
                                 "encoding": text},
                                {"path": "/out/good", "content": "good", "permissions": text}],
                "ssh_keys": {"ed25519_private": text}, "runcmd": []}
        run = guest.apply(seed, json.dumps({"local-hostname": text, text: text}).encode())
        check("names", run.returncode == 0, f"{text[:50]!r} {run.stderr[-300:]}")
        check("the good file", guest.read("out/good") == b"good", repr(text[:50]))
        keys = (guest.read("root/.ssh/authorized_keys") or b"").split(b"\n")
        check("only the good key", keys == [f"{KEY} good".encode(), b""], f"{text[:50]!r} {keys}")
        name = guest.read("etc/hostname")
        check("the name of the host", name is None or name == text.encode() + b"\n" and
              all(c.isalnum() or c in "-." for c in text), repr(name))
        allowed = ("out", "run", "seed/", "root/.ssh", "etc/hosts", "etc/hostname", "etc/dropbear")
        new = {n for n in guest.tree() - before if not n.startswith(allowed)}
        # A path that begins with / is a path, below this root; the file it names is wanted.
        if text.startswith("/"):
            new.discard(text.strip("/"))
        check("no file but those", not new, f"{text[:50]!r}: {new}")
        check("none below the seed's", not [n for n in guest.tree() if "PWNED" in n], text[:50])
        guest.close()


def keys_of_two_lines_are_left_out(busybox):
    guest = Guest(busybox)
    two = f"{KEY} a\n{KEY} b"
    guest.apply({"ssh_authorized_keys": [two, KEY + " c", f"{KEY} d\n", "command=\"x\" " + KEY]})
    lines = guest.read("root/.ssh/authorized_keys").decode().splitlines()
    check("keys", lines == [KEY + " c", KEY + " d"], str(lines))
    guest.close()


def arguments_are_arguments(busybox):
    guest = Guest(busybox)
    # printf of the shell itself: each argument in brackets, none split, none run.
    texts = [t for t in NASTY if len(t) < 1000]
    guest.apply({"runcmd": [["printf", "[%s]"] + texts, "echo from a string; exit 3", [],
                            ["false"]]})
    run = guest.sh("run")
    want = "".join(f"[{t}]" for t in texts).encode() + b"from a string\n"
    check("arguments", run.stdout == want, repr(run.stdout[-200:]))
    check("failures are told", b"command 1 of runcmd: exit 3" in run.stderr and
          b"command 3 of runcmd: exit 1" in run.stderr, repr(run.stderr))
    check("no file", not [n for n in guest.tree() if "PWNED" in n])
    guest.close()


def encodings_and_modes(busybox):
    guest = Guest(busybox)
    data = bytes(range(256)) * 40
    b64 = base64.b64encode(data).decode()
    packed = base64.b64encode(gzip.compress(data)).decode()
    guest.apply({"write_files": [
        {"path": "/a", "content": b64, "encoding": "b64", "permissions": "0600"},
        {"path": "/b", "content": packed, "encoding": "gz+b64", "permissions": "755"},
        {"path": "/c", "content": "one\n"}, {"path": "/c", "content": "two", "append": True},
        {"path": "/deep/er/d"}, {"path": "relative", "content": "x"}, {"path": "/e/"}]})
    check("b64", guest.read("a") == data and os.stat(guest.path("a")).st_mode & 0o777 == 0o600)
    check("gz+b64", guest.read("b") == data and os.stat(guest.path("b")).st_mode & 0o777 == 0o755)
    check("append", guest.read("c") == b"one\ntwo")
    check("empty", guest.read("deep/er/d") == b"")
    check("relative", not [n for n in guest.tree() if n.endswith("relative")])
    guest.close()


def texts_that_are_not_json_are_left_out(busybox):
    good = json.dumps({"hostname": "good"}).encode()
    bad = [
        b"", b"#cloud-config", b"#cloud-config\n", b"hostname: good\n", b"{", b"}", b"[", good[:-1],
        good + b"}", good + good, b'{"hostname": "good",}', b'{"hostname" "good"}',
        b'{hostname: "good"}', b'{"hostname": good}', b"{'hostname': 'good'}",
        b'{"hostname": "good"', b'{"hostname": "good', b'{"hostname": "go\nod"}',
        b'{"hostname": "go\x01od"}', b'{"hostname": "good\\"}', b'{"hostname": "good", "x": "\\q"}',
        b'{"hostname": "good", "x": "\\u12"}', b'{"hostname": "good", "x": "\\u0000"}',
        b'{"hostname": "good", "x": "\\ud800"}', b'{"hostname": "good", "x": "\\ud800\\u0041"}',
        b'{"hostname": "good", "x": "\\udc00"}', b'{"hostname": "good", "x": [1,]}',
        b'{"hostname": "good", "x": [1}', b'{"hostname": "good", "x": {1}}',
        b'{"hostname": "good", "x": ' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"hostname": "good", "x": ' + b"[" * 100000, b'{"hostname": "good"}\0',
        b'{"hostname": "go\0od"}', b'{"hostname": "good", "x": "' + b"x" * 262144 + b'"}',
        b'{"hostname": "good", "x": [' + b"1," * 3000 + b"1]}", b'"hostname"',
        b'{"hostname": "good"} x', b'{"hostname": "good", "x": system("touch PWNED")}',
        b'{"hostname": "good", "x": ' + b" " * 5000 + b"1 " * 2000 + b"}", os.urandom(4096),
        b'"' * 100001, b"\\" * 1000,
    ]
    for text in bad:
        guest = Guest(busybox)
        run = guest.apply(text)
        check("a bad text", run.returncode == 0 and run.stderr, repr(text[:60]))
        check("nothing of a bad text", guest.read("etc/hostname") is None, repr(text[:60]))
        run = guest.apply(good)
        check("a good text", guest.read("etc/hostname") == b"good\n" and not run.stderr,
              repr(run.stderr))
        check("no file", not [n for n in guest.tree() if "PWNED" in n])
        guest.close()
    return len(bad)


def main():
    busybox = os.path.abspath(sys.argv[1])
    contents_come_out_as_they_went_in(busybox)
    names_stay_in_their_place(busybox)
    keys_of_two_lines_are_left_out(busybox)
    arguments_are_arguments(busybox)
    encodings_and_modes(busybox)
    bad = texts_that_are_not_json_are_left_out(busybox)
    print(f"hostile seeds: {len(NASTY)} values and {bad} texts: none got out")


if __name__ == "__main__":
    main()
