"""floors: who may include whom.

A file includes its own folder and the public headers of the folders its floor rests on; libraries
are dealt out the same way, so that what a folder links is what its floor needs. The floors without
I/O get a list of the system headers they may use; whatever is not on it they may not.
"""

import re
from pathlib import PurePosixPath

# folder: (folders whose public headers it may include, libraries)
FLOORS = {
    "mesh/base": ([], ["libsodium"]),
    "mesh/core": (["mesh/base"], ["libsodium"]),
    "netstack": (["mesh/base"], []),
    "vm/core": (["mesh/base"], ["jansson"]),
    "vm/guest": (["mesh/base"], []),  # a program of its own, in guests
    "mesh/host": (
        ["mesh/base", "mesh/core"],
        ["libsodium", "libuv", "miniupnpc", "natpmp", "sqlite", "libmnl"],
    ),
    "tunnel/core": (["mesh/base", "mesh/core", "netstack"], ["libsodium"]),
    "tunnel/host": (
        ["mesh/base", "mesh/core", "netstack", "tunnel/core"],
        ["libuv", "c-ares", "libmnl"],
    ),
    "vm/host": (
        ["mesh/base", "vm/core"],
        ["libsodium", "libuv", "jansson", "sqlite", "libarchive"],
    ),
    "meshd/ipc": (["mesh/base"], ["jansson"]),
    "meshd": (None, None),  # wires everything
    "cli": (
        ["mesh/base", "meshd/ipc"],
        ["jansson", "libsmartcols", "libqrencode", "libsodium"],
    ),
    "demos": (["mesh/base", "meshd/ipc"], ["jansson", "libsmartcols", "libqrencode"]),
    "tests": (None, None),  # may look into everything
}

# Libraries that a part of a folder may use beyond its floor.
ALSO = {
    "mesh/core/service/": ["jansson"],
    "mesh/core/message/": ["jansson"],
    "mesh/core/crypto/cipher.c": ["libcrypto"],
    "netstack/lwip/": ["lwip"],
    "netstack/stack/": ["lwip"],
}

# Public headers without a NAME.c, or with one in several folders.
HEADER_ONLY = {
    "mesh/base": "attr bytes list rng time wire",
    "mesh/core": "act call close drop gossip info ip limits member node rotate sealed service "
    "via where",
}

# Folders that lend their private headers: the owner's include root, seen from the borrower.
LENT = {
    "tunnel/core": ["netstack"],
    "tunnel/host": ["mesh/host", "netstack"],
    "vm/guest": ["vm/core"],  # base64
    "vm/host": ["vm/core"],
    "meshd": ["meshd/ipc", "mesh/host", "tunnel/host", "netstack", "vm/core", "vm/host"],
    "cli": ["meshd/ipc"],
    "demos": ["meshd/ipc", "cli"],
}

# The floors without sockets, clock, files, threads and global randomness.
PURE = ["mesh/base", "mesh/core", "netstack", "tunnel/core", "vm/core"]
PURE_SYSTEM = set(
    "assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdalign.h stdarg.h stdbool.h"
    " stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h".split()
)
PURE_ALSO = {
    "mesh/base/err.c": {"unistd.h"},  # the last line of a bug goes to standard error
    "mesh/base/addr.c": {"arpa/inet.h", "netinet/in.h", "sys/socket.h"},  # address text is libc's
    "mesh/core/crypto/cipher.c": {"sys/auxv.h"},  # what this processor can do never changes
}

LIBRARIES = [
    (r"sodium(\.h|/)", "libsodium"),
    (r"openssl/", "libcrypto"),
    (r"jansson", "jansson"),
    (r"uv(\.h|/)", "libuv"),
    (r"(lwip|netif|arch)/", "lwip"),
    (r"miniupnpc/", "miniupnpc"),
    (r"natpmp", "natpmp"),
    (r"sqlite3", "sqlite"),
    (r"libmnl/", "libmnl"),
    (r"ares", "c-ares"),
    (r"archive(_entry)?\.h", "libarchive"),
    (r"microhttpd", "libmicrohttpd"),
    (r"qrencode", "libqrencode"),
    (r"libsmartcols/", "libsmartcols"),
    (r"seccomp\.h", "libseccomp"),
    (r"cap-ng\.h", "libcap-ng"),
    (r"opendht", "libopendht"),
    (r"cmocka", "cmocka"),
]


def library_of(name):
    return next((library for pattern, library in LIBRARIES if re.match(pattern, name)), None)


def folder_of(path):
    """The floor folder a file that is no public header lies in, or None."""
    inside = [f for f in FLOORS if path.startswith(f + "/")]
    return max(inside, key=len, default=None)


class Owners:
    """Which floor folder each public header <omerta/NAME.h> belongs to."""

    def __init__(self, tree):
        self.path, self.folder, self.doubts = {}, {}, []
        named = {}
        for path in tree.select(".c"):
            if not path.startswith("tests/"):
                named.setdefault(PurePosixPath(path).stem, set()).add(folder_of(path))
        for path in tree.select(".h"):
            parts = PurePosixPath(path).parts
            if parts[-3:-1] != ("include", "omerta"):
                continue
            name, top = parts[-1], "/".join(parts[:-3])
            owner = self._owner(PurePosixPath(name).stem, top, named)
            if owner is None:
                wanted = f"want one {name[:-2]}.c in {top}/, or a word in HEADER_ONLY of floors.py"
                self.doubts.append((path, 1, f"no floor owns <omerta/{name}>: {wanted}"))
            self.path["omerta/" + name], self.folder["omerta/" + name] = path, owner

    @staticmethod
    def _owner(stem, top, named):
        for folder, names in HEADER_ONLY.items():
            if folder.startswith(top) and stem in names.split():
                return folder
        below = [f for f in FLOORS if f == top or f.startswith(top + "/")]
        found = [f for f in below if f in named.get(stem, ())] or below
        return found[0] if len(found) == 1 else None


def check(tree):
    owners = Owners(tree)
    findings = list(owners.doubts)
    home = {path: owners.folder[name] for name, path in owners.path.items()}
    for path in tree.select(".c", ".h"):
        folder = home.get(path) or folder_of(path)
        if folder is None:
            if path not in home:
                findings.append((path, 1, "lies on no floor: want one of " + ", ".join(FLOORS)))
            continue
        for line, name, angled in tree.source(path).includes():
            wrong = judge(tree, owners, path, folder, name, angled)
            if wrong:
                findings.append((path, line, wrong))
    return findings


def judge(tree, owners, path, folder, name, angled):
    folders, libraries = FLOORS[folder]
    shown = f"<{name}>" if angled else f'"{name}"'
    if name.startswith("omerta/"):
        if name not in owners.path:
            return f"{shown}: no such public header"
        owner = owners.folder[name]
        if folders is None or owner is None or owner == folder or owner in folders:
            return None
        return f"{folder} includes {shown} of {owner}: want {', '.join([folder] + folders)}"
    if not angled:
        at = resolve(tree, path, folder, name)
        if at:
            there = folder_of(at)
            if folders is None or there == folder or there in LENT.get(folder, ()):
                return None
            return f"{folder} includes {shown}, private to {there}: want <omerta/...> headers"
    library = library_of(name)
    if library:
        also = [lib for part, libs in ALSO.items() if path.startswith(part) for lib in libs]
        if libraries is None or library in libraries + also:
            return None
        wanted = ", ".join(libraries + also) or "no library"
        return f"{folder} includes {shown} of {library}: want {wanted}"
    if not angled:
        return f"{shown}: no such header in {folder}"
    if folder in PURE and name not in PURE_SYSTEM | PURE_ALSO.get(path, set()):
        wanted = " ".join(sorted(PURE_SYSTEM))
        return f"{folder} does no I/O and includes {shown}: want only {wanted}"
    return None


def resolve(tree, path, folder, name):
    """Where a quoted include leads: beside the file, or from an include root; None if nowhere."""
    known = set(tree.paths)
    roots = [str(PurePosixPath(path).parent), folder]
    roots += list(LENT.get(folder, ()))
    roots += [str(PurePosixPath(lent).parent) for lent in LENT.get(folder, ())]
    roots += list(FLOORS) + ["mesh", "tests/unit", "tests/sim", "demos/health-runner", "."]
    for root in roots:
        at = tidy(f"{root}/{name}")
        if at in known:
            return at
    return None


def tidy(path):
    parts = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
