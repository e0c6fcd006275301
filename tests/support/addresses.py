"""Addresses of pages that tests play: each stands for a free port of this machine."""

from __future__ import annotations

import re

from mpcnet.transport.free_ports import free_ports

__all__ = ("with_free_ports",)


def with_free_ports(text: str) -> str:
    """The text with another free port for each of its loopback addresses, the same wherever an address recurs."""
    named = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
    fresh = dict(zip(named, free_ports(len(named)), strict=True))
    return re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{fresh[found[1]]}", text)
