"""Signatures: what a dataclass makes of words, and that every command's work takes what it is given."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, cast, get_type_hints

import click
import pytest
from click.testing import CliRunner

from mpcnet.cli import app
from mpcnet.cli.signatures import Argument, Option, command, load_work


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """Greet parties.

    Politely.
    """

    names: Annotated[tuple[str, ...], Argument(metavar="NAME...")]
    language: Annotated[Literal["en", "de"] | None, Option("--language", help="Which.")] = None
    times: Annotated[int, Option("--times", limits=(1, 9), help="How often.", show_default=True)] = 1
    pause: Annotated[float, Option("--pause", help="Seconds.")] = 0.5
    hats: Annotated[tuple[str, ...], Option("--hat", help="Take one off.")] = ()
    loud: Annotated[bool, Option("-l --loud", help="Shout.")] = False
    bow: Annotated[bool, Option("--bow/--no-bow", help="Bow.")] = True
    greeter: Annotated[str, Option("--as", help="Who greets.")]


GREETED: list[Greet] = []


def greet(asked: Greet) -> int:
    GREETED.append(asked)
    return 7


GREETING = command("greet", Greet, f"{__name__}:greet", examples=(("mpcnet greet alice --as bob", "Once."),))


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("alice --as bob", Greet(names=("alice",), greeter="bob")),
        (
            "a b --as c -l --no-bow --hat x --hat y --pause 2 --times 3 --language de",
            Greet(
                names=("a", "b"),
                greeter="c",
                loud=True,
                bow=False,
                hats=("x", "y"),
                pause=2.0,
                times=3,
                language="de",
            ),
        ),
    ],
)
def test_what_words_become(words: str, asked: Greet) -> None:
    GREETED.clear()
    code = GREETING.main(words.split(), standalone_mode=False)
    assert (code, GREETED) == (7, [asked])


@pytest.mark.parametrize(
    "words", ["--as bob", "alice", "a --as b --times 10", "a --as b --language fr", "a --as b --fly"]
)
def test_words_that_are_refused(words: str) -> None:
    assert CliRunner().invoke(GREETING, words.split()).exit_code == 2


def test_the_help() -> None:
    text = CliRunner().invoke(GREETING, ["--help"]).output
    assert "Greet parties.\n\n  Politely.\n" in text
    assert "NAME..." in text
    assert "[default: 1; 1<=x<=9]" in text
    assert text.index("--times") < text.index("--pause") < text.index("--as")


def commands(group: click.Group) -> Iterator[click.Command]:
    for found in group.commands.values():
        if isinstance(found, click.Group):
            yield from commands(found)
        else:
            yield found


@pytest.mark.parametrize("found", list(commands(app)), ids=lambda found: str(found.name))
def test_every_work_is_there_and_takes_its_signature(found: click.Command) -> None:
    work, signature = cast("partial[Any]", found.callback).args
    function: Any = load_work(work)
    (only,) = inspect.signature(function).parameters
    assert get_type_hints(function)[only] is signature
