"""Jobs over links that often have no room, disturbed at any point: the right answer, or an error, and soon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import Job, MpcnetError, simulate
from mpcnet.declare import Party
from mpcnet.session.events import Event, RoundDone
from mpcnet.sim.faults import Crash, CrashAfter, Fault
from mpcnet.sim.hub import SimTransport
from mpcnet.wire.frames import Frame, Kind
from tests.support.parties import Nothing, job_of

OWNERS = ("alice", "bob", "carol")
INPUTS: dict[str, dict[str, object]] = {"alice": {"value": 7}, "bob": {"value": -3}, "carol": {"value": 5}}
ANSWER = [-21, -15, 35, 7]


@dataclass(frozen=True)
class Disturbance:
    """What goes wrong.

    Args:
        what: the kind of it.
        party: where.
        after: so many rounds (of all forks together) or frames come before it.
    """

    what: str
    party: str
    after: int


class Listener:
    """Raises, or cancels the work of a party, behind one of its rounds: inside the reader that has played it."""

    def __init__(self, disturbance: Disturbance) -> None:
        self.scopes: dict[str, trio.CancelScope] = {}
        self._disturbance = disturbance
        self._rounds = 0

    def __call__(self, name: str, event: Event) -> None:
        disturbance = self._disturbance
        if name != disturbance.party or not isinstance(event, RoundDone):
            return
        self._rounds += 1
        if self._rounds == disturbance.after and disturbance.what == "cancelled":
            self.scopes[name].cancel()
        if self._rounds == disturbance.after and disturbance.what == "raises":
            raise ZeroDivisionError


class Liar:
    """Makes one message of a party to another one that computes longer, or of another round.

    To the dealer, a question of another round is as good as silence: it waits for the others until the deadline.
    """

    def __init__(self, disturbance: Disturbance) -> None:
        self._disturbance = disturbance
        self._frames = 0

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame | None:
        if sender != self._disturbance.party or receiver == "dave" or frame.header.kind is not Kind.ROUND:
            return frame
        self._frames += 1
        if self._frames == self._disturbance.after and self._disturbance.what == "too long":
            return replace(frame, body=memoryview(bytes(len(frame.body) + 8)))
        if self._frames == self._disturbance.after and self._disturbance.what == "another round":
            return replace(frame, header=replace(frame.header, round=frame.header.round + 1))
        return frame


def crowded(monkeypatch: pytest.MonkeyPatch, tape: bytes) -> None:
    """Links that have room when the tape says so, and else make their senders wait."""
    bits: Iterator[int] = chain(tape, repeat(0))
    post = SimTransport.send_now

    def send_now(self: SimTransport, peer: int, frame: Frame) -> bool:
        return not next(bits) % 2 and post(self, peer, frame)

    async def send(self: SimTransport, peer: int, frame: Frame) -> None:
        await trio.sleep(0.001 * (next(bits) % 4))
        post(self, peer, frame)

    monkeypatch.setattr(SimTransport, "send_now", send_now)
    monkeypatch.setattr(SimTransport, "send", send)


def job(listener: Listener) -> Job[Nothing, Any]:
    """Three products in three forks, and a maximum in the program itself, side by side."""

    async def program(party: Party[Nothing]) -> list[int]:
        values = party.share("value")
        await party.evaluate(values)
        found: dict[int, int] = {}

        async def product(place: int, one: int, other: int) -> None:
            async with party.fork(f"product-{place}") as inner:
                mine = inner.use(values)
                found[place] = int((await inner.reveal(answer=mine[one] * mine[other]))["answer"])

        with listener.scopes.setdefault(party.me.name, trio.CancelScope()):
            async with trio.open_nursery() as nursery:
                for place, (one, other) in enumerate([(0, 1), (1, 2), (0, 2)]):
                    nursery.start_soon(product, place, one, other)
                found[3] = int((await party.reveal(answer=values.max()))["answer"])
        return [found[place] for place in range(4)]

    return replace(job_of(program, OWNERS), dealer="dave", deadline_seconds=1000)


disturbances = st.builds(
    Disturbance,
    st.sampled_from(["nothing", "cancelled", "raises", "too long", "another round", "crash", "crash after"]),
    st.sampled_from([*OWNERS, "dave"]),
    st.integers(1, 40),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(disturbance=disturbances, tape=st.binary(max_size=60))
def test_the_right_answer_or_an_error_and_soon(disturbance: Disturbance, tape: bytes) -> None:
    listener = Listener(disturbance)
    faults: dict[str, Fault] = {
        "crash": Crash(disturbance.party, disturbance.after % 7),
        "crash after": CrashAfter(disturbance.party, disturbance.after),
    }
    with pytest.MonkeyPatch.context() as monkeypatch:
        crowded(monkeypatch, tape)
        ran = simulate(
            job(listener),
            INPUTS,
            listener=listener,
            adversary=Liar(disturbance),
            faults=[faults[disturbance.what]] if disturbance.what in faults else [],
            allow_errors=True,
        )
    assert ran.outputs.keys() | ran.errors.keys() == {*OWNERS, "dave"}
    assert ran.cost.seconds < 30, "an error, and no deadline"
    for name, output in ran.outputs.items():
        assert output == (None if name == "dave" else ANSWER)
    if disturbance.what == "nothing":
        assert not ran.errors
    for name, error in ran.errors.items():
        expected = MpcnetError if name != disturbance.party else Exception
        assert isinstance(error, expected), (name, error)
