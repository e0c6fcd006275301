"""Where inputs come from.

    --input value=3800            a number or an option: others on this machine can see it in the process list
    --input items=text:ann,bob    texts, which are always marked as such
    --input value=-               standard input, one value a line
    --input value=@raise.txt      a file, one value a line
    --input value=pay.csv:salary  a column of a table; pay.csv:#2 is the second one of a table without a header
    --inputs own.json             a JSON document of all inputs, {"value": 3800}; "-" for standard input
    nothing                       asked for on the terminal, without echo

What looks like a file is one, or is refused. Several inputs from one file stay aligned row by row. All that can be
found wrong with them is found out here, before any link is up. What was given is never repeated in a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click

from mpcnet.cli.click_app import is_terminal, say
from mpcnet.cli.input_sources import TABLES, UNREAD, FileSource, Given, is_file, standard_input
from mpcnet.declare import Declaration
from mpcnet.declare.number_formats import NumberFormat, find_format
from mpcnet.declare.plan import Plan
from mpcnet.declare.table import Column, Reading, Table, parse_lines, parse_table, read_bytes, select
from mpcnet.errors import LocalError

__all__ = (
    "Gathered",
    "InputOptions",
    "formats_of",
    "gather_inputs",
    "parse_words",
)

_SHOWN_LINES = 5


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read, beside what the files say themselves.

    Args:
        reading: encoding, delimiter and comments of files.
        skip_empty: leave rows out in which a value is missing.
        formats: by input, how its numbers are written.
    """

    reading: Reading = field(default_factory=Reading)
    skip_empty: bool = False
    formats: Mapping[str, NumberFormat] = field(default_factory=dict[str, NumberFormat])


@dataclass(frozen=True, slots=True, repr=False)
class Gathered:
    """Our inputs.

    Args:
        values: by input, as the job takes them.
        columns: of those that came from files, where their rows stand.
    """

    values: Mapping[str, object]
    columns: Mapping[str, Column]


def formats_of(options: Sequence[str]) -> dict[str, NumberFormat]:
    """What `--format NAME=FORMAT` says, by input.

    Raises:
        LocalError: it has another form, or there is no such format.
    """
    found: dict[str, NumberFormat] = {}
    for option in options:
        name, sign, text = option.partition("=")
        if not sign or not name:
            raise LocalError("--format takes NAME=FORMAT, such as value=de")
        found[name] = find_format(text.strip())
    return found


def gather_inputs(
    plan: Plan[Any, Any], given: Mapping[str, Given | FileSource], options: InputOptions | None = None
) -> Gathered:
    """The values of our own inputs, in the form that the job takes; asks for what is missing if a person is there.

    Raises:
        LocalError: a name that is none of ours, a file that cannot be read, a value that does not fit, or an input
            is missing.
    """
    options = options or InputOptions()
    wanted = plan.my_inputs()
    if any(name not in wanted for name in [*given, *options.formats]):
        ours = ", ".join(wanted) or "none"
        raise LocalError(f"{plan.me.name} gives the inputs: {ours}; another name was given")
    declarations, params = plan.job.protocol.inputs, plan.job.params
    columns = _read_files(
        plan, {name: item for name, item in given.items() if isinstance(item, FileSource)}, options
    )
    values: dict[str, tuple[object, Any]] = {}
    for name in wanted:
        source = given.get(name)
        if name in columns:
            values[name] = _value(name, declarations[name], params, columns[name], options)
        elif isinstance(source, Given):
            column = Column(tuple(_split(name, declarations[name], params, source)))
            values[name] = _value(name, declarations[name], params, column, options)
        elif is_terminal():
            values[name] = _ask(name, declarations[name], params, options)
        else:
            raise LocalError(f"input '{name}' is missing: give --input {name}=... or --input {name}=-")
    plan.check_together({name: checked for name, (_, checked) in values.items()})
    return Gathered({name: value for name, (value, _) in values.items()}, columns)


def parse_words(name: str, declaration: Declaration, params: Any, given: Given) -> object:
    """The value of words.

    Raises:
        LocalError: they are not of the declared type.
    """
    column = Column(tuple(_split(name, declaration, params, given)))
    return _value(name, declaration, params, column, InputOptions())[0]


def _split(name: str, declaration: Declaration, params: Any, given: Given) -> list[str]:
    """The texts of an input: its words, or the parts of a typed line."""
    words = list(given.words)
    if not given.typed:
        return words
    if declaration.takes_any_text and not given.marked:
        # Every text would be an item, also a misspelt name of a file.
        raise LocalError(
            f"input '{name}': texts are marked as such: {name}=text:ann,bob. There is no such file; a file is "
            f"given as {name}=@FILE or {name}=FILE:COLUMN"
        )
    if not declaration.several(params):
        return words
    return [word for line in words for word in line.split(",") if word.strip()]


def _value(
    name: str, declaration: Declaration, params: Any, column: Column, options: InputOptions
) -> tuple[object, Any]:
    """A value as the job takes it, and as the protocol will get it.

    Raises:
        LocalError: it does not fit; the message says where it stands.
    """
    texts = column.texts
    try:
        if found := options.formats.get(name):
            texts = _plain(declaration, texts, found)
        value = declaration.parse(texts, params)
        return value, declaration.check(value, params)
    except LocalError as error:
        where = column.where(error.row)
        if not where and error.row is not None and len(texts) > 1:
            where = f"value {error.row + 1:,} of {len(texts):,}"
        raise type(error)(": ".join(part for part in (f"input '{name}'", where, str(error)) if part)) from None


def _plain(declaration: Declaration, texts: Sequence[str], found: NumberFormat) -> tuple[str, ...]:
    if not declaration.takes_numbers:
        raise LocalError("a format of numbers was given, and this input takes none")
    plain: list[str] = []
    for row, text in enumerate(texts):
        try:
            plain.append(found.plain(text))
        except LocalError as error:
            raise LocalError(str(error), row=row) from None
    return tuple(plain)


# Files


def _read_files(plan: Plan[Any, Any], files: Mapping[str, FileSource], options: InputOptions) -> dict[str, Column]:
    """The columns of all files, each file read once, so that its columns stay aligned."""
    params, declarations = plan.job.params, plan.job.protocol.inputs
    by_path: dict[str, dict[str, str]] = {}
    for name, file in files.items():
        by_path.setdefault(file.path, {})[name] = file.column
    found: dict[str, Column] = {}
    for path, columns in by_path.items():
        table = _table(path, columns, options.reading)
        is_missing = {name: partial(declarations[name].is_missing, params=params) for name in columns}
        if not any(declarations[name].several(params) for name in columns):
            # One value: blank lines around it are none.
            found |= select(table, columns, is_missing, skip=True)[0]
            continue
        chosen, left_out = select(table, columns, is_missing, skip=options.skip_empty)
        if left_out and len(by_path) > 1:
            raise LocalError(
                f"{table.name}, line {left_out[0]:,}: no value. With values from several files, a row that is left "
                "out would move all others: put them into one file"
            )
        if left_out:
            say(_told(table, left_out))
        found |= chosen
    return found


def _told(table: Table, lines: Sequence[int]) -> str:
    shown = ", ".join(f"{line:,}" for line in lines[:_SHOWN_LINES])
    more = f" and {len(lines) - _SHOWN_LINES:,} more" if len(lines) > _SHOWN_LINES else ""
    rows = "1 row without a value is" if len(lines) == 1 else f"{len(lines):,} rows without a value are"
    return f"{table.name}: {rows} left out (line{'' if len(lines) == 1 else 's'} {shown}{more})"


def _table(path: str, columns: Mapping[str, str], reading: Reading) -> Table:
    """A file as a table.

    Raises:
        LocalError: it is of a form that is not read, or a table of which no column was named.
    """
    name = "standard input" if path == "-" else path
    if path.lower().endswith(UNREAD):
        raise LocalError(f"{name} is no text: save it as CSV in UTF-8, and name a column: FILE.csv:COLUMN")
    numbered = [column.startswith("#") for column in columns.values() if column]
    data = standard_input() if path == "-" else read_bytes(Path(path))
    if not numbered:
        if path.lower().endswith(TABLES):
            header = parse_table(data, name, reading).header
            raise LocalError(
                f"{name} is a table: name a column, such as {path}:{header[0]}; it has: {', '.join(header)}"
            )
        return parse_lines(data, name, reading)
    if len(numbered) < len(columns):
        raise LocalError(f"{name}: one input takes its lines, another one a column")
    return parse_table(data, name, reading, header=not all(numbered))


def _ask(name: str, declaration: Declaration, params: Any, options: InputOptions) -> tuple[object, Any]:
    """Ask until the answer fits: nothing was sent yet, so a slip costs no one anything."""
    hint = "; ".join(part for part in (declaration.help, declaration.phrase(params)) if part)
    more = ", separated by commas" if declaration.several(params) else ""
    while True:
        line = click.prompt(f"{name} ({hint}{more})", hide_input=True, err=True)
        try:
            _check_typed(name, declaration, line)
            words = _split(name, declaration, params, Given((line,), typed=True, marked=True))
            return _value(name, declaration, params, Column(tuple(words)), options)
        except LocalError as error:
            say(f"{error}; nothing was sent, try again")


def _check_typed(name: str, declaration: Declaration, line: str) -> None:
    if declaration.takes_any_text and any(is_file(word) for word in line.split(",")):
        raise LocalError(f"input '{name}': this is the name of a file: give --input {name}=@FILE")
