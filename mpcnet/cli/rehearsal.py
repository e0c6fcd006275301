"""A job run in the simulator on inputs drawn from its declaration: what it costs, before anybody gives a secret.

Rounds and bytes follow from the program, its parameters and what it has opened, never from a secret; so inputs that
nobody has will do. Two different draws are run, one on a LAN and one on a WAN: where they cost unlike, control flow
depends on what is opened on the way, and both are told.

A protocol may refuse what its declaration takes: a ballot that names an option twice. Then no two rows are drawn
alike, and after that the inputs of the protocol's example are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpcnet.cli.formatting import explained
from mpcnet.cli.progress import watch_crowd
from mpcnet.cli.progress_model import Crowd
from mpcnet.declare import Job
from mpcnet.declare.inputs import Chooser
from mpcnet.errors import LocalError
from mpcnet.session.cost import CORRELATED
from mpcnet.sim import LAN, WAN, Network, Simulation, simulate
from mpcnet.sim.simulation import seeded_randomness

__all__ = ("ROWS", "Refused", "Rehearsal", "SeededChooser", "rehearse")

ROWS = 20
"""How many rows or items each owner has, where it may have any number."""
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
    # Where an input has too many possible rows to be given all, it is drawn as before.
    if repr(_inputs(job, rows, 1, distinct=True)) != repr(_inputs(job, rows, 1)):
        yield _DISTINCT, lambda: _inputs(job, rows, 1, distinct=True), lambda: _inputs(job, rows, 2, distinct=True)
    if job.protocol.example is not None:
        yield _EXAMPLE, lambda: _of_example(job, 0), lambda: _of_example(job, 1)


def _told(job: Job[Any, Any], rows: int, words: str, lan: Simulation[Any], wan: Simulation[Any]) -> Rehearsal:
    open_ended = any(item.is_given and item.is_open_ended for item in job.protocol.inputs.values())
    parties = [*lan.outputs]
    return Rehearsal(
        words,
        _pair(lan.cost.rounds, wan.cost.rounds),
        {name: _pair(_sent(lan, name), _sent(wan, name)) for name in parties},
        {name: _pair(_received(lan, name), _received(wan, name)) for name in parties},
        lan.cost.seconds,
        wan.cost.seconds,
        rows if open_ended and words == _DRAWN else None,
        any(cost.regions[CORRELATED].rounds for cost in lan.cost.parties.values() if CORRELATED in cost.regions),
        {name: explained(job.protocol, outcome) for name, outcome in lan.outputs.items()},
    )


def _run(job: Job[Any, Any], inputs: Inputs, network: Network, seed: int, *, quiet: bool) -> Simulation[Any]:
    crowd = Crowd(len(job.names), f"rehearsal {seed} of 2")
    with watch_crowd(crowd, quiet=quiet):
        return simulate(job, inputs, network=network, seed=seed, listener=crowd.take)


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
        if declaration.is_given:
            yield from ((name, party) for party in job.roles[declaration.by])


def _pair(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)


def _sent(simulation: Simulation[Any], party: str) -> int:
    return sum(link.bytes for (sender, _), link in simulation.cost.links.items() if sender == party)


def _received(simulation: Simulation[Any], party: str) -> int:
    return sum(link.bytes for (_, receiver), link in simulation.cost.links.items() if receiver == party)
