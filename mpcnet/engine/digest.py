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
_VERBS = {
    "input": "shares {} as input",
    "reveal": "reveals {}",
    "open": "opens {}",
    "public": "makes {} public",
    "multiply": "multiplies {}",
    "compare": "compares {}",
    "end": "ends its program",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What others may know of an operation: in which round it started, its kind and its shape."""

    ordinal: int
    round: int
    kind: str
    shape: tuple[int, ...]

    def sentence(self) -> str:
        """As "multiplies 1000 values", to be read after a party's name."""
        count = math.prod(self.shape)
        values = "1 value" if count == 1 else f"{count} values"
        return _VERBS.get(self.kind, f"runs '{self.kind}' on {{}}").format(values)

    def pack(self) -> list[object]:
        """As plain values, for the frame that explains an abort."""
        return [self.ordinal, self.round, self.kind, list(self.shape)]


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
        self._recent: deque[Operation] = deque(maxlen=HISTORY)
        self._count = 0

    def add(self, round_number: int, kind: str, shape: tuple[int, ...], details: bytes) -> None:
        """Write one operation into the digest."""
        head = f"{self._count},{round_number},{kind},{shape},{len(details)};".encode()
        self._state.update(head + details)
        self._recent.append(Operation(self._count, round_number, kind, shape))
        self._count += 1

    def value(self) -> bytes:
        """The digest now."""
        return self._state.copy().digest()

    @property
    def recent(self) -> tuple[Operation, ...]:
        """The last operations, oldest first."""
        return tuple(self._recent)


def parse_operations_untrusted(packed: object, party: str) -> tuple[Operation, ...]:
    """A peer's recent operations, as its abort tells them.

    Raises:
        PeerViolation: they do not have the agreed form.
    """
    if not isinstance(packed, list | tuple):
        raise _not_ours(party)
    items = typing.cast("Sequence[object]", packed)
    if len(items) > HISTORY:
        raise _not_ours(party)
    return tuple(_parse_operation_untrusted(item, party) for item in items)


def _parse_operation_untrusted(item: object, party: str) -> Operation:
    if not isinstance(item, list | tuple):
        raise _not_ours(party)
    match typing.cast("Sequence[object]", item):
        case [int(ordinal), int(round_number), str(kind), shape] if _KIND.fullmatch(kind):
            return Operation(ordinal, round_number, kind, _parse_shape_untrusted(shape, party))
        case _:
            raise _not_ours(party)


def _parse_shape_untrusted(shape: object, party: str) -> tuple[int, ...]:
    if isinstance(shape, list | tuple):
        dimensions = typing.cast("Sequence[object]", shape)
        numbers = tuple(d for d in dimensions if isinstance(d, int) and 0 <= d < 2**48)
        if len(numbers) == len(dimensions) <= 32:
            return numbers
    raise _not_ours(party)


def _not_ours(party: str) -> PeerViolation:
    return PeerViolation(party, "described its program in a form that is not ours")


def explain_difference(party: str, ours: Sequence[Operation], theirs: Sequence[Operation]) -> str:
    """Where the peer's program first differs from ours, in one sentence."""
    mine = {operation.ordinal: operation for operation in ours}
    yours = {operation.ordinal: operation for operation in theirs}
    for ordinal in sorted(mine.keys() & yours.keys()):
        a, b = mine[ordinal], yours[ordinal]
        if a != b:
            return f"at round {b.round} {party} {b.sentence()}, at round {a.round} we: {a.sentence()}"
    if later := sorted(yours.keys() - mine.keys()):
        extra = yours[later[0]]
        return f"at round {extra.round} {party} {extra.sentence()}, our program does not"
    if later := sorted(mine.keys() - yours.keys()):
        extra = mine[later[-1]]
        return f"at round {extra.round} our program {extra.sentence()}, that of {party} does not"
    return f"{party} runs the same operations with other public values, ranges or receivers"
