"""Cases for the conformance kit: who takes part, with which parameters and inputs, on which scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from mpcnet.declare import Job, Protocol
from mpcnet.declare.plugins import find_scheme
from mpcnet.errors import LocalError

__all__ = ("Case", "ConformanceError", "Inputs", "Layout", "Reference", "layouts")

P = TypeVar("P")
T = TypeVar("T")

Inputs = Mapping[str, Mapping[str, object]]
"""By party, by input, the value."""

DEALER = "dealer"
_SIZES = (2, 3, 4, 5)
_MOST_TEXT = 600


class ConformanceError(AssertionError):
    """A protocol, a scheme or a provider does not do what one must.

    Args:
        check: which check found it: as the kit names its checks, for example outcome, crash, secrecy or cost.
        text: what was seen, in which case, and what to look at.
    """

    def __init__(self, check: str, text: str) -> None:
        super().__init__(check, text)
        self.check = check
        self.text = text

    def __str__(self) -> str:
        return f"{self.check}: {self.text}"


@dataclass(frozen=True, slots=True)
class Layout:
    """How many take part, and how secrets are shared.

    Args:
        counts: by role, how many members.
        outsiders: how many parties without a role compute instead of those with inputs; 0 for none.
        scheme: by its name.
    """

    counts: Mapping[str, int]
    outsiders: int
    scheme: str


@dataclass(frozen=True, slots=True)
class Case(Generic[P]):
    """One run of a protocol, as a reference function sees it: everything in the clear.

    `case["bid"]` lists the values of an input in the order of its role's members, as `Mesh.run` would be given
    them: numbers, nested lists of the declared shape, `Decimal`, words.

    Args:
        protocol: what runs.
        params: its parameters.
        roles: by role, the names of its members.
        compute: the computing parties.
        dealer: who deals randomness; None in schemes that protect nothing.
        scheme: how secrets are shared.
        inputs: by party, by input, the value.
        me: the party whose outcome is asked for.
    """

    protocol: Protocol[P, Any]
    params: P
    roles: Mapping[str, Sequence[str]]
    compute: Sequence[str]
    dealer: str | None
    scheme: str
    inputs: Inputs
    me: str = ""

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self.protocol.inputs:
            raise LocalError(f"protocol '{self.protocol.name}' has no input '{name}'")
        owners = self.roles[self.protocol.inputs[name].by]
        return [self.inputs[owner][name] for owner in owners]

    @property
    def programs(self) -> tuple[str, ...]:
        """The parties that run the program: all but the dealer."""
        members = [name for names in self.roles.values() for name in names]
        return tuple(dict.fromkeys([*members, *self.compute]))

    @property
    def owners_compute(self) -> bool:
        """Whether every party that gives an input computes: then sharing takes no round."""
        return set(self.inputs) <= set(self.compute)

    def job(self) -> Job[P, Any]:
        """The job of this case."""
        return Job(
            self.protocol,
            self.params,
            self.roles,
            "conformance",
            compute=tuple(self.compute),
            dealer=self.dealer,
            scheme=self.scheme,
        )

    def with_inputs(self, inputs: Inputs) -> Case[P]:
        """The same with other inputs."""
        return replace(self, inputs=inputs)

    @property
    def shown_inputs(self) -> str:
        """The inputs, cut off where they are long."""
        return _short(self.inputs)

    def __str__(self) -> str:
        roles = ", ".join(f"{role}={'+'.join(names)}" for role, names in self.roles.items())
        dealer = f", {self.dealer} deals" if self.dealer else ""
        where = f"{roles}; {'+'.join(self.compute)} compute{dealer}; scheme {self.scheme}"
        return f"\n  {where}\n  {self.params!r}\n  inputs {self.shown_inputs}"


Reference = Callable[[Case[P]], T]
"""What `case.me` must learn, computed in the clear. It raises `LocalError` where the protocol must refuse."""


def _short(inputs: Inputs) -> str:
    text = "; ".join(
        f"{party}: " + ", ".join(f"{name}={_plain(value)!r}" for name, value in values.items())
        for party, values in inputs.items()
        if values
    )
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} ..."


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value


def empty_case(protocol: Protocol[P, Any], params: P, layout: Layout) -> Case[P]:
    """A case without inputs."""
    roles = {
        role: tuple(f"{role}-{number}" for number in range(1, count + 1)) for role, count in layout.counts.items()
    }
    scheme = find_scheme(layout.scheme)
    if layout.outsiders:
        compute = tuple(f"outside-{number}" for number in range(1, layout.outsiders + 1))
    else:
        givers = [roles[declaration.by] for declaration in protocol.inputs.values()]
        compute = tuple(dict.fromkeys(name for names in givers for name in names))
    dealer = DEALER if scheme.private else None
    return Case(protocol, params, roles, compute, dealer, layout.scheme, {})


def givers(case: Case[Any]) -> Iterator[tuple[str, str]]:
    """Every party that is asked for inputs, with its role."""
    for role, names in case.roles.items():
        if case.protocol.asked_of(role):
            yield from ((name, role) for name in names)


def layouts(
    protocol: Protocol[Any, Any],
    counts: Sequence[Mapping[str, int]],
    outsiders: Sequence[int],
    schemes: Sequence[str],
) -> list[Layout]:
    """Every combination that fits the protocol's roles and the schemes' party counts; the smallest first.

    Raises:
        LocalError: a scheme fits none.
    """
    sizes = list(counts) or _sizes(protocol)
    found: list[Layout] = []
    for name in schemes:
        scheme = find_scheme(name)
        fitting = [
            layout
            for size in sizes
            for layout in (Layout(size, outside, name) for outside in outsiders)
            if _fits(protocol, layout)
        ]
        if not fitting and any(outsiders):
            fitting = [Layout(size, scheme.threat.least, name) for size in sizes]
        if not fitting:
            raise LocalError(f"no number of computing parties fits the scheme '{name}': give others, or its name")
        # In the clear, it makes no difference who computes.
        found += fitting if scheme.private else [layout for layout in fitting if not layout.outsiders] or fitting
    return found


def _fits(protocol: Protocol[Any, Any], layout: Layout) -> bool:
    by = {declaration.by for declaration in protocol.inputs.values()}
    computing = layout.outsiders or sum(layout.counts[role] for role in by)
    try:
        find_scheme(layout.scheme).check_parties(range(computing))
    except LocalError:
        return False
    return True


def _sizes(protocol: Protocol[Any, Any]) -> list[Mapping[str, int]]:
    """2 to 5 members in every role that takes so many."""
    sizes: list[Mapping[str, int]] = []
    for size in _SIZES:
        counts = {
            role: max(kind.least, size if kind.most is None else min(size, kind.most))
            for role, kind in protocol.roles.items()
        }
        if counts not in sizes:
            sizes.append(counts)
    return sizes
