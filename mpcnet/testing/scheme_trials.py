"""Operations of a scheme, run one by one among n parties in one loop, and everything that can be seen of them.

    trial = Trial(scheme, (0, 1, 2), everyone=5)
    shared = trial.run("input", cost, lambda context: scheme.input(context, ...))
    shared.results[me], shared.received[me], shared.drawn[me], shared.yields[me]

Each operation has a number of its own, as in a program, and is given recorded streams, randomness and correlated
randomness. `Trial.run` holds what it sees against the cost that the scheme declares.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Label, Shape, Streams, Words
from mpcnet.correlated.items import Demand, Item
from mpcnet.correlated.tranches import make_tranche
from mpcnet.dsl import Program
from mpcnet.engine import Context, LockstepError, Setting, Step, Work, lockstep
from mpcnet.engine.context import local_context
from mpcnet.engine.work import resume, run_inline
from mpcnet.schemes import Cost, Scheme, Share
from mpcnet.schemes.base import SentBytes
from mpcnet.testing.cases import ConformanceError
from mpcnet.testing.lockstep import SeededProvider, make_programs

__all__ = ("Makes", "Ran", "Trial", "makes_everything")

T = TypeVar("T")

Makes = Callable[[Item], bool]


def makes_everything(item: Item) -> bool:
    """What the dealer makes."""
    return True


@dataclass(frozen=True, slots=True, repr=False)
class _RecordedStreams(Streams):
    """Streams that remember what was drawn."""

    labels: list[Label]
    drawn: list[bytes]

    def uniform(self, domain: Domain, shape: Shape, label: Label) -> Words:
        # `super()` without arguments does not find the class that a dataclass with slots becomes.
        array = Streams.uniform(self, domain, shape, label)
        self.labels.append(label)
        self.drawn.append(array.tobytes())
        return array


class _Limited(SeededProvider):
    """A dealer that costs nothing, and says that it makes less than it does."""

    def __init__(self, seed: int, makes: Makes) -> None:
        super().__init__(seed)
        self._makes = makes

    def makes(self, item: Item) -> bool:
        """See `Provider.makes`."""
        return self._makes(item)


@dataclass(slots=True)
class Ran(Generic[T]):
    """What one operation gave, by party.

    Args:
        results: what its step returned.
        received: (sender, bytes), in order.
        drawn: the pseudorandom arrays of pairs with others, and bytes of its own.
        yields: how many rounds its step yielded, empty ones too.
        sent_bytes: by sender and receiver.
    """

    results: Mapping[int, T]
    received: Mapping[int, Sequence[tuple[int, bytes]]]
    drawn: Mapping[int, Sequence[bytes]]
    yields: Mapping[int, int]
    sent_bytes: Mapping[tuple[int, int], int]


class Trial:
    """One program of several parties, in which operations of a scheme run one after the other.

    Args:
        scheme: what is tried.
        computing: roster indices, in any order.
        everyone: how many take part: 0, 1, ...
        seed: from which all randomness is derived.
        makes: which correlated randomness there is.
    """

    def __init__(
        self,
        scheme: Scheme,
        computing: Sequence[int],
        everyone: int,
        *,
        seed: int = 0,
        makes: Makes = makes_everything,
    ) -> None:
        self.scheme = scheme
        self.computing: tuple[int, ...] = tuple(computing)
        self.everyone: tuple[int, ...] = tuple(range(everyone))
        self.programs: dict[int, Program] = make_programs(
            computing=computing, everyone=everyone, scheme=scheme, seed=seed, provider=_Limited(seed, makes)
        )
        self.states: dict[int, object] = {}
        self.labels: dict[tuple[int, int], list[Label]] = {}
        self.log: list[tuple[str, Mapping[int, Sequence[tuple[int, bytes]]]]] = []
        self._number = 0

    @property
    def setting(self) -> Setting:
        """As every party sees it; it is the first computing party's."""
        return self.programs[self.computing[0]].setting

    @property
    def outsiders(self) -> tuple[int, ...]:
        """Those who do not compute."""
        return tuple(party for party in self.everyone if party not in self.computing)

    def fail(self, check: str, what: str, text: str) -> ConformanceError:
        """The error that says what was seen, and in which operation."""
        parties = f"parties {', '.join(map(str, self.computing))} of 0 to {len(self.everyone) - 1} compute"
        return ConformanceError(check, f"scheme '{self.scheme.name}', {what}: {text}; {parties}")

    @contextlib.contextmanager
    def guard(self, what: str) -> Generator[None]:
        """Errors that a scheme's own code raises inside, as the kit's."""
        try:
            yield
        except LockstepError as error:
            raise self.fail("correctness", what, f"the parties' rounds do not fit together: {error}") from error
        except Exception as error:  # whatever another's code does
            raise self.fail("correctness", what, f"it ends in {type(error).__name__}: {error}") from error

    def local(self, me: int) -> Context:
        """The surroundings of an operation without a message."""
        return local_context(self.programs[me].setting, (), self.states.get(me))

    def randomness(self, me: int) -> Callable[[int], bytes]:
        """A party's own, for what it does without the others."""
        return self.programs[me].context(self._number).randomness

    def split(
        self, domain: Domain, values: NDArray[np.int64], randomness: Callable[[int], bytes]
    ) -> dict[int, Share]:
        """Shares of values that an owner splits; without parts at those who do not compute."""
        shape = values.shape
        what = f"split of shape {shape} over {domain.name}"
        with self.guard(what):
            held = self.scheme.split(domain, shape, domain.encode(values), len(self.computing), randomness)
        if len(held) != len(self.computing):
            raise self.fail("correctness", what, f"it gives parts for {len(held)} parties")
        shares = {me: Share(domain, shape, ()) for me in self.everyone}
        return shares | {me: Share(domain, shape, own) for me, own in zip(self.computing, held, strict=True)}

    def set_up(self) -> Ran[object]:
        """Run the scheme's `setup`; later operations are given the states that it returned."""
        cost = self.scheme.setup_cost(self.setting)
        if cost.demand:
            raise self.fail("cost", "setup", "it demands correlated randomness, which nothing has made yet")
        ran = self.run("setup", cost, self.scheme.setup)
        self.states.update(ran.results)
        return ran

    def run(self, what: str, cost: Cost | None, operation: Callable[[Context], Step[T]]) -> Ran[T]:
        """Run one operation on all parties, with the correlated randomness of its cost, which it must take whole.

        Args:
            what: names it in errors and in the log.
            cost: what was declared; None where a scheme declares none, and then all must yield as many rounds.
            operation: makes a party's step.
        Raises:
            ConformanceError: it ends in an error, or does not cost what was declared.
        """
        if cost is not None and cost.demand:
            self._supply(what, cost.demand)
        self._number += 1
        drawn: dict[int, list[bytes]] = {me: [] for me in self.everyone}
        yields: dict[int, int] = dict.fromkeys(self.everyone, 0)

        def counted(me: int) -> Step[T]:
            step = operation(self._context(me, drawn[me]))
            try:
                upcoming = next(step)
                while True:
                    while isinstance(upcoming, Work):
                        upcoming = resume(step, run_inline(upcoming))
                    yields[me] += 1
                    upcoming = step.send((yield upcoming))
            except StopIteration as stop:
                return cast("T", stop.value)

        with self.guard(what):
            transcript = lockstep({me: counted(me) for me in self.everyone})
        ran = Ran(transcript.results, transcript.views, drawn, yields, transcript.sent_bytes)
        self.log.append((what, ran.received))
        self._check_rounds(what, ran.yields, ran.yields[self.computing[0]] if cost is None else cost.rounds)
        if cost is not None:
            self._check_bytes(what, cost, ran.sent_bytes)
        return ran

    def _context(self, me: int, drawn: list[bytes]) -> Context:
        context = self.programs[me].context(self._number)
        streams: dict[int, Streams] = {
            peer: _RecordedStreams(own.seed, own.job, own.fork, self.labels.setdefault((me, peer), []), drawn)
            for peer, own in context.streams.items()
        }

        def randomness(count: int) -> bytes:
            own = context.randomness(count)
            drawn.append(own)
            return own

        return replace(context, streams=streams, randomness=randomness, state=self.states.get(me))

    def _supply(self, what: str, demand: Demand) -> None:
        """Make the correlated randomness of one operation."""
        if unmade := [item.key for item in demand if not self.setting.makes(item)]:
            raise self.fail("cost", what, f"it demands {', '.join(unmade)}, which the provider does not make")
        self._number += 1
        tranche = make_tranche(self._number, demand)

        def ensure(program: Program) -> Step[None]:
            if program.preparation is not None:
                yield from program.preparation.ensure(program.context(tranche.node), program.pool, tranche)

        lockstep({me: ensure(program) for me, program in self.programs.items()})

    def _check_rounds(self, what: str, yields: Mapping[int, int], declared: int) -> None:
        for me, count in yields.items():
            if count != declared:
                who = "party" if me in self.computing else "outsider"
                raise self.fail("cost", what, f"{who} {me} yields {count} rounds, and {declared} are declared")

    def _check_bytes(self, what: str, cost: Cost, sent_bytes: SentBytes) -> None:
        for me, program in self.programs.items():
            if left := {item.key: units for item, units in program.pool.drain().items()}:
                raise self.fail("cost", what, f"party {me} leaves of the demanded randomness {left}")
        declared = cost.sent_bytes
        for pair in sorted({*declared, *sent_bytes}):
            sent, said = (_bytes(counted.get(pair)) for counted in (sent_bytes, declared))
            if sent != said:
                text = f"party {pair[0]} sends {sent} to party {pair[1]}, and {said} is declared"
                raise self.fail("cost", what, text)


def _bytes(nbytes: int | None) -> str:
    return "nothing" if nbytes is None else f"a message of {nbytes} bytes"
