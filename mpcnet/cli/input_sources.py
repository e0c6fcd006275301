"""What the options of a command say of inputs: words, files, documents. Nothing of it is repeated in a message."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click

from mpcnet.cli.click_app import is_terminal
from mpcnet.declare.table import Reading, decoded, read_bytes
from mpcnet.errors import LocalError

__all__ = (
    "TABLES",
    "UNREAD",
    "FileSource",
    "Given",
    "document_inputs",
    "is_file",
    "read_document",
    "read_given",
    "standard_input",
)

TABLES = (".csv", ".tsv", ".tab", ".psv")
UNREAD = (".gz", ".zip", ".bz2", ".xz", ".xlsx", ".xls", ".ods", ".parquet", ".feather", ".json", ".jsonl", ".pkl")
_FILES = (*TABLES, ".txt", ".dat", ".lst")
_MARK = "text:"


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """The words of one input.

    Args:
        words: as they stand in the source.
        typed: they are one line that a person typed, where commas may separate several.
        marked: they were said to be texts.
    """

    words: tuple[str, ...]
    typed: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class FileSource:
    """A column of a file, or all lines of it.

    Args:
        path: "-" is standard input.
        column: empty for a file with one value a line.
    """

    path: str
    column: str = ""


def read_given(options: Sequence[str], document: str | None) -> dict[str, Given | FileSource]:
    """What `--input` and `--inputs` say, by input; files are named here, and read later.

    Raises:
        LocalError: an option without a name, a name twice, standard input twice, or a document that cannot be read.
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
    given: dict[str, Given | FileSource] = {}
    given |= _of_document(document) if document is not None else {}
    for name, source in sources.items():
        if name in given:
            raise LocalError(f"input {_name(name)} is given twice")
        given[name] = _of_source(name, source)
    return given


def _of_source(name: str, source: str) -> Given | FileSource:
    if source == "-" and is_terminal():
        return Given((click.prompt("value", hide_input=True, err=True),), typed=True, marked=True)
    if source.startswith(_MARK):
        return Given((source.removeprefix(_MARK),), typed=True, marked=True)
    if source.startswith("@"):
        return FileSource(source[1:])
    if source == "-":
        return FileSource("-")
    if found := _column_of(source):
        return found
    if any(is_file(word) for word in (source, *source.split(","))):
        raise LocalError(
            f"input {_name(name)}: this is the name of a file: to read it, write @ before it, or : and a column "
            "behind it; a text of this form is given as text:..."
        )
    return Given((source,), typed=True)


def _column_of(source: str) -> FileSource | None:
    """FILE:COLUMN, where FILE is there or has the name of a file."""
    places = [found.start() for found in re.finditer(":", source)]
    splits = [(source[:place], source[place + 1 :]) for place in places if place and place + 1 < len(source)]
    there = (split for split in splits if split[0] == "-" or _exists(split[0]))
    named = (split for split in splits if split[0].lower().endswith((*_FILES, *UNREAD)))
    found = next(there, None) or next(named, None)
    return None if found is None else FileSource(*found)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists() and not Path(path).is_dir()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False


def is_file(word: str) -> bool:
    """Whether a word is the name of a file, or looks like one."""
    return word.strip().lower().endswith((*_FILES, *UNREAD)) or _exists(word.strip())


def _name(name: str) -> str:
    """A name for a message, unless it may be a value that stands in the wrong place."""
    return f"'{name}'" if re.fullmatch(r"[a-z][a-z_]{0,40}", name) else "of that name"


def _of_document(source: str) -> dict[str, Given]:
    return document_inputs(_json_object(_document_text(source), "--inputs"))


def _document_text(source: str) -> str:
    if source == "-":
        return decoded(standard_input(), "standard input", Reading())
    return decoded(read_bytes(Path(source)), source, Reading())


def read_document(source: str) -> dict[str, dict[str, Given]]:
    """Inputs of several parties: a JSON document {party: {input: value}}.

    Raises:
        LocalError: it cannot be read or is none.
    """
    parties = _json_object(_document_text(source), "--inputs")
    if not all(isinstance(inputs, dict) for inputs in parties.values()):
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


def standard_input() -> bytes:
    """The bytes of standard input: its text would follow the locale."""
    return sys.stdin.buffer.read()
