"""Parties that do not compute meet the computing parties alone, and still agree with everybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from mpcnet import AgreementMismatch, LocalError, PeerAborted, simulate
from mpcnet.declare import Party
from mpcnet.session.abort import NONCE_BYTES
from mpcnet.session.agreement import Confirm
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import Loopback, Nothing, job_of, run_parties, total

OWNERS = ("alice", "bob", "carol", "dave")
COMPUTING = ("erin", "frank")
VALUES: dict[str, dict[str, object]] = {
    **{name: {"value": 1} for name in OWNERS},
    **{name: {} for name in COMPUTING},
}


async def chatty(party: Party[Nothing]) -> int:
    if party.me.name == "alice":
        await party.send(party.roster.by_name("bob"), b"psst")
    return await total(party)


JOB = job_of(total, OWNERS, compute=COMPUTING)


async def test_no_frame_travels_between_two_of_them() -> None:
    simulation = simulate(JOB, {name: VALUES[name] for name in OWNERS})
    assert set(simulation.outputs.values()) == {4}
    pairs = {(event.sender, event.receiver) for event in simulation.trace}
    assert all(sender in COMPUTING or receiver in COMPUTING for sender, receiver in pairs)
    assert len(pairs) == 2 + 2 * len(OWNERS) * len(COMPUTING)


async def test_over_links() -> None:
    async with Loopback((*OWNERS, *COMPUTING)).meshes() as meshes:
        endings = await run_parties(meshes, JOB, VALUES)
    assert endings.outcomes == dict.fromkeys((*OWNERS, *COMPUTING), 4)
    assert len({result.job for result in endings.results.values()}) == 1


async def test_one_that_wants_something_else_is_named_by_those_it_meets() -> None:
    other = replace(JOB, deadline_seconds=30)
    async with Loopback((*OWNERS, *COMPUTING)).meshes() as meshes:
        endings = await run_parties(meshes, JOB, VALUES, jobs={"carol": other})
    assert set(endings.errors) == {*OWNERS, *COMPUTING}
    named = [error for error in endings.errors.values() if isinstance(error, AgreementMismatch)]
    assert named
    assert all(set(error.differences) == {"deadline seconds"} for error in named)
    assert all(isinstance(error, AgreementMismatch | PeerAborted) for error in endings.errors.values())


async def test_they_do_not_talk_to_each_other() -> None:
    job = job_of(chatty, OWNERS, compute=COMPUTING)
    async with Loopback((*OWNERS, *COMPUTING)).meshes() as meshes:
        endings = await run_parties(meshes, job, VALUES)
    assert isinstance(endings.errors["alice"], LocalError)
    assert "neither of us computes" in str(endings.errors["alice"])


@pytest.mark.parametrize("victim", range(4))
async def test_a_computing_party_that_tells_one_of_them_another_nonce(victim: int) -> None:
    """Bob learns carol's nonce from erin and frank; erin lies about one nonce to bob alone."""

    def lie(peer: int, frame: Frame) -> Iterable[Frame]:
        if frame.header.kind is not Kind.CONFIRM or peer != 1:
            return [frame]
        honest = Confirm.decode_untrusted(frame.body, "erin")
        place = NONCE_BYTES * victim
        wrong = honest.nonces[:place] + bytes(NONCE_BYTES) + honest.nonces[place + NONCE_BYTES :]
        return [Frame(frame.header, memoryview(replace(honest, nonces=wrong).encode()))]

    job = replace(JOB, deadline_seconds=2)
    async with Loopback((*OWNERS, *COMPUTING)).meshes(changes={"erin": lie}) as meshes:
        endings = await run_parties(meshes, job, VALUES)
    assert "bob" in endings.errors
    if victim != 1:  # a confirmation without bob's own nonce is one of an earlier run: bob waits for erin's
        assert isinstance(endings.errors["bob"], AgreementMismatch)
        assert endings.errors["bob"].party in COMPUTING
