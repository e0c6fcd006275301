"""Sum and mean of one number from each owner.

    every owner i                          every party
    value_i  ──secret-shared──▶  sum = value_1 + ... + value_n  ──revealed──▶  sum, mean

One online round when the owners compute. Reveals the sum and the count; from both follows the mean. A sum of two
tells each the other's value, so a minimum count is part of the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mpcnet import Decimals, Example, LocalError, Many, Party, protocol

__all__ = ("Outcome", "Rules", "average")

_LEAST_OWNERS = 3


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        low: the lowest value that an owner may give.
        high: the highest.
        minimum_count: fewer owners than this are refused; at least 3.
        places: how many decimal places a value may have; a value with more is refused, and never rounded.

    Raises:
        LocalError: the range is empty, or the minimum count is below 3.
    """

    low: int = 0
    high: int = 10_000_000
    minimum_count: int = _LEAST_OWNERS
    places: int = 0

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise LocalError("parameter 'low' is above parameter 'high'")
        if self.minimum_count < _LEAST_OWNERS:
            raise LocalError(f"parameter 'minimum_count' is at least {_LEAST_OWNERS}")


@dataclass(frozen=True)
class Outcome:
    """What every party learns.

    Args:
        sum: of all values; a whole number if no decimal places were agreed.
        mean: sum / count.
        count: how many owners gave a value.
    """

    sum: int | Fraction
    mean: Fraction
    count: int


def _explain(outcome: Outcome) -> str:
    total = outcome.sum
    shown = f"{total:,}" if isinstance(total, int) else f"{Decimal(total.numerator) / total.denominator:,}"
    mean = Decimal(outcome.mean.numerator) / outcome.mean.denominator  # a float would round numbers over 2^53
    return f"sum {shown}  average {mean:,.2f}  of {outcome.count} values"


def _check_job(rules: Rules, roles: Mapping[str, Sequence[str]]) -> None:
    count = len(roles["owners"])
    if count < rules.minimum_count:
        raise LocalError(
            f"an average of {count} would tell too much about each; the minimum is {rules.minimum_count}"
        )
    if count * max(abs(rules.low), abs(rules.high)) * 10**rules.places >= 2**63:
        raise LocalError(f"the sum of {count} values could leave 64 bits: take a smaller range or fewer 'places'")


@protocol(
    "average",
    version=1,
    params=Rules,
    roles={"owners": Many(_LEAST_OWNERS)},
    inputs={
        "value": Decimals(
            by="owners", range=("low", "high"), places="places", help="your number, for example your raise"
        )
    },
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
    check_job=_check_job,
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
        LocalError: fewer owners than the minimum count, or a sum that could leave 64 bits; found out before any
            link is up.
    Source: [CDN15] §3, secure summation.
    """
    count = len(party.roles["owners"])
    out = await party.reveal(sum=party.share("value").sum())
    total: Fraction = out.exact("sum")
    return Outcome(total if party.params.places else int(total), total / count, count)
