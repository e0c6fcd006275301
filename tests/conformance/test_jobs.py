"""Protocols and sessions know no scheme: one that is not bundled runs through them unchanged."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from mpcnet import Ints, Job, LocalError, Many, One, Party, find_protocol, protocol, simulate
from mpcnet.declare.plugins import list_schemes
from mpcnet.testing import Case, check_protocol
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import Loopback, run_parties


@dataclass(frozen=True)
class Bound:
    high: int = 1000


@protocol(
    "moments",
    version=1,
    params=Bound,
    roles={"owners": Many(2)},
    inputs={"value": Ints(by="owners", range=(0, "high"), shape=(3,))},
    outputs={"squares": "everyone", "gram": "everyone", "spread": "everyone"},
)
async def moments(party: Party[Bound]) -> list[list[float]]:
    """Sums of squares, products of all rows with each other, and exact variances. Takes products, no comparison."""
    x = party.share("value")
    centred = x - x.mean(axis=0)
    async with party.fork("gram") as beside:
        await party.evaluate(x)
        gram = await beside.reveal(gram=beside.use(x) @ beside.use(x).T)
    out = await party.reveal(squares=(x * x).sum(axis=0), spread=(centred * centred).mean(axis=0))
    revealed = out["squares"], gram["gram"], out["spread"]
    return [np.asarray(value, np.float64).reshape(-1).tolist() for value in revealed]


def moments_in_the_clear(case: Case[Bound]) -> list[list[float]]:
    x = np.array(case["value"], np.float64)
    return [each.reshape(-1).tolist() for each in ((x * x).sum(axis=0), x @ x.T, x.var(axis=0))]


def close(one: Any, other: Any) -> bool:
    return all(np.allclose(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
def test_products_run_on_a_scheme_that_is_not_bundled(shamir: str) -> None:
    """Three parties with inputs, or three others; every party lost in every round; views of all."""
    check_protocol(
        moments,
        moments_in_the_clear,
        counts=[{"owners": 3}],
        outsiders=(0, 3),
        schemes=(shamir,),
        equal=close,
        params=(Bound(3),),
        tells_everything=True,
        examples=2,
    )


@pytest.mark.slow
def test_a_bundled_protocol_runs_on_it(shamir: str) -> None:
    average = find_protocol("average")
    example = average.example
    assert example is not None
    roles = {"owners": ("alice", "bob", "carol", "dave")}
    job = Job(average, example.params, roles, "raises", compute=("alice", "carol", "dave"), scheme=shamir)
    inputs = {"alice": {"value": 3800}, "bob": {"value": 2514}, "carol": {"value": 2982}, "dave": {"value": 3390}}
    by_shamir, additive = simulate(job, inputs), simulate(replace(job, scheme="additive"), inputs)
    assert by_shamir.outputs == additive.outputs
    assert by_shamir.cost.links != additive.cost.links


def test_a_protocol_with_comparisons_is_refused_by_name(shamir: str) -> None:
    auction = find_protocol("first-price-auction")
    assert auction.example is not None
    (role,) = (role for role, kind in auction.roles.items() if kind.most is None)
    names = ("alice", "bob", "carol")
    roles = {other: names[:1] for other in auction.roles if other != role} | {role: names}
    job = Job(auction, auction.example.params, roles, "auction", scheme=shamir)
    inputs = {name: {"bid": 5} for name in names}
    with pytest.raises(LocalError, match="scheme 'shamir' does not compute 'compare': choose another"):
        simulate(job, inputs)


def test_ranges_are_those_of_the_schemes_domain(shamir: str) -> None:
    """What the field does not hold is refused before a party waits, and on the line that makes it."""
    names = ("alice", "bob", "carol")
    job = Job(moments, Bound(2**60), {"owners": names}, "wide", scheme=shamir)
    inputs = {name: {"value": [1, 2, 3]} for name in names}
    with pytest.raises(
        LocalError, match=r"input 'value': a party can give values in \[0, .*F\(2\^61-1\) does not hold"
    ):
        simulate(job, inputs)
    with pytest.raises(LocalError, match=r"'matmul' can give values .* F\(2\^61-1\) does not hold"):
        simulate(replace(job, params=Bound(2**31)), inputs)


# Randomness, through sessions


@protocol(
    "zeros",
    version=1,
    params=Bound,
    roles={"owners": Many(2), "reader": One()},
    inputs={"value": Ints(by="owners", range=(0, "high"), shape=(4,))},
    outputs={"sum": "reader"},
)
async def zeros(party: Party[Bound]) -> None:
    """Reveals one value again and again: one after the other, in forks, and in forks of forks."""
    total = party.share("value").sum(axis=0)
    for _ in range(3):
        await party.reveal(sum=total)
    for label in ("left", "right"):
        async with party.fork(label) as fork:
            for _ in range(2):
                await fork.reveal(sum=fork.use(total))
            async with fork.fork("left") as inner:
                await inner.reveal(sum=inner.use(total))


@pytest.mark.parametrize("name", ["additive", "shamir"])
async def test_no_mask_is_used_twice(shamir: str, name: str) -> None:
    """Between the same meshes, and so from the same seeds of pairs: in no fork, operation, party or job.

    All values are zero, so that every message is a mask: its words are uniform, and no two of a thousand are equal.
    """
    assert name in list_schemes()
    loopback = Loopback(4)
    *owners, reader = loopback.names
    sent: dict[tuple[str, int], list[bytes]] = {}

    def recorded(sender: str) -> Any:
        def note(receiver: int, frame: Frame) -> list[Frame]:
            if frame.header.kind is Kind.ROUND:
                sent.setdefault((sender, receiver), []).append(bytes(frame.body))
            return [frame]

        return note

    inputs = {owner: {"value": [0, 0, 0, 0]} for owner in owners} | {reader: {}}
    async with loopback.meshes(changes={owner: recorded(owner) for owner in owners}) as meshes:
        for label in ("first", "second"):
            roles = {"owners": tuple(owners), "reader": (reader,)}
            endings = await run_parties(meshes, Job(zeros, Bound(), roles, label, scheme=name), inputs)
            assert endings.errors == {}
    to_reader = [body for (_, receiver), bodies in sent.items() if receiver == len(owners) for body in bodies]
    assert sum(map(len, to_reader)) == 2 * len(owners) * 9 * 4 * 8
    words = np.frombuffer(b"".join(itertools.chain.from_iterable(sent.values())), "<u8").tolist()
    assert len(set(words)) == len(words)
