"""Indices: described canonically, checked at once, and frozen."""

from __future__ import annotations

import typing

import numpy as np
import pytest

from mpcnet.dsl import Range, Secret, Value
from mpcnet.dsl.indexing import read_index
from mpcnet.engine import Step
from mpcnet.errors import LocalError
from mpcnet.testing.lockstep import LockstepParty, Plain, make_programs, run_program

SHAPE = (3, 4, 2)


def secret(shape: tuple[int, ...] = SHAPE) -> Secret:
    program = make_programs(computing=2)[0]
    return Secret(Value(program, program.input("x", shape[1:], Range(0, 9), tuple(range(min(shape[0], 2))), None)))


@pytest.mark.parametrize(
    ("key", "same"),
    [
        (1, np.int64(1)),
        ((0, -1), (np.uint8(0), -1)),
        (slice(0, 2), slice(np.int64(0), np.int32(2))),
        (np.int64(2), 2),
        ([0, 2], np.array([0, 2], np.int16)),
        ([True, False, True], np.array([True, False, True])),
        (np.array([[0]], ">i4"), [[0]]),
    ],
)
def test_what_means_the_same_is_described_the_same(key: object, same: object) -> None:
    first, second = read_index(key, SHAPE), read_index(same, SHAPE)
    assert (first.shape, first.description) == (second.shape, second.description)


def test_what_differs_is_described_differently() -> None:
    keys: list[object] = [
        0, 1, True, False, None, Ellipsis, (0,) * 2, (0, None), slice(None), slice(0, 2), slice(0, 2, 2), slice(2),
        [0], [1], [0, 1], [[0, 1]], [True, False, False], (0, [0]), ([0], 0), (Ellipsis, 0), (0, Ellipsis), (),
    ]  # fmt: skip
    described = [read_index(key, SHAPE) for key in keys]
    for key, index in zip(keys, described, strict=True):
        assert index.shape == np.zeros(SHAPE)[typing.cast("int", key)].shape
    assert len({index.description for index in described}) == len(keys)


@pytest.mark.parametrize(
    "key",
    [3, -4, (0, 0, 0, 0), [3], [True], np.ones((2, 2), np.bool_), 1.0, "a", b"a", [0.5], (0, "a"), {1: 2}, 10**30,
     (Ellipsis, Ellipsis), slice(0.5, 1), np.timedelta64(1, "s")],
)  # fmt: skip
def test_what_is_no_index_is_refused_at_once(key: object) -> None:
    with pytest.raises(LocalError):
        read_index(key, SHAPE)


def test_a_secret_is_no_index() -> None:
    x = secret((2,))
    objects = np.empty(1, np.object_)
    objects[0] = x[0]
    for key in (x, x[0], [x[0]], [0, x[0]], slice(x[0], None), (x[0],), objects):
        with pytest.raises(LocalError):
            read_index(key, SHAPE)


@pytest.mark.parametrize("zero_d", [np.array(-1), np.array(1)])
def test_zero_dimensional_integer_arrays_are_integers(zero_d: object) -> None:
    assert read_index(zero_d, SHAPE).shape == (4, 2)


def test_indices_are_frozen_when_they_are_written_down() -> None:
    def program(party: LockstepParty) -> Step[Plain]:
        x = party.input("x", {0: [10, 11, 12]}, range=(0, 99))
        array, listed, mask = np.array([0, 1]), [2, 1], np.array([True, False, True])
        picked = {"array": x[0][array], "list": x[0][listed], "mask": x[0, mask]}
        array[:] = 2
        listed[:] = [0, 0]
        mask[:] = True
        opened = yield from party.reveal(**picked)
        return np.concatenate([opened["array"], opened["list"], opened["mask"]])

    assert run_program(program, computing=2).results[0].tolist() == [10, 11, 12, 11, 10, 12]
