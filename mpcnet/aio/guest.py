"""The trio run under an asyncio loop: trio's guest mode, and the border between the two.

    asyncio task                                 trio task
    await guest.call(f)    ──starts──▶           await f()
    task.cancel()          ──cancels its scope─▶ f ends, and says so to the peers
    value, error, Cancelled ◀──when it is over── value, error

Both run in one thread, trio as callbacks of the asyncio loop; only trio's waiting for sockets is done in a thread
of trio's own. So each may call the other's functions that do not wait. An asyncio task never ends before the trio
task that it started: there are no orphans on either side.

Source: the documentation of trio, "Using guest mode to run Trio on top of other event loops".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NoReturn, TypeVar

import trio

from mpcnet.errors import LocalError

__all__ = ("Guest", "join_guest")

T = TypeVar("T")

_log = logging.getLogger("mpcnet.aio")

_current: trio.lowlevel.RunVar[Guest | None] = trio.lowlevel.RunVar("mpcnet.aio.guest")
"""Ours among the trio runs: it is kept by the run itself, so that it ends with it."""


class _Ended(typing.Protocol):
    """How a trio run ended."""

    def unwrap(self) -> None: ...


class _Call(Generic[T]):
    """One trio task that an asyncio task waits for."""

    def __init__(self, function: Callable[[], Awaitable[T]]) -> None:
        self.scope = trio.CancelScope()
        self.over = asyncio.Event()
        self.error: BaseException | None = None
        self._function = function
        self._values: list[T] = []

    async def run(self) -> None:
        """The trio task."""
        try:
            with self.scope:
                self._values.append(await self._function())
        except BaseException as error:
            if trio.current_effective_deadline() == -math.inf:
                raise  # not our scope is cancelled: the whole run breaks off, and `Guest` will say why
            self.error = error
        self.over.set()

    def break_off(self, error: BaseException) -> None:
        """The run is over, and the task with it."""
        self.error = error
        self.over.set()

    async def end(self) -> None:
        """Wait until it is over, in asyncio, and raise its error. When cancelled, cancel it and go on waiting."""
        try:
            await _wait_through(self.over, self.scope.cancel)
        except asyncio.CancelledError:
            # The caller has gone, and its errors with it; KeyboardInterrupt and SystemExit still have to reach the
            # loop.
            if isinstance(self.error, Exception | None):
                raise
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # it refers to this frame

    async def value(self) -> T:
        """As `end`, and its value."""
        await self.end()
        return self._values[0]


class Guest:
    """The trio run under one asyncio loop. Made by `join_guest`.

    trio allows one run in a thread, so all meshes of a loop share it: the first one starts it, the last ends it.

    Args:
        loop: the running asyncio loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.over: asyncio.Event = asyncio.Event()
        self.users: int = 0
        self._started = asyncio.Event()
        self._leave = trio.Event()
        self._nursery: trio.Nursery | None = None
        self._calls: set[_Call[Any]] = set()
        self._next: Callable[[], object] | None = None

    def start(self) -> None:
        """Begin the run, in the callbacks of the loop."""
        # asyncio owns the wakeup descriptor of signals. Under `asyncio.run` it owns SIGINT too, and trio leaves it:
        # Ctrl-C cancels asyncio's main task, which reaches us as any cancellation. Where the application has not
        # taken SIGINT, trio does, to protect its own insides; what it catches there is given to the loop (see
        # `_main`), and Python's usual KeyboardInterrupt still strikes code of the application, even in a busy loop:
        # therefore it is not restricted to checkpoints.
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._soon_from_any_thread,
            run_sync_soon_not_threadsafe=self._soon,
            done_callback=self._ended,
            host_uses_signal_set_wakeup_fd=True,
        )
        _current.set(self)

    async def enter(self) -> None:
        """Wait until trio tasks can be started. `leave` follows in any case."""
        self.users += 1
        await self._started.wait()

    async def leave(self) -> None:
        """The last one to leave ends the run, and waits for its end."""
        self.users -= 1
        if not self.users:
            self._leave.set()
            await _wait_through(self.over)

    @property
    def is_ending(self) -> bool:
        """Whether the run is ending, so that no mesh can join it."""
        return self._leave.is_set()

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await a trio function in an asyncio task. Its error is raised as it is.

        Raises:
            LocalError: the run is over, or this is another loop than its own.
            asyncio.CancelledError: when the function, cancelled too, has ended.
        """
        return await self._begin(function).value()

    @contextlib.asynccontextmanager
    async def hold(self, manager: AbstractAsyncContextManager[T]) -> AsyncGenerator[T]:
        """Keep a trio context manager open, in a trio task of its own.

        If it fails inside the block, the asyncio task is cancelled, and the block raises the failure.
        """
        values: list[T] = []
        entered, leave = asyncio.Event(), trio.Event()
        opener = typing.cast("asyncio.Task[Any]", asyncio.current_task())
        cancellations = opener.cancelling()
        failed = False

        async def keep() -> None:
            nonlocal failed
            try:
                async with manager as value:
                    values.append(value)
                    entered.set()
                    await leave.wait()
            finally:
                if values and not leave.is_set():
                    failed = True
                    opener.cancel()
                entered.set()

        call = self._begin(keep)
        try:
            await entered.wait()
            if values:
                yield values[0]
        except asyncio.CancelledError:
            if not failed or opener.cancelling() > cancellations + 1:
                call.scope.cancel()  # a cancellation from outside: leave as a cancelled trio task would
                raise
        finally:
            if failed:
                opener.uncancel()
            leave.set()
            await call.end()

    def _begin(self, function: Callable[[], Awaitable[T]]) -> _Call[T]:
        if asyncio.get_running_loop() is not self.loop:
            raise LocalError("the mesh belongs to another asyncio loop")
        if self._nursery is None:
            raise LocalError("the mesh is not open: use 'async with'")
        call = _Call(function)
        self._calls.add(call)
        self._nursery.start_soon(self._run, call)
        return call

    async def _run(self, call: _Call[Any]) -> None:
        await call.run()
        self._calls.discard(call)

    # What trio calls

    async def _main(self) -> None:
        async with trio.open_nursery() as self._nursery:
            self._started.set()
            while not self._leave.is_set():
                try:
                    await self._leave.wait()
                except KeyboardInterrupt:
                    # It struck while trio was at work. asyncio shall see it as if its own code had been struck.
                    self.loop.call_soon(_interrupt)
        self._nursery = None

    def _ended(self, ended: _Ended) -> None:
        """The run is over. Only what trio itself raises comes here: our tasks keep their errors."""
        self._nursery = self._next = None
        self._started.set()
        self.over.set()
        calls, self._calls = self._calls, set()
        try:
            ended.unwrap()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or not calls:
                raise
            for call in calls:
                call.break_off(error)

    # What trio would do next is kept here too: if the loop is closed before, the run stands still, and the caller
    # that opens the next mesh in this thread is told. Forgotten, it would be cleared away in the middle of its
    # tasks.

    def _soon(self, callback: Callable[[], object]) -> None:
        self._next = callback
        self.loop.call_soon(callback)

    def _soon_from_any_thread(self, callback: Callable[[], object]) -> None:
        self._next = callback
        try:
            self.loop.call_soon_threadsafe(callback)
        except RuntimeError:
            _log.warning("an asyncio loop was closed while a mesh was open in it: its peers are not told")


@contextlib.asynccontextmanager
async def join_guest() -> AsyncGenerator[Guest]:
    """Share the trio run under the running asyncio loop; start it if there is none.

    Raises:
        LocalError: no asyncio loop runs here, or this thread belongs to a trio run of the application.
    """
    guest = await _find_guest()
    try:
        await guest.enter()
        yield guest
    finally:
        await guest.leave()


async def _find_guest() -> Guest:
    if trio.lowlevel.in_trio_task() or (loop := _running_loop()) is None:
        raise LocalError("mpcnet.aio.open_mesh runs in asyncio tasks; under trio use mpcnet.open_mesh")
    while trio.lowlevel.in_trio_run():
        guest = _current.get(None)
        if guest is None:
            raise LocalError("trio runs in this thread already: use mpcnet.open_mesh in one of its tasks")
        if guest.loop is not loop:
            raise LocalError("a mesh was left open in another asyncio loop of this thread, which does not run")
        if not guest.is_ending:
            return guest
        await guest.over.wait()
    guest = Guest(loop)
    guest.start()
    return guest


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _wait_through(event: asyncio.Event, on_cancel: Callable[[], object] = lambda: None) -> None:
    """Wait for what is sure to come. A cancellation is raised when it has."""
    cancelled: asyncio.CancelledError | None = None
    while not event.is_set():
        try:
            await event.wait()
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is not None:
        raise cancelled


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt
