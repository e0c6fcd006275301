"""X25519 and Ed25519, and sums of points of the latter's curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import nacl.bindings as sodium
import nacl.exceptions

from mpcnet.primitives.hashing import Buffer, check_size

__all__ = (
    "ed25519_add",
    "ed25519_base",
    "ed25519_from_uniform",
    "ed25519_keypair",
    "ed25519_negate_if",
    "ed25519_public_to_x25519",
    "ed25519_seed_to_x25519",
    "ed25519_sign",
    "ed25519_subtract",
    "ed25519_verify",
    "x25519",
    "x25519_public",
)

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64


def x25519(secret: Buffer, public: Buffer) -> bytes:
    """The shared secret of our secret key and a peer's public key (RFC 7748 §6.1).

    Raises:
        ValueError: a key has the wrong size, or the result is all zeros: the peer sent a point of small
            order, whose shared secret does not depend on ours.
    """
    check_size("an X25519 secret key", secret, _KEY_BYTES)
    check_size("an X25519 public key", public, _KEY_BYTES)
    try:
        return sodium.crypto_scalarmult(bytes(secret), bytes(public))
    except nacl.exceptions.RuntimeError:  # libsodium's own check for an all-zero result
        raise ValueError("an X25519 public key of small order") from None


def x25519_public(secret: Buffer) -> bytes:
    """The public key of an X25519 secret key."""
    check_size("an X25519 secret key", secret, _KEY_BYTES)
    return sodium.crypto_scalarmult_base(bytes(secret))


def ed25519_keypair(seed: Buffer) -> tuple[bytes, bytes]:
    """(public key, seed): the pair as RFC 8032 names it, where the seed is the secret key."""
    check_size("an Ed25519 seed", seed, _KEY_BYTES)
    public, _ = sodium.crypto_sign_seed_keypair(bytes(seed))
    return public, bytes(seed)


def ed25519_sign(seed: Buffer, message: Buffer) -> bytes:
    """The 64-byte signature of a message (RFC 8032 §5.1.6)."""
    check_size("an Ed25519 seed", seed, _KEY_BYTES)
    _, expanded = sodium.crypto_sign_seed_keypair(bytes(seed))
    return sodium.crypto_sign(bytes(message), expanded)[:_SIGNATURE_BYTES]


def ed25519_verify(public: Buffer, message: Buffer, signature: Buffer) -> bool:
    """Whether the signature is the key's for the message. Sizes that cannot be right are False too."""
    if len(public) != _KEY_BYTES or len(signature) != _SIGNATURE_BYTES:
        return False
    try:
        sodium.crypto_sign_open(bytes(signature) + bytes(message), bytes(public))
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def ed25519_public_to_x25519(public: Buffer) -> bytes:
    """The X25519 public key at the same point of the curve, in Montgomery form.

    Raises:
        ValueError: not the encoding of a point of the prime-order subgroup.
    """
    check_size("an Ed25519 public key", public, _KEY_BYTES)
    try:
        return sodium.crypto_sign_ed25519_pk_to_curve25519(bytes(public))
    except nacl.exceptions.RuntimeError:
        raise ValueError("not an Ed25519 public key: no point of the prime-order subgroup") from None


def ed25519_seed_to_x25519(seed: Buffer) -> bytes:
    """The X25519 secret key that belongs to `ed25519_public_to_x25519` of the seed's public key."""
    check_size("an Ed25519 seed", seed, _KEY_BYTES)
    _, expanded = sodium.crypto_sign_seed_keypair(bytes(seed))
    return sodium.crypto_sign_ed25519_sk_to_curve25519(expanded)


def ed25519_from_uniform(uniform: Buffer) -> bytes:
    """The point of the prime-order subgroup that Elligator 2 gives for 32 uniform bytes (RFC 9380 §6.7.1, §7).

    No party knows its discrete logarithm. The map is libsodium's: the low 255 bits are the field element, the
    cofactor is cleared, and the sign of x is its own choice, so that only y (and the Montgomery u) agrees with the
    RFC. The library releases the interpreter's lock while it computes; so does `x25519`.
    """
    check_size("what is mapped to a point", uniform, _KEY_BYTES)
    return sodium.crypto_core_ed25519_from_uniform(bytes(uniform))


def ed25519_base(scalar: Buffer) -> bytes:
    """The base point times a scalar of 32 bytes, which is clamped as in RFC 7748 §5: `x25519` clamps it alike."""
    check_size("a scalar", scalar, _KEY_BYTES)
    return sodium.crypto_scalarmult_ed25519_base(bytes(scalar))


def ed25519_add(first: Buffer, second: Buffer) -> bytes:
    """The sum of two points.

    Raises:
        ValueError: one of them is not the encoding of a point on the curve.
    """
    return _point_arithmetic(sodium.crypto_core_ed25519_add, first, second)


def ed25519_subtract(first: Buffer, second: Buffer) -> bytes:
    """The first point less the second; raises as `ed25519_add`."""
    return _point_arithmetic(sodium.crypto_core_ed25519_sub, first, second)


def _point_arithmetic(operation: Callable[[bytes, bytes], bytes], first: Buffer, second: Buffer) -> bytes:
    check_size("a point", first, _KEY_BYTES)
    check_size("a point", second, _KEY_BYTES)
    try:
        return operation(bytes(first), bytes(second))
    except nacl.exceptions.RuntimeError:
        raise ValueError("not the encoding of a point on the curve") from None


def ed25519_negate_if(point: Buffer, condition: int) -> bytes:
    """The point, or its negative if the condition is 1 and not 0; the time does not depend on it.

    The top bit of an encoding is the sign of x (RFC 8032 §5.1.2).
    """
    check_size("a point", point, _KEY_BYTES)
    return bytes(point[:-1]) + bytes([point[-1] ^ (condition << 7)])
