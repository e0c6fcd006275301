"""Hypothesis strategies from the declaration of a protocol's inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mpcnet.declare import Choice, Decimals, Declaration, LocalInts, LocalItems, LocalLabels, Protocol
from mpcnet.declare.inputs import Shared
from mpcnet.errors import LocalError
from mpcnet.testing.cases import Case, Inputs, givers

__all__ = ("MemberInputs", "Strategy", "collect", "each", "ends", "inputs_of", "member_inputs")

V = TypeVar("V")
Strategy = st.SearchStrategy[V]
MemberInputs = Callable[[Any, str], st.SearchStrategy[Mapping[str, object]]]
"""(parameters, role) to a strategy of one member's inputs."""

_MOST_ROWS = 8
_ITEMS = ("ada", "ben", "cem", "dora", "emil", "fay")
_SPELLINGS = (" ben ", "Ben", "Zo\u00eb", "Zoe\u0308")
"""Two of the same item, one of another, and the two spellings of one that `LocalItems` names."""
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
    asked = {name: declaration for name, declaration in protocol.inputs.items() if _is_asked(declaration, role)}
    return st.fixed_dictionaries({name: _values(item, params, narrow) for name, item in asked.items()})


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
    """Everybody at the lowest value, and everybody at the highest."""
    found: list[Inputs] = []
    for place in (0, -1):
        found.append(
            {
                party: {
                    name: _end(declaration, case.params, place)
                    for name, declaration in case.protocol.inputs.items()
                    if _is_asked(declaration, role)
                }
                for party, role in givers(case)
            }
        )
    return found


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


def _is_asked(declaration: Declaration, role: str) -> bool:
    return declaration.by == role and not (isinstance(declaration, Shared) and declaration.derived)


def _values(declaration: Declaration, params: Any, narrow: bool) -> Strategy[Any]:
    facts = declaration.describe(params)
    match declaration:
        case Choice():
            return st.sampled_from(cast("list[str]", facts["options"]))
        case Shared():
            shape = declaration.row_shape(params)
            one = _scalars(declaration, params, narrow)
            if not shape:
                return one
            size = math.prod(shape)
            return st.lists(one, min_size=size, max_size=size).map(lambda items: _nested(items, shape))
        case LocalInts():
            numbers = _numbers(cast("int", facts["low"]), cast("int", facts["high"]), narrow)
            return st.lists(numbers, max_size=min(cast("int", facts["most"]), _MOST_ROWS))
        case LocalLabels():
            labels = st.sampled_from(cast("list[str]", facts["labels"]))
            return st.lists(labels, max_size=min(cast("int", facts["most"]), _MOST_ROWS))
        case LocalItems():
            items = st.sampled_from(_ITEMS if narrow else _ITEMS + _SPELLINGS)
            return st.lists(items, max_size=min(cast("int", facts["most"]), _MOST_ROWS))
        case _:
            raise _unknown(declaration)


def _scalars(declaration: Shared, params: Any, narrow: bool) -> Strategy[Any]:
    low, high = declaration.limits(params)
    denominator = declaration.denominator
    numbers = _numbers(low * denominator, high * denominator, narrow)
    if not isinstance(declaration, Decimals):
        return numbers
    places = declaration.places
    return numbers.map(lambda number: Decimal(number).scaleb(-places))


def _numbers(low: int, high: int, narrow: bool) -> Strategy[int]:
    near = dict.fromkeys([low, high, low + 1, high - 1, low + 2, (low + high) // 2])
    few = st.sampled_from([number for number in near if low <= number <= high])
    return few if narrow else few | st.integers(low, high)


def _end(declaration: Declaration, params: Any, place: int) -> object:
    facts = declaration.describe(params)
    match declaration:
        case Choice():
            return cast("list[str]", facts["options"])[place]
        case Shared():
            limit = declaration.limits(params)[place]
            shape = declaration.row_shape(params)
            value = Decimal(limit) if isinstance(declaration, Decimals) else limit
            return _nested([value] * math.prod(shape), shape) if shape else value
        case LocalInts():
            return [facts["low"]] if place == 0 else [facts["high"]] * min(cast("int", facts["most"]), _MOST_ROWS)
        case LocalLabels():
            label = cast("list[str]", facts["labels"])[place]
            return [label] * (1 if place == 0 else min(cast("int", facts["most"]), _MOST_ROWS))
        case LocalItems():
            return [] if place == 0 else list(_ITEMS[: cast("int", facts["most"])])
        case _:
            raise _unknown(declaration)


def _unknown(declaration: Declaration) -> LocalError:
    return LocalError(f"there is no strategy for inputs of type {type(declaration).__name__}: give `inputs`")


def _nested(items: list[Any], shape: tuple[int, ...]) -> list[Any]:
    array = np.empty(len(items), np.object_)
    array[:] = items
    nested: list[Any] = array.reshape(shape).tolist()
    return nested
