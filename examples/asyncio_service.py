"""A service under asyncio with a party inside: it takes part in auctions when it is asked to.

python -m examples.asyncio_service bob --port 8102
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from examples.lots import MAX_LINE_BYTES, Mesh, Settings, answer, log_event, settings_from
from mpcnet import MpcnetError
from mpcnet.aio import open_mesh

_log = logging.getLogger("auctions")


async def serve(settings: Settings) -> None:
    """Answer requests until we are cancelled."""
    loop = asyncio.get_running_loop()
    if (ourselves := asyncio.current_task()) is not None:  # which is so in every coroutine
        for wanted in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(wanted, ourselves.cancel)
    ours = open_mesh(settings.roster, settings.identity, listener=log_event)
    # Our cancellation cancels all requests. When the other parties are told, the mesh is closed.
    async with ours as mesh, asyncio.TaskGroup() as requests:
        server = await asyncio.start_server(
            lambda reader, writer: requests.create_task(_handle(settings, mesh, reader, writer)),
            "127.0.0.1",
            settings.port,
            limit=MAX_LINE_BYTES,
        )
        _log.info("ready on port %d", settings.port)
        try:
            await loop.create_future()
        finally:
            server.close()


async def _handle(
    settings: Settings, mesh: Mesh, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One request. What goes wrong with its client is no reason to end the service."""
    try:
        line = await reader.readline()
        reply = await _unless_gone(reader, answer(mesh, settings, line))
        if reply is not None:
            writer.write(f"{reply}\n".encode())
            await writer.drain()
    except (ConnectionError, ValueError):  # ValueError: the line is too long
        _log.info("a client went away")
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _unless_gone(reader: asyncio.StreamReader, request: Coroutine[Any, Any, str]) -> str | None:
    """The reply; None if the client hung up before: then the request was cancelled."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(request)
        watching = tasks.create_task(_cancel_when_gone(reader, running))
        running.add_done_callback(lambda _: watching.cancel())
    return None if running.cancelled() else running.result()


async def _cancel_when_gone(reader: asyncio.StreamReader, request: asyncio.Task[str]) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(MAX_LINE_BYTES):
            pass
    request.cancel()


def main() -> None:
    """Run until SIGINT or SIGTERM; then the exit code is 0."""
    try:
        asyncio.run(serve(settings_from(sys.argv[1:])))
    except asyncio.CancelledError:
        _log.info("stopped")
    except MpcnetError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
