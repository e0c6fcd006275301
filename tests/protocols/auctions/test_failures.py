"""Parties that crash, and dealers that fail: a clear error at everybody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from mpcnet import (
    DeadlineExceeded,
    Job,
    LocalError,
    PeerAborted,
    PeerError,
    PeerLost,
    PeerViolation,
    Protocol,
    Simulation,
    find_protocol,
    simulate,
)
from mpcnet.sim import Crash, Crashed, Stall
from mpcnet.wire.frames import Frame, Kind
from mpcnet_protocols.auctions import second_price_auction
from mpcnet_protocols.auctions.bidding import Rules, Sale
from tests.support.parties import Change, Endings, Loopback, run_parties

NAMES = ("b0", "b1", "b2", "c0", "c1", "dealer")
INPUTS = {"b0": {"bid": 5}, "b1": {"bid": 7}, "b2": {"bid": 3}}
JOB = Job(
    second_price_auction,
    Rules(),
    {"bidders": ("b0", "b1", "b2")},
    "lot",
    compute=("c0", "c1"),
    dealer="dealer",
    deadline_seconds=5,
)
SOLD = Sale("b1", 5, 0, 3)


def run(**options: Any) -> Simulation[Any]:
    return simulate(JOB, INPUTS, allow_errors=True, **options)


def test_nobody_fails() -> None:
    simulation = run()
    assert not simulation.errors
    assert simulation.outputs == dict.fromkeys(NAMES[:-1], SOLD) | {"dealer": None}


# Round 0 asks the dealer, in round 1 the bidders send their bids; the last one opens the outputs.
LAST_SENT = {"dealer": 0, "b0": 1, "c0": 9, "c1": 9}


@pytest.mark.parametrize("party", LAST_SENT)
def test_a_crash_in_any_round_ends_the_auction_everywhere(party: str) -> None:
    for number in range(LAST_SENT[party] + 1):
        simulation = run(faults=[Crash(party, number)])
        assert not simulation.outputs
        assert isinstance(simulation.errors.pop(party), Crashed)
        assert len(simulation.errors) == len(NAMES) - 1
        for error in simulation.errors.values():
            # Those who do not meet the party hear of it from one that did, in words that name it.
            told = isinstance(error, PeerAborted) and f"lost its connection to {party}" in error.reason
            assert told or (isinstance(error, PeerLost) and error.party == party), f"round {number}"
    # Whoever has said all that it has to say is no longer needed.
    assert not run(faults=[Crash(party, LAST_SENT[party] + 1)]).errors


def test_a_dealer_that_never_answers() -> None:
    simulation = run(faults=[Stall("dealer", 0)])
    assert not simulation.outputs
    assert all(isinstance(error, DeadlineExceeded) for error in simulation.errors.values())
    first = simulation.errors["c0"]
    assert isinstance(first, DeadlineExceeded)
    assert first.waiting_for == ("dealer",)


class _Short:
    """A dealer whose answers lack their last word."""

    def on_frame(self, sender: str, receiver: str, frame: Frame) -> Frame:
        if sender == "dealer" and frame.header.kind is Kind.ROUND:
            return Frame(frame.header, frame.body[:-8])
        return frame


def test_a_dealer_whose_answer_is_short() -> None:
    simulation = run(adversary=_Short())
    assert not simulation.outputs
    caught = simulation.errors.pop("c0")
    assert isinstance(caught, PeerViolation)
    assert caught.party == "dealer"
    for name, error in simulation.errors.items():
        assert isinstance(error, PeerError)
        assert error.party == "c0"
        assert isinstance(error, PeerLost if name == "dealer" else PeerAborted)


def test_a_job_without_a_dealer_is_refused_before_anything_is_sent() -> None:
    for name in ("first-price-auction", "second-price-auction", "k-price-auction", "majority", "ranking"):
        protocol: Protocol[Any, Any] = find_protocol(name)
        assert protocol.example is not None
        shown = protocol.example
        job = Job(protocol, shown.params, shown.roles, "lot", compute=shown.compute)
        inputs = {
            party: {key: protocol.inputs[key].parse(words, shown.params) for key, words in given.items()}
            for party, given in shown.inputs.items()
        }
        simulation = simulate(job, inputs, allow_errors=True)
        parties = {*inputs, *shown.compute, *(member for members in shown.roles.values() for member in members)}
        assert set(simulation.errors) == parties
        for error in simulation.errors.values():
            assert isinstance(error, LocalError)
            assert "name a dealer in the job" in str(error)
        assert simulation.cost.messages == 0


def with_another(receiver: int, frame: Frame) -> Iterable[Frame]:
    """After each answer, another of the same length."""
    if frame.header.kind is not Kind.ROUND:
        return [frame]
    return [frame, Frame(frame.header, memoryview(bytes(len(frame.body))))]


async def test_over_encrypted_links_an_auction_is_sold() -> None:
    endings = await over_links({})
    assert not endings.errors
    assert endings.outcomes == dict.fromkeys(NAMES[:-1], SOLD) | {"dealer": None}


async def test_over_encrypted_links_a_dealer_that_answers_twice_is_named() -> None:
    endings = await over_links({"dealer": with_another})
    caught = endings.errors["c0"]
    assert isinstance(caught, PeerViolation)
    assert caught.party == "dealer"


async def over_links(changes: Mapping[str, Change]) -> Endings:
    loopback = Loopback(NAMES)
    async with loopback.meshes(changes=changes) as meshes:
        return await run_parties(meshes, JOB, {name: INPUTS.get(name, {}) for name in NAMES})


async def test_over_encrypted_links_a_job_without_a_dealer_says_what_to_do() -> None:
    loopback = Loopback(NAMES[:-1])
    async with loopback.meshes() as meshes:
        endings = await run_parties(
            meshes, replace(JOB, dealer=None), {name: INPUTS.get(name, {}) for name in NAMES[:-1]}
        )
    assert set(endings.errors) == set(NAMES[:-1])
    for error in endings.errors.values():
        assert isinstance(error, LocalError | PeerAborted)
    assert any("name a dealer in the job" in str(error) for error in endings.errors.values())
