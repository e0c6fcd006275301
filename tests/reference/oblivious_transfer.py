"""Slow, obvious versions of the oblivious transfer constructions: integers, loops, and nothing of ours but hashlib.

Curve: Edwards form of RFC 8032 §5.1.4, affine formulas; Montgomery u = (1 + y) / (1 - y). Blocks are encrypted one
by one; fields are polynomials as integers."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int]

BASE_Y = 4 * pow(5, P - 2, P) % P


def x_of(y: int, sign: int) -> int:
    """RFC 8032 §5.1.3."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    return P - x if x & 1 != sign else x


BASE: Point = (x_of(BASE_Y, 0), BASE_Y)


def add(p: Point, q: Point) -> Point:
    product = D * p[0] * q[0] * p[1] * q[1] % P
    x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + product, P - 2, P) % P
    y = (p[1] * q[1] + p[0] * q[0]) * pow(1 - product, P - 2, P) % P
    return x, y


def negative(p: Point) -> Point:
    return -p[0] % P, p[1]


def multiply(scalar: int, p: Point) -> Point:
    total: Point = (0, 1)
    while scalar:
        if scalar & 1:
            total = add(total, p)
        p = add(p, p)
        scalar >>= 1
    return total


def encode(p: Point) -> bytes:
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point:
    value = int.from_bytes(data, "little")
    y = value & (2**255 - 1)
    return x_of(y, value >> 255), y


def u_of(p: Point) -> bytes:
    return ((1 + p[1]) * pow(1 - p[1], P - 2, P) % P).to_bytes(32, "little")


def clamped(scalar: bytes) -> int:
    value = int.from_bytes(scalar, "little")
    return value & ~7 & (2**254 - 1) | 2**254


def blake(data: bytes, size: int, person: bytes, key: bytes = b"") -> bytes:
    return hashlib.blake2b(data, digest_size=size, person=person, key=key).digest()


def prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def base_keys(sid: bytes, first: bytes, scalar: bytes, shift: Point) -> list[tuple[bytes, bytes]]:
    """The sender's keys, by the definition k_ib = KDF(i, r (B_i - b T))."""
    r = clamped(scalar)
    z = encode(multiply(r, BASE))
    keys: list[tuple[bytes, bytes]] = []
    for place in range((len(first) - 16) // 32):
        encoded = first[16 + 32 * place : 48 + 32 * place]
        point = decode(encoded)
        head = prefixed(sid) + place.to_bytes(4, "little") + z + encoded
        zero = u_of(multiply(r, point))
        one = u_of(multiply(r, add(point, negative(shift))))
        keys.append((blake(head + zero, 16, b"mpcnet.ot.key"), blake(head + one, 16, b"mpcnet.ot.key")))
    return keys


def tree_leaves(left: bytes, right: bytes, depth: int) -> list[bytes]:
    """All leaves of one tree, from its two nodes of level 1."""
    nodes = [left, right]
    for _ in range(depth - 1):
        children = [blake(b"", 32, b"mpcnet.ot.node", node) for node in nodes]
        nodes = [part for child in children for part in (child[:16], child[16:])]
    return [blake(b"", 48, b"mpcnet.ot.leaf", node)[32:] for node in nodes]


def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES128(key), modes.ECB()).encryptor().update(block)  # noqa: S305


def stream(leaf: bytes, label: bytes, words: int) -> list[int]:
    """The first words of a leaf's stream in a lot, each as an integer."""
    start = blake(label, 16, b"mpcnet.ot.lot")
    low = int.from_bytes(start[:8], "little") ^ int.from_bytes(blake(b"", 8, b"mpcnet.ot.start", leaf), "little")
    high = int.from_bytes(start[8:], "little") >> 32 << 32
    data = b"".join(
        aes(leaf, low.to_bytes(8, "little") + (high ^ number).to_bytes(8, "little"))
        for number in range(-(-words // 2))
    )
    return [int.from_bytes(data[8 * i : 8 * i + 8], "little") for i in range(words)]


def correlated(
    trees: list[list[bytes]], paths: list[int], label: bytes, words: int, bits: list[int] | None = None
) -> tuple[list[int], list[int], list[list[int]]]:
    """u as words, Δ's bits by plane, and the planes of q = t + u Δ; plane b of t adds leaves that have bit b."""
    depth = len(trees[0]).bit_length() - 1
    sums: list[list[int]] = []
    for tree in trees:
        total = [0] * words
        for leaf in tree:
            total = [a ^ b for a, b in zip(total, stream(leaf, label, words), strict=True)]
        sums.append(total)
    u = sums[0] if bits is None else bits
    delta: list[int] = []
    planes: list[list[int]] = []
    for tree, path in zip(trees, paths, strict=True):
        for bit in range(depth):
            delta.append(path >> bit & 1)
            plane = [0] * words
            for number, leaf in enumerate(tree):
                if number >> bit & 1:
                    plane = [a ^ b for a, b in zip(plane, stream(leaf, label, words), strict=True)]
            planes.append([a ^ (u[i] if path >> bit & 1 else 0) for i, a in enumerate(plane)])
    return u, delta, planes


def hashed(row: int, number: int, label: bytes) -> int:
    """TCCR of [GKWY20] §7.4 for the row of this number."""
    key = blake((number // 2**16).to_bytes(4, "little") + label, 16, b"mpcnet.ot.tccr")
    inner = int.from_bytes(aes(key, row.to_bytes(16, "little")), "little")
    outer = int.from_bytes(aes(key, (inner ^ (number % 2**16)).to_bytes(16, "little")), "little")
    return inner ^ outer


def ghash(key: bytes, data: bytes) -> bytes:
    """GHASH of associated data alone, SP 800-38D §6.4, with the key that AES makes of zeros."""
    h = int.from_bytes(aes(key, bytes(16)), "big")
    total = 0
    padded = data + bytes(-len(data) % 16)
    for block in [padded[i : i + 16] for i in range(0, len(padded), 16)] + [
        (8 * len(data)).to_bytes(8, "big") + bytes(8)
    ]:
        total = _times(total ^ int.from_bytes(block, "big"), h)
    return total.to_bytes(16, "big")


def _times(x: int, y: int) -> int:
    """SP 800-38D §6.3, algorithm 1."""
    product, v = 0, y
    for position in range(127, -1, -1):
        if x >> position & 1:
            product ^= v
        v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return product
