"""Tables with a row for each party."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

__all__ = ("party_table",)


def party_table(columns: Sequence[str]) -> Table:
    """An empty table with a row for each party."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        # Names stay whole; addresses and keys are broken rather than cut where the terminal is narrow.
        table.add_column(column, no_wrap=place == 0, overflow="fold", style="cyan" if place == 0 else "")
    return table
