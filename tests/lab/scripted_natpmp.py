"""scripted_natpmp.py ADDRESS [key=value...] - a router that answers NAT-PMP as it is told

external=ADDRESS (11.0.0.1), life=SECONDS granted at most (7200), code=RESULT of mappings (0),
outer=PORT given whatever is asked. One line for each question: "address", or "map INNER OUTER
LIFE"; RFC 6886 section 3.
"""

import socket
import struct
import sys


def main():
    """Serves until it is killed."""
    here = sys.argv[1]
    told = dict(word.split("=") for word in sys.argv[2:])
    external = socket.inet_aton(told.get("external", "11.0.0.1"))
    code, life_max = int(told.get("code", 0)), int(told.get("life", 7200))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((here, 5351))
        while True:
            asked, sender = sock.recvfrom(64)
            if asked == b"\0\0":
                print("address", flush=True)
                sock.sendto(struct.pack(">BBHI", 0, 128, 0, 1) + external, sender)
            elif len(asked) == 12 and asked[1] == 1:
                inner, outer, life = struct.unpack(">HHI", asked[4:])
                print("map", inner, outer, life, flush=True)
                outer = int(told.get("outer", outer))
                sock.sendto(struct.pack(">BBHIHHI", 0, 129, code, 1, inner, outer,
                                        min(life, life_max)), sender)


main()
