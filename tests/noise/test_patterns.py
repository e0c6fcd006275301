"""The token tables follow the rules that every pattern of the specification keeps."""

from __future__ import annotations

import pytest

from mpcnet.noise.patterns import PATTERNS, Pattern

ALL = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)


def test_all_fundamental_patterns_are_there() -> None:
    interactive = {first + second for first in "NKXI" for second in "NKX"}
    assert set(PATTERNS) == interactive | {"N", "K", "X"}


@ALL
def test_each_key_is_sent_or_known_once_before_it_is_used(pattern: Pattern) -> None:
    # Letters of the initiator's keys and of the responder's keys that both sides know so far.
    known = (list(pattern.initiator_pre), list(pattern.responder_pre))
    for number, message in enumerate(pattern.messages):
        for symbol in message:
            if len(symbol) == 1:
                assert symbol not in known[number % 2]
                known[number % 2].append(symbol)
            else:
                assert symbol[0] in known[0]
                assert symbol[1] in known[1]


@ALL
def test_no_exchange_runs_twice(pattern: Pattern) -> None:
    exchanges = [symbol for message in pattern.messages for symbol in message if len(symbol) == 2]
    assert len(exchanges) == len(set(exchanges))


@ALL
def test_every_own_static_is_mixed_with_the_ephemeral_of_the_other(pattern: Pattern) -> None:
    # §7.3: after an "se" or "ss" of the initiator there must be a fresh exchange too; here: "ss" never alone.
    symbols = [symbol for message in pattern.messages for symbol in message]
    assert "ss" not in symbols or "es" in symbols[: symbols.index("ss")]


@ALL
def test_names_say_where_static_keys_come_from(pattern: Pattern) -> None:
    first = pattern.name[0]
    if pattern.one_way:
        assert pattern.responder_pre == ("s",)
        assert (pattern.initiator_pre == ("s",)) == (first == "K")
        assert pattern.needs_static(initiator=True) == (first != "N")
        return
    second = pattern.name[1]
    assert (pattern.initiator_pre == ("s",)) == (first == "K")
    assert (pattern.responder_pre == ("s",)) == (second == "K")
    assert pattern.needs_static(initiator=True) == (first != "N")
    assert pattern.needs_static(initiator=False) == (second != "N")
    assert pattern.needs_remote_static(initiator=True) == (second == "K")
    assert pattern.needs_remote_static(initiator=False) == (first == "K")
    assert ("s" in pattern.messages[0]) == (first == "I")
    assert ("s" in pattern.messages[1]) == (second == "X")
