"""Texts that stay with their owner, to be compared with those of others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from mpcnet.declare.inputs.local import Local
from mpcnet.declare.inputs.sampling import Chooser
from mpcnet.declare.inputs.texts import FORM, RULE, normal
from mpcnet.declare.inputs.values import column, each
from mpcnet.errors import LocalError
from mpcnet.wire.canonical import Plain

__all__ = ("LocalItems",)

_EDGE = ("ada", "ben", "Ben", " ben ", "two words", "Zo\u00eb", "Zoe\u0308")
"""Among them two spellings of one item, twice: with blanks around it, and composed otherwise."""


@dataclass(frozen=True, kw_only=True)
class LocalItems(Local):
    """A set of texts that stays with its owner, to be compared with others' sets.

    Two items are the same if their texts are, after white space around them is removed, Unicode brought into
    normal form C, and spaces of every width made plain ones: "Zoë" is one item, whichever of its two spellings a
    system writes. Nothing else is changed: case and the number of inner spaces count. Items with characters that do
    not show are refused. Numbers and dates are given as text, in a form on which the owners agree.

    Args:
        most: how many different items there may be.
    """

    kind: ClassVar[str] = "local-items"
    takes_any_text: ClassVar[bool] = True

    def parse(self, texts: Sequence[str], params: Any) -> list[str]:
        """See `Declaration.parse`."""
        return list(texts)

    def check(self, value: object, params: Any) -> tuple[str, ...]:
        """The different items, in the order in which they come first."""
        value = column(value)
        if isinstance(value, str | bytes | bytearray) or not isinstance(value, Collection):
            raise LocalError("a list or set of texts was expected")
        items = tuple(dict.fromkeys(each(list(cast("Collection[object]", value)), _item)))
        most = self.max_rows(params)
        if len(items) > most:
            raise LocalError(f"at most {most:,} items are agreed on, and this list has {len(items):,}")
        return items

    def sample(self, params: Any, choose: Chooser) -> list[str]:
        """Different items, of which another owner's sample has some too."""
        count = choose.rows(self.max_rows(params))
        items = [f"item {place}" for place in choose.different(count + count // 2 + 4, count)]
        return [self._spelled(item, choose) for item in items] if choose.varied else items

    def _spelled(self, item: str, choose: Chooser) -> str:
        return choose.one_of((item, item, f" {item}\t"))

    def edges(self, params: Any) -> tuple[object, object]:
        """See `Declaration.edges`."""
        return [], list(_EDGE[: self.max_rows(params)])

    def phrase(self, params: Any = None) -> str:
        """See `Declaration.phrase`."""
        return f"{self._at_most(params)} texts; {RULE}"

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        return {**super().describe(params), "form": FORM}


def _item(value: object) -> str:
    if not isinstance(value, str):
        raise LocalError(
            f"an item is text, not {type(value).__name__}; write numbers as the other owner writes them"
        )
    item = normal(value)
    if not item:
        raise LocalError("an item is empty")
    return item
