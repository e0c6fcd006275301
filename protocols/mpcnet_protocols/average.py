"""Sum and mean of one number from each owner.

    every owner i                          every party
    value_i  ──secret-shared──▶  sum = value_1 + ... + value_n  ──revealed──▶  sum, mean

One online round when the owners compute. Reveals the sum and the count; from both follows the mean. A sum of two
tells each the other's value, so a minimum count is part of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mpcnet import Example, Ints, LocalError, Many, Party, protocol

__all__ = ("Outcome", "Rules", "average")

_LEAST_OWNERS = 3


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        low: the lowest value that an owner may give.
        high: the highest.
        minimum_count: fewer owners than this are refused; at least 3.

    Raises:
        LocalError: the range is empty, or the minimum count is below 3.
    """

    low: int = 0
    high: int = 10_000_000
    minimum_count: int = _LEAST_OWNERS

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise LocalError("parameter 'low' is above parameter 'high'")
        if self.minimum_count < _LEAST_OWNERS:
            raise LocalError(f"parameter 'minimum_count' is at least {_LEAST_OWNERS}")


@dataclass(frozen=True)
class Outcome:
    """What every party learns."""

    sum: int
    mean: Fraction
    count: int


def _explain(outcome: Outcome) -> str:
    return f"sum {outcome.sum:,}  average {float(outcome.mean):,.2f}  of {outcome.count} values"


@protocol(
    "average",
    version=1,
    params=Rules,
    roles={"owners": Many(_LEAST_OWNERS)},
    inputs={"value": Ints(by="owners", range=("low", "high"), help="your number, for example your raise")},
    outputs={"sum": "everyone"},
    example=Example(
        params=Rules(),
        roles={"owners": ("alice", "bob", "carol", "dave")},
        inputs={
            "alice": {"value": ["3800"]},
            "bob": {"value": ["2514"]},
            "carol": {"value": ["2982"]},
            "dave": {"value": ["3390"]},
        },
    ),
    explain=_explain,
)
async def average(party: Party[Rules]) -> Outcome:
    """Sum and mean of one number each; no single number is revealed.

    Leaks:
        - Everyone learns the sum and the count, and with them the mean.
        - A party that knows all values but one learns that one.
        - Two runs whose owners differ by one reveal that owner's value.
        - A sum at an end of its range reveals all values.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    Inputs may be untrue; each lies within the agreed range.
    Rounds: 1 if the owners compute, else 2.

    Raises:
        LocalError: fewer owners than the minimum count.
    Source: [CDN15] §3, secure summation.
    """
    count = len(party.roles["owners"])
    if count < party.params.minimum_count:
        raise LocalError(
            f"an average of {count} would tell too much about each; the minimum is {party.params.minimum_count}"
        )
    total = party.share("value").sum()
    out = await party.reveal(sum=total)
    return Outcome(int(out["sum"]), Fraction(int(out["sum"]), count), count)
