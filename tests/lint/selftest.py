#!/usr/bin/env python3
"""Shows that each check can fail: plants one violation at a time in a scratch tree, wants it
found at its line, and wants the same check silent on the tree without it."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import api  # noqa: E402
import lint  # noqa: E402
from source import Skip, Tree  # noqa: E402

HEADER = """/*
 * box.h - a box
 *
 * What:  a box.
 * Keeps: box_opens; box_closes;
 *        reconnect, test_box; floors.
 *
 * Source: none.
 */
#ifndef OMERTA_BOX_H
#define OMERTA_BOX_H

#include <stddef.h>

struct om_box {
    int (*open)(struct om_box *b);
};

/**
 * om_box_fill() - put bytes in
 * @b:  the box
 * @p:  bytes
 * @n:  how many
 *
 * Return: bytes that fitted.
 */
__attribute__((warn_unused_result)) size_t om_box_fill(struct om_box *b, const char p[static 1],
                                                       size_t n);

/** om_box_free() - release @b. */
void om_box_free(struct om_box *b);

/** om_box_drop() - as om_box_free(), but louder. */
void om_box_drop(struct om_box *b);

static inline int om_box_open(struct om_box *b)
{
    return b->open(b);
}

#endif
"""
SOURCE = """/* box.c - "a box", it's { unbalanced on purpose. */
#include <omerta/box.h>

#include <string.h>

#include "private.h"

#ifdef ONE
static void half(void)
{
    if (1) {
#else
static void half(void)
{
    {
#endif
    }
}

size_t om_box_fill(struct om_box *b, const char p[static 1], size_t n)
{
    half();
    return b && p[0] == '{' ? n : strlen("}{{ sprintf(");
}
"""
TEST = """/* test_box.c - the box. */
#include "harness.h"

OM_TEST(box_opens)
{
}

OM_TEST(box_closes)
{
}
"""
PRIVATE = "/* private.h - nothing yet. */\n"
CLEAN = {
    "CMakeLists.txt": "",
    "README.md": "The box.\n",
    "mesh/include/omerta/box.h": HEADER,
    "mesh/base/box.c": SOURCE,
    "mesh/base/private.h": PRIVATE,
    "mesh/core/peer/peer.h": "/* peer.h - a peer. */\n#include <omerta/box.h>\n",
    "mesh/core/peer/peer.c": '/* peer.c - a peer. */\n#include "peer/peer.h"\n',
    "mesh/core/crypto/cipher.c": "/* cipher.c - AES. */\n#include <openssl/evp.h>\n",
    "mesh/include/omerta/peer.h": "/* peer.h - the public face. */\n",
    "meshd/ipc/frame.h": "/* frame.h - a frame. */\n",
    "tunnel/core/auth.c": "/* auth.c - compares. */\n#include <sodium.h>\n",
    "cli/main.c": '/* main.c - the CLI. */\n#include "ipc/frame.h"\n',
    "tests/unit/harness.h": "/* harness.h - names. */\n#define OM_TEST(n) static void n(void)\n",
    "tests/unit/test_box.c": TEST,
    "tests/sim/scenarios/reconnect.scn": "seed 7\n",
    "tests/system/test_box.py": "def test_box():\n    pass\n",
    "tests/sim/main.c": "/* main.c - cost. */\nint x = clock_gettime(a, b);\n",
    "tests/run.sh": '#!/bin/sh\necho "$1"\n',
    "tests/packages.txt": "# Packages.\ndemo curl  # pages\nall  nftables\nall  libmnl-dev\n",
    "plans/api.md": api.HEAD + """
## <omerta/box.h>: a box

* `size_t om_box_fill(struct om_box *b, const char p[static 1], size_t n)`
  put bytes in
* `void om_box_free(struct om_box *b)`
  release `b`
* `void om_box_drop(struct om_box *b)`
  as om_box_free(), but louder
""",
    "plans/threat-model.md": "It is: `system/test_box::test_box`, `vm/away`, `sim/reconnect`.\n",
    "demos/CMakeLists.txt": "foreach(one away)\nadd_test(NAME vm/${one} COMMAND x)\nendforeach()\n",
    "demos/demo.sh": "#!/bin/sh\ncommand -v curl\n",
    ".ci/run": "#!/bin/sh\nexec tests/run.sh\n",
    ".clang-tidy": "Checks: |\n  bugprone-*,\n  -bugprone-x,  # we mean it\n",
}


def long_function(lines):
    return "int f(void)\n{\n" + "    f();\n" * (lines - 3) + "}\n"


SPLIT = "TO" + "DO", "SP" + "DX-License-Identifier: MIT"
BLOCK_END = " * Return: bytes that fitted.\n"
THREATS, SEEDS = "plans/threat-model.md", "tests/seeds.md"
BASE, CORE = "mesh/base/box.c", "mesh/core/peer/peer.c"
BOX, TEST_BOX = "mesh/include/omerta/box.h", "tests/unit/test_box.c"


def add(text):
    return lambda old: old + text


def swap(old, new):
    return lambda text: text.replace(old, new, 1)


# (check, file, change, line or None for any, words of the finding)
PLANTS = [
    ("floors", BASE, add("#include <omerta/peer.h>\n"), 25, "mesh/base includes <omerta/peer.h>"),
    ("floors", BASE, add('#include "peer/peer.h"\n'), 25, "private to mesh/core"),
    ("floors", BASE, add("#include <sys/socket.h>\n"), 25, "does no I/O"),
    ("floors", BASE, add("#include <unistd.h>\n"), 25, "does no I/O"),
    ("floors", BASE, add("#include <time.h>\n"), 25, "does no I/O"),
    ("floors", CORE, add("#include <openssl/evp.h>\n"), 3, "of libcrypto"),
    ("floors", CORE, add("#include <jansson.h>\n"), 3, "of jansson"),
    ("floors", CORE, add("#include <uv.h>\n"), 3, "of libuv"),
    ("floors", CORE, add('#include "nowhere.h"\n'), 3, "no such header"),
    ("floors", "netstack/ip.c", add("#include <omerta/peer.h>\n"), 1, "netstack includes"),
    ("floors", "vm/host/disk.c", add("#include <omerta/peer.h>\n"), 1, "vm/host includes"),
    ("floors", "tunnel/core/a.c", add("#include <uv.h>\n"), 1, "of libuv"),
    ("floors", "tunnel/core/auth.c", add("#include <sys/socket.h>\n"), 3, "does no I/O"),
    ("floors", "cli/main.c", add("#include <omerta/peer.h>\n"), 3, "cli includes"),
    ("floors", "meshd/ipc/a.c", add("#include <omerta/peer.h>\n"), 1, "meshd/ipc includes"),
    ("floors", BOX, add("#include <omerta/peer.h>\n"), 42, "mesh/base includes"),
    ("floors", "mesh/include/omerta/lost.h", add("\n"), 1, "no floor owns"),
    ("floors", "mesh/a.c", add("\n"), 1, "lies on no floor"),
    ("sizes", BASE, add("\n" * 600), 1, "lines: want at most 600"),
    ("sizes", "tests/a.py", add("\n" * 601), 1, "601 lines"),
    ("sizes", BASE, add(long_function(71)), 25, "f: 71 lines"),
    ("sizes", TEST_BOX, add("OM_TEST(big)\n{\n" + "\n" * 68 + "}\n"), 11, "big): 71 lines"),
    ("banned", "cli/main.c", add("int x = sprintf(a, b);\n"), 3, "sprintf()"),
    ("banned", BASE, add("int x = rand();\n"), 25, "rand()"),
    ("banned", CORE, add("int x = crypto_kx_keypair(a, b);\n"), 3, "crypto_kx_keypair()"),
    ("banned", "vm/core/a.c", add("int x = time (0);\n"), 1, "time()"),
    ("banned", TEST_BOX, add("int x = usleep(1);\n"), 11, "usleep()"),
    ("banned", "tests/sim/main.c", add("int x = time(0);\n"), 3, "time()"),
    ("banned", "cli/main.c", add(f"/* {SPLIT[0]} later */\n"), 3, SPLIT[0]),
    ("banned", "tests/run.sh", add(f"# {SPLIT[1]}\n"), 3, SPLIT[1][:4]),
    ("headers", "mesh/base/private.h", add("extern size_t a;\n"), 1, "does not compile"),
    ("headers", "mesh/base/private.h", add("struct twice {\n    int a;\n};\n"), 1, "redefinition"),
    ("docs", BOX, swap(" * @n:  how many\n", ""), None, "no @n: line"),
    ("docs", BOX, swap("@n:  how", "@m:  how"), None, "@m: is not an argument"),
    ("docs", BOX, swap(BLOCK_END, ""), None, "no Return:"),
    ("docs", BOX, swap("as om_box_free(), but", "is much"), 34, "@b is not in its line"),
    ("docs", BOX, swap("release @b", "release it"), 31, "@b is not in its line"),
    ("docs", BOX, swap("om_box_free() -", "om_box_fre() -"), 31, "does not start with"),
    ("docs", BOX, swap("/** om_box_free() - release @b. */\n", ""), 30, "not documented"),
    ("docs", BOX, swap("    return b->", "\n" * 6 + "    return b->"), 36, "no comment above"),
    ("docs", BOX, swap("struct om_box *b);\n\nst", "struct om_box *);\n\nst"), 34, "without a"),
    ("keeps", BOX, swap("box_opens;", "box_vanishes;"), 5, "box_vanishes: want a test"),
    ("keeps", BOX, swap("reconnect,", "no_scenario,"), 6, "no_scenario: want a test"),
    ("keeps", BOX, swap("reconnect,", "no byte is lost,"), 6, "want names of tests only"),
    ("keeps", TEST_BOX, swap("OM_TEST(box_closes)", "/* OM_TEST(box_closes) */"), 5, "box_cl"),
    ("format", CORE, add("int   x;\n"), 3, "clang-format"),
    ("format", CORE, add("/*" + " " * 97 + "*/\n"), 3, "101 columns"),
    ("shellcheck", "tests/run.sh", add("cat $1\n"), 3, "SC2086"),
    ("shellcheck", ".ci/run", add("cat $1\n"), 3, "SC2"),
    ("reasons", ".clang-tidy", add("  -misc-y,\n"), 4, "want a # reason"),
    ("packages", "tests/packages.txt", swap("all  nft", "some nft"), 3, "want one of demo"),
    ("packages", "tests/packages.txt", add("all  curl\n"), 5, "there already"),
    ("packages", "demos/demo.sh", add("command -v nft\n"), 3, 'want nftables as "demo"'),
    ("packages", "demos/demo.sh", add("for tool in curl nft \\\n    dig; do\n"), 3, "bind9-dns"),
    ("packages", "tests/run.sh", add("command -v nobody\n"), 3, "nobody: want its package"),
    ("packages", "tests/system/test_box.py", add('x = shutil.which("dig")\n'), 3, "bind9-dns"),
    ("packages", "tests/system/test_box.py", add("for tool in ('ip',):\n"), 3, "want iproute2"),
    ("packages", "CMakeLists.txt", add("pkg_check_modules(UV REQUIRED IMPORTED_TARGET "
                                       "libuv>=1.44)\n"), 1, "want libuv1-dev"),
    ("named", THREATS, swap("/test_box", "/test_bag"), 1, "test_bag: want a test"),
    ("named", THREATS, swap("::test_box", "::test_bag"), 1, "test_bag: want such a function"),
    ("named", THREATS, swap("vm/away", "vm/here"), 1, "vm/here: want a test"),
    ("named", THREATS, add("`unit/test_box::box_shuts`\n"), 2, "box_shuts: want such"),
    ("named", SEEDS, add("# A (2)\n| `testA` | `sim/reconnect` | |\n"), 1, "1 rows: want 2"),
    ("named", SEEDS, add("# A (2)\n| `vpn up` | none: x |\n"), 1, "1 rows: want 2"),
    ("named", SEEDS, add("# A (1)\n| `vpn up` | none: x |\n"), 1, "1 commands and documents in"),
    ("named", SEEDS, add("# A (1)\n| `testA` | later | |\n"), 2, "testA`: want the name"),
    ("named", SEEDS, add("# A (2)\n| `testA` | none: x |\n| `testA` | none: x |\n"), 1, "twice"),
    ("named", SEEDS, add("# A\n"), 1, "0 cases in all: want 58"),
    ("api", "plans/api.md", swap("release", "give back"), 15, "want '  release `b`'"),
    ("api", "plans/api.md", add("* `void om_box_shut(void)`\n  no\n"), 18, "want ''"),
    ("files", "notes.txt", add("\n"), 1, "not a known name"),
    ("files", "src/a.c", add("\n"), 1, "not a known name"),
]


def write(root, path, text):
    at = root / path
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(text, encoding="utf-8")


def findings(root, name):
    return lint.run(name, Tree(root))


def plant(root, name, path, change, line, words):
    """Why the planted violation was not caught, or None."""
    old = CLEAN.get(path)
    new = change(old or "")
    if new == old:
        return "the plant changes nothing"
    write(root, path, new)
    try:
        found = findings(root, name)
    finally:
        if old is None:
            (root / path).unlink()
        else:
            write(root, path, old)
    # A promise broken by a change of a test is found at the promise.
    hits = [f for f in found if words in f[2] and (f[0] == path or name == "keeps")]
    if not hits:
        return f"not caught; found {found}"
    if line is not None and line not in [f[1] for f in hits]:
        return f"caught at line {hits[0][1]}, not {line}"
    return None


def tidy(root):
    """Why tidy.sh does not tell a careless file from a careful one, or None."""
    write(root, "tests/lint/tidy.sh", lint.ROOT.joinpath("tests/lint/tidy.sh").read_text())
    shutil.copy(lint.ROOT / ".clang-tidy", root)
    for body, code in (("x", 0), ("x);\n    if (x", 1)):
        text = f"int f(int x)\n{{\n\n    if ({body})\n        return 1;\n    return 0;\n}}\n"
        write(root, "cli/tidy.c", text)
        unit = {"directory": str(root), "command": "cc -c cli/tidy.c",
                "file": str(root / "cli/tidy.c")}
        write(root, "build/compile_commands.json", json.dumps([unit]))
        run = subprocess.run(["bash", str(root / "tests/lint/tidy.sh"), str(root / "build")],
                             capture_output=True, text=True)
        if run.returncode != code or (code and "cli/tidy.c:4" not in run.stdout):
            return f"tidy.sh exits {run.returncode}, wanted {code}: {run.stdout}"
    return None


def main():
    failed, skipped = 0, set()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in CLEAN.items():
            write(root, path, text)
        shutil.copy(lint.ROOT / ".clang-format", root)
        for name in lint.NAMES:
            try:
                found = findings(root, name)
            except Skip as reason:
                print(f"skip {name}: {reason}")
                skipped.add(name)
                continue
            for finding in found:
                print(f"not ok {name}: finding on the clean tree: {finding}")
                failed += 1
        for number, (name, path, change, line, words) in enumerate(PLANTS, 1):
            if name in skipped:
                continue
            wrong = plant(root, name, path, change, line, words)
            if wrong:
                print(f"not ok plant {number}, {name} in {path}: {wrong}")
                failed += 1
        wrong = tidy(root) if shutil.which("clang-tidy") else None
        if wrong:
            print(f"not ok {wrong}")
            failed += 1
    missing = set(lint.NAMES) - {p[0] for p in PLANTS}
    for name in missing:
        print(f"not ok {name}: has no planted violation")
    print(f"{len(PLANTS)} planted, {failed} not as wanted")
    sys.exit(1 if failed or missing else 0)


if __name__ == "__main__":
    main()
