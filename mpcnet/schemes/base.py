"""What a scheme is: how a secret is shared, combined, opened, and at what price.

A scheme is a stateless object; what differs between parties comes in by the `Context`. Its interactive
operations are steps. All schemes here are linear, so every operation of the DSL that is linear over the domain
(sums, public multiples, indexing, stacking, products with public matrices) is one method, `linear`, applied to
each of the arrays that a party holds. New schemes are found by the entry-point group `mpcnet.schemes`.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mpcnet.algebra import Domain, Words
from mpcnet.correlated.items import Demand
from mpcnet.engine import Context, Parties, Step
from mpcnet.errors import LocalError

__all__ = ("Cost", "Forecast", "Kind", "Owners", "Primitive", "Scheme", "Share", "Threat")

Owners = Sequence[int]
"""Roster indices; row i of an input belongs to owner i."""


# Shares, primitives, forecasts and rounds are made for every operation and never changed; a frozen dataclass would
# say so, and take three times as long to make.
@dataclass(slots=True, repr=False, eq=False)
class Share:
    """One party's part of a shared array; opaque to everyone but its scheme. Never changed.

    Args:
        domain: where the elements live.
        shape: shape of the shared array.
        parts: the arrays that this party holds, each of `shape`: one in additive sharing, several in others, none
            on a party that does not compute.
    """

    domain: Domain
    shape: tuple[int, ...]
    parts: tuple[Words, ...]

    def __repr__(self) -> str:
        return f"Share(shape={self.shape}, domain={self.domain.name})"


@dataclass(frozen=True, slots=True)
class Threat:
    """What a scheme withstands, as data for `mpcnet explain` and the agreement.

    Args:
        model: "semi-honest", or "none" for schemes that protect nothing.
        corrupted: how many computing parties may collude, in words for n parties.
        least, most: how many computing parties the scheme takes; `most` None for any number.
    """

    model: str
    corrupted: str
    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Online rounds, and payload bytes by (sender, receiver)."""

    rounds: int
    sent_bytes: Mapping[tuple[int, int], int]


class Kind(StrEnum):
    """The products that a scheme computes on flat arrays. Bits are packed; numbers are elements of the domain."""

    MULTIPLY = "multiply"
    """Two arrays of numbers to their products."""
    SIGN = "compare"
    """Numbers that fit into so many bits, with sign, to the bits [x < 0]."""
    IS_ZERO = "equal"
    """Numbers that are a multiple of 2^bits only if they are zero, to the bits [x = 0]."""
    AND = "and"
    """Two arrays of bits to their products."""
    TO_NUMBER = "to-number"
    """Bits to the numbers 0 and 1."""
    SELECT = "select"
    """Bits and as many numbers: the number where the bit is one, zero elsewhere."""
    MATMUL = "matmul"
    """Two matrices to their product."""


@dataclass(slots=True)
class Primitive:
    """One such product. Never changed.

    Args:
        kind: which.
        count: elements of the result.
        bits: width, for `SIGN` and `IS_ZERO`.
        inner: the summed dimension, for `MATMUL`, whose result has rows = count / columns.
        columns: of the result, for `MATMUL`.
    """

    kind: Kind
    count: int
    bits: int = 0
    inner: int = 0
    columns: int = 0


@dataclass(slots=True)
class Forecast:
    """What a primitive takes. Never changed.

    Args:
        rounds: how many rounds its step yields.
        peer_bytes: payload from each computing party to each other one.
        demand: correlated randomness.
    """

    rounds: int
    peer_bytes: int
    demand: Demand


class Scheme(ABC):
    """How secrets are shared among the computing parties."""

    name: typing.ClassVar[str]
    threat: typing.ClassVar[Threat]
    private: typing.ClassVar[bool] = True
    """False for schemes that are never run over links."""

    def check_parties(self, computing: Sequence[int]) -> None:
        """Refuse a number of computing parties that this scheme is not made for.

        Raises:
            LocalError: too few or too many.
        """
        least, most = self.threat.least, self.threat.most
        if len(computing) < least or (most is not None and len(computing) > most):
            wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            raise LocalError(f"scheme '{self.name}' takes {wanted} computing parties, not {len(computing)}")

    @abstractmethod
    def setup(self, context: Context) -> Step[None]:
        """What the scheme needs before its first operation in a program: a job, or a fork of it."""

    @abstractmethod
    def input(
        self, context: Context, domain: Domain, row_shape: tuple[int, ...], owners: Owners, mine: Words | None
    ) -> Step[Share]:
        """Share one row per owner.

        Args:
            row_shape: shape of each owner's row.
            owners: who gives row i; no one twice.
            mine: our own row if we are an owner.
        Returns:
            Share of shape (len(owners), *row_shape).
        """

    @abstractmethod
    def input_cost(self, parties: Parties, domain: Domain, row_shape: tuple[int, ...], owners: Owners) -> Cost:
        """What `input` costs."""

    @abstractmethod
    def add_public(self, parties: Parties, x: Share, value: Words) -> Share:
        """x + value, where every party knows `value`; broadcasts as numpy does to the shape of x."""

    def linear(self, function: Callable[..., Words], shape: tuple[int, ...], *shares: Share) -> Share:
        """Apply a function that is linear over the domain to each part.

        Args:
            function: takes one array per share, returns one of `shape`; f(x + y) = f(x) + f(y).
            shape: shape of the result.
            shares: at least one, over one domain.
        """
        # numpy's reductions turn 0-d arrays into scalars, whose arithmetic warns where the ring wraps around.
        parts = [np.asarray(function(*arrays)) for arrays in zip(*[share.parts for share in shares], strict=True)]
        return Share(shares[0].domain, shape, tuple(parts))

    @abstractmethod
    def forecast(self, primitive: Primitive) -> Forecast:
        """What `compute` will take: the same on all parties."""

    @abstractmethod
    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        """Compute a product.

        Args:
            operands: flat shares, over numbers or bits as the kind says; matrices for `MATMUL`.
        Returns:
            A flat share of `count` elements; a matrix for `MATMUL`.
        """

    @abstractmethod
    def open(self, context: Context, x: Share) -> Step[Words | None]:
        """Make x known to all computing parties, and to nobody else; None on a party that does not compute.

        The array is the caller's own: to write to it changes no share.
        Not for outputs: its messages are the parts as they are. Outputs go through `reveal`.
        """

    @abstractmethod
    def open_cost(self, parties: Parties, domain: Domain, shape: tuple[int, ...]) -> Cost:
        """What `open` costs."""

    @abstractmethod
    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        """Make x known to the receivers, and to nobody else; None on everyone else.

        The parts are re-randomised first, so that messages depend on nothing but the value. The array is the
        caller's own.
        """

    @abstractmethod
    def reveal_cost(
        self, parties: Parties, domain: Domain, shape: tuple[int, ...], receivers: Sequence[int]
    ) -> Cost:
        """What `reveal` costs."""

    @abstractmethod
    def verify(self, context: Context) -> Step[None]:
        """Check what was computed since the last call; runs before every reveal. Empty for semi-honest schemes."""
