"""Errors and exit codes in one place: one sentence on standard error, whatever went wrong.

Input values are repeated nowhere: neither in our messages nor in those of the option parser, which would quote a
word that it does not understand.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from mpcnet.errors import (
    AgreementMismatch,
    DeadlineExceeded,
    LocalError,
    MpcnetError,
    PeerError,
    ProgramMismatch,
)

__all__ = (
    "App",
    "DiscreetCommand",
    "app",
    "json_option",
    "print_document",
    "say",
    "single",
    "stderr",
    "stdout",
    "to_document",
)

FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

_JSON = "mpcnet.json"
_VERBOSE = "mpcnet.verbose"


def stdout() -> Console:
    """The console for results. Without a terminal, or with NO_COLOR, it prints no colours."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """The console for everything else."""
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """A remark for a person, on standard error."""
    stderr().print(Text(message, style="dim"), soft_wrap=True)


def single(error: BaseException) -> BaseException:
    """The error that explains a group: an interrupt before all, then what we raised on purpose, then the first."""
    leaves = list(_leaves(error))
    for kind in (KeyboardInterrupt, MpcnetError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    return leaves[0]


def _leaves(error: BaseException) -> Sequence[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    members: tuple[BaseException, ...] = error.exceptions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return [leaf for member in members for leaf in _leaves(member)]


def to_document(error: BaseException) -> dict[str, object]:
    """An error for programs: its type, its sentence, and which parties it concerns."""
    document: dict[str, object] = {"type": type(error).__name__, "message": _sentence(error)}
    match error:
        case PeerError(party=party) | AgreementMismatch(party=party) | ProgramMismatch(party=party):
            document["parties"] = [party]
        case DeadlineExceeded(waiting_for=waiting):
            document["parties"] = list(waiting)
        case _:
            document["parties"] = []
    return document


def _sentence(error: BaseException) -> str:
    if isinstance(error, click.UsageError):
        path = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        text = error.format_message().rstrip(".") + path
    elif isinstance(error, click.ClickException):
        text = error.format_message()
    elif isinstance(error, MpcnetError):
        text = str(error)
    elif isinstance(error, KeyboardInterrupt | click.Abort):
        text = "interrupted"
    else:
        # Its text may hold anything, inputs too.
        text = f"the program failed with {type(error).__name__}; 'mpcnet --verbose' shows where"
    return " ".join(text.split())


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    return WRONG_INPUT if isinstance(error, LocalError | click.ClickException) else FAILED


def _report(error: BaseException, *, as_json: bool, verbose: bool) -> int:
    """Say what happened, and give the exit code."""
    code = _exit_code(error)
    if verbose and code != INTERRUPTED:
        traceback.print_exception(error)
    if as_json:
        click.echo(json.dumps({"error": to_document(error)}))
    prefix = "" if code == INTERRUPTED else "error: "
    stderr().print(Text.assemble((prefix, "bold red"), _sentence(error)), soft_wrap=True)
    return code


class App(click.Group):
    """A group whose commands end in an exit code and at most one sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, with our way of reporting."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            result = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except (click.ClickException, click.Abort) as error:
            sys.exit(_report(error, as_json=False, verbose=False))
        sys.exit(result if isinstance(result, int) else 0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one needs them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its errors become exit codes here, where we know whether a program reads us."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, BrokenPipeError, SystemExit):  # rich exits when its pipe is broken
            raise
        except BaseException as error:
            cause = single(error)
            code = _report(cause, as_json=bool(ctx.meta.get(_JSON)), verbose=bool(ctx.meta.get(_VERBOSE)))
            raise click.exceptions.Exit(code) from None


class DiscreetCommand(click.Command):
    """A command that takes secrets: complaints about its words do not repeat them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, which quotes words that it cannot place."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = re.fullmatch(r"--?[a-z-]+", error.option_name)
            name = f": {error.option_name}" if known else ""
            raise click.UsageError(f"there is no such option{name}", ctx) from None
        except click.BadParameter:
            raise
        except click.UsageError as error:
            if "extra argument" in error.message:
                raise click.UsageError("there is a word too many; quote values with blanks", ctx) from None
            raise


def _note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    ctx.meta[_JSON] = value
    return value


def print_document(document: object) -> None:
    """Print the one JSON document of a command; an error after it goes to standard error only."""
    click.echo(json.dumps(document))
    click.get_current_context().meta[_JSON] = False


json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_note_json, help="Print one JSON document."
)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"mpcnet {importlib.metadata.version('mpcnet')}")
        ctx.exit()


@click.group(cls=App, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, and show where errors come from.")
@click.pass_context
def app(ctx: click.Context, verbose: bool) -> None:
    """Compute on joint private data with parties who do not trust each other.

    \b
    Try it:        mpcnet demo average
    For real:      mpcnet keygen, roster make, job, run
    """  # noqa: D301 -- click's mark for lines that stay
    ctx.meta[_VERBOSE] = verbose
    if verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s: %(message)s")
    else:
        logging.getLogger("mpcnet").addHandler(logging.NullHandler())
