"""The files a lint looks at, and C text cut into the few parts the checks need.

No C parser: comments and strings are blanked out (same length, same lines), braces are matched,
and what stands at file scope is cut into statements. That is exact for the C we write.
"""

import os
import re
import subprocess
from pathlib import Path

SKIPPED_FOLDERS = {".git", "out", "__pycache__", ".pytest_cache"}
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w*)")


class Skip(Exception):
    """The check cannot run on this machine; the reason is shown and ctest counts a skip."""


class Tree:
    """A checkout: in git what is tracked or could be added, elsewhere all but build folders."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.tracked = self._git("ls-files", "-c")
        if self.tracked is None:
            self.tracked = self.paths = self._walk()
        else:
            untracked = self._git("ls-files", "-o", "--exclude-standard")
            self.paths = sorted(set(self.tracked + untracked))
        self.paths = [p for p in self.paths if (self.root / p).is_file()]
        self._sources = {}

    def _git(self, *args):
        if not (self.root / ".git").exists():
            return None
        run = subprocess.run(["git", "-C", str(self.root), *args, "-z"], capture_output=True)
        if run.returncode != 0:
            return None
        return sorted(os.fsdecode(p) for p in run.stdout.split(b"\0") if p)

    def _walk(self):
        found = []
        for folder, below, names in os.walk(self.root):
            below[:] = [d for d in below if d not in SKIPPED_FOLDERS and not d.startswith("build")]
            found += [str((Path(folder) / n).relative_to(self.root)) for n in names]
        return sorted(found)

    def select(self, *suffixes, under=""):
        return [p for p in self.paths if p.endswith(suffixes) and p.startswith(under)]

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def source(self, path):
        if path not in self._sources:
            self._sources[path] = Source(self.text(path))
        return self._sources[path]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def blank(text):
    return re.sub(r"[^\n]", " ", text)


class Source:
    """One C file: text as written, comments with their spans, code, and code without directives."""

    def __init__(self, text):
        self.text = text
        self.comments = []
        pieces, at = [], 0
        for token in TOKEN.finditer(text):
            piece = token.group()
            if piece[0] == "/":
                self.comments.append((token.start(), token.end()))
                piece = blank(piece)
            else:
                piece = piece[0] + blank(piece[1:-1]) + piece[-1]
            pieces += [text[at : token.start()], piece]
            at = token.end()
        self.code = "".join(pieces) + text[at:]
        self.flat = without_directives(self.code)
        self._statements = None

    def line(self, offset):
        return line_of(self.text, offset)

    def includes(self):
        """(line, name, is_angled) of each #include."""
        for number, line in enumerate(self.text.split("\n"), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^">]+)[">]', line)
            if found:
                yield number, found.group(2), found.group(1) == "<"

    def header_comment(self):
        """(offset, text) of the comment the file starts with, or None."""
        if self.comments and not self.text[: self.comments[0][0]].strip():
            start, end = self.comments[0]
            return start, self.text[start:end]
        return None

    def comment_above(self, offset):
        """The comment that ends on the line above @offset, or None."""
        for start, end in reversed(self.comments):
            if end > offset:
                continue
            gap = self.text[end:offset]
            return self.text[start:end] if not gap.strip() and gap.count("\n") == 1 else None
        return None

    def statements(self):
        if self._statements is None:
            self._statements = list(statements(self.flat))
        return self._statements


def without_directives(code):
    """@code with preprocessor lines blanked. Where #if ... #else cuts through braces, only the
    first branch stays, else the braces would not match."""
    lines = code.split("\n")
    groups, continued = [], False
    for i, line in enumerate(lines):
        word = DIRECTIVE.match(line)
        if continued or word:
            _branch(groups, word.group(1) if word and not continued else "", lines, i)
            continued = line.endswith("\\")
            lines[i] = " " * len(line)
        elif groups and groups[-1]["drop"]:
            lines[i] = " " * len(line)
    return "\n".join(lines)


def _branch(groups, word, lines, i):
    if word in ("if", "ifdef", "ifndef"):
        groups.append({"start": i, "drop": bool(groups and groups[-1]["drop"])})
    elif word in ("else", "elif") and groups and not groups[-1]["drop"]:
        branch = "\n".join(lines[groups[-1]["start"] + 1 : i])
        groups[-1]["drop"] = branch.count("{") != branch.count("}")
        groups[-1]["start"] = i
    elif word == "endif" and groups:
        groups.pop()


class Statement:
    """What stands at file scope: @head without braces; @body is the span of {...} of a function."""

    def __init__(self, start, head, body=None):
        self.start, self.head, self.body = start, head, body


def closing(text, at, pair="{}"):
    """Offset of the bracket that closes the one at @at."""
    depth = 0
    for i in range(at, len(text)):
        if text[i] == pair[0]:
            depth += 1
        elif text[i] == pair[1]:
            depth -= 1
            if depth == 0:
                return i
    return len(text) - 1


def statements(flat):
    i, start, head = 0, None, ""
    while i < len(flat):
        c = flat[i]
        if start is None and not c.isspace():
            start = i
        if c == "{":
            end = closing(flat, i)
            if head.rstrip().endswith(")") and "=" not in without_parens(head):
                yield Statement(start, head, (i, end))
                start, head = None, ""
            i = end
        elif c == ";":
            if start is not None:
                yield Statement(start, head)
            start, head = None, ""
        else:
            head += c
        i += 1


def without_parens(text):
    while True:
        shorter = re.sub(r"\([^()]*\)", "", text)
        if shorter == text:
            return text
        text = shorter


def without_attributes(head):
    """@head without __attribute__((...)) and our attribute macros."""
    while True:
        found = re.search(r"\b(__attribute__|OM_[A-Z_0-9]+)\b\s*", head)
        if not found:
            return head
        end = found.end()
        if end < len(head) and head[end] == "(":
            end = closing(head, end, "()") + 1
        head = head[: found.start()] + head[end:]


DECLARATION = re.compile(
    r"^(?P<type>[\w\s*]*[\s*])(?P<name>[A-Za-z_]\w*)\s*\((?P<args>.*)\)\s*$", re.S
)
NOT_A_TYPE = {"static", "inline", "extern", "_Noreturn", "noreturn"}
TYPES = {"int", "char", "long", "short", "unsigned", "signed", "void", "const", "bool", "double"}


class Function:
    """A declaration or definition: @args are names, None for one that has no name."""

    def __init__(self, statement, found):
        self.statement = statement
        self.name = found["name"]
        self.type = " ".join(found["type"].split())
        self.is_void = [w for w in self.type.split() if w not in NOT_A_TYPE] == ["void"]
        self.is_inline = "inline" in self.type.split()
        self.args = [argument_name(a) for a in split_arguments(found["args"])]


def function_of(statement):
    head = without_attributes(statement.head)
    if "=" in without_parens(head) or head.split()[:1] == ["typedef"]:
        return None
    found = DECLARATION.match(head)
    if not found or found["args"].lstrip().startswith("*"):
        return None
    return Function(statement, found)


def split_arguments(text):
    parts, depth = [""], 0
    for c in text:
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    parts = [p.strip() for p in parts]
    return [p for p in parts if p not in ("", "void", "...")]


def argument_name(text):
    pointer = re.search(r"\(\s*\*\s*(?:const\s+)?(\w+)", text)
    if pointer:
        return pointer.group(1)
    words = re.findall(r"\w+", re.sub(r"\[.*", "", text, flags=re.S))
    if len(words) < 2 or words[-1] in TYPES or words[-1].endswith("_t"):
        return None
    return words[-1] if words[-2] not in ("struct", "enum", "union") else None
