"""Base transfers: the chosen key and no other, against a slow reference, and against peers that deviate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mpcnet.correlated.ot.base import (
    LEAST,
    BaseReceiver,
    BaseSender,
    first_bytes,
    second_bytes,
    third_bytes,
)
from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import blake2b, ed25519_add, ed25519_from_uniform
from tests.reference import oblivious_transfer as reference

Randomness = Callable[[int], bytes]
Source = Callable[[str], Randomness]
COUNT = LEAST
CHOICES = [place * 7 % 5 & 1 for place in range(COUNT)]


def sides(source: Source, sid: bytes = b"sid", other: bytes = b"sid") -> tuple[BaseReceiver, BaseSender]:
    return BaseReceiver(sid, CHOICES, source("R"), "alice"), BaseSender(other, COUNT, source("S"), "bob")


def played(source: Source) -> tuple[BaseReceiver, BaseSender]:
    receiver, sender = sides(source)
    answer = receiver.read(memoryview(sender.read(memoryview(receiver.first))))
    sender.finish(memoryview(answer))
    return receiver, sender


def test_the_receiver_has_the_chosen_keys_and_not_the_others(source: Source) -> None:
    receiver, sender = played(source)
    places = np.arange(COUNT)
    assert (sender.keys[places, CHOICES] == receiver.keys).all()
    others = sender.keys[places, 1 - np.array(CHOICES)]
    assert (others != receiver.keys).any(axis=1).all()
    assert len({key.tobytes() for key in sender.keys.reshape(-1, 16)}) == 2 * COUNT


def test_the_keys_are_those_of_the_reference(source: Source) -> None:
    receiver, sender = sides(source)
    sender.read(memoryview(receiver.first))
    uniform = blake2b(reference.prefixed(b"sid") + receiver.first[:16], size=64, person=b"mpcnet.ot.shift")
    shift = reference.decode(ed25519_add(ed25519_from_uniform(uniform[:32]), ed25519_from_uniform(uniform[32:])))
    scalar = source("S")(32)
    expected = reference.base_keys(b"sid", receiver.first[: 16 + 32 * 4], scalar, shift)
    assert [(zero.tobytes(), one.tobytes()) for zero, one in sender.keys[:4]] == expected


def test_sizes(source: Source) -> None:
    receiver, sender = sides(source)
    assert len(receiver.first) == first_bytes(COUNT)
    second = sender.read(memoryview(receiver.first))
    assert len(second) == second_bytes(COUNT)
    assert len(receiver.read(memoryview(second))) == third_bytes()


def test_points_do_not_tell_the_choice_by_their_order_or_sign(source: Source) -> None:
    """Both halves of the group occur for both choices: signs of x are balanced."""
    signs: dict[int, list[int]] = {0: [], 1: []}
    for run in range(8):
        receiver = BaseReceiver(b"sid", CHOICES, source(f"run {run}"), "alice")
        for place, choice in enumerate(CHOICES):
            signs[choice].append(receiver.first[16 + 32 * place + 31] >> 7)
    for drawn in signs.values():
        assert abs(sum(drawn) - len(drawn) / 2) < 5 * len(drawn) ** 0.5 / 2


def test_other_sids_have_other_keys(source: Source) -> None:
    receiver, sender = sides(source, b"sid", b"another")
    with pytest.raises(PeerViolation, match=r"alice: .*challenges"):
        receiver.read(memoryview(sender.read(memoryview(receiver.first))))


CHANGED = {
    "point": 0,
    "end of the point": 31,
    "a challenge": 32 + 16 * CHOICES.index(1),
    "the end of a challenge": 47 + 16 * CHOICES.index(1),
    "proof": second_bytes(COUNT) - 16,
    "the end of the proof": second_bytes(COUNT) - 1,
}


@pytest.mark.parametrize("place", CHANGED.values(), ids=CHANGED)
def test_a_changed_second_message_names_the_sender(source: Source, place: int) -> None:
    receiver, sender = sides(source)
    second = bytearray(sender.read(memoryview(receiver.first)))
    second[place] ^= 1
    with pytest.raises(PeerViolation, match="alice"):
        receiver.read(memoryview(second))


def test_a_changed_challenge_is_seen_by_choices_of_one(source: Source) -> None:
    """Whether the receiver goes on tells a cheating sender a choice: [CSW20] allows this selective failure."""
    receiver, sender = sides(source)
    second = bytearray(sender.read(memoryview(receiver.first)))
    second[32 + 16 * CHOICES.index(0)] ^= 1
    sender.finish(memoryview(receiver.read(memoryview(second))))


def test_a_wrong_answer_names_the_receiver(source: Source) -> None:
    receiver, sender = sides(source)
    answer = bytearray(receiver.read(memoryview(sender.read(memoryview(receiver.first)))))
    answer[3] ^= 4
    with pytest.raises(PeerViolation, match="bob: did not answer"):
        sender.finish(memoryview(answer))


def test_a_receiver_that_knows_no_key_cannot_answer(source: Source) -> None:
    """A point of a logarithm that nobody knows: the receiver has neither key, and the challenge finds it out."""
    receiver, sender = sides(source)
    first = bytearray(receiver.first)
    first[16:48] = ed25519_from_uniform(bytes(range(32)))
    second = sender.read(memoryview(first))
    with pytest.raises(PeerViolation):
        receiver.read(memoryview(second))


BAD_POINTS = {
    "identity": (1).to_bytes(32, "little"),
    "order two": (reference.P - 1).to_bytes(32, "little"),
    "order four": bytes(32),
    "not on the curve": (2).to_bytes(32, "little"),
    "outside of the subgroup": reference.encode(reference.add(reference.BASE, (0, reference.P - 1))),
}


@pytest.mark.parametrize("point", BAD_POINTS.values(), ids=BAD_POINTS)
def test_points_that_no_honest_party_sends(source: Source, point: bytes) -> None:
    receiver, sender = sides(source)
    first = bytearray(receiver.first)
    first[16 + 32 * 5 : 48 + 32 * 5] = point
    with pytest.raises(PeerViolation, match="bob"):
        sender.read(memoryview(first))
    second = bytearray(BaseSender(b"sid", COUNT, source("S"), "bob").read(memoryview(receiver.first)))
    second[:32] = point
    with pytest.raises(PeerViolation, match="alice"):
        receiver.read(memoryview(second))


def test_small_batches_are_refused(source: Source) -> None:
    with pytest.raises(LocalError, match="at least 80"):
        BaseSender(b"sid", LEAST - 1, source("S"), "bob")
    with pytest.raises(LocalError, match="at least 80"):
        BaseReceiver(b"sid", [0] * (LEAST - 1), source("R"), "alice")


def test_keys_are_known_when_the_message_has_been_read(source: Source) -> None:
    receiver, sender = sides(source)
    for side in (receiver, sender):
        with pytest.raises(LocalError, match="when the peer's message has been read"):
            _ = side.keys


def test_the_answer_comes_after_the_first_message(source: Source) -> None:
    with pytest.raises(LocalError, match="after its first message"):
        BaseSender(b"sid", COUNT, source("S"), "bob").finish(memoryview(bytes(16)))


def test_no_key_is_shown(source: Source) -> None:
    receiver, sender = played(source)
    assert repr(receiver) == f"BaseReceiver(count={COUNT})"
    assert repr(sender) == f"BaseSender(count={COUNT})"
