"""Jobs beside and after each other: forks, cancellation, foreign exceptions, and nothing that grows."""

from __future__ import annotations

import os
import typing
from collections.abc import Collection
from typing import Any

import pytest
import trio
import trio.testing

from mpcnet import Job, JobEnded, LocalError, Mesh, PeerAborted
from mpcnet.declare import Party
from mpcnet.session.events import Agreed, Ended, Event, PeerDown, PeerUp, RoundDone, Waiting
from mpcnet_protocols.average import Rules, average
from tests.support.parties import Endings, Loopback, Nothing, job_of, run_parties, total

ONES: dict[str, dict[str, object]] = {name: {"value": 1} for name in ("alice", "bob", "carol")}


async def run(loopback: Loopback, function: Any, **others: Any) -> Endings:
    jobs = {name: job_of(program, loopback.names) for name, program in others.items()}
    async with loopback.meshes() as meshes:
        inputs = {name: ONES[name] for name in loopback.names}
        return await run_parties(meshes, job_of(function, loopback.names), inputs, jobs=jobs)


async def test_many_jobs_at_once_on_one_mesh(three: Loopback) -> None:
    sums: dict[tuple[str, int], int] = {}

    async def one(mesh: Mesh, name: str, number: int) -> None:
        job = job_of(total, three.names, label=f"job-{number}")
        sums[name, number] = await mesh.run(job, {"value": number})

    async with three.meshes() as meshes, trio.open_nursery() as nursery:
        for name, mesh in meshes.items():
            for number in range(12):
                nursery.start_soon(one, mesh, name, number)
    assert sums == {(name, number): 3 * number for name in three.names for number in range(12)}


async def test_one_job_may_fail_beside_others(three: Loopback) -> None:
    async def fails(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        raise ValueError("our own")

    async def slow(party: Party[Nothing]) -> int:
        values = party.share("value")
        out = await party.reveal(answer=values.sum())
        for _ in range(20):
            out = await party.reveal(answer=values.sum() + int(out["answer"]))
        return int(out["answer"])

    endings: dict[str, Endings] = {}

    async def at_all(meshes: dict[str, Mesh], label: str, function: Any) -> None:
        job = job_of(function, three.names, label=label)
        endings[label] = await run_parties(meshes, job, ONES)

    async with three.meshes() as meshes, trio.open_nursery() as nursery:
        nursery.start_soon(at_all, meshes, "slow", slow)
        nursery.start_soon(at_all, meshes, "fails", fails)
    assert endings["slow"].outcomes == dict.fromkeys(three.names, 63)
    assert len(endings["fails"].errors) == 3


async def test_forks_run_side_by_side_and_inside_of_each_other(three: Loopback) -> None:
    async def program(party: Party[Nothing]) -> list[int]:
        found: dict[str, int] = {}

        async def work(fork: Party[Nothing], label: str, rounds: int) -> None:
            values = fork.share("value")
            answer = 0
            for _ in range(rounds):
                out = await fork.reveal(answer=values.sum() + answer)
                answer = int(out["answer"])
            async with fork.fork("inner") as inner:
                out = await inner.reveal(answer=inner.share("value").sum() * rounds)
            found[label] = answer + int(out["answer"])

        async with trio.open_nursery() as nursery:
            for number in range(8):
                async with party.fork(f"fork-{number}") as fork:
                    nursery.start_soon(work, fork, f"fork-{number}", number + 1)
            main = await party.reveal(answer=party.share("value").sum())
        return [int(main["answer"]), *(found[f"fork-{number}"] for number in range(8))]

    endings = await run(three, program)
    expected = [3, *(3 * (number + 1) + 3 * (number + 1) for number in range(8))]
    assert endings.outcomes == dict.fromkeys(three.names, expected)


async def test_more_forks_than_may_be_unknown(two: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mpcnet.session.job_run.MAX_FORKS", 4)

    async def program(party: Party[Nothing]) -> int:
        answer = 0
        for number in range(20):
            async with party.fork(f"fork-{number}") as fork:
                out = await fork.reveal(answer=fork.share("value").sum() + answer)
                answer = int(out["answer"])
        return answer

    assert (await run(two, program)).outcomes == {"alice": 40, "bob": 40}


async def test_forks_have_labels_of_their_own(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> None:
        async with party.fork("one"):
            pass
        for label in ("one", "", "x" * 65):
            with pytest.raises(LocalError):
                async with party.fork(label):
                    pass

    assert (await run(two, program)).outcomes == {"alice": None, "bob": None}


async def test_two_evaluations_at_once_are_a_mistake_that_says_so(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> None:
        value = party.share("value").sum()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: party.reveal(answer=value))
            nursery.start_soon(lambda: party.reveal(second=value))

    async def waits(party: Party[Nothing]) -> None:
        await trio.sleep_forever()

    endings = await run(two, waits, bob=program)
    assert "another evaluation" in str(endings.errors["bob"])
    assert str(endings.errors["alice"]) == "bob: ended the job: its program made a mistake"


async def test_cancellation_by_the_caller_is_told_to_the_others(three: Loopback) -> None:
    reached = trio.Event()

    async def waits(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        reached.set()
        await trio.sleep_forever()

    endings = Endings()
    async with three.meshes() as meshes, trio.open_nursery() as nursery:

        async def others() -> None:
            nonlocal endings
            inputs = {name: ONES[name] for name in ("alice", "bob")}
            endings = await run_parties(meshes, job_of(waits, three.names), inputs)

        nursery.start_soon(others)
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel_after, reached, scope)
            await meshes["carol"].run(job_of(waits, three.names), {"value": 1})
        assert scope.cancelled_caught
    for error in endings.errors.values():
        assert isinstance(error, PeerAborted)
    assert "carol: ended the job: it was cancelled there" in {str(error) for error in endings.errors.values()}
    assert set(endings.errors) == {"alice", "bob"}


async def cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def test_cancellation_while_waiting_for_others(two: Loopback) -> None:
    async with two.meshes("alice") as meshes:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(meshes["alice"].run, job_of(total, two.names), {"value": 1})
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert nursery.cancel_scope.cancelled_caught


async def test_a_foreign_exception_reaches_its_caller_and_aborts_the_others(three: Loopback) -> None:
    async def fails(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        raise KeyError("a mistake of the program")

    async def waits(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        await trio.sleep_forever()

    endings = await run(three, waits, bob=fails)
    assert type(endings.errors["bob"]) is KeyError
    for name in ("alice", "carol"):
        assert isinstance(endings.errors[name], PeerAborted)
        assert "bob" in str(endings.errors[name])
        assert "a mistake of the program" not in str(endings.errors[name])


async def test_a_foreign_exception_between_rounds_of_forks(two: Loopback) -> None:
    async def fails(party: Party[Nothing]) -> None:
        async with party.fork("one") as one, party.fork("two") as second, trio.open_nursery() as nursery:
            nursery.start_soon(lambda: one.reveal(answer=one.share("value").sum()))
            await second.reveal(answer=second.share("value").sum())
            raise RuntimeError("inside")

    async def waits(party: Party[Nothing]) -> None:
        async with party.fork("two") as second:
            await second.reveal(answer=second.share("value").sum())
        await trio.sleep_forever()

    endings = await run(two, waits, bob=fails)
    assert type(endings.errors["bob"]) is RuntimeError
    assert str(endings.errors["alice"]) == "bob: ended the job: its program failed"


async def test_a_round_that_the_program_cancels_ends_the_job(two: Loopback) -> None:
    async def cancels(party: Party[Nothing]) -> str:
        value = party.share("value").sum()
        with trio.CancelScope() as scope:
            scope.cancel()
            await party.reveal(answer=value)
        with pytest.raises(JobEnded):
            await party.reveal(answer=value)
        return "went on"

    async def goes_on(party: Party[Nothing]) -> None:
        await total(party)
        await trio.sleep_forever()

    endings = await run(two, goes_on, bob=cancels)
    assert isinstance(endings.errors["bob"], JobEnded)
    assert str(endings.errors["bob"]) == "a round was cancelled while it was in flight"
    assert str(endings.errors["alice"]) == "bob: ended the job: it was cancelled there"


async def test_a_party_of_an_ended_job_does_nothing_more(two: Loopback) -> None:
    kept: list[Party[Nothing]] = []

    async def program(party: Party[Nothing]) -> int:
        kept.append(party)
        return await total(party)

    async with two.meshes() as meshes:
        await run_parties(meshes, job_of(program, two.names), {name: ONES[name] for name in two.names})
        for party in kept:
            other = party.roster.members[1 - party.me.index]
            with pytest.raises(JobEnded):
                party.share("value")
            with pytest.raises(JobEnded):
                party.local("value")
            with pytest.raises(JobEnded):
                await party.reveal()
            with pytest.raises(JobEnded):
                await party.evaluate()
            with pytest.raises(JobEnded):
                await party.send(other, b"")
            with pytest.raises(JobEnded):
                await party.receive(other, max_bytes=1)
            with pytest.raises(JobEnded):
                await party.offload(len, b"")
            with pytest.raises(JobEnded):
                async with party.fork("late"):
                    pass


async def test_blocking_work_goes_to_a_thread(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> int:
        import threading

        here = threading.get_ident()
        there = await party.offload(threading.get_ident)
        assert here != there
        return await party.offload(sum, [1, 2, 3])

    assert (await run(two, program)).outcomes == {"alice": 6, "bob": 6}


async def test_costs_are_counted_by_region(two: Loopback) -> None:
    async def program(party: Party[Nothing]) -> None:
        value = party.share("value")
        with party.region("first"):
            await party.reveal(answer=value.sum())
        await party.reveal(answer=value, second=value)

    endings = await run(two, program)
    for result in endings.results.values():
        assert {name: region.rounds for name, region in result.cost.regions.items()} == {"first": 1, "main": 1}
        assert result.cost.regions["first"].sent_bytes == 8
        assert result.cost.regions["main"].sent_bytes == 32


async def test_what_a_mesh_tells_its_listener(two: Loopback) -> None:
    events: list[Event] = []
    async with two.meshes(listener=events.append) as meshes:
        await run_parties(meshes, job_of(total, two.names), {name: ONES[name] for name in two.names})
    counts = {kind: sum(isinstance(event, kind) for event in events) for kind in (PeerUp, Agreed, RoundDone, Ended)}
    assert counts == {PeerUp: 2, Agreed: 2, RoundDone: 2, Ended: 2}
    assert any(isinstance(event, Waiting) for event in events)
    assert {event.reason for event in events if isinstance(event, PeerDown)} == {""}
    assert {event.error for event in events if isinstance(event, Ended)} == {None}


def sizes(thing: object) -> dict[str, int]:
    """How many entries each container of an object holds."""
    attributes = typing.cast("dict[str, object]", vars(thing))
    return {
        name: len(typing.cast("Collection[object]", value))
        for name, value in attributes.items()
        if isinstance(value, dict | set | list)
    }


@pytest.mark.slow
async def test_two_hundred_jobs_leave_nothing_behind(three: Loopback) -> None:
    job = Job(average, Rules(), {"owners": three.names}, "raises")
    async with three.meshes() as meshes:
        # The same label each time: who is first may be a job ahead.
        async def many(name: str, count: int) -> None:
            for number in range(count):
                outcome = await meshes[name].run(job, {"value": number})
                assert outcome.sum == 3 * number

        async def all_parties(count: int) -> None:
            async with trio.open_nursery() as nursery:
                for name in three.names:
                    nursery.start_soon(many, name, count)
            await trio.testing.wait_all_tasks_blocked()

        await all_parties(5)
        before = {name: sizes(mesh) for name, mesh in meshes.items()}
        tasks, files = trio.lowlevel.current_statistics().tasks_living, len(os.listdir("/proc/self/fd"))
        await all_parties(200)
        assert {name: sizes(mesh) for name, mesh in meshes.items()} == before
        assert trio.lowlevel.current_statistics().tasks_living == tasks
        assert len(os.listdir("/proc/self/fd")) == files
        for mesh in meshes.values():
            pending = typing.cast("dict[str, object]", vars(vars(mesh)["_pending"]))
            assert not any(typing.cast("dict[int, object]", pending["_entries"]).values())


async def test_failed_jobs_leave_nothing_behind(three: Loopback) -> None:
    async def fails(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        raise ValueError("always")

    async with three.meshes() as meshes:
        await run_parties(meshes, job_of(total, three.names), ONES)
        before = {name: sizes(mesh) for name, mesh in meshes.items()}
        for number in range(20):
            endings = await run_parties(meshes, job_of(fails, three.names, label=f"job-{number}"), ONES)
            assert len(endings.errors) == 3
        await trio.testing.wait_all_tasks_blocked()
        assert {name: sizes(mesh) for name, mesh in meshes.items()} == before


async def test_a_label_is_used_again_after_every_kind_of_end(three: Loopback) -> None:
    async def fails(party: Party[Nothing]) -> None:
        await party.reveal(answer=party.share("value").sum())
        raise ValueError("always")

    async with three.meshes() as meshes:
        for _ in range(10):
            failed = await run_parties(
                meshes, job_of(total, three.names), ONES, jobs={"bob": job_of(fails, three.names)}
            )
            assert type(failed.errors["bob"]) is ValueError
            refused = await run_parties(meshes, job_of(total, three.names), {**ONES, "carol": {"value": 5000}})
            assert not refused.results
            endings = await run_parties(meshes, job_of(total, three.names), ONES)
            assert not endings.errors
            assert endings.outcomes == dict.fromkeys(three.names, 3)
