#!/usr/bin/python3
"""add.py - takes a disk image, as clouds run them, among the images that machines are made of

  add.py IMAGES NAME --disk FILE [--kernel FILE --initrd FILE --cmdline TEXT] [--sha256 HEX]
                     [--agent none|omerta] [--languages sh,python] [--user NAME] [--memory MIB]

FILE is qcow2 or raw; its guest reads a NoCloud seed with cloud-init. It boots by itself, or with
the kernel that is given. --sha256 is what FILE must have. --agent omerta: the seed installs our
agent in the guest, which runs jobs in the languages named; none: no jobs.

IMAGES/NAME appears whole or not at all. A qcow2 that leans on another file is refused: on a
provider's machine that could be any file of its own.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK = 1 << 20
MIB = 1 << 20
SECTOR = 512
NAME = re.compile(r"[a-z0-9_][a-z0-9._-]{0,31}\Z")
WORD = re.compile(r"[a-z][a-z0-9_-]{0,22}\Z")
# QEMU, docs/interop/qcow2.rst: the fields of the header and the bits of its features.
QCOW2 = b"QFI\xfb"
EXTERNAL_DATA = 1 << 2
# What is no disk as it is, and what to do first.
OTHERS = ((0, b"KDMV", "is a VMDK"), (0, b"vhdxfile", "is a VHDX"), (0, b"conectix", "is a VHD"),
          (0x40, b"\x7f\x10\xda\xbe", "is a VDI"), (0, b"\x1f\x8b", "is packed by gzip"),
          (0, b"\xfd7zXZ", "is packed by xz"), (0, b"PK\x03\x04", "is packed by zip"),
          (0, b"\x28\xb5\x2f\xfd", "is packed by zstd"), (0, b"BZh", "is packed by bzip2"))
# Of image.h.
TEXT_MAX = 255
DISK_MAX_MIB = 1 << 24


def die(text):
    sys.exit(f"image add: {text}")


def read_head(path):
    try:
        if not os.path.isfile(path):
            die(f"{path} is no file")
        with open(path, "rb") as f:
            return f.read(4096)
    except OSError as e:
        return die(f"{path}: {e.strerror}")


def look(path, has_kernel):
    """Its name in the image and the bytes its guest sees."""
    head = read_head(path)
    for at, magic, what in OTHERS:
        if head[at:at + len(magic)] == magic:
            die(f"{path} {what}: want qcow2 or raw (qemu-img convert, or unpack it)")
    if not head.startswith(QCOW2):
        size = os.path.getsize(path)
        if size == 0 or size % SECTOR:
            die(f"{path} is no disk: {size} bytes are no whole number of sectors")
        if not has_kernel and head[510:512] != b"\x55\xaa":
            die(f"{path} has no boot record: give the kernel too")
        return "disk.raw", size
    if len(head) < 104:
        die(f"{path} is cut short")
    version, backing = struct.unpack_from(">IQ", head, 4)
    size, crypt = struct.unpack_from(">QI", head, 24)
    features = struct.unpack_from(">Q", head, 72)[0] if version >= 3 else 0
    if version not in (2, 3):
        die(f"{path} is a qcow2 of version {version}: want 2 or 3")
    if backing or features & EXTERNAL_DATA:
        die(f"{path} leans on another file: make it whole (qemu-img convert -O qcow2)")
    if crypt:
        die(f"{path} is encrypted")
    return "disk.qcow2", size


def copy(source, target, want=None):
    """Its hash. What is zero takes no room."""
    said = hashlib.sha256()
    with open(source, "rb") as f, open(target, "xb") as out:
        while chunk := f.read(CHUNK):
            said.update(chunk)
            if chunk.count(0) == len(chunk):
                out.seek(len(chunk), os.SEEK_CUR)
            else:
                out.write(chunk)
        out.truncate()
        os.fsync(out.fileno())
    if want and said.hexdigest() != want.lower():
        die(f"{source} is not the file that was meant: its SHA-256 is {said.hexdigest()}")
    return said.hexdigest()


def parse(argv):
    p = argparse.ArgumentParser(prog="image add", allow_abbrev=False)
    p.add_argument("images")
    p.add_argument("name")
    p.add_argument("--disk", required=True)
    p.add_argument("--kernel")
    p.add_argument("--initrd")
    p.add_argument("--cmdline")
    p.add_argument("--sha256")
    p.add_argument("--agent", default="none")
    p.add_argument("--languages", default="sh")
    p.add_argument("--user", default="root")
    p.add_argument("--memory", type=int, default=256)
    a = p.parse_args(argv)
    if not NAME.match(a.name):
        die(f"{a.name!r}: want up to 32 of a to z, 0 to 9, . _ - as its name")
    if a.name in ("mini", "python"):
        die(f"{a.name} is a built-in image: give this one another name")
    if a.sha256 and not re.match(r"[0-9a-fA-F]{64}\Z", a.sha256):
        die("--sha256: want 64 hexadecimal digits")
    if a.agent not in ("none", "omerta"):
        die("--agent: want none or omerta")
    if not WORD.match(a.user) or not all(WORD.match(w) for w in a.languages.split(",")):
        die("--user, --languages: want small letters, digits, _ and -")
    if (a.initrd or a.cmdline) and not a.kernel:
        die("--initrd and --cmdline go with a kernel")
    if a.cmdline and (len(a.cmdline) > TEXT_MAX or not a.cmdline.isprintable()):
        die(f"--cmdline: want one line of at most {TEXT_MAX} bytes")
    if a.kernel and not a.initrd:
        die("--kernel goes with an initrd")
    return a


def put_agent(target):
    """Its hash."""
    done = subprocess.run([os.path.join(HERE, "agent.sh"), target], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        die(done.stderr.strip() or "there is no agent")
    with open(target, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def fill(folder, a):
    disk, size = look(a.disk, a.kernel)
    minimum = -(-size // MIB)
    if minimum > DISK_MAX_MIB:
        die(f"{a.disk}: a disk of {minimum} MiB")
    files = {disk: copy(a.disk, os.path.join(folder, disk), a.sha256)}
    for name, path in (("vmlinux", a.kernel), ("initrd", a.initrd)):
        if path:
            read_head(path)
            files[name] = copy(path, os.path.join(folder, name))
    has_agent = a.agent == "omerta"
    if has_agent:
        files["agent"] = put_agent(os.path.join(folder, "agent"))
    image = {"name": a.name, "format": 1, "arch": "x86_64", "files": files,
             "cmdline": a.cmdline or "", "memory_min_mib": a.memory, "disk_min_mib": minimum,
             "languages": a.languages.split(",") if has_agent else [],
             "agent": 1 if has_agent else 0, "ssh_user": a.user}
    with open(os.path.join(folder, "image.json"), "x", encoding="utf-8") as f:
        json.dump(image, f, indent=2)
        f.write("\n")


def main(argv):
    a = parse(argv)
    target = os.path.join(a.images, a.name)
    if os.path.lexists(target):
        die(f"there is an image {a.name}: remove that first")
    os.umask(0o077)
    folder = tempfile.mkdtemp(prefix=".new.", dir=a.images)
    try:
        fill(folder, a)
        os.rename(folder, target)
    except OSError as e:
        die(f"{e.filename or a.disk}: {e.strerror}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
