"""Choices among texts that all parties have agreed on: one option, shared; or a list of labels, local."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.declare.inputs.local import EDGE_ROWS, Local
from mpcnet.declare.inputs.sampling import Chooser
from mpcnet.declare.inputs.shared import Shared
from mpcnet.declare.inputs.texts import look_alikes, normal
from mpcnet.declare.inputs.values import column, each
from mpcnet.declare.parameters import Limits, Texts, named_in, texts_of
from mpcnet.errors import LocalError
from mpcnet.wire.canonical import Plain

__all__ = ("Choice", "LocalLabels")

_MAX_SHOWN = 20
_MAX_TEXTS = 4096
"""What a list of a structured message holds."""


@dataclass(frozen=True, kw_only=True)
class Choice(Shared):
    """One of several options, shared as a one-hot row.

    Args:
        options: what there is to choose from.
    """

    kind: ClassVar[str] = "choice"
    range: Limits = (0, 1)
    options: Texts = "options"

    def row_shape(self, params: Any) -> tuple[int, ...]:
        """See `Shared.row_shape`."""
        return (len(texts_of(self.options, params)),)

    def several(self, params: Any) -> bool:
        """See `Declaration.several`."""
        return False

    def parse(self, texts: Sequence[str], params: Any) -> str:
        """See `Declaration.parse`."""
        if len(texts) != 1:
            raise LocalError(f"one option was expected, not {len(texts):,}")
        return normal(texts[0])

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """See `Shared.convert`."""
        options = texts_of(self.options, params)
        places = _places(options)
        if not isinstance(value, str) or normal(value) not in places:
            raise LocalError(f"one of these was expected: {_listed(options)}")
        row = np.zeros(len(options), np.int64)
        row[places[normal(value)]] = 1
        return row

    def value_of(self, number: int, params: Any) -> str:
        """The option in this place: a choice has no elements of its own."""
        return texts_of(self.options, params)[number]

    def sample(self, params: Any, choose: Chooser) -> str:
        """See `Declaration.sample`."""
        return choose.one_of(texts_of(self.options, params))

    def edges(self, params: Any) -> tuple[object, object]:
        """See `Declaration.edges`."""
        options = texts_of(self.options, params)
        return options[0], options[-1]

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        if params is None:
            return f"one of {_declared(self.options)}"
        options = texts_of(self.options, params)
        return f"one of {len(options):,}: {_listed(options)}"

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        return {**super().describe(params), "options": list(texts_of(self.options, params))}

    def is_missing(self, text: str, params: Any) -> bool:
        """See `Declaration.is_missing`. An option that looks like a mark is an option."""
        return super().is_missing(text, params) and text.strip() not in texts_of(self.options, params)

    def check_params(self, params: Any) -> None:
        """See `Declaration.check_params`."""
        super().check_params(params)
        _check_texts(texts_of(self.options, params))

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from super().named_parameters()
        yield from named_in(self.options, texts=True)


@dataclass(frozen=True, kw_only=True)
class LocalLabels(Local):
    """Labels from an agreed list that stay with their owner, as many as it has.

    Args:
        labels: the list.
    """

    kind: ClassVar[str] = "local-labels"
    labels: Texts

    def parse(self, texts: Sequence[str], params: Any) -> list[str]:
        """See `Declaration.parse`."""
        return each(texts, normal)

    def check(self, value: object, params: Any) -> tuple[str, ...]:
        """The labels, in their order."""
        value = column(value)
        if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
            raise LocalError("a list of labels was expected")
        words = [str(item) for item in cast("Sequence[object]", value)]
        most = self.max_rows(params)
        if len(words) > most:
            raise LocalError(f"a list of at most {most:,} labels was expected, not one of {len(words):,}")
        labels = texts_of(self.labels, params)
        places = _places(labels)

        def find(word: str) -> str:
            place = places.get(normal(word))
            if place is None:
                raise LocalError(f"a label is none of these: {_listed(labels)}")
            return labels[place]

        return tuple(each(words, find))

    def sample(self, params: Any, choose: Chooser) -> list[str]:
        """See `Declaration.sample`."""
        labels = texts_of(self.labels, params)
        return [labels[place] for place in choose.places(len(labels), self.max_rows(params))]

    def edges(self, params: Any) -> tuple[object, object]:
        """See `Declaration.edges`."""
        labels = texts_of(self.labels, params)
        most = self.max_rows(params)
        return [labels[0]] * min(most, 1), [labels[-1]] * min(most, EDGE_ROWS)

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        if params is None:
            return f"{self._at_most(params)} labels, each one of {_declared(self.labels)}"
        return f"{self._at_most(params)} labels, each one of: {_listed(texts_of(self.labels, params))}"

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        return {**super().describe(params), "labels": list(texts_of(self.labels, params))}

    def is_missing(self, text: str, params: Any) -> bool:
        """See `Declaration.is_missing`. A label that looks like a mark is a label."""
        return super().is_missing(text, params) and text.strip() not in texts_of(self.labels, params)

    def check_params(self, params: Any) -> None:
        """See `Declaration.check_params`."""
        super().check_params(params)
        _check_texts(texts_of(self.labels, params))

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from super().named_parameters()
        yield from named_in(self.labels, texts=True)


def _places(texts: Sequence[str]) -> dict[str, int]:
    """The place of each text, by the form in which texts are compared."""
    return {normal(text): place for place, text in enumerate(texts)}


def _check_texts(texts: Sequence[str]) -> None:
    """Refuse options of which no vote could be told: too many for an agreement, or two that look the same."""
    if len(texts) > _MAX_TEXTS:
        raise LocalError(f"an agreement holds at most {_MAX_TEXTS:,} options or labels, not {len(texts):,}")
    for text in texts:
        if not normal(text):
            raise LocalError("an option or label is blank")
    if twins := look_alikes(texts):
        raise LocalError(f"two options or labels look the same: {twins[0]!a} and {twins[1]!a}")


def _listed(texts: Sequence[str]) -> str:
    """Texts for a sentence, which has an end."""
    more = len(texts) - _MAX_SHOWN
    return ", ".join(texts) if more <= 0 else f"{', '.join(texts[:_MAX_SHOWN])} and {more:,} more"


def _declared(reference: Texts) -> str:
    if callable(reference):
        return "those that the parameters give"
    return f"the {reference}" if isinstance(reference, str) else _listed(reference)
