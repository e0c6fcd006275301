"""Live handshakes with the Python package noiseprotocol, in both roles."""

from __future__ import annotations

import hashlib
import importlib
import warnings
from typing import Any, get_args

import pytest

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    # It has no types: imported by name, so that all of it is Any.
    theirs: Any = importlib.import_module("noise.connection")

from mpcnet.errors import PeerViolation
from mpcnet.noise import PATTERNS, RECORD_OVERHEAD, Channel, Handshake, HashName
from mpcnet.primitives import AeadName, x25519_public

OURS, THEIRS = (hashlib.sha256(name).digest() for name in (b"ours", b"theirs"))
PROLOGUE = b"prologue"
ROLES = pytest.mark.parametrize("initiator", [True, False], ids=["initiator", "responder"])
CIPHERS = pytest.mark.parametrize("cipher", get_args(AeadName))


def our_side(pattern: str, cipher: AeadName, hash_name: HashName, *, initiator: bool) -> Handshake:
    table = PATTERNS[pattern]
    return Handshake(
        pattern,
        initiator=initiator,
        prologue=PROLOGUE,
        s=OURS if table.needs_static(initiator=initiator) else None,
        rs=x25519_public(THEIRS) if table.needs_remote_static(initiator=initiator) else None,
        cipher=cipher,
        hash_name=hash_name,
        peer="them",
    )


def their_side(pattern: str, cipher: AeadName, hash_name: HashName, *, initiator: bool) -> Any:
    table = PATTERNS[pattern]
    connection: Any = theirs.NoiseConnection.from_name(f"Noise_{pattern}_25519_{cipher}_{hash_name}".encode())
    if initiator:
        connection.set_as_initiator()
    else:
        connection.set_as_responder()
    connection.set_prologue(PROLOGUE)
    if table.needs_static(initiator=initiator):
        connection.set_keypair_from_private_bytes(theirs.Keypair.STATIC, THEIRS)
    if table.needs_remote_static(initiator=initiator):
        connection.set_keypair_from_public_bytes(theirs.Keypair.REMOTE_STATIC, x25519_public(OURS))
    connection.start_handshake()
    return connection


def connect(
    pattern: str, cipher: AeadName, hash_name: HashName = "BLAKE2b", *, initiator: bool
) -> tuple[Channel, Any]:
    us = our_side(pattern, cipher, hash_name, initiator=initiator)
    them = their_side(pattern, cipher, hash_name, initiator=not initiator)
    writing = initiator
    while not us.finished:
        if writing:
            assert bytes(them.read_message(us.write_message(b"from us"))) == b"from us"
        else:
            assert us.read_message(bytes(them.write_message(b"from them"))) == b"from them"
        writing = not writing
    channel = us.finish()
    assert channel.handshake_hash == them.get_handshake_hash()
    return channel, them


def seal(channel: Channel, plaintext: bytes) -> bytes:
    out = bytearray(len(plaintext) + RECORD_OVERHEAD)
    channel.seal_into(plaintext, memoryview(out))
    return bytes(out[2:])


def unseal(channel: Channel, ciphertext: bytes) -> bytes:
    out = bytearray(65535)
    return bytes(out[: channel.open_into(ciphertext, memoryview(out))])


def exchange(channel: Channel, them: Any) -> None:
    for size in (0, 5, 1000):
        assert bytes(them.decrypt(seal(channel, bytes(size)))) == bytes(size)
        assert unseal(channel, bytes(them.encrypt(bytes(size)))) == bytes(size)


@ROLES
@CIPHERS
@pytest.mark.parametrize("hash_name", get_args(HashName))
@pytest.mark.parametrize("pattern", ["KK", "XX", "IK"])
def test_handshake_and_records(pattern: str, cipher: AeadName, hash_name: HashName, initiator: bool) -> None:
    exchange(*connect(pattern, cipher, hash_name, initiator=initiator))


@ROLES
@pytest.mark.parametrize("pattern", [name for name, pattern in PATTERNS.items() if not pattern.one_way])
def test_every_interactive_pattern(pattern: str, initiator: bool) -> None:
    exchange(*connect(pattern, "ChaChaPoly", initiator=initiator))


@ROLES
@CIPHERS
def test_rekey(cipher: AeadName, initiator: bool) -> None:
    channel, them = connect("KK", cipher, initiator=initiator)
    exchange(channel, them)
    channel.rekey_send()
    them.rekey_inbound_cipher()
    exchange(channel, them)
    them.rekey_outbound_cipher()
    channel.rekey_receive()
    exchange(channel, them)


@ROLES
@CIPHERS
def test_each_refuses_what_the_other_did_not_seal(cipher: AeadName, initiator: bool) -> None:
    channel, them = connect("KK", cipher, initiator=initiator)
    with pytest.raises(theirs.NoiseInvalidMessage):
        them.decrypt(bytes(32))
    with pytest.raises(PeerViolation):
        unseal(channel, bytes(32))
