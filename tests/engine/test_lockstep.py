"""Lockstep: what does not fit together is told, and every generator is closed."""

from __future__ import annotations

import pytest

from mpcnet.engine import LockstepError, Round, Step, lockstep


def sender(to: int, data: bytes) -> Step[str]:
    yield Round({to: data}, {})
    return "sent"


def receiver(source: int, nbytes: int, closed: list[str] | None = None) -> Step[bytes]:
    try:
        inbox = yield Round({}, {source: nbytes})
        return bytes(inbox[source])
    finally:
        if closed is not None:
            closed.append("closed")


def test_results_rounds_bytes_and_views() -> None:
    transcript = lockstep({0: sender(1, b"abc"), 1: receiver(0, 3)})
    assert transcript.results == {0: "sent", 1: b"abc"}
    assert (transcript.rounds, transcript.sent_bytes) == (1, {(0, 1): 3})
    assert transcript.views == {0: [], 1: [(0, b"abc")]}


def test_rounds_in_which_nobody_speaks_are_not_counted() -> None:
    def quiet() -> Step[None]:
        yield Round()
        yield Round()

    assert lockstep({0: quiet(), 1: quiet()}).rounds == 0


def test_a_size_that_does_not_fit() -> None:
    with pytest.raises(LockstepError, match="party 1 expects 4 bytes from 0, and 3 came"):
        lockstep({0: sender(1, b"abc"), 1: receiver(0, 4)})


def test_parties_that_wait_for_ever_are_named_and_closed() -> None:
    closed: list[str] = []
    with pytest.raises(LockstepError, match=r"\{0: \[1\], 1: \[0\]\}"):
        lockstep({0: receiver(1, 1, closed), 1: receiver(0, 1, closed)})
    assert closed == ["closed", "closed"]


def test_a_message_that_nobody_reads() -> None:
    with pytest.raises(LockstepError, match=r"never received.*\(0, 1\): 1"):
        lockstep({0: sender(1, b"abc"), 1: sender(0, b"")})


@pytest.mark.parametrize("to", [0, 7])
def test_a_message_to_nobody(to: int) -> None:
    with pytest.raises(LockstepError, match=f"party 0 sends to {to}"):
        lockstep({0: sender(to, b"abc"), 1: receiver(0, 3)})


@pytest.mark.parametrize("source", [1, 7])
def test_a_message_from_nobody(source: int) -> None:
    with pytest.raises(LockstepError, match=f"party 1 expects something from {source}"):
        lockstep({0: sender(1, b"abc"), 1: receiver(source, 3)})
