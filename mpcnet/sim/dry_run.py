"""A job run in the simulator on inputs drawn from its declaration: what it costs, before a party gives a secret.

Rounds and bytes follow from the program, its parameters and what it has opened, never from a secret; so invented
inputs will do. Two different draws are run, one on a LAN and one on a WAN: where they cost unlike, control flow
depends on what is opened on the way, and both are told.

A protocol may refuse what its declaration takes: a ballot that names an option twice. Then no two rows are drawn
alike, and after that the inputs of the protocol's example are tried.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpcnet.declare import Job
from mpcnet.declare.examples import Inputs
from mpcnet.declare.inputs import Chooser
from mpcnet.errors import LocalError
from mpcnet.session.cost import CORRELATED
from mpcnet.session.events import Event
from mpcnet.sim.network import LAN, WAN, Network
from mpcnet.sim.simulation import Simulation, seeded_randomness, simulate

__all__ = ("ROWS", "DryRun", "InputsRefused", "SeededChooser", "Source", "dry_run")

ROWS = 20
"""How many rows or items each owner has, where it may have any number."""


class Source(enum.Enum):
    """Where the inputs of a dry run come from; the first of these that the protocol takes."""

    DRAWN = "inputs drawn at random"
    DISTINCT = "inputs drawn at random, no two rows of an owner alike"
    EXAMPLE = "the inputs of the protocol's example"


class InputsRefused(LocalError):
    """The protocol takes none of the inputs that a dry run has; it may take others."""


Watcher = Callable[[int, str, Event], None]
"""Told what happens in which of the two runs (0 or 1), and at which party."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What two runs on different inputs cost; pairs are (the less, the more).

    Args:
        source: which inputs they were.
        rounds: online rounds.
        sent_bytes, received_bytes: payload by party.
        lan_seconds, wan_seconds: virtual time, waiting for the network only.
        rows: how many rows or items each owner had; None where the declaration fixes it.
        asks_dealer: whether anything was asked of the dealer.
        outcomes: by party, what the first run returned to it.
    """

    source: Source
    rounds: tuple[int, int]
    sent_bytes: Mapping[str, tuple[int, int]]
    received_bytes: Mapping[str, tuple[int, int]]
    lan_seconds: float
    wan_seconds: float
    rows: int | None
    asks_dealer: bool
    outcomes: Mapping[str, Any]

    @property
    def is_fixed(self) -> bool:
        """Whether both runs cost the same."""
        pairs = [self.rounds, *self.sent_bytes.values(), *self.received_bytes.values()]
        return all(less == more for less, more in pairs)


def dry_run(job: Job[Any, Any], rows: int = ROWS, *, watcher: Watcher | None = None) -> DryRun:
    """Run a job twice in the simulator, on a LAN and on a WAN.

    Args:
        rows: how many each owner has, where it may have any number.
        watcher: told what happens, while it runs.

    Raises:
        MpcnetError: it does not run: for example it takes a dealer, and names none.
        InputsRefused: it takes none of the inputs that we have.
    """
    refusals: list[LocalError] = []
    for source, first, second in _ways(job, rows):
        try:
            lan = _run(job, first(), LAN, 0, watcher)
            wan = _run(job, second(), WAN, 1, watcher)
        except LocalError as error:
            refusals.append(error)
        else:
            return _found(job, rows, source, lan, wan)
    first_refusal = refusals[0]
    if len(refusals) > 1 and all(_equal(refusal, first_refusal) for refusal in refusals):
        raise first_refusal  # whatever the inputs: it is the job
    raise InputsRefused(str(first_refusal)) from first_refusal


def _equal(one: LocalError, other: LocalError) -> bool:
    return type(one) is type(other) and (one.args, one.row) == (other.args, other.row)


def _ways(job: Job[Any, Any], rows: int) -> Iterator[tuple[Source, Callable[[], Inputs], Callable[[], Inputs]]]:
    """Sources, and two inputs of each."""
    yield Source.DRAWN, lambda: _inputs(job, rows, 1), lambda: _inputs(job, rows, 2)
    # Where an input has too many possible rows to be given all, it is drawn as before.
    if repr(_inputs(job, rows, 1, distinct=True)) != repr(_inputs(job, rows, 1)):
        yield (
            Source.DISTINCT,
            lambda: _inputs(job, rows, 1, distinct=True),
            lambda: _inputs(job, rows, 2, distinct=True),
        )
    if job.protocol.example is not None:
        yield Source.EXAMPLE, lambda: _of_example(job, 0), lambda: _of_example(job, 1)


def _found(job: Job[Any, Any], rows: int, source: Source, lan: Simulation[Any], wan: Simulation[Any]) -> DryRun:
    open_ended = any(item.is_given and item.is_open_ended for item in job.protocol.inputs.values())
    parties = [*lan.outputs]
    return DryRun(
        source,
        _pair(lan.cost.rounds, wan.cost.rounds),
        {name: _pair(_sent(lan, name), _sent(wan, name)) for name in parties},
        {name: _pair(_received(lan, name), _received(wan, name)) for name in parties},
        lan.cost.seconds,
        wan.cost.seconds,
        rows if open_ended and source is Source.DRAWN else None,
        any(cost.regions[CORRELATED].rounds for cost in lan.cost.parties.values() if CORRELATED in cost.regions),
        dict(lan.outputs),
    )


def _run(
    job: Job[Any, Any], inputs: Inputs, network: Network, number: int, watcher: Watcher | None
) -> Simulation[Any]:
    listener = None if watcher is None else functools.partial(watcher, number)
    return simulate(job, inputs, network=network, seed=number + 1, listener=listener)


class SeededChooser(Chooser):
    """Numbers that follow from a seed, all over their ranges.

    Args:
        seed: of the dry run.
        purpose: a name for what is drawn; others are independent of it.
        rows: how many an owner has, where it may have any number.
        distinct: see `Chooser`.
    """

    def __init__(self, seed: int, purpose: str, rows: int, *, distinct: bool = False) -> None:
        self.distinct = distinct
        self._rows = rows
        self._randomness = seeded_randomness(seed, purpose)

    def integer(self, low: int, high: int) -> int:
        """See `Chooser.integer`."""
        return low + int.from_bytes(self._randomness(16), "little") % (high - low + 1)

    def rows(self, most: int) -> int:
        """See `Chooser.rows`."""
        return min(self._rows, most)


def _inputs(job: Job[Any, Any], rows: int, seed: int, *, distinct: bool = False) -> Inputs:
    drawn: dict[str, dict[str, object]] = {}
    for name, party in _asked(job):
        choose = SeededChooser(seed, f"{party}/{name}", rows, distinct=distinct)
        drawn.setdefault(party, {})[name] = job.protocol.inputs[name].sample(job.params, choose)
    return drawn


def _of_example(job: Job[Any, Any], shift: int) -> Inputs:
    """What the example's people give, by their places in the role: once around where the job has more.

    Raises:
        LocalError: it does not fit the parameters of this job, or no party gives such an input in the example.
    """
    example = job.protocol.example
    assert example is not None  # noqa: S101 -- `_ways` asks
    taken: dict[str, dict[str, object]] = {}
    for name, party in _asked(job):
        declaration = job.protocol.inputs[name]
        givers = [giver for giver in example.roles[declaration.by] if name in example.inputs.get(giver, {})]
        if not givers:
            raise LocalError(f"no party gives input '{name}' in the example")
        place = tuple(job.roles[declaration.by]).index(party) + shift
        words = example.inputs[givers[place % len(givers)]][name]
        taken.setdefault(party, {})[name] = declaration.parse(words, job.params)
    return taken


def _asked(job: Job[Any, Any]) -> Iterator[tuple[str, str]]:
    """Every input that a party is asked for, with each party that is."""
    for name, declaration in job.protocol.inputs.items():
        if declaration.is_given:
            yield from ((name, party) for party in job.roles[declaration.by])


def _pair(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)


def _sent(simulation: Simulation[Any], party: str) -> int:
    return sum(link.bytes for (sender, _), link in simulation.cost.links.items() if sender == party)


def _received(simulation: Simulation[Any], party: str) -> int:
    return sum(link.bytes for (_, receiver), link in simulation.cost.links.items() if receiver == party)
