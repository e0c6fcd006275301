"""Punctured pseudorandom functions: many small trees, of which one side misses one leaf each [GGM86, Roy22].

    full side (both keys of k base OTs a tree)                     puncturer (one key each, by the bits of its path)
    level 1: the two nodes are the two keys                        has the node that is not on its path
    level j: sends (sum of left nodes + key 0, sum of right nodes + key 1)    finds the sibling of its path's node
    leaves:  sends the sum of all checks, and a hash of all checks            finds the missing check, compares

After k levels the full side has 2^k leaves of every tree, the puncturer all but the one at its path. A path is the
complement of the choice bits of its base OTs, first level highest. The puncturer's leaves come in an order of its
own: place y holds leaf y XOR path, so that the one it misses is always at place 0, where zeros stand.

Everything is done on all trees at once, and nothing that the puncturer does depends on its paths: it computes with
masks and never branches or indexes by a path's bit.

Threat model: malicious. A cheating full side can make the check fail for some paths only: it learns a bit of them
by whether the puncturer goes on, which ends everything that was made of them ([Roy22]: selective abort).
Bytes: 32 (k - 1) + 64 for each tree, in one message. Source: [Roy22], punctured PRF and its
consistency check, which is that of [BCGIKRS19].
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mpcnet.errors import LocalError, PeerViolation
from mpcnet.primitives import blake2b

__all__ = ("Leaves", "message_bytes", "paths_of", "puncture", "spread")

_NODE_BYTES: Final = 16
_CHECK_BYTES: Final = 32

Bytes = NDArray[np.uint8]
Leaves = NDArray[np.uint8]
"""Shape (trees, 2^k, 16)."""


def message_bytes(trees: int, depth: int) -> int:
    """Size of the full side's message."""
    return trees * (2 * _NODE_BYTES * (depth - 1) + 2 * _CHECK_BYTES)


def paths_of(choices: NDArray[np.uint8], depth: int) -> NDArray[np.uint8]:
    """The bits of each tree's path, highest first, from the choice bits of its base OTs: shape (trees, depth)."""
    return (1 - choices).reshape(-1, depth)


def spread(keys: Bytes, depth: int) -> tuple[Leaves, bytes]:
    """The full side: all leaves, and the message for the puncturer.

    Args:
        keys: shape (trees * depth, 2, 16), both keys of each base OT.
        depth: k, at least 1.
    """
    trees = len(keys) // depth
    pads = keys.reshape(trees, depth, 2, _NODE_BYTES)
    nodes = pads[:, 0]
    parts: list[bytes] = []
    for level in range(1, depth):
        children = _children(nodes)
        sums = np.bitwise_xor.reduce(children, axis=1)
        parts.append((sums ^ pads[:, level]).tobytes())
        nodes = children.reshape(trees, -1, _NODE_BYTES)
    checks, leaves = _checked(nodes)
    parts.append(np.bitwise_xor.reduce(checks, axis=1).tobytes())
    parts.append(_hashes(checks).tobytes())
    return leaves, b"".join(parts)


def puncture(keys: Bytes, choices: NDArray[np.uint8], depth: int, message: memoryview, peer: str) -> Leaves:
    """The puncturer: all leaves but those at its paths.

    Args:
        keys: shape (trees * depth, 16), the chosen key of each base OT.
        choices: shape (trees * depth,), of 0 and 1.
        message: what `spread` made.
        peer: name of the full side.
    Returns:
        In the order described above; zeros at place 0.
    Raises:
        PeerViolation: the leaves are not those of one tree.
    """
    trees = len(keys) // depth
    if len(message) != message_bytes(trees, depth):
        raise LocalError(
            f"the message of {trees} trees has {message_bytes(trees, depth)} bytes, not {len(message)}"
        )
    known = keys.reshape(trees, depth, _NODE_BYTES)
    sides, path = choices.reshape(trees, depth), paths_of(choices, depth)
    data = np.frombuffer(message, np.uint8)
    # Level 1: the chosen key stands at its own side, zeros at the other.
    nodes = known[:, 0][:, None] & _mask(sides[:, :1] == np.arange(2))[..., None]
    on_path = path[:, 0].astype(np.int64)
    start = 0
    for level in range(1, depth):
        size = trees * 2 * _NODE_BYTES
        sums = data[start : start + size].reshape(trees, 2, _NODE_BYTES)
        start += size
        nodes = _next_level(nodes, on_path, sides[:, level], known[:, level], sums)
        on_path = 2 * on_path + path[:, level]
    missing = _mask(_equal(nodes.shape[1], on_path))
    checks, leaves = _checked(nodes)
    checks &= ~missing[..., None]
    total = data[start : start + trees * _CHECK_BYTES].reshape(trees, _CHECK_BYTES)
    expected = data[start + trees * _CHECK_BYTES :]
    rest = total ^ np.bitwise_xor.reduce(checks, axis=1)
    checks |= rest[:, None] & missing[..., None]
    if (_hashes(checks) ^ expected.reshape(trees, _CHECK_BYTES)).any():
        raise PeerViolation(peer, "sent punctured functions that do not hang together")
    leaves &= ~missing[..., None]
    return _moved(leaves, path)


def _next_level(nodes: Bytes, on_path: NDArray[np.int64], side: Bytes, known: Bytes, sums: Bytes) -> Bytes:
    """The children of all known nodes, and the sibling of the path's next node."""
    trees, width = nodes.shape[:2]
    children = _children(nodes)
    here = _mask(_equal(width, on_path))
    children &= ~here[..., None, None]
    chosen = _mask(side[:, None] == np.arange(2))
    # On the chosen side everything is known but the child of the path's node: the sum less the others.
    others = np.bitwise_xor.reduce(children, axis=1)
    sibling = ((sums ^ others) & chosen[..., None])[:, 0] ^ ((sums ^ others) & chosen[..., None])[:, 1] ^ known
    children |= sibling[:, None, None] & here[..., None, None] & chosen[:, None, :, None]
    return children.reshape(trees, 2 * width, _NODE_BYTES)


def _moved(leaves: Leaves, path: NDArray[np.uint8]) -> Leaves:
    """Place y gets leaf y XOR path: for each bit, halves are exchanged under a mask."""
    trees, width, _ = leaves.shape
    moved = leaves
    for level, bit in enumerate(path.T):
        pairs = moved.reshape(trees, 2**level, 2, width >> (level + 1), _NODE_BYTES)
        difference = (pairs[:, :, 0] ^ pairs[:, :, 1]) & _mask(bit)[:, None, None, None]
        moved = (pairs ^ difference[:, :, None]).reshape(trees, width, _NODE_BYTES)
    return moved


def _children(nodes: Bytes) -> Bytes:
    """Both children of each node: shape (trees, width, 2, 16)."""
    trees, width, _ = nodes.shape
    return _expanded(nodes, 2 * _NODE_BYTES, b"mpcnet.ot.node").reshape(trees, width, 2, _NODE_BYTES)


def _checked(nodes: Bytes) -> tuple[Bytes, Leaves]:
    """A last expansion: the check of each leaf, which its hash makes public, and the leaf that is used."""
    table = _expanded(nodes, _CHECK_BYTES + _NODE_BYTES, b"mpcnet.ot.leaf").reshape(*nodes.shape[:2], -1)
    return table[..., :_CHECK_BYTES].copy(), table[..., _CHECK_BYTES:].copy()


def _hashes(checks: Bytes) -> Bytes:
    """The hash of each tree's checks."""
    rows = _pieces(checks, checks.shape[1] * _CHECK_BYTES)
    made = b"".join(blake2b(row, size=_CHECK_BYTES, person=b"mpcnet.ot.tree") for row in rows)
    return np.frombuffer(made, np.uint8).reshape(len(checks), _CHECK_BYTES)


def _expanded(nodes: Bytes, size: int, person: bytes) -> Bytes:
    """So many bytes of each node, which is the key of a hash; writable."""
    keys = _pieces(nodes, _NODE_BYTES)
    made = bytearray(b"".join(blake2b(b"", key=key, size=size, person=person) for key in keys))
    return np.frombuffer(made, np.uint8)


def _pieces(array: Bytes, size: int) -> list[bytes]:
    """The array's bytes, so many at a time."""
    data = array.tobytes()
    return [data[start : start + size] for start in range(0, len(data), size)]


def _equal(width: int, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Shape (trees, width): whether a node stands at its tree's place."""
    return np.asarray(np.arange(width, dtype=np.int64)[None] == places[:, None])


def _mask(bits: NDArray[np.bool_] | Bytes) -> Bytes:
    """True or 1 to 255, False or 0 to 0."""
    return np.negative(bits.astype(np.uint8))
