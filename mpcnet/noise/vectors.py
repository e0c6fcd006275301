"""Test vectors for Noise in their common JSON form, and a runner that plays both sides.

    {"vectors": [{"protocol_name": "Noise_KK_25519_AESGCM_BLAKE2b",
                  "init_prologue": hex, "init_static": hex, "init_ephemeral": hex, "init_remote_static": hex,
                  "resp_prologue": hex, "resp_static": hex, "resp_ephemeral": hex, "resp_remote_static": hex,
                  "messages": [{"payload": hex, "ciphertext": hex}, ...],
                  "handshake_hash": hex}]}

Keys that a side does not have are left out, and so may be the hash. The first messages are those of the
handshake, the rest transport messages; the sides alternate throughout, but for one-way patterns, where the
initiator sends all. Two fields are ours: "comment", and "expect", the number of the one message that its
reader must refuse.

A vector passes when both sides write exactly these bytes, read exactly these payloads and have this hash. What
the interpreter does not support (pre-shared keys, fallback, deferred patterns, other curves and ciphers) is
skipped, not failed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast, get_args

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.noise.channel import CIPHERTEXT_MAX, RECORD_OVERHEAD, Channel
from mpcnet.noise.handshake import Handshake
from mpcnet.noise.patterns import PATTERNS
from mpcnet.noise.symmetricstate import HASHES, HashName
from mpcnet.primitives import AeadName

__all__ = ("Outcome", "Result", "Side", "Vector", "parse", "run", "summary")


class Outcome(Enum):
    """What became of a vector."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one vector, and why it was not passed."""

    name: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """What one side has before the handshake."""

    prologue: bytes
    static: bytes | None
    ephemeral: bytes | None
    remote_static: bytes | None


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector; secrets of vectors are public."""

    protocol_name: str
    initiator: Side
    responder: Side
    messages: tuple[tuple[bytes, bytes], ...]
    handshake_hash: bytes | None
    unsupported: str
    expect: int | None


class _Mismatch(Exception):
    """The vector says otherwise."""


def parse(text: str) -> tuple[Vector, ...]:
    """The vectors of a file.

    Raises:
        LocalError: not JSON, or not of the common form.
    """
    try:
        return tuple(_vector(raw) for raw in json.loads(text)["vectors"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LocalError(f"not a file of Noise vectors: {type(error).__name__}") from None


def run(vector: Vector) -> Result:
    """Play both sides of one vector."""
    reason = vector.unsupported or _unsupported_name(vector.protocol_name)
    if reason:
        return Result(vector.protocol_name, Outcome.SKIPPED, reason)
    try:
        _play(vector)
    except (_Mismatch, LocalError, PeerViolation) as error:
        return Result(vector.protocol_name, Outcome.FAILED, str(error))
    return Result(vector.protocol_name, Outcome.PASSED)


def summary(results: Iterable[Result]) -> str:
    """For example "12 passed, 0 failed, 3 skipped"."""
    counts = Counter(result.outcome for result in results)
    return ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)


def _vector(raw: Mapping[str, Any]) -> Vector:
    pairs = [(bytes.fromhex(m.get("payload", "")), bytes.fromhex(m["ciphertext"])) for m in raw["messages"]]
    psks = raw.get("init_psks") or raw.get("resp_psks") or raw.get("init_psk") or raw.get("resp_psk")
    return Vector(
        protocol_name=raw.get("protocol_name") or raw["name"],
        initiator=_side(raw, "init"),
        responder=_side(raw, "resp"),
        messages=tuple(pairs),
        handshake_hash=_bytes(raw, "handshake_hash"),
        unsupported="pre-shared keys" if psks else "fallback" if raw.get("fallback") else "",
        expect=raw.get("expect"),
    )


def _side(raw: Mapping[str, Any], prefix: str) -> Side:
    return Side(
        prologue=_bytes(raw, f"{prefix}_prologue") or b"",
        static=_bytes(raw, f"{prefix}_static"),
        ephemeral=_bytes(raw, f"{prefix}_ephemeral"),
        remote_static=_bytes(raw, f"{prefix}_remote_static"),
    )


def _bytes(raw: Mapping[str, Any], field: str) -> bytes | None:
    text = raw.get(field)
    return None if text is None else bytes.fromhex(text)


def _unsupported_name(protocol_name: str) -> str:
    parts = protocol_name.split("_")
    if len(parts) != 5 or parts[0] != "Noise":
        return "no protocol name"
    if "psk" in parts[1]:
        return "pre-shared keys"
    known = {
        "pattern": tuple(PATTERNS),
        "curve": ("25519",),
        "cipher": get_args(AeadName),
        "hash": tuple(HASHES),
    }
    others = [kind for part, (kind, names) in zip(parts[1:], known.items(), strict=True) if part not in names]
    return f"another {', '.join(others)}" if others else ""


class _Player:
    """One side, through handshake and transport."""

    def __init__(self, vector: Vector, *, initiator: bool) -> None:
        _, pattern, _, cipher, hash_name = vector.protocol_name.split("_")
        side = vector.initiator if initiator else vector.responder
        known = PATTERNS[pattern].needs_remote_static(initiator=initiator)
        self.handshake = Handshake(
            pattern,
            initiator=initiator,
            prologue=side.prologue,
            s=side.static,
            rs=side.remote_static if known else None,  # some files name keys that the handshake will bring
            e=side.ephemeral,
            cipher=cast("AeadName", cipher),
            hash_name=cast("HashName", hash_name),
            peer="responder" if initiator else "initiator",
        )
        self._channel: Channel | None = None

    def write(self, payload: bytes) -> bytes:
        if not self.handshake.finished:
            return self.handshake.write_message(payload)
        out = bytearray(len(payload) + RECORD_OVERHEAD)
        self._open_channel().seal_into(payload, memoryview(out))
        return bytes(out[2:])

    def read(self, message: bytes) -> bytes:
        if not self.handshake.finished:
            return self.handshake.read_message(message)
        out = bytearray(CIPHERTEXT_MAX)
        size = self._open_channel().open_into(message, memoryview(out))
        return bytes(out[:size])

    def _open_channel(self) -> Channel:
        if self._channel is None:
            self._channel = self.handshake.finish()
        return self._channel


def _play(vector: Vector) -> None:
    one_way = PATTERNS[vector.protocol_name.split("_")[1]].one_way
    players = (_Player(vector, initiator=True), _Player(vector, initiator=False))
    for number, (payload, ciphertext) in enumerate(vector.messages):
        sender = 0 if one_way else number % 2
        if number == vector.expect:
            _refuse(number, players[1 - sender], ciphertext)
            return
        _same(f"message {number}", players[sender].write(payload), ciphertext)
        _same(f"payload {number}", players[1 - sender].read(ciphertext), payload)
    if vector.expect is not None:
        raise _Mismatch(f"message {vector.expect} should be refused, and there is none")
    if vector.handshake_hash is not None:
        for player in players:
            _same("handshake hash", player.handshake.handshake_hash, vector.handshake_hash)


def _refuse(number: int, reader: _Player, message: bytes) -> None:
    try:
        reader.read(message)
    except PeerViolation:
        return
    raise _Mismatch(f"message {number} should be refused, and was accepted")


def _same(what: str, ours: bytes, expected: bytes) -> None:
    if ours != expected:
        raise _Mismatch(f"{what} differs: {len(ours)} bytes, expected {len(expected)}")
