"""Outcomes for people and for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mpcnet import Many, Party, protocol
from mpcnet.cli.formatting import counted, explained, plain, time_text


@dataclass(frozen=True)
class Nothing:
    """No parameters."""


@dataclass(frozen=True)
class Outcome:
    winner_name: str
    price: Fraction
    bids: tuple[int, ...] = ()
    sold: bool = True


@protocol("silent", version=1, params=Nothing, roles={"some": Many(1)}, outputs={})
async def silent(party: Party[Nothing]) -> None:
    """A protocol that does not explain itself."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (Fraction(6343, 2), {"fraction": "6343/2", "float": 3171.5}),
        (Fraction(10**400), {"fraction": f"{10**400}/1", "float": None}),
        (Decimal("1.10"), "1.10"),
        (b"\x01\xff", "01ff"),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.int64(5), 5),
        (np.array([Fraction(1, 2)], np.object_), [{"fraction": "1/2", "float": 0.5}]),
        ({1: (2, "x")}, {"1": [2, "x"]}),
        (frozenset({7}), [7]),
        (
            Outcome("ann", Fraction(3)),
            {"winner_name": "ann", "price": {"fraction": "3/1", "float": 3.0}, "bids": [], "sold": True},
        ),
        (complex(1, 2), "(1+2j)"),
    ],
)
def test_for_programs(value: Any, expected: object) -> None:
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_for_people_without_words_of_its_own() -> None:
    outcome = Outcome("ann", Fraction(3801, 2), (1, 20_000))
    assert explained(silent, outcome).splitlines() == [
        "winner name: ann",
        "price: 1,900.5",
        "bids: 1, 20,000",
        "sold: yes",
    ]
    assert explained(silent, 12_686) == "12,686"
    assert explained(silent, {"left": None}) == "left: None"


def test_numbers_with_their_nouns() -> None:
    assert (counted(1, "round"), counted(0, "round"), counted(1560, "byte")) == (
        "1 round",
        "0 rounds",
        "1,560 bytes",
    )
    assert [time_text(seconds) for seconds in (0.0007, 0.35, 2.5, 1234.5)] == [
        "0.7 ms",
        "350 ms",
        "2.5 s",
        "1,234 s",
    ]
