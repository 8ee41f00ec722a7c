#!/usr/bin/python3
"""talk.py - speaks to the agent of a guest: the protocol is at the top of vm/guest/main.c

  talk.py SOCKET run LANGUAGE PROGRAM   its output and its exit status become ours
  talk.py SOCKET put FILE PATH          talk.py SOCKET get PATH FILE
  talk.py SOCKET hello                  talk.py SOCKET time SECONDS
"""
import base64
import os
import socket
import sys
import time


class Agent:
    """One connection: QEMU's character device takes one at a time."""

    def __init__(self, path, timeout=30):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")
        self.count = 0
        self.late = []

    def close(self):
        self.file.close()
        self.sock.close()

    def send(self, line, body=b""):
        self.sock.sendall(line.encode() + b"\n" + body)

    def name(self):
        self.count += 1
        return f"t{os.getpid()}-{self.count}"

    def frame(self, wanted=None):
        """The next line for that job (any, without one) as words; others' are kept."""
        for i, words in enumerate(self.late):
            if wanted is None or words[1] == wanted:
                return self.late.pop(i)
        while True:
            line = self.file.readline()
            if not line:
                raise EOFError("the agent's line closed")
            words = line.decode("ascii", "replace").rstrip("\n").split(" ")
            if len(words) < 2:
                continue
            if wanted is None or words[1] == wanted:
                return words
            self.late.append(words)

    def hello(self):
        me = self.name()
        self.send(f"\nhello {me}")
        return self.frame(me)[2:]

    def start(self, language, program):
        me = self.name()
        body = program.encode()
        self.send(f"run {me} {language} {len(body)}", body)
        return me

    def finish(self, me, out=None, err=None):
        """(status, output, errors) of a job; or (None, "", reason) of one refused."""
        kept = {"out": b"", "err": b""}
        files = {"out": out, "err": err}
        while True:
            word, _, *rest = self.frame(me)
            if word in kept:
                data = base64.b64decode(rest[0])
                kept[word] += data
                if files[word]:
                    files[word].write(data)
                    files[word].flush()
            elif word == "exit":
                return int(rest[0]), kept["out"], kept["err"]
            elif word == "fail":
                return None, b"", " ".join(rest).encode()

    def run(self, language, program):
        return self.finish(self.start(language, program))

    def put(self, path, data, mode="0644"):
        me = self.name()
        where = base64.b64encode(path.encode()).decode()
        self.send(f"put {me} {mode} {len(data)} {where}", data)
        return self.finish(me)

    def get(self, path):
        me = self.name()
        self.send(f"get {me} {base64.b64encode(path.encode()).decode()}")
        return self.finish(me)

    def order(self, word, *rest, body=b""):
        me = self.name()
        self.send(" ".join([word, me, *rest]), body)
        return self.finish(me)


def report(status, out, err):
    sys.stdout.buffer.write(out)
    sys.stderr.buffer.write(err)
    if status is None:
        sys.exit("refused")
    sys.exit(status)


def main(argv):
    if len(argv) < 3:
        sys.exit(__doc__)
    agent, what, args = Agent(argv[1]), argv[2], argv[3:]
    if what == "hello":
        print(*agent.hello())
    elif what == "run":
        start = time.monotonic()
        me = agent.start(*args)
        status, _, err = agent.finish(me, sys.stdout.buffer, sys.stderr.buffer)
        if os.environ.get("OM_TALK_TIME"):
            print(f"job: {time.monotonic() - start:.3f} s", file=sys.stderr)
        report(status, b"", err if status is None else b"")
    elif what == "put":
        with open(args[0], "rb") as f:
            report(*agent.put(args[1], f.read()))
    elif what == "get":
        status, out, err = agent.get(args[0])
        if status == 0:
            with open(args[1], "wb") as f:
                f.write(out)
        report(status, b"", err)
    else:
        report(*agent.order(what, *args))


if __name__ == "__main__":
    main(sys.argv)
