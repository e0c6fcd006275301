"""How a party may end when another one dies, and how not."""

from __future__ import annotations

import operator

import pytest

from mpcnet import (
    DeadlineExceeded,
    JobEnded,
    LocalError,
    PeerAborted,
    PeerLost,
    Simulation,
)
from mpcnet.sim import CrashAfter, SimCost
from mpcnet.testing.crash_faults import judge_ending

WHOLE = {"alice": 5, "bob": 5}
FAULT = CrashAfter("carol", 3)


def ending(outputs: dict[str, int], errors: dict[str, Exception]) -> Simulation[int]:
    return Simulation(outputs, errors, None, SimCost(0, 0, {}, {}), [], {})


def judged(error: Exception) -> str:
    return judge_ending("bob", FAULT, ending(WHOLE, {}), ending({}, {"bob": error}), operator.eq)


@pytest.mark.parametrize(
    "error",
    [PeerLost("carol", "the connection ended"), PeerAborted("alice", "ended the job: it lost carol", ["carol"])],
)
def test_errors_that_name_the_dead_party_are_right(error: Exception) -> None:
    assert judged(error) == ""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DeadlineExceeded(["carol"], "in round 3"), "waits until the deadline"),
        (ValueError("no luck"), "ends in ValueError: no luck; let errors of mpcnet pass"),
        (LocalError("carol is wrong"), "ends in LocalError"),
        (PeerAborted("alice", "ended the job"), "does not name it: PeerAborted: alice: ended the job"),
        (JobEnded("a round was cancelled"), "does not name it: JobEnded"),
    ],
)
def test_endings_that_help_nobody(error: Exception, text: str) -> None:
    assert text in judged(error)


def test_who_needs_nothing_of_the_dead_party_may_go_on_to_the_same_outcome() -> None:
    for outcome, said in ((5, ""), (6, "goes on, to another outcome than without the crash")):
        assert judge_ending("bob", FAULT, ending(WHOLE, {}), ending({"bob": outcome}, {}), operator.eq) == said
