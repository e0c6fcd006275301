"""Channels: records, rekeying, counters, and failure for good."""

from __future__ import annotations

from typing import get_args

import pytest

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.noise import RECORD_OVERHEAD, RECORD_PLAINTEXT_MAX, REKEY_RECORDS, Channel
from mpcnet.noise.cipherstate import LAST_NONCE, CipherState, NonceExhausted
from mpcnet.primitives import Aead, AeadName, AuthenticationError

CIPHERS = pytest.mark.parametrize("cipher", get_args(AeadName))
KEYS = (bytes(range(32)), bytes(range(1, 33)))


class Pair:
    """Alice and Bob, with the four states inside in reach."""

    def __init__(self, cipher: AeadName = "AESGCM") -> None:
        self.alice_sends, self.bob_receives = (CipherState(cipher, KEYS[0]) for _ in range(2))
        self.bob_sends, self.alice_receives = (CipherState(cipher, KEYS[1]) for _ in range(2))
        self.alice = Channel(self.alice_sends, self.alice_receives, handshake_hash=b"h", peer="bob")
        self.bob = Channel(self.bob_sends, self.bob_receives, handshake_hash=b"h", peer="alice")

    def count(self, number: int) -> None:
        self.alice_sends.set_nonce(number)
        self.bob_receives.set_nonce(number)


def seal(channel: Channel, plaintext: bytes) -> bytes:
    out = bytearray(len(plaintext) + RECORD_OVERHEAD)
    assert channel.seal_into(plaintext, memoryview(out)) == len(out)
    assert int.from_bytes(out[:2], "big") == len(out) - 2
    return bytes(out[2:])


def unseal(channel: Channel, ciphertext: bytes) -> bytes:
    out = bytearray(65535)
    return bytes(out[: channel.open_into(ciphertext, memoryview(out))])


def nonce(cipher: AeadName, number: int) -> bytes:
    return bytes(4) + number.to_bytes(8, "big" if cipher == "AESGCM" else "little")


@CIPHERS
@pytest.mark.parametrize("size", [0, 1, 64, RECORD_PLAINTEXT_MAX])
def test_records_pass_both_ways(cipher: AeadName, size: int) -> None:
    pair, text = Pair(cipher), bytes(size)
    for _ in range(3):
        assert unseal(pair.bob, seal(pair.alice, text)) == text
        assert unseal(pair.alice, seal(pair.bob, text)) == text


def test_sizes_are_those_of_the_specification() -> None:
    assert (RECORD_PLAINTEXT_MAX, RECORD_OVERHEAD) == (65519, 18)
    assert REKEY_RECORDS & (REKEY_RECORDS - 1) == 0


@CIPHERS
def test_a_record_is_the_ciphertext_of_its_count(cipher: AeadName) -> None:
    pair = Pair(cipher)
    seal(pair.alice, b"")
    assert seal(pair.alice, b"text") == Aead(cipher, KEYS[0]).encrypt(nonce(cipher, 1), b"text", None)


def test_records_are_written_at_the_front_of_a_longer_buffer() -> None:
    pair, out = Pair(), bytearray(b"\xee" * 100)
    size = pair.alice.seal_into(b"text", memoryview(out))
    assert size == 22
    assert out[size:] == b"\xee" * 78
    back = bytearray(b"\xdd" * 10)
    assert pair.bob.open_into(memoryview(out)[2:size], memoryview(back)) == 4
    assert back == b"text" + b"\xdd" * 6


def test_our_mistakes_change_nothing() -> None:
    pair = Pair()
    with pytest.raises(LocalError, match="at most 65519 bytes, not 65520"):
        pair.alice.seal_into(bytes(65520), memoryview(bytearray(70000)))
    with pytest.raises(LocalError, match="a record of 22 bytes does not fit into 21"):
        pair.alice.seal_into(b"text", memoryview(bytearray(21)))
    with pytest.raises(TypeError):
        pair.alice.seal_into(b"text", memoryview(bytes(22)))
    record = seal(pair.alice, b"text")
    with pytest.raises(LocalError, match="a plaintext of 4 bytes does not fit into 3"):
        pair.bob.open_into(record, memoryview(bytearray(3)))
    assert unseal(pair.bob, record) == b"text"


def test_a_failed_record_is_wiped_and_final_for_both_directions() -> None:
    pair = Pair()
    record = bytearray(seal(pair.alice, b"attack at dawn"))
    record[0] ^= 1
    out = bytearray(b"\xee" * 20)
    with pytest.raises(PeerViolation, match=r"^alice: record 0 is not authentic$") as caught:
        pair.bob.open_into(record, memoryview(out))
    assert caught.value.party == "alice"
    assert out == bytes(14) + b"\xee" * 6
    assert pair.bob.failed
    assert repr(pair.bob) == "Channel(peer='alice', FAILED)"
    record[0] ^= 1
    with pytest.raises(PeerViolation, match="record 0 is not authentic"):
        unseal(pair.bob, bytes(record))
    with pytest.raises(PeerViolation, match="record 0 is not authentic"):
        seal(pair.bob, b"answer")


def test_repeated_lost_swapped_and_reflected_records_fail() -> None:
    for spoil in ("repeat", "lose", "reflect"):
        pair = Pair()
        first, second = seal(pair.alice, b"1"), seal(pair.alice, b"2")
        if spoil == "repeat":
            unseal(pair.bob, first)
        bad = {"repeat": first, "lose": second, "reflect": seal(pair.bob, b"1")}[spoil]
        with pytest.raises(PeerViolation, match="not authentic"):
            unseal(pair.bob, bad)


@pytest.mark.parametrize("size", [0, 15, 65536])
def test_impossible_sizes(size: int) -> None:
    pair = Pair()
    with pytest.raises(PeerViolation, match=f"alice: a ciphertext of {size} bytes: 16 to 65535"):
        pair.bob.open_into(bytes(size), memoryview(bytearray(70000)))
    assert pair.bob.failed


# --- rekey


@CIPHERS
def test_rekey_is_that_of_the_specification(cipher: AeadName) -> None:
    # §4.2: ENCRYPT(k, 2^64 - 1, empty, 32 zeros), its first 32 bytes; §11.3: the counter goes on.
    pair = Pair(cipher)
    seal(pair.alice, b"")
    key = Aead(cipher, KEYS[0]).encrypt(bytes(4) + b"\xff" * 8, bytes(32), None)[:32]
    pair.alice.rekey_send()
    assert seal(pair.alice, b"text") == Aead(cipher, key).encrypt(nonce(cipher, 1), b"text", None)


def test_both_sides_must_rekey_at_the_same_record() -> None:
    pair = Pair()
    pair.alice.rekey_send()
    pair.bob.rekey_receive()
    assert unseal(pair.bob, seal(pair.alice, b"1")) == b"1"
    assert unseal(pair.alice, seal(pair.bob, b"2")) == b"2"
    pair.alice.rekey_send()
    with pytest.raises(PeerViolation):
        unseal(pair.bob, seal(pair.alice, b"3"))


@CIPHERS
def test_rekey_happens_by_count_in_each_direction(cipher: AeadName) -> None:
    pair, reference = Pair(cipher), CipherState(cipher, KEYS[0])
    pair.count(REKEY_RECORDS - 1)
    reference.set_nonce(REKEY_RECORDS - 1)
    for number in range(3):
        record = seal(pair.alice, b"text")
        assert record == reference.encrypt_with_ad(b"", b"text")
        assert unseal(pair.bob, record) == b"text"
        if number == 0:
            reference.rekey()
    assert unseal(pair.alice, seal(pair.bob, b"other direction")) == b"other direction"


# --- the end of the counter


def test_the_last_record_passes_and_none_follows() -> None:
    pair = Pair()
    pair.count(LAST_NONCE - 1)
    last = seal(pair.alice, b"last")
    assert unseal(pair.bob, last) == b"last"
    with pytest.raises(LocalError, match="counter is at its end"):
        seal(pair.alice, b"one more")
    with pytest.raises(PeerViolation, match="comes after the last"):
        unseal(pair.bob, last)


# --- CipherState


def test_cipher_state_without_a_key_passes_text() -> None:
    state = CipherState("AESGCM")
    assert not state.has_key()
    assert state.encrypt_with_ad(b"ad", b"text") == b"text" == state.decrypt_with_ad(b"ad", b"text")
    assert state.n == 0
    for use in (state.rekey, lambda: state.encrypt_into(b"", memoryview(bytearray(16)))):
        with pytest.raises(ValueError, match="no key"):
            use()


def test_cipher_state_is_unchanged_by_failure() -> None:
    state = CipherState("AESGCM", KEYS[0])
    sealed = CipherState("AESGCM", KEYS[0]).encrypt_with_ad(b"ad", b"text")
    with pytest.raises(AuthenticationError):
        state.decrypt_with_ad(b"other", sealed)
    assert state.n == 0
    assert state.decrypt_with_ad(b"ad", sealed) == b"text"
    assert state.n == 1
    state.set_nonce(LAST_NONCE)
    for use in (state.encrypt_with_ad, state.decrypt_with_ad):
        with pytest.raises(NonceExhausted):
            use(b"", b"text")
    state.initialize_key(KEYS[1])
    assert (state.n, state.has_key()) == (0, True)
    state.initialize_key(None)
    assert not state.has_key()


def test_cipher_state_prints_no_key() -> None:
    assert repr(CipherState("AESGCM", KEYS[0])) == "CipherState('AESGCM', has_key=True, n=0)"
