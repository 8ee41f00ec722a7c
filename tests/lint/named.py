"""named: the tests that our documents name as proof exist; tests/seeds.md leaves no case out.

A name is what ctest calls it, with the function after "::" where the file has several:
    `unit/test_envelope::envelope_opens_once`  `sim/relay`  `vm/test_jobs::test_run`
In tests/seeds.md each heading says how many rows its table has, "### Title (6)": cases, all
together CASES, or commands and documents, all together COMMANDS. A row of a case or a command
names a test, or its second cell begins with "none: " and why.
"""

import re
from pathlib import PurePosixPath

PLANS = "cryptography threat-model troubleshooting"
DOCUMENTS = ("tests/seeds.md", *(f"plans/{name}.md" for name in PLANS.split()))
SEEDS = DOCUMENTS[0]
CASES = 58
COMMANDS = 71
NAME = re.compile(r"`((?:unit|model|sim|fuzz|lint|lab|system|vm|install)/[\w-]+)(?:::(\w+))?`")
# Tiers of which each test is a file of its own: which files, and what their names begin with.
FILES = {
    "unit": ("tests/unit/", ".c", ""),
    "model": ("tests/model/", ".c", ""),
    "sim": ("tests/sim/", ".c", ""),
    "fuzz": ("tests/fuzz/", ".c", "fuzz_"),
    "lab": ("tests/lab/", ".py", ""),
    "system": ("tests/system/", ".py", ""),
    "vm": ("tests/vm/", ".py", ""),
}
# A file there is a test only where cmake says so.
BY_CMAKE = "vm/"
# A scenario of the simulator has no functions; nor has what only cmake names.
SCENARIOS = "tests/sim/scenarios/"
ADDED = r"add_test\(NAME (\w+)/(?:([\w-]+)|\$\{(\w+)\})\s"
TESTS = ("test_", "model_", "prop_")
FUNCTION = r"\bOM_TEST\w*\(\s*(\w+)|^\s*def (test_\w+)"


def tests_of(tree, lint_names):
    """{name of ctest: {functions}}."""
    found = {f"lint/{name}": set() for name in lint_names}
    for tier, (under, suffix, prefix) in FILES.items():
        for path in tree.select(suffix, under=under):
            stem = PurePosixPath(path).stem
            if not stem.startswith(prefix or TESTS):
                continue
            text = tree.source(path).code if suffix == ".c" else tree.text(path)
            functions = {a or b for a, b in re.findall(FUNCTION, text, re.M)}
            found[f"{tier}/{stem[len(prefix):]}"] = functions
    for path in tree.select(".scn", under=SCENARIOS):
        found[f"sim/{PurePosixPath(path).stem}"] = set()
    files = tree.select("CMakeLists.txt")
    by_cmake = {name for path in files for name in added(tree.text(path))}
    for name in by_cmake:
        found.setdefault(name, set())
    return {n: f for n, f in found.items() if not n.startswith(BY_CMAKE) or n in by_cmake}


def added(text):
    """The names of add_test() in the @text of cmake, also of the words of a foreach()."""
    lists = {}
    for name, words in re.findall(r"foreach\((\w+)\s+([\w\s-]+)\)", text):
        lists.setdefault(name, []).extend(words.split())
    for tier, name, variable in re.findall(ADDED, text):
        for word in [name] if name else lists.get(variable, []):
            yield f"{tier}/{word}"


def cases(text):
    """What is wrong with the tables of cases and commands: (line, sentence)."""
    wrong, seen, whole, commands = [], [], 0, 0
    heading, wanted, title = 0, 0, ""

    def close():
        if len(seen) != wanted:
            wrong.append((heading, f"{title}: {len(seen)} rows: want {wanted}, as it says"))
        for name in {n for n in seen if seen.count(n) > 1}:
            wrong.append((heading, f"{title}: {name} is there twice"))

    for number, line in enumerate(text.split("\n"), 1):
        begin = re.match(r"#+ (.*?)(?: \((\d+)\))?$", line)
        if begin:
            close()
            heading, title, wanted, seen = number, begin[1], int(begin[2] or 0), []
        row = re.match(r"\| (`[^|]*) \|(.*)", line)
        if row and not NAME.search(row[2]) and not row[2].startswith(" none: "):
            wrong.append((number, f'{row[1]}: want the name of a test, or "none: " and why'))
        if row:
            seen.append(row[1])
            is_case = re.fullmatch(r"`test[A-Z]\w*`", row[1]) is not None
            whole += is_case
            commands += not is_case
    close()
    if whole != CASES:
        wrong.append((1, f"{whole} cases in all: want {CASES}"))
    if commands != COMMANDS:
        wrong.append((1, f"{commands} commands and documents in all: want {COMMANDS}"))
    return wrong


def check(tree, lint_names=()):
    there = [path for path in DOCUMENTS if path in tree.paths]
    if not there:
        return []
    tests, findings = tests_of(tree, lint_names), []
    for path in there:
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            for name, function in NAME.findall(line):
                if name not in tests:
                    findings.append((path, number, f"{name}: want a test of that name"))
                elif function and function not in tests[name]:
                    findings.append((path, number, f"{name}::{function}: want such a function"))
    if SEEDS in there:
        findings += [(SEEDS, number, sentence) for number, sentence in cases(tree.text(SEEDS))]
    return findings
