"""Parties on loopback sockets; nothing may be left behind."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncGenerator

import pytest
import trio
import trio.testing

from tests.support.parties import Loopback

# Sockets are real, and only waiting is virtual: the clock jumps when no task could run for 20 ms of real time.
AUTOJUMP_SECONDS = 0.02


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def mock_clock() -> trio.testing.MockClock:
    """Tests that wait for deadlines take this: pytest-trio runs them on it."""
    return trio.testing.MockClock(autojump_threshold=AUTOJUMP_SECONDS)


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncGenerator[None]:
    """Every test leaves as many tasks and open files as it found."""
    gc.collect()
    await trio.testing.wait_all_tasks_blocked()
    tasks, files = trio.lowlevel.current_statistics().tasks_living, open_files()
    yield
    await trio.testing.wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().tasks_living == tasks
    assert open_files() == files


@pytest.fixture
def two() -> Loopback:
    return Loopback(2)


@pytest.fixture
def three() -> Loopback:
    return Loopback(3)
