"""What a protocol costs: the figures of simulated runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mpcnet import LocalError
from mpcnet.declare import Job, Protocol
from mpcnet.declare.examples import example_inputs, example_job, grown_example
from mpcnet.sim import WAN, Simulation, simulate

__all__ = ("Row", "cost_rows")

_SIZES = (4, 10, 30)
_MOST_COMPUTING = 10
"""With more the pages would take half a minute to make; a job with so many is better run by a few of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run.

    Args:
        parties: how many run the program.
        computing: how many of them compute.
        rounds: online rounds.
        computing_bytes: payload that the busiest computing party sends to all others.
        outside_bytes: the most that a party sends that does not compute; None if all compute.
        dealer_bytes: what the dealer sends; None without one.
        wan_seconds: virtual time on the WAN of the simulator, agreement included.
    """

    parties: int
    computing: int
    rounds: int
    computing_bytes: int
    outside_bytes: int | None
    dealer_bytes: int | None
    wan_seconds: float


def cost_rows(protocol: Protocol[Any, Any]) -> list[Row]:
    """The example, and more parties; those of the example compute, or all who give inputs, or three of them."""
    rows = {_key(row): row for row in _runs(protocol)}
    return [rows[key] for key in sorted(rows)]


def _runs(protocol: Protocol[Any, Any]) -> Iterator[Row]:
    job = example_job(protocol, f"{protocol.name}-cost", deadline_seconds=3600)
    yield _row(job, simulate(job, example_inputs(protocol), network=WAN))
    for size in _SIZES:
        try:
            job, inputs = grown_example(protocol, size)
        except LocalError:
            continue  # the number of parties is fixed
        job = replace(job, deadline_seconds=3600)
        givers = _givers(job)
        own = tuple(job.compute)
        choices = {own or givers[:3]} if size > _MOST_COMPUTING else {own, givers, givers[:3]}
        for computing in sorted(choices - {()}):
            chosen = replace(job, compute=computing)
            yield _row(chosen, simulate(chosen, inputs, network=WAN))


def _givers(job: Job[Any, Any]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(name for declared in job.protocol.inputs.values() for name in job.roles[declared.by])
    )


def _key(row: Row) -> tuple[int, int]:
    return row.parties, row.computing


def _row(job: Job[Any, Any], run: Simulation[Any]) -> Row:
    computing = set(job.compute or _givers(job))
    sent = dict.fromkeys(run.outputs, 0)
    for (sender, receiver), link in run.cost.links.items():
        if receiver != job.dealer:
            sent[sender] = sent.get(sender, 0) + link.bytes
    dealt = sent.pop(job.dealer, 0) if job.dealer is not None else None
    outside = [count for name, count in sent.items() if name not in computing]
    return Row(
        parties=len(sent),
        computing=len(computing),
        rounds=run.cost.rounds,
        computing_bytes=max(count for name, count in sent.items() if name in computing),
        outside_bytes=max(outside) if outside else None,
        dealer_bytes=dealt,
        wan_seconds=run.cost.seconds,
    )
