"""What a job cost on one party, counted where it happens."""

from __future__ import annotations

from dataclasses import dataclass, field

from mpcnet.correlated.provider import CORRELATED

__all__ = ("CORRELATED", "MAIN", "Cost", "RegionCost")

MAIN = "main"
"""The region of everything that is in no named one."""


@dataclass(slots=True)
class RegionCost:
    """Counts of one region.

    Args:
        rounds: exchanges in which we sent or expected something. Rounds of forks that ran at the same time are
            counted each.
        messages: what we sent, in rounds and by `Party.send`.
        sent_bytes: their payload, without headers and encryption.
        received_bytes: payload that we received.
    """

    rounds: int = 0
    messages: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


@dataclass(slots=True)
class Cost:
    """Counts of a job on one party, by region."""

    regions: dict[str, RegionCost] = field(default_factory=dict[str, RegionCost])

    def region(self, name: str) -> RegionCost:
        """The counts of a region, to be added to."""
        known = self.regions.get(name)
        if known is None:
            known = self.regions[name] = RegionCost()
        return known

    @property
    def rounds(self) -> int:
        """Online rounds of all regions."""
        return sum(region.rounds for name, region in self.regions.items() if name != CORRELATED)

    @property
    def messages(self) -> int:
        """Of all regions."""
        return sum(region.messages for region in self.regions.values())

    @property
    def sent_bytes(self) -> int:
        """Of all regions."""
        return sum(region.sent_bytes for region in self.regions.values())
