"""Blocking work beside the links: in threads, so that readers, keepalives and other jobs go on.

A thread cannot be stopped. A task that waits for one can be cancelled at once all the same: the thread runs on, and
its result is dropped. A job that ends in the middle of a long computation so ends now, and not when that is done.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import trio

from mpcnet.engine import Outcome, Work

__all__ = ("Offload", "in_thread", "run_work")

Offload = Callable[..., Awaitable[Any]]
"""Calls a function with arguments somewhere, and returns what it returns."""

_THREADS = min(4, os.cpu_count() or 1)
"""Functions of one work that run at once. What is worth a work releases the interpreter's lock (numpy, libsodium,
AES); the rest of it does not, so that more threads than cores, or many cores, gain little."""


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function in one of trio's threads."""
    return await trio.to_thread.run_sync(function, *args, abandon_on_cancel=True)


async def run_work(work: Work[Any], offload: Offload) -> Outcome:
    """Run the functions of a work, some at a time, begun in their order.

    When one has raised, those that have not begun are left out. All before it have begun, so the exception that
    counts, the first by order, is the same however fast the threads are.
    """
    values: list[Any] = [None] * len(work.functions)
    errors: dict[int, Exception] = {}
    places = iter(range(len(work.functions)))

    async with trio.open_nursery() as nursery:
        for _ in range(min(_THREADS, len(work.functions))):
            nursery.start_soon(_run_some, work, offload, places, values, errors)
    if errors:
        return Outcome(error=errors[min(errors)])
    return Outcome(work.result(values))


async def _run_some(
    work: Work[Any], offload: Offload, places: Iterator[int], values: list[Any], errors: dict[int, Exception]
) -> None:
    for place in places:
        try:
            values[place] = await offload(work.functions[place])
        except Exception as error:
            errors[place] = error
        if errors:
            return
