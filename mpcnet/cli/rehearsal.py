"""A job run in the simulator on inputs drawn from its declaration: what it costs, before anybody gives a secret.

Rounds and bytes follow from the program, its parameters and what it has opened, never from a secret; so inputs that
nobody has will do. Two different draws are run, one on a LAN and one on a WAN: where they cost unlike, control flow
depends on what is opened on the way, and both are told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import numpy as np

from mpcnet.cli.course import Crowd
from mpcnet.cli.progress import watch_crowd
from mpcnet.cli.show import explained
from mpcnet.errors import LocalError
from mpcnet.session import Decimals, Declaration, Job
from mpcnet.session.cost import CORRELATED
from mpcnet.session.inputs import Shared
from mpcnet.sim import LAN, WAN, Network, Simulation, simulate
from mpcnet.sim.simulation import seeded_randomness

__all__ = ("ROWS", "Rehearsal", "draw", "is_asked", "rehearse")

ROWS = 20
"""How many rows or items each owner has, where it may have any number."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What two draws of inputs cost; pairs are (the less, the more).

    Args:
        rounds: online rounds.
        sent_bytes, received_bytes: payload by party.
        lan_seconds, wan_seconds: virtual time, waiting for the network only.
        rows: how many rows or items each owner had; None where the declaration fixes it.
        asks_dealer: whether anything was asked of the dealer.
        told: by party, what it was told in the first draw.
    """

    rounds: tuple[int, int]
    sent_bytes: Mapping[str, tuple[int, int]]
    received_bytes: Mapping[str, tuple[int, int]]
    lan_seconds: float
    wan_seconds: float
    rows: int | None
    asks_dealer: bool
    told: Mapping[str, str]

    @property
    def is_fixed(self) -> bool:
        """Whether both draws cost the same."""
        pairs = [self.rounds, *self.sent_bytes.values(), *self.received_bytes.values()]
        return all(less == more for less, more in pairs)


def rehearse(job: Job[Any, Any], rows: int = ROWS, *, quiet: bool = True) -> Rehearsal:
    """Run a job twice in the simulator.

    Args:
        rows: how many each owner has, where it may have any number.
        quiet: show nothing; else how far it is, on a terminal.

    Raises:
        MpcnetError: it does not run: for example it takes a dealer, and names none.
        LocalError: an input is of a type of which we can draw nothing.
    """
    lan = _run(job, _inputs(job, rows, 1), LAN, 1, quiet=quiet)
    wan = _run(job, _inputs(job, rows, 2), WAN, 2, quiet=quiet)
    local = any(is_asked(item) and not isinstance(item, Shared) for item in job.protocol.inputs.values())
    parties = [*lan.outputs]
    return Rehearsal(
        _pair(lan.cost.rounds, wan.cost.rounds),
        {name: _pair(_sent(lan, name), _sent(wan, name)) for name in parties},
        {name: _pair(_received(lan, name), _received(wan, name)) for name in parties},
        lan.cost.seconds,
        wan.cost.seconds,
        rows if local else None,
        any(cost.regions[CORRELATED].rounds for cost in lan.cost.parties.values() if CORRELATED in cost.regions),
        {name: explained(job.protocol, outcome) for name, outcome in lan.outputs.items()},
    )


def _run(
    job: Job[Any, Any], inputs: Mapping[str, Mapping[str, object]], network: Network, seed: int, *, quiet: bool
) -> Simulation[Any]:
    crowd = Crowd(len(job.names), f"rehearsal {seed} of 2")
    with watch_crowd(crowd, quiet=quiet):
        return simulate(job, inputs, network=network, seed=seed, listener=crowd.take)


def is_asked(declaration: Declaration) -> bool:
    """Whether a party gives this input, and does not derive it from others."""
    return not (isinstance(declaration, Shared) and declaration.derived)


def draw(declaration: Declaration, params: Any, rows: int, below: Callable[[int], int]) -> object:
    """A value that `declaration.check` takes.

    Args:
        rows: how many, where the owner may have any number.
        below: n to a number from 0 to n - 1.

    Raises:
        LocalError: there is no drawing for its type.
    """
    facts = declaration.describe(params)
    if "options" in facts:
        return _one_of(cast("list[str]", facts["options"]), below)
    if isinstance(declaration, Shared):
        return _numbers(declaration, params, below)
    count = min(rows, cast("int", facts.get("most", 0)))
    if "labels" in facts:
        return [_one_of(cast("list[str]", facts["labels"]), below) for _ in range(count)]
    if "low" in facts and "high" in facts:
        return [_between(cast("int", facts["low"]), cast("int", facts["high"]), below) for _ in range(count)]
    if declaration.kind == "local-items":
        # Each has some that others have too.
        first = below(count + 1)
        return [f"item {first + place}" for place in range(count)]
    raise LocalError(f"an input of type {declaration.kind} cannot be drawn")


def _inputs(job: Job[Any, Any], rows: int, seed: int) -> dict[str, dict[str, object]]:
    drawn: dict[str, dict[str, object]] = {}
    for name, declaration in job.protocol.inputs.items():
        if not is_asked(declaration):
            continue
        for party in job.roles[declaration.by]:
            randomness = seeded_randomness(seed, f"{party}/{name}")
            value = draw(declaration, job.params, rows, lambda n, source=randomness: _below(n, source))  # type: ignore[misc]
            drawn.setdefault(party, {})[name] = value
    return drawn


def _below(n: int, randomness: Callable[[int], bytes]) -> int:
    return int.from_bytes(randomness(16), "little") % n


def _one_of(words: list[str], below: Callable[[int], int]) -> str:
    return words[below(len(words))]


def _between(low: int, high: int, below: Callable[[int], int]) -> int:
    return low + below(high - low + 1)


def _numbers(declaration: Shared, params: Any, below: Callable[[int], int]) -> object:
    low, high = declaration.limits(params)
    shape = declaration.row_shape(params)
    scale = declaration.denominator
    numbers: list[object] = [_between(low * scale, high * scale, below) for _ in range(math.prod(shape))]
    if isinstance(declaration, Decimals):
        numbers = [Decimal(cast("int", number)).scaleb(-declaration.places) for number in numbers]
    if not shape:
        return numbers[0]
    array = np.empty(len(numbers), np.object_)
    array[:] = numbers
    return array.reshape(shape)


def _pair(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)


def _sent(simulation: Simulation[Any], party: str) -> int:
    return sum(link.bytes for (sender, _), link in simulation.cost.links.items() if sender == party)


def _received(simulation: Simulation[Any], party: str) -> int:
    return sum(link.bytes for (_, receiver), link in simulation.cost.links.items() if receiver == party)
