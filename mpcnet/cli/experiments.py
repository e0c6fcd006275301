"""What `mpcnet sim` is told about an experiment in words: networks, links and faults."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from mpcnet.cli.formatting import time_text
from mpcnet.errors import LocalError, did_you_mean
from mpcnet.sim import LAN, WAN, Crash, CrashAfter, Fault, LinkModel, Network, Stall

__all__ = ("network_text", "parse_fault", "parse_network", "with_links")

_NAMED = {"lan": LAN, "wan": WAN}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_BYTES = {"kbit": 125.0, "mbit": 125e3, "gbit": 125e6, "kb": 1e3, "mb": 1e6, "gb": 1e9}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)")
_BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit|kb|mb|gb)", re.IGNORECASE)
_FAULTS: Mapping[str, Callable[[str, int], Fault]] = {
    "crash": Crash,
    "crash-after": CrashAfter,
    "stall": Stall,
}


def parse_network(text: str) -> Network:
    """The network of "lan", "wan", or of latency, jitter and bandwidth: "20ms", "50ms/100Mbit", "50ms~10ms/1MB".

    Raises:
        LocalError: it is none of these.
    """
    if text.lower() in _NAMED:
        return _NAMED[text.lower()]
    times, slash, bandwidth_text = text.partition("/")
    latency_text, tilde, jitter_text = times.partition("~")
    latency, jitter = _seconds(latency_text), _seconds(jitter_text)
    bandwidth = _BANDWIDTH.fullmatch(bandwidth_text)
    if latency is None or (tilde and jitter is None) or (slash and bandwidth is None):
        raise LocalError(
            "a network is lan, wan, or one-way latency, jitter and bandwidth, for example 50ms/100Mbit or "
            "50ms~10ms/100Mbit"
        )
    speed = float(bandwidth[1]) * _BYTES[bandwidth[2].lower()] if bandwidth else math.inf
    return Network(LinkModel(latency, speed, jitter or 0))


def with_links(network: Network, texts: Sequence[str]) -> Network:
    """The network with other links between some parties, in both directions: "ann:ben=200ms/1Mbit".

    Raises:
        LocalError: a text has another form. That the parties take part is for the simulation to find out.
    """
    links = dict(network.links)
    for text in texts:
        ends, sign, what = text.partition("=")
        one, colon, other = ends.partition(":")
        if not (sign and colon and one and other):
            raise LocalError("--link takes NAME:NAME=NETWORK, for example ann:ben=200ms/1Mbit")
        links[one, other] = links[other, one] = parse_network(what).default
    return Network(network.default, links)


def parse_fault(text: str) -> Fault:
    """The fault of "crash:ben:3" or "stall:ben:3" (from round 3 on), or "crash-after:ben:2" (after 2 messages).

    Raises:
        LocalError: it has another form.
    """
    kind, _, rest = text.partition(":")
    party, _, number = rest.partition(":")
    if kind not in _FAULTS:
        known = f"{', '.join(_FAULTS)}{did_you_mean(kind, _FAULTS)}"
        raise LocalError(f"there is no fault '{kind}'; there are: {known}")
    if not party or not re.fullmatch(r"[0-9]{0,9}", number):
        raise LocalError("--fault takes KIND:NAME[:NUMBER], for example crash:ben:3")
    return _FAULTS[kind](party, int(number or 0))


def network_text(network: Network) -> str:
    """A network in words."""
    link = network.default
    named = next((name.upper() + ": " for name, known in _NAMED.items() if known == network), "")
    jitter = f" and up to {time_text(link.jitter_seconds)} more" if link.jitter_seconds else ""
    if math.isinf(link.bandwidth_bytes):
        speed = ""
    else:
        bits = link.bandwidth_bytes * 8
        speed = f", {bits / 1e9:g} Gbit/s" if bits >= 1e9 else f", {bits / 1e6:g} Mbit/s"
    others = f", {len(network.links)} links of their own" if network.links else ""
    return f"{named}{time_text(link.latency_seconds)}{jitter} one way{speed}{others}"


def _seconds(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    return None if found is None else float(found[1]) * _SECONDS[found[2]]
