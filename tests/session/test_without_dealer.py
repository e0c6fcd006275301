"""Jobs without a dealer over links: products and comparisons in forks, and parties that deviate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mpcnet import Job, PeerAborted, PeerViolation
from mpcnet.declare import Party
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import Change, Endings, Loopback, Nothing, job_of, run_parties

OWNERS = ("alice", "bob", "carol")
INPUTS: dict[str, dict[str, object]] = {"alice": {"value": 7}, "bob": {"value": -3}, "carol": {"value": 5}}


async def several(party: Party[Nothing]) -> tuple[int, int, bool]:
    """A comparison in a fork beside a product, and a choice by a bit."""
    values = party.share("value")
    async with party.fork("other") as other:
        largest = await other.reveal(answer=other.share("value").max())
    out = await party.reveal(answer=values[0] * values[1], second=values[2] < values[0])
    return int(largest["answer"]), int(out["answer"]), bool(out["second"])


def without_dealer(**changes: Any) -> Job[Nothing, Any]:
    return replace(job_of(several, OWNERS), provider="ot", **changes)


async def over_links(changes: dict[str, Change] | None = None) -> Endings:
    async with Loopback(OWNERS).meshes(changes=changes) as meshes:
        return await run_parties(meshes, without_dealer(), INPUTS)


async def test_products_and_comparisons_over_links() -> None:
    endings = await over_links()
    assert endings.outcomes == dict.fromkeys(OWNERS, (7, -21, True))
    cost = endings.results["alice"].cost
    assert cost.regions["correlated"].rounds > 0
    assert cost.regions["correlated"].sent_bytes > 50 * cost.regions["main"].sent_bytes


@pytest.mark.parametrize("number", range(6))
async def test_a_party_that_deviates_in_a_round_of_preparing_is_named(number: int) -> None:
    """Bob changes what he sends in one round: base transfers, columns, challenge, check.

    Of a changed point his peers make keys that do not fit his own, and a changed challenge they answer as it came:
    then it is bob who finds a violation, and his peers see him end the job.
    """

    def changed(_peer: int, frame: Frame) -> list[Frame]:
        if frame.header.kind is not Kind.ROUND or frame.header.round != number or not len(frame.body):
            return [frame]
        body = bytearray(frame.body)
        body[len(body) // 2] ^= 1
        return [Frame(frame.header, memoryview(bytes(body)))]

    endings = await over_links({"bob": changed})
    for name in ("alice", "carol"):
        error = endings.errors[name]
        assert isinstance(error, PeerViolation | PeerAborted), error
        assert error.party == "bob" or isinstance(error, PeerAborted)
    violations = [error for error in endings.errors.values() if isinstance(error, PeerViolation)]
    assert violations
    if number not in (0, 4):
        assert any(error.party == "bob" for error in violations)
