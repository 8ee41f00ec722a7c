"""docs: every function declared in a header is documented.

Block form, for what takes or returns anything worth a sentence:
    /**
     * om_x_do() - what
     * @arg:  one line or more for each argument
     *
     * Return: for whatever is not void.
     */
One-line form, for the trivial: /** om_x_is() - text that names @each argument. */ A function whose
arguments are those of a documented sibling may say so: /** om_x_are() - as om_x_do(), but ... */
A static inline function may have a plain comment, and none at all when its body has at most five
lines: then the body is read faster than a sentence about it.
"""

import re

from source import function_of

BODY_SAYS_IT = 5
NOT_FUNCTIONS = ("static_assert", "_Static_assert")


def check(tree):
    findings = []
    for path in tree.select(".h"):
        source = tree.source(path)
        for statement in source.statements():
            f = function_of(statement)
            if f and f.name not in NOT_FUNCTIONS:
                line = source.line(statement.start)
                findings += [(path, line, f"{f.name}(): {wrong}") for wrong in judge(source, f)]
    return findings


def judge(source, f):
    above = source.comment_above(f.statement.start)
    if f.is_inline:
        start, end = f.statement.body or (0, 0)
        if above or source.text.count("\n", start, end) - 1 <= BODY_SAYS_IT:
            return []
        return [f"inline with more than {BODY_SAYS_IT} lines and no comment above it"]
    if not above or not above.startswith("/**"):
        return [f"not documented: want /** {f.name}() - ... */ above it"]
    named = re.match(r"/\*\*(\s|\*)*" + re.escape(f.name) + r"\(\) - \S", above)
    if not named:
        return [f"the comment above it does not start with {f.name}() - ..."]
    if None in f.args:
        return ["an argument without a name: want names in declarations"]
    if re.match(r"/\*\*[ \t]*\n", above):
        return block(f, above)
    if re.search(r"\bas \w+\(\)", above):
        return []
    silent = [a for a in f.args if not re.search(rf"@{a}\b", above)]
    return [f"@{a} is not in its line of documentation" for a in silent]


def block(f, above):
    described = re.findall(r"^\s*\*\s*@(\w+|\.\.\.):", above, re.M)
    wrong = [f"no @{a}: line" for a in f.args if a not in described]
    wrong += [f"@{a}: is not an argument" for a in described if a not in f.args + ["..."]]
    if not f.is_void and not re.search(r"^\s*\*\s*Return:", above, re.M):
        wrong.append("no Return: although it is not void")
    return wrong
