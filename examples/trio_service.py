"""A service under trio with a party inside: it takes part in auctions when it is asked to.

python -m examples.trio_service alice --port 8101
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from examples.lots import MAX_LINE_BYTES, Mesh, Settings, answer, log_event, settings_from
from mpcnet import MpcnetError, open_mesh

_log = logging.getLogger("auctions")


async def serve(settings: Settings) -> None:
    """Answer requests until a signal comes."""
    ours = open_mesh(settings.roster, settings.identity, listener=log_event)
    # A signal cancels all requests. When the other parties are told, the mesh says goodbye.
    async with ours as mesh, trio.open_nursery() as requests:
        requests.start_soon(_cancel_on_signal, requests.cancel_scope)
        handler = partial(_handle, settings, mesh)
        await requests.start(partial(trio.serve_tcp, handler, settings.port, host="127.0.0.1"))
        _log.info("ready on port %d", settings.port)
    _log.info("stopped")


async def _cancel_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()


async def _handle(settings: Settings, mesh: Mesh, client: trio.SocketStream) -> None:
    """One request. What goes wrong with its client is no reason to end the service."""
    try:
        line = await _read_line(client)
        reply = await _unless_gone(client, partial(answer, mesh, settings, line))
        if reply is not None:
            await client.send_all(f"{reply}\n".encode())
    except trio.BrokenResourceError:
        _log.info("a client went away")


async def _unless_gone(client: trio.SocketStream, request: Callable[[], Awaitable[str]]) -> str | None:
    """The reply; None if the client hung up before: then the request was cancelled."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_when_gone, client, nursery.cancel_scope)
        reply = await request()
        nursery.cancel_scope.cancel()
        return reply
    return None


async def _read_line(client: trio.SocketStream) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
        received = await client.receive_some(MAX_LINE_BYTES)
        if not received:
            break
        line += received
    return line


async def _cancel_when_gone(client: trio.SocketStream, request: trio.CancelScope) -> None:
    try:
        while await client.receive_some(MAX_LINE_BYTES):
            pass
    except trio.BrokenResourceError:
        pass
    request.cancel()


def main() -> None:
    """Run until SIGINT or SIGTERM; then the exit code is 0."""
    try:
        trio.run(serve, settings_from(sys.argv[1:]))
    except MpcnetError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
