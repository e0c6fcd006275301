"""From correlated rows to independent keys: a tweakable, circularly correlation-robust hash of many rows at once.

    H(i, x) = P(P(x) + i) + P(x),    P = AES-128 under a public key, + is XOR, i numbers rows and their blocks

Source: [GKWY20] §7.4 (TCCR), in the ideal-cipher model. A key serves `ROWS_PER_KEY` blocks and is derived from the
lot's label, which holds the nonces of both parties through the job id: an adversary who works ahead attacks one
key's rows, not all rows there ever are. With R rows a key, 128 - log2(R) bits are left: 112.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mpcnet.algebra import Words
from mpcnet.primitives import AesBlocks, blake2b

__all__ = ("ROWS_PER_KEY", "hash_rows")

ROWS_PER_KEY: Final = 2**16


def hash_rows(rows: Words, label: bytes, blocks: int = 1, first: int = 0) -> Words:
    """The hash of some rows of a lot.

    Args:
        rows: shape (n, 2), 128 bits each; both parties number them alike.
        label: the lot's.
        blocks: how many blocks of 128 bits to make of each row.
        first: number of the first block: below it are those of the rows before.
    Returns:
        Shape (n, 2 `blocks`).
    """
    repeated = np.ascontiguousarray(rows if blocks == 1 else np.repeat(rows, blocks, axis=0))
    hashed = np.empty_like(repeated)
    most = min(len(repeated), ROWS_PER_KEY)
    room, other = AesBlocks.room(most), AesBlocks.room(most)
    start = 0
    while start < len(repeated):
        key, number = divmod(first + start, ROWS_PER_KEY)
        end = min(len(repeated), start + ROWS_PER_KEY - number)
        cipher = AesBlocks(blake2b(key.to_bytes(4, "little") + label, size=16, person=b"mpcnet.ot.tccr"))
        inner = cipher.encrypt(repeated[start:end], room).view(np.uint64).reshape(-1, 2)
        tweaked = inner.copy()
        tweaked[:, 0] ^= np.arange(number, number + end - start, dtype=np.uint64)
        outer = cipher.encrypt(tweaked, other).view(np.uint64).reshape(-1, 2)
        np.bitwise_xor(inner, outer, out=hashed[start:end])
        start = end
    return hashed.reshape(len(rows), 2 * blocks)
