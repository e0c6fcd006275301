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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpcnet.errors import AgreementMismatch, PeerViolation
from mpcnet.primitives import blake2b
from mpcnet.session.job import Plan
from mpcnet.wire.canonical import Plain, decode_canonical_untrusted, encode_canonical

__all__ = ("MAX_AGREEMENT_BYTES", "NONCE_BYTES", "Agree", "Confirm", "agreement_of", "compare", "job_id")

NONCE_BYTES = 32
JOB_ID_BYTES = 32
MAX_AGREEMENT_BYTES = 256 * 1024
"""Room for the names of a thousand parties in three roles."""

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
        "outputs": {name: _plain(protocol.receivers(name)) for name in protocol.outputs},
        "roles": {role: [member.name for member in members] for role, members in plan.roles.items()},
        "computing parties": [plan.parties.names[index] for index in plan.parties.computing],
        "scheme": job.scheme,
        "dealer": job.dealer,
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
    differences: dict[str, tuple[str, str]] = {}
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        mine, yours = ours.get(name), theirs.get(name)
        if mine == yours and type(mine) is type(yours):
            continue
        if isinstance(mine, dict) and isinstance(yours, dict):
            for inner in sorted({*mine, *yours}):
                if mine.get(inner) != yours.get(inner):
                    differences[f"{name}.{inner}"] = (_shown(mine.get(inner)), _shown(yours.get(inner)))
        else:
            differences[name] = (_shown(mine), _shown(yours))
    if differences:
        raise AgreementMismatch(party, differences)


def _shown(value: Plain) -> str:
    """A field for a person: short, and only printable ASCII, since a peer may have chosen it."""
    text = value.hex()[:16] if isinstance(value, bytes) else repr(value)
    return "".join(char if " " <= char <= "~" else "?" for char in text[:120])


def job_id(agreement: Mapping[str, Plain], nonces: Mapping[int, bytes]) -> bytes:
    """The 32-byte id of the job: fresh if any party's nonce is."""
    ordered: list[Plain] = [[index, nonces[index]] for index in sorted(nonces)]
    return blake2b(encode_canonical([dict(agreement), ordered]), size=JOB_ID_BYTES, person=b"mpcnet.job")


@dataclass(frozen=True, slots=True)
class Agree:
    """First message: what we are about to run, and our nonce."""

    label: str
    agreement: Mapping[str, Plain]
    nonce: bytes

    def encode(self) -> bytes:
        return encode_canonical([self.label, dict(self.agreement), self.nonce])

    @classmethod
    def decode_untrusted(cls, data: bytes | memoryview, party: str) -> Agree:
        match decode_canonical_untrusted(data, party, max_bytes=MAX_AGREEMENT_BYTES):
            case [str(label), dict(agreement), bytes(nonce)] if len(nonce) == NONCE_BYTES and len(label) <= 64:
                return cls(label, agreement, nonce)
            case _:
                raise PeerViolation(party, "sent an agreement of the wrong form")


@dataclass(frozen=True, slots=True)
class Confirm:
    """Second message: the job id that we computed, and the nonces that we computed it from, in roster order."""

    label: str
    job: bytes
    nonces: tuple[bytes, ...]

    def encode(self) -> bytes:
        return encode_canonical([self.label, self.job, list(self.nonces)])

    @classmethod
    def decode_untrusted(cls, data: bytes | memoryview, party: str) -> Confirm:
        match decode_canonical_untrusted(data, party, max_bytes=MAX_AGREEMENT_BYTES):
            case [str(label), bytes(job), [*nonces]] if len(job) == JOB_ID_BYTES and len(label) <= 64:
                if all(isinstance(nonce, bytes) and len(nonce) == NONCE_BYTES for nonce in nonces):
                    return cls(label, job, tuple(typing.cast("list[bytes]", nonces)))
        raise PeerViolation(party, "sent a confirmation of the wrong form")

    def check(self, party: str, ours: Confirm, parties: tuple[str, ...]) -> None:
        """Hold a peer's confirmation against ours.

        Raises:
            AgreementMismatch: somebody told different nonces to different parties; it says whose differ.
        """
        if self == ours:
            return
        if len(self.nonces) != len(ours.nonces):
            differences = {"number of nonces": (str(len(ours.nonces)), str(len(self.nonces)))}
        else:
            pairs = zip(parties, ours.nonces, self.nonces, strict=True)
            differences = {
                f"nonce of {name}": (mine.hex()[:8], yours.hex()[:8])
                for name, mine, yours in pairs
                if mine != yours
            }
        raise AgreementMismatch(party, differences or {"job id": (ours.job.hex()[:8], self.job.hex()[:8])})
