"""audit.py BUILD - the story of encryption-audit.sh, told with the programs of a build.

Exit: 0 every case was caught as it should be, 1 not, 77 it cannot be shown on this machine.
"""

import os
import shutil
import sys
import tempfile
import textwrap
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..", "tests")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TESTS, "system"), os.path.join(TESTS, "lab")]

import malformed  # noqa: E402
import sabotage  # noqa: E402
import session  # noqa: E402
from omerta_lab import Lab, LabError  # noqa: E402
from scratch import Scratch, ScratchError  # noqa: E402
from stage import Stage  # noqa: E402

WIDTHS = (20, 36, 24, 52)
HEAD = ("case", "what was done", "caught by", "evidence")
TOOLS = {"ip": "iproute2", "patch": "dpkg-dev", "ninja": "ninja-build"}


class Report:
    """Rows of one table, told as they come and all at the end."""

    def __init__(self):
        self.rows = []
        self.start = time.monotonic()

    def row(self, case, done, caught, evidence, is_good):
        """One case: whether it was caught as it should be."""
        self.rows.append((case, done, caught, evidence, is_good))
        word = "held" if is_good else "FAILED"
        print(f"{time.monotonic() - self.start:6.1f} s  {word}: {case}: {done}: {evidence}",
              flush=True)

    def note(self, text):
        """What a daemon said where something failed."""
        print(textwrap.indent(text, "    "), flush=True)

    def end(self):
        """The table; True when every row held."""
        print()
        for row in [HEAD, *(r[:4] for r in self.rows)]:
            cells = [textwrap.wrap(text, width) or [""] for text, width in zip(row, WIDTHS)]
            for line in range(max(map(len, cells))):
                parts = (c[line] if line < len(c) else "" for c in cells)
                print("  ".join(p.ljust(w) for p, w in zip(parts, WIDTHS)).rstrip())
        failed = sum(not r[4] for r in self.rows)
        print(f"\n{len(self.rows) - failed} cases held, {failed} failed, "
              f"{time.monotonic() - self.start:.0f} s")
        return failed == 0


def why_not():
    """Why it cannot be shown here, or None."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for tool, package in TOOLS.items():
        if not shutil.which(tool, path=path):
            return f"{tool} is not installed (Debian: {package})"
    try:
        with Lab() as lab:
            lab.host("probe")
    except LabError as error:
        return str(error)
    return None


def told(build):
    """All of it."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="omerta-audit-") as folder, Stage() as stage:
        scratch = Scratch(build, folder)
        clean = scratch.make("clean", files=sabotage.all_touched(), is_strict=True)
        sabotage.control(report, stage, clean)
        sabotage.typed(report, scratch)
        for case in sabotage.CASES:
            sabotage.sabotaged(report, stage, scratch, clean, case)
        sabotage.past(report, stage, scratch, clean)
        malformed.run(report, stage, clean)
        session.run(report, stage, clean)
        sabotage.unmasked(report, stage, scratch)
    return report.end()


def main(build):
    """See the head of the file."""
    why = why_not()
    if why:
        print(f"skipped: {why}")
        return 77
    os.environ["OMERTA_BIN"] = os.path.join(build, "bin")
    try:
        return 0 if told(os.path.abspath(build)) else 1
    except (ScratchError, LabError) as error:
        print(f"encryption-audit: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
