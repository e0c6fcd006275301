"""Secrecy of one pair of inputs: both cost the same, and no party that learns the same can tell them apart."""

from __future__ import annotations

from mpcnet.sim import SimCost
from mpcnet.testing.cases import Case, ConformanceError
from mpcnet.testing.distinguisher import JUDGING_RUNS, SCREENING_RUNS, Views, judge, suspects
from mpcnet.testing.pairs import Pair
from mpcnet.testing.views import run_watched

__all__ = ("check_pair",)

# Every run has a seed of its own, or the two sides were not independent.
_SCREENING = 1_000
_JUDGING = 2_000


def check_pair(pair: Pair) -> None:
    """Run both inputs many times, and compare what the observers see.

    Raises:
        ConformanceError: an observer can tell them apart; or the costs differ, although all learn the same.
    """
    one, first_cost = _runs(pair, pair.one, _SCREENING, SCREENING_RUNS)
    other, other_cost = _runs(pair, pair.other, _SCREENING + SCREENING_RUNS, SCREENING_RUNS)
    if pair.all_learn_the_same and (difference := _difference(first_cost, other_cost)):
        raise ConformanceError("cost", f"{difference}, although all learn the same{_both(pair)}")
    suspected = {name: suspects(one[name], other[name]) for name in pair.observers}
    if not any(suspected.values()):
        return
    one, _ = _runs(pair, pair.one, _JUDGING, JUDGING_RUNS)
    other, _ = _runs(pair, pair.other, _JUDGING + JUDGING_RUNS, JUDGING_RUNS)
    # All of them are judged at once, so that the chance of a false alarm is that of one pair, not of each observer.
    count = sum(map(len, suspected.values()))
    for name, those in suspected.items():
        if those and (found := judge(one[name], other[name], those, count)) is not None:
            raise ConformanceError(
                "secrecy",
                f"{name} can tell inputs of {', '.join(pair.changed)} apart that mean the same to it. Look at: "
                f"{found}{_both(pair)}",
            )


def _runs(pair: Pair, case: Case[object], seed: int, count: int) -> tuple[dict[str, Views], SimCost]:
    """The observers' views of `count` runs, and the cost of the first."""
    found: dict[str, list[tuple[tuple[str, str, int, bytes], ...]]] = {name: [] for name in pair.observers}
    costs: list[SimCost] = []
    for number in range(count):
        simulation, views = run_watched(case, seed + number)
        costs.append(simulation.cost)
        for name, seen in found.items():
            seen.append(views[name])
    return dict(found), costs[0]


def _difference(one: SimCost, other: SimCost) -> str:
    if one.rounds != other.rounds:
        return f"{one.rounds} rounds with one input and {other.rounds} with another"
    if one.links != other.links:
        link = next(pair for pair in {**one.links, **other.links} if one.links.get(pair) != other.links.get(pair))
        counts = [cost.links.get(link) for cost in (one, other)]
        return f"from {link[0]} to {link[1]} {counts[0]} with one input and {counts[1]} with another"
    return ""


def _both(pair: Pair) -> str:
    changed = {name: pair.other.inputs[name] for name in pair.changed}
    return f"{pair.one}\n  and with inputs {pair.other.with_inputs(changed).shown_inputs}"
