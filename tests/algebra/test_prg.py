"""Labels and streams: injective encodings, symmetric seeds, silent reprs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.algebra import Z64, Label, Streams
from mpcnet.algebra.prg import pair_seed, stream_key
from mpcnet.errors import LocalError

quick = settings(derandomize=True, deadline=None, max_examples=60)

texts = st.sampled_from(["", "a", "b", "ab", "aa", "zero", "\x00", "é"])
labels = st.builds(
    Label,
    purpose=texts,
    owner=st.sampled_from([0, 1, 256, 2**32 - 1]),
    fork=st.lists(texts, max_size=3).map(tuple),
    node=st.sampled_from([0, 1, 256, 2**40]),
    index=st.sampled_from([0, 1, 256, 2**40]),
)


@quick
@given(labels, labels)
def test_two_labels_never_share_an_encoding(first: Label, second: Label) -> None:
    assert (first.encode() == second.encode()) == (first == second)


@quick
@given(st.lists(labels, min_size=2, max_size=8, unique=True))
def test_no_encoding_starts_another(several: list[Label]) -> None:
    encoded = [label.encode() for label in several]
    assert not any(a.startswith(b) for a in encoded for b in encoded if a is not b)


def test_a_seed_is_the_same_on_both_sides() -> None:
    alice, bob = (0, b"a" * 32, b"life-a"), (1, b"b" * 32, b"life-b")
    assert pair_seed(alice, bob) == pair_seed(bob, alice)


def test_every_part_of_a_seed_matters() -> None:
    alice, bob = (0, b"a" * 32, b"life"), (1, b"b" * 32, b"life")
    others = [
        pair_seed((2, b"a" * 32, b"life"), bob),
        pair_seed((0, b"c" * 32, b"life"), bob),
        pair_seed((0, b"a" * 32, b"reborn"), bob),
        pair_seed(alice, (1, b"b" * 32, b"reborn")),
        pair_seed((0, b"b" * 32, b"life"), (1, b"a" * 32, b"life")),
    ]
    assert len({pair_seed(alice, bob), *others}) == len(others) + 1


def test_every_part_of_a_key_matters() -> None:
    label = Label("input", 0, ("a",), 1, 0)
    keys = [
        stream_key(b"s" * 32, b"job", label),
        stream_key(b"t" * 32, b"job", label),
        stream_key(b"s" * 32, b"joc", label),
        stream_key(b"s" * 32, b"job", Label("input", 0, ("a",), 1, 1)),
    ]
    assert len(set(keys)) == len(keys)


def test_streams_show_no_seed_and_serve_their_own_fork_only() -> None:
    streams = Streams(b"\xaa" * 32, b"\xbb" * 32, ("left",))
    assert repr(streams) == "Streams(fork=('left',))"
    drawn = streams.uniform(Z64, (4,), Label("zero", 0, ("left",), 3, 0))
    assert np.unique(drawn).size == 4
    for label in (Label("zero", 0, ("right",), 3, 0), Label("", 0, ("left",), 3, 0)):
        with pytest.raises(LocalError, match="its own fork"):
            streams.uniform(Z64, (4,), label)
