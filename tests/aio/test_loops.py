"""One trio run under each loop: shared meshes, failing meshes, Ctrl-C, loops that end, and wrong places."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

import pytest
import trio

import mpcnet.aio
from mpcnet import LocalError, PeerAborted
from mpcnet.declare import Party
from mpcnet.session.events import Agreed, Event, PeerUp
from tests.support.parties import QUICK, Loopback, Nothing, job_of, total, waits

T = TypeVar("T")

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Opened = AbstractAsyncContextManager[mpcnet.aio.Mesh]


def opened(loopback: Loopback, name: str, listener: Callable[[Event], None] | None = None) -> Opened:
    return mpcnet.aio.open_mesh(loopback.roster, loopback.identities[name], timing=QUICK, listener=listener)


async def together(*running: Coroutine[Any, Any, T]) -> list[T]:
    return list(await asyncio.gather(*running))


# Sharing


def test_meshes_come_and_go_in_one_loop(run: Run, two: Loopback) -> None:
    async def application() -> None:
        for _ in range(3):
            async with opened(two, "alice") as alice, AsyncExitStack() as stack:
                job = job_of(total, two.names)
                bob = await stack.enter_async_context(opened(two, "bob"))
                sums = await together(alice.run(job, {"value": 1}), bob.run(job, {"value": 2}))
                assert sums == [3, 3]
                await stack.aclose()
                async with opened(two, "bob") as bob:
                    sums = await together(alice.run(job, {"value": 4}), bob.run(job, {"value": 5}))
                assert sums == [9, 9]
            assert not trio.lowlevel.in_trio_run()

    run(application())


def test_a_mesh_is_opened_while_the_last_one_is_closed(run: Run, two: Loopback) -> None:
    async def open_and_close(name: str, begin: asyncio.Event | None, end: asyncio.Event) -> None:
        if begin is not None:
            await begin.wait()
        async with opened(two, name):
            end.set()

    async def application() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await together(
            open_and_close("alice", None, first),
            open_and_close("bob", first, second),
            open_and_close("alice", second, asyncio.Event()),
        )

    for _ in range(5):
        run(application())


def test_cancelling_while_a_mesh_is_opened(run: Run, two: Loopback) -> None:
    async def application() -> None:
        for steps in range(12):
            task = asyncio.create_task(open_for_ever())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not trio.lowlevel.in_trio_run()

    async def open_for_ever() -> None:
        async with opened(two, "alice"):
            await asyncio.Event().wait()

    run(application())


def test_two_loops_in_two_threads(run: Run, two: Loopback) -> None:
    sums: list[int] = []

    async def application(name: str) -> None:
        async with opened(two, name) as mesh:
            sums.append(await mesh.run(job_of(total, two.names), {"value": 1}))

    other = threading.Thread(target=run, args=(application("bob"),))
    other.start()
    run(application("alice"))
    other.join()
    assert sums == [2, 2]


def test_context_variables_of_the_caller_reach_the_protocol(run: Run, two: Loopback) -> None:
    request = contextvars.ContextVar("request", default="none")
    seen: dict[str, str] = {}

    async def notes(party: Party[Nothing]) -> int:
        seen[party.me.name] = request.get()
        return await total(party)

    async def one(name: str) -> None:
        async with opened(two, name) as mesh:
            request.set(f"of {name}")
            await mesh.run(job_of(notes, two.names), {"value": 1})

    async def application() -> None:
        await together(one("alice"), one("bob"))

    run(application())
    assert seen == {"alice": "of alice", "bob": "of bob"}


# Failures


def test_a_mesh_that_cannot_be_opened(run: Run, two: Loopback) -> None:
    async def application() -> None:
        async with opened(two, "alice"):
            with pytest.raises(LocalError, match="cannot listen"):
                async with opened(two, "alice"):
                    raise AssertionError("it is open")
        with pytest.raises(LocalError):
            async with mpcnet.aio.open_mesh(two.roster, mpcnet.Identity.generate()):
                raise AssertionError("it is open")

    run(application())


@pytest.mark.parametrize("swallows", [False, True])
def test_a_mesh_that_fails_cancels_the_task_that_opened_it_and_says_why(
    run: Run, two: Loopback, swallows: bool
) -> None:
    def listener(event: Event) -> None:
        if isinstance(event, PeerUp):
            raise ZeroDivisionError

    async def broken() -> None:
        async with opened(two, "alice", listener) as alice:
            try:
                await alice.run(job_of(total, two.names), {"value": 1})
            except asyncio.CancelledError:
                if not swallows:
                    raise

    async def application() -> None:
        async with opened(two, "bob"):
            with pytest.raises(ExceptionGroup) as failure:  # as under trio: several links may fail at once
                await broken()
            assert failure.group_contains(ZeroDivisionError)
            task = asyncio.current_task()
            assert task is not None
            assert not task.cancelling()

    run(application())


def test_an_error_of_the_block_is_raised_as_it_is(run: Run, two: Loopback) -> None:
    async def application() -> None:
        with pytest.raises(KeyError, match="ours"):
            async with opened(two, "alice"):
                raise KeyError("ours")

    run(application())


def test_nobody_hangs_when_trio_breaks_off(run: Run, two: Loopback) -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    async def struck() -> None:
        async with opened(two, "alice") as alice:
            trio.lowlevel.spawn_system_task(crash)
            await alice.run(job_of(total, two.names), {"value": 1})

    async def application() -> None:
        with pytest.raises(trio.TrioInternalError):
            await struck()
        assert not trio.lowlevel.in_trio_run()
        async with opened(two, "alice"):
            pass

    run(application())


# Ctrl-C, and loops that end


def test_control_c_ends_the_job_and_tells_the_others(run: Run, two: Loopback) -> None:
    """Under `asyncio.run`, which turns it into a cancellation of the main task."""

    def listener(event: Event) -> None:
        if isinstance(event, Agreed):
            signal.raise_signal(signal.SIGINT)

    async def application() -> None:
        async with opened(two, "alice", listener) as alice:
            await alice.run(job_of(waits, two.names), {"value": 1})

    with in_a_thread(two, "bob") as found, pytest.raises(KeyboardInterrupt):
        run(application())
    assert isinstance(found[0], PeerAborted)
    assert str(found[0]) == "alice: ended the job: it was cancelled there"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def in_a_thread(loopback: Loopback, name: str) -> Any:
    """A party under trio that takes part in a job without end; what it got."""

    async def party() -> object:
        async with mpcnet.open_mesh(loopback.roster, loopback.identities[name], timing=QUICK) as mesh:
            try:
                return await mesh.run(job_of(waits, loopback.names), {"value": 1})
            except Exception as error:
                return error

    @contextlib.contextmanager
    def running() -> Generator[list[object]]:
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(trio.run(party)))
        thread.start()
        yield found
        thread.join()

    return running()


def test_control_c_where_nobody_else_has_taken_the_signal(two: Loopback) -> None:
    """In a loop that runs without `asyncio.run`, while trio is at work: the loop is interrupted, not trio."""

    @trio.lowlevel.enable_ki_protection
    def listener(event: Event) -> None:
        if isinstance(event, Agreed):
            signal.raise_signal(signal.SIGINT)

    async def application() -> None:
        async with opened(two, "alice", listener) as alice:
            await alice.run(job_of(waits, two.names), {"value": 1})

    loop = asyncio.new_event_loop()
    with in_a_thread(two, "bob") as found:
        task = loop.create_task(application())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(task)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    loop.close()
    assert isinstance(found[0], PeerAborted)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_control_c_inside_of_a_protocol(two: Loopback) -> None:
    async def interrupted(party: Party[Nothing]) -> None:
        await total(party)
        raise KeyboardInterrupt

    async def application() -> None:
        async with opened(two, "alice") as alice:
            await alice.run(job_of(interrupted, two.names), {"value": 1})

    with in_a_thread(two, "bob") as found, pytest.raises(KeyboardInterrupt):
        asyncio.run(application())
    assert isinstance(found[0], PeerAborted)


def test_a_task_that_nobody_waited_for_is_cancelled_with_its_loop(two: Loopback) -> None:
    kept: list[asyncio.Task[None]] = []
    left: list[bool] = []

    async def opens(entered: asyncio.Event) -> None:
        try:
            async with opened(two, "alice"):
                entered.set()
                await asyncio.Event().wait()
        finally:
            left.append(trio.lowlevel.in_trio_run())

    async def application() -> None:
        entered = asyncio.Event()
        kept.append(asyncio.create_task(opens(entered)))
        await entered.wait()

    asyncio.run(application())
    assert kept[0].cancelled()
    assert left == [False]


CLOSES_ITS_LOOP = """
import asyncio
import mpcnet.aio
from tests.support.parties import Loopback

two = Loopback(2)
opened = mpcnet.aio.open_mesh(two.roster, two.identities["alice"])
loop = asyncio.new_event_loop()
loop.run_until_complete(opened.__aenter__())
loop.close()
try:
    asyncio.run(mpcnet.aio.open_mesh(two.roster, two.identities["bob"]).__aenter__())
except mpcnet.LocalError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.processes
def test_a_loop_that_is_closed_with_a_mesh_open() -> None:
    """Nothing can tell its peers; but nothing hangs, and the next one in this thread hears of it."""
    ended = subprocess.run(
        [sys.executable, "-P", "-c", CLOSES_ITS_LOOP], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.startswith("a mesh was left open in another asyncio loop")
    assert ended.stderr == ""


# Wrong places


def test_asyncio_applications_are_sent_to_the_right_module(run: Run, two: Loopback) -> None:
    async def application() -> None:
        with pytest.raises(LocalError, match=r"mpcnet\.aio\.open_mesh"):
            async with mpcnet.open_mesh(two.roster, two.identities["alice"]):
                raise AssertionError("it is open")

    run(application())


def test_trio_applications_are_sent_to_the_right_module(two: Loopback) -> None:
    async def application() -> None:
        with pytest.raises(LocalError, match=r"mpcnet\.open_mesh"):
            async with opened(two, "alice"):
                raise AssertionError("it is open")

    trio.run(application)


def test_a_guest_of_somebody_else_is_left_alone(two: Loopback) -> None:
    async def application() -> None:
        loop, over, leave = asyncio.get_running_loop(), asyncio.Event(), trio.Event()
        trio.lowlevel.start_guest_run(
            leave.wait,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=lambda _: over.set(),
            host_uses_signal_set_wakeup_fd=True,
        )
        with pytest.raises(LocalError, match="trio runs in this thread already"):
            async with opened(two, "alice"):
                raise AssertionError("it is open")
        leave.set()
        await over.wait()

    asyncio.run(application())


def test_a_mesh_belongs_to_its_loop(run: Run, two: Loopback) -> None:
    async def application() -> None:
        async with opened(two, "alice") as alice:

            async def elsewhere() -> None:
                with pytest.raises(LocalError, match="another asyncio loop"):
                    await alice.run(job_of(total, two.names), {"value": 1})

            await asyncio.to_thread(asyncio.run, elsewhere())

    run(application())
