"""Networks: delays that differ from message to message keep the order of each link."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from typing import Any

import pytest
import trio

from mpcnet import LocalError, Party, Simulation, simulate
from mpcnet.sim import LinkModel, Network
from tests.support.parties import Nothing, job_of

NAMES = ("alice", "bob", "carol")
VALUES: dict[str, dict[str, object]] = {"alice": {"value": 1}, "bob": {"value": 20}, "carol": {"value": 300}}


async def many_messages(party: Party[Nothing]) -> int:
    """Forks and rounds beside each other, so that each link carries several messages at one time."""

    async def work(number: int) -> None:
        async with party.fork(f"fork-{number}") as fork:
            for _ in range(3):
                await fork.reveal(second=fork.use(value) + 1)

    value = party.share("value").sum()
    await party.evaluate(value)
    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(work, number)
    out = await party.reveal(answer=value)
    return int(out["answer"])


def run(network: Network, **options: Any) -> Simulation[Any]:
    return simulate(job_of(many_messages, NAMES), VALUES, network=network, **options)


def check_order(simulation: Simulation[Any]) -> None:
    links: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in simulation.trace:
        links[event.sender, event.receiver].append(event.arrives)
    assert links
    for arrivals in links.values():
        assert all(before <= after for before, after in pairwise(arrivals))


@dataclass(frozen=True, slots=True)
class Restless(Network):
    """An experiment's own network: each message finds another latency."""

    latencies: Any = field(default_factory=lambda: cycle([0.05, 0.001, 0.03, 0.2, 0.002]))

    def link(self, sender: str, receiver: str) -> LinkModel:
        return LinkModel(next(self.latencies))


def test_latencies_that_differ_from_message_to_message_accuse_nobody() -> None:
    simulation = run(Restless(LinkModel(0.01)))
    assert set(simulation.outputs.values()) == {321}
    check_order(simulation)


def test_jitter_keeps_the_order_of_a_link() -> None:
    simulation = run(Network(LinkModel(0.01, jitter_seconds=0.5)))
    assert set(simulation.outputs.values()) == {321}
    check_order(simulation)
    delays = {round(event.arrives - event.sent, 6) for event in simulation.trace}
    assert len(delays) > 10
    assert min(delays) >= 0.01


def test_jitter_follows_from_the_seed() -> None:
    network = Network(LinkModel(0.01, jitter_seconds=0.5))
    first, again, other = (run(network, seed=seed) for seed in (1, 1, 2))
    assert first.trace == again.trace
    assert first.trace != other.trace


@pytest.mark.parametrize("jitter", [-0.1, float("inf"), float("nan")])
def test_jitter_is_a_time(jitter: float) -> None:
    with pytest.raises(LocalError, match="jitter"):
        LinkModel(0.01, jitter_seconds=jitter)
