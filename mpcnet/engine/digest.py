"""The running digest of a program: how parties that diverge notice it, and can say where.

Every operation that a fork runs is written into one BLAKE2b state, keyed with the job id: kind, shape, range,
hashes of public operands, receivers, chosen algorithm. Each frame carries the digest at its round. When a peer's
digest differs, the two exchange their last `HISTORY` operations (kinds and shapes, public by construction), and
the first difference becomes the error message.
"""

from __future__ import annotations

import hashlib
import math
import re
import typing
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from mpcnet.errors import PeerViolation

__all__ = (
    "DIGEST_BYTES",
    "HISTORY",
    "Operation",
    "ProgramDigest",
    "explain_difference",
    "parse_operations_untrusted",
)

DIGEST_BYTES = 16
HISTORY = 32

_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MAX_COUNT = 2**48
_MAX_DIMENSIONS = 32
_VERBS = {
    "input": ("shares {} as input", "share {} as input"),
    "reveal": ("reveals {}", "reveal {}"),
    "open": ("opens {}", "open {}"),
    "public": ("makes {} public", "make {} public"),
    "multiply": ("multiplies {}", "multiply {}"),
    "compare": ("compares {}", "compare {}"),
    "run": ("runs this step", "run this step"),
    "end": ("ends its program", "end our program"),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What others may know of an operation.

    Args:
        ordinal: how many operations its fork ran before it.
        round: in which round it started.
        kind: its kind, as in "reveal".
        shape: shape of its result.
        mark: 32 bits of a hash of its other public parameters, to tell that they differ.
    """

    ordinal: int
    round: int
    kind: str
    shape: tuple[int, ...]
    mark: int

    def sentence(self) -> str:
        """As "multiplies 1000 values", to be read after a party's name."""
        return self._said(0)

    def our_sentence(self) -> str:
        """As "multiply 1000 values", to be read after "we"."""
        return self._said(1)

    def _said(self, person: int) -> str:
        count = math.prod(self.shape)
        values = "1 value" if count == 1 else f"{count} values"
        verb = ("runs", "run")[person]
        return _VERBS.get(self.kind, (f"{verb} '{self.kind}' on {{}}",) * 2)[person].format(values)

    def pack(self) -> list[object]:
        """As plain values, for the frame that explains an abort."""
        return [self.ordinal, self.round, self.kind, list(self.shape), self.mark]


class ProgramDigest:
    """The digest of everything a fork has run so far.

    Args:
        key: the job id, so that digests of two jobs have nothing in common.
        fork: the fork's path, part of what is digested.
    """

    def __init__(self, key: bytes, fork: tuple[str, ...] = ()) -> None:
        self._state = hashlib.blake2b(
            repr(fork).encode(), key=key[:64], digest_size=DIGEST_BYTES, person=b"mpcnet.program"
        )
        self._recent: deque[tuple[int, int, str, tuple[int, ...], bytes]] = deque(maxlen=HISTORY)
        self._count = 0

    def add(self, round_number: int, kind: str, shape: tuple[int, ...], details: bytes) -> None:
        """Write one operation into the digest."""
        # This runs once for every operation of every program: hash what is there, describe it only when asked.
        head = f"{self._count},{round_number},{kind},{shape},{len(details)};".encode()
        self._state.update(head + details)
        self._recent.append((self._count, round_number, kind, shape, details))
        self._count += 1

    def value(self) -> bytes:
        """The digest now."""
        return self._state.copy().digest()

    @property
    def recent(self) -> tuple[Operation, ...]:
        """The last operations, oldest first."""
        return tuple(
            Operation(ordinal, number, kind, shape, _mark(details))
            for ordinal, number, kind, shape, details in self._recent
        )


def _mark(details: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(details, digest_size=4, person=b"mpcnet.mark").digest(), "little")


def parse_operations_untrusted(packed: object, party: str) -> tuple[Operation, ...]:
    """A peer's recent operations, as its abort tells them.

    Raises:
        PeerViolation: they do not have the agreed form.
    """
    items = _sequence_untrusted(packed, party, HISTORY)
    return tuple(_parse_operation_untrusted(item, party) for item in items)


def _parse_operation_untrusted(item: object, party: str) -> Operation:
    match _sequence_untrusted(item, party, 5):
        case [ordinal, number, str(kind), shape, mark] if _KIND.fullmatch(kind):
            dimensions = _sequence_untrusted(shape, party, _MAX_DIMENSIONS)
            numbers = [_count_untrusted(value, party) for value in (ordinal, number, mark, *dimensions)]
            if math.prod(numbers[3:]) >= _MAX_COUNT:
                raise _not_ours(party)
            return Operation(numbers[0], numbers[1], kind, tuple(numbers[3:]), numbers[2])
        case _:
            raise _not_ours(party)


def _sequence_untrusted(value: object, party: str, longest: int) -> Sequence[object]:
    if isinstance(value, list | tuple):
        items = typing.cast("Sequence[object]", value)
        if len(items) <= longest:
            return items
    raise _not_ours(party)


def _count_untrusted(value: object, party: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT:
        return value
    raise _not_ours(party)


def _not_ours(party: str) -> PeerViolation:
    return PeerViolation(party, "described its program in a form that is not ours")


def explain_difference(party: str, ours: Sequence[Operation], theirs: Sequence[Operation]) -> str:
    """Where the peer's program first differs from ours, in one sentence.

    Both sides remember only their last `HISTORY` operations: what lies before either window is no difference.
    """
    mine = {operation.ordinal: operation for operation in ours}
    yours = {operation.ordinal: operation for operation in theirs}
    common = sorted(mine.keys() & yours.keys())
    for ordinal in common:
        if mine[ordinal] != yours[ordinal]:
            return _compared(party, mine[ordinal], yours[ordinal])
    we_ran, it_ran = max(mine, default=-1) + 1, max(yours, default=-1) + 1
    if we_ran == it_ran:
        return f"the program of {party} and ours differ before the last {HISTORY} operations"
    if it_ran > we_ran and we_ran in yours:
        extra = yours[we_ran]
        return f"at round {extra.round} {party} {extra.sentence()}, where our program has nothing more"
    if it_ran < we_ran and it_ran in mine:
        extra = mine[it_ran]
        return f"at round {extra.round} we {extra.our_sentence()}, where the program of {party} has nothing more"
    return f"{party} has run {it_ran} operations where we have run {we_ran}"


def _compared(party: str, mine: Operation, yours: Operation) -> str:
    their_part = f"at round {yours.round} {party} {yours.sentence()}"
    if (mine.round, mine.kind, mine.shape) == (yours.round, yours.kind, yours.shape):
        return f"{their_part}, and so do we, but with other public values, names, ranges, operands or receivers"
    when = "" if mine.round == yours.round else f"at round {mine.round} "
    return f"{their_part}, {when}we {mine.our_sentence()}"
