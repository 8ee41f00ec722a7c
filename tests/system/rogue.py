"""A peer of a daemon that does what no daemon of ours does: tests/vm/rogue_peer.c."""

import subprocess
import threading

from daemon import die_with_parent, knows, program


class Rogue:
    """tests/vm/rogue_peer.c, which met @daemon."""

    def __init__(self, daemon):
        self.process = subprocess.Popen([program("omerta-rogue"), daemon.bootstrap()[1]],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        errors="replace", preexec_fn=die_with_parent)
        self.seen = set()
        self.id = self.until("self ").split()[1]
        self.calls = 0
        self.until("up")
        assert knows(daemon, [self.id])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def write(self, line):
        """One line for it to obey."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def say(self, line):
        """How it is from now on; a call that comes meanwhile may still be before the line."""
        self.write(line)
        self.until("so\n")

    def until(self, *starts):
        """The next line that it prints that begins with one of @starts, or EOFError; it is ended
        where none comes."""
        late = threading.Timer(60, self.process.kill)
        late.start()
        try:
            for line in self.process.stdout:
                self.seen.add(line)
                if line.startswith(starts):
                    return line
        finally:
            late.cancel()
        raise EOFError(starts)

    def call(self, method, args):
        """Its answer to a call: "ok N", or "refused N ..."; the call stands on."""
        number = self.calls
        self.calls += 1
        self.write(f"call {method} {args}")
        return self.until(f"ok {number}\n", f"refused {number} ")

    def end(self):
        """It is gone."""
        self.process.stdin.close()
        self.process.wait(10)
