"""scripted_igd.py ADDRESS [key=value...] - a router of UPnP that misbehaves as it is told

location=URL told to who searches (http://ADDRESS:5000/d), control=URL its description names
(http://ADDRESS:5000/c); trickle=1: HTTP gives a byte a second, for ever. One line for each
question that comes: "search" or "http PATH".
"""

import http.server
import socket
import socketserver
import struct
import sys
import threading
import time

TYPE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
DESCRIPTION = """<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">
<device><deviceType>{type}</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>
<serviceType>{service}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<controlURL>{control}</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>"""
HERE = sys.argv[1]
TOLD = dict(word.split("=", 1) for word in sys.argv[2:])


class Answer(http.server.BaseHTTPRequestHandler):
    """The description, at whatever path; slowly when told so."""

    def do_GET(self):
        """GET and POST alike."""
        print("http", self.path, flush=True)
        control = TOLD.get("control", f"http://{HERE}:5000/c")
        body = DESCRIPTION.format(type=TYPE, service=SERVICE, control=control).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if TOLD.get("trickle"):
            for i in range(len(body)):
                self.wfile.write(body[i:i + 1])
                self.wfile.flush()
                time.sleep(1)
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        """Nothing more is said."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One thread for each connection."""

    daemon_threads = True


def main():
    """Serves until it is killed."""
    server = Server((HERE, 5000), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    location = TOLD.get("location", f"http://{HERE}:5000/d")
    said = f"HTTP/1.1 200 OK\r\nST: {TYPE}\r\nLOCATION: {location}\r\n\r\n".encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 1900))
        group = struct.pack("4s4s", socket.inet_aton("239.255.255.250"), socket.inet_aton(HERE))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        while True:
            asked, sender = sock.recvfrom(2048)
            if asked.startswith(b"M-SEARCH"):
                print("search", flush=True)
                sock.sendto(said, sender)


main()
