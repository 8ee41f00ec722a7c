"""Programs behind a TUN reach what a peer exposes, by plain IP: the daemon ends their packets."""

import hashlib

from links import HERE4, HERE6, link, open_link  # noqa: F401 (a fixture)

ECHO = """
def echo(c):
    with c:
        while piece := c.recv(1 << 16):
            c.sendall(piece)
l = listen(sys.argv[1])
print("ready")
while True:
    c, _ = l.accept()
    threading.Thread(target=echo, args=(c,), daemon=True).start()
"""


def test_echo_v4_and_v6(link):
    link.serve(ECHO, 8000)
    link.expose("8000")
    for address in (HERE4, HERE6):
        done = link.inside("""
with connect(8000, sys.argv[1]) as s:
    s.sendall(b"hello")
    s.shutdown(socket.SHUT_WR)
    print(read_all(s).decode())
""", address)
        assert done.stdout == "hello\n"
    row = link.row()
    assert row["opened"] == 2 and row["refused"] == 0 and row["frames_in"] > 0
    assert row["peer"] == link.ann.self_id() and row["dropped"].get("spoofed", 0) == 0
