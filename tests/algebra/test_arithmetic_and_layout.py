"""Every domain's arithmetic and layout, held against integers in numpy object arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mpcnet.algebra import Z64, Domain, Shape, Words
from mpcnet.algebra.bits import BITS
from mpcnet.errors import LocalError, PeerViolation
from tests.support.ring128 import Z128
from tests.support.shamir import F61

DOMAINS = [Z64, BITS, F61, Z128]
WITH_MATRICES = [domain for domain in DOMAINS if not domain.packed]
DECODED_WHOLE = [domain for domain in DOMAINS if domain is not Z128]
MODULUS = {Z64.name: 2**64, BITS.name: 2, F61.name: 2**61 - 1, Z128.name: 2**64}
SHAPES: list[Shape] = [(), (1,), (5,), (3, 4), (2, 3, 5), (0,), (2, 0, 3), (130,)]

Entries = NDArray[Any]


def integers(domain: Domain, shape: Shape, seed: int = 0) -> NDArray[np.int64]:
    """Integers of the domain, its ends among them."""
    count = math.prod(shape)
    ends = [domain.lowest, domain.highest, 0, 1, domain.highest // 3]
    spread = [(domain.highest * (i * 7919 % 97 + seed)) // 200 for i in range(count)]
    chosen = [ends[(i + seed) % 5] if i % 3 == 0 else spread[i] for i in range(count)]
    return np.array([min(item, domain.highest) for item in chosen], np.int64).reshape(shape)


def reduced(domain: Domain, values: Any) -> list[int]:
    """Integers as the domain decodes them: of 128 bits, the lower half."""
    modulus = MODULUS[domain.name]
    flat: list[int] = np.asarray(values, np.object_).reshape(-1).tolist()
    return [(int(item) - domain.lowest) % modulus + domain.lowest for item in flat]


def decoded(domain: Domain, elements: Words, shape: Shape) -> list[int]:
    assert elements.shape == domain.array_shape(shape)
    values = domain.decode(elements, shape)
    assert values.shape == shape
    found: list[int] = values.reshape(-1).tolist()
    return found


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arithmetic_is_that_of_the_ring(domain: Domain, shape: Shape) -> None:
    x, y = integers(domain, shape), integers(domain, shape, 1)
    a, b = domain.encode(x), domain.encode(y)
    left, right = x.astype(np.object_), y.astype(np.object_)
    assert decoded(domain, domain.add(a, b), shape) == reduced(domain, left + right)
    assert decoded(domain, domain.subtract(a, b), shape) == reduced(domain, left - right)
    assert decoded(domain, domain.multiply(a, b), shape) == reduced(domain, left * right)
    assert decoded(domain, domain.negate(a), shape) == reduced(domain, -left)
    for into, wanted in ((domain.add_into, left + right), (domain.subtract_into, left - right)):
        total = a.copy()
        into(total, b)
        assert decoded(domain, total, shape) == reduced(domain, wanted)
    for axes in ([], *([axis] for axis in range(len(shape))), list(range(len(shape)))):
        rest = tuple(length for axis, length in enumerate(shape) if axis not in axes)
        summed = np.asarray(np.sum(left, axis=tuple(axes)), np.object_)
        assert decoded(domain, domain.sum(a, shape, tuple(axes)), rest) == reduced(domain, summed), axes


def one(x: Entries) -> Entries:
    return x.reshape(-1)[:1]


def repeated(x: Entries) -> Entries:
    return np.broadcast_to(x, (2, *x.shape))


def beside_zeros(x: Entries) -> Entries:
    return np.concatenate([x.reshape(-1), np.zeros(3, x.dtype), x.reshape(-1)])


MOVES: list[Callable[..., Entries]] = [np.transpose, np.ravel, one, repeated, beside_zeros]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_layout_moves_elements(domain: Domain, shape: Shape) -> None:
    x, y = integers(domain, shape), integers(domain, shape, 1)
    a, b = domain.encode(x), domain.encode(y)
    for move in MOVES:
        wanted = move(x)
        moved = domain.rearrange(move, [shape], a)
        assert decoded(domain, moved, wanted.shape) == wanted.reshape(-1).tolist(), move
    stacked = np.stack([x, y])
    assert decoded(domain, domain.stack([a, b], shape), stacked.shape) == stacked.reshape(-1).tolist()
    flat = (math.prod(shape),)
    assert decoded(domain, domain.reshape(a, flat), flat) == x.reshape(-1).tolist()
    assert decoded(domain, domain.zeros(shape), shape) == [0] * flat[0]
    domain.zeros(shape)[...] = 1  # writable


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
@pytest.mark.parametrize("shapes", [[(3,)], [(), (2, 3), (0,), (70,)], [(0,), (0, 2)], [(64,), (64,)]], ids=str)
def test_what_is_joined_is_split_again(domain: Domain, shapes: Sequence[Shape]) -> None:
    values = [integers(domain, shape, seed) for seed, shape in enumerate(shapes)]
    flat = domain.join([domain.encode(value) for value in values], shapes)
    wanted = [item for value in values for item in value.reshape(-1).tolist()]
    assert decoded(domain, flat, (len(wanted),)) == wanted
    for value, piece in zip(values, domain.split(flat, shapes), strict=True):
        assert decoded(domain, piece, value.shape) == value.reshape(-1).tolist()


@pytest.mark.parametrize("domain", DECODED_WHOLE, ids=lambda domain: domain.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_lies_beside_the_elements_is_cleared(domain: Domain, shape: Shape) -> None:
    """From elements and nothing else follow the bytes; the array that was given is left alone."""
    dirty = domain.uniform(bytes(16), shape)
    before = dirty.copy()
    cleared = domain.clear_padding(dirty, shape)
    values = domain.decode(dirty, shape)
    assert np.array_equal(domain.decode(cleared, shape), values)
    assert bytes(domain.to_bytes(cleared)) == bytes(domain.to_bytes(domain.encode(values)))
    assert np.array_equal(dirty, before)


@pytest.mark.parametrize("domain", WITH_MATRICES, ids=lambda domain: domain.name)
def test_matrices(domain: Domain) -> None:
    x, y = integers(domain, (3, 4)), integers(domain, (4, 2), 1)
    for left, right in ((x, y), (x[0], y), (x, y[:, 0]), (x[0], y[:, 0]), (x[:, :0], y[:0])):
        wanted = np.asarray(left.astype(np.object_) @ right.astype(np.object_), np.object_)
        a, b = (domain.encode(np.ascontiguousarray(side)) for side in (left, right))
        assert decoded(domain, domain.matmul(a, b), wanted.shape) == reduced(domain, wanted)


def test_packed_bits_have_no_matrix_product() -> None:
    with pytest.raises(LocalError, match="no matrix product of packed bits"):
        BITS.matmul(BITS.zeros((64,)), BITS.zeros((64,)))


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_elements_travel(domain: Domain, shape: Shape) -> None:
    for elements in (domain.encode(integers(domain, shape)), domain.uniform(b"k" * 16, shape)):
        data = domain.to_bytes(elements)
        assert len(data) == domain.nbytes(shape)
        again = domain.from_bytes_untrusted(data, shape, "bob")
        assert np.array_equal(again, elements)
        assert again.shape == domain.array_shape(shape)
        assert not again.size or not again.flags.writeable
    with pytest.raises(PeerViolation, match="were expected"):
        domain.from_bytes_untrusted(bytes(domain.nbytes(shape) + 1), shape, "bob")


def test_the_upper_halves_of_128_bits() -> None:
    """Carries, products and sums, against Python's integers."""
    ends = [-(2**63), 2**63 - 1, -1, 0, 1, 2**62 + 12345, -(2**40) - 1, 987654321]
    x, y = np.array(ends, np.int64), np.array(ends[::-1], np.int64)
    a, b = Z128.encode(x), Z128.encode(y)
    left, right = x.astype(np.object_), y.astype(np.object_)

    def whole(elements: Words) -> list[int]:
        flat = elements.reshape(-1, 2).tolist()
        return [(low | high << 64) - (high >> 63 << 128) for low, high in flat]

    def wrapped(values: Any) -> list[int]:
        flat: list[int] = np.asarray(values, np.object_).reshape(-1).tolist()
        return [(item + 2**127) % 2**128 - 2**127 for item in flat]

    cubes = Z128.multiply(Z128.multiply(a, b), a)
    assert whole(Z128.multiply(a, b)) == wrapped(left * right)
    assert whole(cubes) == wrapped(left * right * left)
    assert whole(Z128.subtract(cubes, a)) == wrapped(left * right * left - left)
    assert whole(Z128.negate(cubes)) == wrapped(-left * right * left)
    assert whole(Z128.sum(cubes, (8,), (0,))) == wrapped(sum((left * right * left).tolist()))
    grid = Z128.matmul(Z128.reshape(cubes, (2, 4)), Z128.reshape(a, (4, 2)))
    assert whole(grid) == wrapped((left * right * left).reshape(2, 4) @ left.reshape(4, 2))


def test_words_that_are_no_elements_are_refused() -> None:
    edge = np.array([2**61 - 2, 2**61 - 1], np.uint64)
    assert F61.from_bytes_untrusted(edge[:1].tobytes(), (1,), "bob").tolist() == [2**61 - 2]
    with pytest.raises(PeerViolation, match="no elements of the field"):
        F61.from_bytes_untrusted(edge.tobytes(), (2,), "bob")


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_uniform_elements_are_elements_and_differ(domain: Domain) -> None:
    first, second = (domain.uniform(bytes([key]) * 16, (640,)) for key in (1, 2))
    assert np.array_equal(first, domain.uniform(bytes([1]) * 16, (640,)))
    assert not np.array_equal(first, second)
    values = domain.decode(first, (640,))
    assert domain.lowest <= values.min() <= values.max() <= domain.highest
    upper = np.count_nonzero(values > (domain.lowest + domain.highest) / 2)
    assert 256 < upper < 384  # five deviations
