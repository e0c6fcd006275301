"""What a party sees of a job: what it receives, and what it opens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mpcnet.algebra import Buffer
from mpcnet.declare import Party, Revealed
from mpcnet.dsl import Secret, SecretBits
from mpcnet.engine import Context, Step
from mpcnet.identity import Member
from mpcnet.sim import Simulation, simulate
from mpcnet.testing.cases import Case

__all__ = ("Entry", "View", "run_watched")

P = TypeVar("P")
R = TypeVar("R")

Entry = tuple[str, str, int, bytes]
"""Where it comes from, which fork, its number, and the bytes."""

View = tuple[Entry, ...]
"""All entries of a party, in an order that does not depend on arrival."""


class _WatchedParty(Party[P]):
    """A party that notes what it opens, and passes everything on to the one that the session made."""

    def __init__(self, party: Party[P], opened: list[Entry]) -> None:
        self.me = party.me
        self.roster = party.roster
        self.roles = party.roles
        self.params = party.params
        self._party = party
        self._opened = opened
        self._reveals = 0

    @property
    def path(self) -> tuple[str, ...]:
        return self._party.path

    @property
    def job_id(self) -> bytes:
        return self._party.job_id

    def random_bytes(self, count: int) -> bytes:
        return self._party.random_bytes(count)

    def share(self, name: str, value: object = None) -> Secret:
        return self._party.share(name, value)

    def local(self, name: str) -> Any:
        return self._party.local(name)

    def use(self, value: Secret) -> Secret:
        return self._party.use(value)

    async def reveal(self, **outputs: Secret | SecretBits) -> Revealed:
        out = await self._party.reveal(**outputs)
        number, self._reveals = self._reveals, self._reveals + 1
        for name in out:
            value = np.ascontiguousarray(out[name]).tobytes()
            self._opened.append((f"output '{name}'", "/".join(self.path), number, value))
        return out

    async def evaluate(self, *values: Secret | SecretBits) -> None:
        await self._party.evaluate(*values)

    async def run(self, name: str, build: Callable[[Context], Step[R]], *, details: bytes = b"") -> R:
        return await self._party.run(name, build, details=details)

    @contextlib.asynccontextmanager
    async def fork(self, label: str) -> AsyncGenerator[Party[P]]:
        async with self._party.fork(label) as inner:
            yield _WatchedParty(inner, self._opened)

    def region(self, name: str) -> AbstractContextManager[None]:
        return self._party.region(name)

    async def send(self, to: Member, data: Buffer) -> None:
        await self._party.send(to, data)

    async def receive(self, source: Member, *, max_bytes: int) -> memoryview:
        return await self._party.receive(source, max_bytes=max_bytes)

    async def offload(self, function: Callable[..., R], *args: Any) -> R:
        return await self._party.offload(function, *args)


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
