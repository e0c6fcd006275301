"""Security parameters and the conventions for n and t, stated once.

n is the number of computing parties and t the number of corrupted ones that a scheme tolerates. κ bounds what a
computationally bounded adversary can do offline, σ the statistical distance of what it sees. Unless a docstring
says otherwise these hold everywhere.
"""

from __future__ import annotations

from typing import Final

__all__ = ("KAPPA", "SEED_BYTES", "SIGMA")

KAPPA: Final = 128
SIGMA: Final = 40
SEED_BYTES: Final = 32
"""Bytes of a pair's seed: twice κ, so that guessing one of many seeds at once stays out of reach."""
