"""Each scheme's declared costs are what lockstep counts: rounds, and bytes by pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mpcnet.algebra import Z64, Words
from mpcnet.engine import Context, Setting, Step, Transcript, lockstep
from mpcnet.errors import LocalError
from mpcnet.schemes import AdditiveScheme, Cost, PlainScheme, Scheme, Share
from mpcnet.testing.lockstep import make_programs

SCHEMES: list[Scheme] = [AdditiveScheme(), PlainScheme()]
SETTINGS: list[tuple[Sequence[int], Sequence[int]]] = [
    ((0, 1), (0, 1)),
    ((0, 1, 2), (0, 1, 2)),
    ((3, 1), (0, 1, 2, 3)),
    ((1, 2, 4), (0, 1, 2, 3, 4, 5)),
    ((5, 4, 3, 2, 1, 0), range(6)),
]
SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 2), (0,)]
WORDS = 2**64


def run(
    scheme: Scheme,
    computing: Sequence[int],
    everyone: Sequence[int],
    step: Callable[[Context], Step[object]],
) -> Transcript[object]:
    programs = make_programs(computing=computing, everyone=everyone, scheme=scheme)
    return lockstep({me: step(program.context(0)) for me, program in programs.items()})


def row_of(owner: int, shape: tuple[int, ...]) -> Words:
    return np.full(shape, WORDS - 7 * (owner + 1), np.uint64)


def shared(scheme: Scheme, context: Context, shape: tuple[int, ...]) -> Share:
    """A sharing of 42 in every element, made without messages."""
    if not context.parties.computes:
        return Share(Z64, shape, ())
    part = np.full(shape, 42, np.uint64)
    if scheme.private:
        zero = context.zero_share(Z64, shape, purpose="test")
        part = zero + part * np.uint64(context.me == context.parties.computing[0])
    return Share(Z64, shape, (np.asarray(part),))


def check(transcript: Transcript[object], cost: Cost) -> None:
    assert transcript.sent_bytes == dict(cost.sent_bytes)
    assert transcript.rounds == cost.rounds
    assert cost.demand == {}


def setting(computing: Sequence[int], everyone: Sequence[int]) -> Setting:
    return make_programs(computing=computing, everyone=everyone)[everyone[0]].setting


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("computing", "everyone"), SETTINGS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_input(scheme: Scheme, computing: Sequence[int], everyone: Sequence[int], shape: tuple[int, ...]) -> None:
    for owners in (
        tuple(everyone),
        tuple(computing),
        tuple(everyone)[::-1],
        tuple(everyone)[-1:],
        tuple(computing)[:1],
    ):

        def step(context: Context, owners: tuple[int, ...] = owners) -> Step[Share]:
            mine = row_of(context.me, shape) if context.me in owners else None
            return (yield from scheme.input(context, Z64, shape, owners, mine))

        transcript = run(scheme, computing, everyone, step)
        check(transcript, scheme.input_cost(setting(computing, everyone), Z64, shape, owners))
        wanted = np.stack([row_of(owner, shape) for owner in owners])
        parts: list[Words] = []
        for me, share in transcript.results.items():
            assert isinstance(share, Share)
            assert share.shape == (len(owners), *shape)
            assert len(share.parts) == (1 if me in computing else 0)
            parts += share.parts
        if scheme.private:
            assert np.array_equal(sum(parts), wanted)
        else:
            assert all(np.array_equal(part, wanted) for part in parts)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("computing", [2, 3, 5])
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_an_owner_splits_a_row_alone(scheme: Scheme, computing: int, shape: tuple[int, ...]) -> None:
    """What it makes from its own randomness opens to the row, in the parties' own steps."""
    row = row_of(4, shape)
    drawn = make_programs(computing=2)[0].context(0).randomness
    parts = scheme.split(Z64, shape, row, computing, drawn)
    again = scheme.split(Z64, shape, row, computing, drawn)
    assert len(parts) == computing
    if scheme.private and row.size:
        assert not any(np.any(a == b) for a, b in zip(parts[1], again[1], strict=True))
        assert not any(np.any(part == row) for held in parts for part in held)

    def step(context: Context) -> Step[Words | None]:
        share = Share(Z64, shape, parts[context.me] if context.me < computing else ())
        return (yield from scheme.open(context, share))

    opened = run(scheme, range(computing), range(computing + 1), step).results
    assert all(np.array_equal(np.asarray(opened[me]), row) for me in range(computing))
    assert opened[computing] is None


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_a_row_of_another_shape_is_not_split(scheme: Scheme) -> None:
    with pytest.raises(LocalError, match=r"has shape \(3,\), declared is \(2,\)"):
        scheme.split(Z64, (2,), np.zeros(3, np.uint64), 2, bytes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("computing", "everyone"), SETTINGS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_open(scheme: Scheme, computing: Sequence[int], everyone: Sequence[int], shape: tuple[int, ...]) -> None:
    def step(context: Context) -> Step[Words | None]:
        return (yield from scheme.open(context, shared(scheme, context, shape)))

    transcript = run(scheme, computing, everyone, step)
    check(transcript, scheme.open_cost(setting(computing, everyone), Z64, shape))
    expect_at(transcript, computing, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("computing", "everyone"), SETTINGS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_reveal(scheme: Scheme, computing: Sequence[int], everyone: Sequence[int], shape: tuple[int, ...]) -> None:
    outside = tuple(party for party in everyone if party not in computing)
    for receivers in (tuple(everyone), tuple(computing), tuple(everyone)[-1:], tuple(computing)[:1], outside, ()):

        def step(context: Context, receivers: tuple[int, ...] = receivers) -> Step[Words | None]:
            return (yield from scheme.reveal(context, shared(scheme, context, shape), receivers))

        transcript = run(scheme, computing, everyone, step)
        check(transcript, scheme.reveal_cost(setting(computing, everyone), Z64, shape, receivers))
        expect_at(transcript, receivers, shape)


def expect_at(transcript: Transcript[object], receivers: Sequence[int], shape: tuple[int, ...]) -> None:
    for me, opened in transcript.results.items():
        if me in receivers:
            assert np.array_equal(np.asarray(opened), np.full(shape, 42))
        else:
            assert opened is None


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_setup_and_verify_take_no_round(scheme: Scheme) -> None:
    for step in (scheme.setup, scheme.verify):
        assert run(scheme, (0, 1), (0, 1), step).messages == {}


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("mine", [None, np.zeros(3, np.uint64)])
def test_an_input_of_another_shape_is_our_mistake(scheme: Scheme, mine: Words | None) -> None:
    def step(context: Context) -> Step[Share]:
        return (yield from scheme.input(context, Z64, (2,), (0, 1), mine))

    with pytest.raises(LocalError, match=r"declared is \(2,\)"):
        run(scheme, (0, 1), (0, 1), step)


def test_how_many_parties_a_scheme_takes() -> None:
    AdditiveScheme().check_parties((0, 1))
    PlainScheme().check_parties((0,))
    with pytest.raises(LocalError, match="'additive' takes at least 2 computing parties, not 1"):
        AdditiveScheme().check_parties((0,))
    with pytest.raises(LocalError, match="'plain' takes at least 1 computing parties, not 0"):
        PlainScheme().check_parties(())


def test_an_opened_value_is_the_receivers_own() -> None:
    """To change what was revealed changes no share, so a later reveal is right."""
    for scheme in SCHEMES:

        def step(context: Context, scheme: Scheme = scheme) -> Step[Words | None]:
            x = shared(scheme, context, (2,))
            for operation in (scheme.open(context, x), scheme.reveal(context, x, (0, 1))):
                opened = yield from operation
                assert opened is not None
                opened[:] = 0
            return (yield from scheme.reveal(context, x, (0, 1)))

        expect_at(run(scheme, (0, 1), (0, 1), step), (0, 1), (2,))
