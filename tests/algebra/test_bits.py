"""Packed bits and planes against the obvious: Python's integers, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra.bits import BITS, from_planes, pack_bits, to_planes, unpack_bits, word_count
from mpcnet.errors import PeerViolation

SIZES = [0, 1, 2, 63, 64, 65, 127, 128, 129, 300]


@pytest.mark.parametrize("size", SIZES)
def test_bits_are_packed_lowest_first_and_padding_is_zero(size: int) -> None:
    values = np.arange(size) % 3 == 0
    words = pack_bits(values)
    assert words.shape == (word_count(size),)
    assert words.dtype == np.uint64
    for position in range(64 * word_count(size)):
        bit = int(words[position // 64]) >> (position % 64) & 1
        assert bit == (position < size and position % 3 == 0)
    assert np.array_equal(unpack_bits(words, size), values)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data(), st.sampled_from(SIZES), st.integers(1, 64))
def test_planes_hold_the_bits_and_come_back(data: st.DataObject, size: int, bits: int) -> None:
    ends = st.sampled_from([0, 1, 2**63, 2**64 - 1, 2**bits - 1])
    values = data.draw(st.lists(ends | st.integers(0, 2**64 - 1), min_size=min(size, 8), max_size=min(size, 8)))
    numbers = np.resize(np.array(values, np.uint64), size) if size else np.zeros(0, np.uint64)
    before = numbers.copy()
    planes = to_planes(numbers, bits)
    assert planes.shape == (bits, word_count(size))
    for plane in range(bits):
        expected = (numbers >> np.uint64(plane)) & np.uint64(1)
        assert np.array_equal(unpack_bits(planes[plane], size), expected)
    assert np.array_equal(from_planes(planes, size), numbers & np.uint64(2**bits - 1))
    assert np.array_equal(numbers, before)


def test_many_numbers_are_transposed_in_pieces_as_a_whole() -> None:
    count = 3 * 64 * 2048 + 17
    numbers = np.arange(count, dtype=np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15)
    for bits in (1, 33, 64):
        assert np.array_equal(from_planes(to_planes(numbers, bits), count), numbers & np.uint64(2**bits - 1))


def test_the_domain_of_bits() -> None:
    assert BITS.nbytes((3, 5)) == 8
    assert BITS.nbytes((0,)) == 0
    assert BITS.zeros((65,)).shape == (2,)
    values = np.array([[0, 1, 1], [1, 0, 1]], np.int64)
    words = BITS.encode(values)
    assert np.array_equal(BITS.decode(words, (2, 3)), values)
    total = BITS.uniform(bytes(16), (130,))
    again = BITS.add(total, words.repeat(3))
    BITS.add_into(again, words.repeat(3))
    assert np.array_equal(again, total)
    with pytest.raises(PeerViolation, match="sent 7 bytes where 8 were expected"):
        BITS.from_bytes_untrusted(b"1234567", (64,), "bob")
