"""A job run in the simulator on inputs drawn from its declaration: what it costs, before anybody gives a secret.

Rounds and bytes follow from the program, its parameters and what it has opened, never from a secret; so inputs that
nobody has will do. Two different draws are run, one on a LAN and one on a WAN: where they cost unlike, control flow
depends on what is opened on the way, and both are told.

A protocol may refuse what its declaration takes: a ballot that names an option twice. Then no two rows are drawn
alike, and after that the inputs of the protocol's example are tried.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import numpy as np

from mpcnet.cli.formatting import explained
from mpcnet.cli.progress import watch_crowd
from mpcnet.cli.progress_model import Crowd
from mpcnet.declare import Decimals, Declaration, Job
from mpcnet.declare.inputs import Shared
from mpcnet.errors import LocalError
from mpcnet.session.cost import CORRELATED
from mpcnet.sim import LAN, WAN, Network, Simulation, simulate
from mpcnet.sim.simulation import seeded_randomness

__all__ = ("ROWS", "Refused", "Rehearsal", "draw", "is_asked", "rehearse")

ROWS = 20
"""How many rows or items each owner has, where it may have any number."""
_MOST_DISTINCT = 1024
"""Of more possible rows, those that are drawn are seldom alike anyhow."""
_DRAWN = "inputs drawn at random"
_DISTINCT = "inputs drawn at random, no two rows of an owner alike"
_EXAMPLE = "the inputs of the protocol's example"

Inputs = Mapping[str, Mapping[str, object]]


class Refused(LocalError):
    """The protocol takes none of the inputs that a rehearsal has; it may take others."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What two draws of inputs cost; pairs are (the less, the more).

    Args:
        inputs: which they were, in words.
        rounds: online rounds.
        sent_bytes, received_bytes: payload by party.
        lan_seconds, wan_seconds: virtual time, waiting for the network only.
        rows: how many rows or items each owner had; None where the declaration fixes it.
        asks_dealer: whether anything was asked of the dealer.
        told: by party, what it was told in the first draw.
    """

    inputs: str
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
        Refused: it takes none of the inputs that we have.
        LocalError: an input is of a type of which we can draw nothing.
    """
    refusals: list[LocalError] = []
    for words, first, second in _ways(job, rows):
        try:
            lan = _run(job, first(), LAN, 1, quiet=quiet)
            wan = _run(job, second(), WAN, 2, quiet=quiet)
        except LocalError as error:
            refusals.append(error)
        else:
            return _told(job, rows, words, lan, wan)
    if len(refusals) > 1 and len(set(map(str, refusals))) == 1:
        raise refusals[0]  # whatever the inputs: it is the job
    raise Refused(str(refusals[0])) from refusals[0]


def _ways(job: Job[Any, Any], rows: int) -> Iterator[tuple[str, Callable[[], Inputs], Callable[[], Inputs]]]:
    """In words, and two inputs of that kind."""
    yield _DRAWN, lambda: _inputs(job, rows, 1), lambda: _inputs(job, rows, 2)
    if any(
        not isinstance(item, Shared) and _every_row(item.describe(job.params))
        for item in job.protocol.inputs.values()
    ):
        yield _DISTINCT, lambda: _inputs(job, rows, 1, distinct=True), lambda: _inputs(job, rows, 2, distinct=True)
    if job.protocol.example is not None:
        yield _EXAMPLE, lambda: _of_example(job, 0), lambda: _of_example(job, 1)


def _told(job: Job[Any, Any], rows: int, words: str, lan: Simulation[Any], wan: Simulation[Any]) -> Rehearsal:
    local = any(is_asked(item) and not isinstance(item, Shared) for item in job.protocol.inputs.values())
    parties = [*lan.outputs]
    return Rehearsal(
        words,
        _pair(lan.cost.rounds, wan.cost.rounds),
        {name: _pair(_sent(lan, name), _sent(wan, name)) for name in parties},
        {name: _pair(_received(lan, name), _received(wan, name)) for name in parties},
        lan.cost.seconds,
        wan.cost.seconds,
        rows if local and words == _DRAWN else None,
        any(cost.regions[CORRELATED].rounds for cost in lan.cost.parties.values() if CORRELATED in cost.regions),
        {name: explained(job.protocol, outcome) for name, outcome in lan.outputs.items()},
    )


def _run(job: Job[Any, Any], inputs: Inputs, network: Network, seed: int, *, quiet: bool) -> Simulation[Any]:
    crowd = Crowd(len(job.names), f"rehearsal {seed} of 2")
    with watch_crowd(crowd, quiet=quiet):
        return simulate(job, inputs, network=network, seed=seed, listener=crowd.take)


def is_asked(declaration: Declaration) -> bool:
    """Whether a party gives this input, and does not derive it from others."""
    return not (isinstance(declaration, Shared) and declaration.derived)


def draw(
    declaration: Declaration, params: Any, rows: int, below: Callable[[int], int], *, distinct: bool = False
) -> object:
    """A value that `declaration.check` takes.

    Args:
        rows: how many, where the owner may have any number.
        below: n to a number from 0 to n - 1.
        distinct: no two rows alike, and as many as there can be, where these are few: an order of all labels.

    Raises:
        LocalError: there is no drawing for its type.
    """
    facts = declaration.describe(params)
    if "options" in facts:
        return _one_of(cast("list[str]", facts["options"]), below)
    if isinstance(declaration, Shared):
        return _numbers(declaration, params, below)
    most = cast("int", facts.get("most", 0))
    if distinct and (every := _every_row(facts)):
        return _shuffled(every, below)[:most]
    count = min(rows, most)
    if "labels" in facts:
        return [_one_of(cast("list[str]", facts["labels"]), below) for _ in range(count)]
    if "low" in facts and "high" in facts:
        return [_between(cast("int", facts["low"]), cast("int", facts["high"]), below) for _ in range(count)]
    if declaration.kind == "local-items":
        # Each has some that others have too.
        first = below(count + 1)
        return [f"item {first + place}" for place in range(count)]
    raise LocalError(f"an input of type {declaration.kind} cannot be drawn")


def _every_row(facts: Mapping[str, object]) -> list[object]:
    """All rows that an input may have, if they are few; else none."""
    if "labels" in facts:
        labels = cast("list[object]", facts["labels"])
        return list(labels) if len(labels) <= _MOST_DISTINCT else []
    if "low" not in facts or "high" not in facts:
        return []
    numbers = range(cast("int", facts["low"]), cast("int", facts["high"]) + 1)
    return list(numbers) if len(numbers) <= _MOST_DISTINCT else []


def _shuffled(rows: list[object], below: Callable[[int], int]) -> list[object]:
    """Fisher and Yates's."""
    for place in range(len(rows) - 1, 0, -1):
        other = below(place + 1)
        rows[place], rows[other] = rows[other], rows[place]
    return rows


def _inputs(job: Job[Any, Any], rows: int, seed: int, *, distinct: bool = False) -> Inputs:
    drawn: dict[str, dict[str, object]] = {}
    for name, party in _asked(job):
        randomness = seeded_randomness(seed, f"{party}/{name}")
        below = functools.partial(_below, randomness=randomness)
        drawn.setdefault(party, {})[name] = draw(
            job.protocol.inputs[name], job.params, rows, below, distinct=distinct
        )
    return drawn


def _of_example(job: Job[Any, Any], shift: int) -> Inputs:
    """What the example's people give, by their places in the role: once around where the job has more.

    Raises:
        LocalError: it does not fit the parameters of this job, or nobody gives such an input in the example.
    """
    example = job.protocol.example
    assert example is not None  # noqa: S101 -- `_ways` asks
    taken: dict[str, dict[str, object]] = {}
    for name, party in _asked(job):
        declaration = job.protocol.inputs[name]
        givers = [giver for giver in example.roles[declaration.by] if name in example.inputs.get(giver, {})]
        if not givers:
            raise LocalError(f"nobody gives input '{name}' in the example")
        place = tuple(job.roles[declaration.by]).index(party) + shift
        words = example.inputs[givers[place % len(givers)]][name]
        taken.setdefault(party, {})[name] = declaration.parse(words, job.params)
    return taken


def _asked(job: Job[Any, Any]) -> Iterator[tuple[str, str]]:
    """Every input that somebody is asked for, with each who is."""
    for name, declaration in job.protocol.inputs.items():
        if is_asked(declaration):
            yield from ((name, party) for party in job.roles[declaration.by])


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
