"""What `reveal` returns: the outputs that this party receives, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mpcnet.dsl import Secret, SecretBits
from mpcnet.errors import LocalError

T = TypeVar("T")

__all__ = ("Revealed", "opened")


def opened(outcome: T) -> T:
    """What a protocol's function returned, if it is no secret.

    Raises:
        LocalError: the protocol did not reveal it.
    """
    if isinstance(outcome, Secret | SecretBits):
        raise LocalError("the protocol returns a secret, which no party can read: await party.reveal(...) it first")
    return outcome


class Revealed(Mapping[str, Any]):
    """Outputs by name.

    `out["mean"]` is a numpy number or array: bool for bits, int64 for whole numbers, float64 where the output has a
    denominator (the nearest to the exact quotient). `out.exact("mean")` is the Fraction, or an array of them.
    What goes to others is not here: `"mean" in out` is False for them, and `out.get("mean")` is None.
    """

    def __init__(
        self,
        numerators: Mapping[str, NDArray[np.int64]],
        denominators: Mapping[str, int],
        bits: frozenset[str] = frozenset(),
    ) -> None:
        self._bits = bits
        self._numerators = dict(numerators)
        self._denominators = dict(denominators)

    def __getitem__(self, name: str) -> Any:
        values, denominator = self._lookup(name)
        if name in self._bits:
            return values.astype(np.bool_)[()]
        if denominator == 1:
            return values[()]
        quotients = np.empty(values.shape, np.float64)
        if values.size and max(abs(int(values.min())), abs(int(values.max())), denominator) > 2**53:
            # Operands that a float does not hold: Python divides integers exactly and rounds once.
            quotients.reshape(-1)[:] = [item / denominator for item in values.reshape(-1).tolist()]
        else:
            np.divide(values, denominator, out=quotients)
        return quotients[()]

    # Mapping's own `in` and `get` wait for a KeyError; ours is an error that ends the job.
    def __contains__(self, name: object) -> bool:
        return name in self._numerators

    def get(self, name: str, default: Any = None) -> Any:
        """As `out[name]`, or the default where the output does not go to us."""
        return self[name] if name in self._numerators else default

    def exact(self, name: str) -> Any:
        """The exact value: a Fraction for shape (), else an object array of Fractions."""
        values, denominator = self._lookup(name)
        if values.shape == ():
            return Fraction(int(values), denominator)
        exact = np.empty(values.shape, np.object_)
        exact.reshape(-1)[:] = [Fraction(item, denominator) for item in values.reshape(-1).tolist()]
        return exact

    def __iter__(self) -> Iterator[str]:
        return iter(self._numerators)

    def __len__(self) -> int:
        return len(self._numerators)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}: shape {values.shape}" for name, values in self._numerators.items())
        return f"Revealed({shapes})"

    def _lookup(self, name: str) -> tuple[NDArray[np.int64], int]:
        if name in self._numerators:
            return self._numerators[name], self._denominators[name]
        if name in self._denominators:
            raise LocalError(
                f"output '{name}' does not go to us: take out.get('{name}'), which is None at parties that do not "
                "receive it"
            )
        raise LocalError(f"there is no output '{name}' here; revealed were: {', '.join(self._denominators)}")
