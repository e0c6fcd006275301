"""The program digest: divergence is noticed, explained in a sentence, and a hostile explanation is harmless."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.engine.digest import HISTORY, ProgramDigest, explain_difference, parse_operations_untrusted
from mpcnet.errors import PeerViolation

quick = settings(derandomize=True, deadline=None, max_examples=80)

Entry = tuple[int, str, tuple[int, ...], bytes]


def digest(*entries: Entry, fork: tuple[str, ...] = ()) -> ProgramDigest:
    result = ProgramDigest(b"job", fork)
    for entry in entries:
        result.add(*entry)
    return result


def explained(ours: ProgramDigest, theirs: ProgramDigest) -> str:
    packed = [operation.pack() for operation in theirs.recent]
    return explain_difference("bob", ours.recent, parse_operations_untrusted(packed, "bob"))


def test_every_part_enters_the_digest() -> None:
    entry: Entry = (1, "scale", (2, 3), b"factor")
    values = [
        digest(entry),
        digest((2, "scale", (2, 3), b"factor")),
        digest((1, "index", (2, 3), b"factor")),
        digest((1, "scale", (3, 2), b"factor")),
        digest((1, "scale", (2, 3), b"another")),
        digest(entry, entry),
        digest(entry, fork=("left",)),
        ProgramDigest(b"another job"),
        digest(),
    ]
    assert len({item.value() for item in values}) == len(values)
    assert digest(entry).value() == values[0].value()


@quick
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["a", "b"]), st.just(()), st.binary(max_size=4)), max_size=4
    ),
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["a", "b"]), st.just(()), st.binary(max_size=4)), max_size=4
    ),
)
def test_two_programs_never_share_a_digest(first: list[Entry], second: list[Entry]) -> None:
    assert (digest(*first).value() == digest(*second).value()) == (first == second)


COMMON: Entry = (0, "input", (3,), b"")


@pytest.mark.parametrize(
    ("ours", "theirs", "sentence"),
    [
        (
            [COMMON, (7, "compare", (1000,), b"")],
            [COMMON, (7, "multiply", (1000,), b"")],
            "at round 7 bob multiplies 1000 values, we compare 1000 values",
        ),
        (
            [COMMON, (2, "reveal", (), b"")],
            [COMMON, (1, "reveal", (), b"")],
            "at round 1 bob reveals 1 value, at round 2 we reveal 1 value",
        ),
        (
            [COMMON, (0, "negate", (2, 2), b"")],
            [COMMON, (0, "matrix-sum", (), b"")],
            "at round 0 bob runs 'matrix-sum' on 1 value, we run 'negate' on 4 values",
        ),
        (
            [COMMON, (0, "scale", (3,), b"by 2")],
            [COMMON, (0, "scale", (3,), b"by 3")],
            "at round 0 bob runs 'scale' on 3 values, and so do we, but with other public values, names, ranges, "
            "operands or receivers",
        ),
        (
            [COMMON],
            [COMMON, (1, "open", (5,), b"")],
            "at round 1 bob opens 5 values, where our program has nothing more",
        ),
        (
            [COMMON, (1, "open", (5,), b""), (2, "open", (6,), b"")],
            [COMMON],
            "at round 1 we open 5 values, where the program of bob has nothing more",
        ),
        ([COMMON], [COMMON], "the program of bob and ours differ before the last 32 operations"),
        ([], [], "the program of bob and ours differ before the last 32 operations"),
    ],
)
def test_differences_are_sentences(ours: list[Entry], theirs: list[Entry], sentence: str) -> None:
    assert explained(digest(*ours), digest(*theirs)) == sentence


def test_a_peer_that_is_behind_is_not_said_to_run_what_we_forgot() -> None:
    """Both remember a window: what lies before ours is no difference, only forgotten."""
    entries: list[Entry] = [(number, "scale", (number,), b"") for number in range(2 * HISTORY)]
    ahead, behind = digest(*entries), digest(*entries[: HISTORY + 5])
    assert explained(ahead, behind) == (
        f"at round {HISTORY + 5} we run 'scale' on {HISTORY + 5} values, where the program of bob has nothing more"
    )
    assert explained(behind, ahead) == (
        f"at round {HISTORY + 5} bob runs 'scale' on {HISTORY + 5} values, where our program has nothing more"
    )


def test_windows_that_do_not_meet() -> None:
    entries: list[Entry] = [(number, "scale", (), b"") for number in range(3 * HISTORY)]
    ahead, behind = digest(*entries), digest(*entries[:5])
    assert explained(ahead, behind) == f"bob has run 5 operations where we have run {3 * HISTORY}"
    assert explained(behind, ahead) == f"bob has run {3 * HISTORY} operations where we have run 5"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)
almost = st.lists(
    st.tuples(
        st.integers(-1, 2**49) | st.booleans(),
        st.integers(-1, 2**49),
        st.sampled_from(["scale", "Scale", "", "a" * 33, "in put", "input", "scale\n"]),
        st.lists(st.integers(-1, 2**48) | st.booleans(), max_size=5) | st.just([1] * 33),
        st.integers(-1, 2**33) | st.binary(max_size=9),
    ).map(list),
    max_size=4,
)


@quick
@given(json_like | almost)
def test_a_hostile_explanation_is_a_violation_or_a_short_sentence(packed: object) -> None:
    ours = digest(COMMON, (1, "scale", (2,), b"")).recent
    try:
        theirs = parse_operations_untrusted(packed, "bob")
    except PeerViolation:
        return
    assert [operation.pack() for operation in theirs] == packed
    sentence = explain_difference("bob", ours, theirs)
    assert len(sentence) < 300
    assert sentence.isprintable()


def test_what_is_packed_is_read_back() -> None:
    recent = digest(*[(number, "index", (number, 2), b"x") for number in range(HISTORY + 9)]).recent
    assert len(recent) == HISTORY
    packed = [operation.pack() for operation in recent]
    assert parse_operations_untrusted(packed, "bob") == recent
    assert parse_operations_untrusted(tuple(tuple(item) for item in packed), "bob") == recent


def test_booleans_are_no_numbers() -> None:
    packed = digest(COMMON).recent[0].pack()
    for position in (0, 1, 4):
        item = list(packed)
        item[position] = True
        with pytest.raises(PeerViolation):
            parse_operations_untrusted([item], "bob")
