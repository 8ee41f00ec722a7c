"""sizes: no file over 600 lines, no C function over 70. Hub files start by growing."""

from source import function_of

FILE_MAX = 600
FUNCTION_MAX = 70  # from the first line of its head to the closing brace


def check(tree):
    findings = []
    for path in tree.select(".c", ".h", ".py", ".sh"):
        lines = tree.text(path).count("\n")
        if lines > FILE_MAX:
            findings.append((path, 1, f"{lines} lines: want at most {FILE_MAX}"))
    for path in tree.select(".c", ".h"):
        source = tree.source(path)
        for s in source.statements():
            if not s.body:
                continue
            first, last = source.line(s.start), source.line(s.body[1])
            if last - first + 1 > FUNCTION_MAX:
                f = function_of(s)
                name = f.name if f else " ".join(s.head.split())
                findings.append((path, first, f"{name}: {last - first + 1} lines:"
                                 f" want at most {FUNCTION_MAX}"))
    return findings
