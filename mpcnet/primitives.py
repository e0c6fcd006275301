"""Cryptographic operations under one name each; the only importer of PyNaCl and cryptography.

Nothing is decided here: every function is one operation of one standard, with sizes checked and the errors of
the libraries turned into `ValueError`. A key of the wrong size is the mistake of our own code and also raises
`ValueError`; data of a peer reach only `Aead.decrypt`, `Aead.decrypt_into`, `x25519`, `ed25519_verify` and
`ed25519_public_to_x25519`, whose failures are documented there.

    randomness      random_bytes
    hashing         blake2b, equal (in constant time)
    X25519          x25519, x25519_public                               RFC 7748
    Ed25519         ed25519_keypair, ed25519_sign, ed25519_verify       RFC 8032, and its X25519 form
                    ed25519_from_uniform: hashes as points              Elligator 2, RFC 9380 §6.7.1
    AEAD            Aead: AES-256-GCM and ChaCha20-Poly1305             SP 800-38D, RFC 8439
                    ed25519_base, ed25519_add, ed25519_subtract, ed25519_negate_if: sums of points
    streams         aes_ctr, aes_ctr_into: AES-128 in counter mode      SP 800-38A
    blocks          AesBlocks: AES-128 on independent blocks            FIPS 197
    hashing         Gmac: GHASH as a universal hash over GF(2^128)      SP 800-38D
    passphrases     seal_with_passphrase, open_with_passphrase          RFC 9106 (Argon2id), XSalsa20-Poly1305
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import nacl.bindings as sodium
import nacl.exceptions
import nacl.pwhash.argon2id
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from numpy.typing import NDArray

__all__ = (
    "AEAD_TAG_BYTES",
    "INTERACTIVE",
    "MODERATE",
    "Aead",
    "AeadName",
    "AesBlocks",
    "AuthenticationError",
    "Buffer",
    "Gmac",
    "PassphraseCost",
    "Randomness",
    "aes_ctr",
    "aes_ctr_into",
    "blake2b",
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
    "equal",
    "open_with_passphrase",
    "openssl_version",
    "random_bytes",
    "seal_with_passphrase",
    "wipe",
    "x25519",
    "x25519_public",
)

#: Bytes in a row. Of a numpy array pass `array.data`, contiguous and of one-byte items.
Buffer: TypeAlias = bytes | bytearray | memoryview

#: Where secrets come from: `random_bytes`, or a fixed stream in tests and vectors.
Randomness: TypeAlias = Callable[[int], bytes]

AeadName: TypeAlias = Literal["AESGCM", "ChaChaPoly"]

AEAD_TAG_BYTES = 16

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_AES_KEY_BYTES = 16
_BLOCK_BYTES = 16
_GMAC_NONCE = bytes(12)
_COUNTER_FROM_ZERO = modes.CTR(bytes(16))
# Keystream is written in pieces this long: the zeros and the piece stay in the second-level cache.
_ZEROS = bytes(1 << 17)


class AuthenticationError(ValueError):
    """A ciphertext is not what the holder of the key made: wrong key, nonce, associated data or bytes."""


def random_bytes(count: int) -> bytes:
    """Bytes from the operating system's generator, for keys, nonces and seeds."""
    return os.urandom(count)


def equal(a: Buffer, b: Buffer) -> bool:
    """Whether two buffers hold the same bytes, in a time that depends on their lengths only."""
    return hmac.compare_digest(a, b)


def wipe(buffer: bytearray | memoryview) -> None:
    """Overwrite a writable, contiguous buffer with zeros."""
    view = memoryview(buffer).cast("B")
    view[:] = bytes(len(view))


def blake2b(data: Buffer, *, key: Buffer = b"", size: int = 32, person: Buffer = b"") -> bytes:
    """BLAKE2b (RFC 7693), keyed if `key` is given.

    Args:
        data: what is hashed.
        key: at most 64 bytes; makes the hash a pseudorandom function.
        size: 1 to 64, bytes of the result.
        person: at most 16 bytes that tell one use from another.
    """
    return hashlib.blake2b(data, digest_size=size, key=key, person=person).digest()


def _check_size(name: str, buffer: Buffer, expected: int) -> None:
    if len(buffer) != expected:
        raise ValueError(f"{name} must have {expected} bytes, not {len(buffer)}")


# --- X25519 and Ed25519


def x25519(secret: Buffer, public: Buffer) -> bytes:
    """The shared secret of our secret key and a peer's public key (RFC 7748 §6.1).

    Raises:
        ValueError: a key has the wrong size, or the result is all zeros: the peer sent a point of small
            order, whose shared secret does not depend on ours.
    """
    _check_size("an X25519 secret key", secret, _KEY_BYTES)
    _check_size("an X25519 public key", public, _KEY_BYTES)
    try:
        return sodium.crypto_scalarmult(bytes(secret), bytes(public))
    except nacl.exceptions.RuntimeError:  # libsodium's own check for an all-zero result
        raise ValueError("an X25519 public key of small order") from None


def x25519_public(secret: Buffer) -> bytes:
    """The public key of an X25519 secret key."""
    _check_size("an X25519 secret key", secret, _KEY_BYTES)
    return sodium.crypto_scalarmult_base(bytes(secret))


def ed25519_keypair(seed: Buffer) -> tuple[bytes, bytes]:
    """(public key, seed): the pair as RFC 8032 names it, where the seed is the secret key."""
    _check_size("an Ed25519 seed", seed, _KEY_BYTES)
    public, _ = sodium.crypto_sign_seed_keypair(bytes(seed))
    return public, bytes(seed)


def ed25519_sign(seed: Buffer, message: Buffer) -> bytes:
    """The 64-byte signature of a message (RFC 8032 §5.1.6)."""
    _check_size("an Ed25519 seed", seed, _KEY_BYTES)
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
    _check_size("an Ed25519 public key", public, _KEY_BYTES)
    try:
        return sodium.crypto_sign_ed25519_pk_to_curve25519(bytes(public))
    except nacl.exceptions.RuntimeError:
        raise ValueError("not an Ed25519 public key: no point of the prime-order subgroup") from None


def ed25519_seed_to_x25519(seed: Buffer) -> bytes:
    """The X25519 secret key that belongs to `ed25519_public_to_x25519` of the seed's public key."""
    _check_size("an Ed25519 seed", seed, _KEY_BYTES)
    _, expanded = sodium.crypto_sign_seed_keypair(bytes(seed))
    return sodium.crypto_sign_ed25519_sk_to_curve25519(expanded)


def ed25519_from_uniform(uniform: Buffer) -> bytes:
    """The point of the prime-order subgroup that Elligator 2 gives for 32 uniform bytes (RFC 9380 §6.7.1, §7).

    Nobody knows its discrete logarithm. The map is libsodium's: the low 255 bits are the field element, the
    cofactor is cleared, and the sign of x is its own choice, so that only y (and the Montgomery u) agrees with the
    RFC. The library releases the interpreter's lock while it computes; so does `x25519`.
    """
    _check_size("what is mapped to a point", uniform, _KEY_BYTES)
    return sodium.crypto_core_ed25519_from_uniform(bytes(uniform))


def ed25519_base(scalar: Buffer) -> bytes:
    """The base point times a scalar of 32 bytes, which is clamped as in RFC 7748 §5: `x25519` clamps it alike."""
    _check_size("a scalar", scalar, _KEY_BYTES)
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
    _check_size("a point", first, _KEY_BYTES)
    _check_size("a point", second, _KEY_BYTES)
    try:
        return operation(bytes(first), bytes(second))
    except nacl.exceptions.RuntimeError:
        raise ValueError("not the encoding of a point on the curve") from None


def ed25519_negate_if(point: Buffer, condition: int) -> bytes:
    """The point, or its negative if the condition is 1 and not 0; the time does not depend on it.

    The top bit of an encoding is the sign of x (RFC 8032 §5.1.2).
    """
    _check_size("a point", point, _KEY_BYTES)
    return bytes(point[:-1]) + bytes([point[-1] ^ (condition << 7)])


# --- authenticated encryption


class Aead:
    """One AEAD cipher under one 32-byte key. A nonce is used once: the caller counts.

    Args:
        name: "AESGCM" (AES-256-GCM) or "ChaChaPoly" (ChaCha20-Poly1305 of RFC 8439).
        key: 32 bytes.

    Everywhere `ad`, the associated data, is authenticated and not encrypted; None is the same as empty.
    """

    __slots__ = ("_cipher", "encrypt_into", "name")

    def __init__(self, name: AeadName, key: Buffer) -> None:
        _check_size("an AEAD key", key, _KEY_BYTES)
        self.name: AeadName = name
        self._cipher = AESGCM(key) if name == "AESGCM" else ChaCha20Poly1305(key)
        # Write ciphertext and tag to `out`, exactly 16 bytes longer than the plaintext; returns its size. Every
        # record passes here: the library's own method, without one of ours around it.
        self.encrypt_into: Callable[[Buffer, Buffer, Buffer | None, Buffer], int] = self._cipher.encrypt_into

    def __repr__(self) -> str:
        return f"Aead({self.name!r})"

    def decrypt_into(
        self, nonce: Buffer, ciphertext: Buffer, ad: Buffer | None, out: bytearray | memoryview
    ) -> int:
        """Write the plaintext to `out`, exactly 16 bytes shorter than the ciphertext; returns its size.

        Raises:
            AuthenticationError: wrong tag, or too short to have one. `out` holds zeros: the library
                decrypts before it knows the tag, and what it wrote is the attacker's choice.
        """
        try:
            return self._cipher.decrypt_into(nonce, ciphertext, ad, out)
        except InvalidTag:
            wipe(out)
            raise AuthenticationError("the authentication tag does not fit") from None

    def encrypt(self, nonce: Buffer, plaintext: Buffer, ad: Buffer | None) -> bytes:
        """Ciphertext and tag."""
        return self._cipher.encrypt(nonce, plaintext, ad)

    def decrypt(self, nonce: Buffer, ciphertext: Buffer, ad: Buffer | None) -> bytes:
        """The plaintext.

        Raises:
            AuthenticationError: wrong tag, or too short to have one.
        """
        try:
            return self._cipher.decrypt(nonce, ciphertext, ad)
        except InvalidTag:
            raise AuthenticationError("the authentication tag does not fit") from None


# --- streams


def aes_ctr_into(key: Buffer, out: NDArray[Any]) -> None:
    """Fill a contiguous array with the keystream of AES-128 in counter mode, counting from zero.

    The start is always the same, so a key stands for exactly one stream: derive a new key for each.

    Args:
        key: 16 bytes.
        out: contiguous, writable, of any fixed-size type.
    """
    _check_size("an AES-128 key", key, _AES_KEY_BYTES)
    if not out.flags.c_contiguous:
        raise ValueError("the keystream needs a contiguous array")
    stream = out.reshape(-1).view(np.uint8).data
    encryptor = Cipher(algorithms.AES128(key), _COUNTER_FROM_ZERO).encryptor()
    for start in range(0, len(stream), len(_ZEROS)):
        piece = stream[start : start + len(_ZEROS)]
        encryptor.update_into(memoryview(_ZEROS)[: len(piece)], piece)


def aes_ctr(key: Buffer, nbytes: int) -> NDArray[np.uint8]:
    """The first bytes of the keystream of AES-128 in counter mode, counting from zero.

    A key stands for exactly one stream: two calls with one key return the same bytes.
    """
    out = np.empty(nbytes, np.uint8)
    aes_ctr_into(key, out)
    return out


class AesBlocks:
    """AES-128 under one key, on many independent blocks at once. To make one takes ten times as long as a call.

    Args:
        key: 16 bytes.
    """

    __slots__ = ("_encrypt_into",)

    def __init__(self, key: Buffer) -> None:
        _check_size("an AES-128 key", key, _AES_KEY_BYTES)
        # Blocks that are encrypted one by one: what a pseudorandom permutation is, and no mode for messages.
        encryptor = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305
        self._encrypt_into: Callable[[Buffer, Buffer], int] = encryptor.update_into

    def __repr__(self) -> str:
        return "AesBlocks()"

    @staticmethod
    def room(blocks: int) -> NDArray[np.uint8]:
        """Fresh memory that `encrypt` can write so many blocks to."""
        return np.empty(_BLOCK_BYTES * (blocks + 1), np.uint8)

    def encrypt(self, source: NDArray[Any], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Encrypt every 16 bytes of a contiguous array.

        Args:
            source: contiguous, of a multiple of 16 bytes.
            out: what `room` gave for at least as many blocks; it may not overlap the source.
        Returns:
            The ciphertext, a part of `out`.
        """
        nbytes = source.nbytes
        if nbytes % _BLOCK_BYTES or not source.flags.c_contiguous or out.nbytes < nbytes + _BLOCK_BYTES:
            raise ValueError("whole blocks of a contiguous array and a block of room beyond them are needed")
        if nbytes:
            # OpenSSL wants room for one more block than it writes.
            self._encrypt_into(source.reshape(-1).view(np.uint8).data, out.data[: nbytes + _BLOCK_BYTES - 1])
        return out[:nbytes]


class Gmac:
    """GHASH under one key as a universal hash: linear over GF(2), with values in GF(2^128).

    The tags of GMAC are GHASH plus a constant that key and nonce fix [SP 800-38D §6.4]; the constant, which is the
    tag of nothing but zeros, is taken off here. What is hashed must not be chosen by one who knows the key, and the
    hash is no authenticator: the key becomes public.

    Args:
        key: 16 bytes, drawn after everything that is to be hashed has been fixed, and used for data of one length.
        nbytes: length of what is hashed.
    """

    __slots__ = ("_constant", "_nbytes", "_tag")

    def __init__(self, key: Buffer, nbytes: int) -> None:
        _check_size("an AES-128 key", key, _AES_KEY_BYTES)
        cipher = AESGCM(key)
        self._nbytes = nbytes
        self._tag: Callable[[Buffer], bytes] = lambda data: cipher.encrypt(_GMAC_NONCE, b"", data)
        self._constant = np.frombuffer(self._tag(bytes(nbytes)), np.uint64)

    def __repr__(self) -> str:
        return f"Gmac(nbytes={self._nbytes})"

    def hash(self, rows: NDArray[Any]) -> NDArray[np.uint64]:
        """The hash of each row.

        Args:
            rows: shape (r, ...), each row contiguous and of `nbytes`.
        Returns:
            Shape (r, 2): 128 bits for each.
        """
        flat = np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.uint8)
        if flat.shape[1] != self._nbytes:
            raise ValueError(f"{self._nbytes} bytes are hashed under this key, not {flat.shape[1]}")
        tags = b"".join([self._tag(row.data) for row in flat])
        return np.frombuffer(tags, np.uint64).reshape(-1, 2) ^ self._constant


# --- passphrases


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
    return nacl.pwhash.argon2id.kdf(
        _KEY_BYTES, passphrase.encode(), salt, opslimit=cost.passes, memlimit=cost.memory_kib * 1024
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


def openssl_version() -> str:
    """Of the OpenSSL that computes AES here; Python's own may be another one."""
    return backend.openssl_version_text()
