"""The one reader of files: rows with the numbers of their lines, aligned columns, and one kind of error."""

from __future__ import annotations

import csv
import io
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import LocalError
from mpcnet.declare.table import Column, Reading, Table, parse_lines, parse_table, select


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


def lines_of(table: Table) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.cells) for row in table.rows]


def test_a_row_keeps_the_line_on_which_it_begins() -> None:
    text = '# of May\n\nname,note\nann,"two\n# lines"\n# checked\n\nben,\n\n\n'
    table = parse_table(text.encode(), "staff.csv", Reading(comment="#"))
    assert table.header == ("name", "note")
    assert lines_of(table) == [(4, ("ann", "two\n# lines")), (7, ()), (8, ("ben", ""))]
    after_sep = parse_table(b"sep=;\r\nname;note\r\nann;1,5\r\n", "staff.csv")
    assert (after_sep.header, lines_of(after_sep)) == (("name", "note"), [(3, ("ann", "1,5"))])


def test_lines_are_rows_too() -> None:
    assert lines_of(parse_lines(b"one\r\n\r\n two \n\n", "x.txt")) == [(1, ("one",)), (2, ("",)), (3, ("two",))]


def test_where_a_text_stands() -> None:
    column = Column(("a", "b"), "staff.csv", "pay", (2, 3217))
    assert column.where(1) == "staff.csv, line 3,217, column 'pay'"
    assert column.where(None) == "staff.csv, column 'pay'"
    assert Column(("a",), "x.txt", "", (5,)).where(0) == "x.txt, line 5"
    assert Column(("a",)).where(0) == ""


def is_blank(text: str) -> bool:
    return not text


def test_a_row_is_left_out_of_all_columns_or_of_none() -> None:
    table = parse_table(b"a,b,c\n1,x,\n2,,\n,z,\n4,w,\n", "t.csv")
    columns, blank = {"n": "a", "s": "b"}, {"n": is_blank, "s": is_blank}
    found, left_out = select(table, columns, blank, skip=True)
    assert {name: column.texts for name, column in found.items()} == {"n": ("1", "4"), "s": ("x", "w")}
    assert left_out == (3, 4)
    assert [(column.lines, column.kept) for column in found.values()] == [((2, 5), (0, 3))] * 2
    with pytest.raises(LocalError, match=r"input 's': t.csv, line 3, column 'b': no value"):
        select(table, columns, blank)
    with pytest.raises(LocalError, match=r"input 'n': t.csv, line 2, column 'c': no value"):
        select(table, {"n": "c"}, {"n": is_blank})
    with pytest.raises(LocalError, match=r"t.csv has no row with a value"):
        select(table, {"n": "c"}, {"n": is_blank}, skip=True)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.one_of(st.binary(max_size=60), st.text("a,;\t|\"'\n\r#=sep1\ufeff\0é", max_size=40).map(str.encode)),
    st.sampled_from([Reading(), Reading(comment="#"), Reading(delimiter=";"), Reading(encoding="utf-16")]),
    st.booleans(),
)
def test_whatever_comes_is_a_table_or_refused(data: bytes, reading: Reading, header: bool) -> None:
    for parse in (parse_lines, partial(parse_table, header=header)):
        try:
            table: Table = parse(data, "x", reading)
        except LocalError:
            continue
        assert [row.line for row in table.rows] == sorted({row.line for row in table.rows})


CELLS = st.text("ab,;\"' \n#é", max_size=6).map(str.strip)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(";\t|"))
def test_what_a_spreadsheet_writes_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("first", "second"), *rows])
    table = parse_table(file.getvalue().encode(), "x.csv")
    while rows and not any(rows[-1]):
        rows = rows[:-1]
    assert [row.cells for row in table.rows] == rows
