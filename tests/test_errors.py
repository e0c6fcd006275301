"""Which error explains the others."""

from __future__ import annotations

import pytest

from mpcnet.errors import (
    DeadlineExceeded,
    JobEnded,
    LocalError,
    MpcnetError,
    PeerAborted,
    PeerLost,
    PeerViolation,
    first_cause,
    leaves,
    parties_of,
)

LOCAL = LocalError("a role is missing")
VIOLATION = PeerViolation("bob", "sent 7 bytes where 8 were expected")
LOST = PeerLost("bob", "the connection ended")
FOREIGN = ValueError("no number")
ABORTED = PeerAborted("bob", "ended the job")
LATE = DeadlineExceeded(["bob"], "to agree")
ENDED = JobEnded("the job has ended")


def test_leaves_are_in_their_order() -> None:
    inner = ExceptionGroup("inner", [LATE, ABORTED])
    assert leaves(BaseExceptionGroup("outer", [LOST, inner, FOREIGN])) == (LOST, LATE, ABORTED, FOREIGN)
    assert leaves(LOST) == (LOST,)


@pytest.mark.parametrize(
    ("cause", "echo"),
    [
        (KeyboardInterrupt(), LOCAL),
        (LOCAL, LOST),
        (VIOLATION, LOST),
        (MpcnetError("its process died"), LOST),
        (LOST, FOREIGN),
        (FOREIGN, ABORTED),
        (FOREIGN, LATE),
        (LOST, ENDED),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_cause_explains_the_echo(cause: BaseException, echo: BaseException) -> None:
    assert first_cause([echo, cause]) is cause
    assert first_cause([cause, echo]) is cause
    assert first_cause(BaseExceptionGroup("", [echo, BaseExceptionGroup("", [cause])])) is cause


def test_among_equals_it_is_the_first() -> None:
    assert first_cause([ABORTED, LATE]) is ABORTED
    assert first_cause(LOST) is LOST


@pytest.mark.parametrize(
    ("error", "parties"),
    [
        (LOST, ("bob",)),
        (PeerAborted("bob", "ended the job: it lost carol", ["carol", "bob"]), ("bob", "carol")),
        (DeadlineExceeded(["bob", "carol"], "to agree"), ("bob", "carol")),
        (LOCAL, ()),
        (FOREIGN, ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_parties_that_an_error_names(error: BaseException, parties: tuple[str, ...]) -> None:
    assert parties_of(error) == parties
