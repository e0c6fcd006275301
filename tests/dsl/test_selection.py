"""The order of a list: whichever group the largest stands in, at every level of groups, and what costs extra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mpcnet.dsl import Secret, SecretBits, top
from mpcnet.engine import Step
from mpcnet.schemes import PlainScheme, Scheme
from mpcnet.testing.lockstep import LockstepParty, Plain, run_program


def found(
    values: Sequence[int], places: int, computing: int = 2, scheme: Scheme | None = None
) -> tuple[dict[str, Plain], int]:
    """What `top` and the methods say, and the rounds that it takes."""

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: values}, range=(0, 999))[0]
        best = top(x, places)
        assert isinstance(best.one_hot, SecretBits)
        assert best.one_hot is best.one_hot
        opened = yield from party.reveal(
            values=best.values,
            indices=best.indices,
            one_hot=best.one_hot,
            argmax=x.argmax(),
            argmin=(999 - x).argmin(),
            kth=x.kth_largest(places),
        )
        assert party.program.pool.drain() == {}
        return opened

    run = run_program(program, computing=computing, scheme=scheme)
    return run.results[0], run.rounds


def check(values: Sequence[int], places: int, opened: dict[str, Plain]) -> None:
    order = sorted(range(len(values)), key=lambda place: (-values[place], place))[:places]
    assert opened["indices"].tolist() == order
    assert opened["values"].tolist() == [values[place] for place in order]
    assert opened["one_hot"].tolist() == np.eye(len(values), dtype=int)[order].tolist()
    assert opened["argmax"] == opened["argmin"] == order[0]
    assert opened["kth"] == values[order[-1]]


@pytest.mark.parametrize("where", [0, 127, 128, 129, 139])
@pytest.mark.parametrize("tied", [False, True])
def test_the_largest_stands_in_any_group(where: int, tied: bool) -> None:
    """140 elements go in four groups of 32 and one of 12, which begins at 128."""
    values = [place % 7 for place in range(140)]
    values[where] = 500
    if tied and where < 139:
        values[139] = 500
    opened, _ = found(values, 1)
    check(values, 1, opened)


@pytest.mark.parametrize("where", [0, 31, 4159, 4160, 4168])
def test_the_largest_stands_in_any_group_of_the_second_level(where: int) -> None:
    """4169 elements leave 131 of their groups, which go in groups of 32 again: the last one holds 3."""
    values = [place % 7 for place in range(4169)]
    values[where] = 500

    def program(party: LockstepParty) -> Step[dict[str, Plain]]:
        x = party.input("x", {0: values}, range=(0, 999))[0]
        return (yield from party.reveal(index=x.argmax(), value=x.max()))

    opened = run_program(program, computing=2, scheme=PlainScheme()).results[1]
    assert opened["index"] == where
    assert opened["value"] == 500


@pytest.mark.parametrize("places", [2, 5, 40])
def test_the_largest_stand_in_the_last_group(places: int) -> None:
    """Groups hold four times as many as there are places; the last may hold fewer than there are places."""
    values = [place % 7 for place in range(330)]
    values[-3:] = [500, 501, 500]
    opened, _ = found(values, places, scheme=PlainScheme())
    check(values, places, opened)


@pytest.mark.parametrize("length", [127, 128, 129, 130])
def test_one_hot_is_there_whatever_the_length(length: int) -> None:
    values = [(place * 31) % 97 for place in range(length)]
    opened, _ = found(values, 2)
    check(values, 2, opened)


def test_one_hot_costs_a_test_for_equality_where_groups_are_compared_and_only_if_it_is_asked_for() -> None:
    def rounds(length: int, ask: bool) -> int:
        def program(party: LockstepParty) -> Step[Plain]:
            x = party.input("x", {0: np.arange(length)}, range=(0, 999))[0]
            best = top(x, 1)
            wanted: Secret | SecretBits = best.one_hot if ask else best.indices
            return (yield from party.reveal(wanted=wanted))["wanted"]

        return run_program(program, computing=2).rounds

    assert rounds(100, ask=True) <= rounds(100, ask=False)
    assert 0 < rounds(200, ask=True) - rounds(200, ask=False) <= 4


def test_top_says_what_it_is() -> None:
    def program(party: LockstepParty) -> Step[str]:
        yield from ()
        return repr(top(party.input("x", {0: [3, 1]}, range=(0, 9))[0], 1))

    text = run_program(program, computing=2).results[0]
    assert text == "Top(values=Secret(shape=(1,), range=[0, 9]), indices=Secret(shape=(1,), range=[0, 1]))"
