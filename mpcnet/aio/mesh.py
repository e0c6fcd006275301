"""The asyncio twins of `mpcnet.open_mesh` and `mpcnet.Mesh`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import TypeVar

from mpcnet.aio.guest import Guest, join_guest
from mpcnet.declare import Job
from mpcnet.identity import Identity, Member, Roster
from mpcnet.session import Mesh as TrioMesh
from mpcnet.session import Result
from mpcnet.session import open_mesh as open_trio_mesh
from mpcnet.session.events import Listener
from mpcnet.transport.timing import Timing
from mpcnet.wire.limits import Limits

__all__ = ("Mesh", "open_mesh")

P = TypeVar("P")
T = TypeVar("T")


class Mesh:
    """One party's place among the parties of a roster. Made by `mpcnet.aio.open_mesh`.

    Many jobs may run at once, each in the asyncio task that called `run`.

    Args:
        guest: the trio run under this asyncio loop.
        mesh: the mesh that is open in it.
    """

    def __init__(self, guest: Guest, mesh: TrioMesh) -> None:
        self.roster: Roster = mesh.roster
        self.me: Member = mesh.me
        self._guest = guest
        self._mesh = mesh

    def __repr__(self) -> str:
        return f"aio.{self._mesh!r}"

    async def run(self, job: Job[P, T], inputs: Mapping[str, object] | None = None) -> T:
        """Run one job with the parties that it names; returns what its protocol returns here.

        As `mpcnet.Mesh.run`, with its errors. A cancellation ends the job and tells the other parties, and is
        raised when they are told, at most seconds later.

        Raises:
            LocalError: also if the mesh is closed, or belongs to another asyncio loop.
        """
        return (await self.execute(job, inputs)).outcome

    async def execute(self, job: Job[P, T], inputs: Mapping[str, object] | None = None) -> Result[T]:
        """As `run`, with the job's id and costs."""
        return await self._guest.call(partial(self._mesh.execute, job, inputs))


@contextlib.asynccontextmanager
async def open_mesh(
    roster: Roster,
    identity: Identity,
    *,
    listener: Listener | None = None,
    limits: Limits | None = None,
    timing: Timing | None = None,
) -> AsyncGenerator[Mesh]:
    """Take our place among the parties of a roster, over encrypted TCP, in an asyncio application.

    As `mpcnet.open_mesh`. All meshes of a loop share one trio run; the last one to be closed ends it. If the mesh
    fails, the task that opened it is cancelled, and the block raises why.

    Args:
        roster: the same for all parties.
        identity: our key, which the roster must hold.
        listener: told what happens, in the loop's thread; it must not block.
        limits: what a peer may make us hold.
        timing: how long links wait for what.

    Raises:
        LocalError: the roster contradicts itself or does not hold our key; we cannot listen at our address; no
            asyncio loop runs here; or this thread belongs to a trio run of the application.
    """
    mesh = open_trio_mesh(roster, identity, listener=listener, limits=limits, timing=timing)
    async with join_guest() as guest, guest.hold(mesh) as opened:
        yield Mesh(guest, opened)
