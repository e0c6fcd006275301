"""A job's plan: the job held against a roster, with its defaults filled in, as one of its parties sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mpcnet.correlated.dealer import DealerProvider
from mpcnet.correlated.provider import Provider
from mpcnet.declare.job import MAX_LABEL, Job
from mpcnet.declare.outputs import Delivery, Receivers
from mpcnet.declare.plugins import find_provider, find_scheme
from mpcnet.dsl import Range
from mpcnet.engine import Parties
from mpcnet.errors import LocalError, did_you_mean
from mpcnet.identity import Identity, Member, Roster
from mpcnet.schemes import Scheme

__all__ = ("NoPart", "Plan", "first_plan", "make_plan")

P = TypeVar("P")
T = TypeVar("T")

MAX_DEADLINE_SECONDS = 7 * 24 * 3600.0
_LABEL = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:/-]{{0,{MAX_LABEL - 1}}}")


class NoPart(LocalError):
    """The party that asks for the plan of a job does not take part in it."""


@dataclass(frozen=True, slots=True)
class Plan(Generic[P, T]):
    """A job that fits its roster: names are members, defaults are filled in.

    Args:
        me: ourselves.
        roles: by role, its members.
        parties: who computes, and who runs the program.
        participants: who takes part in the agreement: all who run the program, and the dealer; in roster order.
        peers: those of them with whom we agree and exchange messages: all others if we compute, else the computing
            parties.
        dealer: the dealer's roster index, if there is one.
        provider: makes correlated randomness, or None: then the program can do without or is refused.
        outputs: by name, who receives it, with the parameters of this job.
        deliveries: by name, what of it goes to whom.
    """

    job: Job[P, T]
    roster: Roster
    me: Member
    scheme: Scheme
    roles: Mapping[str, tuple[Member, ...]]
    parties: Parties
    participants: tuple[int, ...]
    peers: tuple[int, ...]
    dealer: int | None
    provider: Provider | None
    outputs: Mapping[str, Receivers]
    deliveries: Mapping[str, tuple[Delivery, ...]]

    @property
    def is_dealer(self) -> bool:
        """Whether we are the dealer, who does not run the program."""
        return self.me.index == self.dealer

    def my_inputs(self) -> tuple[str, ...]:
        """Names of the inputs that we give, without those that the protocol derives."""
        return tuple(
            name
            for name, declaration in self.job.protocol.inputs.items()
            if declaration.is_given and self.me in self.roles[declaration.by]
        )

    def check_inputs(self, inputs: Mapping[str, object]) -> dict[str, Any]:
        """Our inputs as the declarations' `check` returns them.

        Raises:
            LocalError: one is missing, is not ours, or does not fit its declaration.
        """
        wanted = self.my_inputs()
        if unknown := sorted(inputs.keys() - set(wanted)):
            raise LocalError(
                f"{self.me.name} gives no input '{unknown[0]}'; it gives: {', '.join(wanted) or 'none'}"
            )
        checked: dict[str, Any] = {}
        for name in wanted:
            if name not in inputs:
                raise LocalError(f"input '{name}' of {self.me.name} is missing")
            try:
                checked[name] = self.job.protocol.inputs[name].check(inputs[name], self.job.params)
            except LocalError as error:
                several = self.job.protocol.inputs[name].several(self.job.params)
                where = "" if error.row is None or not several else f", in row {error.row + 1:,}"
                raise type(error)(f"input '{name}' of {self.me.name}{where}: {error}", row=error.row) from None
        self.check_together(checked)
        return checked

    def check_together(self, checked: Mapping[str, Any]) -> None:
        """Hold our inputs against what the protocol says of them all.

        Args:
            checked: by input, what its declaration's `check` returned.

        Raises:
            LocalError: they do not fit each other.
        """
        if self.job.protocol.check is not None and checked:
            self.job.protocol.check(self.job.params, checked)

    def receivers(self, output: str) -> tuple[int, ...]:
        """Roster indices of the parties that receive an output, or a row of it, in order."""
        return tuple(sorted({party for delivery in self.deliveries[output] for party in delivery.receivers}))


def make_plan(job: Job[P, T], roster: Roster, me: Member) -> Plan[P, T]:
    """Check a job against a roster.

    Raises:
        LocalError: an unknown party, role, scheme or provider; too many or too few members.
        NoPart: we have none in it.
    """
    _check_scalars(job)
    members = {member.name: member for member in roster.members}
    roles = _members_by_role(job, members)
    scheme = find_scheme(job.scheme)
    computing = _computing(job, members, roles)
    scheme.check_parties(computing)
    everyone = tuple(sorted({member.index for members in roles.values() for member in members} | set(computing)))
    dealer = None if job.dealer is None else _dealer(job, members, everyone)
    participants = everyone if dealer is None else tuple(sorted((*everyone, dealer)))
    if me.index not in participants:
        raise NoPart(f"{me.name} has no part in job '{job.label}'")
    for name, declaration in job.protocol.inputs.items():
        try:
            declaration.check_params(job.params)
            if (sharing := declaration.sharing(job.params)) is not None:
                Range(sharing.low, sharing.high).check(scheme.numbers, "a party")
        except LocalError as error:
            raise LocalError(f"input '{name}': {error}") from None
    if job.protocol.check_job is not None:
        job.protocol.check_job(job.params, job.roles)
    outputs = {name: job.protocol.receivers(name, job.params) for name in job.protocol.outputs}
    # Parties that do not compute talk to the computing parties alone: a thousand bidders do not meet each other.
    reached = participants if me.index in computing else computing
    return Plan(
        job=job,
        roster=roster,
        me=me,
        scheme=scheme,
        roles=roles,
        parties=Parties(me.index, computing, everyone, {member.index: member.name for member in roster.members}),
        participants=participants,
        peers=tuple(party for party in reached if party != me.index),
        dealer=dealer,
        provider=_provider(job),
        outputs=outputs,
        deliveries={name: found.deliveries(roles, everyone) for name, found in outputs.items()},
    )


def first_plan(job: Job[P, T], roster: Roster | None = None) -> Plan[P, T]:
    """The plan of a job's first party: what does not fit its protocol is found out here.

    Args:
        roster: the real one; without it, names stand for themselves.

    Raises:
        LocalError: the job contradicts itself, or the roster has not all of its parties.
    """
    names = job.names
    if not names:
        raise LocalError("no party takes part in this job")
    if roster is None:
        # Stand-ins: a plan is held against a roster, and says nothing of keys and addresses.
        key = Identity.generate().public
        roster = Roster(
            tuple(Member(place, name, key, f"127.0.0.1:{1 + place}") for place, name in enumerate(names))
        )
    return make_plan(job, roster, roster.by_name(names[0]))


def _check_scalars(job: Job[Any, Any]) -> None:
    if not _LABEL.fullmatch(job.label):
        raise LocalError("a label has 1 to 64 letters, digits and . _ : / -, and begins with a letter or digit")
    if not 0 < job.deadline_seconds <= MAX_DEADLINE_SECONDS:  # which no NaN is
        raise LocalError(f"a deadline lies between 0 and {MAX_DEADLINE_SECONDS:.0f} seconds")
    if type(job.params) is not job.protocol.params:
        raise LocalError(f"protocol '{job.protocol.name}' takes parameters of type {job.protocol.params.__name__}")


def _members_by_role(job: Job[Any, Any], known: Mapping[str, Member]) -> dict[str, tuple[Member, ...]]:
    declared = job.protocol.roles
    if set(job.roles) != set(declared):
        given = ", ".join(job.roles) or "none"
        raise LocalError(
            f"protocol '{job.protocol.name}' has the roles {', '.join(declared)}; the job names {given}"
        )
    roles: dict[str, tuple[Member, ...]] = {}
    for role, names in job.roles.items():
        members = tuple(_member(known, name) for name in names)
        if len(set(names)) != len(names):
            raise LocalError(f"role '{role}' names a party twice")
        limits = declared[role]
        if len(members) < limits.least or (limits.most is not None and len(members) > limits.most):
            wanted = f"{limits.least}" if limits.least == limits.most else f"at least {limits.least}"
            if limits.most is not None and limits.least != limits.most:
                wanted = f"{limits.least} to {limits.most}"
            parties = "party" if wanted == "1" else "parties"
            raise LocalError(f"role '{role}' takes {wanted} {parties}, not {len(members)}")
        roles[role] = members
    return {role: roles[role] for role in declared}


def _computing(
    job: Job[Any, Any], known: Mapping[str, Member], roles: Mapping[str, tuple[Member, ...]]
) -> tuple[int, ...]:
    if job.compute:
        if len(set(job.compute)) != len(job.compute):
            raise LocalError("a computing party is named twice")
        return tuple(sorted(_member(known, name).index for name in job.compute))
    givers = {member.index for declaration in job.protocol.inputs.values() for member in roles[declaration.by]}
    return tuple(sorted(givers))


def _dealer(job: Job[Any, Any], known: Mapping[str, Member], everyone: tuple[int, ...]) -> int:
    """The dealer's index. It must take no other part: with one party's view it would know everything."""
    dealer = _member(known, job.dealer or "").index
    if dealer in everyone:
        raise LocalError(f"{job.dealer} deals, and must take no other part in the job")
    return dealer


def _provider(job: Job[Any, Any]) -> Provider | None:
    """What makes correlated randomness: the provider that the job names, or the dealer that it names."""
    if not job.provider and job.dealer is None:
        return None
    provider = find_provider(job.provider or DealerProvider.name)
    if provider.takes_dealer and job.dealer is None:
        raise LocalError(f"provider '{provider.name}' works with a dealer: name a dealer in the job")
    if not provider.takes_dealer and job.dealer is not None:
        raise LocalError(f"provider '{provider.name}' works without a dealer: leave {job.dealer} out")
    return provider


def _member(known: Mapping[str, Member], name: str) -> Member:
    if name not in known:
        hint = did_you_mean(name, known)
        raise LocalError(f"the roster has no party named {name!r}; it has: {', '.join(known)}{hint}")
    return known[name]
