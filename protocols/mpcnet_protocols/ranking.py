"""Who stands at one place of an order by confidential scores.

    every owner i                                 the askers
    score_i  ──secret-shared──▶  scores
                                   │ compared all with all
                                 index at the place  ──revealed──▶  whose score it is

Only the askers receive the index; the score itself, and all other places, are never opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mpcnet import Example, Ints, LocalError, Many, Party, Secret, protocol, top

__all__ = ("Outcome", "Rules", "ranking")


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        place: which place is told, counted from 1, the highest score.
        low: the lowest score that an owner may give.
        high: the highest.

    Raises:
        LocalError: the range is empty, or there is no such place.
    """

    place: int = 1
    low: int = 0
    high: int = 10_000_000

    def __post_init__(self) -> None:
        if self.place < 1:
            raise LocalError("parameter 'place' counts from 1")
        if self.low > self.high:
            raise LocalError("parameter 'low' is above parameter 'high'")


@dataclass(frozen=True)
class Outcome:
    """What a party learns.

    Args:
        name: who stands at the place; None for those who do not ask.
        place: counted from 1, the highest score.
        owners: how many gave a score.
        askers: who learns the name.
    """

    name: str | None
    place: int
    owners: int
    askers: tuple[str, ...]


def _explain(outcome: Outcome) -> str:
    where = f"place {outcome.place} of {outcome.owners}"
    if outcome.name is None:
        return f"nothing: {where} is told to {', '.join(outcome.askers)}"
    return f"{where}: {outcome.name}"


def _index_at(scores: Secret, place: int) -> Secret:
    """The index of the score at this place, which is counted from the nearer end: that takes fewer comparisons."""
    count = len(scores)
    if 2 * place <= count + 1:
        return top(scores, place).indices[place - 1]
    # Backwards and negated, equals change their order too: the last of them is then the first.
    backwards = top(-scores[::-1], count + 1 - place).indices[count - place]
    return count - 1 - backwards


def _check_place(rules: Rules, roles: Mapping[str, Sequence[str]]) -> None:
    owners = len(roles["owners"])
    if rules.place > owners:
        raise LocalError(f"parameter 'place': there is no place {rules.place} among {owners} owners")


@protocol(
    "ranking",
    version=1,
    params=Rules,
    roles={"owners": Many(2), "askers": Many(1)},
    inputs={"score": Ints(by="owners", range=("low", "high"), help="the score by which you are ranked")},
    outputs={"index": "askers"},
    example=Example(
        params=Rules(place=2),
        roles={"owners": ("alice", "bob", "carol", "dave"), "askers": ("board",)},
        inputs={
            "alice": {"score": ["3800"]},
            "bob": {"score": ["2514"]},
            "carol": {"score": ["2982"]},
            "dave": {"score": ["3390"]},
        },
        dealer="dora",
    ),
    explain=_explain,
    check_job=_check_place,
)
async def ranking(party: Party[Rules]) -> Outcome:
    """Who stands at one place of an order by confidential scores; not the score, and no other place.

    The highest score has place 1; ties go to the owner who stands first in the job. Who asks is part of the job:
    one party, some of the owners, or everyone.

    Leaks:
        - The askers learn whose score is at the place. An asker that gives a score learns what follows from its
          own.
        - The others learn nothing but that the askers were told.
        - Neither learns whether two scores are equal.
        - Number and names of the owners are public, as are the askers and the place.
        - Runs for all places tell the whole order.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    The dealer alone learns nothing of the scores; together with one computing party it learns all of them. Scores
    may be untrue.
    Rounds: 8 for 4 owners who compute, 10 for 100, and more for over 128 (compared in groups); one more if they do
    not compute.

    Raises:
        LocalError: there are fewer owners than places; found out before any link is up.
    Source: the order as in `mpcnet.dsl.selection`; comparisons [Rabbit21].
    """
    rules, owners, askers = party.params, party.roles["owners"], party.roles["askers"]
    out = await party.reveal(index=_index_at(party.share("score"), rules.place))
    name = owners[int(out["index"])].name if party.me in askers else None
    return Outcome(name, rules.place, len(owners), tuple(asker.name for asker in askers))
