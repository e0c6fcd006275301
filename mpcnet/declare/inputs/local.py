"""Inputs that stay with their owner, which decides how many rows they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mpcnet.declare.inputs.base import Declaration
from mpcnet.declare.parameters import Number, named_in, number_of, number_text
from mpcnet.errors import LocalError
from mpcnet.wire.canonical import Plain

__all__ = ("Local",)

MAX_LOCAL_ROWS = 10_000_000
EDGE_ROWS = 8
"""Rows of a value at the high end of its range: more would show nothing else."""


@dataclass(frozen=True, kw_only=True)
class Local(Declaration):
    """A list that stays with its owner; a protocol derives shared inputs from it, or has cryptography of its own.

    Args:
        most: how many rows there may be.
    """

    is_open_ended: ClassVar[bool] = True
    most: Number = MAX_LOCAL_ROWS

    def max_rows(self, params: Any) -> int:
        """How many rows there may be."""
        return number_of(self.most, params)

    def describe(self, params: Any) -> Mapping[str, Plain]:
        """See `Declaration.describe`."""
        return {"kind": self.kind, "by": self.by, "most": self.max_rows(params)}

    def check_params(self, params: Any) -> None:
        """See `Declaration.check_params`."""
        if self.max_rows(params) < 0:
            raise LocalError("a list has no less than no rows")

    def named_parameters(self) -> Iterator[str]:
        """See `Declaration.named_parameters`."""
        yield from named_in(self.most)

    def _at_most(self, params: Any) -> str:
        return f"at most {number_text(self.most, params)}"
