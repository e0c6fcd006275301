"""Oblivious transfer extension: from 128 base transfers to any number of correlated ones [Roy22].

    receiver (bits u)                                                  sender (Δ, 128 bits)
    columns: what makes every tree's sum equal to u    ──────────▶     q = t + u Δ, row by row
                                                       ◀──────────     a key, drawn after the columns came
    check: hashes of u and of the planes of t          ──────────▶     H(q_b) = H(t_b) + Δ_b H(u) for each plane b

The trees are those of `punctured`: 128 / k of them with 2^k leaves. Each leaf is the key of a stream; the receiver,
who has all leaves of tree i, adds the streams up to u_i and to the planes v_ib = sum of those whose leaf has bit b;
the sender, whose leaves are ordered by their distance to the one that it misses, adds up to v_ib + Δ_ib u_i. The
receiver sends u_i + u, and the sender takes that off where its Δ says so: both are left with one u for all 128
planes.

A **lot** is one extension, named by a label that both sides use once: it gives starting counters to all streams, so
that lots need no order among each other. A lot has `MASK_BITS` transfers more than it is asked for; they mask the
hash of u, and are thrown away.

Nothing here depends on the sender's Δ or on the receiver's bits by a branch or an index.

Threat model: malicious, up to what [Roy22] §4 allows: a receiver that sends inconsistent columns is caught unless
it guesses the bits of Δ that its deviation depends on; by going on or not the sender tells whether the guess was
right. After a failed check the base correlation is discarded. The rows are used after `Sender.check` only, and only
hashed (`hashing`), since every lot of a pair has the same Δ.
Bytes: (128 / k - 1) / 8 for each transfer (128 / k / 8 if the bits are chosen), and 2 KiB a lot. Rounds: 3.
Source: [Roy22], subspace VOLE for the repetition code and its consistency check (§4), with GHASH as the linear
universal hash. Deviates: k base transfers a tree, of one batch for all trees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Words
from mpcnet.algebra.bits import transpose_planes
from mpcnet.algebra.domain import as_buffer
from mpcnet.correlated.ot.punctured import Leaves
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import AesBlocks, Gmac, blake2b, equal

__all__ = (
    "CHALLENGE_BYTES",
    "CHECK_BYTES",
    "MASK_BITS",
    "MAX_LOT",
    "Receiver",
    "ReceiverBase",
    "Sender",
    "SenderBase",
    "columns_bytes",
)

KAPPA: Final = 128
_BLOCK_BYTES: Final = 16
CHALLENGE_BYTES: Final = 16
CHECK_BYTES: Final = 16 * (KAPPA + 1)
MASK_BITS: Final = 256
"""Two blocks of GHASH: one alone makes the hash of u uniform whatever the rest of u is, unless the hash's point is
zero; rows come by 64, and 128 + σ are what a general linear hash would take."""
MAX_LOT: Final = 2**19
"""Transfers in a lot: 4 MiB of columns at k = 2, 8 MiB of rows on each side."""
_WORDS_AT_ONCE: Final = 2048
"""Words of each stream that are worked on at a time, so that all trees' streams stay in the second-level cache."""


class _Streams:
    """The streams of all leaves of one side.

    Args:
        leaves: shape (trees, width, 16).
        skip: leaves of each tree that this side lacks, from the first: 0 or 1.
    """

    def __init__(self, leaves: Leaves, skip: int) -> None:
        self.trees, self.width, _ = leaves.shape
        self.depth = self.width.bit_length() - 1
        flat = leaves.reshape(-1, _BLOCK_BYTES)
        keys = [None if place % self.width < skip else leaf.tobytes() for place, leaf in enumerate(flat)]
        self._ciphers = [None if key is None else AesBlocks(key) for key in keys]
        # Each stream begins elsewhere: with one start for all, one guessed key would be tried against all of them.
        own = [
            b"\0" * 8 if key is None else blake2b(b"", key=key, size=8, person=b"mpcnet.ot.start") for key in keys
        ]
        self._starts = np.frombuffer(b"".join(own), np.uint64)

    def fold(self, start: NDArray[np.uint64], first: int, words: int) -> tuple[Words, Words]:
        """The sums of words first to first + words of the streams.

        Args:
            start: the lot's, of 2 words.
            first: even.
        Returns:
            The sum of each tree, shape (trees, words), and its planes, shape (trees, depth, words).
        """
        blocks = -(-words // 2)
        counters = np.empty((blocks, 2), np.uint64)
        counters[:, 1] = np.arange(first // 2, first // 2 + blocks, dtype=np.uint64) ^ start[1]
        size = 16 * blocks
        # Each cipher writes behind the one before it, and over the block of room that OpenSSL asks that one for.
        memory = AesBlocks.room(self.trees * self.width * blocks)
        for place, cipher in enumerate(self._ciphers):
            if cipher is None:
                memory[place * size : (place + 1) * size] = 0
            else:
                counters[:, 0] = self._starts[place] ^ start[0]
                cipher.encrypt(counters, memory[place * size :])
        streams = memory[:-_BLOCK_BYTES].view(np.uint64).reshape(self.trees, self.width, 2 * blocks)
        planes = np.empty((self.trees, self.depth, 2 * blocks), np.uint64)
        for bit in range(self.depth - 1, -1, -1):
            half = 1 << bit
            high = streams[:, half : 2 * half]
            np.bitwise_xor.reduce(high, axis=1, out=planes[:, bit])
            streams[:, :half] ^= high
        return streams[:, 0, :words], planes[:, :, :words]


class SenderBase:
    """The side that holds Δ, for one pair and direction, as long as both incarnations live.

    Args:
        leaves: of `puncture`: shape (128 / k, 2^k, 16), zeros at place 0.
        paths: shape (128 / k, k), highest bit first; Δ consists of them.
        peer: name of the receiver.
    """

    def __init__(self, leaves: Leaves, paths: NDArray[np.uint8], peer: str) -> None:
        self.peer: str = peer
        self.streams: _Streams = _Streams(leaves, 1)
        bits = np.ascontiguousarray(paths[:, ::-1])
        self.delta: Words = np.packbits(bits.reshape(-1), bitorder="little").view(np.uint64)
        """Two words; plane k i + b of the rows belongs to bit b of tree i."""
        self.delta_masks: Words = np.negative(bits.astype(np.uint64))
        """Shape (128 / k, k): all ones where Δ has a one."""
        self._labels = _Labels()

    def __repr__(self) -> str:
        return f"SenderBase(peer={self.peer!r})"

    def lot(self, label: bytes, count: int, *, chosen: bool) -> Sender:
        """Begin a lot.

        Raises:
            LocalError: the label was used, the base correlation was discarded, or the count is out of range.
        """
        self._labels.use(label, count)
        return Sender(self, label, count, chosen=chosen)

    def discard(self) -> None:
        """Give Δ up, for good: a check has failed, or the peer is another incarnation now."""
        self._labels.discard()


class ReceiverBase:
    """The side that holds all leaves.

    Args:
        leaves: of `spread`.
        peer: name of the sender.
    """

    def __init__(self, leaves: Leaves, peer: str) -> None:
        self.peer: str = peer
        self.streams: _Streams = _Streams(leaves, 0)
        self._labels = _Labels()

    def __repr__(self) -> str:
        return f"ReceiverBase(peer={self.peer!r})"

    def lot(
        self, label: bytes, count: int, *, choices: Words | None = None, randomness: Callable[[int], bytes]
    ) -> Receiver:
        """Begin a lot; see `Receiver`."""
        self._labels.use(label, count)
        return Receiver(self, label, count, choices, randomness)

    def discard(self) -> None:
        """As `SenderBase.discard`."""
        self._labels.discard()


class _Labels:
    """The labels that were used under one base correlation: a second use would open the choices of both."""

    def __init__(self) -> None:
        self._used: set[bytes] = set()
        self._discarded = False

    def use(self, label: bytes, count: int) -> None:
        if self._discarded:
            raise LocalError("this base correlation was discarded")
        if not 0 < count <= MAX_LOT:
            raise LocalError(f"a lot has 1 to {MAX_LOT} transfers, not {count}")
        # What the streams see of a label is its 128-bit hash: two labels of one hash are one label.
        name = start_of(label).tobytes()
        if name in self._used:
            raise LocalError("a lot of oblivious transfers was named by a label that has been used")
        self._used.add(name)

    def discard(self) -> None:
        self._discarded = True


def start_of(label: bytes) -> Words:
    """Where the streams of a lot begin: two words, whose low 32 bits of the second are zero."""
    words = np.frombuffer(blake2b(label, size=16, person=b"mpcnet.ot.lot"), np.uint64).copy()
    words[1] &= np.uint64(0xFFFF_FFFF_0000_0000)
    return words


def words_of(count: int) -> int:
    """Words of a column: the transfers asked for, and those that mask the check, a whole number of GHASH blocks."""
    return 2 * (-(-count // 128)) + MASK_BITS // 64


def columns_bytes(count: int, depth: int, *, chosen: bool) -> int:
    """Size of the receiver's first message."""
    return 8 * words_of(count) * (KAPPA // depth - (0 if chosen else 1))


class Receiver:
    """One lot at the side that chooses.

    `columns` is its first message, `check` makes its answer to the challenge; `bits` (packed) and `rows` hold the
    transfers: rows[i] = the sender's rows[i] + bits[i] Δ.
    """

    def __init__(
        self,
        base: ReceiverBase,
        label: bytes,
        count: int,
        choices: Words | None,
        randomness: Callable[[int], bytes],
    ) -> None:
        words = words_of(count)
        streams = base.streams
        start = start_of(label)
        self.label: bytes = label
        self.count: int = count
        self._planes = np.empty((KAPPA, words), np.uint64)
        sums = np.empty((streams.trees, words), np.uint64)
        for first in range(0, words, _WORDS_AT_ONCE):
            piece = min(_WORDS_AT_ONCE, words - first)
            total, planes = streams.fold(start, first, piece)
            sums[:, first : first + piece] = total
            self._planes[:, first : first + piece] = planes.reshape(KAPPA, piece)
        if choices is None:
            bits = sums[0].copy()
            sent = sums[1:] ^ bits
        else:
            bits = np.frombuffer(randomness(8 * words), np.uint64).copy()
            bits[: len(choices)] = choices
            sent = sums ^ bits
        self._all_bits = bits
        self.columns: memoryview = as_buffer(sent)

    def __repr__(self) -> str:
        return f"Receiver(count={self.count})"

    @property
    def bits(self) -> Words:
        """The choices, packed, ceil(count / 64) words; bits beyond the count are random."""
        packed: Words = self._all_bits[: -(-self.count // 64)]
        return packed

    def check(self, challenge: memoryview) -> bytes:
        """The answer to the sender's challenge."""
        planes = np.concatenate([self._all_bits[None], self._planes])
        return Gmac(challenge, planes.shape[1] * 8).hash(planes).tobytes()

    def rows(self) -> Words:
        """Shape (count, 2)."""
        return transpose_planes(self._planes)[: self.count]


class Sender:
    """One lot at the side that holds Δ: `read` takes the columns and gives the challenge, `check` the answer."""

    def __init__(self, base: SenderBase, label: bytes, count: int, *, chosen: bool) -> None:
        self.label: bytes = label
        self.count: int = count
        self._base = base
        self._chosen = chosen
        self._planes: Words | None = None
        self._challenge = b""
        self._checked = False

    def __repr__(self) -> str:
        return f"Sender(count={self.count})"

    def read(self, columns: memoryview, randomness: Callable[[int], bytes]) -> bytes:
        """Take the columns; returns the challenge, which is drawn only now."""
        streams, words = self._base.streams, words_of(self.count)
        start = start_of(self.label)
        received = np.frombuffer(columns, np.uint64).reshape(-1, words)
        # The first tree defines random bits: nothing is taken off it.
        offset = 0 if self._chosen else 1
        masks = self._base.delta_masks[offset:, :, None]
        planes = np.empty((streams.trees, streams.depth, words), np.uint64)
        for first in range(0, words, _WORDS_AT_ONCE):
            piece = min(_WORDS_AT_ONCE, words - first)
            _, made = streams.fold(start, first, piece)
            made[offset:] ^= received[:, None, first : first + piece] & masks
            planes[:, :, first : first + piece] = made
        self._planes = planes.reshape(KAPPA, words)
        self._challenge = randomness(CHALLENGE_BYTES)
        return self._challenge

    def check(self, answer: memoryview) -> None:
        """Hold the receiver's hashes against ours.

        Raises:
            PeerViolation: the columns were not those of one u. The base correlation is discarded.
        """
        if self._planes is None:
            raise LocalError("the check of a lot comes after its columns")
        hashes = np.frombuffer(answer, np.uint64).reshape(KAPPA + 1, 2)
        ours = Gmac(self._challenge, self._planes.shape[1] * 8).hash(self._planes)
        expected = hashes[1:] ^ (hashes[:1] & self._base.delta_masks.reshape(KAPPA, 1))
        if not equal(ours.tobytes(), expected.tobytes()):
            self._base.discard()
            raise PeerViolation(self._base.peer, "sent columns of oblivious transfers that do not agree")
        self._checked = True

    def rows(self) -> Words:
        """Shape (count, 2), the row of choice 0; that of choice 1 is this plus Δ.

        Raises:
            LocalError: the lot has not been checked.
        """
        if self._planes is None or not self._checked:
            raise LocalError("the rows of a lot are used after its check")
        return transpose_planes(self._planes)[: self.count]
