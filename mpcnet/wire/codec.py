"""Headers as canonical msgpack: an array of five fields, in the order of `Header`.

msgpack is malleable: `CC 01` and `01` both mean 1. A header that was decoded is therefore encoded again and
must give the same bytes, so that one header has one form, and nothing can hide in another.
"""

from __future__ import annotations

from typing import cast

import msgpack

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.frames import Header, Kind
from mpcnet.wire.limits import HEADER_MAX

__all__ = ("decode_header_untrusted", "encode_header")

_FIELDS = 5
_KINDS = {int(kind): kind for kind in Kind}


def encode_header(header: Header) -> bytes:
    """The one encoding of a header."""
    return msgpack.packb((int(header.kind), header.job, header.fork, header.round, header.digest))


def decode_header_untrusted(data: bytes | memoryview, peer: str) -> Header:
    """The header that a peer sent.

    Args:
        data: what should be a header, and nothing else.
        peer: the peer's name, for the error.

    Raises:
        PeerViolation: too long, not msgpack, not canonical, or not a header.
    """
    size = len(data)
    if size > HEADER_MAX:
        raise PeerViolation(peer, f"a frame's header has {size} bytes; at most {HEADER_MAX} are allowed")
    header = _checked(_unpack_untrusted(data, peer), peer)
    if encode_header(header) != data:
        raise PeerViolation(peer, "a frame's header is not in canonical form")
    return header


def _unpack_untrusted(data: bytes | memoryview, peer: str) -> object:
    # The limits stop a header before it becomes objects: by default msgpack accepts depth 1024, and maps.
    try:
        return msgpack.unpackb(
            data,
            raw=False,
            use_list=False,
            strict_map_key=True,
            max_str_len=0,
            max_bin_len=64,
            max_array_len=64,
            max_map_len=0,
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise PeerViolation(peer, "a frame's header is not valid msgpack within the limits") from error


def _checked(fields: object, peer: str) -> Header:
    if not isinstance(fields, tuple):
        raise PeerViolation(peer, "a frame's header is not an array")
    values = cast("tuple[object, ...]", fields)
    if len(values) != _FIELDS:
        raise PeerViolation(peer, f"a frame's header has {len(values)} fields; {_FIELDS} were expected")
    kind, job, fork, number, digest = values
    # `isinstance` would let booleans pass for integers.
    if type(kind) is not int or type(number) is not int:
        raise PeerViolation(peer, "kind and round of a frame's header must be integers")
    if not (isinstance(job, bytes) and isinstance(fork, bytes) and isinstance(digest, bytes)):
        raise PeerViolation(peer, "job, fork and digest of a frame's header must be byte strings")
    known = _KINDS.get(kind)
    if known is None:
        raise PeerViolation(peer, f"frames of kind {kind} do not exist", {"kind": kind})
    try:
        return Header(known, job, fork, number, digest)
    except LocalError as error:
        raise PeerViolation(peer, str(error)) from error
