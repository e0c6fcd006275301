"""What a peer may send at most, by kind, before anybody looks at what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mpcnet.errors import PeerViolation
from mpcnet.session.abort import MAX_ABORT_BYTES
from mpcnet.session.agreement import MAX_AGREEMENT_BYTES
from mpcnet.session.pairs import SEED_SHARE_BYTES
from mpcnet.wire.frames import Kind

__all__ = ("JOB_KINDS", "check_size_untrusted")

_CREDIT_BYTES: Final = 8
_MAX_CHUNK_BYTES: Final = 2**20
_SMALL_BODIES: Final[Mapping[Kind, int]] = {
    Kind.PAIR_SEED: SEED_SHARE_BYTES,
    Kind.AGREE: MAX_AGREEMENT_BYTES,
    Kind.CONFIRM: MAX_AGREEMENT_BYTES,
    Kind.ABORT: MAX_ABORT_BYTES,
    Kind.FINISH: 0,
    Kind.CREDIT: _CREDIT_BYTES,
    Kind.DATA: _MAX_CHUNK_BYTES,
}
JOB_KINDS: Final = (Kind.ROUND, Kind.DATA, Kind.CREDIT, Kind.FINISH)
"""What belongs to a running job, which its header names."""


def check_size_untrusted(party: str, kind: Kind, nbytes: int) -> None:
    """Refuse a body that no honest peer sends. Those of rounds are judged by their job, which knows their sizes.

    Raises:
        PeerViolation: it is too long.
    """
    limit = _SMALL_BODIES.get(kind)
    if limit is not None and nbytes > limit:
        raise PeerViolation(party, f"sent {nbytes} bytes of kind {kind.name}, where at most {limit} are allowed")
