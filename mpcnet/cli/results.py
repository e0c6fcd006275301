"""Results in files: `mpcnet run --output FILE.csv` or `FILE.json`.

A file is written whole, before the party tells the others that it has finished: who has a result has it on disk. A
result that names rows of our own input (those that both lists have) is written as these rows: in the order of the
input, with all columns of its file, and the number of each line.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from mpcnet.cli.formatting import plain
from mpcnet.cli.inputs import Gathered
from mpcnet.declare import Job, Party
from mpcnet.declare.plan import Plan
from mpcnet.errors import LocalError
from mpcnet.identity.files import replace_text

__all__ = ("ResultFile",)

_FORMS = (".csv", ".json")


class ResultFile:
    """The file that a result goes to.

    Args:
        path: where; what is there is replaced.
        plan: of the job.
        gathered: our inputs, whose rows the result may name.

    Raises:
        LocalError: the name has another ending, its folder is not there, or we learn no result.
    """

    def __init__(self, path: str, plan: Plan[Any, Any], gathered: Gathered) -> None:
        self._path = Path(path)
        self._plan = plan
        self._gathered = gathered
        self.failure: LocalError | None = None
        if self._path.suffix.lower() not in _FORMS:
            raise LocalError(f"--output takes a file whose name ends in {' or '.join(_FORMS)}")
        if not self._path.parent.is_dir() or self._path.is_dir():
            raise LocalError(f"{path} cannot be written: its folder does not exist, or it is a folder itself")
        if plan.is_dealer:
            raise LocalError(f"{plan.me.name} deals, and learns no result that --output could write")

    def watch(self, job: Job[Any, Any]) -> Job[Any, Any]:
        """The same job; its function ends when the result is on the disk.

        If it cannot be written, the job goes on, and `failure` says why: the result can still be printed.
        """
        function: Callable[[Party[Any]], Awaitable[Any]] = job.protocol.function

        async def written(party: Party[Any]) -> Any:
            outcome = await function(party)
            try:
                await party.offload(self._write, outcome)
            except LocalError as error:
                self.failure = error
            return outcome

        return dataclasses.replace(job, protocol=dataclasses.replace(job.protocol, function=written))

    def _write(self, outcome: object) -> None:
        rows = self._named_rows(outcome)
        if self._path.suffix.lower() == ".csv":
            text = _csv(rows if rows is not None else _table(outcome))
        else:
            job = self._plan.job
            document: dict[str, object] = {
                "protocol": job.protocol.name,
                "label": job.label,
                "party": self._plan.me.name,
                "outcome": plain(outcome),
            }
            text = json.dumps(document if rows is None else {**document, "rows": rows}, indent=1) + "\n"
        replace_text(self._path, text, private=True)

    def _named_rows(self, outcome: object) -> list[dict[str, object]] | None:
        """The rows of our inputs that the outcome names; None if it names none."""
        protocol = self._plan.job.protocol
        named: Mapping[str, Any] = {} if protocol.names_rows is None else protocol.names_rows(outcome)
        for name, wanted in named.items():
            if name in self._gathered.values:
                return self._rows(name, frozenset(wanted))
        return None

    def _rows(self, name: str, wanted: frozenset[object]) -> list[dict[str, object]]:
        declaration, params = self._plan.job.protocol.inputs[name], self._plan.job.params
        column = self._gathered.columns.get(name)
        texts = cast("Sequence[object]", self._gathered.values[name])
        found: list[dict[str, object]] = []
        for place, text in enumerate(texts):
            if declaration.check([text], params)[0] not in wanted:
                continue
            if column is None or column.table is None:
                found.append({"row": place + 1, name: text})
                continue
            table, row = column.table, column.table.rows[column.kept[place]]
            header = table.header or tuple(f"#{number}" for number in range(1, len(row.cells) + 1))
            cells = (*row.cells, *[""] * (len(header) - len(row.cells)))
            found.append({"line": row.line, **dict(zip(header, cells, strict=False))})
        return found


def _table(outcome: object) -> list[dict[str, object]]:
    """An outcome as rows: those of its first field that is a list of records, else one row for each field."""
    fields: dict[str, object] = _fields(outcome) if _is_record(outcome) else {"outcome": outcome}
    for value in fields.values():
        if isinstance(value, list | tuple):
            records = cast("Sequence[object]", value)
            if records and all(map(_is_record, records)):
                return [_fields(record) for record in records]
    return [{"name": name, "value": value} for name, value in fields.items()]


def _is_record(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(record: Any) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    file = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["line"]
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def _cell(value: object) -> object:
    """A value for a cell; numbers exactly, where decimal places do not go on for ever."""
    match value:
        case None:
            return ""
        case bool() | int() | str():
            return value
        case Fraction():
            return str(Decimal(value.numerator) / value.denominator)
        case _:
            shown = plain(value)
            return shown if isinstance(shown, str | int | float) else json.dumps(shown, ensure_ascii=False)
