"""What a job means, as data: who gives, computes, learns, must collude to learn more, and what to consider.

Everything follows from the job, its plan, and the protocol's declaration and docstring. Nothing is run; what a job
costs is found out by `mpcnet.sim.dry_run`. The words are those of its teller, such as `mpcnet explain`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpcnet.declare.description import describe
from mpcnet.declare.job import Job
from mpcnet.declare.plan import Plan, first_plan
from mpcnet.declare.risks import Risk, givers_of, risks_of
from mpcnet.identity import Roster

__all__ = ("Collusion", "Explanation", "Gift", "Learning", "explain")


@dataclass(frozen=True, slots=True)
class Gift:
    """What the members of a role give.

    Args:
        parties: their names.
        role: theirs.
        input: its name; empty if they give nothing.
        phrase: what it is, with the numbers of this job: "a whole number from 0 to 100".
        help: the declaration's words for the party that is asked for it.
    """

    parties: tuple[str, ...]
    role: str
    input: str = ""
    phrase: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Learning:
    """Who receives an output.

    Args:
        parties: their names; empty if no party does.
        by_row: each receives its own row of it, and no other.
    """

    parties: tuple[str, ...]
    by_row: bool


@dataclass(frozen=True, slots=True)
class Collusion:
    """Which parties could put together what they see and learn more than the results.

    Args:
        scheme: the scheme's name; empty where the protocol has cryptography of its own and shares no secret out.
        private: whether the scheme hides anything at all.
        model: the scheme's: "semi-honest".
        computing: the computing parties, any `tolerated` of which together learn nothing more.
        tolerated: how many; one more learns every input.
        dealer: the dealer, which together with any computing party learns every input.
        threat: the threat model in the protocol's own words, or nothing.
    """

    scheme: str
    private: bool
    model: str
    computing: tuple[str, ...]
    tolerated: int
    dealer: str | None
    threat: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about a job.

    Args:
        label, protocol, version: the job's label, its protocol's name and version.
        summary: what the protocol computes, in its own words.
        gives: who gives what.
        computes: the computing parties.
        deals: the dealer, if there is one.
        listens: the parties that neither give nor compute.
        deadline_seconds: for the whole job.
        learns: by output, who receives it.
        leaks: what each party learns beyond its own input, in the protocol's own words.
        params: by name, the parameters, which all parties see.
        collusion: who must act together to learn more.
        risks: what to consider.
    """

    label: str
    protocol: str
    version: int
    summary: str
    gives: tuple[Gift, ...]
    computes: tuple[str, ...]
    deals: str | None
    listens: tuple[str, ...]
    deadline_seconds: float
    learns: Mapping[str, Learning]
    leaks: tuple[str, ...]
    params: Mapping[str, object]
    collusion: Collusion
    risks: tuple[Risk, ...]


def explain(job: Job[Any, Any], roster: Roster | None = None) -> Explanation:
    """What a job means.

    Args:
        roster: the real one, if it is there: it must have the job's parties, and their addresses are looked at.

    Raises:
        LocalError: the job contradicts itself, or the roster has not all of its parties.
    """
    plan = first_plan(job, roster)
    names, told = plan.parties.names, describe(job.protocol)
    busy = givers_of(plan) | {*plan.parties.computing}
    return Explanation(
        label=job.label,
        protocol=job.protocol.name,
        version=job.protocol.version,
        summary=told.summary,
        gives=_gives(job),
        computes=tuple(names[index] for index in plan.parties.computing),
        deals=job.dealer,
        listens=tuple(names[index] for index in plan.parties.everyone if index not in busy),
        deadline_seconds=job.deadline_seconds,
        learns={
            output: Learning(tuple(names[index] for index in plan.receivers(output)), receivers.by_row)
            for output, receivers in plan.outputs.items()
        },
        leaks=told.leaks,
        params={item.name: getattr(job.params, item.name) for item in dataclasses.fields(job.params)},
        collusion=_collusion(plan, told.threat),
        risks=risks_of(plan, of_roster=roster is not None),
    )


def _gives(job: Job[Any, Any]) -> tuple[Gift, ...]:
    found: list[Gift] = []
    for role, members in job.roles.items():
        parties, inputs = tuple(members), job.protocol.asked_of(role)
        found += [
            Gift(parties, role, name, item.phrase(job.params), item.help) for name, item in inputs.items()
        ] or [Gift(parties, role)]
    return tuple(found)


def _collusion(plan: Plan[Any, Any], threat: str) -> Collusion:
    computing = tuple(plan.parties.names[index] for index in plan.parties.computing)
    return Collusion(
        scheme=plan.scheme.name if plan.job.protocol.shares_secrets else "",
        private=plan.scheme.private,
        model=plan.scheme.threat.model,
        computing=computing,
        tolerated=plan.scheme.threat.tolerates(len(computing)),
        dealer=plan.job.dealer,
        threat=threat,
    )
