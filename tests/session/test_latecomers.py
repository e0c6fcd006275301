"""Whoever comes when a job is over already is told so, and does not wait for its whole deadline."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
import trio.testing

from mpcnet import AgreementMismatch, Job, PeerAborted, RangeError
from mpcnet.session.abort import Abort, Reason
from mpcnet.session.agreement import Agree
from mpcnet.session.early_agreements import EarlyAgreements
from mpcnet.session.undelivered_aborts import MAX_REFUSALS, UndeliveredAborts
from mpcnet_protocols.average import Outcome, Rules, average
from tests.support.parties import Loopback, run_parties

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
        assert {mesh.latecomers("late") for mesh in meshes.values()} == {("bob",)}
        async with three.mesh("bob").open() as bob:
            with pytest.raises((PeerAborted, AgreementMismatch)):
                await bob.run(JOB, {"value": 1})
        assert () in {mesh.latecomers("late") for mesh in meshes.values()}


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


async def test_who_waits_under_another_label_is_named_with_it(
    three: Loopback, mock_clock: trio.testing.MockClock
) -> None:
    job = replace(JOB, deadline_seconds=2)
    jobs = {"carol": replace(job, label="lato")}
    async with three.meshes() as meshes:
        endings = await run_parties(meshes, job, {name: {"value": 1} for name in three.names}, jobs=jobs)
    told = [str(endings.errors[name]) for name in ("alice", "bob")]
    assert any("carol waits in another job, whose label is 'lato'" in text for text in told), told


async def test_what_a_peer_calls_its_job_cannot_write_on_a_terminal() -> None:
    pending = EarlyAgreements()
    pending.put_agree(1, "bob", Agree("\x1b[2Jlate", b"", bytes(32)), 99)
    assert pending.hints(1, "bob") == (r"bob waits in another job, whose label is '\x1b[2Jlate'",)
    pending.put_abort(1, Abort("\x1b[2Jlate", bytes(32), b"", Reason.REFUSED_INPUT))
    assert pending.hints(1, "bob") == ()


async def test_who_is_to_call_us_and_does_not_is_named_with_our_address(
    three: Loopback, mock_clock: trio.testing.MockClock
) -> None:
    async with three.meshes("bob") as meshes:
        endings = await run_parties(meshes, replace(JOB, deadline_seconds=2), {"bob": {"value": 1}})
    assert f"alice is not connected: it calls us, at 127.0.0.1:{three.ports['bob']}" in str(endings.errors["bob"])


async def test_each_is_told_once_and_the_memory_is_bounded() -> None:
    refusals = UndeliveredAborts()
    for number in range(MAX_REFUSALS + 5):
        refusals.remember(Abort(f"job-{number}", b"", b"", Reason.REFUSED_INPUT), (1, 2))
    assert refusals.is_told("job-4")
    assert not refusals.is_told("job-5")
    assert len(refusals.take(1)) == MAX_REFUSALS
    assert refusals.take(1) == []
    refusals.forget("job-5")
    assert len(refusals.take(2)) == MAX_REFUSALS - 1
    assert refusals.is_told(f"job-{MAX_REFUSALS}")
