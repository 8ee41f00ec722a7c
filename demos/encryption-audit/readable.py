"""readable.py - can anything that is known be found in what was captured, in clear or encoded?

Keeps to bytes: a needle is looked for as it is, as hex, base32 and base64 at every alignment.
"""

import base64
import collections
import itertools

EDGE = 32  # bytes at either end of a datagram of which the distribution is looked at
LEAST = 2 * EDGE  # the size of datagrams that have both
CHI_MAX = 458.0  # of 255 degrees of freedom: once in 10^12, so once in 10^8 for all positions
VALUES = 256


def aligned(encode, value, group, bits):
    """@value as @encode writes it when it begins at each byte of a group of @group; sure parts."""
    for shift in range(group):
        text = encode(bytes(shift) + value)
        yield text[-(-shift * 8 // bits):(shift + len(value)) * 8 // bits]


def encodings(value):
    """What @value may look like on a wire."""
    forms = [value, value.hex().encode(), value.hex().upper().encode()]
    forms += aligned(base64.b64encode, value, 3, 6)
    forms += aligned(base64.urlsafe_b64encode, value, 3, 6)
    base32 = list(aligned(base64.b32encode, value, 5, 5))
    forms += base32 + [form.lower() for form in base32]
    return list(dict.fromkeys(forms))


def haystack(needles):
    """All forms of all of @needles, a line each: what the control transfers in clear."""
    return b"\n".join(form for value in needles.values() for form in encodings(value)) + b"\n"


def found(needles, data):
    """(names of @needles of which a form is in @data, how many forms there are, how many found)."""
    names, forms, hits = set(), 0, 0
    for name, value in needles.items():
        for form in encodings(value):
            forms += 1
            if form in data:
                hits += 1
                names.add(name)
    return sorted(names), forms, hits


def chi_square(column):
    """How far the values of @column are from equally frequent: near 255 if they are."""
    counts = collections.Counter(column).values()
    return sum(n * n for n in counts) * VALUES / len(column) - len(column)


def xored(left, right):
    """Byte by byte."""
    both = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return both.to_bytes(len(left), "big")


def uneven(datagrams):
    """(worst chi-square, where) over both ends of @datagrams: each position, each XOR of two."""
    datagrams = [d for d in datagrams if len(d) >= LEAST]
    columns = {at: bytes(d[at] for d in datagrams) for at in [*range(EDGE), *range(-EDGE, 0)]}
    worst = max((chi_square(column), f"byte {at}") for at, column in columns.items())
    pairs = itertools.combinations(columns, 2)
    worst_pair = max((chi_square(xored(columns[a], columns[b])), f"bytes {a} xor {b}")
                     for a, b in pairs)
    return max(worst, worst_pair)


def shared(datagrams):
    """Positions at which all of @datagrams have the same byte."""
    return [at for at in range(min(map(len, datagrams))) if len({d[at] for d in datagrams}) == 1]
