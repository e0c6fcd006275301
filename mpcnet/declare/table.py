"""Files of values: the one reader of files for every input.

    bytes ──decoded──▶ text ──split──▶ rows, each with the number of its line ──select──▶ columns, aligned by row

A file has one value on each line, or columns under a header. Encoding and delimiter are found out where the file
makes them certain; where it does not, `Reading` says them, and until then the file is refused. No row is dropped on
the quiet: a row without a value is refused, or left out of all columns alike and counted. A row keeps its line, so
that messages name file, line and column, and results can be joined to the rows that they are about. Messages never
repeat a cell.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mpcnet.errors import LocalError, did_you_mean

__all__ = ("Column", "Reading", "Row", "Table", "parse_lines", "parse_table", "read_bytes", "select")

_MARKS = (
    # Longest first: the mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_TABBED = (".tsv", ".tab")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, where it does not tell itself.

    Args:
        encoding: such as cp1252; by default that of a byte order mark, else UTF-8.
        delimiter: between the cells of a row; by default found out.
        comment: lines that begin with this are left out; by default none is.

    Raises:
        LocalError: there is no such encoding, or a delimiter is no single character.
    """

    encoding: str = ""
    delimiter: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        if self.encoding:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                raise LocalError(
                    f"there is no encoding {self.encoding!r}; some are: utf-8, cp1252, utf-16"
                ) from None
        if self.delimiter and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise LocalError("a delimiter is one character, and neither a quote nor the end of a line")


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One row.

    Args:
        line: the number of the line on which it begins, counted from 1.
        cells: without white space around them.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """The rows of a file.

    Args:
        name: of the file, for messages.
        header: names of the columns; empty if the file has none.
        rows: in their order, blank ones inside the file included.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def place_of(self, column: str) -> int:
        """The place of a column by its name, or by "#2" in a file without a header.

        Raises:
            LocalError: there is none, or more than one of this name.
        """
        if not self.header:
            digits = column.removeprefix("#")
            if not (column.startswith("#") and digits.isdecimal() and int(digits) > 0):
                raise LocalError(f"{self.name} is read without a header: name a column by its number, such as #1")
            return int(digits) - 1
        if self.header.count(column) != 1:
            known = ", ".join(self.header)
            times = "no column" if column not in self.header else "more than one column"
            hint = did_you_mean(column, self.header) if column not in self.header else ""
            if self.header[0].startswith("#"):
                hint += "; its first line begins with '#': if that is a comment, give --comments '#'"
            raise LocalError(f"{self.name} has {times} {column!r}; it has: {known}{hint}")
        return self.header.index(column)


@dataclass(frozen=True, slots=True, repr=False)
class Column:
    """The texts of one input, and where they stand.

    Args:
        texts: one for each row.
        name: of the file, for messages; empty if they stand in none.
        label: of the column, for messages; empty if there is but one.
        lines: the number of the line of each text.
        table: what they are a part of.
        kept: the places of their rows in the table.
    """

    texts: tuple[str, ...]
    name: str = ""
    label: str = ""
    lines: tuple[int, ...] = ()
    table: Table | None = None
    kept: tuple[int, ...] = field(default=())

    def where(self, row: int | None) -> str:
        """Where a text stands, in words: "staff.csv, line 3,217, column 'pay'"; empty if it stands in no file."""
        line = f"line {self.lines[row]:,}" if row is not None and row < len(self.lines) else ""
        column = f"column {self.label!r}" if self.label else ""
        return ", ".join(part for part in (self.name, line, column) if part)


def read_bytes(path: Path) -> bytes:
    """What a file holds.

    Raises:
        LocalError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is no file name"
        raise LocalError(f"{path} cannot be read: {reason}") from None


def parse_lines(data: bytes, name: str, reading: Reading = Reading()) -> Table:
    """A file with one value on each line, as a table of one column without a header.

    Raises:
        LocalError: it cannot be decoded.
    """
    # Not splitlines: an item may hold one of the other characters that Python takes for the end of a line.
    lines = decoded(data, name, reading).replace("\r\n", "\n").split("\n")
    rows = [Row(number, (line.strip(),)) for number, line in enumerate(lines, 1) if not _is_comment(line, reading)]
    return Table(name, (), _without_end(rows))


def parse_table(data: bytes, name: str, reading: Reading = Reading(), *, header: bool = True) -> Table:
    """A file of delimited columns.

    Args:
        header: its first row names the columns.

    Raises:
        LocalError: it cannot be decoded, its delimiter is not certain, or a row is malformed or longer than the
            header.
    """
    text = decoded(data, name, reading)
    skipped = 0
    delimiter = reading.delimiter
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == len("sep=") + 1:
        # What Excel writes, and reads.
        delimiter, text, skipped = delimiter or first[4], rest, 1
    delimiter = delimiter or _delimiter(text, name, reading)
    rows = list(_rows(text, name, reading, delimiter, skipped))
    names: tuple[str, ...] = ()
    if header:
        begin = next((place for place, row in enumerate(rows) if any(row.cells)), None)
        if begin is None:
            raise LocalError(f"{name} is empty: a first line that names the columns was expected")
        names, rows = rows[begin].cells, rows[begin + 1 :]
        for row in rows:
            if len(row.cells) > len(names) and any(row.cells[len(names) :]):
                raise LocalError(
                    f"{name}, line {row.line:,}: {len(row.cells)} cells, where the header has {len(names)}"
                )
    return Table(name, names, _without_end(rows))


def select(
    table: Table,
    columns: Mapping[str, str],
    is_missing: Mapping[str, Callable[[str], bool]],
    *,
    skip: bool = False,
) -> tuple[dict[str, Column], tuple[int, ...]]:
    """Columns of one file, aligned: a row that is left out is left out of all of them.

    Args:
        columns: by input, the name of its column; empty for the one column of a file without columns.
        is_missing: by input, whether a text stands for a value that is not there.
        skip: leave rows out in which one of the values is missing; else they are refused.

    Returns:
        By input, its column; and the lines of the rows that were left out.
    Raises:
        LocalError: there is no such column, no row is left, or a value is missing.
    """
    places = {name: table.place_of(column) if column else 0 for name, column in columns.items()}
    kept: list[int] = []
    left_out: list[int] = []
    for number, row in enumerate(table.rows):
        missing = next(
            (
                name
                for name, place in places.items()
                if is_missing[name](row.cells[place] if place < len(row.cells) else "")
            ),
            None,
        )
        if missing is None:
            kept.append(number)
            continue
        left_out.append(row.line)
        if not skip:
            where = Column((), table.name, columns[missing], (row.line,)).where(0)
            raise LocalError(
                f"input '{missing}': {where}: no value, or a mark such as N/A; --skip-empty leaves such rows out"
            )
    if not kept:
        name = next(iter(columns))
        raise LocalError(
            f"input '{name}': {table.name} has no row with a value; to give an empty list, write {name}=text:"
        )
    lines = tuple(table.rows[number].line for number in kept)
    found = {
        name: Column(
            tuple(table.rows[number].cells[place] for number in kept),
            table.name,
            columns[name],
            lines,
            table,
            tuple(kept),
        )
        for name, place in places.items()
    }
    return found, tuple(left_out)


def decoded(data: bytes, name: str, reading: Reading) -> str:
    """The text of a file.

    Raises:
        LocalError: it is not in the encoding that it should be in; the message tells the first byte that is not.
    """
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "")
    encoding = reading.encoding or marked or "utf-8"
    if reading.encoding and marked == "utf-8-sig" and codecs.lookup(encoding).name == "utf-8":
        encoding = marked
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        hint = "" if reading.encoding else "; give --encoding, such as cp1252, if you know it"
        raise LocalError(f"{name} is not in {encoding}: byte {error.start:,} cannot be decoded{hint}") from None
    except (LookupError, ValueError):
        raise LocalError(f"{encoding!r} is no encoding of text") from None
    if "\0" in text:
        hint = "" if reading.encoding else "; if it is UTF-16 without a mark, give --encoding utf-16-le"
        raise LocalError(f"{name} holds zero characters, as no text does{hint}")
    return text.removeprefix("\ufeff")


def _is_comment(line: str, reading: Reading) -> bool:
    return bool(reading.comment) and line.startswith(reading.comment)


def _without_end(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Blank lines at the end of a file are no rows."""
    count = len(rows)
    while count and not any(rows[count - 1].cells):
        count -= 1
    return tuple(rows[:count])


def _delimiter(text: str, name: str, reading: Reading) -> str:
    """The delimiter, if the file makes it certain."""
    if name.lower().endswith(_TABBED):
        return "\t"
    first = next((line for line in text.split("\n") if line.strip() and not _is_comment(line, reading)), "")
    # Quoted cells may hold any of them.
    unquoted = "".join(first.split('"')[::2])
    found = [mark for mark in _DELIMITERS if mark in unquoted]
    if len(found) > 1:
        found = [mark for mark in found if _is_regular(text, name, reading, mark)]
        if len(found) != 1:
            marks = " or ".join(_DELIMITERS[mark] for mark in found) or "none of the usual ones"
            raise LocalError(f"the delimiter of {name} is not certain ({marks}): give --delimiter")
    return found[0] if found else ","


def _is_regular(text: str, name: str, reading: Reading, delimiter: str) -> bool:
    """Whether all rows have as many cells as the first one, and more than one."""
    try:
        counts = {len(row.cells) for row in _rows(text, name, reading, delimiter, 0) if any(row.cells)}
    except LocalError:
        return False
    return len(counts) == 1 and counts != {1}


def _rows(text: str, name: str, reading: Reading, delimiter: str, skipped: int) -> Iterator[Row]:
    numbers: list[int] = []

    def lines() -> Iterator[str]:
        for number, line in enumerate(io.StringIO(text, newline=""), 1 + skipped):
            # Inside of a quoted cell that goes on, a line is no comment.
            if numbers or not _is_comment(line, reading):
                numbers.append(number)
                yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise LocalError(f"{name} is no table: line {numbers[-1]:,} cannot be read") from None
        begins = numbers[0]
        numbers.clear()
        yield Row(begins, tuple(cell.strip() for cell in cells))
