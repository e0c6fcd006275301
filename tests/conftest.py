"""What all tests stand on."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Generator[None]:
    """Interrupts as in a terminal: shells start background jobs with them ignored, which children inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
