"""Declarations of inputs: type, owner, range and shape, in one place.

Parsing on the command line, refusal of bad input before anything is sent, the agreement and the strategies of
tests all derive from them. A declaration may name parameters of the protocol where it would hold a number: a
dimension that names a sequence has its length.
"""

from __future__ import annotations

import math
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import LocalError, RangeError

__all__ = (
    "Bound",
    "Choice",
    "Decimals",
    "Declaration",
    "Dimension",
    "Ints",
    "LocalInts",
    "LocalItems",
    "LocalLabels",
    "Shared",
)

Bound = int | str
Dimension = int | str
Limits = tuple[Bound, Bound] | Callable[[Any], tuple[int, int]]

MAX_LOCAL_ROWS = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Declaration(ABC):
    """One input of a protocol.

    Args:
        by: the role whose members give it.
        help: one sentence for the one who is asked for it.
    """

    kind: ClassVar[str]
    by: str
    help: str = ""

    @abstractmethod
    def describe(self, params: Any) -> dict[str, int | str | list[int] | list[str]]:
        """What all parties must agree on, as plain values."""

    @abstractmethod
    def check(self, value: object, params: Any) -> Any:
        """The value in the form in which the protocol gets it.

        Raises:
            RangeError: outside the declared range. The message does not tell the value.
            LocalError: of another type or shape.
        """

    @abstractmethod
    def parse(self, texts: Sequence[str], params: Any) -> object:
        """The value from words of a command line, a file or a CSV column, to be given to `check`.

        Raises:
            LocalError: a word is not of this type. The message does not repeat it.
        """

    def named_parameters(self) -> list[str]:
        """Parameters that stand where this declaration would hold a number or a list."""
        found: list[str] = []
        for field in ("range", "shape", "most", "options", "labels"):
            value = getattr(self, field, ())
            several = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
            found += [item for item in several if isinstance(item, str)]
        return found

    def several(self, params: Any) -> bool:
        """Whether `parse` takes more words than one, so that a command line may separate them by commas."""
        return True


@dataclass(frozen=True, kw_only=True)
class Shared(Declaration):
    """An input that is secret-shared; row i of the shared array is that of the role's member i.

    Args:
        range: lowest and highest value, both included; numbers, names of parameters, or a function of them.
        shape: of each member's row.
        derived: the protocol computes the value itself, from local inputs: `party.share(name, value)`.
    """

    range: Limits = (0, 2**32 - 1)
    shape: tuple[Dimension, ...] = ()
    derived: bool = False

    @property
    def denominator(self) -> int:
        """By what the shared integers are divided."""
        return 1

    def limits(self, params: Any) -> tuple[int, int]:
        """Lowest and highest value, in the input's own unit."""
        if callable(self.range):
            return self.range(params)
        low, high = (_number(bound, params) for bound in self.range)
        return low, high

    def row_shape(self, params: Any) -> tuple[int, ...]:
        """The shape of one member's row."""
        return tuple(_dimension(dimension, params) for dimension in self.shape)

    def several(self, params: Any) -> bool:
        return self.row_shape(params) != ()

    def describe(self, params: Any) -> dict[str, int | str | list[int] | list[str]]:
        low, high = self.limits(params)
        return {
            "kind": self.kind,
            "by": self.by,
            "low": low,
            "high": high,
            "denominator": self.denominator,
            "shape": list(self.row_shape(params)),
        }

    @abstractmethod
    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        """The integers to share, of `row_shape`."""


@dataclass(frozen=True, kw_only=True)
class Ints(Shared):
    """Whole numbers."""

    kind: ClassVar[str] = "ints"

    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        array = _int_array(value)
        return _checked(array, self.row_shape(params), self.limits(params))

    def parse(self, texts: Sequence[str], params: Any) -> object:
        return _shaped([_int_word(text) for text in texts], self.row_shape(params))


@dataclass(frozen=True, kw_only=True)
class Decimals(Shared):
    """Numbers with a fixed count of decimal places, kept exactly: 3800.50 with places=2 is shared as 380050."""

    kind: ClassVar[str] = "decimals"
    places: int = 2

    @property
    def denominator(self) -> int:
        return int(10**self.places)

    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        items = np.asarray(value, np.object_)
        scaled = np.empty(items.shape, np.object_)
        scaled.reshape(-1)[:] = [self._scaled(item) for item in items.reshape(-1).tolist()]
        low, high = self.limits(params)
        return _checked(
            _int_array(scaled), self.row_shape(params), (low * self.denominator, high * self.denominator)
        )

    def _scaled(self, item: object) -> int:
        if isinstance(item, bool) or not isinstance(item, int | float | str | Decimal):
            raise LocalError(f"a decimal number was expected, not a {type(item).__name__}")
        try:
            # A float means what it prints: 0.1 is one tenth.
            exact = Decimal(str(item)) * self.denominator
            whole = int(exact)
        except (InvalidOperation, ValueError, OverflowError):
            raise LocalError("a decimal number was expected") from None
        if whole != exact:
            raise LocalError(f"a number has more than {self.places} decimal places")
        return whole

    def parse(self, texts: Sequence[str], params: Any) -> object:
        try:
            return _shaped([Decimal(text.replace("_", "")) for text in texts], self.row_shape(params))
        except InvalidOperation:
            raise LocalError("a decimal number was expected") from None


@dataclass(frozen=True, kw_only=True)
class Choice(Shared):
    """One of several options, shared as a one-hot row.

    Args:
        options: name of the parameter that lists them.
    """

    kind: ClassVar[str] = "choice"
    range: Limits = (0, 1)
    options: str = "options"

    def row_shape(self, params: Any) -> tuple[int, ...]:
        return (len(self._options(params)),)

    def several(self, params: Any) -> bool:
        return False

    def describe(self, params: Any) -> dict[str, int | str | list[int] | list[str]]:
        return {**super().describe(params), "options": list(self._options(params))}

    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        options = self._options(params)
        if not isinstance(value, str) or value not in options:
            raise LocalError(f"one of these was expected: {', '.join(options)}")
        row = np.zeros(len(options), np.int64)
        row[options.index(value)] = 1
        return row

    def parse(self, texts: Sequence[str], params: Any) -> object:
        if len(texts) != 1:
            raise LocalError(f"one option was expected, not {len(texts)}")
        return texts[0].strip()

    def _options(self, params: Any) -> tuple[str, ...]:
        options: tuple[str, ...] = tuple(getattr(params, self.options))
        return options


@dataclass(frozen=True, kw_only=True)
class LocalInts(Declaration):
    """Whole numbers that stay with their owner, as many as it has; the protocol derives shared inputs from them.

    Args:
        range: lowest and highest value, both included; numbers, names of parameters, or a function of them.
        most: how many there may be; a number or the name of a parameter.
    """

    kind: ClassVar[str] = "local-ints"
    range: Limits = (0, 2**32 - 1)
    most: Dimension = MAX_LOCAL_ROWS

    def describe(self, params: Any) -> dict[str, int | str | list[int] | list[str]]:
        low, high = self._limits(params)
        most = _dimension(self.most, params)
        return {"kind": self.kind, "by": self.by, "low": low, "high": high, "most": most}

    def check(self, value: object, params: Any) -> NDArray[np.int64]:
        array = _int_array(value)
        most = _dimension(self.most, params)
        if array.ndim != 1 or array.size > most:
            raise LocalError(f"a list of at most {most} numbers was expected")
        return _checked(array, array.shape, self._limits(params))

    def parse(self, texts: Sequence[str], params: Any) -> object:
        return [_int_word(text) for text in texts]

    def _limits(self, params: Any) -> tuple[int, int]:
        if callable(self.range):
            return self.range(params)
        low, high = (_number(bound, params) for bound in self.range)
        return low, high


@dataclass(frozen=True, kw_only=True)
class LocalLabels(Declaration):
    """Labels from an agreed list that stay with their owner, as many as it has.

    Args:
        labels: name of the parameter that lists them.
        most: how many there may be; a number or the name of a parameter.
    """

    kind: ClassVar[str] = "local-labels"
    labels: str
    most: Dimension = MAX_LOCAL_ROWS

    def describe(self, params: Any) -> dict[str, int | str | list[int] | list[str]]:
        most = _dimension(self.most, params)
        return {"kind": self.kind, "by": self.by, "labels": list(self._labels(params)), "most": most}

    def check(self, value: object, params: Any) -> tuple[str, ...]:
        labels = self._labels(params)
        if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
            raise LocalError("a list of labels was expected")
        words = tuple(str(item) for item in cast("Sequence[object]", value))
        most = _dimension(self.most, params)
        if len(words) > most:
            raise LocalError(f"a list of at most {most} labels was expected")
        if not set(words) <= set(labels):
            raise LocalError(f"a label is none of these: {', '.join(labels)}")
        return words

    def parse(self, texts: Sequence[str], params: Any) -> object:
        return [text.strip() for text in texts]

    def _labels(self, params: Any) -> tuple[str, ...]:
        labels: tuple[str, ...] = tuple(getattr(params, self.labels))
        return labels


@dataclass(frozen=True, kw_only=True)
class LocalItems(Declaration):
    """A set of texts that stays with its owner, to be compared with others' sets.

    Two items are the same if their texts are, after white space around them is removed and Unicode brought into
    normal form C: "Zoë" is one item, whichever of its two spellings a system writes. Nothing else is changed: case
    and inner spaces count. Numbers and dates are given as text, in a form on which the owners agree.

    Args:
        most: how many different items there may be; a number or the name of a parameter.
    """

    kind: ClassVar[str] = "local-items"
    most: Dimension = MAX_LOCAL_ROWS

    def describe(self, params: Any) -> dict[str, int | str | list[int] | list[str]]:
        return {"kind": self.kind, "by": self.by, "form": "NFC", "most": _dimension(self.most, params)}

    def check(self, value: object, params: Any) -> tuple[str, ...]:
        """The different items, in the order in which they come first."""
        if isinstance(value, str | bytes | bytearray) or not isinstance(value, Collection):
            raise LocalError("a list or set of texts was expected")
        items = tuple(dict.fromkeys(_item(each) for each in cast("Collection[object]", value)))
        most = _dimension(self.most, params)
        if len(items) > most:
            raise LocalError(f"at most {most} items are agreed on, and this list has {len(items)}")
        return items

    def parse(self, texts: Sequence[str], params: Any) -> object:
        return list(texts)


def _item(value: object) -> str:
    if not isinstance(value, str):
        raise LocalError(
            f"an item is text, not {type(value).__name__}; write numbers as the other owner writes them"
        )
    item = unicodedata.normalize("NFC", value.strip())
    if not item:
        raise LocalError("an item is empty")
    try:
        item.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise LocalError("an item is no valid Unicode text") from None
    return item


def _number(bound: Bound, params: Any) -> int:
    return int(getattr(params, bound)) if isinstance(bound, str) else bound


def _dimension(dimension: Dimension, params: Any) -> int:
    if isinstance(dimension, int):
        return dimension
    value: object = getattr(params, dimension)
    return value if isinstance(value, int) else len(value)  # type: ignore[arg-type]


def _int_word(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise LocalError("a whole number was expected") from None


def _int_array(value: object) -> NDArray[np.int64]:
    array: NDArray[Any] = (
        np.asarray(value, np.object_) if isinstance(value, int | list | tuple) else np.asarray(value)
    )
    if array.dtype.kind == "O":
        items = array.reshape(-1).tolist()
        if not all(isinstance(item, int | np.integer) and not isinstance(item, bool) for item in items):
            raise LocalError("whole numbers were expected")
        if not all(-(2**63) <= item < 2**63 for item in items):
            raise RangeError("a value needs more than 64 bits")
        return array.astype(np.int64)
    if array.dtype.kind not in "iu" and array.size:
        kind = {"U": "text", "S": "bytes", "b": "truth values", "f": "floats"}.get(array.dtype.kind, "others")
        raise LocalError(f"whole numbers were expected, not {kind}")
    if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
        raise RangeError("a value needs more than 64 bits")
    return array.astype(np.int64)


def _checked(array: NDArray[np.int64], shape: tuple[int, ...], limits: tuple[int, int]) -> NDArray[np.int64]:
    low, high = limits
    if array.shape != shape:
        wanted = f"{math.prod(shape)} values of shape {shape} were" if shape else "one value was"
        given = f"an array of shape {array.shape}" if array.shape else "a single value"
        raise LocalError(f"{wanted} expected, not {given}")
    if array.size and (int(array.min()) < low or int(array.max()) > high):
        raise RangeError(f"a value lies outside the agreed range [{low}, {high}]")
    return array


def _shaped(items: list[Any], shape: tuple[int, ...]) -> object:
    if len(items) != math.prod(shape):
        raise LocalError(f"{math.prod(shape)} values were expected, not {len(items)}")
    array = np.empty(len(items), np.object_)
    array[:] = items
    return array.reshape(shape)
