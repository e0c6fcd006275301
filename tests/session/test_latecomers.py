"""Whoever comes when a job is over already is told so, and does not wait for its whole deadline."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from mpcnet import AgreementMismatch, Job, PeerAborted, RangeError
from mpcnet.session.abort import Abort, Reason
from mpcnet.session.refusals import MAX_REFUSALS, Refusals
from mpcnet.testing.parties import Loopback, run_parties
from mpcnet_protocols.average import Outcome, Rules, average

JOB: Job[Rules, Outcome] = Job(
    average, Rules(), {"owners": ("alice", "bob", "carol")}, "late", deadline_seconds=1000
)
OTHER: Job[Rules, Outcome] = Job(
    average, Rules(high=9), {"owners": ("alice", "bob", "carol")}, "late", deadline_seconds=1000
)


async def test_after_a_mismatch(three: Loopback, mock_clock: trio.testing.MockClock) -> None:
    async with three.meshes("alice", "carol") as meshes:
        endings = await run_parties(
            meshes, JOB, {"alice": {"value": 1}, "carol": {"value": 1}}, jobs={"carol": OTHER}
        )
        # The slower of the two may hear of the difference from the other before it has looked itself.
        assert any(isinstance(error, AgreementMismatch) for error in endings.errors.values())
        assert set(endings.errors) == {"alice", "carol"}
        async with three.mesh("bob").open() as bob:
            with pytest.raises((PeerAborted, AgreementMismatch)):
                await bob.run(JOB, {"value": 1})


async def test_after_a_refused_input(three: Loopback, mock_clock: trio.testing.MockClock) -> None:
    async with three.meshes("alice") as meshes:
        with pytest.raises(RangeError):
            await meshes["alice"].run(JOB, {"value": -1})
        async with three.mesh("bob").open() as bob:
            with pytest.raises(PeerAborted, match="alice: ended the job: it refused its own input"):
                await bob.run(JOB, {"value": 1})


async def test_a_label_that_is_run_again_is_not_refused(three: Loopback) -> None:
    async with three.meshes("alice") as meshes:
        with pytest.raises(RangeError):
            await meshes["alice"].run(JOB, {"value": -1})
        results: list[Outcome] = []

        async def run(name: str) -> None:
            results.append(await meshes[name].run(JOB, {"value": 1}))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run, "alice")
            await trio.testing.wait_all_tasks_blocked()
            async with three.mesh("bob").open() as bob, three.mesh("carol").open() as carol:
                meshes |= {"bob": bob, "carol": carol}
                async with trio.open_nursery() as late:
                    late.start_soon(run, "bob")
                    late.start_soon(run, "carol")
        assert [outcome.sum for outcome in results] == [3, 3, 3]


async def test_each_is_told_once_and_the_memory_is_bounded() -> None:
    refusals = Refusals()
    for number in range(MAX_REFUSALS + 5):
        refusals.remember(Abort(f"job-{number}", b"", b"", Reason.REFUSED_INPUT), (1, 2))
    assert refusals.is_told("job-4")
    assert not refusals.is_told("job-5")
    assert len(refusals.take(1)) == MAX_REFUSALS
    assert refusals.take(1) == []
    refusals.forget("job-5")
    assert len(refusals.take(2)) == MAX_REFUSALS - 1
    assert refusals.is_told(f"job-{MAX_REFUSALS}")
