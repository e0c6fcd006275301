"""What every kind of input knows of itself, kinds of a plugin included: no other module asks for the kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import count
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mpcnet import (
    Choice,
    Decimals,
    Example,
    Ints,
    Job,
    LocalDecimals,
    LocalError,
    LocalInts,
    LocalItems,
    LocalLabels,
    Many,
    Party,
    RangeError,
    protocol,
    simulate,
)
from mpcnet.cli import sentences
from mpcnet.declare import Declaration
from mpcnet.declare.explanation import explain
from mpcnet.declare.inputs import Chooser, Local, Shared, Sharing
from mpcnet.declare.inputs.texts import RULE
from mpcnet.declare.inputs.values import each
from mpcnet.sim.dry_run import dry_run
from mpcnet.testing import Case, check_protocol
from mpcnet.wire.canonical import Plain, encode_canonical


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


# Kinds as a plugin would have them: a shared one and one that stays local


@dataclass(frozen=True, kw_only=True)
class Clock(Shared):
    """A time of day, shared as its minute."""

    kind: ClassVar[str] = "clock"
    range: Any = (0, 24 * 60 - 1)

    def parse(self, texts: Sequence[str], params: Any) -> object:
        """Such as 07:30."""
        if len(texts) != 1:
            raise LocalError(f"one time was expected, not {len(texts)}")
        return each(texts, _time)[0]

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        """The minute."""
        if not isinstance(value, time):
            raise LocalError("a time was expected")
        return np.array(60 * value.hour + value.minute)

    def value_of(self, number: int, params: Any) -> time:
        """The time of this minute."""
        return time(number // 60, number % 60)

    def phrase(self, params: Any = None) -> str:
        """In words."""
        return "a time of day, such as 07:30"


@dataclass(frozen=True, kw_only=True)
class LocalDates(Local):
    """Days that stay with their owner."""

    kind: ClassVar[str] = "local-dates"
    first: date = date(2026, 1, 1)
    days: int = 365

    def parse(self, texts: Sequence[str], params: Any) -> list[date]:
        """Such as 2026-03-01."""
        return each(texts, _date)

    def check(self, value: object, params: Any) -> list[date]:
        """The days."""
        if not isinstance(value, list):
            raise LocalError("a list of dates was expected")

        def fits(day: date) -> date:
            if not 0 <= (day - self.first).days < self.days:
                raise RangeError("a date lies outside the year")
            return day

        return each(value, fits)  # pyright: ignore[reportUnknownArgumentType]

    def sample(self, params: Any, choose: Chooser) -> list[date]:
        """Any."""
        return [self._day(place) for place in choose.places(self.days, self.max_rows(params))]

    def edges(self, params: Any) -> tuple[object, object]:
        """The first day, and the last one."""
        return [self._day(0)], [self._day(self.days - 1)]

    def _day(self, place: int) -> date:
        return date.fromordinal(self.first.toordinal() + place)

    def phrase(self, params: Any = None) -> str:
        """In words."""
        return f"{self._at_most(params)} dates"


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.strip())
    except ValueError:
        raise LocalError("a time such as 07:30 was expected") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise LocalError("a date such as 2026-03-01 was expected") from None


@dataclass(frozen=True)
class Rules:
    """Parameters that kinds refer to."""

    low: int = -3
    high: int = 1000
    options: tuple[str, ...] = ("yes", "no", "perhaps")
    most: int = 4


RULES = Rules()
KINDS: dict[str, Declaration] = {
    "one": Ints(by="givers", range=("low", "high")),
    "row": Ints(by="givers", range=(0, "high"), shape=("options", 2)),
    "money": Decimals(by="givers", range=("low", "high")),
    "vote": Choice(by="givers"),
    "said": Choice(by="givers", options=("tea", "coffee")),
    "rows": LocalInts(by="givers", range=lambda rules: (rules.low, 2), most="most"),
    "labels": LocalLabels(by="givers", labels="options", most="most"),
    "items": LocalItems(by="givers", most="most"),
    "clock": Clock(by="givers"),
    "dates": LocalDates(by="givers", most="most"),
}

every_kind = pytest.mark.parametrize("name", KINDS)


class Counting(Chooser):
    """The next number each time, and always as many rows as one says."""

    def __init__(self, rows: int, *, distinct: bool = False, varied: bool = False) -> None:
        self.distinct = distinct
        self.varied = varied
        self._rows = rows
        self._numbers = count()

    def integer(self, low: int, high: int) -> int:
        return low + next(self._numbers) % (high - low + 1)

    def rows(self, most: int) -> int:
        return min(self._rows, most)


class Drawn(Chooser):
    """Whatever Hypothesis finds."""

    def __init__(self, data: st.DataObject, *, distinct: bool, varied: bool) -> None:
        self.distinct = distinct
        self.varied = varied
        self._data = data

    def integer(self, low: int, high: int) -> int:
        return self._data.draw(st.integers(low, high))

    def rows(self, most: int) -> int:
        return self._data.draw(st.integers(0, most))


@settings(max_examples=60, derandomize=True)
@given(st.sampled_from(list(KINDS.values())), st.data(), st.booleans(), st.booleans())
def test_samples_fit(kind: Declaration, data: st.DataObject, distinct: bool, varied: bool) -> None:
    kind.check(kind.sample(RULES, Drawn(data, distinct=distinct, varied=varied)), RULES)


@every_kind
def test_edges_fit_and_are_the_edges(name: str) -> None:
    kind = KINDS[name]
    low, high = (kind.check(value, RULES) for value in kind.edges(RULES))
    if sharing := kind.sharing(RULES):
        first, last = (sharing.low, sharing.high) if "options" not in kind.describe(RULES) else (1, 0)
        assert low.reshape(-1)[0] == first
        assert high.reshape(-1)[0] == last
    else:
        assert (len(low), len(high)) in ((1, 4), (1, 1), (0, 3))


def test_distinct_rows_are_all_that_there_are_if_these_are_few() -> None:
    for name, rows in (("rows", 4), ("labels", 3)):
        kind = KINDS[name]
        drawn: Any = kind.sample(Rules(low=-1), Counting(2, distinct=True))
        assert len(drawn) == len(set(drawn)) == rows
        two: Any = kind.sample(Rules(low=-1), Counting(2))
        assert len(two) == 2


def test_items_of_a_sample_are_different_and_overlap() -> None:
    kind = LocalItems(by="givers")
    one, other = (set(kind.check(kind.sample(RULES, chooser(seed)), RULES)) for seed in (1, 2))
    assert len(one) == len(other) == 20
    assert 0 < len(one & other) < 20


def chooser(step: int) -> Chooser:
    class Stepping(Counting):
        def integer(self, low: int, high: int) -> int:
            return low + (step * 7 * next(self._numbers) + step) % (high - low + 1)

    return Stepping(20)


@every_kind
def test_words_for_a_person(name: str) -> None:
    kind = KINDS[name]
    assert (kind.phrase(RULES), kind.phrase()) == {
        "one": ("a whole number from -3 to 1,000", "a whole number from low to high"),
        "row": ("3 x 2 whole numbers from 0 to 1,000", "options x 2 whole numbers from 0 to high"),
        "money": (
            "a number from -3 to 1,000 with at most 2 decimal places",
            "a number from low to high with at most 2 decimal places",
        ),
        "vote": ("one of 3: yes, no, perhaps", "one of the options"),
        "said": ("one of 2: tea, coffee", "one of tea, coffee"),
        "rows": ("at most 4 whole numbers from -3 to 2", "at most most whole numbers"),
        "labels": (
            "at most 4 labels, each one of: yes, no, perhaps",
            "at most most labels, each one of the options",
        ),
        "items": (f"at most 4 texts; {RULE}", f"at most most texts; {RULE}"),
        "clock": ("a time of day, such as 07:30",) * 2,
        "dates": ("at most 4 dates", "at most most dates"),
    }[name]


def test_a_long_list_of_options_has_an_end() -> None:
    many = Rules(options=tuple(f"option {place}" for place in range(3000)))
    assert KINDS["vote"].phrase(many).endswith("option 18, option 19 and 2,980 more")
    with pytest.raises(LocalError, match=r"option 19 and 2,980 more$"):
        KINDS["vote"].check("option", many)


@every_kind
def test_what_is_agreed_is_plain(name: str) -> None:
    described: Plain = dict(KINDS[name].describe(RULES))
    assert encode_canonical(described)
    assert isinstance(described, dict)
    assert described["kind"] == KINDS[name].kind


def test_kinds_differ() -> None:
    assert len({kind.kind for kind in KINDS.values()}) == len(KINDS) - 2  # two of ints, two of choices


@pytest.mark.parametrize(
    ("name", "texts", "row"),
    [
        ("row", ["1", "2", "3.5", "4", "x", "6"], 2),
        ("row", ["1", "2", "3", "4", "1001", "1002"], 4),
        ("row", ["1", "2", "3", str(2**64), "1001", "6"], 3),
        ("rows", ["1", "2", "n/a"], 2),
        ("rows", ["1", "3", "n/a"], 2),
        ("rows", ["1", "3"], 1),
        ("labels", ["no", "yes", "maybe"], 2),
        ("items", ["ann", " ", "bob"], 1),
        ("dates", ["2026-01-01", "2025-01-01"], 1),
        ("dates", ["2026-01-01", "1.1.2026"], 1),
    ],
)
def test_an_error_says_in_which_row_it_is(name: str, texts: list[str], row: int) -> None:
    kind = KINDS[name]
    with pytest.raises(LocalError) as caught:
        kind.check(kind.parse(texts, RULES), RULES)
    assert caught.value.row == row


def test_unsigned_and_decimal_numbers_say_it_too() -> None:
    with pytest.raises(RangeError) as caught:
        KINDS["rows"].check(np.array([1, 2**63], np.uint64), RULES)
    assert caught.value.row == 1
    with pytest.raises(LocalError) as found:
        Decimals(by="givers", shape=(3,)).check([1.5, 2, 3.125], RULES)
    assert found.value.row == 2


# Numbers are exact, and come in every form


@pytest.mark.parametrize(
    ("text", "whole"),
    [("3800.00", 3800), ("52000.0", 52000), ("3.8e3", 3800), ("-0.0", 0), ("1." + "0" * 5000, 1), ("1e2", 100)],
)
def test_whole_numbers_however_they_are_written(text: str, whole: int) -> None:
    kind = Ints(by="givers", range=(-(10**6), 10**6))
    assert kind.check(kind.parse([text], RULES), RULES) == whole
    money = Decimals(by="givers", range=(-(10**6), 10**6), places=0)
    assert money.check(money.parse([text], RULES), RULES) == whole


@pytest.mark.parametrize("text", ["1.5", "1e-1", "1e-999999", "0." + "7" * 5000, "nan", "inf", "1_0.5_1", "x"])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(LocalError, match="a whole number was expected"):
        KINDS["one"].parse([text], RULES)


@pytest.mark.parametrize("text", ["1e999999", "9" * 40, "-1e31"])
def test_what_no_64_bits_hold(text: str) -> None:
    for kind in (KINDS["one"], KINDS["money"]):
        with pytest.raises(RangeError, match="a value needs more than 64 bits"):
            kind.check(kind.parse([text], RULES), RULES)


def test_decimals_are_never_rounded() -> None:
    kind = Decimals(by="givers", range=(0, 1000))
    for text in ("7.001", "7.00000000000000000000000000000000001", "1e-30"):
        with pytest.raises(LocalError, match="a number with at most 2 decimal places was expected"):
            kind.check(kind.parse([text], RULES), RULES)
    exact = Decimals(by="givers", range=(0, 9), places=18)
    assert exact.check("8.999999999999999999", RULES) == 8999999999999999999
    with pytest.raises(LocalError, match="0 to 18 decimal places, not 19"):
        Decimals(by="givers", places=19).check_params(RULES)


def test_places_may_be_a_parameter() -> None:
    kind = Decimals(by="givers", range=(0, "high"), places="most")
    assert kind.check("1.2345", RULES) == 12345
    assert kind.phrase() == "a number from 0 to high with at most most decimal places"
    assert list(kind.named_parameters()) == ["high", "most"]
    rows = LocalDecimals(by="givers", range=(0, "high"), places="most")
    assert rows.check(["1.2345", 2], RULES).tolist() == [12345, 20000]
    assert rows.phrase(Rules(most=0)) == "at most 10,000,000 whole numbers from 0 to 1,000"
    assert rows.describe(RULES) != rows.describe(Rules(most=3))


class Series:
    """What a column of a data frame offers, of pandas, polars or pyarrow."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Any:
        return iter(self._values)

    def __contains__(self, value: object) -> bool:
        return value in range(len(self._values))  # its labels, as in pandas

    def to_numpy(self) -> NDArray[Any]:
        return np.array(self._values)


class Frame(Series):
    """A whole one, which iterates over the names of its columns."""

    columns = ("email", "name")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("row", [[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4], [5, 6]]),
        ("rows", [1, 2], [1, 2]),
        ("labels", ["no", "yes"], ("no", "yes")),
        ("items", ["ann", "bob"], ("ann", "bob")),
    ],
)
def test_columns_of_data_frames(name: str, values: Any, expected: object) -> None:
    checked = KINDS[name].check(Series(values), RULES)
    assert (checked.tolist() if isinstance(checked, np.ndarray) else checked) == expected
    with pytest.raises(LocalError, match=r"a table was given where one column was expected: give one, such as"):
        KINDS[name].check(Frame(values), RULES)


def test_decimals_of_data_frames() -> None:
    assert LocalDecimals(by="givers").check(Series([1.5, 2.25]), RULES).tolist() == [150, 225]
    with pytest.raises(LocalError) as caught:
        LocalDecimals(by="givers").check(Series([1.5, float("nan")]), RULES)
    assert caught.value.row == 1


# Texts: when they are the same, and when they only look so


@dataclass(frozen=True)
class Drinks:
    """What there is to drink."""

    options: tuple[str, ...] = ("caf\u00e9", "th\u00e9 vert", "none")


@pytest.mark.parametrize("text", ["caf\u00e9", "cafe\u0301", " caf\u00e9\t"])
def test_options_and_labels_are_compared_as_items_are(text: str) -> None:
    vote, labels = Choice(by="givers"), LocalLabels(by="givers", labels="options")
    assert vote.check(vote.parse([text], Drinks()), Drinks()).tolist() == [1, 0, 0]
    assert labels.check(labels.parse([text, "th\u00e9\u00a0vert"], Drinks()), Drinks()) == Drinks().options[:2]


def test_a_mark_that_is_an_option_is_no_missing_value() -> None:
    vote, labels = Choice(by="givers"), LocalLabels(by="givers", labels="options")
    assert [kind.is_missing("none", Drinks()) for kind in (vote, labels)] == [False, False]
    assert [kind.is_missing("N/A", Drinks()) for kind in (vote, labels, KINDS["items"])] == [True, True, True]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("Zo\u00eb", "Zoe\u0308"), "two options or labels look the same: 'Zo\\xeb' and 'Zoe\\u0308'"),
        (("yes", "уes"), "two options or labels look the same: 'yes' and '\\u0443es'"),
        (("ABC", "ΑΒC"), "two options or labels look the same"),
        (("a b", "a  b"), "two options or labels look the same"),
        (("a", " a"), "two options or labels look the same"),
        (("a", "b\u200b"), "a character that does not show (U+200B)"),
        (("a", " "), "an option or label is blank"),
        (tuple(f"option {place}" for place in range(4097)), "at most 4,096 options or labels, not 4,097"),
    ],
)
def test_options_that_no_person_can_tell_apart(options: tuple[str, ...], words: str) -> None:
    for kind in (Choice(by="givers"), LocalLabels(by="givers", labels="options")):
        with pytest.raises(LocalError) as caught:
            kind.check_params(Drinks(options))
        assert words in str(caught.value)
        kind.check_params(Drinks())


@pytest.mark.parametrize(
    "text",
    ["a\0b", "a\u200bb", "a\ufeffb", "a\u2060b", "a\u00adb", "a\x0bb", "a\nb", "a\u2028b", "a\u202eb", "a\ud800"],
)
def test_items_that_do_not_show_what_they_are(text: str) -> None:
    with pytest.raises(LocalError, match=r"a character that does not show \(U\+") as caught:
        KINDS["items"].check(["ann", text], RULES)
    assert caught.value.row == 1


def test_spaces_of_every_width_are_spaces() -> None:
    items = KINDS["items"].check(["two\u00a0words", "two\u2009words", "two words", "می\u200cخواهم"], RULES)
    assert items == ("two words", "می\u200cخواهم")


# Shape and range are checked once, by what all shared kinds have in common


class Careless(Clock):
    """A kind whose author forgot that a day has an end."""

    def convert(self, value: object, params: Any) -> NDArray[np.int64]:
        return np.array([25 * 60, 3])


def test_a_kind_of_a_plugin_cannot_pass_the_check() -> None:
    with pytest.raises(LocalError, match=r"one value was expected, not an array of shape \(2,\)"):
        Careless(by="givers").check(time(1), RULES)
    with pytest.raises(RangeError, match=r"outside the agreed range \[0, 1439\]") as caught:
        Careless(by="givers", shape=(2,)).check(time(1), RULES)
    assert caught.value.row == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (np.zeros(3, np.int64), r"2 values of shape \(2,\) were expected, not an array of shape \(3,\)"),
        (np.array(1), r"2 values of shape \(2,\) were expected, not a single value"),
        (np.array([0, 2]), r"outside the agreed range \[0, 1\]"),
        (np.array([-1, 0]), r"outside the agreed range \[0, 1\]"),
    ],
)
def test_a_row_that_does_not_fit(row: NDArray[np.int64], words: str) -> None:
    sharing = Sharing((2,), 0, 1)
    sharing.check(np.array([0, 1]))
    with pytest.raises(LocalError, match=words):
        sharing.check(row)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Ints(by="givers", range=(5, "low")), r"the range \[5, -3\] is empty or leaves 64 bits"),
        (Ints(by="givers", range=(0, 2**63)), "is empty or leaves 64 bits"),
        (Decimals(by="givers", range=(0, 10**17), places=3), "is empty or leaves 64 bits"),
        (LocalInts(by="givers", range=(0, 2**63)), "is empty or leaves 64 bits"),
        (LocalInts(by="givers", most="low"), "no less than no rows"),
        (Ints(by="givers", range=(0, "ratio")), "parameter 'ratio' stands for a whole number, and is a float"),
    ],
)
def test_parameters_with_which_no_job_can_run(kind: Declaration, words: str) -> None:
    @dataclass(frozen=True)
    class More(Rules):
        ratio: float = 0.5

    with pytest.raises(LocalError, match=words):
        kind.check_params(More())
    for good in KINDS.values():
        good.check_params(More())


# A plugin's kinds go through everything


@dataclass(frozen=True)
class Outcome:
    """The latest arrival as a minute, and how many holidays there are."""

    latest: int
    holidays: int


@protocol(
    "dinner",
    version=1,
    params=Rules,
    roles={"guests": Many(3)},
    inputs={
        "arrival": Clock(by="guests", help="when you come"),
        "holidays": LocalDates(by="guests", most="most", help="when you are away"),
        "away": Ints(by="guests", range=(0, "most"), derived=True),
    },
    outputs={"sum": "everyone", "holidays": "everyone"},
    example=Example(
        params=Rules(),
        roles={"guests": ("ann", "ben", "cem")},
        inputs={
            "ann": {"arrival": ["19:30"], "holidays": ["2026-01-01"]},
            "ben": {"arrival": ["20:00"], "holidays": []},
            "cem": {"arrival": ["18:45"], "holidays": ["2026-02-01", "2026-02-02"]},
        },
    ),
)
async def dinner(party: Party[Rules]) -> Outcome:
    """The sum of all arrivals, and how many holidays there are."""
    away = len(party.local("holidays")) if party.me in party.roles["guests"] else None
    out = await party.reveal(sum=party.share("arrival").sum(), holidays=party.share("away", away).sum())
    return Outcome(int(out["sum"]), int(out["holidays"]))


def in_the_clear(case: Case[Rules]) -> Outcome:
    """The same on open values."""
    minutes = [60 * arrival.hour + arrival.minute for arrival in case["arrival"]]
    return Outcome(sum(minutes), sum(map(len, case["holidays"])))


def job(**roles: Sequence[str]) -> Job[Rules, Outcome]:
    return Job(dinner, Rules(), roles or {"guests": ("ann", "ben", "cem")}, "dinner")


@pytest.mark.slow
def test_a_plugin_s_kinds_are_drawn_by_the_conformance_kit() -> None:
    check_protocol(dinner, in_the_clear, counts=[{"guests": 3}], outsiders=(0,), examples=5)


def test_a_plugin_s_kinds_are_explained_and_run_dry() -> None:
    assert sentences.gives(explain(job())) == [
        ("ann, ben and cem", "arrival: a time of day, such as 07:30 (when you come)"),
        ("ann, ben and cem", "holidays: at most 4 dates (when you are away)"),
    ]
    found = dry_run(job())
    assert found.rows == 20
    assert found.is_fixed


def test_a_plugin_s_kinds_are_parsed_and_agreed_on() -> None:
    example = dinner.example
    assert example is not None
    words: Mapping[str, Mapping[str, Sequence[str]]] = example.inputs
    inputs = {
        party: {name: dinner.inputs[name].parse(texts, RULES) for name, texts in given.items()}
        for party, given in words.items()
    }
    assert simulate(job(), inputs).outputs["ben"] == Outcome(60 * 58 + 15, 3)
    with pytest.raises(LocalError, match="input 'arrival' of ann: a time was expected"):
        simulate(job(), {**inputs, "ann": {"arrival": 5, "holidays": []}})
