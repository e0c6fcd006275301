"""The agreement: nothing runs that was not agreed.

    each party                                   to every other party
    1. AGREE    label, agreement, fresh nonce    compared field by field on arrival
    2. CONFIRM  label, job id, all nonces        job id = BLAKE2b(agreement, all nonces in roster order)

Nobody shares anything before every other party has confirmed the same job id. The id is bound into every stream,
digest and frame of the job, so nothing of another job, or of an earlier run of this one, fits into it.
An agreement is sent by everybody to everybody: each party judges each other one by itself (decision 0005).
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpcnet.declare.job import MAX_LABEL
from mpcnet.declare.plan import Plan
from mpcnet.errors import AgreementMismatch, PeerViolation
from mpcnet.primitives import blake2b
from mpcnet.session.abort import NONCE_BYTES
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

__all__ = ("MAX_AGREEMENT_BYTES", "Agree", "Confirm", "agreement_of", "compare", "job_id")

JOB_ID_BYTES = 32
MAX_AGREEMENT_BYTES = 256 * 1024
"""Room for the names of a thousand parties in three roles."""

_MAX_SHOWN = 120
_SESSION_VERSION = 1


def agreement_of(plan: Plan[Any, Any]) -> dict[str, Plain]:
    """What all parties of a job must have in common, as plain values."""
    job, params = plan.job, plan.job.params
    protocol = job.protocol
    return {
        "session version": _SESSION_VERSION,
        "protocol": protocol.name,
        "protocol version": protocol.version,
        "parameters": {name: _plain(getattr(params, name)) for name in params.__dataclass_fields__},
        "inputs": {name: _plain(item.describe(params)) for name, item in protocol.inputs.items()},
        "outputs": {name: found.describe() for name, found in plan.outputs.items()},
        "roles": {role: [member.name for member in members] for role, members in plan.roles.items()},
        "computing parties": [plan.parties.names[index] for index in plan.parties.computing],
        "scheme": job.scheme,
        "dealer": job.dealer,
        "provider": "" if plan.provider is None else plan.provider.name,
        "roster": plan.roster.hash,
        "deadline seconds": repr(float(job.deadline_seconds)),
        "label": job.label,
    }


def _plain(value: object) -> Plain:
    match value:
        case float():
            return repr(value)
        case bool() | int() | str() | None:
            return value
        case list() | tuple():
            return [_plain(item) for item in typing.cast("list[object]", value)]
        case dict():
            return {str(key): _plain(item) for key, item in typing.cast("dict[str, object]", value).items()}
        case _:
            return repr(value)


def compare(party: str, ours: Mapping[str, Plain], theirs: Mapping[str, Plain]) -> None:
    """Hold a peer's agreement against ours.

    Raises:
        AgreementMismatch: some fields differ; it lists them.
    """
    differences = dict(_differences("", ours, theirs))
    if differences:
        raise AgreementMismatch(party, differences)


def _differences(
    prefix: str, ours: Mapping[str, Plain], theirs: Mapping[str, Plain]
) -> Iterator[tuple[str, tuple[str, str]]]:
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        mine, yours = ours.get(name), theirs.get(name)
        field = _printable(f"{prefix}{name}")
        if isinstance(mine, dict) and isinstance(yours, dict):
            yield from _differences(f"{field}.", mine, yours)
        elif isinstance(mine, list) and isinstance(yours, list) and len(repr((mine, yours))) > _MAX_SHOWN:
            yield from _list_differences(field, mine, yours)
        elif encode_canonical(mine) != encode_canonical(yours):
            yield field, (_shown(mine), _shown(yours))


def _list_differences(field: str, mine: list[Plain], yours: list[Plain]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where long lists differ, instead of two beginnings that are alike."""
    if len(mine) != len(yours):
        yield f"number of {field}", (f"{len(mine):,}", f"{len(yours):,}")
    for place, (one, other) in enumerate(zip(mine, yours, strict=False), 1):
        if encode_canonical(one) != encode_canonical(other):
            yield f"{field}, number {place:,}", (_shown(one), _shown(other))
            return


def _shown(value: Plain) -> str:
    """A field for a person: short, and without what moves a cursor or hides, since a peer may have chosen it."""
    return _printable(value.hex()[:16] if isinstance(value, bytes) else repr(value))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:_MAX_SHOWN])


def job_id(agreement: bytes, nonces: bytes) -> bytes:
    """The 32-byte id of the job: fresh if any party's nonce is.

    Args:
        agreement: its one encoding; it fixes the parties, so also the number of nonces.
        nonces: of all parties, in roster order, each of `NONCE_BYTES`.
    """
    return blake2b(encode_canonical([agreement, nonces]), size=JOB_ID_BYTES, person=b"mpcnet.job")


@dataclass(frozen=True, slots=True)
class Agree:
    """First message: what we are about to run, in its one encoding, and our nonce."""

    label: str
    agreement: bytes
    nonce: bytes

    def encode(self) -> bytes:
        return encode_canonical([self.label, self.agreement, self.nonce])

    @classmethod
    def decode_untrusted(cls, data: bytes | memoryview, party: str) -> Agree:
        match decode_canonical_untrusted(data, party, max_bytes=MAX_AGREEMENT_BYTES):
            case [str(label), bytes(agreement), bytes(nonce)] if (
                len(nonce) == NONCE_BYTES and len(label) <= MAX_LABEL
            ):
                return cls(label, agreement, nonce)
            case _:
                raise PeerViolation(party, "sent an agreement of the wrong form")

    def same_but_nonce(self, ours: bytes, theirs: bytes) -> Agree | None:
        """A peer's message if it is ours with another nonce, which is how honest ones are; else None.

        Spares decoding: with a hundred parties, each gets a hundred of them.

        Args:
            ours: the encoding of this message; the nonce comes last in it.
        """
        if len(theirs) == len(ours) and theirs[:-NONCE_BYTES] == ours[:-NONCE_BYTES]:
            return Agree(self.label, self.agreement, theirs[-NONCE_BYTES:])
        return None

    def check(self, party: str, ours: Agree) -> None:
        """Hold a peer's agreement against ours.

        Raises:
            AgreementMismatch: some fields differ; it lists them.
            PeerViolation: the agreement is malformed.
        """
        if self.agreement == ours.agreement:
            return
        theirs = decode_canonical_untrusted(self.agreement, party, max_bytes=MAX_AGREEMENT_BYTES)
        mine = decode_canonical_untrusted(ours.agreement, party, max_bytes=MAX_AGREEMENT_BYTES)
        if not isinstance(theirs, dict) or not isinstance(mine, dict):
            raise PeerViolation(party, "sent an agreement of the wrong form")
        compare(party, mine, theirs)


@dataclass(frozen=True, slots=True)
class Confirm:
    """Second message: the job id that we computed, and the nonces that we computed it from, in roster order."""

    label: str
    job: bytes
    nonces: bytes

    def encode(self) -> bytes:
        return encode_canonical([self.label, self.job, self.nonces])

    @classmethod
    def decode_untrusted(cls, data: bytes | memoryview, party: str) -> Confirm:
        match decode_canonical_untrusted(data, party, max_bytes=MAX_AGREEMENT_BYTES):
            case [str(label), bytes(job), bytes(nonces)] if len(job) == JOB_ID_BYTES and len(label) <= MAX_LABEL:
                return cls(label, job, nonces)
            case _:
                raise PeerViolation(party, "sent a confirmation of the wrong form")

    def check(self, party: str, ours: Confirm, parties: tuple[str, ...]) -> None:
        """Hold a peer's confirmation against ours.

        Raises:
            AgreementMismatch: somebody told different nonces to different parties; it says whose differ.
        """
        if self == ours:
            return
        differences: dict[str, tuple[str, str]] = {}
        for position, name in enumerate(parties):
            place = slice(NONCE_BYTES * position, NONCE_BYTES * (position + 1))
            mine, yours = ours.nonces[place], self.nonces[place]
            if mine != yours:
                differences[f"nonce of {name}"] = (mine.hex()[:8], yours.hex()[:8])
        raise AgreementMismatch(party, differences or {"job id": (ours.job.hex()[:8], self.job.hex()[:8])})
