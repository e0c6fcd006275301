"""What a party sees of a job: what it receives, and what it opens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mpcnet.dsl import Secret, SecretBits
from mpcnet.session import Party, Revealed
from mpcnet.sim import Simulation, simulate
from mpcnet.testing.cases import Case

__all__ = ("Entry", "View", "run_watched")

P = TypeVar("P")

Entry = tuple[str, str, int, bytes]
"""Where it comes from, which fork, its number, and the bytes."""

View = tuple[Entry, ...]
"""All entries of a party, in an order that does not depend on arrival."""


class _WatchedParty(Party[P]):
    """A party that notes what it opens. It shares everything with the party that the session made."""

    def __init__(self, party: Party[P], opened: list[Entry]) -> None:
        self.__dict__.update(vars(party))
        self._opened = opened
        self._reveals = 0

    async def reveal(self, **outputs: Secret | SecretBits) -> Revealed:
        out = await super().reveal(**outputs)
        number, self._reveals = self._reveals, self._reveals + 1
        for name in out:
            value = np.ascontiguousarray(out[name]).tobytes()
            self._opened.append((f"output '{name}'", "/".join(self._path), number, value))
        return out

    @contextlib.asynccontextmanager
    async def fork(self, label: str) -> AsyncGenerator[Party[P]]:
        async with super().fork(label) as inner:
            yield _WatchedParty(inner, self._opened)


def run_watched(case: Case[Any], seed: int) -> tuple[Simulation[Any], dict[str, View]]:
    """Simulate a case, and give every party's view.

    Raises:
        MpcnetError: a party failed.
    """
    opened: dict[str, list[Entry]] = {}
    function = case.protocol.function

    async def watched(party: Party[Any]) -> Any:
        return await function(_WatchedParty(party, opened.setdefault(party.me.name, [])))

    job = case.job()
    simulation = simulate(replace(job, protocol=replace(job.protocol, function=watched)), case.inputs, seed=seed)
    views: dict[str, View] = {}
    for name, received in simulation.views.items():
        entries = [
            (
                f"{'round' if entry.kind == 'ROUND' else 'message'} from {entry.sender}",
                entry.fork,
                place,
                entry.body,
            )
            for place, entry in enumerate(received)
        ]
        # Numbered within each source: arrivals of different senders may change places when sizes do.
        views[name] = _numbered(entries) + tuple(sorted(opened.get(name, []), key=lambda entry: entry[:3]))
    return simulation, views


def _numbered(entries: list[tuple[str, str, int, memoryview]]) -> View:
    counts: dict[tuple[str, str], int] = {}
    found: list[Entry] = []
    for source, fork, _, body in sorted(entries, key=lambda entry: entry[:3]):
        number = counts.get((source, fork), 0)
        counts[source, fork] = number + 1
        found.append((source, fork, number, bytes(body)))
    return tuple(found)
