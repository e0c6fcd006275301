"""The form of all commands: help with examples, one sentence on standard error whatever went wrong, exit codes.

Input values are repeated nowhere: neither in our messages nor in those of the option parser, which would quote a
word that it does not understand. rich is imported when something is printed with it: completion need not wait.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from mpcnet.errors import (
    LocalError,
    MpcnetError,
    did_you_mean,
    first_cause,
    parties_of,
)

if TYPE_CHECKING:
    from rich.console import Console

__all__ = (
    "App",
    "Command",
    "DiscreetCommand",
    "Example",
    "Group",
    "app",
    "is_live",
    "is_terminal",
    "note_json",
    "print_document",
    "printable",
    "say",
    "stderr",
    "stdout",
    "to_document",
)

FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

_JSON = "mpcnet.json"
_VERBOSE = "mpcnet.verbose"


Example = tuple[str, str]
"""A command line, as one would type it, and what it does."""


def stdout() -> Console:
    """The console for results. Colours as `_console` says."""
    return _console(sys.stdout)


def stderr() -> Console:
    """The console for everything else."""
    return _console(sys.stderr)


_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing."""


def printable(text: str) -> str:
    """A text that others may have written, without what moves a terminal's cursor or hides what stands there."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _console(file: TextIO) -> Console:
    """Coloured on a terminal that can, or with FORCE_COLOR; with NO_COLOR without any escape sequence.

    Texts are shown as `printable` says: rich takes out some control characters, and lets escape pass.
    """
    from rich.console import Console as RichConsole
    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Console(RichConsole):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=file, highlight=False, markup=False, emoji=False, color_system=colours)


def is_live(file: TextIO) -> bool:
    """Whether lines that were written can be written again: a terminal that can move its cursor."""
    return file.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def is_terminal() -> bool:
    """Whether a person sits at standard input."""
    return sys.stdin.isatty()


def say(message: str) -> None:
    """A remark for a person, on standard error."""
    from rich.text import Text

    stderr().print(Text(message, style="dim"), soft_wrap=True)


def to_document(error: BaseException) -> dict[str, object]:
    """An error for programs: its type, its sentence, and which parties it concerns."""
    return {"type": type(error).__name__, "message": _sentence(error), "parties": list(parties_of(error))}


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
    return printable(" ".join(text.split()))


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
    from rich.text import Text

    prefix = "" if code == INTERRUPTED else "error: "
    stderr().print(Text.assemble((prefix, "bold red"), _sentence(error)), soft_wrap=True)
    return code


class _WithExamples(click.Command):
    """Help that ends with examples: a line to type, and under it what it does."""

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """After everything else, and before nothing."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line, what in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
                    with formatter.indentation():
                        formatter.write_text(what)


class Command(_WithExamples):
    """A command."""


class Group(_WithExamples, click.Group):
    """A group of commands, in the order in which one needs them; it knows which one was meant."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, some of whose versions report the help as an error: with no word, help is asked for."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, whose versions differ in what they say of a word that is no command."""
        word = click.utils.make_str(args[0])
        if self.get_command(ctx, word) is None and not ctx.resilient_parsing and not word.startswith("-"):
            hint = did_you_mean(word, self.commands)
            raise click.UsageError(f"there is no command '{word}'{hint}", ctx)
        return super().resolve_command(ctx, args)


class App(Group):
    """The group of all commands, which end in an exit code and at most one sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, with our way of reporting."""
        _print_everything()
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            result = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except (click.ClickException, click.Abort) as error:
            sys.exit(_report(error, as_json=False, verbose=False))
        sys.exit(result if isinstance(result, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its errors become exit codes here, where we know whether a program reads us."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, BrokenPipeError, SystemExit):  # rich exits when its pipe is broken
            raise
        except BaseException as error:
            cause = first_cause(error)
            code = _report(cause, as_json=bool(ctx.meta.get(_JSON)), verbose=bool(ctx.meta.get(_VERBOSE)))
            raise click.exceptions.Exit(code) from None


def _print_everything() -> None:
    """A result is never lost by printing: what the terminal's encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Where another program put a pipe in place of a file, Python asks the pipe for its position in vain.
            with contextlib.suppress(OSError):
                stream.reconfigure(errors="backslashreplace")


class DiscreetCommand(Command):
    """A command that takes secrets: complaints about its words do not repeat them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, which quotes words that it cannot place."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = re.fullmatch(r"--?[a-z-]+", error.option_name)
            options = [option for parameter in self.get_params(ctx) for option in parameter.opts]
            name = f": {error.option_name}{did_you_mean(error.option_name, options)}" if known else ""
            raise click.UsageError(f"there is no such option{name}", ctx) from None
        except click.BadParameter:
            raise
        except click.UsageError as error:
            if "extra argument" in error.message:
                raise click.UsageError("there is a word too many; quote values with blanks", ctx) from None
            raise


def note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    """Remember that a program reads us: an error is then a document too."""
    ctx.meta[_JSON] = value
    return value


def print_document(document: object) -> None:
    """Print the one JSON document of a command; an error after it goes to standard error only."""
    click.echo(json.dumps(document))
    click.get_current_context().meta[_JSON] = False


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        import importlib.metadata

        click.echo(f"mpcnet {importlib.metadata.version('mpcnet')}")
        ctx.exit()


@click.group(
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples=(
        ("mpcnet demo average", "To begin: four parties on this machine learn the average of their raises."),
        ("mpcnet protocols", "What else there is to compute."),
        ("mpcnet keygen alice --address alice.example:7000", "For real: make a key, and the line for the others."),
        ("mpcnet roster make *.line", "Then the roster, of the lines of all parties."),
        ("mpcnet job average --role owners=alice,bob,carol > job.toml", "The job, the same file for every party."),
        ("mpcnet explain job.toml", "What it is that you agree to, before you do."),
        ("mpcnet run job.toml --as alice", "Your part of it."),
        ("mpcnet doctor --job job.toml", "When something does not work, or before it may not."),
    ),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, and show where errors come from.")
@click.pass_context
def app(ctx: click.Context, verbose: bool) -> None:
    """Compute on joint private data with parties who do not trust each other."""
    ctx.meta[_VERBOSE] = verbose
    if verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s: %(message)s")
    else:
        logging.getLogger("mpcnet").addHandler(logging.NullHandler())
