"""`open_mesh`: a party takes its place among the others, over encrypted TCP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import trio

from mpcnet.errors import LocalError
from mpcnet.identity import Identity, Roster
from mpcnet.session.events import Listener
from mpcnet.session.mesh import Mesh
from mpcnet.transport.tcp import TcpTransport
from mpcnet.transport.timing import Timing
from mpcnet.wire.limits import Limits

__all__ = ("open_mesh",)


@contextlib.asynccontextmanager
async def open_mesh(
    roster: Roster,
    identity: Identity,
    *,
    listener: Listener | None = None,
    limits: Limits | None = None,
    timing: Timing | None = None,
) -> AsyncGenerator[Mesh]:
    """Take our place among the parties of a roster, over encrypted TCP.

    Returns at once; links come up in the background, and `Mesh.run` waits for the parties that it needs.

    Args:
        roster: the same for all parties.
        identity: our key, which the roster must hold.
        listener: told what happens, for progress and logs.
        limits: what a peer may make us hold.
        timing: how long links wait for what.

    Raises:
        LocalError: the roster contradicts itself or does not hold our key; we cannot listen at our address; or
            this is no trio task.
    """
    if not trio.lowlevel.in_trio_task():
        raise LocalError("mpcnet.open_mesh runs in trio tasks; in an asyncio application use mpcnet.aio.open_mesh")
    roster.check()
    me = roster.by_key(identity.public)
    transport = TcpTransport(roster, identity, me=me.index, limits=limits, timing=timing)
    async with Mesh(roster, me, transport, listener=listener).open() as mesh:
        yield mesh
