"""Headers as canonical msgpack: an array of five fields, in the order of `Header`.

    95                          an array of five
    kind                        00 to 7f
    C4 00 | C4 10 job           bytes
    C4 00 | C4 08 fork
    round                       00 to 7f | CC .. | CD .. .. | CE .. .. .. .., the shortest that holds it
    C4 00 | C4 10 digest

msgpack is malleable: `CC 01` and `01` both mean 1. One header has one form here, and nothing can hide in
another: `_CANONICAL` is that form, byte by byte. What does not match it is unpacked only to say what is wrong.
"""

from __future__ import annotations

import re
from typing import NoReturn, cast

import msgpack

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.wire.frames import DIGEST_BYTES, FORK_BYTES, JOB_BYTES, Header, Kind
from mpcnet.wire.limits import HEADER_MAX

__all__ = ("decode_header_untrusted", "encode_header")

_FIELDS = 5
_KINDS = {int(kind): kind for kind in Kind}
_KINDS_BY_BYTE = {bytes([kind]): kind for kind in Kind}


def _bytes_form(size: int) -> bytes:
    return rb"\xc4(?:\x00|\x%02x(.{%d}))" % (size, size)


# A regular expression takes a third of the time of unpacking and encoding again.
_canonical = re.compile(
    b"".join(
        (
            rb"\x95([\x00-\x7f])",
            _bytes_form(JOB_BYTES),
            _bytes_form(FORK_BYTES),
            rb"([\x00-\x7f]|\xcc[\x80-\xff]|\xcd(?!\x00)..|\xce(?!\x00\x00)....)",
            _bytes_form(DIGEST_BYTES),
        )
    ),
    re.DOTALL,
).fullmatch


def encode_header(header: Header) -> bytes:
    """The one encoding of a header, which it keeps."""
    encoded = header.encoded
    if encoded is None:
        encoded = msgpack.packb((header.kind, header.job, header.fork, header.round, header.digest))
        header.keep_encoded(encoded)
    return encoded


def decode_header_untrusted(data: bytes | memoryview, peer: str) -> Header:
    """The header that a peer sent.

    Args:
        data: what should be a header, and nothing else.
        peer: the peer's name, for the error.

    Raises:
        PeerViolation: too long, not msgpack, not canonical, or not a header.
    """
    match = _canonical(data)
    if match is None:
        _refuse_untrusted(data, peer)
    kind_byte, job, fork, number, digest = match.groups(b"")
    kind = _KINDS_BY_BYTE.get(kind_byte)
    if kind is None:
        _refuse_untrusted(data, peer)
    # All but the shortest form begin with a mark.
    value = number[0] if len(number) == 1 else int.from_bytes(number[1:], "big")
    return Header(kind, job, fork, value, digest)


def _refuse_untrusted(data: bytes | memoryview, peer: str) -> NoReturn:
    """Say what is wrong with bytes that are no canonical header."""
    if len(data) > HEADER_MAX:
        raise PeerViolation(peer, f"a frame's header has {len(data)} bytes; at most {HEADER_MAX} are allowed")
    # The limits stop a header before it becomes objects: by default msgpack accepts depth 1024, and maps.
    try:
        fields: object = msgpack.unpackb(
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
    _refuse_fields(fields, peer)


def _refuse_fields(fields: object, peer: str) -> NoReturn:
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
        Header(known, job, fork, number, digest)
    except LocalError as error:
        raise PeerViolation(peer, str(error)) from error
    raise PeerViolation(peer, "a frame's header is not in canonical form")
