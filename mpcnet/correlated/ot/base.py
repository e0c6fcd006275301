"""Base oblivious transfer: a batch of random OTs by Diffie-Hellman, with an extractable receiver [CSW20] §4.

    receiver (choice bits b_i)                              sender
    1. seed, B_i = a_i G + b_i T         ──────────▶        T = hash to the curve of (sid, seed)
                                         ◀──────────  2.    z = r G, challenges X_i, proof P
    3. response A'                       ──────────▶        A' = A, else the receiver did not follow

    keys      k_i0 = KDF(i, r B_i),  k_i1 = KDF(i, r (B_i - T));  the receiver has KDF(i, a_i z), which is k_i,b_i
    check     h_ib = H(k_ib),  X_i = h_i0 + h_i1,  A = H(h_10, ..., h_l0),  P = H(A);  + is XOR
              the receiver finds every h_i0 from its own key and X_i, compares P, and answers with A

The check makes the receiver ask the random oracle for its keys, so that a simulator reads its choices; and P lets
the receiver see that the challenges are right before its answer could tell a choice (a selective failure).

Machines without I/O: each side is an object, one method for each message that it reads.

Threat model: malicious, for batches of at least 80; CDH on Curve25519 in the observable random oracle model. The
sender's second message may be used before the third has come only for what a cheating receiver may have: the caller
uses no result of the extension before `Sender.finish`.
Leaks: nothing. Rounds: 3. Bytes: 16 + 32 l from the receiver, then 48 + 16 l from the sender, then 16.
Source: [CSW20], the protocol for random OT with selective failure: a sender that changes a challenge learns a
choice by whether the receiver goes on. Deviates: points are added in Edwards form and multiplied in Montgomery form
(X25519), where P and -P are one; the receiver flips the sign of a_i G at random, since clamped scalars alone would
reach half of the group only. T is the sum of two Elligator maps, which makes it indifferentiable from a random
point [RFC 9380 §3].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra.prg import prefixed
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import (
    blake2b,
    ed25519_add,
    ed25519_base,
    ed25519_from_uniform,
    ed25519_negate_if,
    ed25519_public_to_x25519,
    ed25519_subtract,
    equal,
    x25519,
)

__all__ = ("KEY_BYTES", "LEAST", "BaseReceiver", "BaseSender", "first_bytes", "second_bytes", "third_bytes")

KEY_BYTES: Final = 16
LEAST: Final = 80
"""[CSW20] wants more than 2 σ transfers in a batch."""
_POINT_BYTES: Final = 32
_SEED_BYTES: Final = 16

Keys = NDArray[np.uint8]
"""Shape (count, 16)."""


def first_bytes(count: int) -> int:
    """Size of the receiver's first message."""
    return _SEED_BYTES + _POINT_BYTES * count


def second_bytes(count: int) -> int:
    """Size of the sender's message."""
    return _POINT_BYTES + KEY_BYTES * count + KEY_BYTES


def third_bytes() -> int:
    """Size of the receiver's answer."""
    return KEY_BYTES


class BaseReceiver:
    """The side that chooses.

    Args:
        sid: names this batch: both parties, their incarnations, and who chooses.
        choices: of 0 and 1.
        randomness: n to n uniform bytes.
        peer: name of the sender, for errors.
    """

    def __init__(self, sid: bytes, choices: Sequence[int], randomness: Callable[[int], bytes], peer: str) -> None:
        _check_count(len(choices))
        self._sid = sid
        self._peer = peer
        self._choices = np.array(choices, np.uint8)
        seed = randomness(_SEED_BYTES)
        shift = _shift(sid, seed)
        self._scalars = [randomness(32) for _ in choices]
        signs = np.unpackbits(np.frombuffer(randomness(-(-len(choices) // 8)), np.uint8))
        points: list[bytes] = []
        for scalar, choice, sign in zip(self._scalars, choices, signs.tolist(), strict=False):
            plain = ed25519_negate_if(ed25519_base(scalar), sign)
            points.append(_selected(plain, ed25519_add(plain, shift), choice))
        self._points = points
        self.first: bytes = seed + b"".join(points)
        self._keys: Keys | None = None

    def __repr__(self) -> str:
        return f"BaseReceiver(count={len(self._choices)})"

    @property
    def keys(self) -> Keys:
        """The key of each choice, shape (count, 16); known when `read` has returned."""
        return _known(self._keys)

    def read(self, message: memoryview) -> bytes:
        """The sender's message; returns our answer.

        Raises:
            PeerViolation: a point that no honest party sends, or challenges that do not fit the keys.
        """
        count = len(self._choices)
        z = bytes(message[:_POINT_BYTES])
        table = np.frombuffer(message[_POINT_BYTES:], np.uint8).reshape(count + 1, KEY_BYTES)
        challenges, proof = table[:count], table[count].tobytes()
        try:
            base = ed25519_public_to_x25519(z)
            keys = [
                _key(self._sid, place, z, point, x25519(scalar, base))
                for place, (point, scalar) in enumerate(zip(self._points, self._scalars, strict=True))
            ]
        except ValueError:
            raise PeerViolation(self._peer, "sent a point of small order in a base oblivious transfer") from None
        hashed = np.frombuffer(b"".join(_hash(self._sid, key) for key in keys), np.uint8).reshape(count, KEY_BYTES)
        answer = _aggregate(self._sid, hashed ^ (challenges & _mask(self._choices)[:, None]))
        if not equal(_hash(self._sid, answer), proof):
            raise PeerViolation(self._peer, "sent challenges that do not fit its base oblivious transfers")
        self._scalars = []
        self._keys = np.frombuffer(b"".join(keys), np.uint8).reshape(count, KEY_BYTES)
        return answer


class BaseSender:
    """The side that gets both keys of each transfer.

    Args:
        sid: as the receiver's.
        count: how many transfers.
        randomness: n to n uniform bytes.
        peer: name of the receiver, for errors.
    """

    def __init__(self, sid: bytes, count: int, randomness: Callable[[int], bytes], peer: str) -> None:
        _check_count(count)
        self._sid = sid
        self._count = count
        self._peer = peer
        self._scalar = randomness(32)
        self._answer = b""
        self._keys: Keys | None = None

    def __repr__(self) -> str:
        return f"BaseSender(count={self._count})"

    @property
    def keys(self) -> Keys:
        """Both keys of each transfer, shape (count, 2, 16); known when `read` has returned."""
        return _known(self._keys)

    def read(self, message: memoryview) -> bytes:
        """The receiver's first message; returns ours.

        Raises:
            PeerViolation: a point outside of the subgroup of prime order.
        """
        shift = _shift(self._sid, bytes(message[:_SEED_BYTES]))
        z = ed25519_base(self._scalar)
        keys: list[bytes] = []
        try:
            for place in range(self._count):
                start = _SEED_BYTES + _POINT_BYTES * place
                point = bytes(message[start : start + _POINT_BYTES])
                for candidate in (point, ed25519_subtract(point, shift)):
                    shared = x25519(self._scalar, ed25519_public_to_x25519(candidate))
                    keys.append(_key(self._sid, place, z, point, shared))
        except ValueError:
            raise PeerViolation(
                self._peer, "sent what is no point of the curve's prime-order group in a base oblivious transfer"
            ) from None
        self._scalar = b""
        hashed = np.frombuffer(b"".join(_hash(self._sid, key) for key in keys), np.uint8)
        hashed = hashed.reshape(self._count, 2, KEY_BYTES)
        self._answer = _aggregate(self._sid, hashed[:, 0])
        self._keys = np.frombuffer(b"".join(keys), np.uint8).reshape(self._count, 2, KEY_BYTES)
        challenges = hashed[:, 0] ^ hashed[:, 1]
        return z + challenges.tobytes() + _hash(self._sid, self._answer)

    def finish(self, message: memoryview) -> None:
        """The receiver's answer.

        Raises:
            PeerViolation: it is not the one that belongs to our keys.
        """
        if not self._answer:
            raise LocalError("the answer of a base oblivious transfer is read after its first message")
        if not equal(bytes(message), self._answer):
            raise PeerViolation(self._peer, "did not answer the challenge of its base oblivious transfers")


def _known(keys: Keys | None) -> Keys:
    if keys is None:
        raise LocalError("the keys of base oblivious transfers are known when the peer's message has been read")
    return keys


def _check_count(count: int) -> None:
    if count < LEAST:
        raise LocalError(f"a batch has at least {LEAST} base oblivious transfers, not {count}")


def _shift(sid: bytes, seed: bytes) -> bytes:
    """T: a point whose discrete logarithm no party knows."""
    uniform = blake2b(prefixed(sid) + seed, size=64, person=b"mpcnet.ot.shift")
    return ed25519_add(ed25519_from_uniform(uniform[:32]), ed25519_from_uniform(uniform[32:]))


def _key(sid: bytes, place: int, z: bytes, point: bytes, shared: bytes) -> bytes:
    """H_2: binds batch, place and both points."""
    data = prefixed(sid) + place.to_bytes(4, "little") + z + point + shared
    return blake2b(data, size=KEY_BYTES, person=b"mpcnet.ot.key")


def _hash(sid: bytes, key: bytes) -> bytes:
    """H_3."""
    return blake2b(prefixed(sid) + key, size=KEY_BYTES, person=b"mpcnet.ot.hash")


def _aggregate(sid: bytes, hashed: Keys) -> bytes:
    """H_4."""
    return blake2b(prefixed(sid) + hashed.tobytes(), size=KEY_BYTES, person=b"mpcnet.ot.answer")


def _mask(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0 to 0, 1 to 255."""
    return np.negative(bits)


def _selected(zero: bytes, one: bytes, choice: int) -> bytes:
    """One of two, without a branch or an index that depends on the choice."""
    mask = int.from_bytes(bytes([-choice & 0xFF]) * len(zero), "little")
    first, second = int.from_bytes(zero, "little"), int.from_bytes(one, "little")
    return (first ^ (mask & (first ^ second))).to_bytes(len(zero), "little")
