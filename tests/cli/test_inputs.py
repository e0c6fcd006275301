"""Where inputs come from, and that nothing of them shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpcnet import Job, LocalError, Roster, find_protocol
from mpcnet.cli import inputs
from mpcnet.cli.inputs import read_given, take_inputs
from mpcnet.declare import load_job
from mpcnet.declare.plan import Plan, make_plan

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
    values = take_inputs(plan, read_given([option], None))
    return plan.job.protocol.inputs["value"].check(values["value"], plan.job.params).tolist()


def test_a_word(plan: Plan[Any, Any]) -> None:
    assert one(plan, "value=3800") == 3800


@pytest.mark.parametrize("content", ["3800", "3800\n", "\n 3800 \r\n\n", "\ufeff3800\n"])
def test_a_file(four: Path, plan: Plan[Any, Any], content: str) -> None:
    (four / "raise.txt").write_text(content, encoding="utf-8")
    assert one(plan, "value=@raise.txt") == 3800


def test_columns_of_a_table(four: Path, rows: Plan[Any, Any]) -> None:
    table = 'name,"sex",pay\nann,women,3800\n"ben, junior",men,2514\n\ncleo,women,1\n'
    (four / "staff.csv").write_text(table)
    values = take_inputs(rows, read_given(["value=staff.csv:pay", "group=staff.csv:sex"], None))
    assert values == {"value": [3800, 2514, 1], "group": ["women", "men", "women"]}


def test_a_file_s_name_is_no_item(four: Path) -> None:
    roster = Roster.load("roster.toml")
    found = find_protocol("intersection")
    plan = make_plan(
        Job(found, found.make_params({}), {"owners": ("alice", "bob")}, "lists"), roster, roster.by_name("alice")
    )
    (four / "mails.txt").write_text("ann@example.org\n\n ben@example.org\n")
    for words in ("mails.txt", "ann@example.org, mails.txt"):
        with pytest.raises(LocalError, match="input 'items': this is the name of a file; to read it, write @"):
            take_inputs(plan, read_given([f"items={words}"], None))
    listed = ["ann@example.org", "ben@example.org"]
    assert take_inputs(plan, read_given(["items=@mails.txt"], None)) == {"items": listed}
    assert take_inputs(plan, read_given(["items=ann@example.org,ben@example.org"], None)) == {
        "items": ["ann@example.org", "ben@example.org"]
    }
    assert take_inputs(plan, read_given(["items=" + "x" * 5000], None)) == {"items": ["x" * 5000]}
    (four / "odd.txt").write_bytes("one\u2028item\r\nand\x0banother\r\n".encode())
    assert take_inputs(plan, read_given(["items=@odd.txt"], None)) == {"items": ["one\u2028item", "and\x0banother"]}


def test_several_words_in_one(rows: Plan[Any, Any]) -> None:
    values = take_inputs(rows, read_given(["value=1, 2,3", "group=men,men,women"], None))
    assert values == {"value": [1, 2, 3], "group": ["men", "men", "women"]}


def test_a_document_of_all_inputs(four: Path, rows: Plan[Any, Any]) -> None:
    (four / "own.json").write_text('{"value": [1, "2"], "group": ["men", "women"]}')
    values = take_inputs(rows, read_given([], "own.json"))
    assert values == {"value": [1, 2], "group": ["men", "women"]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,pay\nann\n", "no value in this column in line 2"),
        ("name,pay\nann,\n", "no value in this column in line 2"),
        ("name,salary\nann,73091\n", "no column 'pay'; it has: name, salary"),
        ("pay,pay\n1,73091\n", "more than one column 'pay'"),
        ("", "no column 'pay'; it has: none"),
        ('pay\n"73091\n', "no CSV file: line 2"),
        ("pay\n73091.5\n", "input 'value': a whole number was expected"),
    ],
)
def test_tables_that_do_not_do(four: Path, rows: Plan[Any, Any], table: str, message: str) -> None:
    (four / "staff.csv").write_text(table)
    with pytest.raises(LocalError) as caught:
        take_inputs(rows, read_given(["value=staff.csv:pay", "group=men"], None))
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
        take_inputs(plan, read_given(options, None))
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
        take_inputs(plan, read_given([], "own.json"))
    assert message in str(caught.value)
    assert CANARY not in str(caught.value)


def test_files_that_cannot_be_read(four: Path, plan: Plan[Any, Any]) -> None:
    (four / "bytes").write_bytes(b"\xff\xfe\x00")
    for source, message in (("@none", "cannot be read"), ("@bytes", "not text"), ("@\0", "cannot be read")):
        with pytest.raises(LocalError, match=message):
            read_given([f"value={source}"], None)


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
