"""A command's signature, written once: the fields of a dataclass are what one can type and what the work is given.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Greet:
        "Greet a party, politely."

        name: Annotated[str, Argument()]
        times: Annotated[int, Option("--times", metavar="N", help="How often.")] = 1

    greet = command("greet", Greet, "mpcnet.cli.greeting:greet_party", examples=(("mpcnet greet alice", "Once."),))

The type says how a word is read (text, a number, one of several literals), a `bool` is a flag, a tuple takes any
number of words, and a field without a default must be given. The work is named, not imported: help and completion
do not wait for what a command does (docs/decisions/0016). It takes one argument, the dataclass that the words have
filled.
"""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import partial
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click
from click.shell_completion import CompletionItem

from mpcnet.cli.click_app import Command, DiscreetCommand, Example

__all__ = ("Argument", "Completer", "Option", "command", "load_work")

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]
Callback = Callable[[click.Context, click.Parameter, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A word, or for a tuple several, that stand without a name before them.

    Args:
        metavar: what the help calls it; by default the field's name.
        complete: what it may be.
    """

    metavar: str | None = None
    complete: Completer | None = None

    def parameter(self, name: str, kind: Any, default: object) -> click.Argument:
        """The parameter of a field of that type; without a default if it is `MISSING`."""
        required = default is MISSING
        several: dict[str, Any] = {"nargs": -1} if get_origin(kind) is tuple else {}
        return click.Argument(
            [name],
            type=_type_of(kind),
            required=required,
            metavar=self.metavar,
            shell_complete=self.complete,
            **several or _default(default),
        )


@dataclass(frozen=True, slots=True)
class Option:
    """A word behind a name.

    Args:
        names: "--as"; several with blanks between them, "-q --quiet"; a flag with its opposite, "--cost/--no-cost".
        help: one sentence.
        metavar: what the help calls the word.
        complete: what it may be.
        limits: lowest and highest number, both included.
        show_default: say the default in the help.
        first: called before all other options are looked at, with the value, which it returns.
    """

    names: str
    help: str
    metavar: str | None = None
    complete: Completer | None = None
    limits: tuple[int, int] | None = None
    show_default: bool = False
    first: Callback | None = None

    def parameter(self, name: str, kind: Any, default: object) -> click.Option:
        """As `Argument.parameter`."""
        form: dict[str, Any] = {"is_flag": True} if kind is bool else {"type": _type_of(kind, self.limits)}
        several: dict[str, Any] = {"multiple": True} if get_origin(kind) is tuple else {}
        return click.Option(
            [*self.names.split(), name],
            required=default is MISSING,
            metavar=self.metavar,
            help=self.help,
            shell_complete=self.complete,
            show_default=self.show_default,
            is_eager=self.first is not None,
            callback=self.first,
            **form,
            **several or _default(default),
        )


def command(
    name: str, signature: type[Any], work: str, *, examples: Sequence[Example], discreet: bool = False
) -> Command:
    """The command of a signature, whose docstring is its help.

    Args:
        name: how one calls it.
        signature: a dataclass whose fields are annotated with `Argument` or `Option`.
        work: "module:function", imported when the command runs. It takes the signature and may return an exit code.
        examples: lines to type, and what they do.
        discreet: it takes secrets, and complaints about its words do not repeat them.
    """
    kind = DiscreetCommand if discreet else Command
    text = inspect.cleandoc(signature.__doc__ or "")
    return kind(
        name, params=_parameters(signature), callback=partial(_run, work, signature), help=text, examples=examples
    )


def _run(work: str, signature: type[Any], **values: Any) -> int | None:
    return load_work(work)(signature(**values))


def load_work(work: str) -> Callable[[Any], int | None]:
    """The function that a command runs, of "module:function"."""
    module, _, function = work.partition(":")
    found: Callable[[Any], int | None] = getattr(importlib.import_module(module), function)
    return found


def _parameters(signature: type[Any]) -> list[click.Parameter]:
    hints = get_type_hints(signature, include_extras=True)
    found: list[click.Parameter] = []
    for field in fields(signature):
        kind, place = get_args(hints[field.name])
        found.append(place.parameter(field.name, kind, field.default))
    return found


def _default(default: object) -> dict[str, Any]:
    return {} if default is MISSING else {"default": default}


_TYPES: Mapping[Any, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT}


def _type_of(kind: Any, limits: tuple[int, int] | None = None) -> click.ParamType[Any]:
    """How one word is read."""
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (item for item in get_args(kind) if item is not types.NoneType)
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    return _TYPES[kind] if limits is None else click.IntRange(*limits)
