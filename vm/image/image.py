#!/usr/bin/python3
"""image.py - the parts of an image that a shell cannot make

  image.py vmlinux VMLINUZ OUT    the ELF kernel inside a bzImage: QEMU starts it by PVH, sooner
                                  than the bzImage, which unpacks itself inside the guest
  image.py cpio TREE OUT          TREE as an initramfs (newc), the same bytes from the same tree:
                                  sorted, owned by root, all of them of 1970
  image.py needed TREE            fails when a program of TREE wants a library TREE lacks
  image.py describe DIR NAME FORMAT AGENT LANGUAGES RELEASE RECIPE FILES
                                  writes DIR/image.json, last: a folder with it is whole
  image.py verify DIR             fails when a file of DIR is not the one image.json tells of
"""
import gzip
import hashlib
import json
import lzma
import os
import stat
import struct
import subprocess
import sys

# What a payload begins with, and who unpacks it.
LZ4_LEGACY = b"\x02\x21\x4c\x18"
ZSTD = b"\x28\xb5\x2f\xfd"
GZIP = b"\x1f\x8b"
XZ = b"\xfd7zXZ"

# Memory a guest needs to boot with some room for a command, MiB: measured, see tests/vm.
MEMORY_MIN = {"mini": 128, "python": 192}
CMDLINE = "console=ttyS0 quiet panic=-1"

# Modes that are not 0755 for folders and programs, 0644 for files.
MODES = {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777}


def die(text):
    sys.exit(f"image.py: {text}")


def filtered(argv, data):
    """The end of a bzImage's payload is its length: a tool that complains of it has still
    written all there is, so what counts is what came out."""
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False)
    return done.stdout


def unpack(data):
    if data.startswith(LZ4_LEGACY):
        return filtered(["lz4", "-dc"], data)
    if data.startswith(ZSTD):
        return filtered(["zstd", "-dc"], data)
    if data.startswith(GZIP):
        return gzip.decompress(data[:-4])
    if data.startswith(XZ):
        return lzma.LZMADecompressor().decompress(data)
    return die(f"a kernel packed in a way unknown here ({data[:4].hex()})")


def vmlinux(source, target):
    """Offsets: Linux, Documentation/x86/boot.rst."""
    with open(source, "rb") as f:
        image = f.read()
    if len(image) < 0x250 or image[0x202:0x206] != b"HdrS":
        die(f"{source} is no bzImage")
    start = ((image[0x1f1] or 4) + 1) * 512 + struct.unpack_from("<I", image, 0x248)[0]
    length = struct.unpack_from("<I", image, 0x24c)[0]
    kernel = unpack(image[start:start + length])
    # The last four bytes of the payload: how long it is unpacked.
    want = struct.unpack_from("<I", image, start + length - 4)[0]
    if not kernel.startswith(b"\x7fELF") or len(kernel) != want:
        die(f"{source} unpacked to {len(kernel)} bytes, not to an ELF file of {want}")
    with open(target, "wb") as f:
        f.write(kernel)


def paths(tree):
    """All of a tree but its root, names relative to it, sorted: a folder before what is in it."""
    found = []
    for folder, names, files in os.walk(tree):
        found += [os.path.relpath(os.path.join(folder, n), tree) for n in names + files]
    return sorted(found)


def record(out, name, mode, data, ino):
    name = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    out.write(b"070701" + b"".join(b"%08X" % f for f in fields) + name)
    out.write(b"\0" * (-(110 + len(name)) % 4))
    out.write(data + b"\0" * (-len(data) % 4))


def cpio(tree, target):
    with open(target, "wb") as out:
        for ino, name in enumerate(paths(tree), 1):
            full = os.path.join(tree, name)
            mode = os.lstat(full).st_mode
            if stat.S_ISLNK(mode):
                record(out, name, stat.S_IFLNK | 0o777, os.readlink(full).encode(), ino)
            elif stat.S_ISDIR(mode):
                record(out, name, stat.S_IFDIR | MODES.get(name, 0o755), b"", ino)
            elif stat.S_ISREG(mode):
                with open(full, "rb") as f:
                    data = f.read()
                record(out, name, stat.S_IFREG | (0o755 if mode & 0o100 else 0o644), data, ino)
            else:
                die(f"{name} is no file, folder or link")
        record(out, "TRAILER!!!", 0, b"", 0)


def needed_of(path):
    """The DT_NEEDED names of an ELF64 file; none for anything else."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    offset, size, count = struct.unpack_from("<Q14xHH", data, 0x20)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    dynamic = [h for h in headers if h[0] == 2]
    if not dynamic:
        return []
    entries = list(struct.iter_unpack("<qQ", data[dynamic[0][2]:dynamic[0][2] + dynamic[0][5]]))
    strings = next(v for t, v in entries if t == 5)
    base = next(strings - h[3] + h[2] for h in headers
                if h[0] == 1 and h[3] <= strings < h[3] + h[5])
    names = [base + v for t, v in entries if t == 1]
    return [data[n:data.index(b"\0", n)].decode() for n in names]


def needed(tree):
    there = {os.path.basename(n) for n in paths(tree)}
    missing = []
    for name in paths(tree):
        full = os.path.join(tree, name)
        if os.path.isfile(full) and not os.path.islink(full) and not name.endswith(".ko"):
            missing += [f"{name} needs {lib}" for lib in needed_of(full) if lib not in there]
    if missing:
        die("; ".join(missing))


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def describe(folder, *words):
    name, form, agent, languages, release, recipe, files = words
    with open(files, encoding="utf-8") as f:
        # A package's file is NAME_VERSION_ARCH.deb, with the version's colon as %3a.
        parts = [line.strip().removesuffix(".deb").split("_") for line in f]
    image = {
        "name": name,
        "format": int(form),
        "arch": "x86_64",
        "files": {n: sha256(os.path.join(folder, n)) for n in ("vmlinux", "initrd")},
        "kernel": release,
        "cmdline": CMDLINE,
        "memory_min_mib": MEMORY_MIN[name],
        "languages": languages.split(","),
        "agent": int(agent),
        "ssh_user": "root",
        "packages": {p[0]: p[1].replace("%3a", ":") for p in sorted(parts)},
        "recipe": recipe,
    }
    with open(os.path.join(folder, "image.json"), "w", encoding="utf-8") as f:
        json.dump(image, f, indent=2)
        f.write("\n")


def verify(folder):
    try:
        with open(os.path.join(folder, "image.json"), encoding="utf-8") as f:
            files = json.load(f)["files"]
        wrong = [n for n, want in files.items() if sha256(os.path.join(folder, n)) != want]
    except OSError as e:
        die(f"{folder}: {e}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        die(f"{folder}: image.json is not one that was made: {e}")
    if wrong:
        die(f"{folder}: changed since it was made: {', '.join(wrong)}")


def main(argv):
    commands = {"vmlinux": (vmlinux, 2), "cpio": (cpio, 2), "needed": (needed, 1),
                "describe": (describe, 8), "verify": (verify, 1)}
    if len(argv) < 2 or argv[1] not in commands or len(argv) - 2 != commands[argv[1]][1]:
        sys.exit(__doc__)
    commands[argv[1]][0](*argv[2:])


if __name__ == "__main__":
    main(sys.argv)
