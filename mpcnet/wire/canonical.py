"""Small structured bodies as canonical msgpack: one value, one encoding.

For agreements, confirmations and aborts. What is decoded is encoded again and compared, because msgpack accepts
several encodings of one value and duplicate keys. Never for arrays: those travel raw.
"""

from __future__ import annotations

import typing

import msgpack

from mpcnet.errors import LocalError, PeerViolation

__all__ = ("Plain", "decode_canonical_untrusted", "encode_canonical")

Plain = None | bool | int | str | bytes | list["Plain"] | dict[str, "Plain"]
"""What a structured body holds. Map keys are sorted; floats are told as text, so that they have one form."""

_DEPTH = 6
_ITEMS = 4096
_FIELDS = 64


def encode_canonical(value: Plain) -> bytes:
    """The one encoding of this value.

    Raises:
        LocalError: it holds something else than `Plain`, or is nested too deep, or too large for a peer to take.
    """
    try:
        return msgpack.packb(_sorted(value, _DEPTH))
    except UnicodeEncodeError:
        raise LocalError("a text of a structured message is not Unicode") from None


def decode_canonical_untrusted(data: bytes | memoryview, party: str, *, max_bytes: int) -> Plain:
    """The value that a peer sent.

    Raises:
        PeerViolation: too long, malformed, too deep, or not in its one encoding.
    """
    if len(data) > max_bytes:
        raise PeerViolation(
            party, f"sent a structured message of {len(data)} bytes; at most {max_bytes} are allowed"
        )
    try:
        value = typing.cast(
            "Plain",
            msgpack.unpackb(
                data,
                raw=False,
                use_list=True,
                strict_map_key=True,
                max_str_len=max_bytes,
                max_bin_len=max_bytes,
                max_array_len=_ITEMS,
                max_map_len=_FIELDS,
                max_ext_len=0,
            ),
        )
        same = encode_canonical(value) == data
    except (ValueError, msgpack.UnpackException, LocalError, RecursionError):
        raise PeerViolation(party, "sent a structured message that is malformed") from None
    if not same:
        raise PeerViolation(party, "sent a structured message that is not in canonical form")
    return value


def _sorted(value: Plain, depth: int) -> Plain:
    if depth == 0:
        raise LocalError("a structured message is nested too deep")
    match value:
        case None | bool() | str() | bytes():
            return value
        case int():
            if not -(2**63) <= value < 2**64:
                raise LocalError("an integer of a structured message needs more than 64 bits")
            return value
        case list():
            if len(value) > _ITEMS:
                raise LocalError(f"a list of a structured message has more than {_ITEMS} items")
            return [_sorted(item, depth - 1) for item in value]
        case dict():
            if not all(isinstance(key, str) for key in value):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise LocalError("keys of a structured message are text")
            if len(value) > _FIELDS:
                raise LocalError(f"a map of a structured message has more than {_FIELDS} entries")
            return {key: _sorted(value[key], depth - 1) for key in sorted(value)}
        case _:
            raise LocalError(f"a structured message holds no {type(value).__name__}")
