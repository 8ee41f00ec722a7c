"""headers: each one compiles alone, and twice."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from floors import FLOORS, LENT, folder_of

FLAGS = "-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -x c".split()


def roots(tree, path):
    """The include roots a file that may include @path would have."""
    folder = folder_of(path)
    public = [p for p in tree.select(".h") if "/include/omerta/" in p]
    found = [str(PurePosixPath(p).parent.parent) for p in public] + ["."]
    if folder:
        lent = LENT.get(folder, ())
        found += [folder, *lent] + [str(PurePosixPath(one).parent) for one in lent]
    if folder == "tests":
        found += list(FLOORS) + ["mesh", "tests/unit", "tests/sim"]
    return sorted(set(found))


def compile_one(tree, path, cc, extra):
    includes = [f"-I{tree.root / r}" for r in roots(tree, path)] + [f"-I{d}" for d in extra]
    twice = f'#include "{tree.root / path}"\n' * 2
    run = subprocess.run([cc, *FLAGS, *includes, "-"], input=twice, capture_output=True, text=True)
    if run.returncode == 0:
        return []
    first = next((line for line in run.stderr.splitlines() if "error:" in line), run.stderr.strip())
    first = first.replace(str(tree.root) + "/", "")
    return [(path, 1, f"does not compile alone and twice: {first}")]


def check(tree, cc="cc", extra=()):
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = pool.map(lambda p: compile_one(tree, p, cc, extra), tree.select(".h"))
        return [finding for findings in found for finding in findings]
