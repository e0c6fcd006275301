"""Evaluations whose steps work for long: same rounds, same digests, same triples, whoever works and how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from mpcnet.engine import Context, Step, Transcript, Work
from mpcnet.schemes import AdditiveScheme, Share
from mpcnet.testing.lockstep import LockstepParty, Plain, run_program

Tapes = dict[int, Iterator[int]]


class Working(AdditiveScheme):
    """Works before and behind every operation, as often as the party's tape says."""

    def __init__(self, tapes: Tapes) -> None:
        super().__init__()
        self.works = 0
        self._tapes = tapes

    def setup(self, context: Context) -> Step[None]:
        yield from self._work(context)
        yield from super().setup(context)

    def compute(self, context: Context, primitive: Any, operands: Sequence[Share]) -> Step[Share]:
        yield from self._work(context)
        result = yield from super().compute(context, primitive, operands)
        yield from self._work(context)
        return result

    def verify(self, context: Context) -> Step[None]:
        yield from super().verify(context)
        yield from self._work(context)

    def _work(self, context: Context) -> Step[None]:
        for _ in range(next(self._tapes.get(context.me, iter(())), 0)):
            yield from Work(partial(int, 0))
            self.works += 1


Seen = tuple[list[Plain], list[bytes]]


def program(party: LockstepParty) -> Step[Seen]:
    """Products of two shapes and comparisons, side by side and one on the other."""
    x = party.input("x", {0: [3, -4, 5], 1: [6, 7, -8]}, (-9, 9))
    first, second = x[0], x[1]
    total = (first * second).sum() + (first > second).sum() * second[0] + (x[:, :2] * x[:, 1:]).sum()
    opened = yield from party.reveal(total=total, largest=first.max(), equal=(first == second).sum())
    again = yield from party.reveal(total=total * total)
    return [*opened.values(), *again.values()], party.digests


def played(tapes: dict[int, list[int]]) -> tuple[Transcript[Seen], int]:
    scheme = Working({me: iter(tape) for me, tape in tapes.items()})
    return run_program(program, computing=2, scheme=scheme), scheme.works


@pytest.mark.parametrize("tapes", [{0: [1] * 40}, {1: [2, 0, 1] * 9}, {0: [0, 1] * 20, 1: [1, 0, 0, 3] * 9}])
def test_works_change_nothing_that_another_party_sees(tapes: dict[int, list[int]]) -> None:
    (without, none), (worked, some) = played({}), played(tapes)
    assert none == 0
    assert some > 8
    assert worked.results == without.results
    assert (worked.rounds, worked.views) == (without.rounds, without.views)
