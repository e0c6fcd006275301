"""asyncio applications with parties on loopback sockets; nothing may be left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

import pytest
import trio

from tests.support.parties import Loopback

T = TypeVar("T")

_CACHED = "Trio thread"
"""trio keeps idle threads for a while, to use them again."""


def _files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.name.startswith(_CACHED)}


@pytest.fixture(autouse=True)
def nothing_left() -> Generator[None]:
    """Every test leaves as many open files and threads as it found, and no trio run."""
    gc.collect()
    files, threads = _files(), _threads()
    yield
    gc.collect()
    assert not trio.lowlevel.in_trio_run()
    assert _threads() == threads
    assert _files() == files


async def checked(coroutine: Coroutine[Any, Any, T]) -> T:
    """The application leaves no task and no trio run in its loop."""
    result = await coroutine
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not trio.lowlevel.in_trio_run()
    return result


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """`asyncio.run`, for an application that is checked."""
    return lambda coroutine: asyncio.run(checked(coroutine))


@pytest.fixture
def two() -> Loopback:
    return Loopback(2)


@pytest.fixture
def three() -> Loopback:
    return Loopback(3)
