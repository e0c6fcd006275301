"""What somebody should think about before agreeing to a job; told by `mpcnet explain` and `mpcnet doctor`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from mpcnet.cli.formatting import listed
from mpcnet.declare.plan import Plan

__all__ = ("givers_of", "risks", "some_of")

_FEW = 3
"""So many or fewer who give inputs: a result tells much about each."""
_SHORT_SECONDS = 30
_MANY = 12


def risks(plan: Plan[Any, Any], *, of_roster: bool) -> list[str]:
    """What somebody should think about before agreeing.

    Args:
        of_roster: the plan's roster is the real one, whose addresses mean something.
    """
    names, job = plan.parties.names, plan.job
    found: list[str] = []
    if not plan.scheme.private:
        found.append(
            f"The scheme '{plan.scheme.name}' protects nothing: it is for simulations, and mpcnet run refuses it."
        )
    givers = givers_of(plan)
    if job.protocol.shares_secrets and job.protocol.outputs and len(givers) <= _FEW:
        found.append(_few(len(givers)))
    computing = set(plan.parties.computing)
    if job.protocol.shares_secrets and plan.scheme.private and not givers & computing:
        trusted = some_of([names[index] for index in sorted(computing)])
        found.append(f"None of those who give inputs computes: they trust that {trusted} do not all collude.")
    if job.deadline_seconds < _SHORT_SECONDS:
        found.append(f"All must start within {job.deadline_seconds:g} s: by hand that is little.")
    return found + (_neighbours(plan) if of_roster else [])


def _few(givers: int) -> str:
    match givers:
        case 1:
            return "Only one party gives inputs: a result may tell all of them."
        case 2:
            return "Only two give inputs: whoever of them learns a result can often work out the other's."
        case _:
            return f"Only {givers} give inputs: all but one of them together can often work out that one's."


def _neighbours(plan: Plan[Any, Any]) -> list[str]:
    """Parties that must not collude, on one machine: whoever runs it sees what they see."""
    at: dict[str, list[str]] = defaultdict(list)
    for index in {*plan.parties.computing, *(() if plan.dealer is None else (plan.dealer,))}:
        member = plan.roster.by_index(index)
        at[member.host].append(member.name + (" (who deals)" if index == plan.dealer else ""))
    return [
        f"{some_of(sorted(names))} have one address, {host}: whoever runs that machine sees what they all see."
        for host, names in sorted(at.items())
        if len(names) > 1 and not _is_trial(host)
    ]


def _is_trial(host: str) -> bool:
    """Whether all are one: a trial on this machine, where nobody is to be kept apart."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def givers_of(plan: Plan[Any, Any]) -> set[int]:
    """Roster indices of those who give inputs."""
    return {member.index for item in plan.job.protocol.inputs.values() for member in plan.roles[item.by]}


def some_of(names: Sequence[str]) -> str:
    """Names for a sentence, which becomes no longer than that."""
    return listed(names) if len(names) <= _MANY else f"{names[0]}, {names[1]} and {len(names) - 2:,} more"
