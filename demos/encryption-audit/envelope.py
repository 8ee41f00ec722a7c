"""envelope.py - data datagrams of the network "default", whose secret is published, from outside.

What:   unmasks, masks and seals them as section 2 of the protocol says, by libsodium.
Why:    a packet that is nearly right is one whose maker knew all but one thing.
"""

import collections
import ctypes
import ctypes.util
import struct

HEADER, TAG = 12, 16
SIP_BYTES, KEY_BYTES = 16, 32

Datagram = collections.namedtuple("Datagram", "index counter text tag")

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")


def kdf(secret, label):
    """KDF(secret, label) of section 1, without a context."""
    out = ctypes.create_string_buffer(KEY_BYTES)
    text = b"omerta1 " + label + b"\0"
    _sodium.crypto_generichash(out, ctypes.c_size_t(KEY_BYTES), text,
                               ctypes.c_ulonglong(len(text)), secret, ctypes.c_size_t(len(secret)))
    return out.raw


MASK = kdf(kdf(bytes(KEY_BYTES), b"default network"), b"mask")[:16]


def masked(header, sample):
    """@header with the mask on, or off, that goes with the last bytes @sample of a datagram."""
    out = ctypes.create_string_buffer(SIP_BYTES)
    _sodium.crypto_shorthash_siphashx24(out, sample, ctypes.c_ulonglong(len(sample)), MASK)
    return bytes(a ^ b for a, b in zip(header, out.raw))


def take(datagram):
    """What a datagram is made of."""
    sample = datagram[-TAG:]
    index, counter = struct.unpack(">IQ", masked(datagram[:HEADER], sample))
    return Datagram(index, counter, datagram[HEADER:-TAG], sample)


def put(d):
    """The datagram of those parts, masked as it has to be."""
    return masked(struct.pack(">IQ", d.index, d.counter), d.tag) + d.text + d.tag


def sealed(key, index, counter, text):
    """@text under @key, as one sends it whose session has that key."""
    out = ctypes.create_string_buffer(len(text) + TAG)
    header = struct.pack(">IQ", index, counter)
    _sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        out, None, text, ctypes.c_ulonglong(len(text)), header, ctypes.c_ulonglong(HEADER), None,
        bytes(4) + struct.pack(">Q", counter), key)
    return put(Datagram(index, counter, out.raw[:-TAG], out.raw[-TAG:]))
