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


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        low, high: lowest and highest value that an owner may give.
        minimum_count: fewer owners than this are refused; at least 3.
    """

    low: int = 0
    high: int = 10_000_000
    minimum_count: int = 3


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
    roles={"owners": Many(2)},
    inputs={"value": Ints(by="owners", range=("low", "high"), help="your number, for example your raise")},
    outputs={"sum": "everyone"},
    example=Example(
        params=Rules(),
        roles={"owners": ("alice", "bob", "carol", "dave")},
        inputs={"alice": {"value": ["3800"]}, "bob": {"value": ["2514"]}, "carol": {"value": ["2982"]}, "dave": {"value": ["3390"]}},
    ),
    explain=_explain,
)
async def average(party: Party[Rules]) -> Outcome:
    """Sum and mean of one number from each owner; no single number is revealed.

    Everyone learns: the sum, the count, and with them the mean. Whoever knows all values but one learns that one.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    Inputs may be untrue; each lies within the agreed range.
    Rounds: 1 if the owners compute, else 2.

    Raises:
        LocalError: fewer owners than the minimum count.
    Source: [CDN15] §3, secure summation.
    """
    count = len(party.roles["owners"])
    minimum = max(3, party.params.minimum_count)
    if count < minimum:
        raise LocalError(f"an average of {count} would tell too much about each; the minimum is {minimum}")
    total = party.share("value").sum()
    out = await party.reveal(sum=total)
    return Outcome(int(out["sum"]), Fraction(int(out["sum"]), count), count)
