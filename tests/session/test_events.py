"""What is told to somebody who watches a job."""

from __future__ import annotations

from collections import defaultdict

import pytest

from mpcnet import Job, find_protocol, simulate
from mpcnet.declare.examples import example_job
from mpcnet.session.events import Agreed, Ended, Evaluating, Event, Prepared, RoundDone


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """The simulator runs a loop of its own: the fixture of this folder would want one."""


def events_of(name: str, **inputs: str) -> dict[str, list[Event]]:
    protocol = find_protocol(name)
    job: Job[object, object] = example_job(protocol, name)
    heard: dict[str, list[Event]] = defaultdict(list)
    assert protocol.example is not None
    given = {
        party: {key: protocol.inputs[key].parse(words, job.params) for key, words in own.items()}
        for party, own in protocol.example.inputs.items()
    }
    simulate(job, given, listener=lambda party, event: heard[party].append(event))
    return heard


@pytest.mark.parametrize(
    "name", ["average", "second-price-auction", "first-price-auction", "statistics", "majority"]
)
def test_as_many_rounds_as_were_foretold(name: str) -> None:
    for party, events in events_of(name).items():
        if party == "dora":
            continue
        assert sum(isinstance(event, Agreed) for event in events) == 1
        assert isinstance(events[-1], Ended)
        ahead = 0
        preparing = False
        for event in events:
            if isinstance(event, Evaluating):
                assert ahead == 0, "an evaluation ended before its last round"
                ahead, preparing = event.rounds, event.prepares
            elif isinstance(event, Prepared):
                preparing = False
            elif isinstance(event, RoundDone) and not preparing:
                ahead -= 1
        assert (ahead, preparing) == (0, False), party


def test_randomness_is_prepared_before_the_rounds() -> None:
    kinds = [
        type(event)
        for event in events_of("majority")["alice"]
        if isinstance(event, Evaluating | Prepared | RoundDone)
    ]
    # The round that asks the dealer, then those of the evaluation.
    assert kinds == [Evaluating, RoundDone, Prepared, RoundDone, RoundDone]
