"""keeps: what a file header promises under "Keeps:" is the name of a test that exists.

    Keeps: name_a; name_b;
           name_c.
Names of [a-z0-9_], up to the full stop, an empty line or the next "Word:". A name is an OM_TEST, a
scenario tests/sim/scenarios/NAME.scn, a pytest function, or a check of this lint.
"""

import re
from pathlib import PurePosixPath

NAME = re.compile(r"[a-z0-9_]+")


def existing(tree, lint_names):
    names = set(lint_names)
    for path in tree.select(".c", under="tests/"):
        names.update(re.findall(r"\bOM_TEST\w*\(\s*(\w+)", tree.source(path).code))
    for path in tree.select(".scn", under="tests/sim/scenarios/"):
        names.add(PurePosixPath(path).stem)
    for path in tree.select(".py", under="tests/"):
        names.update(re.findall(r"^\s*def (test_\w+)", tree.text(path), re.M))
    return names


def promises(comment):
    """(line in the comment, item) for each item of its Keeps."""
    inside = False
    for number, line in enumerate(comment.split("\n")):
        line = re.sub(r"^\s*/?\*+/?", "", line).replace("*/", "").strip()
        word = re.match(r"([A-Z]\w*):\s*", line)
        if word or not line:
            inside = bool(word) and word.group(1) == "Keeps"
            line = line[word.end() :] if word else line
        if not inside:
            continue
        for item in re.split(r"[;,.]", line):
            if item.strip():
                yield number, item.strip()
        inside = not line.endswith(".")


def check(tree, lint_names=()):
    names, findings = existing(tree, lint_names), []
    for path in tree.select(".c", ".h"):
        header = tree.source(path).header_comment()
        for number, item in promises(header[1]) if header else ():
            if not NAME.fullmatch(item):
                findings.append((path, number + 1, f'Keeps: "{item}": want names of tests only'))
            elif item not in names:
                findings.append((path, number + 1, f"Keeps: {item}: want a test of that name"))
    return findings
