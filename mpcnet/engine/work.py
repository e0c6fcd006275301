"""Work: long computing that a step hands to its driver, so that links are read while it runs.

    points = yield from Work(partial(blind, items, job, scalar))
    parts = yield from Works([partial(blind, part, job, scalar) for part in chunks])

The driver runs the functions, the session on threads, `lockstep` and the simulator where they stand, and resumes
the step with the result. A bare `yield Work(function)` gives the same value, which type checkers take for an inbox;
with `yield from` it has its type.

A function must neither read nor write what other code changes meanwhile: it draws no randomness and takes no
correlated randomness, both of which the step does before. It cannot be stopped. When the job ends it runs on, and
what it returns is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

__all__ = ("Outcome", "Work", "Works", "joined", "outcome_of", "resume", "run_inline")

R = TypeVar("R")
Y = TypeVar("Y")


class Work(Generic[R]):
    """One function, and later its result. An exception of the function is raised in the step.

    Args:
        function: called once.
    """

    __slots__ = ("functions",)

    def __init__(self, function: Callable[[], R]) -> None:
        self.functions: tuple[Callable[[], Any], ...] = (function,)

    def result(self, values: Sequence[Any]) -> R:
        """What the step is resumed with.

        Args:
            values: what the functions returned, in their order.
        """
        result: R = values[0]
        return result

    def __iter__(self) -> Generator[Work[R], Any, R]:
        """For `yield from`, which gives the result its type."""
        result: R = yield self
        return result


class Works(Work[list[R]]):
    """Several functions that need nothing of each other, on several threads where there are any.

    The result is the list of theirs, in their order. If some raise, the step gets the exception of the first of
    these by order, not by time.

    Args:
        functions: each called once; those behind one that has raised may be left out.
    """

    __slots__ = ()

    def __init__(self, functions: Iterable[Callable[[], R]]) -> None:
        self.functions: tuple[Callable[[], Any], ...] = tuple(functions)

    def result(self, values: Sequence[Any]) -> list[R]:
        """See `Work.result`."""
        return list(values)


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """How a work ended, as its driver says it to the scheduler or the step."""

    value: Any = None
    error: Exception | None = None


class _Joined(Work[list[Outcome]]):
    """The works of several steps as one, each with an outcome of its own."""

    __slots__ = ("_works",)

    def __init__(self, works: Sequence[Work[Any]]) -> None:
        self.functions = tuple(partial(_kept, function) for work in works for function in work.functions)
        self._works = works

    def result(self, values: Sequence[Any]) -> list[Outcome]:
        found: list[Outcome] = []
        place = 0
        for work in self._works:
            kept: Sequence[Outcome] = values[place : place + len(work.functions)]
            place += len(work.functions)
            failed = next((one for one in kept if one.error is not None), None)
            found.append(failed or Outcome(work.result([one.value for one in kept])))
        return found


def _kept(function: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(function())
    except Exception as error:
        return Outcome(error=error)


def joined(works: Sequence[Work[Any]]) -> Work[list[Outcome]]:
    """Several works as one, whose result is the outcome of each."""
    return _Joined(works)


def run_inline(work: Work[Any]) -> Outcome:
    """Run a work here and now."""
    try:
        return Outcome(work.result([function() for function in work.functions]))
    except Exception as error:
        return Outcome(error=error)


def resume(step: Generator[Y, Any, Any], outcome: Outcome) -> Y:
    """Go on with a step that waits for a work; what it yields next.

    Raises:
        StopIteration: it has ended.
    """
    if outcome.error is not None:
        return step.throw(outcome.error)
    return step.send(outcome.value)


def outcome_of(work: Work[Any]) -> Generator[Work[Any], Any, Outcome]:
    """Hand a work on to one's own driver, as a step that drives others does."""
    try:
        return Outcome((yield work))
    except Exception as error:
        return Outcome(error=error)
