"""camera.py - what a camera reads from a code on the terminal, and terminals as wide as wanted."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import zlib

from commands import environment_of
from daemon import program


def png(rows):
    """A grey picture of @rows of booleans, true is white, each as 4 x 4 dots."""
    body = b"".join((b"\0" + b"".join((b"\xff" if light else b"\0") * 4 for light in row)) * 4
                    for row in rows)

    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    size = struct.pack(">IIBBBBB", 4 * len(rows[0]), 4 * len(rows), 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(body))
            + chunk(b"IEND", b""))


def seen(text, folder):
    """What a camera reads from the code in @text, whose last line is the link; and its columns."""
    *lines, link = text.splitlines()
    rows = [[c in blocks for c in line] for line in lines for blocks in ("█▀", "█▄")]
    assert len({len(row) for row in rows}) == 1 and link.startswith("omerta://")
    path = os.path.join(folder, "qr.png")
    with open(path, "wb") as file:
        file.write(png(rows))
    read = subprocess.run(["zbarimg", "--quiet", "--raw", path], capture_output=True,
                          text=True, check=True, timeout=30)
    assert read.stdout.strip() == link
    return len(rows[0])


def on_terminal(home, columns, *argv):
    """Code and output of omerta with @argv on a terminal of so many @columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    with subprocess.Popen([program("omerta"), "--color", "never", *argv], stdout=slave,
                          env=environment_of(home), stderr=slave) as process:
        os.close(slave)
        said = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            while piece := os.read(master, 65536):
                said += piece
        code = process.wait(60)
    os.close(master)
    return code, said.decode()
