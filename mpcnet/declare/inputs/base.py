"""What an input is: one class for each kind of input holds all that is known about it.

    texts ──parse──▶ a value, as a program gives it ──check──▶ what the protocol gets
                          ▲
                          └── sample, edges: values for dry runs and tests

No other module asks of which kind an input is: the command line, the agreement, explanations, dry runs and the
conformance kit call what is declared here. So a plugin adds a kind by a subclass of `Shared` or `Local`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.declare.inputs.sampling import Chooser
from mpcnet.errors import LocalError, RangeError
from mpcnet.wire.canonical import Plain

__all__ = ("MISSING", "Declaration", "Sharing")

MISSING = frozenset(
    ("", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "nan", "none", "null")
)
"""What spreadsheets, databases and data frames write where there is no value."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a shared input is to those who compute: whole numbers of a public shape and range.

    Args:
        shape: of one member's row.
        low, high: the lowest and the highest number, both included.
        denominator: by what the numbers are divided to give the values that they stand for.
    """

    shape: tuple[int, ...]
    low: int
    high: int
    denominator: int = 1

    def check(self, row: NDArray[np.int64], limits: tuple[int, int] | None = None) -> None:
        """Refuse a row of another shape or range. No row is shared that has not passed here, and none passes twice.

        Args:
            limits: lowest and highest value as the message tells them; by default `low` and `high`.

        Raises:
            RangeError: a number lies outside the range; `row` is its place.
            LocalError: the shape is another one.
        """
        if row.shape != self.shape:
            count = math.prod(self.shape)
            wanted = f"{count} values of shape {self.shape} were" if self.shape else "one value was"
            given = f"an array of shape {row.shape}" if row.shape else "a single value"
            raise LocalError(f"{wanted} expected, not {given}")
        check_range(row, (self.low, self.high), limits or (self.low, self.high))


def check_range(row: NDArray[np.int64], numbers: tuple[int, int], limits: tuple[int, int]) -> None:
    """Refuse numbers outside a range.

    Args:
        numbers: lowest and highest.
        limits: the same as the message tells it.
    """
    low, high = numbers
    if row.size and (int(row.min()) < low or int(row.max()) > high):
        place = int(np.argmax(((row < low) | (row > high)).reshape(-1)))
        raise RangeError(f"a value lies outside the agreed range [{limits[0]}, {limits[1]}]", row=place)


@dataclass(frozen=True, kw_only=True)
class Declaration(ABC):
    """One input of a protocol: of whom, of what kind, within which bounds.

    A kind is a frozen dataclass. Where it would hold a number or a list, it may refer to the protocol's parameters
    (`mpcnet.declare.parameters`).

    Args:
        by: the role whose members give it.
        help: a few words for the one who is asked for it.
    """

    kind: ClassVar[str]
    """A word that no other kind uses; it is part of the agreement."""
    is_shared: ClassVar[bool] = False
    """Whether it is secret-shared; else it stays with its owner."""
    is_open_ended: ClassVar[bool] = False
    """Whether its owner decides how many rows it has."""
    takes_numbers: ClassVar[bool] = False
    """Whether a text is a number, which may be written in the format of a country."""
    takes_any_text: ClassVar[bool] = False
    """Whether `parse` takes every text, so that a mistyped name of a file would pass for a value."""

    by: str
    help: str = ""

    # Values

    @abstractmethod
    def parse(self, texts: Sequence[str], params: Any) -> object:
        """The value from texts: words of a command line, lines of a file, cells of a column.

        Raises:
            LocalError: a text is not of this kind, or there are too many or too few. The message does not repeat
                it; `row` is its place.
        """

    @abstractmethod
    def check(self, value: object, params: Any) -> Any:
        """The value in the form in which the protocol gets it.

        Raises:
            RangeError: it lies outside the declared range. The message does not tell the value; `row` is its place.
            LocalError: it is of another type or shape.
        """

    def is_missing(self, text: str, params: Any) -> bool:
        """Whether a cell says that there is no value: it is blank, or holds a mark such as N/A."""
        return text.strip() in MISSING

    def several(self, params: Any) -> bool:
        """Whether `parse` takes more texts than one, so that a command line may separate them by commas."""
        return True

    @property
    def is_given(self) -> bool:
        """Whether its owner is asked for it; else the protocol derives it from other inputs."""
        return True

    # Samples

    @abstractmethod
    def sample(self, params: Any, choose: Chooser) -> object:
        """A value that `check` takes, made of numbers that are chosen for it."""

    @abstractmethod
    def edges(self, params: Any) -> tuple[object, object]:
        """Two values that `check` takes: at the low end of everything that may vary, and at the high end."""

    # Words

    @abstractmethod
    def phrase(self, params: Any = None) -> str:
        """What is to be given, as a noun phrase: "a whole number from 0 to 100".

        Args:
            params: without them, the names of parameters stand where their values would.
        """

    @abstractmethod
    def describe(self, params: Any) -> Mapping[str, Plain]:
        """What all parties must agree on: everything that `parse` and `check` depend on."""

    # Sharing and parameters

    def sharing(self, params: Any) -> Sharing | None:
        """How it is shared; None for an input that is not."""
        return None

    def check_params(self, params: Any) -> None:  # noqa: B027 -- most kinds take all parameters
        """Find out whether a job with these parameters could run, before a party waits for it.

        Raises:
            LocalError: it could not: a range is empty, or leaves 64 bits.
        """

    def named_parameters(self) -> Iterator[str]:
        """The parameters that this declaration refers to by name."""
        yield from ()
