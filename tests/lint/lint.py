#!/usr/bin/env python3
"""Runs one check, or all: lint.py [--root DIR] [--cc CC] [-I DIR]... NAME...

Prints "file:line: what is wrong: what was wanted". Exits 0 when clean, 1 with findings, 77 when
the machine lacks a tool. plans/tests.md says why each rule exists.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import api  # noqa: E402
import banned  # noqa: E402
import docs  # noqa: E402
import floors  # noqa: E402
import headers  # noqa: E402
import keeps  # noqa: E402
import named  # noqa: E402
import packages  # noqa: E402
import sizes  # noqa: E402
import style  # noqa: E402
from source import Skip, Tree  # noqa: E402

NAMES = ("floors sizes banned headers docs keeps format shellcheck reasons files packages"
         " named api").split()
ROOT = Path(__file__).resolve().parent.parent.parent


def run(name, tree, cc="cc", extra=()):
    """The findings of one check: a list of (path, line, sentence)."""
    checks = {
        "floors": floors.check,
        "sizes": sizes.check,
        "banned": banned.check,
        "headers": lambda t: headers.check(t, cc, extra),
        "docs": docs.check,
        "keeps": lambda t: keeps.check(t, NAMES),
        "format": style.check_format,
        "shellcheck": style.check_shellcheck,
        "reasons": style.check_reasons,
        "files": style.check_files,
        "packages": packages.check,
        "api": api.check,
        "named": lambda t: named.check(t, NAMES),
    }
    return checks[name](tree)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + " ".join(NAMES))
    parser.add_argument("--root", default=ROOT)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("-I", dest="extra", action="append", default=[], help="library headers")
    args = parser.parse_args()
    unknown = [n for n in args.names if n not in NAMES]
    if unknown:
        parser.error(f"no check {unknown[0]}: want one of {' '.join(NAMES)}")
    tree, count, skipped = Tree(args.root), 0, 0
    for name in args.names or NAMES:
        try:
            found = sorted(set(run(name, tree, args.cc, args.extra)))
        except Skip as reason:
            print(f"{name}: skipped: {reason}")
            skipped += 1
            continue
        for path, line, text in found:
            print(f"{path}:{line}: {text}")
        count += len(found)
    if count:
        sys.exit(1)
    sys.exit(77 if skipped and skipped == len(args.names or NAMES) else 0)


if __name__ == "__main__":
    main()
