"""format, shellcheck, reasons, files: the checks that ask a tool, and two about the tree itself."""

import re
import shutil
import subprocess

from source import Skip

WIDTH_MAX = 100
TOP = set(
    "CMakeLists.txt CMakePresets.json README.md mesh netstack tunnel vm meshd cli demos tests plans"
    " licenses".split()
)


def check_format(tree):
    """As clang-format would write it; no line over 100 columns, in any language."""
    findings = []
    for path in tree.select(".c", ".h", ".py", ".sh"):
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if len(line) > WIDTH_MAX:
                findings.append((path, number, f"{len(line)} columns: want at most {WIDTH_MAX}"))
    paths = tree.select(".c", ".h")
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not installed")
    if not paths:
        return findings
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=tree.root,
                         capture_output=True, text=True)
    for found in re.finditer(r"^(.+?):(\d+):\d+: error: ", run.stderr, re.M):
        finding = (found[1], int(found[2]), "want it as clang-format -i writes it")
        if finding not in findings:
            findings.append(finding)
    if run.returncode != 0 and not findings:
        findings.append((".clang-format", 1, run.stderr.strip()))
    return findings


def check_shellcheck(tree):
    """Every shell script, also those without a suffix."""
    bare = [p for p in tree.paths if "." not in p.rsplit("/", 1)[-1]]
    paths = tree.select(".sh") + [p for p in bare if is_shell(tree, p)]
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not installed")
    if not paths:
        return []
    run = subprocess.run(["shellcheck", "--format=gcc", "--external-sources", *sorted(set(paths))],
                         cwd=tree.root, capture_output=True, text=True)
    return [(found[1], int(found[2]), found[3])
            for found in re.finditer(r"^(.+?):(\d+):\d+: (.*)$", run.stdout, re.M)]


def is_shell(tree, path):
    return re.match(r"#!.*\b(ba|da)?sh\b", tree.text(path)) is not None


def check_reasons(tree):
    """Each check that .clang-tidy switches off says why, on its line."""
    if ".clang-tidy" not in tree.paths:
        return [(".clang-tidy", 1, "is missing")]
    return [(path, number, f"{line.strip()}: want a # reason beside it")
            for path in tree.select(".clang-tidy")
            for number, line in enumerate(tree.text(path).split("\n"), 1)
            if re.match(r"\s+-[a-z]", line) and not re.search(r"#.*\w+ \w+", line)]


def check_files(tree):
    """The top level is fixed; hidden names are free."""
    return [(path, 1, "is not a known name of the top level: want " + " ".join(sorted(TOP)))
            for path in tree.tracked
            if not path.startswith(".") and path.split("/")[0] not in TOP]
