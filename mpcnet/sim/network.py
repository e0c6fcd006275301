"""Models of networks: what a link between two simulated parties does to a message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mpcnet.errors import LocalError

__all__ = ("LAN", "WAN", "LinkModel", "Network")


@dataclass(frozen=True, slots=True)
class LinkModel:
    """One direction between two parties.

    A message of b bytes that is sent at t arrives at max(t, link free) + b / bandwidth + latency + jitter; the link
    is then free again when its last byte has left. Messages arrive in the order in which they were sent, whatever
    latency and jitter say: a link is one connection, on which nothing is overtaken.

    Args:
        latency_seconds: one way.
        bandwidth_bytes: per second; may be infinite.
        jitter_seconds: each message takes up to so much longer, drawn uniformly from the simulation's seed.
    """

    latency_seconds: float
    bandwidth_bytes: float = math.inf
    jitter_seconds: float = 0

    def __post_init__(self) -> None:
        if not (0 <= self.latency_seconds < math.inf and self.bandwidth_bytes > 0):
            raise LocalError("a link has a latency of at least 0 and a bandwidth above 0")
        if not 0 <= self.jitter_seconds < math.inf:
            raise LocalError("a link has a jitter of at least 0")


def _no_exceptions() -> dict[tuple[str, str], LinkModel]:
    return {}


@dataclass(frozen=True, slots=True)
class Network:
    """All links of a simulation.

    Args:
        default: every link that is not named.
        links: by (sender, receiver), links that differ.
    """

    default: LinkModel
    links: Mapping[tuple[str, str], LinkModel] = field(default_factory=_no_exceptions)

    def link(self, sender: str, receiver: str) -> LinkModel:
        """The model of one direction. It is asked for each message, and may differ from one to the next."""
        return self.links.get((sender, receiver), self.default)


LAN = Network(LinkModel(latency_seconds=0.0001, bandwidth_bytes=1.25e9))
"""A local network: 10 Gbit/s, with a round trip of 0.2 ms."""

WAN = Network(LinkModel(latency_seconds=0.05, bandwidth_bytes=12.5e6))
"""A wide-area network: 100 Mbit/s, with a round trip of 100 ms."""
