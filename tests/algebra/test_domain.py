"""The ring of 64-bit words: codec, wrapping, and what a peer may send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra import Z64
from mpcnet.algebra.domain import as_buffer
from mpcnet.errors import LocalError, PeerViolation

quick = settings(derandomize=True, deadline=None, max_examples=50)
SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (3,), (2, 3), (2, 0, 3)]


@quick
@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_encoding_and_decoding_are_inverse(values: list[int]) -> None:
    array = np.array(values, np.int64)
    assert np.array_equal(Z64.decode(Z64.encode(array), array.shape), array)


def test_only_int64_is_encoded() -> None:
    with pytest.raises(LocalError, match="int64, not from int32"):
        Z64.encode(np.zeros(3, np.int32))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("shape", SHAPES)
def test_bytes_and_back(shape: tuple[int, ...]) -> None:
    elements = Z64.uniform(b"k" * 16, shape)
    data = Z64.to_bytes(elements)
    assert len(data) == Z64.nbytes(shape) == elements.nbytes
    assert np.array_equal(Z64.from_bytes_untrusted(data, shape, "bob"), elements)


def test_the_wire_is_little_endian() -> None:
    assert bytes(Z64.to_bytes(np.array([1, 2**63], np.uint64))) == b"\1" + bytes(7) + bytes(7) + b"\x80"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("extra", [-1, 1, 8])
def test_a_wrong_size_is_the_peers_fault(shape: tuple[int, ...], extra: int) -> None:
    size = Z64.nbytes(shape) + extra
    if size >= 0:
        with pytest.raises(PeerViolation, match="bob"):
            Z64.from_bytes_untrusted(bytes(size), shape, "bob")


def test_what_a_peer_sent_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Z64.from_bytes_untrusted(bytes(8), (1,), "bob")[0] = 1


def test_buffers_are_read_only_views() -> None:
    array = np.arange(6, dtype=np.uint64).reshape(2, 3)
    view = as_buffer(array)
    assert view.readonly
    assert view.obj is not None
    assert as_buffer(array.T) == as_buffer(np.ascontiguousarray(array.T))


def test_keys_give_arrays_of_their_own() -> None:
    first, second = Z64.uniform(bytes(16), (64,)), Z64.uniform(b"\1" + bytes(15), (64,))
    assert not np.any(first == second)
    assert np.array_equal(first, Z64.uniform(bytes(16), (64,)))
