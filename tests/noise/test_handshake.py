"""Handshakes: all patterns complete, the table judges every call, and nothing is half done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeAlias, get_args

import pytest

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.noise import PATTERNS, RECORD_OVERHEAD, Channel, Handshake, HashName
from mpcnet.noise.handshake import TRANSITIONS, Event, State
from mpcnet.noise.handshakestate import StaticPair
from mpcnet.primitives import AeadName, x25519_public

ALICE, BOB = (hashlib.sha256(name).digest() for name in (b"alice", b"bob"))
LOW_ORDER = bytes(32)
Spoil: TypeAlias = Callable[[bytes], bytes]


def pair(
    pattern: str = "KK", *, cipher: AeadName = "AESGCM", hash_name: HashName = "BLAKE2b"
) -> tuple[Handshake, Handshake]:
    """(initiator alice, responder bob), with fixed ephemeral keys."""

    def side(own: bytes, other: bytes, *, initiator: bool) -> Handshake:
        table = PATTERNS[pattern]
        return Handshake(
            pattern,
            initiator=initiator,
            prologue=b"prologue",
            s=own if table.needs_static(initiator=initiator) else None,
            rs=x25519_public(other) if table.needs_remote_static(initiator=initiator) else None,
            e=hashlib.sha256(own).digest(),
            cipher=cipher,
            hash_name=hash_name,
            peer="bob" if initiator else "alice",
        )

    return side(ALICE, BOB, initiator=True), side(BOB, ALICE, initiator=False)


def shake(first: Handshake, second: Handshake) -> tuple[Channel, Channel]:
    writer, reader = first, second
    while not first.finished:
        reader.read_message(writer.write_message())
        writer, reader = reader, writer
    return first.finish(), second.finish()


def carry(sender: Channel, receiver: Channel, plaintext: bytes) -> bytes:
    record = bytearray(len(plaintext) + RECORD_OVERHEAD)
    sender.seal_into(plaintext, memoryview(record))
    out = bytearray(len(plaintext))
    receiver.open_into(record[2:], memoryview(out))
    return bytes(out)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("cipher", get_args(AeadName))
@pytest.mark.parametrize("hash_name", get_args(HashName))
def test_every_suite_ends_in_a_channel(pattern: str, cipher: AeadName, hash_name: HashName) -> None:
    alice, bob = pair(pattern, cipher=cipher, hash_name=hash_name)
    to_bob, to_alice = shake(alice, bob)
    assert to_bob.handshake_hash == to_alice.handshake_hash == alice.handshake_hash == bob.handshake_hash
    assert carry(to_bob, to_alice, b"hello") == b"hello"
    if not PATTERNS[pattern].one_way:
        assert carry(to_alice, to_bob, b"hello back") == b"hello back"


def test_payloads_pass_in_every_message() -> None:
    alice, bob = pair("XX")
    for writer, reader, payload in ((alice, bob, b"one"), (bob, alice, b"two"), (alice, bob, b"three")):
        assert reader.read_message(writer.write_message(payload)) == payload
    assert alice.remote_static == x25519_public(BOB)
    assert bob.remote_static == x25519_public(ALICE)


def test_kk_messages_have_48_bytes() -> None:
    alice, bob = pair()
    first = alice.write_message()
    bob.read_message(first)
    assert (len(first), len(bob.write_message())) == (48, 48)


def test_one_way_channels_have_one_way() -> None:
    to_bob, to_alice = shake(*pair("K"))
    with pytest.raises(LocalError, match="never sends"):
        to_alice.seal_into(b"x", memoryview(bytearray(100)))
    with pytest.raises(LocalError, match="never receives"):
        to_bob.open_into(bytes(17), memoryview(bytearray(100)))
    with pytest.raises(LocalError, match="never sends"):
        to_alice.rekey_send()
    with pytest.raises(LocalError, match="never receives"):
        to_bob.rekey_receive()
    assert carry(to_bob, to_alice, b"still open") == b"still open"


def test_ephemeral_keys_come_from_the_given_randomness() -> None:
    asked: list[int] = []

    def randomness(size: int) -> bytes:
        asked.append(size)
        return b"\x07" * size

    handshake = Handshake("NN", initiator=True, prologue=b"", s=None, peer="bob", randomness=randomness)
    assert handshake.write_message() == x25519_public(b"\x07" * 32)
    assert asked == [32]


def test_two_handshakes_of_the_same_keys_differ() -> None:
    def first_message() -> bytes:
        return Handshake(
            "KK", initiator=True, prologue=b"", s=ALICE, rs=x25519_public(BOB), peer="b"
        ).write_message()

    assert first_message() != first_message()


# --- the table


def test_the_table_lets_roles_alternate_and_ends() -> None:
    for (state, event), after in TRANSITIONS.items():
        if event is Event.VIOLATION:
            assert after is State.FAILED
        elif event is Event.FINISH:
            assert (state, after) == (State.COMPLETE, State.SPLIT)
        else:
            assert event.name.startswith(state.name.removesuffix("_WRITES"))
            assert (after is State.COMPLETE) == event.name.endswith("LAST_MESSAGE")
    ends = set(TRANSITIONS.values()) - {state for state, _ in TRANSITIONS}
    assert ends == {State.SPLIT, State.FAILED}


def call(handshake: Handshake, name: str) -> object:
    return {
        "write": handshake.write_message,
        "read": lambda: handshake.read_message(bytes(48)),
        "finish": handshake.finish,
    }[name]()


def test_calls_out_of_turn_are_our_mistake_and_change_nothing() -> None:
    alice, bob = pair()
    for handshake, wrong in ((alice, ("read", "finish")), (bob, ("write", "finish"))):
        for name in wrong:
            with pytest.raises(LocalError, match="not legal in state INITIATOR_WRITES"):
                call(handshake, name)
        with pytest.raises(LocalError, match="no handshake hash"):
            _ = handshake.handshake_hash
    bob.read_message(alice.write_message())
    for handshake, wrong in ((alice, ("write", "finish")), (bob, ("read", "finish"))):
        for name in wrong:
            with pytest.raises(LocalError, match="not legal in state RESPONDER_WRITES"):
                call(handshake, name)
    alice.read_message(bob.write_message())
    assert alice.state is State.COMPLETE
    for handshake in (alice, bob):
        for name in ("read", "write"):
            with pytest.raises(LocalError, match="not legal in state COMPLETE"):
                call(handshake, name)
    to_bob, to_alice = alice.finish(), bob.finish()
    assert carry(to_bob, to_alice, b"x") == b"x"
    for name in ("read", "write", "finish"):
        with pytest.raises(LocalError, match="not legal in state SPLIT"):
            call(alice, name)
    assert alice.finished


def test_a_payload_too_long_is_refused_and_the_same_message_follows() -> None:
    alice, _ = pair()
    reference, bob = pair()
    with pytest.raises(LocalError, match="at most 65535 bytes, this one 65536"):
        alice.write_message(bytes(65535 - 48 + 1))
    message = alice.write_message(bytes(65535 - 48))
    assert message == reference.write_message(bytes(65535 - 48))
    assert bob.read_message(message) == bytes(65535 - 48)


# --- the peer's faults


SPOILED: list[tuple[Spoil, str]] = [
    (lambda m: m[:-1] + bytes([m[-1] ^ 1]), "the payload is not authentic"),
    (lambda m: bytes([m[0] ^ 1]) + m[1:], "the payload is not authentic"),
    (lambda m: m[:31], "ends 1 bytes before the end of its ephemeral key"),
    (lambda _: b"", "ends 32 bytes before"),
    (lambda m: m[:40], "the payload is not authentic"),
    (lambda m: LOW_ORDER + m[32:], "the peer's ephemeral key is of small order"),
    (lambda _: bytes(65536), "a message of 65536 bytes, at most 65535"),
]
SPOILED_STATIC: list[tuple[Spoil, str]] = [
    (lambda m: m[:79], "before the end of its static key"),
    (lambda m: m[:40] + bytes([m[40] ^ 1]) + m[41:], "the static key is not authentic"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILED)
def test_the_peers_fault_is_named_and_final(spoil: Spoil, reason: str) -> None:
    alice, bob = pair()
    good = alice.write_message()
    with pytest.raises(PeerViolation, match=f"^alice: handshake message 0: .*{reason}") as caught:
        bob.read_message(spoil(good))
    assert caught.value.party == "alice"
    assert bob.state is State.FAILED
    assert not bob.finished
    for name in ("read", "write", "finish"):
        with pytest.raises(PeerViolation, match=reason):
            call(bob, name)
    with pytest.raises(PeerViolation, match=reason):
        bob.read_message(good)


@pytest.mark.parametrize(("spoil", "reason"), SPOILED_STATIC)
def test_a_static_key_cut_short_or_changed(spoil: Spoil, reason: str) -> None:
    alice, bob = pair("XX")
    bob.read_message(alice.write_message())
    with pytest.raises(PeerViolation, match=f"bob: handshake message 1: .*{reason}"):
        alice.read_message(spoil(bob.write_message()))


def test_a_small_order_key_that_shows_only_when_we_write() -> None:
    _, bob = pair("XX")
    bob.read_message(LOW_ORDER)  # nothing is computed with it yet
    with pytest.raises(PeerViolation, match="alice: handshake message 1: the peer's ephemeral key is of small"):
        bob.write_message()
    assert bob.state is State.FAILED


@pytest.mark.parametrize("pattern", ["KK", "IK"])
def test_a_kept_pair_of_static_keys_changes_nothing(pattern: str) -> None:
    plain, bob = pair(pattern)
    kept = StaticPair.of(ALICE, x25519_public(BOB))
    ephemeral = hashlib.sha256(ALICE).digest()
    alice = Handshake(
        pattern,
        initiator=True,
        prologue=b"prologue",
        s=ALICE,
        rs=x25519_public(BOB),
        pair=kept,
        e=ephemeral,
        peer="bob",
    )
    message = alice.write_message(b"payload")
    assert message == plain.write_message(b"payload")
    assert bob.read_message(message) == b"payload"
    alice.read_message(bob.write_message())
    assert alice.handshake_hash == bob.handshake_hash


def test_the_pair_of_another_peer_is_refused_by_this_one() -> None:
    _, bob = pair()
    wrong = StaticPair.of(ALICE, x25519_public(b"\x05" * 32))
    alice = Handshake(
        "KK", initiator=True, prologue=b"prologue", s=ALICE, rs=x25519_public(BOB), pair=wrong, peer="bob"
    )
    with pytest.raises(PeerViolation, match="not authentic"):
        bob.read_message(alice.write_message())


def test_a_pair_of_static_keys_needs_both_and_hides_its_secret() -> None:
    kept = StaticPair.of(ALICE, x25519_public(BOB))
    assert "shared" not in repr(kept)
    with pytest.raises(LocalError, match="needs both"):
        Handshake("XX", initiator=True, prologue=b"", s=ALICE, pair=kept, peer="bob")
    with pytest.raises(ValueError, match="small order"):
        StaticPair.of(ALICE, LOW_ORDER)


def test_a_stranger_is_refused() -> None:
    _, bob = pair()
    mallory = Handshake(
        "KK", initiator=True, prologue=b"prologue", s=b"\x05" * 32, rs=x25519_public(BOB), peer="bob"
    )
    with pytest.raises(PeerViolation, match="not authentic"):
        bob.read_message(mallory.write_message())


# --- construction


@pytest.mark.parametrize(
    ("pattern", "change", "message"),
    [
        ("KK", {"s": None}, "KK needs our static key"),
        ("KK", {"rs": None}, "KK needs the peer's static key beforehand"),
        ("XX", {}, "XX does not take the peer's static key beforehand"),
        ("KK", {"s": bytes(31)}, "32 bytes, not 31"),
        ("KK", {"rs": bytes(33)}, "32 bytes, not 33"),
        ("KK", {"e": b""}, "32 bytes, not 0"),
        ("KKpsk0", {}, "unknown Noise pattern 'KKpsk0'; known are N, K, X, NN"),
        ("KK", {"cipher": "DES"}, "unknown Noise cipher 'DES'; known are AESGCM, ChaChaPoly"),
        ("KK", {"hash_name": "MD5"}, "unknown Noise hash 'MD5'"),
    ],
)
def test_wrong_arguments(pattern: str, change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"s": ALICE, "rs": x25519_public(BOB), **change}
    with pytest.raises(LocalError, match=message):
        Handshake(pattern, initiator=True, prologue=b"", peer="bob", **arguments)


def test_no_secret_is_printed() -> None:
    alice, bob = pair()
    assert repr(alice) == "Handshake('KK', initiator, peer='bob', INITIATOR_WRITES)"
    to_bob, _ = shake(alice, bob)
    assert repr(to_bob) == "Channel(peer='bob', open)"
