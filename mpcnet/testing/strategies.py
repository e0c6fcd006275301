"""Hypothesis strategies from the declaration of a protocol's inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mpcnet.declare import Declaration, Protocol
from mpcnet.declare.inputs import Chooser
from mpcnet.testing.cases import Case, Inputs, givers

__all__ = ("MemberInputs", "Strategy", "collect", "each", "ends", "inputs_of", "member_inputs")

V = TypeVar("V")
Strategy = st.SearchStrategy[V]
MemberInputs = Callable[[Any, str], st.SearchStrategy[Mapping[str, object]]]
"""(parameters, role) to a strategy of one member's inputs."""

_MOST_ROWS = 8
_DETERMINISTIC = settings(
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=[
        HealthCheck.differing_executors,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
        HealthCheck.nested_given,
        HealthCheck.too_slow,
    ],
)


def member_inputs(
    protocol: Protocol[Any, Any], params: Any, role: str, *, narrow: bool = False
) -> Strategy[Mapping[str, object]]:
    """All inputs that a member of a role gives.

    Args:
        narrow: of every range few values only, so that different inputs often have one outcome.
    """
    asked = protocol.asked_of(role)
    return st.fixed_dictionaries({name: _samples(item, params, narrow) for name, item in asked.items()})


def inputs_of(case: Case[Any], own: MemberInputs | None, *, narrow: bool = False) -> Strategy[Inputs]:
    """Inputs of all parties of a case, by the author's strategies or by the declaration."""
    by_role = {
        role: member_inputs(case.protocol, case.params, role, narrow=narrow)
        if own is None
        else own(case.params, role)
        for role in dict.fromkeys(role for _, role in givers(case))
    }
    # A tuple, since Hypothesis draws dictionaries in an order of its own.
    names = [name for name, _ in givers(case)]
    return st.tuples(*(by_role[role] for _, role in givers(case))).map(
        lambda drawn: dict(zip(names, drawn, strict=True))
    )


def ends(case: Case[Any]) -> list[Inputs]:
    """All owners at the lowest value, and all at the highest."""
    at_both = {
        role: {name: item.edges(case.params) for name, item in case.protocol.asked_of(role).items()}
        for role in case.roles
    }
    return [
        {party: {name: both[place] for name, both in at_both[role].items()} for party, role in givers(case)}
        for place in (0, 1)
    ]


def each(strategy: Strategy[V], count: int, check: Callable[[V], None]) -> None:
    """Check `count` values; the exception of the smallest failing one that Hypothesis finds."""
    failure: list[AssertionError] = []

    def run(value: V) -> None:
        try:
            check(value)
        except AssertionError as error:
            failure[:] = [error]
            raise

    test = settings(_DETERMINISTIC, max_examples=count)(given(strategy)(run))
    try:
        test()
    except AssertionError as error:
        # Its notes repeat the value, which the message has already.
        raise (failure[0] if failure else error) from None


def collect(strategy: Strategy[V], count: int) -> list[V]:
    """`count` values at most, the same in every run."""
    found: list[V] = []

    def keep(value: V) -> None:
        found.append(value)

    settings(_DETERMINISTIC, max_examples=count, phases=[Phase.generate])(given(strategy)(keep))()
    return found


class _HypothesisChooser(Chooser):
    """Numbers that Hypothesis draws, and shrinks.

    Args:
        draw: of a composite strategy.
        narrow: of every range few values only, and every value in one form.
    """

    def __init__(self, draw: st.DrawFn, *, narrow: bool) -> None:
        self.varied = not narrow
        self._draw = draw
        self._narrow = narrow

    def integer(self, low: int, high: int) -> int:
        """See `Chooser.integer`. Ends and middle come often."""
        near = dict.fromkeys([low, high, low + 1, high - 1, low + 2, (low + high) // 2])
        few = st.sampled_from([number for number in near if low <= number <= high])
        return self._draw(few if self._narrow else few | st.integers(low, high))

    def rows(self, most: int) -> int:
        """See `Chooser.rows`."""
        return self._draw(st.integers(0, min(most, _MOST_ROWS)))


@st.composite
def _samples(draw: st.DrawFn, declaration: Declaration, params: Any, narrow: bool) -> object:
    return declaration.sample(params, _HypothesisChooser(draw, narrow=narrow))
