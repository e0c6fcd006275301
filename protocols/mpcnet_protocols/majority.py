"""Whether enough voters say yes: one bit, and no count.

    every voter i                                 every party
    yes or no  ──secret-shared──▶  yeses = their sum
                                     │ compared with the votes that are needed
                                   yeses >= needed  ──revealed──▶  passed or not

The count exists only in shares. It is compared in as few bits as it needs: 3 for 5 voters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from mpcnet import Choice, Example, LocalError, Many, Party, protocol

__all__ = ("Outcome", "Rules", "majority")

_LEAST_VOTERS = 3
_FRACTION = re.compile(r"([0-9]{1,9})/([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        threshold: the share of the voters that must say yes, as a fraction such as 1/2 or 2/3; exactly so many
            pass.
        votes: how many must say yes, instead of a share of them.
        minimum_voters: fewer voters than this are refused; at least 3.

    Raises:
        LocalError: a parameter is not as said.
    """

    threshold: str = "1/2"
    votes: int | None = None
    minimum_voters: int = _LEAST_VOTERS

    answers: ClassVar[tuple[str, ...]] = ("yes", "no")

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise LocalError("parameter 'threshold' is a fraction above 0/1 and at most 1/1")
        if self.votes is not None and self.votes < 1:
            raise LocalError("parameter 'votes' is at least 1")
        if self.minimum_voters < _LEAST_VOTERS:
            raise LocalError(f"parameter 'minimum_voters' is at least {_LEAST_VOTERS}")

    @property
    def share(self) -> Fraction:
        """The threshold as a number."""
        match = _FRACTION.fullmatch(self.threshold)
        if match is None:
            raise LocalError("parameter 'threshold' is a fraction such as 1/2 or 2/3")
        return Fraction(int(match[1]), int(match[2]))

    def needed(self, voters: int) -> int:
        """How many of so many voters must say yes.

        Raises:
            LocalError: more than there are.
        """
        if self.votes is not None and self.votes > voters:
            raise LocalError(f"parameter 'votes' asks for {self.votes} votes of {voters} voters")
        share = self.share
        return self.votes or -(-share.numerator * voters // share.denominator)


@dataclass(frozen=True)
class Outcome:
    """What every party learns.

    Args:
        passed: whether at least `needed` voters said yes.
        needed: how many had to.
        voters: how many voted.
    """

    passed: bool
    needed: int
    voters: int


def _explain(outcome: Outcome) -> str:
    verdict = "yes" if outcome.passed else "no"
    compared = "at least" if outcome.passed else "fewer than"
    return f"{verdict}: {compared} {outcome.needed} of {outcome.voters} voters said yes"


def _check_voters(rules: Rules, roles: Mapping[str, Sequence[str]]) -> None:
    voters = len(roles["voters"])
    if voters < rules.minimum_voters:
        raise LocalError(
            f"a vote of {voters} would tell too much about each; the minimum is {rules.minimum_voters}"
        )
    rules.needed(voters)


@protocol(
    "majority",
    version=1,
    params=Rules,
    roles={"voters": Many(_LEAST_VOTERS)},
    inputs={"vote": Choice(by="voters", options="answers", help="yes or no")},
    outputs={"passed": "everyone"},
    example=Example(
        params=Rules(),
        roles={"voters": ("alice", "bob", "carol", "dave", "erin")},
        inputs={
            "alice": {"vote": ["yes"]},
            "bob": {"vote": ["no"]},
            "carol": {"vote": ["yes"]},
            "dave": {"vote": ["no"]},
            "erin": {"vote": ["yes"]},
        },
        dealer="dora",
    ),
    explain=_explain,
    check_job=_check_voters,
)
async def majority(party: Party[Rules]) -> Outcome:
    """Whether at least half say yes, or another share; not how many.

    Exactly the threshold passes: with 1/2, two of four.

    Leaks:
        - Everyone learns one bit, and what it implies.
        - A party that knows all votes but one learns that one if it decides.
        - If all votes are needed and the vote passes, or one is needed and it does not, everyone knows every vote.
        - The number of voters and their names are public.
        - Two runs whose voters differ by one can tell that voter's vote.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    The dealer alone learns nothing of the votes; together with one computing party it learns all of them.
    Semi-honest means here: nothing proves that a vote is one vote, and since no count is opened, nothing shows it
    either.
    Rounds: 2 for 5 voters who compute, 3 for 40; one more if they do not compute: then they send 16 bytes each, and
    only wait for the outcome.

    Raises:
        LocalError: fewer voters than the minimum, or than the votes that are needed; found out before any link is
            up.
    Source: [CDN15] §3 for the sum, [Rabbit21] for the comparison.
    """
    rules, voters = party.params, len(party.roles["voters"])
    needed = rules.needed(voters)
    yeses = party.share("vote")[:, rules.answers.index("yes")].sum()
    out = await party.reveal(passed=yeses >= needed)
    return Outcome(bool(out["passed"]), needed, voters)
