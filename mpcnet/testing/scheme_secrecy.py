"""What parties see of a scheme's operations, compared between two inputs.

    input, split    rows at one end of the domain and at the other: the same to any `tolerates(n)` computing parties
                    and all outsiders together, who own none of them
    products        the same for operands, each product twice: what one run masks another must not unmask
    reveal          two sharings of one value: the same to a receiver, for its messages depend on the value alone;
                    two values: the same to those who receive nothing
    open            two values: the same to outsiders

A view holds the messages, the parts that the coalition holds before and after, and all that it draws. Beside each
message stand its sum, difference and XOR with each array of the coalition, alone and added up over its members, and
with the messages of the same sender before it: what is masked by randomness that the coalition knows, or that
masked something else before, is as good as bare. For the statistics and their limits see
`mpcnet.testing.distinguisher`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Words
from mpcnet.algebra.expand import expand
from mpcnet.engine import Context, Step
from mpcnet.schemes import Kind, Primitive, Scheme, Share
from mpcnet.testing.distinguisher import JUDGING_RUNS, SCREENING_RUNS, judge, suspects
from mpcnet.testing.scheme_trials import Makes, Ran, Trial
from mpcnet.testing.scheme_values import domains_of, ends_of, primitives, widest
from mpcnet.testing.views import Entry, View

__all__ = ("check_secrecy",)

_COUNT = 3
"""Elements of what is tried: few, since every bit of every message is looked at in some hundred runs."""

# Every run has a seed of its own, or the two sides were not independent.
_SCREENING = 10_000
_JUDGING = 20_000

Randomness = Callable[[int], bytes]


def check_secrecy(scheme: Scheme, computing: Sequence[int], everyone: int, makes: Makes) -> None:
    """Compare what coalitions see; see the module.

    Raises:
        ConformanceError: a coalition tells two inputs apart.
    """
    tried = _Tried(scheme, computing, everyone, makes)
    outsiders = tuple(party for party in range(everyone) if party not in computing)
    tolerated = scheme.threat.tolerates(len(computing))
    for coalition in _coalitions(computing, tolerated):
        honest = next(party for party in computing if party not in coalition)
        watching = (*coalition, *outsiders[1:])
        for domain in domains_of(scheme):
            for owner in (honest, outsiders[0]):
                tried.compare("input", domain, watching, partial(_input, owner=owner))
            tried.compare("split", domain, watching, partial(_split, owner=outsiders[0]))
            tried.compare("reveal to others", domain, watching, partial(_reveal, to=(honest, outsiders[0])))
        for primitive in _products(scheme):
            tried.compare(f"product '{primitive.kind}'", None, watching, partial(_product, primitive=primitive))
    for domain in domains_of(scheme):
        tried.compare("open", domain, outsiders, _open)
        for receiver in (computing[0], outsiders[0]):
            tried.compare("reveal", domain, (receiver,), partial(_reveal_again, receiver=receiver))


def _coalitions(computing: Sequence[int], tolerated: int) -> Sequence[tuple[int, ...]]:
    """With the first computing party, which often has a part of its own, and without; of two parties, each."""
    every = list(itertools.combinations(computing, tolerated))
    return every if len(every) < 3 else (every[0], every[-1])


def _products(scheme: Scheme) -> Iterator[Primitive]:
    """One of each kind, in the width in which whole words are opened."""
    for primitive in primitives(scheme, _COUNT):
        if primitive.bits in (0, widest(scheme.numbers)):
            yield primitive
    if Kind.MATMUL in scheme.kinds:
        yield Primitive(Kind.MATMUL, 2, inner=2, columns=1)


class _Record:
    """What some parties see of one run, all together.

    Args:
        watching: who.
    """

    def __init__(self, watching: Sequence[int]) -> None:
        self._watching = watching
        self._messages: list[Entry] = []
        self._known: list[dict[int, bytes]] = []

    def saw(self, ran: Ran[Any]) -> None:
        """Messages that they received in an operation."""
        for me in self._watching:
            self._messages += [
                (f"round from {sender}", f"to {me}", len(self._messages) + place, data)
                for place, (sender, data) in enumerate(ran.received[me])
            ]

    def drew(self, ran: Ran[Any]) -> None:
        """What they drew in an operation."""
        self._knows({me: ran.drawn[me] for me in self._watching})

    def holds(self, shares: Mapping[int, Share]) -> None:
        """Their parts of a shared array."""
        self._knows({me: [part.tobytes() for part in shares[me].parts] for me in self._watching})

    def _knows(self, arrays: Mapping[int, Sequence[bytes]]) -> None:
        for place in range(max(map(len, arrays.values()))):
            self._known.append({me: held[place] for me, held in arrays.items() if place < len(held)})

    def view(self) -> View:
        """All of it, and what can be computed from it in one step."""
        known = list(self._arrays())
        entries = list(self._messages)
        for place, (source, to, number, data) in enumerate(self._messages):
            if len(data) % 8 or not data:
                continue
            message = np.frombuffer(data, np.uint64)
            earlier = [
                (f"message {other[2]}", np.frombuffer(other[3], np.uint64))
                for other in self._messages[:place]
                if (other[0], other[1], len(other[3])) == (source, to, len(data))
            ]
            for name, array in (*known, *earlier):
                if message.size % array.size == 0:
                    tiled = array if array.size == message.size else np.tile(array, message.size // array.size)
                    joined = (("plus", message + tiled), ("minus", message - tiled), ("XOR", message ^ tiled))
                    entries += [(f"{source} {sign} {name}", to, number, one.tobytes()) for sign, one in joined]
        return (*entries, *(("what they hold", name, 0, array.tobytes()) for name, array in known))

    def _arrays(self) -> Iterator[tuple[str, Words]]:
        """What each knows, and the sum and XOR of what all of them know in one place."""
        for number, held in enumerate(self._known):
            arrays = {
                me: np.frombuffer(data, np.uint64) for me, data in held.items() if data and len(data) % 8 == 0
            }
            for me, array in arrays.items():
                yield f"array {number} of {me}", array
            if len(arrays) > 1 and len({array.size for array in arrays.values()}) == 1:
                yield f"the sum of their arrays {number}", np.add.reduce(list(arrays.values()))
                yield f"the XOR of their arrays {number}", np.bitwise_xor.reduce(list(arrays.values()))


Experiment = Callable[[Trial, _Record, Domain, bool], None]
"""Runs operations, with one of two inputs, and notes what the parties of the record see."""


class _Tried:
    """A scheme, and among whom it is tried."""

    def __init__(self, scheme: Scheme, computing: Sequence[int], everyone: int, makes: Makes) -> None:
        self._scheme = scheme
        self._trial = partial(Trial, scheme, computing, everyone, makes=makes)

    def compare(self, what: str, domain: Domain | None, watching: Sequence[int], experiment: Experiment) -> None:
        """Run both inputs many times.

        Raises:
            ConformanceError: those who watch tell them apart.
        """
        over = domain or self._scheme.numbers

        def views(first: int, runs: int) -> tuple[list[View], list[View]]:
            found: tuple[list[View], list[View]] = [], []
            for other in (False, True):
                for seed in range(first + other * runs, first + (other + 1) * runs):
                    trial, record = self._trial(seed=seed), _Record(watching)
                    record.saw(trial.set_up())
                    experiment(trial, record, over, other)
                    found[other].append(record.view())
            return found

        suspected = suspects(*views(_SCREENING, SCREENING_RUNS))
        if not suspected:
            return
        if (found := judge(*views(_JUDGING, JUDGING_RUNS), suspected, len(suspected))) is not None:
            who = f"parties {', '.join(map(str, watching))}" if len(watching) > 1 else f"party {watching[0]}"
            text = f"{who} can tell two inputs apart that mean the same to them. Look at: {found}"
            raise self._trial().fail("secrecy", what if domain is None else f"{what} over {domain.name}", text)


# Experiments


def _end(domain: Domain, other: bool) -> NDArray[np.int64]:
    return np.full(_COUNT, domain.highest if other else domain.lowest, np.int64)


def _input(trial: Trial, record: _Record, domain: Domain, other: bool, *, owner: int) -> None:
    scheme, row = trial.scheme, domain.encode(_end(domain, other))

    def step(context: Context) -> Step[Share]:
        mine = row if context.me == owner else None
        return (yield from scheme.input(context, domain, (_COUNT,), (owner,), mine))

    for _ in range(2):
        ran = trial.run("input", scheme.input_cost(trial.setting, domain, (_COUNT,), (owner,)), step)
        record.saw(ran)
        record.drew(ran)
        record.holds(ran.results)


def _split(trial: Trial, record: _Record, domain: Domain, other: bool, *, owner: int) -> None:
    for _ in range(2):
        record.holds(trial.split(domain, _end(domain, other), trial.randomness(owner)))


def _product(trial: Trial, record: _Record, domain: Domain, other: bool, *, primitive: Primitive) -> None:
    scheme, owner = trial.scheme, trial.outsiders[0]
    operands = [
        trial.split(over, values, trial.randomness(owner)) for over, values in ends_of(scheme, primitive)[other]
    ]
    for shares in operands:
        record.holds(shares)

    def step(context: Context) -> Step[Share]:
        return (yield from scheme.compute(context, primitive, [shares[context.me] for shares in operands]))

    for _ in range(2):
        ran = trial.run("product", scheme.compute_cost(trial.setting, primitive), step)
        record.saw(ran)
        record.drew(ran)
        record.holds(ran.results)


def _reveal(trial: Trial, record: _Record, domain: Domain, other: bool, *, to: Sequence[int]) -> None:
    """Two values, to those who do not watch."""
    shares = trial.split(domain, _end(domain, other), trial.randomness(trial.outsiders[0]))
    record.holds(shares)
    for ran in _revealed(trial, domain, [shares, shares], to):
        record.saw(ran)
        record.drew(ran)


def _reveal_again(trial: Trial, record: _Record, domain: Domain, other: bool, *, receiver: int) -> None:
    """One of two sharings of the same values, which are the same in every run; messages alone."""
    shares = [trial.split(domain, _end(domain, bool(place)), _fixed(2 * place + other)) for place in range(2)]
    for ran in _revealed(trial, domain, shares, (receiver,)):
        record.saw(ran)


def _revealed(
    trial: Trial, domain: Domain, several: Sequence[Mapping[int, Share]], to: Sequence[int]
) -> Iterator[Ran[Words | None]]:
    cost = trial.scheme.reveal_cost(trial.setting, domain, (_COUNT,), to)
    for shares in several:

        def step(context: Context, shares: Mapping[int, Share] = shares) -> Step[Words | None]:
            return (yield from trial.scheme.reveal(context, shares[context.me], to))

        yield trial.run("reveal", cost, step)


def _open(trial: Trial, record: _Record, domain: Domain, other: bool) -> None:
    shares = trial.split(domain, _end(domain, other), trial.randomness(trial.outsiders[0]))

    def step(context: Context) -> Step[Words | None]:
        return (yield from trial.scheme.open(context, shares[context.me]))

    record.saw(trial.run("open", trial.scheme.open_cost(trial.setting, domain, (_COUNT,)), step))


def _fixed(number: int) -> Randomness:
    """Bytes that look uniform, and are the same in every run; each call gives others."""
    calls = itertools.count()
    return lambda count: expand(b"%8d%8d" % (number, next(calls)), count).tobytes()
