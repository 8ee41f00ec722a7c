"""invitation.py - what the text of a join link stands for, and links made by hand."""

import base64
import hashlib


def bytes_of(link):
    """What @link says, without its checksum."""
    raw = link.rpartition("/")[2]
    return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))[:-4]


def link_from(raw):
    """The text of a link that says @raw; its checksum is right."""
    raw += hashlib.blake2b(raw, digest_size=32).digest()[:4]
    return "omerta://join/" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def changed(link, at, data_there):
    """@link with @data_there at byte @at of what it says, and a checksum that is right again."""
    raw = bytes_of(link)
    return link_from(raw[:at] + data_there + raw[at + len(data_there):])
