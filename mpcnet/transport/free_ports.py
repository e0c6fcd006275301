"""Ports for parties that all run on one machine: demonstrations, benchmarks, tests."""

from __future__ import annotations

import socket

from mpcnet.primitives import random_bytes

__all__ = ("free_ports",)

_PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections: the parties' own dialling cannot take one."""


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Different ports of this machine at which nothing listens now, drawn at random.

    Drawn, because between this call and the party's own nothing holds a port: two calls at the same time, of two
    processes, seldom meet.

    Args:
        count: how many.
        host: the IPv4 address at which the parties will listen.
    """
    found: list[int] = []
    while len(found) < count:
        port = _PORTS[int.from_bytes(random_bytes(4), "little") % len(_PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found
