"""Tags: long enough, equal where points are, and made for one receiver."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra import SIGMA
from mpcnet.primitives import blake2b
from mpcnet.sets import split_tags, tag_bytes, tags_of

JOB = bytes(range(32))
POINTS = [blake2b(bytes([number])) for number in range(50)]


@settings(derandomize=True, deadline=None)
@given(first=st.integers(0, 2**24), second=st.integers(0, 2**24))
def test_tags_are_as_long_as_the_error_asks_and_no_longer(first: int, second: int) -> None:
    bits = 8 * tag_bytes(first, second)
    needed = SIGMA + math.log2(max(1, first * second))
    assert needed <= bits < needed + 9
    assert tag_bytes(first, second) == tag_bytes(second, first)


@pytest.mark.parametrize(
    ("first", "second", "nbytes"),
    [(0, 0, 5), (1, 1, 5), (0, 2**22, 5), (1, 2, 6), (16, 16, 6), (16, 17, 7), (100_000, 100_000, 10)],
)
def test_lengths(first: int, second: int, nbytes: int) -> None:
    assert tag_bytes(first, second) == nbytes


def test_a_tag_is_of_one_point_one_job_and_one_receiver() -> None:
    here = tags_of(POINTS, JOB, 0, 8)
    assert here == tags_of(POINTS, JOB, 0, 8)
    others = [tags_of(POINTS, JOB, 1, 8), tags_of(POINTS, bytes(32), 0, 8)]
    assert len({*here, *others[0], *others[1]}) == 3 * len(POINTS)
    assert all(len(tag) == 8 for tag in here)


def test_messages_are_cut_into_tags() -> None:
    tags = tags_of(POINTS, JOB, 0, 7)
    assert split_tags(memoryview(b"".join(tags)), 7) == tags
    assert split_tags(memoryview(b""), 7) == []
