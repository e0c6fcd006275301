"""Declared inputs: what they take, what they refuse, and that a refusal does not tell the value."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import Choice, Decimals, Ints, LocalError, LocalInts, LocalItems, LocalLabels, RangeError
from mpcnet.declare import Declaration


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


@dataclass(frozen=True)
class Rules:
    low: int = -10
    high: int = 1000
    options: tuple[str, ...] = ("yes", "no", "perhaps")
    most: int = 3


RULES = Rules()
ONE = Ints(by="givers", range=("low", "high"))
ROW = Ints(by="givers", range=("low", "high"), shape=("options",))
MONEY = Decimals(by="givers", range=("low", "high"))
VOTE = Choice(by="givers")
ROWS = LocalInts(by="givers", range=("low", "high"), most="most")
LABELS = LocalLabels(by="givers", labels="options", most="most")
ITEMS = LocalItems(by="givers", most="most")


def accepted(declaration: Declaration, words: Sequence[str]) -> Any:
    checked = declaration.check(declaration.parse(words, RULES), RULES)
    return checked.tolist() if isinstance(checked, np.ndarray) else checked


@pytest.mark.parametrize(
    ("declaration", "words", "expected"),
    [
        (ONE, ["-10"], -10),
        (ONE, [" 1_000 "], 1000),
        (ONE, ["0"], 0),
        (ROW, ["1", "2", "3"], [1, 2, 3]),
        (MONEY, ["1000"], 100_000),
        (MONEY, ["0.10"], 10),
        (MONEY, ["-9.99"], -999),
        (VOTE, ["no"], [0, 1, 0]),
        (VOTE, [" perhaps "], [0, 0, 1]),
        (ROWS, ["5", "6"], [5, 6]),
        (ROWS, [], []),
        (LABELS, ["no", " yes"], ("no", "yes")),
        (LABELS, [], ()),
        (ITEMS, [], ()),
        (ITEMS, [" ann@example.org\t", "Ann@example.org"], ("ann@example.org", "Ann@example.org")),
        (ITEMS, ["b", "a", "b", "a ", "a", "a"], ("b", "a")),
        (ITEMS, ["Zoe\u0308", "Zo\u00eb", "two  words"], ("Zo\u00eb", "two  words")),
    ],
)
def test_words_that_fit(declaration: Declaration, words: Sequence[str], expected: object) -> None:
    assert accepted(declaration, words) == expected


@pytest.mark.parametrize(
    ("declaration", "words", "error"),
    [
        (ONE, ["77.7"], LocalError),
        (ONE, ["7777x"], LocalError),
        (ONE, [""], LocalError),
        (ONE, ["777", "778"], LocalError),
        (ONE, [], LocalError),
        (ONE, ["1777"], RangeError),
        (ONE, ["-7777"], RangeError),
        (ONE, ["7" * 30], RangeError),
        (ONE, ["7" * 5000], LocalError),
        (ROW, ["777", "7", "1777"], RangeError),
        (ROW, ["777"], LocalError),
        (MONEY, ["7.777"], LocalError),
        (MONEY, ["777 dollars"], LocalError),
        (MONEY, ["NaN"], LocalError),
        (MONEY, ["-Infinity"], LocalError),
        (MONEY, ["7e777"], LocalError),
        (MONEY, ["1777.77"], RangeError),
        (VOTE, ["777"], LocalError),
        (VOTE, ["yes", "no"], LocalError),
        (VOTE, [], LocalError),
        (ROWS, ["777", "778", "779", "770"], LocalError),
        (ROWS, ["777", "1777"], RangeError),
        (ROWS, ["x777"], LocalError),
        (LABELS, ["yes", "777"], LocalError),
        (LABELS, ["yes"] * 4, LocalError),
        (ITEMS, ["771", "772", "773", "774"], LocalError),
        (ITEMS, ["77", " \t"], LocalError),
        (ITEMS, ["77\ud800"], LocalError),
    ],
)
def test_words_that_do_not_fit(declaration: Declaration, words: Sequence[str], error: type[LocalError]) -> None:
    with pytest.raises(error) as caught:
        accepted(declaration, words)
    assert "77" not in str(caught.value)


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        (ONE, 7.5),
        (ONE, True),
        (ONE, "7"),
        (ONE, [7]),
        (ONE, np.float64(7)),
        (ROW, [1, 2, 3.5]),
        (ROW, [[1, 2, 3]]),
        (MONEY, True),
        (MONEY, object()),
        (VOTE, 1),
        (ROWS, 5),
        (ROWS, [[5]]),
        (LABELS, "yes"),
        (LABELS, 5),
        (ITEMS, "yes"),
        (ITEMS, b"yes"),
        (ITEMS, 5),
        (ITEMS, ["yes", 5]),
        (ITEMS, [b"yes"]),
        (ITEMS, [None]),
    ],
)
def test_values_of_another_type(declaration: Declaration, value: object) -> None:
    with pytest.raises(LocalError):
        declaration.check(value, RULES)


@pytest.mark.parametrize(
    "value", [5, np.int64(5), np.uint64(5), np.int8(5), np.array(5)], ids=lambda value: type(value).__name__
)
def test_whole_numbers_of_every_kind(value: object) -> None:
    assert ONE.check(value, RULES).tolist() == 5


def test_unsigned_numbers_beyond_64_bits_do_not_wrap() -> None:
    with pytest.raises(RangeError):
        ROWS.check(np.array([2**64 - 5], np.uint64), RULES)


def test_a_float_means_what_it_prints() -> None:
    assert MONEY.check(0.1, RULES).tolist() == 10
    assert MONEY.check(Decimal("0.10"), RULES).tolist() == 10


def test_who_takes_several_words() -> None:
    several = [item.several(RULES) for item in (ONE, ROW, MONEY, VOTE, ROWS, LABELS, ITEMS)]
    assert several == [False, True, False, False, True, True, True]


@pytest.mark.parametrize(
    "value", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}, np.array(["a", "b"]), {"a": 1, "b": 2}.keys()], ids=str
)
def test_items_come_in_any_collection(value: object) -> None:
    items = ITEMS.check(value, RULES)
    assert items == ("a", "b")
    assert {type(item) for item in items} == {str}


def test_items_that_are_given_twice_count_once() -> None:
    assert ITEMS.check({"a", "b", "c"}, RULES) in itertools.permutations("abc")
    assert ITEMS.check(["a", "b", "c"] * 1000, RULES) == ("a", "b", "c")


@settings(max_examples=50, derandomize=True)
@given(st.lists(st.integers(-10, 1000), min_size=3, max_size=3))
def test_parse_then_check_keeps_numbers(values: list[int]) -> None:
    assert accepted(ROW, [str(value) for value in values]) == values
    assert accepted(MONEY, [str(values[0])]) == values[0] * 100


def test_limits_may_be_a_function_of_the_parameters() -> None:
    declaration = Ints(by="givers", range=lambda rules: (0, rules.high // 2))
    assert declaration.limits(RULES) == (0, 500)
    with pytest.raises(RangeError):
        declaration.check(501, RULES)


def test_the_agreement_holds_everything_that_matters() -> None:
    descriptions = [item.describe(RULES) for item in (ONE, ROW, MONEY, VOTE, ROWS, LABELS, ITEMS)]
    assert len({str(description) for description in descriptions}) == len(descriptions)
    changed = Rules(low=0, high=5, options=("yes", "no"), most=1)
    for item, description in zip((ONE, ROW, MONEY, VOTE, ROWS, LABELS, ITEMS), descriptions, strict=True):
        assert item.describe(changed) != description
