"""What is sealed under a passphrase: Argon2id and XSalsa20-Poly1305."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import nacl.bindings as sodium
import nacl.exceptions

from mpcnet.primitives.aead import AEAD_TAG_BYTES, AuthenticationError
from mpcnet.primitives.hashing import Buffer, Randomness, random_bytes

__all__ = (
    "INTERACTIVE",
    "MODERATE",
    "PassphraseCost",
    "open_with_passphrase",
    "seal_with_passphrase",
)

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class PassphraseCost:
    """What one guess at a passphrase costs: passes of Argon2id over `memory_kib` KiB of memory."""

    passes: int
    memory_kib: int


#: About 0.1 s and 64 MiB for each guess; libsodium's own names and choices for both.
INTERACTIVE = PassphraseCost(passes=2, memory_kib=1 << 16)
#: About 0.7 s and 256 MiB for each guess: the default, a key file is opened once per process.
MODERATE = PassphraseCost(passes=3, memory_kib=1 << 18)

# A damaged or hostile file must not make us work for minutes or allocate gigabytes.
_MAX_PASSES = 16
_MAX_MEMORY_KIB = 1 << 20
_SALT_BYTES = 16
_NONCE_BYTES = 24
_HEADER = struct.Struct(f">{_SALT_BYTES}sII{_NONCE_BYTES}s")  # salt, passes, KiB, nonce


def _passphrase_key(passphrase: str, salt: bytes, cost: PassphraseCost) -> bytes:
    return sodium.crypto_pwhash_alg(
        _KEY_BYTES,
        passphrase.encode(),
        salt,
        cost.passes,
        cost.memory_kib * 1024,
        sodium.crypto_pwhash_ALG_ARGON2ID13,
    )


def seal_with_passphrase(
    plaintext: Buffer,
    passphrase: str,
    *,
    cost: PassphraseCost = MODERATE,
    randomness: Randomness = random_bytes,
) -> bytes:
    """Encrypt under a key made from a passphrase by Argon2id; adds 64 bytes.

    Salt and cost stand in front. They are not authenticated by themselves: they are inputs of the key.
    """
    salt, nonce = randomness(_SALT_BYTES), randomness(_NONCE_BYTES)
    key = _passphrase_key(passphrase, salt, cost)
    header = _HEADER.pack(salt, cost.passes, cost.memory_kib, nonce)
    return header + sodium.crypto_secretbox(bytes(plaintext), nonce, key)


def open_with_passphrase(sealed: Buffer, passphrase: str) -> bytes:
    """Undo `seal_with_passphrase`.

    Raises:
        AuthenticationError: wrong passphrase, or the bytes were damaged; these cannot be told apart.
    """
    if len(sealed) < _HEADER.size + AEAD_TAG_BYTES:
        raise AuthenticationError("too short for a sealed text")
    salt, passes, memory_kib, nonce = _HEADER.unpack(sealed[: _HEADER.size])
    if not (1 <= passes <= _MAX_PASSES and 8 <= memory_kib <= _MAX_MEMORY_KIB):
        raise AuthenticationError("the cost in a sealed text is out of bounds")
    key = _passphrase_key(passphrase, salt, PassphraseCost(passes, memory_kib))
    try:
        return sodium.crypto_secretbox_open(bytes(sealed[_HEADER.size :]), nonce, key)
    except nacl.exceptions.CryptoError:
        raise AuthenticationError("wrong passphrase, or damaged bytes") from None
