"""A fixed source of randomness, and a pair of base correlations that several tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mpcnet.correlated.ot.pair import OtPair, make_pair
from mpcnet.engine import lockstep
from mpcnet.primitives import aes_ctr, blake2b

Randomness = Callable[[int], bytes]


@pytest.fixture(scope="session")
def source() -> Callable[[str], Randomness]:
    """A stream of uniform bytes for each name."""

    def made(name: str) -> Randomness:
        count = 0

        def draw(nbytes: int) -> bytes:
            nonlocal count
            count += 1
            return aes_ctr(blake2b(f"{name} {count}".encode(), size=16), nbytes).tobytes()

        return draw

    return made


@pytest.fixture
def pair(source: Callable[[str], Randomness]) -> tuple[OtPair, OtPair]:
    steps = {
        0: make_pair(0, 1, "bob", b"session", source("alice")),
        1: make_pair(1, 0, "alice", b"session", source("bob")),
    }
    results = lockstep(steps).results
    return results[0], results[1]
