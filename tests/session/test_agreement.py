"""Agreements: what is compared, in whatever order words come, and what of an earlier run must not count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet.engine import Parties
from mpcnet.errors import AgreementMismatch, LocalError, MpcnetError, PeerAborted, PeerViolation
from mpcnet.session import Mesh, Party
from mpcnet.session.abort import Abort, Reason
from mpcnet.session.agreement import Agree, Confirm, agreement_of, job_id
from mpcnet.session.job import Job, make_plan
from mpcnet.testing.parties import Loopback, Nothing, Silent, job_of
from mpcnet.wire.canonical import encode_canonical
from mpcnet.wire.frames import Frame, Header, Kind

LOOPBACK = Loopback(2)
ALICE, BOB = LOOPBACK.roster.members
NONCES = (b"a" * 32, b"b" * 32, b"c" * 32)


async def nothing(party: Party[Nothing]) -> str:
    return "done"


JOB = job_of(nothing, LOOPBACK.names)


def agree(nonce: bytes, job: Job[Any, Any] = JOB) -> Frame:
    """Bob's agreement."""
    agreement = encode_canonical(agreement_of(make_plan(job, LOOPBACK.roster, BOB)))
    return Frame(Header(Kind.AGREE), memoryview(Agree(job.label, agreement, nonce).encode()))


def confirm(ours: bytes, theirs: bytes) -> Frame:
    """Bob's confirmation of our nonce and his."""
    agreement = encode_canonical(agreement_of(make_plan(JOB, LOOPBACK.roster, BOB)))
    nonces = ours + theirs
    return Frame(Header(Kind.CONFIRM), memoryview(Confirm(JOB.label, job_id(agreement, nonces), nonces).encode()))


def abort(reply_to: bytes, reason: Reason = Reason.CANCELLED) -> Frame:
    return Frame(Header(Kind.ABORT), memoryview(Abort(JOB.label, reply_to, reason).encode()))


SEED = Frame(Header(Kind.PAIR_SEED), memoryview(bytes(32)))


class Alone:
    """Alice, with a test for Bob."""

    def __init__(self, nursery: trio.Nursery, hold: tuple[Kind, ...] = ()) -> None:
        self.transport = Silent(0, hold)
        self.nonces = list(NONCES)
        self.mesh = Mesh(LOOPBACK.roster, ALICE, self.transport, randomness=self.randomness)
        self.endings: list[object] = []
        self.nursery = nursery

    def randomness(self, nbytes: int) -> bytes:
        return self.nonces.pop(0)[:nbytes]

    def start(self) -> None:
        self.nursery.start_soon(self._run)

    async def _run(self) -> None:
        try:
            self.endings.append(await self.mesh.run(JOB, {"value": 1}))
        except MpcnetError as error:
            self.endings.append(error)

    async def hear(self, *frames: Frame) -> None:
        for frame in frames:
            self.mesh.frame_received(1, frame)
        await trio.testing.wait_all_tasks_blocked()

    async def up(self) -> None:
        self.mesh.peer_up(1, bytes(16))
        await trio.testing.wait_all_tasks_blocked()


async def test_a_peer_that_spoke_first_still_hears_our_agreement() -> None:
    async with trio.open_nursery() as nursery:
        alone = Alone(nursery, hold=(Kind.PAIR_SEED,))
        async with alone.mesh.open():
            alone.start()
            await trio.testing.wait_all_tasks_blocked()
            await alone.up()  # our greeting hangs behind the pair seed
            await alone.hear(SEED, agree(b"B" * 32))
            alone.transport.go_on.set()
            await trio.testing.wait_all_tasks_blocked()
            assert alone.transport.kinds(1) == ["CONFIRM", "PAIR_SEED", "AGREE"]
            await alone.hear(confirm(NONCES[0], b"B" * 32))
    assert alone.endings == ["done"]
