#!/usr/bin/env python3
"""tunnel_load.py - the far end and the near end of what tunnel.py measures beside iperf3

usage: tunnel_load.py serve ECHO_PORT FILE_PORT BYTES
       tunnel_load.py echo ADDRESS PORT SECONDS

serve answers every byte on ECHO_PORT with itself, and every request on FILE_PORT with BYTES zeros
over HTTP. echo sends one byte at a time and prints the round trips as JSON, in microseconds.
"""

import json
import os
import socket
import socketserver
import sys
import tempfile
import threading
import time


class Echo(socketserver.BaseRequestHandler):
    """Bytes back to where they came from."""

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            data = self.request.recv(4096)
            if not data:
                return
            self.request.sendall(data)


class Big(socketserver.BaseRequestHandler):
    """One big file, whatever was asked for."""

    def handle(self):
        asked = b""
        while b"\r\n\r\n" not in asked:
            piece = self.request.recv(4096)
            if not piece:
                return
            asked += piece
        size = os.fstat(self.server.file.fileno()).st_size
        self.request.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n"
                             "Connection: close\r\n\r\n".encode())
        sent = 0
        while sent < size:
            sent += os.sendfile(self.request.fileno(), self.server.file.fileno(), sent, size - sent)


class Server(socketserver.ThreadingTCPServer):
    """Both families, a thread a connection."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    file = None


def serve(echo_port, file_port, size):
    """Both servers, for ever; says so when they listen."""
    with tempfile.TemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as file:
        file.truncate(size)
        echo, big = Server(("::", echo_port), Echo), Server(("::", file_port), Big)
        big.file = file
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        print("listening", flush=True)
        big.serve_forever()


def echo(address, port, seconds):
    """Round trips until @seconds are over."""
    trips = []
    with socket.create_connection((address, port), 5) as s:
        s.settimeout(5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.perf_counter_ns()
            s.sendall(b"x")
            if s.recv(1) != b"x":
                raise ConnectionError("the echo ended")
            trips.append((time.perf_counter_ns() - start) / 1000)
    trips = sorted(trips[len(trips) // 10:])  # the first find caches cold
    print(json.dumps({"count": len(trips), "p50_us": round(trips[len(trips) // 2], 1),
                      "p99_us": round(trips[len(trips) * 99 // 100], 1)}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*map(int, sys.argv[2:5]))
    else:
        echo(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
