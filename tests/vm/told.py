"""told.py - in a guest: does the attempts that it is told to, or tells what its card hears.

told.py JSON - "hosts": who is where; "port": of the gateway, where orders come from; "listen".
"""

import json
import random
import select
import socket
import sys
import time

import attempts


def work(seconds):
    """Keeps the processor busy and sends nothing."""
    end = time.monotonic() + seconds
    number = random.random()
    while time.monotonic() < end:
        for _ in range(10000):
            number = (number * 1.1) % 1.0


def storm(env, seconds):
    """Floods for so long, all kinds in turn; how many frames."""
    kinds = (attempts.flood_udp, attempts.flood_arp, attempts.flood_syn, attempts.flood_broadcast)
    many = [one for make in kinds for one in make(env, attempts.MARK + b"00000000")]
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for one in many:
            env.raw.send(one)
        sent += len(many)
    return sent


def obey(env, order):
    """One order; what came of it."""
    answer = {"name": order["name"]}
    table = {name: how for name, _, how in attempts.ATTEMPTS}
    try:
        if order["name"] == "who":
            answer["said"] = {"mac": env.mac, "ip": env.ip, "ip6": env.ip6, "ll": env.ll}
        elif order["name"] == "busy":
            work(order["seconds"])
        elif order["name"] == "storm":
            answer["said"] = storm(env, order["seconds"])
        else:
            answer["said"] = table[order["name"]](env, attempts.MARK + order["number"].encode())
    except (OSError, ValueError) as error:
        answer["error"] = str(error)
    return answer


def dial(to, port):
    """A connection to whoever gives orders, however often it has to be made."""
    while True:
        try:
            line = socket.create_connection((to, port), timeout=5)
        except OSError:
            time.sleep(0.2)
            continue
        line.settimeout(None)
        # A gateway that became another one is noticed at once.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                            (socket.TCP_KEEPCNT, 30)):
            line.setsockopt(socket.IPPROTO_TCP, name, value)
        return line


def follow(hosts, port):
    """Does what it is told, for ever."""
    env = attempts.Env(hosts)
    while True:
        with dial(env.gw, port) as line:
            try:
                for text in line.makefile("rb"):
                    line.sendall(json.dumps(obey(env, json.loads(text))).encode() + b"\n")
            except OSError:
                pass


def is_over(line):
    """Whether who takes what is told went away."""
    try:
        return line.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def listen(hosts, port):
    """Tells of each token that comes to this card, for ever; its kernel takes connections."""
    env = attempts.Env(hosts)
    with socket.create_server(("", attempts.PORT), backlog=64), \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                          socket.htons(attempts.ETH_P_ALL)) as heard:
        heard.bind((attempts.CARD, attempts.ETH_P_ALL))
        print(json.dumps({"mac": env.mac, "ip": env.ip, "ip6": env.ip6, "ll": env.ll}), flush=True)
        line, known = dial(env.gw, port), set()
        while True:
            if is_over(line):
                line.close()
                line = dial(env.gw, port)
            if not select.select([heard], [], [], 0.2)[0]:
                continue
            data, where = heard.recvfrom(65536)
            start = data.find(attempts.MARK)
            token = data[start:start + attempts.TOKEN]
            if where[2] != socket.PACKET_OUTGOING and start >= 0 and token not in known:
                known.add(token)
                line.sendall(token + b"\n")


if __name__ == "__main__":
    words = json.loads(sys.argv[1])
    (listen if words["listen"] else follow)(words["hosts"], words["port"])
