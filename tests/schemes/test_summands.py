"""Comparisons straight from the summands, on correlated randomness by oblivious transfer, against the clear."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mpcnet.algebra import Words
from mpcnet.algebra.bits import unpack_bits
from mpcnet.correlated.items import Demand
from mpcnet.correlated.ot.provider import OtProvider
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Opening
from mpcnet.correlated.tranches import make_tranche
from mpcnet.engine import Context, Round, Step, lockstep
from mpcnet.engine.context import Setting
from mpcnet.primitives import aes_ctr
from mpcnet.schemes import summands
from mpcnet.testing.provider_runs import Fork, World

Comparison = Callable[[Context, Words, int], Step[Words]]
COUNT = 70
WORLDS = {parties: World(tuple(range(parties))) for parties in (2, 3, 4, 6)}
"""Parties that stay: their base transfers serve all tests."""
FORKS = iter(Fork(bytes([number]) * 32) for number in range(256))


def values(bits: int) -> NDArray[np.int64]:
    """Both ends, their neighbours, zeros, and uniform ones, that fit into so many bits with their sign."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    drawn = aes_ctr(bytes(15) + bytes([bits]), 8 * COUNT).view(np.int64) >> np.int64(64 - bits)
    ends = [low, high, 0, 0, 0, min(high, 1), max(low, -1), max(low, low + 1), high - 1 if high else 0]
    drawn[: len(ends)] = ends
    return drawn


def shares(secret: NDArray[np.int64], parties: int) -> list[Words]:
    others = [aes_ctr(bytes([1 + party]) * 16, 8 * COUNT).view(np.uint64) for party in range(parties - 1)]
    rest = secret.view(np.uint64).copy()
    for other in others:
        rest -= other
    return [*others, rest]


def compared(
    world: World,
    fork: Fork,
    me: int,
    x: Words,
    bits: int,
    compare: Comparison,
    demand: Demand,
    sent: dict[int, int],
) -> Step[tuple[Words, int]]:
    """Make what a comparison takes, and run it; counts its rounds and what it sends."""
    parties, pool = world.parties(me), Pool()
    provider = OtProvider()
    context = Context(
        Setting(parties, provider.makes), world.streams(me, fork), (), 1, world.randomness(me, fork), pool
    )
    if demand:
        pairs = world.pairs(me, fork)
        preparation = provider.open(Opening(parties, None, fork.job, (), b"", pairs))
        yield from preparation.ensure(context, pool, make_tranche(1, demand))
    step = compare(context, x, bits)
    rounds = 0
    try:
        due = next(step)
        while True:
            if isinstance(due, Round):
                rounds += 1
                sent[me] = sent.get(me, 0) + sum(len(message) for message in due.to.values())
            due = step.send((yield due))
    except StopIteration as stop:
        assert pool.drain() == {}
        return stop.value, rounds


@pytest.mark.parametrize("parties", WORLDS)
@pytest.mark.parametrize("bits", [1, 2, 3, 9, 32, 64])
@pytest.mark.parametrize("kind", ["sign", "zero"])
def test_equal_to_the_clear_and_to_the_costs(parties: int, bits: int, kind: str) -> None:
    secret = values(bits)
    if kind == "sign":
        compare, cost, expected = summands.sign_bits, summands.sign_cost, secret < 0
    else:
        compare, cost, expected = summands.is_zero, summands.is_zero_cost, secret == 0
    rounds, demand, peer_bytes = cost(COUNT, bits, parties)
    world, fork, sent = WORLDS[parties], next(FORKS), dict[int, int]()
    own = shares(secret, parties)
    results = lockstep(
        {me: compared(world, fork, me, own[me], bits, compare, demand, sent) for me in range(parties)}
    ).results
    opened = np.bitwise_xor.reduce([result for result, _ in results.values()])
    assert (unpack_bits(opened, COUNT).astype(np.bool_) == expected).all()
    assert {taken for _, taken in results.values()} == {rounds}
    assert set(sent.values()) <= {peer_bytes * (parties - 1)}
    assert bool(sent) == (peer_bytes > 0)


def test_rounds_are_those_of_the_docstring() -> None:
    assert summands.sign_cost(64, 64, 2)[0] == 7
    assert summands.sign_cost(64, 64, 3)[0] == 8
