"""A program: what one fork of a job builds, its nodes and their numbers.

    Secret operators ──▶ Program.add(node) ──▶ plan_evaluation(program, ...) ──▶ Evaluation(program, plan)

A program outlives its evaluations: it keeps what they continue (the number of the next operation and of the next
round, the digest of all that was run, the pool of correlated randomness) and knows which of three things it is:

    free ──begin──▶ evaluating ──end──▶ free
                        └──── give_up ─────▶ given up, for good

Invariants:

1. Numbers follow the text of the program: an operator takes one when it is written. So all parties number alike,
   whatever their networks do, and a number names one operation of its fork for ever. Labels of pseudorandom streams
   hold it, so no number is taken twice.
2. One evaluation at a time: the rounds of a fork have one order.
3. A program that was given up evaluates nothing any more: other parties may have seen a part of its rounds, which
   must not be run a second time with other values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Streams
from mpcnet.correlated.pool import Pool
from mpcnet.correlated.provider import Preparation
from mpcnet.dsl import facts, maps
from mpcnet.dsl.facts import Facts
from mpcnet.dsl.nodes import Input, Linear, Node, Operation
from mpcnet.dsl.ranges import Range
from mpcnet.engine import Context, Parties, ProgramDigest, Setting
from mpcnet.engine.context import local_context, makes_nothing
from mpcnet.errors import JobEnded, LocalError
from mpcnet.schemes import Scheme

__all__ = ("Program",)


class _State(Enum):
    FREE = auto()
    EVALUATING = auto()
    GIVEN_UP = auto()


class Program:
    """What one fork of a job builds and evaluates.

    Args:
        scheme: how values are shared, and over which domain numbers are.
        parties: who takes part.
        job: the 32-byte job id.
        fork: path of fork labels, outermost first.
        streams: by peer, the streams of our pair for this job and fork.
        randomness: n to n uniform bytes of our own.
        preparation: makes correlated randomness for this fork, if the job has a provider of it.
    """

    def __init__(
        self,
        scheme: Scheme,
        parties: Parties,
        *,
        job: bytes,
        fork: tuple[str, ...],
        streams: Mapping[int, Streams],
        randomness: Callable[[int], bytes],
        preparation: Preparation | None = None,
    ) -> None:
        self.scheme = scheme
        self.domain: Domain = scheme.numbers
        self.parties = parties
        self.job = job
        self.fork = fork
        self.digest: ProgramDigest = ProgramDigest(job, fork)
        self.next_round: int = 0
        self._streams = streams
        self._randomness = randomness
        self.preparation = preparation
        self.pool: Pool = Pool()
        self.is_set_up: bool = False
        self.local_context: Context = local_context(self.setting, fork, None)
        self._next_number = 0
        self._state = _State.FREE

    def add(self, operation: Operation, parents: tuple[Node, ...], shape: tuple[int, ...], known: Facts) -> Node:
        """A new node; raises `RangeError` if by its facts it could leave the domain."""
        known.check(self.domain, operation.kind)
        number = self._next_number
        self._next_number = number + 1
        return Node(number, operation, parents, shape, known, self)

    def use(self, node: Node) -> Node:
        """A node of ours for a value of another fork of the job.

        Raises:
            LocalError: it has not been evaluated, or belongs to another job.
        """
        if cast("Program", node.program).job != self.job:
            raise LocalError("values of two jobs do not meet")
        if node.share is None:
            raise LocalError("a value of another fork must be evaluated there before it is used here")
        return self.add(Linear("use", maps.same), (node,), node.shape, facts.use(node.facts))

    def input(
        self,
        name: str,
        row_shape: tuple[int, ...],
        range_: Range,
        owners: tuple[int, ...],
        mine: NDArray[np.int64] | None,
    ) -> Node:
        """A node for rows that their owners share.

        Args:
            name: of the input, for errors and the digest.
            row_shape: of each owner's row.
            range_: of every element.
            owners: roster indices; row i belongs to owner i.
            mine: our row if we own one, of this shape and range, as its declaration has checked; it is copied.
        Raises:
            LocalError: an owner is named twice or takes no part, or the row is not ours to give.
            RangeError: the range leaves the domain.
        """
        if len(set(owners)) != len(owners) or not set(owners) <= set(self.parties.everyone):
            raise LocalError(f"the owners of input '{name}' must be different parties of this program")
        if mine is not None and self.parties.me not in owners:
            raise LocalError(f"input '{name}' is not ours to give")
        encoded = None if mine is None else self.domain.encode(np.array(mine))
        operation = Input(name, self.domain, row_shape, owners, encoded)
        return self.add(operation, (), (len(owners), *row_shape), facts.declare(range_))

    def context(self, number: int) -> Context:
        """The surroundings of the operation with this number."""
        setting, state = self.setting, self.local_context.state
        return Context(setting, self._streams, self.fork, number, self._randomness, self.pool, state)

    @property
    def setting(self) -> Setting:
        """What costs and choices of algorithms depend on."""
        return Setting(self.parties, makes_nothing if self.preparation is None else self.preparation.provider.makes)

    def check_free(self) -> None:
        """Refuse a second evaluation beside one that is under way, or behind one that was given up.

        Raises:
            LocalError: another one is under way.
            JobEnded: an earlier one was given up.
        """
        if self._state is _State.GIVEN_UP:
            raise JobEnded("an evaluation of this program was given up: its rounds cannot be run again")
        if self._state is _State.EVALUATING:
            raise LocalError(
                "another evaluation of this party is under way; run them one after the other, or in forks"
            )

    def begin(self) -> None:
        """An evaluation starts.

        Raises:
            LocalError, JobEnded: see `check_free`.
        """
        self.check_free()
        self._state = _State.EVALUATING

    def scheme_is_set_up(self, state: object) -> None:
        """The scheme has been set up: its later operations in this program are given the state that it made."""
        self.local_context = local_context(self.setting, self.fork, state)
        self.is_set_up = True

    def end(self, next_round: int) -> None:
        """The evaluation under way is over; what is left of its correlated randomness is forgotten."""
        self._state = _State.FREE
        self.next_round = next_round
        self.pool.drain()

    def give_up(self) -> None:
        """The evaluation under way has failed or was closed: this program evaluates nothing any more."""
        self._state = _State.GIVEN_UP

    def next_number(self) -> int:
        """A number that no operation of this fork has had."""
        number = self._next_number
        self._next_number += 1
        return number
