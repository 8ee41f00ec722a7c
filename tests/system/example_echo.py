"""A program on the mesh: `example_echo.py SOCKET serve` on one machine, `... call PEER TEXT` on
another. SOCKET is what `omerta status --json` calls data_socket."""

import json
import socket
import sys


def connect(path, **words):
    """Says what the connection is to be; returns it, and the one line that comes back."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.sendall(json.dumps(words).encode() + b"\n")
    return s, read_line(s)


def read_line(s):
    line = b""
    while not line.endswith(b"\n"):
        byte = s.recv(1)  # what follows the line belongs to the stream
        if not byte:
            raise SystemExit("the daemon has gone")
        line += byte
    return json.loads(line)


def serve(path):
    listener, answer = connect(path, listen="echo", **{"from": ["*"]})
    if not answer["ok"]:
        raise SystemExit(answer["message"])
    while True:
        call = read_line(listener)
        stream, answer = connect(path, accept=call["call"])
        while answer["ok"] and (data := stream.recv(65536)):
            stream.sendall(data)
        stream.close()


def call(path, peer, text):
    stream, answer = connect(path, open="stream", peer=peer, name="echo")
    if not answer["ok"]:
        raise SystemExit(answer["message"])
    stream.sendall(text.encode())
    stream.shutdown(socket.SHUT_WR)
    while data := stream.recv(65536):
        print(data.decode(), end="", flush=True)
    print()


if __name__ == "__main__":
    serve(sys.argv[1]) if sys.argv[2] == "serve" else call(sys.argv[1], *sys.argv[3:5])
