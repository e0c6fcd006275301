"""The pool: correlated randomness of one fork of a job, each unit taken once.

It holds one tranche, which is filled in before the operations that use it are started. Operations take units in the
order in which they run, the same on all computing parties, so that shares of one unit meet.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpcnet.algebra import Words
from mpcnet.correlated.items import Demand, Item
from mpcnet.errors import LocalError

__all__ = ("Pool",)


@dataclass(slots=True, repr=False)
class _Stock:
    item: Item
    arrays: tuple[Words, ...]
    units: int
    spent: int = 0


class Pool:
    """One party's shares of correlated randomness. What was spent is forgotten; nothing is spent twice."""

    def __init__(self) -> None:
        self._stocks: dict[str, _Stock] = {}

    def __repr__(self) -> str:
        left = {key: stock.units - stock.spent for key, stock in self._stocks.items()}
        return f"Pool(units left: {left})"

    def put(self, item: Item, units: int, arrays: tuple[Words, ...]) -> None:
        """Fill in what a provider made of one type for a tranche.

        Args:
            arrays: our shares, in the order of `Item.arrays`.

        Raises:
            LocalError: there are units left of this type, of an earlier tranche.
        """
        if item.key in self._stocks:
            raise LocalError(f"there are {item.key} left of an earlier tranche")
        self._stocks[item.key] = _Stock(item, arrays, units)

    def spend(self, item: Item, units: int) -> tuple[Words, ...]:
        """The next units, which are ours to use once, as arrays in the order of `Item.arrays`.

        Raises:
            LocalError: fewer are left.
        """
        stock = self._stocks.get(item.key)
        if stock is None or stock.spent + units > stock.units:
            left = 0 if stock is None else stock.units - stock.spent
            raise LocalError(f"{units} units of {item.key} are needed and {left} are left")
        start, stock.spent = stock.spent, stock.spent + units
        cut = tuple(
            spec.cut(array, start, start + units) for spec, array in zip(item.arrays, stock.arrays, strict=True)
        )
        if stock.spent == stock.units:
            del self._stocks[item.key]
        return cut

    def drain(self) -> Demand:
        """Forget what is left of a tranche, and say how much it was: nothing, if demand was declared rightly.

        It is not kept for the next one: parties that do not compute would not know how much there is.
        """
        left = {stock.item: stock.units - stock.spent for stock in self._stocks.values()}
        self._stocks.clear()
        return left
