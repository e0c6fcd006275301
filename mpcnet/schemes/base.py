"""What a scheme is: how a secret is shared, combined, opened, and at what price.

A scheme is a stateless object. What differs between parties comes in by the `Context`, and so does the state that
its `setup` returned: a program keeps it and gives it to every operation. Interactive operations are steps, and each
has a cost that is known before it runs. All schemes here are linear, so every operation of the DSL that is linear
over the domain (sums, public multiples, indexing, stacking, products with public matrices) is one method, `linear`,
applied to each of the arrays that a party holds. New schemes are found by the entry-point group `mpcnet.schemes`.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mpcnet.algebra import Z64, Domain, Shape, Words
from mpcnet.correlated.cost import FREE, Cost, SentBytes, bytes_between
from mpcnet.engine import Context, Setting, Step
from mpcnet.errors import LocalError

__all__ = (
    "FREE",
    "Cost",
    "Kind",
    "Owners",
    "Parts",
    "Primitive",
    "Scheme",
    "SentBytes",
    "Share",
    "Threat",
    "bytes_between",
    "checked_row",
)

Owners = Sequence[int]
"""Roster indices; row i of an input belongs to owner i."""
Parts = tuple[Words, ...]
"""The arrays that one party holds of a shared array."""


# Shares, primitives and rounds are made for every operation and never changed; a frozen dataclass would say so, and
# take three times as long to make.
@dataclass(slots=True, repr=False, eq=False)
class Share:
    """One party's part of a shared array; opaque to everyone but its scheme. Never changed.

    Args:
        domain: where the elements live.
        shape: shape of the shared array.
        parts: the arrays that this party holds, each with `shape` elements of the domain: one in additive sharing,
            several in others, none on a party that does not compute.
    """

    domain: Domain
    shape: Shape
    parts: Parts

    def __repr__(self) -> str:
        return f"Share(shape={self.shape}, domain={self.domain.name})"


@dataclass(frozen=True, slots=True)
class Threat:
    """What a scheme withstands, as data for explanations and tests.

    Args:
        model: "semi-honest", or "none" for schemes that protect nothing.
        tolerates: of how many computing parties, how many may put together what they see and learn nothing.
        least, most: how many computing parties the scheme takes; `most` None for any number.
    """

    model: str
    tolerates: Callable[[int], int]
    least: int
    most: int | None = None


def checked_row(domain: Domain, shape: Shape, row: Words | None) -> Words:
    """Our own row of an input.

    Raises:
        LocalError: there is none, or it has another shape than was declared.
    """
    if row is None or row.shape != domain.array_shape(shape):
        raise LocalError(f"our input has shape {None if row is None else row.shape}, declared is {shape}")
    return row


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


class Scheme(ABC):
    """How secrets are shared among the computing parties.

    Whatever a cost or an algorithm depends on is public and the same on all parties: shapes, kinds, widths and the
    `Setting`, which a step finds as `context.setting`. Parties that do not compute run every step too, hold shares
    without parts, and yield as many rounds.
    """

    name: typing.ClassVar[str]
    threat: typing.ClassVar[Threat]
    private: typing.ClassVar[bool] = True
    """False for schemes that are never run over links."""
    kinds: typing.ClassVar[frozenset[Kind]] = frozenset(Kind)
    """The products that it computes; programs that take another one are refused before anything is sent."""
    numbers: Domain = Z64
    """Where secret numbers live; what a program's ranges are held against. Secret bits live in `BITS`."""

    def check_parties(self, computing: Sequence[int]) -> None:
        """Refuse a number of computing parties that this scheme is not made for.

        Raises:
            LocalError: too few or too many.
        """
        least, most = self.threat.least, self.threat.most
        if len(computing) < least or (most is not None and len(computing) > most):
            wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            raise LocalError(f"scheme '{self.name}' takes {wanted} computing parties, not {len(computing)}")

    # Before the first operation

    @abstractmethod
    def setup(self, context: Context) -> Step[object]:
        """What the scheme needs before its first operation in a program: a job, or a fork of it.

        It takes no correlated randomness, since none has been asked for yet.

        Returns:
            The scheme's state, kept by the program as `context.state` of every later operation: keys that
            subsets of the parties have in common, shares of a MAC key; None for a scheme without state.
        """

    @abstractmethod
    def setup_cost(self, setting: Setting) -> Cost:
        """What `setup` costs; its demand is empty."""

    # Inputs

    @abstractmethod
    def input(
        self, context: Context, domain: Domain, row_shape: Shape, owners: Owners, mine: Words | None
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
    def input_cost(self, setting: Setting, domain: Domain, row_shape: Shape, owners: Owners) -> Cost:
        """What `input` costs."""

    @abstractmethod
    def split(
        self, domain: Domain, shape: Shape, row: Words, computing: int, randomness: Callable[[int], bytes]
    ) -> tuple[Parts, ...]:
        """Share a row without the other parties: for an owner that hands its shares in and is gone.

        Args:
            computing: how many parties will compute.
            randomness: n to n uniform bytes of our own.
        Returns:
            By position among the computing parties, the parts of a valid sharing of the row: what that party
            makes a `Share` of. Any `threat.tolerates(computing)` of them tell nothing.
        """

    # Without a message

    @abstractmethod
    def add_public(self, context: Context, x: Share, value: Words) -> Share:
        """x + value, where every party knows `value`; broadcasts as numpy does to the shape of x."""

    def linear(self, function: Callable[..., Words], shape: Shape, *shares: Share) -> Share:
        """Apply a function that is linear over the domain to each part.

        Args:
            function: `f(domain, shapes, *arrays)`: takes one array per share and returns one of `shape`, with
                f(x + y) = f(x) + f(y); see `mpcnet.dsl.maps`.
            shape: shape of the result.
            shares: at least one, over one domain.
        """
        domain, shapes = shares[0].domain, [share.shape for share in shares]
        columns = zip(*[share.parts for share in shares], strict=True)
        return Share(domain, shape, tuple([function(domain, shapes, *arrays) for arrays in columns]))

    # Products

    @abstractmethod
    def compute(self, context: Context, primitive: Primitive, operands: Sequence[Share]) -> Step[Share]:
        """Compute a product of one of our `kinds`.

        Args:
            operands: flat shares, over numbers or bits as the kind says; matrices for `MATMUL`.
        Returns:
            A flat share of `count` elements; a matrix for `MATMUL`.
        """

    @abstractmethod
    def compute_cost(self, setting: Setting, primitive: Primitive) -> Cost:
        """What `compute` takes. It may choose between algorithms by what the provider makes."""

    # Outputs

    @abstractmethod
    def open(self, context: Context, x: Share) -> Step[Words | None]:
        """Make x known to all computing parties, and to no other; None on a party that does not compute.

        The array is the caller's own: to write to it changes no share.
        Not for outputs: its messages are the parts as they are. Outputs go through `reveal`.
        """

    @abstractmethod
    def open_cost(self, setting: Setting, domain: Domain, shape: Shape) -> Cost:
        """What `open` costs."""

    @abstractmethod
    def reveal(self, context: Context, x: Share, receivers: Sequence[int]) -> Step[Words | None]:
        """Make x known to the receivers, and to no other party; None on the others.

        The parts are re-randomised first, so that messages depend on nothing but the value. The array is the
        caller's own.
        """

    @abstractmethod
    def reveal_cost(self, setting: Setting, domain: Domain, shape: Shape, receivers: Sequence[int]) -> Cost:
        """What `reveal` costs."""

    @abstractmethod
    def verify(self, context: Context) -> Step[None]:
        """Check what was computed since the last call; runs before every reveal. Empty for semi-honest schemes."""
