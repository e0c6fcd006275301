"""Jobs of asyncio parties, with each other and with parties under trio: results, errors, cancellation."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import pytest
import trio

import mpcnet.aio
from mpcnet import (
    AgreementMismatch,
    DeadlineExceeded,
    Job,
    JobEnded,
    LocalError,
    PeerAborted,
    PeerLost,
    RangeError,
    find_protocol,
)
from mpcnet.declare import Party
from mpcnet.session.events import Agreed, Ended, Event, PeerUp
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import QUICK, Loopback, Nothing, job_of, total, waits

T = TypeVar("T")

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Opened = AbstractAsyncContextManager[mpcnet.aio.Mesh]


async def together(*running: Coroutine[Any, Any, T]) -> list[T]:
    return list(await asyncio.gather(*running))


@asynccontextmanager
async def meshes(loopback: Loopback, *names: str) -> AsyncGenerator[dict[str, mpcnet.aio.Mesh]]:
    """Open meshes in this loop, by default of all parties."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(opened(loopback, name)) for name in names or loopback.names}


def opened(loopback: Loopback, name: str, listener: Callable[[Event], None] | None = None) -> Opened:
    return mpcnet.aio.open_mesh(loopback.roster, loopback.identities[name], timing=QUICK, listener=listener)


class Told:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, kind: type[Event], count: int = 1) -> None:
        while sum(isinstance(event, kind) for event in self.events) < count:
            self._changed.clear()
            await self._changed.wait()


async def endings(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    return await asyncio.gather(*coroutines, return_exceptions=True)


# Results


def test_the_worked_example_among_asyncio_parties_and_trio_parties(run: Run) -> None:
    loopback = Loopback(4)
    average = find_protocol("average")
    job = Job(average, average.make_params({}), {"owners": loopback.names}, "raises-2026")
    raises = dict(zip(loopback.names, (3800, 2514, 2982, 3390), strict=True))

    async def application() -> None:
        async with meshes(loopback, "alice", "carol") as mine:
            outcomes = await together(*(mesh.run(job, {"value": raises[name]}) for name, mesh in mine.items()))
        assert [(outcome.sum, float(outcome.mean)) for outcome in outcomes] == [(12_686, 3171.5)] * 2

    with trio_parties(loopback, job, {name: {"value": raises[name]} for name in ("bob", "dave")}) as others:
        run(application())
    assert [outcome.sum for outcome in others.values()] == [12_686] * 2


@contextmanager
def trio_parties(
    loopback: Loopback, job: Job[Any, Any], inputs: Mapping[str, Mapping[str, object]]
) -> Generator[dict[str, Any]]:
    """Parties under trio, in a thread of their own; at the end, what each got."""
    found: dict[str, Any] = {}

    async def party(name: str) -> None:
        async with mpcnet.open_mesh(loopback.roster, loopback.identities[name], timing=QUICK) as mesh:
            try:
                found[name] = await mesh.run(job, inputs[name])
            except Exception as error:
                found[name] = error

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for name in inputs:
                nursery.start_soon(party, name)

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    try:
        yield found
    finally:
        thread.join()


def test_many_jobs_at_once(run: Run, three: Loopback) -> None:
    async def application() -> None:
        async with meshes(three) as all_of_them:
            sums = await together(
                *(
                    mesh.run(job_of(total, three.names, label=f"job-{number}"), {"value": number})
                    for mesh in all_of_them.values()
                    for number in range(12)
                )
            )
        assert sums == [3 * number for number in range(12)] * 3

    run(application())


def test_a_result_has_costs_and_events_are_told_in_the_loop(run: Run, two: Loopback) -> None:
    async def application() -> None:
        told = Told()
        job = job_of(total, two.names)
        async with opened(two, "alice", told) as alice, opened(two, "bob") as bob:
            results = await together(alice.execute(job, {"value": 1}), bob.execute(job, {"value": 2}))
            assert (alice.me.name, alice.roster) == ("alice", two.roster)
            assert "alice" in repr(alice)
        assert [result.outcome for result in results] == [3, 3]
        assert results[0].job == results[1].job
        assert results[0].cost.rounds == 1
        assert {PeerUp, Agreed, Ended} <= {type(event) for event in told.events}

    run(application())


# Errors: they keep their types


def test_what_the_caller_does_wrong(run: Run, two: Loopback) -> None:
    async def application() -> None:
        async with meshes(two) as both:
            with pytest.raises(RangeError, match="value"):
                await both["alice"].run(job_of(total, two.names, label="one"), {"value": 5000})
            with pytest.raises(LocalError, match="zoe"):
                await both["alice"].run(job_of(total, ["alice", "zoe"], label="two"), {"value": 1})
        with pytest.raises(LocalError, match="not open"):
            await both["alice"].run(job_of(total, two.names), {"value": 1})

    run(application())


def test_errors_of_the_others_and_of_the_program(run: Run, two: Loopback) -> None:
    async def fails(party: Party[Nothing]) -> None:
        await total(party)
        raise KeyError("a mistake of the program")

    async def application() -> None:
        async with meshes(two) as both:
            alice, bob = both["alice"], both["bob"]
            first, second = await endings(
                alice.run(job_of(waits, two.names), {"value": 1}), bob.run(job_of(fails, two.names), {"value": 1})
            )
            assert isinstance(first, PeerAborted)
            assert first.party == "bob"
            assert type(second) is KeyError
            differ = await endings(
                alice.run(job_of(total, two.names, deadline_seconds=60), {"value": 1}),
                bob.run(job_of(total, two.names, deadline_seconds=61), {"value": 1}),
            )
            assert {type(error) for error in differ} <= {AgreementMismatch, PeerAborted}
            assert AgreementMismatch in {type(error) for error in differ}
            with pytest.raises(DeadlineExceeded) as late:
                await alice.run(job_of(total, two.names, label="late", deadline_seconds=0.05), {"value": 1})
            assert late.value.waiting_for == ("bob",)

    run(application())


def test_a_party_that_dies(run: Run, two: Loopback) -> None:
    reached = threading.Event()

    async def signals(party: Party[Nothing]) -> None:
        await total(party)
        reached.set()
        await trio.sleep_forever()

    async def bob() -> None:
        with trio.CancelScope() as death:
            async with two.mesh("bob", change=no_last_words).open() as mesh, trio.open_nursery() as nursery:
                nursery.start_soon(mesh.run, job_of(signals, two.names), {"value": 1})
                await trio.to_thread.run_sync(reached.wait)
                death.cancel()

    def no_last_words(_: int, frame: Frame) -> list[Frame]:
        return [] if frame.header.kind is Kind.ABORT else [frame]

    async def application() -> None:
        async with opened(two, "alice") as alice:
            with pytest.raises(PeerLost) as lost:
                await alice.run(job_of(signals, two.names), {"value": 1})
            assert lost.value.party == "bob"

    thread = threading.Thread(target=trio.run, args=(bob,))
    thread.start()
    run(application())
    thread.join()


# Cancellation


def test_cancellation_ends_the_job_everywhere_and_nothing_else(run: Run, two: Loopback) -> None:
    async def application() -> None:
        told = Told()
        job = job_of(waits, two.names)
        async with opened(two, "alice", told) as alice, opened(two, "bob") as bob, asyncio.TaskGroup() as tasks:
            mine = tasks.create_task(alice.run(job, {"value": 1}))
            theirs = tasks.create_task(aborted(bob.run(job, {"value": 1})))
            await told.until(Agreed)
            mine.cancel("enough")
            with pytest.raises(asyncio.CancelledError):
                await mine
            assert await theirs == "alice: ended the job: it was cancelled there"
            again = job_of(total, two.names)
            sums = await together(alice.run(again, {"value": 1}), bob.run(again, {"value": 1}))
            assert sums == [2, 2]

    run(application())


async def aborted(running: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(PeerAborted) as error:
        await running
    return str(error.value)


def test_a_timeout_of_asyncio(run: Run, two: Loopback) -> None:
    async def application() -> None:
        async with opened(two, "alice") as alice:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await alice.run(job_of(total, two.names), {"value": 1})
            task = asyncio.current_task()
            assert task is not None
            assert not task.cancelling()

    run(application())


def test_cancellation_at_any_moment(run: Run, two: Loopback) -> None:
    async def application() -> None:
        job = job_of(total, two.names)
        async with meshes(two) as both:
            for steps in range(20):
                mine = asyncio.create_task(both["alice"].run(job, {"value": 1}))
                for _ in range(steps):
                    await asyncio.sleep(0)
                mine.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await mine
            again = job_of(total, two.names, label="again")
            assert await together(*(mesh.run(again, {"value": 1}) for mesh in both.values())) == [2, 2]

    run(application())


def test_cancelling_twice_leaves_no_orphan(run: Run, two: Loopback) -> None:
    async def application() -> None:
        told = Told()
        job = job_of(waits, two.names)
        async with opened(two, "alice", told) as alice, opened(two, "bob") as bob, asyncio.TaskGroup() as tasks:
            theirs = tasks.create_task(aborted(bob.run(job, {"value": 1})))
            mine = asyncio.create_task(alice.run(job, {"value": 1}))
            await told.until(Agreed)
            mine.cancel()
            asyncio.get_running_loop().call_soon(mine.cancel)
            with pytest.raises(asyncio.CancelledError):
                await mine
            assert any(isinstance(event, Ended) for event in told.events)
            assert "cancelled" in await theirs

    run(application())


def test_leaving_the_mesh_ends_jobs_of_other_tasks(run: Run, two: Loopback) -> None:
    async def application() -> None:
        told = Told()
        job = job_of(waits, two.names)
        async with opened(two, "bob") as bob, asyncio.TaskGroup() as tasks:
            theirs = tasks.create_task(aborted(bob.run(job, {"value": 1})))
            async with opened(two, "alice", told) as alice:
                mine = tasks.create_task(ended(alice.run(job, {"value": 1})))
                await told.until(Agreed)
            assert await mine == "the mesh was closed"
            assert "alice" in await theirs

    run(application())


async def ended(running: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(JobEnded) as error:
        await running
    return str(error.value)


def test_cancelling_the_application_with_jobs_running(run: Run, two: Loopback) -> None:
    """As a service that is told to stop: its requests are cancelled, then its mesh is closed."""

    async def service(told: Told) -> None:
        async with opened(two, "alice", told) as alice, asyncio.TaskGroup() as requests:
            for number in range(3):
                requests.create_task(alice.run(job_of(waits, two.names, label=f"job-{number}"), {"value": 1}))

    async def application() -> None:
        told = Told()
        async with opened(two, "bob") as bob, asyncio.TaskGroup() as tasks:
            serving = asyncio.create_task(service(told))
            theirs = [
                tasks.create_task(aborted(bob.run(job_of(waits, two.names, label=f"job-{number}"), {"value": 1})))
                for number in range(3)
            ]
            await told.until(Agreed, 3)
            serving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await serving
            assert {await task for task in theirs} == {"alice: ended the job: it was cancelled there"}

    run(application())
