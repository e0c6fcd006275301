"""Correlated randomness: typed items, the pool that gives each unit out once, what a dealer computes. No I/O."""
