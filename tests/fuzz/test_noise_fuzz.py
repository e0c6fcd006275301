"""Whatever a peer sends to a handshake or a channel: `PeerViolation`, or it was sealed by the peer."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import PeerViolation
from mpcnet.noise import PATTERNS, RECORD_OVERHEAD, Channel, Handshake
from mpcnet.noise.cipherstate import CipherState
from mpcnet.primitives import x25519_public

MODEST = settings(derandomize=True, deadline=None, max_examples=60)
ALICE, BOB = (hashlib.sha256(name).digest() for name in (b"alice", b"bob"))
PATTERN_NAMES = st.sampled_from(sorted(PATTERNS))
MESSAGES = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 200).map(bytes),
    st.integers(65500, 65600).map(bytes),
)


def side(pattern: str, *, initiator: bool) -> Handshake:
    table, (own, other) = PATTERNS[pattern], (ALICE, BOB) if initiator else (BOB, ALICE)
    return Handshake(
        pattern,
        initiator=initiator,
        prologue=b"",
        s=own if table.needs_static(initiator=initiator) else None,
        rs=x25519_public(other) if table.needs_remote_static(initiator=initiator) else None,
        e=hashlib.sha256(own).digest(),
        peer="bob" if initiator else "alice",
    )


def read_or_violation(handshake: Handshake, message: bytes) -> bool:
    try:
        handshake.read_message(message)
    except PeerViolation:
        with pytest.raises(PeerViolation):
            handshake.read_message(message)
        return False
    return True


@MODEST
@given(PATTERN_NAMES, st.lists(MESSAGES, min_size=2, max_size=2))
def test_responder_reads_anything(pattern: str, messages: list[bytes]) -> None:
    handshake = side(pattern, initiator=False)
    for message in messages:
        if not read_or_violation(handshake, message) or handshake.finished:
            return
        try:
            handshake.write_message()  # computes with keys that the peer chose
        except PeerViolation:
            return
        if handshake.finished:
            return


@MODEST
@given(st.sampled_from(sorted(name for name, pattern in PATTERNS.items() if not pattern.one_way)), MESSAGES)
def test_initiator_reads_anything(pattern: str, message: bytes) -> None:
    handshake = side(pattern, initiator=True)
    handshake.write_message()
    read_or_violation(handshake, message)
    assert not handshake.finished


@MODEST
@given(st.sampled_from(["KK", "XX", "IK"]), st.integers(0, 2), st.data())
def test_one_changed_bit_is_noticed_by_the_end_of_the_handshake(
    pattern: str, number: int, data: st.DataObject
) -> None:
    writer, reader = side(pattern, initiator=True), side(pattern, initiator=False)
    for turn in range(len(PATTERNS[pattern].messages)):
        message = bytearray(writer.write_message(b"payload"))
        if turn == number % len(PATTERNS[pattern].messages):
            position = data.draw(st.integers(0, len(message) * 8 - 1))
            message[position // 8] ^= 1 << position % 8
        if not read_or_violation(reader, bytes(message)):
            return
        writer, reader = reader, writer
    # Only the top bit of an ephemeral key may change unseen by the exchange; the hash sees it.
    raise AssertionError("a changed handshake ended well")


@MODEST
@given(st.lists(MESSAGES, min_size=1, max_size=3), st.booleans())
def test_channel_opens_anything(records: list[bytes], after_a_good_one: bool) -> None:
    key = bytes(32)
    sender = Channel(CipherState("AESGCM", key), None, handshake_hash=b"", peer="bob")
    channel = Channel(None, CipherState("AESGCM", key), handshake_hash=b"", peer="alice")
    out = memoryview(bytearray(b"\xee" * 65600))
    if after_a_good_one:
        record = bytearray(3 + RECORD_OVERHEAD)
        sender.seal_into(b"abc", memoryview(record))
        assert channel.open_into(record[2:], out) == 3
    for record_bytes in records:
        with pytest.raises(PeerViolation):
            channel.open_into(record_bytes, out)
    assert channel.failed
