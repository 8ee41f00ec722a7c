#!/usr/bin/env python3
"""api: plans/api.md names every function of the library's headers, as they say it.

The page is made of the headers: tests/lint/api.py > plans/api.md.
"""

import re
import sys
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from source import Tree, function_of  # noqa: E402

PAGE, HEADERS = "plans/api.md", "mesh/include/omerta/"
HEAD = """# API reference

What `libomerta-mesh` offers, header by header, in the headers' own words; arguments, units, who
owns what, and errors are there, above each function. [embedding.md](embedding.md) goes through a
program. Programs that talk to a daemon instead need no library: omerta-ipc(7) is its JSON-RPC,
method by method, and omerta-data(7) its streams and channels.

Made by `tests/lint/api.py > plans/api.md`.
"""


def sentence(comment):
    """What a function does, from the comment above it, in one line."""
    text = re.sub(r"^\s*/?\*+/?[ \t]?", "", comment, flags=re.M).removesuffix("*/")
    text = re.split(r"\n\s*(?:\n|@\w+:)", text.strip(), maxsplit=1)[0]
    text = re.sub(r"\s+", " ", text.split(" - ", 1)[1]).strip().removesuffix(".")
    return re.sub(r"@(\w+)", r"`\1`", text).replace("|", r"\|")


def section(tree, path):
    """The lines of one header; none without a documented function in it."""
    source = tree.source(path)
    rows = []
    for statement in source.statements():
        f, above = function_of(statement), source.comment_above(statement.start)
        if f and above and above.startswith("/**") and " - " in above:
            head = source.text[statement.start:].split(";", 1)[0].split("\n{", 1)[0]
            head = re.sub(r"\s+", " ", re.sub(r"__attribute__\(\([^()]*\)\)", "", head)).strip()
            rows.append(f"* `{head}`\n  {sentence(above)}")
    if not rows:
        return []
    title = source.header_comment()[1].split("\n")[1].split(" - ", 1)[1]
    return ["", f"## <omerta/{PurePosixPath(path).name}>: {title}", "", *rows]


def page(tree):
    lines = [HEAD.rstrip("\n")]
    for path in tree.select(".h", under=HEADERS):
        lines += section(tree, path)
    return "\n".join(lines) + "\n"


def check(tree):
    if PAGE not in tree.paths:
        return []
    have, want = tree.text(PAGE).split("\n"), page(tree).split("\n")
    for number, (a, b) in enumerate(zip(have, want), 1):
        if a != b:
            return [(PAGE, number, f"not what the headers say: want {b!r}, by tests/lint/api.py")]
    if len(have) != len(want):
        return [(PAGE, len(have), f"{len(have)} lines: want {len(want)}, by tests/lint/api.py")]
    return []


if __name__ == "__main__":
    sys.stdout.write(page(Tree(Path(__file__).resolve().parent.parent.parent)))
