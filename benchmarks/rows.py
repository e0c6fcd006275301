"""What is measured: one `Row` for each kind of work, the sizes, and the same work in the clear.

A row's `build` makes the graph of its results from two shared arrays; parties over links and the local computation
in one process both run it. `expected` says what must come out: a benchmark that computes something else is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpcnet import Secret, SecretBits, top
from mpcnet.algebra.expand import expand
from mpcnet.primitives import blake2b

__all__ = ("CHAIN", "ROWS", "Results", "Row", "values_of")

Plain = NDArray[np.int64]
Results = Mapping[str, Secret | SecretBits]

CHAIN = 1000
"""Multiplications in a row that each wait for the one before."""


@dataclass(frozen=True)
class Row:
    """One kind of work.

    Args:
        name: on the command line.
        about: what is computed and timed.
        sizes: the n that are run by default.
        bounds: lowest and highest value of an input.
        build: the results from two shared arrays of n values.
        expected: the same in the clear.
        reveals: whether opening the results belongs to the work.
        peer_most: the largest n that the peer is given; its rate is taken for larger ones.
    """

    name: str
    about: str
    sizes: tuple[int, ...]
    bounds: tuple[int, int]
    build: Callable[[Secret, Secret], Results]
    expected: Callable[[Plain, Plain], Mapping[str, Plain]]
    reveals: bool = False
    peer_most: int = 1000

    def length(self, n: int) -> int:
        """How many values an input has."""
        return 1 if self.name == "sequential" else n


def _product(x: Secret, y: Secret) -> Results:
    return {"result": x * y}


def _less(x: Secret, y: Secret) -> Results:
    return {"result": x < y}


def _chain(x: Secret, y: Secret) -> Results:
    for _ in range(CHAIN):
        x = x * y
    return {"result": x}


def _second_price(x: Secret, y: Secret) -> Results:
    best = top(x, 2)
    return {"winner": best.indices[0], "price": best.values[1]}


def _second_price_in_clear(x: Plain, y: Plain) -> Mapping[str, Plain]:
    order = np.argsort(-x, kind="stable")
    return {"winner": order[:1], "price": x[order[1:2]]}


ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row(
            "multiply",
            "n products of shared 64-bit ring elements, evaluate(x * y); x and y are shared before",
            (10_000, 1_000_000),
            (-(2**31), 2**31 - 1),
            _product,
            lambda x, y: {"result": x * y},
            peer_most=100_000,
        ),
        Row(
            "compare",
            "n comparisons whose difference has 64 bits, evaluate(x < y); results stay shared bits",
            (10_000, 100_000, 1_000_000),
            (-(2**62), 2**62 - 1),
            _less,
            lambda x, y: {"result": (x < y).astype(np.int64)},
        ),
        Row(
            "compare-32",
            "the same for a difference of 32 bits",
            (10_000, 100_000, 1_000_000),
            (0, 2**31 - 1),
            _less,
            lambda x, y: {"result": (x < y).astype(np.int64)},
        ),
        Row(
            "second-price",
            "index of the highest of n shared bids in [0, 10^7] and the second highest bid, both revealed",
            (16, 100, 1000),
            (0, 10_000_000),
            _second_price,
            _second_price_in_clear,
            reveals=True,
        ),
        Row(
            "sequential",
            f"{CHAIN} products of single values in [-1, 1], each of the one before, in one evaluation",
            (CHAIN,),
            (-1, 1),
            _chain,
            lambda x, y: {"result": x * y**CHAIN},
        ),
    )
}


def values_of(row: Row, n: int, owner: int) -> Plain:
    """An owner's input: pseudorandom in the row's bounds, the same in every process."""
    low, high = row.bounds
    key = blake2b(b"%s %d %d" % (row.name.encode(), n, owner), size=16, person=b"mpcnet.bench")
    count = row.length(n)
    uniform = np.resize(expand(key, 8 * count).view(np.uint64), count)
    return (uniform % np.uint64(high - low + 1)).astype(np.int64) + low
