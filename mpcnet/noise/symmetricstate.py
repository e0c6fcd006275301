"""SymmetricState: the chaining key and the hash of everything that was said in a handshake.

Source: Noise Protocol Framework, revision 34, §4.3 (hash functions, HKDF), §5.2 (SymmetricState).
MixKeyAndHash is left out with the pre-shared keys that need it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from mpcnet.noise.cipherstate import KEY_BYTES, CipherState
from mpcnet.primitives import AeadName, Buffer

__all__ = ("HASHES", "HashName", "SymmetricState", "hkdf")

HashName: TypeAlias = Literal["BLAKE2b", "BLAKE2s", "SHA256", "SHA512"]

#: Hash functions of §4.3 by their names in a protocol name. HASHLEN is the digest's size.
HASHES: Final[dict[HashName, Callable[..., Any]]] = {
    "BLAKE2b": hashlib.blake2b,
    "BLAKE2s": hashlib.blake2s,
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
}


def _digest(hash_name: HashName, *parts: Buffer) -> bytes:
    state = HASHES[hash_name]()
    for part in parts:
        state.update(part)
    digest: bytes = state.digest()
    return digest


def hkdf(hash_name: HashName, chaining_key: Buffer, material: Buffer) -> tuple[bytes, bytes]:
    """HKDF(chaining_key, input_key_material, 2) of §4.3."""
    hash_function = HASHES[hash_name]
    temporary = hmac.digest(bytes(chaining_key), material, hash_function)
    first = hmac.digest(temporary, b"\x01", hash_function)
    second = hmac.digest(temporary, first + b"\x02", hash_function)
    return first, second


class SymmetricState:
    """A chaining key `ck`, a hash `h` and a CipherState (§5.2).

    Args:
        protocol_name: for example "Noise_KK_25519_AESGCM_BLAKE2b" (InitializeSymmetric).
        cipher: the AEAD.
        hash_name: the hash function.
    """

    __slots__ = ("_ck", "_h", "_hash_name", "cipher_state")

    def __init__(self, protocol_name: bytes, cipher: AeadName, hash_name: HashName) -> None:
        hash_bytes = HASHES[hash_name]().digest_size
        fits = len(protocol_name) <= hash_bytes
        self._h = protocol_name.ljust(hash_bytes, b"\x00") if fits else _digest(hash_name, protocol_name)
        self._ck = self._h
        self._hash_name: HashName = hash_name
        self.cipher_state: CipherState = CipherState(cipher)

    def __repr__(self) -> str:
        return f"SymmetricState({self._hash_name!r}, {self.cipher_state!r})"

    def copy(self) -> SymmetricState:
        """A second state with the same contents."""
        twin = SymmetricState(b"", self.cipher_state.cipher, self._hash_name)
        twin._h, twin._ck, twin.cipher_state = self._h, self._ck, self.cipher_state.copy()
        return twin

    def mix_key(self, material: Buffer) -> None:
        """MixKey(input_key_material)."""
        self._ck, temporary = hkdf(self._hash_name, self._ck, material)
        self.cipher_state.initialize_key(temporary[:KEY_BYTES])

    def mix_hash(self, data: Buffer) -> None:
        """MixHash(data)."""
        self._h = _digest(self._hash_name, self._h, data)

    def get_handshake_hash(self) -> bytes:
        """GetHandshakeHash(): names the finished handshake, and is public (§11.2)."""
        return self._h

    def encrypt_and_hash(self, plaintext: Buffer) -> bytes:
        """EncryptAndHash(plaintext)."""
        ciphertext = self.cipher_state.encrypt_with_ad(self._h, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: Buffer) -> bytes:
        """DecryptAndHash(ciphertext).

        Raises:
            AuthenticationError: not what the peer encrypted in this handshake.
        """
        plaintext = self.cipher_state.decrypt_with_ad(self._h, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState]:
        """Split(): the initiator's and the responder's sending state."""
        first, second = hkdf(self._hash_name, self._ck, b"")
        cipher = self.cipher_state.cipher
        return CipherState(cipher, first[:KEY_BYTES]), CipherState(cipher, second[:KEY_BYTES])
