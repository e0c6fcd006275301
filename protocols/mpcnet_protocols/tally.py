"""Votes per option.

    every voter i                              every party
    one-hot row of its option  ──shared──▶  sum of the rows  ──revealed──▶  votes per option

One online round when the voters compute. The counts are revealed, and nothing else: not who won by a secret rule,
not who voted for what. A unanimous vote tells every voter's choice, as any announced count would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mpcnet import Choice, Example, LocalError, Many, MpcnetError, Party, protocol

__all__ = ("Outcome", "Rules", "tally")

_LEAST_VOTERS = 3
_MAX_OPTIONS = 4000
"""The agreement holds 4,096 of anything."""


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        options: what a voter may vote for; at least two, all different.
        minimum_voters: fewer voters than this are refused; at least 3.

    Raises:
        LocalError: the options or the minimum are not as said.
    """

    options: tuple[str, ...]
    minimum_voters: int = _LEAST_VOTERS

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= _MAX_OPTIONS:
            raise LocalError(f"parameter 'options' lists 2 to {_MAX_OPTIONS} options, not {len(self.options)}")
        if len(set(self.options)) != len(self.options):
            raise LocalError("parameter 'options' lists an option twice")
        if not all(option and option == option.strip() and option.isprintable() for option in self.options):
            raise LocalError(
                "parameter 'options' lists an option that is empty, not printable or begins or ends blank"
            )
        if self.minimum_voters < _LEAST_VOTERS:
            raise LocalError(f"parameter 'minimum_voters' is at least {_LEAST_VOTERS}")


@dataclass(frozen=True)
class Outcome:
    """What every party learns.

    Args:
        votes: by option, in the agreed order.
        voters: how many voted.
    """

    votes: dict[str, int]
    voters: int

    @property
    def leaders(self) -> tuple[str, ...]:
        """The options with the most votes; several in a tie."""
        most = max(self.votes.values())
        return tuple(option for option, count in self.votes.items() if count == most)


def _explain(outcome: Outcome) -> str:
    width = max(map(len, outcome.votes))
    digits = len(str(outcome.voters))
    lines = [f"{option:<{width}}  {count:>{digits}}" for option, count in outcome.votes.items()]
    lead = "tie" if len(outcome.leaders) > 1 else "most votes"
    return "\n".join([*lines, f"{lead}: {', '.join(outcome.leaders)}  ({outcome.voters} voters)"])


def _check_voters(rules: Rules, roles: Mapping[str, Sequence[str]]) -> None:
    voters = len(roles["voters"])
    if voters < rules.minimum_voters:
        raise LocalError(
            f"a tally of {voters} would tell too much about each vote; the minimum is {rules.minimum_voters}"
        )


@protocol(
    "tally",
    version=1,
    params=Rules,
    roles={"voters": Many(_LEAST_VOTERS)},
    inputs={"vote": Choice(by="voters", options="options", help="the option that you vote for")},
    outputs={"votes": "everyone"},
    example=Example(
        params=Rules(options=("pizza", "ramen", "tacos")),
        roles={"voters": ("alice", "bob", "carol", "dave", "erin")},
        inputs={
            "alice": {"vote": ["ramen"]},
            "bob": {"vote": ["tacos"]},
            "carol": {"vote": ["ramen"]},
            "dave": {"vote": ["pizza"]},
            "erin": {"vote": ["ramen"]},
        },
    ),
    explain=_explain,
    check_job=_check_voters,
)
async def tally(party: Party[Rules]) -> Outcome:
    """Votes per option; who voted for what stays secret.

    Leaks:
        - Everyone learns the count of each option, and how many voted.
        - A party that knows all votes but one learns that one.
        - Two runs whose voters differ by one reveal that voter's vote.
        - A unanimous vote reveals every vote.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    Semi-honest means here: nothing proves that a vote is one vote. A voter that runs another program can give three
    to one option and minus two to another. Only what shows in the counts is refused: they must not be negative, and
    must add up to the number of voters.
    Rounds: 1 if the voters compute, else 2.

    Raises:
        LocalError: fewer voters than the minimum.
        MpcnetError: the counts show that a voter gave something else than one vote.
    Source: [CDN15] §3, secure summation of one-hot rows.
    """
    rules, voters = party.params, len(party.roles["voters"])
    out = await party.reveal(votes=party.share("vote").sum(axis=0))
    votes = {option: int(count) for option, count in zip(rules.options, out["votes"], strict=True)}
    if sum(votes.values()) != voters or min(votes.values()) < 0:
        raise MpcnetError(f"the votes do not add up to {voters} voters: a voter gave something else than one vote")
    return Outcome(votes, voters)
