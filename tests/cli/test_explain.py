"""What a job means: who gives, computes, learns; who must collude; what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpcnet import (
    Decimals,
    Example,
    Ints,
    Job,
    LocalError,
    LocalInts,
    LocalLabels,
    Many,
    Party,
    Roster,
    find_protocol,
    protocol,
    simulate,
)
from mpcnet.cli import sentences
from mpcnet.cli.explain import find_cost
from mpcnet.cli.formatting import explained
from mpcnet.declare import list_protocols
from mpcnet.declare.examples import example_job
from mpcnet.declare.explanation import explain as explain_data
from mpcnet.identity import Identity, Member
from mpcnet.schemes import AdditiveScheme, Threat
from mpcnet.sim.dry_run import ROWS, DryRun, SeededChooser, dry_run

if TYPE_CHECKING:
    from tests.cli.conftest import Command


@dataclass(frozen=True)
class Said:
    """Everything that the command says of a job."""

    gives: list[sentences.Row]
    part: list[sentences.Row]
    learns: list[sentences.Row]
    words: tuple[str, ...]
    besides: list[sentences.Row]
    collusion: list[str]
    risks: list[str]
    cost: DryRun | None
    refusal: str


def explain(job: Job[Any, Any], roster: Roster | None = None, *, costs: bool = True) -> Said:
    found = explain_data(job, roster)
    cost, refusal, _ = find_cost(job, ROWS) if costs else (None, "", True)
    return Said(
        sentences.gives(found),
        sentences.part(found),
        sentences.learns(found),
        found.leaks,
        sentences.besides(found),
        sentences.collusion(found.collusion),
        [sentences.risk_text(risk) for risk in found.risks],
        cost,
        refusal,
    )


def example(name: str) -> Job[Any, Any]:
    return example_job(find_protocol(name), name)


@pytest.mark.parametrize("name", list_protocols())
def test_every_example(name: str) -> None:
    found = explain(example(name))
    assert found.cost is not None, found.refusal
    assert found.words
    assert found.collusion
    assert all(text for _, text in (*found.gives, *found.part, *found.learns, *found.besides))


def test_the_worked_example() -> None:
    found = explain(example("average"))
    four = "alice, bob, carol and dave"
    help_text = "(your number, for example your raise)"
    assert found.gives == [(four, f"value: a whole number from 0 to 10,000,000 {help_text}")]
    assert found.part[0] == ("compute", f"{four}, on shares by the scheme 'additive'")
    assert found.part[1] == ("deals", "no party")
    assert found.learns == [("sum", four)]
    assert f"Only {four} all together could learn every input." in found.collusion
    assert "A party that knows all values but one learns that one." in found.words
    assert found.risks == []
    assert found.cost is not None
    assert found.cost.rounds == (1, 1)
    assert set(found.cost.sent_bytes.values()) == {(24, 24)}
    assert found.cost.is_fixed


@pytest.mark.parametrize(("tolerated", "who", "together"), [(1, "any one", 2), (2, "any 2", 3)])
def test_who_may_collude_is_said_from_the_schemes_number(
    monkeypatch: pytest.MonkeyPatch, tolerated: int, who: str, together: int
) -> None:
    monkeypatch.setattr(AdditiveScheme, "threat", Threat("semi-honest", lambda n: tolerated, least=2))
    found = explain(example("average")).collusion
    assert found[0].startswith(
        f"Scheme 'additive', semi-honest: {who} of the 4 computing parties may put together what they see,"
    )
    assert found[1] == f"Any {together} of alice, bob, carol and dave together could learn every input."


def test_who_learns_is_not_guessed_where_a_parameter_says_it() -> None:
    found = explain(example("intersection"))
    assert found.learns == [("sizes", "alice and bob"), ("common", "alice")]
    assert found.cost is not None
    texts = {
        name: explained(find_protocol("intersection"), outcome) for name, outcome in found.cost.outcomes.items()
    }
    assert texts["alice"].startswith("of 20 items of alice and 20 of bob")
    assert texts["bob"].startswith("nothing but the sizes")


def test_who_computes_deals_and_listens() -> None:
    found = explain(example("first-price-auction"))
    assert ("deals", "dora: makes randomness for them, and has no other part") in found.part
    assert ("nothing of it", "dora") in found.learns
    assert "dora and any one of them together could learn every input; dora alone learns none." in found.collusion
    trusted = "None of those who give inputs computes: they trust that seller and notary do not all collude."
    assert trusted in found.risks
    asked = explain(replace(example("ranking"), compute=("alice", "bob", "carol")))
    assert ("only listen", "board") in asked.part
    assert ("index", "board") in asked.learns


def test_inputs_of_every_kind() -> None:
    rows = explain(example("statistics"), costs=False).gives
    assert rows == [
        (
            "acorn, birch and cedar",
            "value: at most 10,000 whole numbers from 0 to 1,000,000 (one number for each row)",
        ),
        (
            "acorn, birch and cedar",
            "group: at most 10,000 labels, each one of: men, women, other (the group of each row)",
        ),
    ]
    (vote,) = explain(example("tally"), costs=False).gives
    assert vote[1] == "vote: one of 3: pizza, ramen, tacos (the option that you vote for)"
    texts = explain(example("intersection"), costs=False).gives
    assert texts[0][1].startswith("items: at most 100,000 texts")


@dataclass(frozen=True)
class Nothing:
    """No parameters."""


@protocol(
    "prices",
    version=1,
    params=Nothing,
    roles={"shops": Many(1), "watchers": Many(1)},
    inputs={
        "prices": Decimals(by="shops", range=(0, 5), places=2, shape=(2, 3)),
        "count": Ints(by="shops", range=(-1, 1)),
    },
    outputs={"total": "watchers"},
)
async def prices(party: Party[Nothing]) -> None:
    """Two rounds if a total is above zero, one if not: control flow by what is opened."""
    party.share("prices")
    count = (await party.reveal(total=party.share("count").sum()))["total"]
    if int(count) > 0:
        await party.reveal(total=party.share("count").sum())


def test_a_protocol_of_ones_own() -> None:
    job = Job(prices, Nothing(), {"shops": ("ann", "ben"), "watchers": ("cem", "dai")}, "p")
    found = explain(job, costs=False)
    assert [text for _, text in found.gives] == [
        "prices: 2 x 3 numbers from 0 to 5 with at most 2 decimal places",
        "count: a whole number from -1 to 1",
        "nothing (watchers)",
    ]
    assert found.cost is None
    assert ("only listen", "cem and dai") in found.part
    assert any(text.startswith("Only two give inputs") for text in found.risks)


@dataclass(frozen=True)
class Ballot:
    """What is voted on."""

    options: tuple[str, ...] = ("sea", "hills", "town")


async def ordered(party: Party[Ballot]) -> None:
    """It refuses an order that is none, as a declaration cannot."""
    if party.me in party.roles["voters"] and sorted(party.local("order")) != sorted(party.params.options):
        raise LocalError("an order names every option once")


async def adds_up(party: Party[Ballot]) -> None:
    """It refuses points that are not ten."""
    if party.me in party.roles["voters"] and sum(party.local("points")) != 10:
        raise LocalError(f"points add up to 10, not {sum(party.local('points'))}")


_ORDERS = {"order": LocalLabels(by="voters", labels="options", most="options")}
_POINTS = {"points": LocalInts(by="voters", range=(0, 10**6), most=3)}
_THREE = {"voters": ("ann", "ben", "cem")}
_TENS = Example(
    params=Ballot(),
    roles={"voters": ("dan", "eve")},
    inputs={"dan": {"points": ["1", "9"]}, "eve": {"points": ["10"]}},
)


@pytest.mark.parametrize(
    ("function", "inputs", "example_of", "words"),
    [
        (ordered, _ORDERS, None, "inputs drawn at random, no two rows of an owner alike"),
        (adds_up, _POINTS, _TENS, "the inputs of the protocol's example"),
    ],
)
def test_a_protocol_that_refuses_most_inputs(function: Any, inputs: Any, example_of: Any, words: str) -> None:
    choosy = protocol(
        "choosy", version=1, params=Ballot, roles={"voters": Many(2)}, inputs=inputs, outputs={}, example=example_of
    )(function)
    found = explain(Job(choosy, Ballot(("a", "b", "c", "d")), _THREE, "c"))
    assert found.refusal == ""
    assert found.cost is not None
    assert found.cost.source.value == words


def test_one_that_refuses_all_that_we_have_is_not_called_broken() -> None:
    choosy = protocol("choosy", version=1, params=Ballot, roles={"voters": Many(2)}, inputs=_POINTS, outputs={})(
        adds_up
    )
    found = explain(Job(choosy, Ballot(), _THREE, "c"))
    assert found.cost is None
    assert found.refusal.startswith("There was no dry run, since the job refuses the inputs that a dry run has: ")


@pytest.mark.parametrize("name", list_protocols())
def test_drawn_inputs_fit_their_declarations(name: str) -> None:
    job = example(name)
    for name_of, declaration in job.protocol.inputs.items():
        if declaration.is_given:
            choose = SeededChooser(1, name_of, rows=7)
            declaration.check(declaration.sample(job.params, choose), job.params)


def test_rows_are_as_many_as_one_says() -> None:
    few, many = (dry_run(example("intersection"), rows) for rows in (5, 50))
    assert (few.rows, many.rows) == (5, 50)
    assert few.sent_bytes["alice"][1] < many.sent_bytes["alice"][0]
    assert few.is_fixed


def test_the_cost_is_that_of_a_run() -> None:
    job = example("majority")
    inputs = {name: {"vote": "yes"} for name in job.roles["voters"]}
    cost, found = simulate(job, inputs).cost, dry_run(job)
    assert found.rounds == (cost.rounds, cost.rounds)
    assert sum(less for less, _ in found.sent_bytes.values()) == cost.sent_bytes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scheme": "plain"}, "The scheme 'plain' protects nothing"),
        ({"roles": {"owners": ("alice", "bob", "carol")}}, "Only 3 give inputs"),
        ({"deadline_seconds": 10}, "All must start within 10 s"),
    ],
)
def test_what_is_to_be_considered(changes: dict[str, Any], words: str) -> None:
    assert any(risk.startswith(words) for risk in explain(replace(example("average"), **changes)).risks)


def test_a_job_that_no_run_would_take_is_not_explained() -> None:
    few = find_protocol("average").make_params({"minimum_count": 5})
    with pytest.raises(LocalError, match="an average of 4 would tell too much"):
        explain(replace(example("average"), params=few))


def test_a_job_that_does_not_run_says_why() -> None:
    found = explain(replace(example("majority"), dealer=None))
    assert found.cost is None
    assert found.refusal.endswith("name a dealer in the job.")


def test_a_dealer_that_is_asked_for_nothing(folder: Path, mpcnet: Command) -> None:
    (folder / "job.toml").write_text(mpcnet("job", "average", "--dealer", "dora").out)
    assert "dora deals, and no party asks for anything" in " ".join(mpcnet("explain", "job.toml").out.split())
    (risk,) = mpcnet("explain", "job.toml", "--json").document["risks"]
    assert (risk["kind"], risk["dealer"]) == ("idle-dealer", "dora")
    assert risk["text"].startswith("dora deals, and no party asks for anything")


def at(**addresses: str) -> Roster:
    members = [
        Member(place, name, Identity.generate().public, address)
        for place, (name, address) in enumerate(addresses.items())
    ]
    return Roster(tuple(members))


def test_parties_on_one_machine() -> None:
    job = example("majority")
    hosts = {name: f"{name}.example:7000" for name in (*job.roles["voters"], "dora")}
    assert explain(job, at(**hosts), costs=False).risks == []
    found = explain(job, at(**{**hosts, "dora": "bob.example:7001"}), costs=False)
    (risk,) = found.risks
    assert risk.startswith("bob and dora (who deals) have one address, bob.example:")
    with pytest.raises(LocalError, match="no party named 'erin'"):
        explain(job, at(**{name: place for name, place in hosts.items() if name != "erin"}))


def test_the_command(four: Path, mpcnet: Command) -> None:
    ended = mpcnet("explain", "job.toml", "--roster", "roster.toml")
    assert (ended.code, ended.err) == (0, "")
    titles = [line for line in ended.out.splitlines() if line and not line.startswith(" ")]
    assert titles == [
        "job 'raises-2026': protocol average, version 1",
        "Sum and mean of one number each; no single number is revealed.",
        "Who gives what",
        "Who does what",
        "Who learns what",
        "In the words of the protocol",
        "What is seen besides",
        "Who must collude to learn more",
        "What it costs",
        "What they would read, for inputs drawn at random",
    ]
    document = mpcnet("explain", "job.toml", "--json").document
    assert document["cost"]["rounds"] == [1, 1]
    four_names = ["alice", "bob", "carol", "dave"]
    assert document["learns"] == {"sum": {"parties": four_names, "by_row": False}}
    assert document["gives"][0]["parties"] == four_names
    assert document["collusion"]["tolerated"] == 3
    assert document["risks"] == []
    assert document["cost"]["source"] == "drawn"
    assert document["cost"]["texts"]["alice"].startswith("sum ")


@pytest.mark.parametrize("name", ["average", "second-price-auction", "statistics"])
def test_on_a_narrow_terminal(folder: Path, mpcnet: Command, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (folder / "job.toml").write_text(mpcnet("job", name).out)
    monkeypatch.setenv("COLUMNS", "40")
    lines = mpcnet("explain", "job.toml").out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 40


def test_a_job_that_no_party_could_run_ends_in_an_error(folder: Path, mpcnet: Command) -> None:
    (folder / "job.toml").write_text(mpcnet("job", "majority", "--dealer", "").out)
    ended = mpcnet("explain", "job.toml")
    assert ended.code == 2
    assert "This job does not run" in " ".join(ended.out.split())
    ended = mpcnet("explain", "job.toml", "--json")
    assert ended.code == 2
    assert ended.document["refusal"].startswith("This job does not run: ")
    assert mpcnet("explain", "job.toml", "--no-cost").code == 0
