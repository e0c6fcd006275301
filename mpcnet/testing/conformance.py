"""`check_protocol`: what every protocol must do, tried in the simulator.

    outcome   equals a reference in the clear, at every party, for the ends of all ranges and for random inputs
    crash     wherever a party dies, all others end in an error that names it, or have learned what they were to
    secrecy   what a party sees does not tell inputs apart that mean the same to it
    cost      rounds, messages and bytes do not depend on inputs, and are those that the author says

Everything is deterministic: the same protocol passes or fails in every run.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from mpcnet.declare import Protocol
from mpcnet.declare.plugins import find_scheme, list_schemes
from mpcnet.errors import DeadlineExceeded, LocalError
from mpcnet.sim import Simulation, simulate
from mpcnet.testing.cases import Case, ConformanceError, Inputs, Layout, Reference, empty_case, layouts
from mpcnet.testing.crash_faults import check_crashes
from mpcnet.testing.outcomes import same
from mpcnet.testing.pairs import find_pairs, told_by
from mpcnet.testing.secrecy import check_pair

if TYPE_CHECKING:
    from mpcnet.testing.strategies import MemberInputs

__all__ = ("check_protocol",)

# pytest leaves out frames of modules that say so: of a protocol that fails, the message tells everything.
__tracebackhide__: operator.methodcaller = operator.methodcaller("errisinstance", ConformanceError)

P = TypeVar("P")
T = TypeVar("T")

_DRAWS = 40
"""Inputs from which pairs with one outcome are sought."""
_ENOUGH_FOR_PAIRS = 3
"""Of two members, a sum tells each the other's value."""


def check_protocol(
    protocol: Protocol[P, T],
    reference: Callable[[Case[P]], T],
    *,
    params: Sequence[P] = (),
    counts: Sequence[Mapping[str, int]] = (),
    outsiders: Sequence[int] = (0, 2),
    schemes: Sequence[str] = (),
    inputs: MemberInputs | None = None,
    rounds: Callable[[Case[P]], int] | None = None,
    equal: Callable[[Any, Any], bool] = same,
    examples: int = 3,
    pairs: int = 3,
    tells_everything: bool = False,
) -> None:
    """Check a protocol against a reference in the clear, and against what every protocol must do.

    It runs the protocol some hundred times in the simulator: about ten seconds for a small one. Needs Hypothesis
    (`pip install 'mpcnet[testing]'`).

    Args:
        protocol: what the decorator `protocol` made.
        reference: what the party `case.me` must learn; `case["bid"]` lists an input's values in the order of its
            role, `case.params` holds the parameters. It raises `LocalError` where the protocol must refuse.
        params: parameters to try, each in all checks; by default those of the example, or the defaults.
        counts: by role, how many members; by default 2 to 5 wherever the role takes as many.
        outsiders: how many parties without a role compute; 0 for those with inputs. Give (0,) for a protocol whose
            owners send each other messages, which parties that do not compute cannot do.
        schemes: by default all that are installed.
        inputs: (params, role) to a strategy of one member's inputs, where the declaration does not say everything.
        rounds: how many online rounds a run takes; without it they are only held to be the same for all inputs that
            mean the same.
        equal: whether two outcomes are equal; by default all through, arrays by their elements.
        examples: random inputs for each combination, beside the two ends of all ranges.
        pairs: at most so many pairs of inputs with one outcome, for each parameters; each takes 24 runs.
        tells_everything: the outcome determines the inputs of all, so that there is no such pair.

    Raises:
        ConformanceError: a check failed: which, in which case, and what to look at. An `AssertionError`.
        LocalError: no combination of parties fits, or nothing to check secrecy with was found.
    Source: the secrecy check is Fisher's exact test [Fisher35] on fixed seeds; see `mpcnet.testing.distinguisher`.
    """
    strategies = _strategies()
    chosen = list(params) or [protocol.make_params({}) if protocol.example is None else protocol.example.params]
    found = layouts(protocol, counts, outsiders, schemes or list_schemes())
    example = _example(protocol)
    if example is not None:
        _check_outcome(example, reference, rounds, equal)
    for one in chosen:
        for layout in found:
            case = empty_case(protocol, one, layout)
            for inputs_at_ends in strategies.ends(case) if inputs is None else ():
                _check_outcome(case.with_inputs(inputs_at_ends), reference, rounds, equal)

            def check(drawn: Inputs, case: Case[P] = case) -> None:
                _check_outcome(case.with_inputs(drawn), reference, rounds, equal)

            strategies.each(strategies.inputs_of(case, inputs), examples, check)

    private = [layout for layout in found if find_scheme(layout.scheme).private]
    # With all parameters: what a parameter switches on may hang or leak where its default does not.
    for one in chosen:
        for layout in _one_of_each_kind(private, 0):
            check_crashes(_accepted(empty_case(protocol, one, layout), reference, inputs), equal)
        if not tells_everything:
            _check_secrecy(protocol, one, private, reference, inputs, pairs)


def _accepted(case: Case[P], reference: Reference[P, Any], inputs: MemberInputs | None) -> Case[P]:
    """The case with the first random inputs that the reference does not refuse."""
    strategies = _strategies()
    draws = strategies.collect(strategies.inputs_of(case, inputs), _DRAWS)
    for drawn in draws:
        filled = case.with_inputs(drawn)
        if told_by(filled, reference) is not None:
            return filled
    raise LocalError(
        f"the reference refuses all of {len(draws)} random inputs: say with `inputs` how to draw them{case}"
    )


def _check_secrecy(
    protocol: Protocol[P, Any],
    params: P,
    private: Sequence[Layout],
    reference: Reference[P, Any],
    inputs: MemberInputs | None,
    pairs: int,
) -> None:
    strategies = _strategies()
    checked = 0
    for place, layout in enumerate(_one_of_each_kind(private, _ENOUGH_FOR_PAIRS)):
        case = empty_case(protocol, params, layout)
        draws = strategies.collect(strategies.inputs_of(case, inputs, narrow=True), _DRAWS)
        # Who computes has seen most in the first kind: of the others, one pair tells what outsiders receive.
        for pair in find_pairs(case, reference, draws, pairs if place == 0 else 1):
            check_pair(pair)
            checked += 1
    if protocol.inputs and not checked:
        raise LocalError(
            f"no two inputs were found that mean the same to a party, so secrecy was not checked with {params!r}: "
            "give `inputs` of few values, `params` with small ranges or larger `counts`; or `tells_everything`, "
            "if an outcome determines the inputs of all"
        )


def _strategies() -> ModuleType:
    """Strategies. Only they need Hypothesis, which is an extra."""
    try:
        from mpcnet.testing import strategies
    except ModuleNotFoundError as error:
        raise LocalError("check_protocol needs Hypothesis: pip install 'mpcnet[testing]'") from error
    return strategies


def _one_of_each_kind(found: Sequence[Layout], least: int) -> list[Layout]:
    """For each scheme and each way of computing, the smallest layout whose open roles have enough members."""
    chosen: dict[tuple[str, int], Layout] = {}
    for layout in found:
        kind = (layout.scheme, layout.outsiders)
        if kind not in chosen or max(chosen[kind].counts.values()) < least:
            chosen[kind] = layout
    return list(chosen.values())


def _example(protocol: Protocol[P, Any]) -> Case[P] | None:
    """The protocol's own example, as `mpcnet demo` runs it."""
    example = protocol.example
    if example is None:
        return None
    words = {party: dict(given) for party, given in example.inputs.items()}
    values = {
        party: {name: protocol.inputs[name].parse(texts, example.params) for name, texts in given.items()}
        for party, given in words.items()
    }
    givers = [example.roles[declaration.by] for declaration in protocol.inputs.values()]
    compute = tuple(example.compute) or tuple(dict.fromkeys(name for names in givers for name in names))
    return Case(protocol, example.params, example.roles, compute, example.dealer, "additive", values)


def _check_outcome(
    case: Case[P],
    reference: Reference[P, Any],
    rounds: Callable[[Case[P]], int] | None,
    equal: Callable[[Any, Any], bool],
) -> None:
    simulation = simulate(case.job(), case.inputs, allow_errors=True)
    expected = told_by(case, reference)
    if expected is None:
        if through := [name for name in case.programs if name in simulation.outputs]:
            raise ConformanceError(
                "outcome", f"the reference refuses these inputs, and {through[0]} does not{case}"
            )
        return
    if simulation.errors:
        raise ConformanceError("outcome", f"{_first_error(simulation)}{case}")
    for name, outcome in expected.items():
        got = simulation.outputs[name]
        if not equal(got, outcome):
            raise ConformanceError(
                "outcome", f"{name} learns {got!r}, and by the reference it is to learn {outcome!r}{case}"
            )
    if rounds is None or case.scheme == "plain":
        return
    if (count := simulation.cost.rounds) != (said := rounds(case)):
        raise ConformanceError("cost", f"{count} online rounds, and {said} were said{case}")


def _first_error(simulation: Simulation[Any]) -> str:
    """The error that explains the others."""
    assert simulation.cause is not None  # noqa: S101 -- the caller has seen errors
    name, error = simulation.cause
    if isinstance(error, DeadlineExceeded):
        waiting = {
            other: found.waiting_for
            for other, found in simulation.errors.items()
            if isinstance(found, DeadlineExceeded)
        }
        said = "; ".join(
            f"{other} waits for {', '.join(those) or 'something that is no message'}"
            for other, those in waiting.items()
        )
        return f"it hangs until the deadline: {said}"
    return f"{name} ends in {type(error).__name__}: {error}"
