"""A declaration that contradicts itself is refused where it is written, in words that say what would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from mpcnet import Choice, Ints, LocalError, LocalInts, LocalLabels, Many, Party, protocol


@dataclass(frozen=True)
class Rules:
    """Two parameters, and a property."""

    high: int = 9
    options: tuple[str, ...] = ("tea", "coffee")

    @property
    def most(self) -> int:
        """Computed from parameters."""
        return len(self.options)


async def nothing(party: Party[Rules]) -> None:
    """It is never run."""


def declare(**changes: Any) -> None:
    facts: dict[str, Any] = {"version": 1, "params": Rules, "roles": {"owners": Many(2)}, "outputs": {}}
    protocol("declared", **{**facts, **changes})(nothing)


NO_ROLE = "which is no role; the roles are: owners"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "1"}, "versions are whole numbers and count from 1"),
        ({"version": 0}, "versions are whole numbers and count from 1"),
        ({"params": dict}, "params must be a frozen dataclass"),
        ({"roles": {"owners": 2}}, "role 'owners' is declared by One(), Many() or Many(3, 5)"),
        ({"outputs": {"sum": "all"}}, f"output 'sum' goes to 'all', {NO_ROLE}; 'everyone' is all of them"),
        ({"inputs": {"x": Ints(by="owner")}}, f"input 'x' is given by 'owner', {NO_ROLE}"),
        (
            {"inputs": {"x": Ints(by="owners", range=(0, "hihg"))}},
            "input 'x' names the parameter 'hihg', which there is not; the parameters are: high, options; "
            "did you mean 'high'?",
        ),
        ({"inputs": {"x": Ints(by="owners", shape=("rows",))}}, "the parameter 'rows'"),
        ({"inputs": {"x": Choice(by="owners", options="drinks")}}, "the parameter 'drinks'"),
        ({"inputs": {"x": LocalInts(by="owners", most="count")}}, "the parameter 'count'"),
        ({"inputs": {"x": LocalLabels(by="owners", labels="words")}}, "the parameter 'words'"),
    ],
)
async def test_what_contradicts_itself(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(LocalError) as caught:
        declare(**changes)
    assert words in str(caught.value)


async def test_what_names_parameters_properties_and_functions_of_them() -> None:
    declare(
        inputs={
            "x": Ints(by="owners", range=(0, "high"), shape=("options",)),
            "y": LocalInts(by="owners", range=lambda rules: (0, rules.high), most="most"),
            "z": Choice(by="owners"),
        }
    )
