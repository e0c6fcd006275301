"""Jobs from a protocol's example: as it is, with other people, with more parties."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mpcnet.declare.job import Job
from mpcnet.declare.plugins import find_provider, find_scheme
from mpcnet.declare.protocol import Example, Many, Protocol
from mpcnet.errors import LocalError, did_you_mean

__all__ = ("Inputs", "example_inputs", "example_job", "grown_example", "job_like_example")

Inputs = Mapping[str, Mapping[str, object]]
"""By party, its inputs by name."""


def example_job(protocol: Protocol[Any, Any], label: str, deadline_seconds: float = 60) -> Job[Any, Any]:
    """The job of a protocol's example.

    Raises:
        LocalError: it declares none.
    """
    example = _example_of(protocol)
    return Job(
        protocol,
        example.params,
        example.roles,
        label,
        compute=tuple(example.compute),
        dealer=example.dealer,
        deadline_seconds=deadline_seconds,
    )


def example_inputs(protocol: Protocol[Any, Any]) -> Inputs:
    """The inputs of a protocol's example.

    Raises:
        LocalError: it declares none, or a word of it is not of the declared kind.
    """
    example = _example_of(protocol)
    return {party: _parsed(protocol, example.params, words) for party, words in example.inputs.items()}


def grown_example(protocol: Protocol[Any, Any], count: int) -> tuple[Job[Any, Any], Inputs]:
    """The example with as many parties in its open role: names and inputs of the example, repeated as needed.

    Raises:
        LocalError: there is no example, no role takes any number of members, or too few are left.
    """
    job, example = example_job(protocol, f"{protocol.name}-example"), _example_of(protocol)
    open_role = next((name for name, role in protocol.roles.items() if _is_open(role)), None)
    if open_role is None:
        raise LocalError(f"the number of parties of protocol '{protocol.name}' is fixed")
    if count < (least := protocol.roles[open_role].least):
        raise LocalError(f"role '{open_role}' takes at least {least} parties, not {count}")
    known = list(job.roles[open_role])
    fixed = {name for role, names in job.roles.items() if role != open_role for name in names}
    names = [name for name in known if name not in fixed][:count]
    names += [f"party{number}" for number in range(len(names) + 1, count + 1)]
    words = {name: example.inputs.get(name, {}) for name in fixed}
    words |= {name: example.inputs.get(known[place % len(known)], {}) for place, name in enumerate(names)}
    inputs = {name: _parsed(protocol, job.params, given) for name, given in words.items()}
    return dataclasses.replace(job, roles={**job.roles, open_role: tuple(names)}), inputs


def job_like_example(
    protocol: Protocol[Any, Any],
    label: str,
    *,
    roles: Mapping[str, Sequence[str]],
    params: Mapping[str, object],
    compute: Sequence[str] | None,
    dealer: str | None,
    scheme: str,
    provider: str = "",
    deadline_seconds: float,
) -> Job[Any, Any]:
    """A job whose parts that are not given are those of the protocol's example.

    With people of one's own in the roles, parameters that are not given have their defaults, where they have some:
    the reserve of an example must be asked for. And the example's computing parties are
    people of the example, who then mean nothing.

    Args:
        roles: by role, its members.
        params: by name, plain values.
        compute: who computes; None as in the example, or as the protocol's default is.
        dealer: who deals; None as in the example, "" for no dealer.
        provider: what makes correlated randomness; empty for the dealer, if there is one.

    Raises:
        LocalError: an unknown role, scheme or provider, a role without members, or parameters that the protocol
            refuses.
    """
    example = protocol.example
    for role in roles:
        if role not in protocol.roles:
            known = f"{', '.join(protocol.roles)}{did_you_mean(role, protocol.roles)}"
            raise LocalError(f"protocol '{protocol.name}' has no role '{role}'; it has: {known}")
    members = {**({} if example is None else example.roles), **roles}
    if missing := [role for role in protocol.roles if role not in members]:
        raise LocalError(f"role '{missing[0]}' has no members: give --role {missing[0]}=NAME,...")
    base = {} if example is None else _plain_params(example.params, needed_only=bool(roles))
    computing = () if example is None or roles else tuple(example.compute)
    deals = example.dealer if example is not None and dealer is None else dealer
    return Job(
        protocol,
        protocol.make_params({**base, **params}),
        {role: tuple(names) for role, names in members.items()},
        label,
        compute=computing if compute is None else tuple(compute),
        dealer=deals or None,
        scheme=find_scheme(scheme).name,
        provider=find_provider(provider).name if provider else "",
        deadline_seconds=deadline_seconds,
    )


def _example_of(protocol: Protocol[Any, Any]) -> Example[Any]:
    if protocol.example is None:
        raise LocalError(f"protocol '{protocol.name}' has no example; write a job file")
    return protocol.example


def _parsed(protocol: Protocol[Any, Any], params: Any, words: Mapping[str, Sequence[str]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, texts in words.items():
        if name not in protocol.inputs:
            known = f"{', '.join(protocol.inputs) or 'none'}{did_you_mean(name, protocol.inputs)}"
            raise LocalError(f"the example of protocol '{protocol.name}' has no input '{name}'; there are: {known}")
        found[name] = protocol.inputs[name].parse(list(texts), params)
    return found


def _is_open(role: Many) -> bool:
    return role.most is None


def _plain_params(params: Any, *, needed_only: bool) -> dict[str, object]:
    """By name; or those alone that have no default."""
    missing = dataclasses.MISSING
    return {
        field.name: getattr(params, field.name)
        for field in dataclasses.fields(params)
        if not needed_only or (field.default is missing and field.default_factory is missing)
    }
