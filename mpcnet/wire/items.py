"""What stands in records that hold small frames: a sequence of items.

    SMALL     tag, number, header length, body length (8 bytes), header, body      a whole frame
    START     tag, number, header length, body length (8 bytes), header            a big frame begins
    CONTINUE  tag                                                                  the big frame goes on

START and CONTINUE are the last item of their record: behind it comes a run of records that hold nothing but
the body, `min(rest, RUN_BYTES)` bytes of it, each record full but the last; then items again. A record has no
mark of its own: what comes next always follows from what came before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from mpcnet.wire.limits import RECORD_PLAINTEXT_MAX

__all__ = (
    "ACK_BYTES",
    "CONTINUE",
    "CONTINUE_ITEM",
    "PRELUDE_BYTES",
    "SMALL",
    "START",
    "is_small",
    "pack_ack",
    "pack_prelude",
    "unpack_ack",
    "unpack_prelude",
)

SMALL = 1
START = 2
CONTINUE = 3
CONTINUE_ITEM = bytes([CONTINUE])

_PRELUDE = struct.Struct(">BQHQ")
_ACK = struct.Struct(">Q")

PRELUDE_BYTES = _PRELUDE.size
ACK_BYTES = _ACK.size

# (tag, number, header length, body length) -> bytes, and back from a buffer and an offset.
pack_prelude: Callable[[int, int, int, int], bytes] = _PRELUDE.pack
unpack_prelude: Callable[[memoryview, int], tuple[int, int, int, int]] = _PRELUDE.unpack_from
pack_ack: Callable[[int], bytes] = _ACK.pack


def unpack_ack(body: memoryview) -> int:
    """The number up to which all frames came. `body` has `ACK_BYTES` bytes."""
    number: int = _ACK.unpack(body)[0]
    return number


def is_small(header_bytes: int, body_bytes: int) -> bool:
    """Whether a frame fits a record of its own, with a byte left for CONTINUE."""
    return PRELUDE_BYTES + header_bytes + body_bytes < RECORD_PLAINTEXT_MAX
