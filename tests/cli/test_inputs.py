"""Where inputs come from, and that nothing of them shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpcnet import Job, LocalError, Roster, find_protocol
from mpcnet.cli import inputs
from mpcnet.cli.input_sources import read_given
from mpcnet.cli.inputs import InputOptions, formats_of, gather_inputs
from mpcnet.declare import load_job
from mpcnet.declare.plan import Plan, make_plan
from mpcnet.declare.table import Reading

if TYPE_CHECKING:
    from tests.cli.conftest import Command

CANARY = "73091"


@pytest.fixture
def plan(four: Path) -> Plan[Any, Any]:
    roster = Roster.load("roster.toml")
    return make_plan(load_job("job.toml"), roster, roster.by_name("alice"))


@pytest.fixture
def rows(four: Path) -> Plan[Any, Any]:
    roster = Roster.load("roster.toml")
    found = find_protocol("statistics")
    params = found.make_params({"groups": ["men", "women"]})
    job = Job(found, params, {"owners": ("alice", "bob", "carol")}, "pay")
    return make_plan(job, roster, roster.by_name("alice"))


def one(plan: Plan[Any, Any], option: str) -> object:
    values = gather_inputs(plan, read_given([option], None)).values
    return plan.job.protocol.inputs["value"].check(values["value"], plan.job.params).tolist()


def test_a_word(plan: Plan[Any, Any]) -> None:
    assert one(plan, "value=3800") == 3800


@pytest.mark.parametrize("content", ["3800", "3800\n", "\n 3800 \r\n\n", "\ufeff3800\n"])
def test_a_file(four: Path, plan: Plan[Any, Any], content: str) -> None:
    (four / "raise.txt").write_text(content, encoding="utf-8")
    assert one(plan, "value=@raise.txt") == 3800


def test_columns_of_a_table(four: Path, rows: Plan[Any, Any]) -> None:
    table = 'name,"sex",pay\nann,women,3800\n"ben, junior",men,2514\ncleo,women,1\n\n'
    (four / "staff.csv").write_text(table)
    values = gather_inputs(rows, read_given(["value=staff.csv:pay", "group=staff.csv:sex"], None)).values
    assert values == {"value": [3800, 2514, 1], "group": ["women", "men", "women"]}


@pytest.fixture
def lists(four: Path) -> Plan[Any, Any]:
    roster = Roster.load("roster.toml")
    found = find_protocol("intersection")
    job = Job(found, found.make_params({}), {"owners": ("alice", "bob")}, "lists")
    return make_plan(job, roster, roster.by_name("alice"))


def items(plan: Plan[Any, Any], source: str, **options: Any) -> object:
    return gather_inputs(plan, read_given([f"items={source}"], None), InputOptions(**options)).values["items"]


def refused(plan: Plan[Any, Any], *sources: str, **options: Any) -> str:
    """Why inputs are refused; no value is told."""
    with pytest.raises(LocalError) as caught:
        gather_inputs(plan, read_given(sources, None), InputOptions(**options))
    assert CANARY not in str(caught.value)
    return str(caught.value)


MAILS = ["ann@example.org", "ben@example.org"]


def test_texts_are_marked_or_stand_in_a_file(four: Path, lists: Plan[Any, Any]) -> None:
    (four / "mails.txt").write_text("ann@example.org\n ben@example.org\n\n")
    assert items(lists, "@mails.txt") == MAILS
    assert items(lists, "text:ann@example.org,ben@example.org") == MAILS
    assert items(lists, "text:") == []
    assert items(lists, "text:" + "x" * 5000) == ["x" * 5000]
    assert items(lists, "text:mails.txt") == ["mails.txt"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "mails.txt",
            "input 'items': this is the name of a file: to read it, write @ before it, or : and a column",
        ),
        ("ann@example.org, mails.txt", "this is the name of a file"),
        ("missing.txt", "this is the name of a file"),
        ("ann@example.org", "texts are marked as such: items=text:ann,bob. There is no such file"),
        ("mails.cvs:email", "texts are marked as such"),
        ("missing.tsv:email", "missing.tsv cannot be read: No such file"),
        ("p.csv.gz:email", "p.csv.gz is no text: save it as CSV in UTF-8"),
        ("p.xlsx:email", "p.xlsx is no text"),
        ("p.parquet", "this is the name of a file"),
        ("@p.parquet", "p.parquet is no text"),
        ("p.csv", "this is the name of a file: to read it, write @ before it, or : and a column behind it"),
        ("@p.csv", "p.csv is a table: name a column, such as p.csv:email; it has: email, name"),
        ("p.csv:emial", "p.csv has no column 'emial'; it has: email, name; did you mean 'email'?"),
        (
            "@empty.txt",
            "input 'items': empty.txt has no row with a value; to give an empty list, write items=text:",
        ),
        ("empty.txt:email", "empty.txt is empty: a first line that names the columns was expected"),
        ("header.csv:email", "header.csv has no row with a value"),
        ("#.csv:email", "its first line begins with '#': if that is a comment, give --comments '#'"),
    ],
)
def test_what_looks_like_a_file_is_one_or_is_refused(
    four: Path, lists: Plan[Any, Any], source: str, words: str
) -> None:
    (four / "mails.txt").write_text("ann@example.org\n")
    (four / "p.csv").write_text("email,name\nann@example.org,ann\n")
    (four / "empty.txt").write_text("\n\n")
    (four / "header.csv").write_text("email\n")
    (four / "#.csv").write_text("# of May\nemail\nann@example.org\n")
    assert words in refused(lists, f"items={source}")


@pytest.mark.parametrize(
    ("name", "text", "source"),
    [
        ("p.tsv", "email\tname\nann@example.org\tann, a\nben@example.org\tben\n", "p.tsv:email"),
        ("p.csv", "email;name\nann@example.org;3,5\nben@example.org;1,0\n", "p.csv:email"),
        ("p.csv", "sep=;\nemail;name\nann@example.org;3,5\nben@example.org;1,0\n", "p.csv:email"),
        ("p.txt", "email|name\nann@example.org|a\nben@example.org|b\n", "p.txt:email"),
        ("p.csv", '"a, b";email\nx;ann@example.org\ny;ben@example.org\n', "p.csv:email"),
        ("p.csv", "a,b;email\nx,x;ann@example.org\ny;ben@example.org\n", "p.csv:email"),
        ("p.csv", '\n"e-mail address",email\n"x\ny",ann@example.org\n,ben@example.org\n', "p.csv:email"),
        ("p.csv", "ann@example.org,1\nben@example.org,2\n", "p.csv:#1"),
        ("p", "email\nann@example.org\nben@example.org\n", "p:email"),
        ("p.csv", "name\nann@example.org\nben@example.org", "@p.lst"),
    ],
)
def test_tables_of_every_form(four: Path, lists: Plan[Any, Any], name: str, text: str, source: str) -> None:
    (four / name).write_text(text)
    (four / "p.lst").write_text("\n".join(MAILS))
    assert items(lists, source) == MAILS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_are_certain(four: Path, lists: Plan[Any, Any], encoding: str) -> None:
    (four / "p.csv").write_bytes("email\nZoë\n".encode(encoding))
    assert items(lists, "p.csv:email") == ["Zoë"]


def test_encodings_that_are_not(four: Path, lists: Plan[Any, Any]) -> None:
    (four / "p.csv").write_bytes("email\nab\nZoë\n".encode("cp1252"))
    text = refused(lists, "items=p.csv:email")
    assert "p.csv is not in utf-8: byte 11 cannot be decoded; give --encoding, such as cp1252" in text
    assert items(lists, "p.csv:email", reading=Reading(encoding="cp1252")) == ["ab", "Zoë"]
    (four / "p.csv").write_bytes("email\nab\n".encode("utf-16-le"))
    assert "p.csv holds zero characters" in refused(lists, "items=p.csv:email")
    assert items(lists, "p.csv:email", reading=Reading(encoding="utf-16-le")) == ["ab"]
    with pytest.raises(LocalError, match="there is no encoding 'latin-17'"):
        Reading(encoding="latin-17")


def test_a_delimiter_that_is_not_certain(four: Path, lists: Plan[Any, Any]) -> None:
    (four / "p.csv").write_text("email;a,b\nann@example.org;x,y\nben@example.org;z,y\n")
    text = refused(lists, "items=p.csv:email")
    assert "the delimiter of p.csv is not certain (comma or semicolon): give --delimiter" in text
    assert items(lists, "p.csv:email", reading=Reading(delimiter=";")) == MAILS
    for wrong in (";;", '"', "\n"):
        with pytest.raises(LocalError, match="a delimiter is one character"):
            Reading(delimiter=wrong)


def test_comments_are_left_out_on_request(four: Path, lists: Plan[Any, Any]) -> None:
    (four / "p.csv").write_text("# of May\nemail\n# checked\nann@example.org\nben@example.org\n")
    assert items(lists, "p.csv:email", reading=Reading(comment="#")) == MAILS
    (four / "p.txt").write_text("# of May\nann@example.org\nben@example.org\n")
    assert items(lists, "@p.txt", reading=Reading(comment="#")) == MAILS


def test_lines_end_where_people_end_them(four: Path, lists: Plan[Any, Any]) -> None:
    (four / "odd.txt").write_bytes(b"one item\r\nand another\r\n")
    found = gather_inputs(lists, read_given(["items=@odd.txt"], None)).columns["items"]
    assert found.lines == (1, 2)
    (four / "odd.txt").write_bytes("one\r\nand\u2028another\r\n".encode())
    text = refused(lists, "items=@odd.txt")
    assert text == "input 'items': odd.txt, line 2: a text holds a character that does not show (U+2028)"


# Rows


TABLE = "name,sex,pay\nann,women,3800\nben,,2514\ncem,men,N/A\ndan,men,7\neve,women,\n\n"


def pay(plan: Plan[Any, Any], *sources: str, **options: Any) -> dict[str, object]:
    return dict(gather_inputs(plan, read_given(sources, None), InputOptions(**options)).values)


def test_rows_of_one_file_stay_aligned(
    four: Path, rows: Plan[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (four / "staff.csv").write_text(TABLE)
    both = ("value=staff.csv:pay", "group=staff.csv:sex")
    assert "input 'group': staff.csv, line 3, column 'sex': no value" in refused(rows, *both)
    found = gather_inputs(rows, read_given(both, None), InputOptions(skip_empty=True))
    assert found.values == {"value": [3800, 7], "group": ["women", "men"]}
    assert found.columns["value"].lines == found.columns["group"].lines == (2, 5)
    assert found.columns["value"].kept == (0, 3)
    assert "staff.csv: 3 rows without a value are left out (lines 3, 4, 6)" in capsys.readouterr().err


def test_rows_of_several_files_never_shift(four: Path, rows: Plan[Any, Any]) -> None:
    (four / "pay.txt").write_text("3800\n\n7\n")
    (four / "sex.txt").write_text("women\nmen\nmen\n")
    both = ("value=@pay.txt", "group=@sex.txt")
    assert "input 'value': pay.txt, line 2: no value" in refused(rows, *both)
    assert "put them into one file" in refused(rows, *both, skip_empty=True)


def test_columns_of_another_length_are_found_before_anybody_is_met(four: Path, rows: Plan[Any, Any]) -> None:
    text = refused(rows, "value=1,2,3", "group=men,women")
    assert text == "inputs 'value' and 'group' must be of one length: one of each for every row; they have 3 and 2"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("73091.5", "input 'value': staff.csv, line 4, column 'pay': a whole number was expected"),
        ("73091000", "staff.csv, line 4, column 'pay': a value lies outside the agreed range [0, 10000000]"),
        ("x73091", "staff.csv, line 4, column 'pay': a whole number was expected"),
        ("73.091,00 €", "staff.csv, line 4, column 'pay': a whole number was expected, written plainly"),
        ("$73,091", "currency take a format, such as --format NAME=de"),
        ("1e73091", "staff.csv, line 4, column 'pay': a value needs more than 64 bits"),
        ("1e-73091", "staff.csv, line 4, column 'pay': a whole number was expected"),
    ],
)
def test_every_message_about_a_cell_says_where_it_is(
    four: Path, rows: Plan[Any, Any], cell: str, words: str
) -> None:
    (four / "staff.csv").write_text(f'sex,pay\nmen,1\nmen,"2"\nmen,"{cell}"\n')
    assert words in refused(rows, "value=staff.csv:pay", "group=staff.csv:sex")


def test_a_label_that_is_not_agreed_says_where_it_is(four: Path, rows: Plan[Any, Any]) -> None:
    (four / "staff.csv").write_text(f"sex,pay\nmen,1\nm{CANARY},2\n")
    text = refused(rows, "value=staff.csv:pay", "group=staff.csv:sex")
    assert text == "input 'group': staff.csv, line 3, column 'sex': a label is none of these: men, women"
    text = refused(rows, "value=1,2", f"group=men,m{CANARY}")
    assert text == "input 'group': value 2 of 2: a label is none of these: men, women"


def test_a_row_that_is_longer_than_the_header(four: Path, rows: Plan[Any, Any]) -> None:
    (four / "staff.csv").write_text("sex,pay\nmen,1,,\nmen,1,73091\n")
    assert "staff.csv, line 3: 3 cells, where the header has 2" in refused(rows, "value=staff.csv:pay", "group=men")


# Formats of numbers


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("de", "3.800", 3800),
        ("de", "1.234.567,00 €", 1234567),
        ("en", "$1,234,567", 1234567),
        ("en", "3,800.00", 3800),
        ("fr", "3\u202f800,00 €", 3800),
        ("ch", "3’800.00", 3800),
        ("de", "3800", 3800),
        ("", "3800.00", 3800),
        ("", "52000.0", 52000),
        ("", "3.8e3", 3800),
    ],
)
def test_numbers_as_people_write_them(four: Path, plan: Plan[Any, Any], name: str, cell: str, value: int) -> None:
    (four / "pay.csv").write_text(f'pay\n"{cell}"\n')
    formats = formats_of([f"value={name}"]) if name else {}
    found = gather_inputs(plan, read_given(["value=pay.csv:pay"], None), InputOptions(formats=formats))
    assert plan.job.protocol.inputs["value"].check(found.values["value"], plan.job.params).tolist() == value


def test_formats_that_do_not_fit(four: Path, plan: Plan[Any, Any], lists: Plan[Any, Any]) -> None:
    formats = formats_of(["value=de"])
    for wrong in ("1,234.50", "12.34", "1.2345,00", "73091x", "--5"):
        text = refused(plan, f"value={wrong}", formats=formats)
        assert "a number of the format de was expected, such as 1.234,50" in text
    assert "this input takes none" in refused(lists, "items=text:1", formats=formats_of(["items=de"]))
    assert "another name was given" in refused(plan, "value=1", formats=formats_of(["items=de"]))
    with pytest.raises(LocalError, match=r"there is no number format 'dee'.*did you mean 'de'"):
        formats_of(["value=dee"])
    with pytest.raises(LocalError, match="--format takes NAME=FORMAT"):
        formats_of(["value"])


def test_several_words_in_one(rows: Plan[Any, Any]) -> None:
    values = gather_inputs(rows, read_given(["value=1, 2,3", "group=men,men,women"], None)).values
    assert values == {"value": [1, 2, 3], "group": ["men", "men", "women"]}


def test_a_document_of_all_inputs(four: Path, rows: Plan[Any, Any]) -> None:
    (four / "own.json").write_text('{"value": [1, "2"], "group": ["men", "women"]}')
    values = gather_inputs(rows, read_given([], "own.json")).values
    assert values == {"value": [1, 2], "group": ["men", "women"]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,pay\nann\n", "line 2, column 'pay': no value"),
        ("name,pay\nann,\n", "line 2, column 'pay': no value"),
        ("name,salary\nann,73091\n", "no column 'pay'; it has: name, salary"),
        ("pay,pay\n1,73091\n", "more than one column 'pay'"),
        ("", "staff.csv is empty: a first line that names the columns was expected"),
        ('pay\n"73091\n', "no table: line 2"),
        ("pay\n73091.5\n", "input 'value': staff.csv, line 2, column 'pay': a whole number was expected"),
    ],
)
def test_tables_that_do_not_do(four: Path, rows: Plan[Any, Any], table: str, message: str) -> None:
    (four / "staff.csv").write_text(table)
    with pytest.raises(LocalError) as caught:
        gather_inputs(rows, read_given(["value=staff.csv:pay", "group=men"], None))
    assert message in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([CANARY], "--input takes NAME=VALUE"),
        ([f"={CANARY}"], "--input takes NAME=VALUE"),
        ([f"{CANARY}=value"], "alice gives the inputs: value; another name was given"),
        ([f"value={CANARY}x"], "input 'value': a whole number was expected"),
        ([f"value={CANARY},0"], "input 'value': a whole number was expected"),
        (["value="], "input 'value': a whole number was expected"),
        ([f"value={CANARY}", "value=1"], "input 'value' is given twice"),
        ([f"{CANARY}=1", f"{CANARY}=2"], "input of that name is given twice"),
        (["value=-", "group=-"], "standard input holds one input only"),
        ([], "input 'value' is missing"),
    ],
)
def test_options_that_do_not_do(plan: Plan[Any, Any], options: list[str], message: str) -> None:
    with pytest.raises(LocalError) as caught:
        gather_inputs(plan, read_given(options, None))
    assert message in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "a JSON document"),
        ("[73091]", "a JSON object"),
        ('{"value": {"a": 73091}}', "a number, text, or a list of them"),
        ('{"value": [true]}', "a number, text, or a list of them"),
        ('{"value": null}', "a number, text, or a list of them"),
        ('{"value": 73091.5}', "a whole number was expected"),
        ('{"other": 73091}', "another name was given"),
        ("[" * 100_000, "a JSON document"),
    ],
)
def test_documents_that_do_not_do(four: Path, plan: Plan[Any, Any], document: str, message: str) -> None:
    (four / "own.json").write_text(document)
    with pytest.raises(LocalError) as caught:
        gather_inputs(plan, read_given([], "own.json"))
    assert message in str(caught.value)
    assert CANARY not in str(caught.value)


def test_files_that_cannot_be_read(four: Path, plan: Plan[Any, Any]) -> None:
    (four / "bytes").write_bytes(b"\xff\xfe\x00")
    for source, message in (
        ("@none", "cannot be read"),
        ("@bytes", "bytes is not in utf-16: byte 2 cannot be decoded"),
        ("@\0", "cannot be read"),
    ):
        assert message in refused(plan, f"value={source}")


def test_an_input_twice_from_two_places(four: Path) -> None:
    (four / "own.json").write_text('{"value": 1}')
    with pytest.raises(LocalError, match="'value' is given twice"):
        read_given(["value=1"], "own.json")
    with pytest.raises(LocalError, match="standard input holds one"):
        read_given(["value=-"], "-")


def test_repr_shows_no_words(plan: Plan[Any, Any]) -> None:
    assert CANARY not in repr(read_given([f"value={CANARY}"], None))


# On a terminal. The job itself is stopped before it opens anything: a key is missing from its place.


@pytest.fixture
def asked(four: Path, mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`mpcnet run` with somebody at the keyboard; gives what the job would have got instead of running it."""
    monkeypatch.setattr(inputs, "is_terminal", lambda: True)
    return mpcnet


def stop(taken: list[dict[str, object]]) -> Any:
    def run(*arguments: Any) -> None:
        taken.append(dict(arguments[4]))
        raise KeyboardInterrupt

    return run


def test_a_missing_input_is_asked_for_until_it_fits(asked: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[dict[str, object]] = []
    monkeypatch.setattr("mpcnet.cli.run.trio.run", stop(taken))
    ended = asked("run", "job.toml", "--as", "alice", stdin=f"{CANARY}x\n{CANARY}{CANARY}\n{CANARY}\n")
    assert ended.code == 130
    assert [str(values["value"]) for values in taken] == [CANARY]
    assert ended.err.count("your number, for example your raise") == 3
    assert ended.err.count("nothing was sent, try again") == 2
    assert CANARY not in ended.out + ended.err


def test_a_dash_asks_without_echo(asked: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[dict[str, object]] = []
    monkeypatch.setattr("mpcnet.cli.run.trio.run", stop(taken))
    ended = asked("run", "job.toml", "--as", "alice", "--input", "value=-", stdin=f"{CANARY}\n")
    assert [str(values["value"]) for values in taken] == [CANARY]
    assert CANARY not in ended.out + ended.err
