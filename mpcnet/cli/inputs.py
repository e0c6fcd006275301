"""Where inputs come from.

    --input value=3800            a word: others on this machine can see it in the process list
    --input value=-               standard input, one value a line
    --input value=@raise.txt      a file, one value a line
    --input value=pay.csv:salary  a column of a CSV file
    --inputs own.json             a JSON document of all inputs, {"value": 3800}; "-" for standard input
    nothing                       asked for on the terminal, without echo

What was given is never repeated in a message.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from mpcnet.cli.click_app import is_terminal, say
from mpcnet.declare import Declaration
from mpcnet.declare.plan import Plan
from mpcnet.errors import LocalError

__all__ = ("Given", "document_inputs", "parse_words", "read_document", "read_given", "take_inputs")

_CSV = re.compile(r"(?P<path>.+\.csv):(?P<column>.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """The words of one input.

    Args:
        words: as they stand in the source.
        typed: they are one line that somebody typed, where commas may separate several.
    """

    words: tuple[str, ...]
    typed: bool = False


def read_given(options: Sequence[str], document: str | None) -> dict[str, Given]:
    """What `--input` and `--inputs` say, by input.

    Raises:
        LocalError: an option without a name, a name twice, standard input twice, or a source that cannot be read.
    """
    sources: dict[str, str] = {}
    for option in options:
        name, sign, source = option.partition("=")
        if not sign or not name:
            raise LocalError("--input takes NAME=VALUE")
        if name in sources:
            raise LocalError(f"input {_name(name)} is given twice")
        sources[name] = source
    if [*sources.values(), document].count("-") > 1:
        raise LocalError("standard input holds one input only; give several as one JSON document: --inputs -")
    given = _of_document(document) if document is not None else {}
    for name, source in sources.items():
        if name in given:
            raise LocalError(f"input {_name(name)} is given twice")
        given[name] = _of_source(source)
    return given


def take_inputs(plan: Plan[Any, Any], given: Mapping[str, Given]) -> dict[str, object]:
    """The values of our own inputs, in the form that the job takes; asks for what is missing if somebody is there.

    Raises:
        LocalError: a name that is none of ours, a word of another type, or an input is missing.
    """
    wanted = plan.my_inputs()
    if any(name not in wanted for name in given):
        ours = ", ".join(wanted) or "none"
        raise LocalError(f"{plan.me.name} gives the inputs: {ours}; another name was given")
    declarations, params = plan.job.protocol.inputs, plan.job.params
    values: dict[str, object] = {}
    for name in wanted:
        if name in given:
            values[name] = parse_words(name, declarations[name], params, given[name])
        elif is_terminal():
            values[name] = _ask(name, declarations[name], params)
        else:
            raise LocalError(f"input '{name}' is missing: give --input {name}=... or --input {name}=-")
    return values


def parse_words(name: str, declaration: Declaration, params: Any, given: Given) -> object:
    """The value of words.

    Raises:
        LocalError: they are not of the declared type.
    """
    words = list(given.words)
    if given.typed and declaration.several(params):
        words = [word for line in words for word in line.split(",") if word.strip()]
        if declaration.takes_any_text and any(_is_file(word) for word in words):
            # Every text is an item: a forgotten @ would pass for a list of one.
            raise LocalError(f"input '{name}': this is the name of a file; to read it, write @ before it")
    try:
        return declaration.parse(words, params)
    except LocalError as error:
        raise type(error)(f"input '{name}': {error}") from None


def _is_file(word: str) -> bool:
    try:
        return Path(word.strip()).is_file()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False


def _name(name: str) -> str:
    """A name for a message, unless it may be a value that stands in the wrong place."""
    return f"'{name}'" if re.fullmatch(r"[a-z][a-z_]{0,40}", name) else "of that name"


def _of_source(source: str) -> Given:
    if source == "-":
        if is_terminal():
            return Given((click.prompt("value", hide_input=True, err=True),), typed=True)
        return Given(_lines(sys.stdin.read()))
    if source.startswith("@"):
        return Given(_lines(_read(Path(source[1:]))))
    if found := _CSV.fullmatch(source):
        return Given(_column(Path(found["path"]), found["column"]))
    return Given((source,), typed=True)


def _lines(text: str) -> tuple[str, ...]:
    # Not splitlines: an item may hold one of the other characters that Python takes for the end of a line.
    return tuple(line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise LocalError(f"{path} is not text") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is no file name"
        raise LocalError(f"{path} cannot be read: {reason}") from None


def _column(path: Path, column: str) -> tuple[str, ...]:
    rows = csv.reader(io.StringIO(_read(path), newline=""), strict=True)
    no_header: list[str] = []
    try:
        header = [cell.strip() for cell in next(rows, no_header)]
        if header.count(column) != 1:
            times = "no column" if column not in header else "more than one column"
            raise LocalError(f"{path} has {times} {column!r}; it has: {', '.join(header) or 'none'}")
        place = header.index(column)
        return tuple(_cell(path, rows.line_num, row, place) for row in rows if row)
    except csv.Error:
        raise LocalError(f"{path} is no CSV file: line {rows.line_num} cannot be read") from None


def _cell(path: Path, line: int, row: Sequence[str], place: int) -> str:
    if place >= len(row) or not row[place].strip():
        raise LocalError(f"{path} has no value in this column in line {line}")
    return row[place].strip()


def _of_document(source: str) -> dict[str, Given]:
    text = sys.stdin.read() if source == "-" else _read(Path(source))
    return document_inputs(_json_object(text, "--inputs"))


def read_document(source: str) -> dict[str, dict[str, Given]]:
    """Inputs of several parties: a JSON document {party: {input: value}}.

    Raises:
        LocalError: it cannot be read or is none.
    """
    parties = _json_object(sys.stdin.read() if source == "-" else _read(Path(source)), "--inputs")
    for inputs in parties.values():
        if not isinstance(inputs, dict):
            raise LocalError('--inputs takes a JSON object of parties: {"alice": {"NAME": VALUE}, "bob": ...}')
    return {name: document_inputs(cast("dict[str, object]", inputs)) for name, inputs in parties.items()}


def _json_object(text: str, option: str) -> dict[str, object]:
    try:
        # Numbers stay text: the declaration of the input says what they are, and no digit is lost.
        document: object = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise LocalError(f"{option} takes a JSON document; this is none") from None
    if not isinstance(document, dict):
        raise LocalError(f"{option} takes a JSON object")
    return cast("dict[str, object]", document)


def document_inputs(document: Mapping[str, object]) -> dict[str, Given]:
    """The inputs of one party's part of a document.

    Raises:
        LocalError: a value is neither a number or text nor a list of them.
    """
    given: dict[str, Given] = {}
    for name, value in document.items():
        words = cast("list[object]", value) if isinstance(value, list) else [value]
        if not all(isinstance(word, str) for word in words):
            raise LocalError(f"input {_name(name)} takes a number, text, or a list of them")
        given[name] = Given(tuple(cast("list[str]", words)))
    return given


def _ask(name: str, declaration: Declaration, params: Any) -> object:
    """Ask until the answer fits: nothing was sent yet, so a slip costs nobody anything."""
    hint = "; ".join(part for part in (declaration.help, declaration.phrase(params)) if part)
    more = ", separated by commas" if declaration.several(params) else ""
    while True:
        line = click.prompt(f"{name} ({hint}{more})", hide_input=True, err=True)
        try:
            value = parse_words(name, declaration, params, Given((line,), typed=True))
            declaration.check(value, params)
        except LocalError as error:
            say(f"{error}; nothing was sent, try again")
        else:
            return value
