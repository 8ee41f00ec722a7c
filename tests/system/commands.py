"""commands.py - omerta as a test runs it: to its end, or live; and homes it starts daemons in."""

import json
import os
import pty
import select
import subprocess
import time

from daemon import die_with_parent, free_port, program, wait_until

LIVE_SECONDS = 15


def environment_of(home, **more):
    """The environment of a user whose daemon lives in @home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OMERTA_")}
    return dict(kept, OMERTA_HOME=str(home), **more)


def run(home, *argv, name="omerta", stdin=None, **more):
    """omerta @argv to its end: (exit, stdout, stderr)."""
    where = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    done = subprocess.run([program(name), *argv], env=environment_of(home, **more), timeout=60,
                          text=True, capture_output=True, check=False, **where)
    return done.returncode, done.stdout, done.stderr


def good(home, *argv, **more):
    """omerta @argv, which must succeed and say nothing on stderr; returns its stdout."""
    code, out, err = run(home, *argv, **more)
    assert code == 0 and err == "", (argv, code, out, err)
    return out


def refused(home, *argv, code=None, says=(), **more):
    """omerta @argv, which must fail with one sentence that has all of @says; returns it."""
    got, out, err = run(home, *argv, **more)
    assert got > 0 and (code is None or got == code), (argv, got, out, err)
    lines = err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("omerta"), (argv, got, out, err)
    for word in says:
        assert word in err, (argv, err)
    return lines[0]


def data(home, *argv, **more):
    """The one JSON value of omerta @argv --json."""
    return json.loads(good(home, *argv, "--json", **more))


def typed(home, text, *argv):
    """omerta @argv with @text typed at its terminal: (exit, what it said there)."""
    master, slave = pty.openpty()
    with subprocess.Popen([program("omerta"), *argv], env=environment_of(home), stdin=slave,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as done:
        os.close(slave)
        os.write(master, text.encode() + b"\n")
        said = done.communicate(timeout=60)[1].decode()
    os.close(master)
    return done.returncode, said


class Live:
    """A command that goes on: its lines as they come, ended by SIGINT."""

    def __init__(self, home, *argv):
        self.process = subprocess.Popen([program("omerta"), *argv], env=environment_of(home),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        self.left = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self, wanted=lambda line: True, seconds=LIVE_SECONDS):
        """The next line for which wanted(line) holds; TimeoutError when none comes."""
        deadline = time.monotonic() + seconds
        pipe = self.process.stdout.fileno()
        while True:
            while b"\n" in self.left:
                line, _, self.left = self.left.partition(b"\n")
                if wanted(line.decode()):
                    return line.decode()
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([pipe], [], [], left)[0]
            piece = os.read(pipe, 65536) if ready else b""
            if not piece:
                raise TimeoutError(f"no such line; left {self.left!r}")
            self.left += piece

    def interrupt(self):
        """SIGINT as from the terminal: (exit, what else it wrote)."""
        self.process.send_signal(2)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, (self.left + out).decode(), err.decode()


def write_config(home, keys):
    """config.json of @home, for its owner only."""
    path = os.path.join(home, "config.json")
    with open(path, "w", encoding="utf-8") as file:
        if isinstance(keys, str):
            file.write(keys)
        else:
            json.dump(keys, file)
    os.chmod(path, 0o600)
    return path


def new_home(home, **keys):
    """A home made by init, with a port nobody has."""
    good(home, "init")
    write_config(home, {"port": free_port(), **keys})
    return home


def contents(folder):
    """Every file below @folder with its bytes."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
    return found


def gone(pid, seconds=10):
    """True once the process @pid is no more."""
    def ended():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True
    return wait_until(ended, seconds)


def line_after(watch, act, wanted=lambda line: True):
    """The first line of @watch that is @wanted: act() again where it came too early for it."""
    for _ in range(10):
        act()
        try:
            return watch.line(wanted, seconds=2)
        except TimeoutError:
            pass
    raise AssertionError("it sees nothing")
