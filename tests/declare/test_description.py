"""What protocols say of themselves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from mpcnet import Many, Party, find_protocol, protocol
from mpcnet.declare import list_protocols
from mpcnet.declare.description import describe


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


@dataclass(frozen=True)
class Rules:
    """What is agreed.

    Args:
        low, high: the range; both
            included.
        name: of it.

    Raises:
        LocalError: never: this is no argument.
    """

    low: int = 0
    high: int = 1
    name: str = ""


@protocol("told", version=1, params=Rules, roles={"some": Many(1)}, outputs={})
async def told(party: Party[Rules]) -> None:
    """What it computes.

    How it goes, in
    two lines. Note: this is no section.

    Another paragraph.
    Threat model: none
        at all.
    Rounds: 3.

    Raises:
        LocalError: never.
    Leaks: the count.
    Source: nowhere.
    """


@protocol("lists", version=1, params=Rules, roles={"some": Many(1)}, outputs={})
async def lists(party: Party[Rules]) -> None:
    """What it computes.

    One way:
    - of two, and
      of more - or less.

    Leaks:
        - Everyone learns the count,
          and the sum.
        - The others learn nothing.
    Rounds: 3.
    """


@protocol("silent", version=1, params=Rules, roles={"some": Many(1)}, outputs={})
async def silent(party: Party[Rules]) -> None:
    """Only a line."""


def test_the_parts() -> None:
    found = describe(told)
    assert found.summary == "What it computes."
    assert found.text == ("How it goes, in two lines. Note: this is no section.", "Another paragraph.")
    assert (found.threat, found.rounds, found.source) == ("none at all.", "3.", "nowhere.")
    assert found.leaks == ("the count.",)
    both = "the range; both included."
    assert found.parameters == {"low": both, "high": both, "name": "of it."}


def test_items_of_lists_are_lines_and_what_leaks_is_told_one_by_one() -> None:
    found = describe(lists)
    assert found.text == ("One way:\n- of two, and of more - or less.",)
    assert found.leaks == ("Everyone learns the count, and the sum.", "The others learn nothing.")
    assert found.rounds == "3."


def test_what_is_not_there_is_empty() -> None:
    found = describe(silent)
    assert (found.summary, found.text, found.leaks, found.rounds) == ("Only a line.", (), (), "")


@pytest.mark.parametrize("name", list_protocols())
def test_each_installed_protocol_says_what_it_reveals(name: str) -> None:
    found = describe(find_protocol(name))
    assert "learn" in " ".join(found.leaks)
    assert all((found.summary, found.threat, found.rounds, found.source))
    assert list(found.parameters) == [field.name for field in dataclasses.fields(find_protocol(name).params)]
    assert not any("Threat model:" in text or "Rounds:" in text for text in (*found.text, found.threat))
