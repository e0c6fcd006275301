"""HandshakeState: keys and the interpreter that runs one message's tokens.

It judges neither the order of calls nor whose fault a failure is: that is `handshake.py`.

Source: Noise Protocol Framework, revision 34, §5.3 (HandshakeState), §4.1 (DH functions), §12.1 (25519).
Deviates: an all-zero Diffie-Hellman result is refused, which §12.1 allows and mpcnet wants: with a point of
small order for `e` or `s` a peer would choose what we think is a shared secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mpcnet.noise.cipherstate import NonceExhausted
from mpcnet.noise.patterns import Pattern, Token
from mpcnet.noise.symmetricstate import HashName, SymmetricState
from mpcnet.primitives import (
    AEAD_TAG_BYTES,
    AeadName,
    AuthenticationError,
    Buffer,
    Randomness,
    x25519,
    x25519_public,
)

__all__ = ("DH_BYTES", "MESSAGE_MAX", "HandshakeState", "InvalidMessage", "StaticPair")

#: DHLEN of §12.1.
DH_BYTES: Final = 32
#: A Noise message has at most this many bytes (§3).
MESSAGE_MAX: Final = 65535


class InvalidMessage(ValueError):
    """A message or a key of the peer breaks the handshake. The sentence names no value."""


@dataclass(frozen=True, slots=True)
class StaticPair:
    """The product of our static key and the peer's, which is the same in each of their handshakes.

    Computing it takes a third of a handshake's arithmetic. A caller that shakes hands with one peer again and again
    keeps it, as secret as the static key itself.

    Args:
        public: our static public key.
        shared: DH(s, rs).
    """

    public: bytes
    shared: bytes = field(repr=False)

    @classmethod
    def of(cls, s: bytes, rs: bytes) -> StaticPair:
        """The pair of our secret and the peer's public key.

        Raises:
            ValueError: a key of the wrong size, or `rs` is of small order.
        """
        return cls(x25519_public(s), x25519(s, rs))


class _KeyPair:
    __slots__ = ("public", "secret")

    def __init__(self, secret: bytes, public: bytes | None = None) -> None:
        self.secret = secret
        self.public = x25519_public(secret) if public is None else public


class HandshakeState:
    """Keys `s`, `e`, `rs`, `re` and a SymmetricState (§5.3).

    A call that raises leaves the state half-changed: work on a `copy` and keep it if all went well.

    Args:
        pattern: the messages to run.
        initiator: whether we write the first message.
        prologue: what both sides must have agreed on beforehand; not sent.
        s: our static secret key, where the pattern needs one.
        rs: the peer's static public key, where we must know it beforehand.
        pair: `StaticPair.of(s, rs)`, if it is at hand.
        e: our ephemeral secret key: only for test vectors.
        cipher: the AEAD.
        hash_name: the hash function.
        randomness: where an ephemeral key comes from.
    """

    __slots__ = ("_e", "_initiator", "_next_e", "_pair", "_pattern", "_randomness", "_s", "re", "rs", "symmetric")

    def __init__(
        self,
        pattern: Pattern,
        *,
        initiator: bool,
        prologue: Buffer,
        s: bytes | None,
        rs: bytes | None,
        pair: StaticPair | None = None,
        e: bytes | None,
        cipher: AeadName,
        hash_name: HashName,
        randomness: Randomness,
    ) -> None:
        name = f"Noise_{pattern.name}_25519_{cipher}_{hash_name}"
        self.symmetric: SymmetricState = SymmetricState(name.encode(), cipher, hash_name)
        self.symmetric.mix_hash(prologue)
        self._pattern = pattern
        self._initiator = initiator
        self._s = None if s is None else _KeyPair(s, None if pair is None else pair.public)
        self._pair = pair
        self._e: _KeyPair | None = None
        self._next_e = e
        self._randomness = randomness
        self.rs = rs
        self.re: bytes | None = None
        self._mix_pre_messages()

    def __repr__(self) -> str:
        role = "initiator" if self._initiator else "responder"
        return f"HandshakeState({self._pattern.name!r}, {role})"

    def copy(self) -> HandshakeState:
        """A second state with the same contents."""
        twin = object.__new__(HandshakeState)
        for name in HandshakeState.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.symmetric = self.symmetric.copy()
        return twin

    def write_message(self, index: int, payload: Buffer) -> bytes:
        """WriteMessage(payload): run message `index` of the pattern as its writer.

        Raises:
            InvalidMessage: a key that the peer sent before is of small order.
        """
        parts = [self._write_token(token) for token in self._pattern.messages[index]]
        parts.append(self.symmetric.encrypt_and_hash(payload))
        return b"".join(parts)

    def read_message(self, index: int, message: Buffer) -> bytes:
        """ReadMessage(message): run message `index` of the pattern as its reader; returns the payload.

        Raises:
            InvalidMessage: too short, not authentic, or a key of small order.
        """
        rest = memoryview(message)
        for token in self._pattern.messages[index]:
            rest = self._read_token(token, rest)
        return self._decrypt("payload", rest)

    def _mix_pre_messages(self) -> None:
        pattern = self._pattern
        for by_initiator, tokens in ((True, pattern.initiator_pre), (False, pattern.responder_pre)):
            if "s" in tokens:  # the only token that a pre-message of our patterns has
                ours = by_initiator == self._initiator
                public = self._own(self._s).public if ours else self._remote(self.rs)
                self.symmetric.mix_hash(public)

    def _write_token(self, token: Token) -> bytes:
        match token:
            case "e":
                self._e = _KeyPair(self._next_e or self._randomness(DH_BYTES))
                self.symmetric.mix_hash(self._e.public)
                return self._e.public
            case "s":
                return self.symmetric.encrypt_and_hash(self._own(self._s).public)
            case _:
                self._mix_dh(token)
                return b""

    def _read_token(self, token: Token, rest: memoryview) -> memoryview:
        match token:
            case "e":
                self.re = bytes(_first(rest, DH_BYTES, "ephemeral key"))
                self.symmetric.mix_hash(self.re)
                return rest[DH_BYTES:]
            case "s":
                size = DH_BYTES + (AEAD_TAG_BYTES if self.symmetric.cipher_state.has_key() else 0)
                self.rs = self._decrypt("static key", _first(rest, size, "static key"))
                return rest[size:]
            case _:
                self._mix_dh(token)
                return rest

    def _mix_dh(self, token: Token) -> None:
        # The first letter of the token is the initiator's key, the second the responder's.
        mine, theirs = (token[0], token[1]) if self._initiator else (token[1], token[0])
        if mine == theirs == "s" and self._pair is not None:
            self.symmetric.mix_key(self._pair.shared)
            return
        secret = self._own(self._e if mine == "e" else self._s).secret
        public = self._remote(self.re if theirs == "e" else self.rs)
        try:
            self.symmetric.mix_key(x25519(secret, public))
        except ValueError:
            kind = "ephemeral" if theirs == "e" else "static"
            raise InvalidMessage(f"the peer's {kind} key is of small order") from None

    def _decrypt(self, what: str, ciphertext: memoryview) -> bytes:
        try:
            return self.symmetric.decrypt_and_hash(ciphertext)
        except (AuthenticationError, NonceExhausted):
            raise InvalidMessage(f"the {what} is not authentic") from None

    @staticmethod
    def _own(pair: _KeyPair | None) -> _KeyPair:
        if pair is None:
            raise AssertionError("the pattern uses a key of ours that it did not make us give")
        return pair

    @staticmethod
    def _remote(public: bytes | None) -> bytes:
        if public is None:
            raise AssertionError("the pattern uses a key of the peer that nothing brought")
        return public


def _first(rest: memoryview, size: int, what: str) -> memoryview:
    if len(rest) < size:
        raise InvalidMessage(f"the message ends {size - len(rest)} bytes before the end of its {what}")
    return rest[:size]
