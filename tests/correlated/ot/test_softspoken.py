"""The extension: the correlation, its bits and bytes against a slow reference, labels, and receivers that cheat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mpcnet.algebra.bits import unpack_bits
from mpcnet.correlated.ot.hashing import ROWS_PER_KEY, hash_rows
from mpcnet.correlated.ot.pair import OtPair, make_pair
from mpcnet.correlated.ot.punctured import paths_of, puncture, spread
from mpcnet.correlated.ot.softspoken import (
    CHECK_BYTES,
    MAX_LOT,
    Receiver,
    ReceiverBase,
    Sender,
    SenderBase,
    columns_bytes,
)
from mpcnet.engine import Round, Step, lockstep
from mpcnet.engine.work import outcome_of, resume
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import Gmac
from tests.reference import oblivious_transfer as reference

Randomness = Callable[[int], bytes]
Source = Callable[[str], Randomness]
Pair = tuple[OtPair, OtPair]
Bits = NDArray[np.uint8]


def bases(source: Source, depth: int) -> tuple[SenderBase, ReceiverBase, list[list[bytes]], list[int]]:
    """A base correlation from keys that are made here, its trees and the sender's paths."""
    draw = source(f"bases {depth}")
    keys = np.frombuffer(draw(32 * 128), np.uint8).reshape(-1, 2, 16)
    choices: Bits = np.frombuffer(draw(128), np.uint8) & np.uint8(1)
    leaves, message = spread(keys, depth)
    punctured = puncture(keys[np.arange(128), choices], choices, depth, memoryview(message), "alice")
    paths = paths_of(choices, depth)
    trees = [[leaf.tobytes() for leaf in tree] for tree in leaves]
    numbers = (paths @ (1 << np.arange(depth)[::-1])).tolist()
    return SenderBase(punctured, paths, "bob"), ReceiverBase(leaves, "alice"), trees, numbers


def played(
    sender: SenderBase, receiver: ReceiverBase, source: Source, label: bytes, count: int, choices: object = None
) -> tuple[Sender, Receiver]:
    chosen = None if choices is None else np.asarray(choices, np.uint64)
    theirs = receiver.lot(label, count, choices=chosen, randomness=source("choices"))
    ours = sender.lot(label, count, chosen=chosen is not None)
    assert len(theirs.columns) == columns_bytes(count, receiver.streams.depth, chosen=chosen is not None)
    answer = theirs.check(memoryview(ours.read(theirs.columns, source("challenge " + label.hex()))))
    assert len(answer) == CHECK_BYTES
    ours.check(memoryview(answer))
    return ours, theirs


def holds(sender: SenderBase, ours: Sender, theirs: Receiver) -> bool:
    bits = unpack_bits(theirs.bits, theirs.count).astype(np.uint64)
    return bool((theirs.rows() == ours.rows() ^ bits[:, None] * sender.delta).all())


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 127, 128, 129, 1000, 2**17 + 5])
def test_rows_differ_by_delta_where_the_bit_is_one(source: Source, depth: int, count: int) -> None:
    sender, receiver, _, _ = bases(source, depth)
    ours, theirs = played(sender, receiver, source, b"lot", count)
    assert theirs.rows().shape == ours.rows().shape == (count, 2)
    assert holds(sender, ours, theirs)
    if count > 500:
        share = unpack_bits(theirs.bits, count).mean()
        assert abs(share - 0.5) < 3 / count**0.5


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_bits_can_be_chosen(source: Source, depth: int) -> None:
    sender, receiver, _, _ = bases(source, depth)
    choices = np.frombuffer(source("bits")(8 * 4), np.uint64)
    ours, theirs = played(sender, receiver, source, b"lot", 256, choices)
    assert (theirs.bits == choices).all()
    assert holds(sender, ours, theirs)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("chosen", [False, True])
def test_planes_and_bits_are_those_of_the_reference(source: Source, depth: int, chosen: bool) -> None:
    sender, receiver, trees, paths = bases(source, depth)
    choices = np.frombuffer(source("bits")(8 * 2), np.uint64) if chosen else None
    ours, theirs = played(sender, receiver, source, b"a lot", 128, choices)
    bits = None if choices is None else choices.tolist()
    u, delta, planes = reference.correlated(trees, paths, b"a lot", 2, bits)
    assert theirs.bits.tolist() == u
    assert unpack_bits(sender.delta, 128).tolist() == delta
    rows = ours.rows()
    for number in (0, 1, 63, 64, 127):
        row = int(rows[number, 0]) | int(rows[number, 1]) << 64
        expected = sum((plane[number // 64] >> number % 64 & 1) << bit for bit, plane in enumerate(planes))
        assert row == expected


def test_hashes_are_those_of_the_reference(source: Source) -> None:
    count = ROWS_PER_KEY + 3
    rows = np.frombuffer(source("rows")(16 * count), np.uint64).reshape(count, 2)
    hashed = hash_rows(rows, b"label")
    for number in (0, 1, 255, 256, ROWS_PER_KEY - 1, ROWS_PER_KEY, count - 1):
        row = int(rows[number, 0]) | int(rows[number, 1]) << 64
        expected = reference.hashed(row, number, b"label")
        assert int(hashed[number, 0]) | int(hashed[number, 1]) << 64 == expected


def test_equal_rows_have_different_hashes_by_number_and_label() -> None:
    rows = np.zeros((2 * ROWS_PER_KEY, 2), np.uint64)
    hashed = hash_rows(rows, b"label")
    assert len({row.tobytes() for row in hashed}) == len(rows)
    assert not (hash_rows(rows[:10], b"other") == hashed[:10]).all(axis=1).any()


def test_the_universal_hash_is_ghash(source: Source) -> None:
    data = np.frombuffer(source("data")(3 * 48), np.uint64).reshape(3, 6)
    key = source("key")(16)
    hashed = Gmac(key, 48).hash(data)
    zeros = reference.ghash(key, bytes(48))
    for row, tag in zip(data, hashed, strict=True):
        plain = reference.ghash(key, row.tobytes())
        assert tag.tobytes() == bytes(a ^ b for a, b in zip(plain, zeros, strict=True))
    assert (hashed[0] ^ hashed[1] == Gmac(key, 48).hash((data[0] ^ data[1])[None])[0]).all()


def test_keys_of_a_pair_are_made_by_a_step_of_three_rounds(source: Source) -> None:
    steps = {
        0: make_pair(0, 1, "bob", b"session", source("alice")),
        1: make_pair(1, 0, "alice", b"session", source("bob")),
    }
    transcript = lockstep(steps)
    alice, bob = transcript.results[0], transcript.results[1]
    assert transcript.rounds == 3
    assert transcript.sent_bytes[0, 1] == transcript.sent_bytes[1, 0] == 12368
    assert (alice.sender.delta != bob.sender.delta).any()
    for sender, receiver in ((alice.sender, bob.receiver), (bob.sender, alice.receiver)):
        assert holds(sender, *played(sender, receiver, source, b"lot", 300))


def test_pairs_of_two_sessions_share_nothing(source: Source) -> None:
    """The same randomness under another session's name gives other keys, so other rows."""
    made = [
        lockstep(
            {
                0: make_pair(0, 1, "bob", session, source("alice")),
                1: make_pair(1, 0, "alice", session, source("bob")),
            }
        ).results
        for session in (b"one", b"two")
    ]
    lots = [played(results[0].sender, results[1].receiver, source, b"lot", 64)[1] for results in made]
    assert (lots[0].bits != lots[1].bits).any()


def test_lots_of_two_labels_share_nothing(pair: Pair, source: Source) -> None:
    alice, bob = pair
    first = played(alice.sender, bob.receiver, source, b"lot 1", 4096)
    second = played(alice.sender, bob.receiver, source, b"lot 2", 4096)
    assert holds(alice.sender, *second)
    agree = unpack_bits(first[1].bits ^ second[1].bits, 4096).mean()
    assert 0.4 < agree < 0.6
    assert not (first[0].rows() == second[0].rows()).all(axis=1).any()


def test_a_label_serves_one_lot(pair: Pair, source: Source) -> None:
    alice, bob = pair
    played(alice.sender, bob.receiver, source, b"lot", 10)
    with pytest.raises(LocalError, match="has been used"):
        alice.sender.lot(b"lot", 10, chosen=False)
    with pytest.raises(LocalError, match="has been used"):
        bob.receiver.lot(b"lot", 11, randomness=source("r"))


@pytest.mark.parametrize("count", [0, -1, MAX_LOT + 1])
def test_the_size_of_a_lot_is_bounded(pair: Pair, count: int) -> None:
    with pytest.raises(LocalError, match="1 to 524288 transfers"):
        pair[0].sender.lot(b"lot", count, chosen=False)


@pytest.mark.parametrize("tree", [0, 1, 31, 62])
def test_columns_that_do_not_agree_are_found_and_end_the_base(pair: Pair, source: Source, tree: int) -> None:
    """A receiver that uses another bit for one tree would learn that tree's part of Δ from its outputs."""
    alice, bob = pair
    theirs = bob.receiver.lot(b"lot", 640, randomness=source("r"))
    ours = alice.sender.lot(b"lot", 640, chosen=False)
    columns = np.frombuffer(bytearray(theirs.columns), np.uint64).reshape(63, -1)
    columns[tree, 3] ^= np.uint64(1 << 17)
    answer = theirs.check(memoryview(ours.read(memoryview(columns.tobytes()), source("c"))))
    if alice.sender.delta_masks[tree + 1].any():
        with pytest.raises(PeerViolation, match="bob: sent columns"):
            ours.check(memoryview(answer))
        with pytest.raises(LocalError, match="discarded"):
            alice.sender.lot(b"next", 10, chosen=False)
    else:  # the guess that these two bits of Δ are zero was right, and the deviation changed nothing
        ours.check(memoryview(answer))


def test_a_wrong_answer_is_found(pair: Pair, source: Source) -> None:
    alice, bob = pair
    for place in (0, 16, CHECK_BYTES - 1):
        alice_lot = alice.sender.lot(b"lot %d" % place, 64, chosen=False)
        theirs = bob.receiver.lot(b"lot %d" % place, 64, randomness=source("r"))
        answer = bytearray(theirs.check(memoryview(alice_lot.read(theirs.columns, source("c")))))
        answer[place] ^= 1
        with pytest.raises(PeerViolation, match="bob"):
            alice_lot.check(memoryview(answer))
        alice, bob = (
            lockstep(
                {
                    0: make_pair(0, 1, "bob", b"s%d" % place, source("alice")),
                    1: make_pair(1, 0, "alice", b"s%d" % place, source("bob")),
                }
            ).results[index]
            for index in (0, 1)
        )


def test_rows_are_given_out_after_the_check_only(pair: Pair, source: Source) -> None:
    alice, bob = pair
    ours = alice.sender.lot(b"lot", 64, chosen=False)
    with pytest.raises(LocalError, match="after its check"):
        ours.rows()
    with pytest.raises(LocalError, match="after its columns"):
        ours.check(memoryview(bytes(CHECK_BYTES)))
    ours.read(bob.receiver.lot(b"lot", 64, randomness=source("r")).columns, source("c"))
    with pytest.raises(LocalError, match="after its check"):
        ours.rows()


def test_the_hash_of_the_bits_is_masked(source: Source) -> None:
    """Two lots of the same chosen bits, under one challenge: the sender sees hashes that have nothing in common."""
    seen: set[bytes] = set()
    for run in range(4):
        _, receiver, _, _ = bases(source, 2)
        lot = receiver.lot(b"lot", 64, choices=np.array([5], np.uint64), randomness=source(f"run {run}"))
        seen.add(lot.check(memoryview(bytes(range(16))))[:16])
    assert len(seen) == 4


def tampered(step: Step[OtPair], number: int, place: int) -> Step[OtPair]:
    """The step, with one byte of the peer's message of a round changed on its way."""
    yielded = next(step)
    count = 0
    while True:
        try:
            if isinstance(yielded, Round):
                inbox = yield yielded
                (peer,) = inbox
                data = bytearray(inbox[peer])
                data[place] ^= 255 if count == number else 0
                count += 1
                yielded = step.send({peer: memoryview(data)})
            else:
                yielded = resume(step, (yield from outcome_of(yielded)))
        except StopIteration as stop:
            result: OtPair = stop.value
            return result


@pytest.mark.parametrize(("number", "place"), [(0, 16), (1, 0), (1, -1), (2, 5)])
def test_a_peer_that_does_not_follow_is_named(source: Source, number: int, place: int) -> None:
    """A byte of each of the three messages is changed on its way to alice."""
    steps = {
        0: tampered(make_pair(0, 1, "bob", b"session", source("alice")), number, place),
        1: make_pair(1, 0, "alice", b"session", source("bob")),
    }
    with pytest.raises(PeerViolation, match="bob"):
        lockstep(steps)


def test_secrets_are_not_shown(pair: Pair) -> None:
    alice, _ = pair
    assert repr(alice.sender) == "SenderBase(peer='bob')"
    assert "uint" not in repr(alice)
    assert repr(alice.receiver.lot(b"x", 5, randomness=bytes)) == "Receiver(count=5)"
