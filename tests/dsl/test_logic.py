"""Bits in the core: one conversion to numbers, whichever layer asks for it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from mpcnet.dsl import Secret, SecretBits, top, where
from mpcnet.engine import Step
from mpcnet.testing.lockstep import LockstepParty, run_program


def test_bits_become_numbers_once() -> None:
    def program(party: LockstepParty) -> Step[None]:
        x = party.input("x", {0: [3, -1, 0]}, range=(-9, 9))[0]
        bits = x > 0
        yield from party.evaluate(bits)
        number = bits.number()
        assert isinstance(number, Secret)
        assert bits.number().node is number.node
        assert (bits + 0).node.parents == (bits * 1 + 0).node.parents == (number.node,)
        uses = [bits.sum(), 1 - bits, bits / 4, where(bits, 5, 7), bits.mean(), bits @ np.arange(3), bits + bits]
        yield from party.evaluate(*uses)

    run = run_program(program, computing=2)
    one_conversion = run_program(conversion, computing=2)
    assert run.rounds == one_conversion.rounds
    assert run.sent_bytes == one_conversion.sent_bytes


def conversion(party: LockstepParty) -> Step[None]:
    x = party.input("x", {0: [3, -1, 0]}, range=(-9, 9))[0]
    bits = x > 0
    yield from party.evaluate(bits)
    yield from party.evaluate(bits.number())


@pytest.mark.parametrize("length", [4, 128])
def test_the_places_of_an_order_are_numbers_already(length: int) -> None:
    """Indices are made of them: whoever asks for the bits as numbers pays no second conversion."""

    def program(party: LockstepParty, ask: bool) -> Step[None]:
        best = top(party.input("x", {0: np.arange(length)}, range=(0, 999))[0], 1)
        assert isinstance(best.one_hot, SecretBits)
        yield from party.evaluate(best.indices)
        if ask:
            yield from party.evaluate(best.one_hot.number(), best.one_hot.sum())

    asked, silent = (run_program(partial(program, ask=ask), computing=2) for ask in (True, False))
    assert (asked.rounds, asked.sent_bytes) == (silent.rounds, silent.sent_bytes)
