"""Tables of TOML: what is refused, and that refusing takes no time."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.errors import LocalError
from mpcnet.toml_tables import TEXT, Field, check_table, read_table

LONG = 1 << 18
HOSTILE = {
    "brackets": "a = " + "[" * LONG,
    "braces": "a = " + "{a=" * LONG,
    "brackets in lines": "a = " + "[\n" * LONG,
    "a header in a header": "[" * LONG,
    "a dotted key": "a" + ".a" * LONG + " = 1",
    "a dotted key of texts": "a" + '."."' * LONG + " = 1",
    "a dotted header": "[a" + ".a" * LONG + "]",
    "a dotted key in braces": "a = {a" + ".a" * LONG + " = 1}",
    "an integer": "a = " + "9" * LONG,
    "an integer with underscores": "a = " + "9_" * LONG + "9",
    "behind a text of several lines": 'a = """x""""\nb = ' + "[" * LONG,
    "behind a literal text of several lines": "a = '''x'''''\nb = " + "[" * LONG,
    "behind an empty text": "a = ''\nb = " + "[" * LONG,
    "behind an escape": 'a = "\\\\"\nb = ' + "[" * LONG,
    "behind a comment": "# it's \"\na = " + "[" * LONG,
    "no end": 'a = """' + '\\"""' * LONG,
    "no end of many": 'a = "\n' * LONG,
    "hexadecimal digits": "a = 0x" + "f" * LONG,
    "infinity": "a = [[{b = -1e999999}]]",
    "no number": "a = {b = [nan]}",
    "a date": "a = 2026-02-31",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_refused(text: str) -> None:
    """Each crashed the parser, took it minutes to hours, or passed."""
    with pytest.raises(LocalError, match=r"not a file: |holds a number"):
        read_table(text, "a file")


@pytest.mark.parametrize(
    "text",
    [
        "a = [[[[[1]]]]]",
        "a.b.c = 1.5\n[d.e.'f.g'.\"h.i\"]\nj = 1979-05-27T07:32:00.999-07:00",
        'a = """\n["[[[[[[[[[[[[[[[[[[[[[[[[[["]\n"""',
        "a = '''it's '' ''''\nb = 'c:\\'",
        'a = """ " \\""" """""\nb = "\\"[" # it\'s [[[[[[[[[[[[[[[[[[[',
        'key = "mpc1' + "7" * 56 + '"\na = "' + "7" * 500 + '"',
        "a = [" + "1.5, " * 1000 + "]\nb = {" + ", ".join(f"k{place} = 1" for place in range(1000)) + "}",
        f"a = {2**64 - 1}\nb = {-(2**63)}",
        "a = true\r\nb = false\r\n",
    ],
)
def test_ordinary_texts_are_read(text: str) -> None:
    assert read_table(text, "a file") == tomllib.loads(text)


TEXTS = st.lists(
    st.sampled_from(['"', "'", '"""', "'''", "\\", "#", "\n", "a", " = ", "[", "]", "{", "}", ".", ",", "7", "é"]),
    max_size=30,
).map("".join)


@settings(max_examples=400, derandomize=True)
@given(TEXTS)
def test_what_is_a_text_here_is_one_to_the_parser(text: str) -> None:
    """Were the two of different minds, brackets could hide in what looks like a text here."""
    hidden = f"{text}\nz = {'[' * 20}{']' * 20}\n"
    try:
        tomllib.loads(hidden)
    except ValueError:
        return
    with pytest.raises(LocalError, match="brackets"):
        read_table(hidden, "a file")


FIELDS = {
    "name": Field("text", TEXT.fits, required=True),
    "age": Field("a number", lambda value: type(value) is int),
}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"nam": "x"}, "a person has no field 'nam'; it has: name, age; did you mean 'name'?"),
        ({"age": 1}, "field 'of[1].name' is missing"),
        ({"name": 1}, "field 'of[1].name' takes text"),
        ({"name": "x", "age": True}, "field 'of[1].age' takes a number"),
    ],
)
def test_a_sentence_names_the_field(table: dict[str, object], message: str) -> None:
    with pytest.raises(LocalError) as caught:
        check_table(table, FIELDS, "a person", inside="of[1]")
    assert str(caught.value) == message
    check_table({"name": "x", "age": 1}, FIELDS, "a person")
