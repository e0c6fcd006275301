"""Crashes: a party dies at each of its rounds in turn, and all others must end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpcnet.errors import DeadlineExceeded, LocalError, MpcnetError, parties_of
from mpcnet.sim import CrashAfter, Simulation, simulate
from mpcnet.testing.cases import Case, ConformanceError

__all__ = ("check_crashes", "judge_ending")

_MOST_CRASHES = 60
"""Of more rounds, some of each party are left out evenly."""
_CONTENT = ("ROUND", "DATA")


def check_crashes(case: Case[Any], equal: Callable[[Any, Any], bool]) -> None:
    """Kill each party before each of its rounds and byte messages.

    Raises:
        ConformanceError: another party goes on with another outcome, waits for its deadline, or ends in an error
            that does not name the dead one.
    """
    whole = simulate(case.job(), case.inputs)
    faults = _faults(whole)
    step = -(-len(faults) // _MOST_CRASHES) or 1
    for fault in faults[::step]:
        broken = simulate(case.job(), case.inputs, faults=[fault], allow_errors=True)
        for name in whole.outputs:
            if name != fault.party and (fault_text := judge_ending(name, fault, whole, broken, equal)):
                raise ConformanceError(
                    "crash", f"{fault.party} dies after {fault.messages} messages, and {name} {fault_text}{case}"
                )


def _faults(whole: Simulation[Any]) -> list[CrashAfter]:
    """Before the first message of each party's rounds, and before each of its byte messages."""
    said: dict[str, int] = {}
    last: dict[str, tuple[str, str, int]] = {}
    faults: list[CrashAfter] = []
    for event in whole.trace:
        if event.kind not in _CONTENT:
            continue
        now = (event.kind, event.fork, event.round)
        if event.kind == "DATA" or last.get(event.sender) != now:
            faults.append(CrashAfter(event.sender, said.get(event.sender, 0)))
        last[event.sender] = now
        said[event.sender] = said.get(event.sender, 0) + 1
    return sorted(faults, key=lambda fault: (fault.party, fault.messages))


def judge_ending(
    name: str,
    fault: CrashAfter,
    whole: Simulation[Any],
    broken: Simulation[Any],
    equal: Callable[[Any, Any], bool],
) -> str:
    """What is wrong about a party's ending, or nothing."""
    if name in broken.outputs:
        # It had all that it was to get, or needed nothing of the dead one.
        same_outcome = equal(broken.outputs[name], whole.outputs[name])
        return "" if same_outcome else "goes on, to another outcome than without the crash"
    error = broken.errors[name]
    if isinstance(error, DeadlineExceeded):
        return f"waits until the deadline: {error}"
    if isinstance(error, LocalError) or not isinstance(error, MpcnetError):
        return f"ends in {type(error).__name__}: {error}; let errors of mpcnet pass"
    if fault.party not in parties_of(error):
        return f"ends in an error that does not name it: {type(error).__name__}: {error}"
    return ""
