"""Streams against a slow reference: RFC 7693 and FIPS 197 written out from their texts, sharing no code with us."""

from __future__ import annotations

import functools
import struct

import numpy as np
import pytest

from mpcnet.algebra import Z64, Label, Streams
from mpcnet.algebra.prg import NO_OWNER, pair_seed, stream_key

MASK = 2**64 - 1
IV = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)


def rotated(word: int, by: int) -> int:
    return (word >> by | word << (64 - by)) & MASK


def reference_blake2b(data: bytes, key: bytes, size: int, person: bytes) -> bytes:
    """RFC 7693 §3.3, with the personalisation field of the BLAKE2 paper's parameter block."""
    block = bytes([size, len(key), 1, 1]) + bytes(28) + bytes(16) + person.ljust(16, b"\0")
    state = [a ^ b for a, b in zip(IV, struct.unpack("<8Q", block), strict=True)]
    message = (key.ljust(128, b"\0") if key else b"") + data
    blocks = [message[start : start + 128] for start in range(0, len(message), 128)] or [b""]
    total = 0
    for number, piece in enumerate(blocks):
        total += len(piece)
        state = compress(state, piece.ljust(128, b"\0"), total, last=number == len(blocks) - 1)
    return struct.pack("<8Q", *state)[:size]


def compress(state: list[int], block: bytes, total: int, *, last: bool) -> list[int]:
    words = struct.unpack("<16Q", block)
    v = [*state, *IV]
    v[12] ^= total
    if last:
        v[14] ^= MASK
    for number in range(12):
        order = SIGMA[number % 10]
        columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
        diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
        for position, (a, b, c, d) in enumerate(columns + diagonals):
            for word, first, second in (
                (words[order[2 * position]], 32, 24),
                (words[order[2 * position + 1]], 16, 63),
            ):
                v[a] = (v[a] + v[b] + word) & MASK
                v[d] = rotated(v[d] ^ v[a], first)
                v[c] = (v[c] + v[d]) & MASK
                v[b] = rotated(v[b] ^ v[c], second)
    return [old ^ v[i] ^ v[i + 8] for i, old in enumerate(state)]


def times(a: int, b: int) -> int:
    """The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    result = 0
    while b:
        result ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return result


@functools.cache
def sbox(byte: int) -> int:
    inverse = next((c for c in range(256) if times(byte, c) == 1), 0)
    bits = [inverse >> i & 1 for i in range(8)]
    return 0x63 ^ sum(
        (bits[i] ^ bits[(i + 4) % 8] ^ bits[(i + 5) % 8] ^ bits[(i + 6) % 8] ^ bits[(i + 7) % 8]) << i
        for i in range(8)
    )


def reference_aes128(key: bytes, block: bytes) -> bytes:
    """FIPS 197 §5.1, column by column."""
    words = [list(key[i : i + 4]) for i in range(0, 16, 4)]
    constant = 1
    for i in range(4, 44):
        word = words[i - 1]
        if i % 4 == 0:
            word = [sbox(byte) for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = times(constant, 2)
        words.append([a ^ b for a, b in zip(words[i - 4], word, strict=True)])
    keys = [[byte for word in words[i : i + 4] for byte in word] for i in range(0, 44, 4)]
    state = [a ^ b for a, b in zip(block, keys[0], strict=True)]
    for number in range(1, 11):
        shifted = [sbox(state[(i + 4 * (i % 4)) % 16]) for i in range(16)]
        if number < 10:
            shifted = [
                times(shifted[i], 2)
                ^ times(shifted[i - i % 4 + (i + 1) % 4], 3)
                ^ shifted[i - i % 4 + (i + 2) % 4]
                ^ shifted[i - i % 4 + (i + 3) % 4]
                for i in range(16)
            ]
        state = [a ^ b for a, b in zip(shifted, keys[number], strict=True)]
    return bytes(state)


def reference_key(seed: bytes, job: bytes, label: Label) -> bytes:
    data = struct.pack("<I", len(job)) + job
    purpose = label.purpose.encode()
    data += struct.pack("<I", len(purpose)) + purpose + struct.pack("<II", label.owner, len(label.fork))
    for part in label.fork:
        data += struct.pack("<I", len(part.encode())) + part.encode()
    data += struct.pack("<QQ", label.node, label.index)
    return reference_blake2b(data, seed, 16, b"mpcnet.stream")


def test_the_reference_is_right() -> None:
    # RFC 7693 appendix A; FIPS 197 appendix C.1.
    assert reference_blake2b(b"abc", b"", 64, b"").hex().startswith("ba80a53f981c4d0d6a2797b69f12f6e9")
    plain, key = bytes.fromhex("00112233445566778899aabbccddeeff"), bytes(range(16))
    assert reference_aes128(key, plain).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


LABELS = [
    Label("input", 0, (), 0, 0),
    Label("zero", NO_OWNER, ("left", "é"), 7, 3),
    Label("zero", NO_OWNER, ("x" * 200,), 2**40, 2**33),
]


@pytest.mark.parametrize("label", LABELS)
def test_stream_keys(label: Label) -> None:
    seed, job = bytes(range(32)), bytes(range(32, 64))
    assert stream_key(seed, job, label) == reference_key(seed, job, label)


@pytest.mark.parametrize("words", [0, 1, 8, 9, 13])
def test_stream_arrays(words: int) -> None:
    """Up to 64 bytes are one keyed hash of that length, more are AES-128 in counter mode from zero."""
    seed, job, label = bytes(range(32)), b"job", LABELS[0]
    key = reference_key(seed, job, label)
    if words <= 8:
        stream = reference_blake2b(b"", key, 8 * words, b"mpcnet.expand")
    else:
        stream = b"".join(reference_aes128(key, counter.to_bytes(16, "big")) for counter in range(words))
    drawn = Streams(seed, job, ()).uniform(Z64, (words,), label)
    assert drawn.tolist() == list(struct.unpack(f"<{words}Q", stream[: 8 * words]))
    assert drawn.dtype == np.uint64


def test_pair_seeds() -> None:
    def part(index: int, share: bytes, life: bytes) -> bytes:
        return struct.pack("<II", index, len(share)) + share + struct.pack("<I", len(life)) + life

    alice, bob = (3, b"a" * 32, b"life of alice"), (12, b"b" * 32, b"")
    wanted = reference_blake2b(part(*alice) + part(*bob), b"", 32, b"mpcnet.pair")
    assert pair_seed(bob, alice) == wanted


def test_known_answers() -> None:
    """Vectors for other implementations; they change only with the protocol's version."""
    assert stream_key(bytes(range(32)), bytes(range(32, 64)), LABELS[0]).hex() == KNOWN_KEY
    assert pair_seed((0, b"a" * 32, b"A"), (1, b"b" * 32, b"B")).hex() == KNOWN_SEED


KNOWN_KEY = "67bb9015cda30777b55db50fea19300a"
KNOWN_SEED = "2d405ba094f87227b83a1a8405a41d01afc6db4364ab36602bf09a2579da76b3"
