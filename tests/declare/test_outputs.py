"""Who receives an output: roles, everyone, each its own row, some members, or what the parameters say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from mpcnet import (
    AgreementMismatch,
    Each,
    Example,
    Ints,
    Job,
    LocalError,
    Many,
    One,
    Only,
    Party,
    Protocol,
    Secret,
    SecretBits,
    protocol,
    simulate,
)
from mpcnet.cli import sentences
from mpcnet.declare.explanation import explain
from mpcnet.declare.outputs import DeclaredReceivers, Delivery
from mpcnet.declare.plan import first_plan
from mpcnet.testing import Case, check_protocol
from tests.support.parties import Loopback, run_parties


@dataclass(frozen=True)
class Rules:
    """Who learns the total."""

    to: str = "seller"
    details: bool = False


async def sealed(party: Party[Rules]) -> dict[str, Any]:
    """Each bidder learns what is missing to the highest bid, and whether nothing is; the seller learns the total.

    Threat model: that of the scheme.
    """
    bids = party.share("bid")
    highest = bids.max()
    outputs: dict[str, Secret | SecretBits] = {
        "missing": highest - bids,
        "wins": bids >= highest,
        "total": bids.sum(),
        "squares": bids * bids,
    }
    out = await party.reveal(**outputs)
    return {name: out[name].tolist() for name in out}


OUTPUTS: dict[str, DeclaredReceivers] = {
    "missing": Each("bidders"),
    "wins": Each("bidders"),
    "total": lambda rules: rules.to,
    "squares": lambda rules: "everyone" if rules.details else (),
}
ROLES = {"bidders": ("ann", "ben", "cem"), "seller": ("sue",)}
BIDS = {"ann": {"bid": 7}, "ben": {"bid": 9}, "cem": {"bid": 2}}
EXPECTED = {
    "ann": {"missing": 2, "wins": False},
    "ben": {"missing": 0, "wins": True},
    "cem": {"missing": 7, "wins": False},
    "sue": {"total": 18},
}


def sealed_bids(outputs: dict[str, DeclaredReceivers]) -> Protocol[Rules, dict[str, Any]]:
    return protocol(
        "sealed-bids",
        version=1,
        params=Rules,
        roles={"bidders": Many(2), "seller": One()},
        inputs={"bid": Ints(by="bidders", range=(0, 20))},
        outputs=outputs,
    )(sealed)


def job_of(outputs: dict[str, DeclaredReceivers], rules: Rules, **changes: Any) -> Job[Rules, dict[str, Any]]:
    given: dict[str, Any] = {"dealer": "dot", **changes}
    return Job(sealed_bids(outputs), rules, ROLES, "sealed", **given)


JOB = job_of(OUTPUTS, Rules())


def given(loopback: Loopback) -> dict[str, dict[str, int]]:
    return {name: BIDS.get(name, {}) for name in loopback.names}


@pytest.mark.parametrize("compute", [(), ("tim", "uma"), ("sue", "tim")])
async def test_everybody_gets_only_what_is_its_own_in_the_simulator(compute: tuple[str, ...]) -> None:
    found = simulate(job_of(OUTPUTS, Rules(), compute=compute), BIDS)
    outsiders: dict[str, dict[str, int]] = {name: {} for name in compute if name not in EXPECTED}
    assert found.outputs == {**EXPECTED, **outsiders, "dot": None}


async def test_everybody_gets_only_what_is_its_own_over_links() -> None:
    loopback = Loopback(("ann", "ben", "cem", "sue", "dot", "tim", "uma"))
    job = job_of(OUTPUTS, Rules(to="bidders"), compute=("tim", "uma"))
    async with loopback.meshes() as meshes:
        endings = await run_parties(meshes, job, given(loopback))
    assert not endings.errors
    bidders = {name: {**EXPECTED[name], "total": 18} for name in ROLES["bidders"]}
    assert endings.outcomes == {**bidders, "sue": {}, "tim": {}, "uma": {}, "dot": None}


async def test_a_bidder_is_sent_its_own_rows_and_nothing_else() -> None:
    """Two parties compute: the sum of what both send in the last round is what a receiver opens."""
    found = simulate(job_of({**OUTPUTS, "wins": ()}, Rules(), compute=("tim", "uma")), BIDS)
    for name in ROLES["bidders"]:
        bodies = [entry.body for entry in found.views[name] if entry.kind == "ROUND" and len(entry.body)]
        assert [len(body) for body in bodies] == [8, 8]
        opened = sum(int.from_bytes(body, "little") for body in bodies) % 2**64
        assert opened == EXPECTED[name]["missing"]


async def test_the_same_row_is_masked_anew_for_everybody() -> None:
    same = {name: {"bid": 5} for name in ROLES["bidders"]}
    outputs = {**OUTPUTS, "wins": (), "total": ()}
    found = simulate(job_of(outputs, Rules(), compute=("tim", "uma")), same)
    sent = {bytes(entry.body) for name in ROLES["bidders"] for entry in found.views[name] if entry.kind == "ROUND"}
    assert len(sent - {b""}) == 6


async def test_who_receives_follows_from_the_parameters() -> None:
    found = simulate(job_of(OUTPUTS, Rules(to="bidders", details=True)), BIDS)
    squares = {"squares": [49, 81, 4]}
    assert found.outputs["ann"] == {**EXPECTED["ann"], "total": 18, **squares}
    assert found.outputs["sue"] == squares


async def test_what_goes_to_nobody_is_not_computed() -> None:
    without = simulate(job_of({"total": "seller", "missing": (), "wins": (), "squares": ()}, Rules()), BIDS)
    assert without.outputs["sue"] == {"total": 18}
    assert without.cost.regions.get("correlated", None) is None
    assert without.cost.rounds == 1


@pytest.mark.parametrize(
    ("shape", "words"),
    [((2,), r"2 rows|3 rows were expected, not an array of shape \(2,\)"), ((), r"not an array of shape \(\)")],
)
async def test_rows_are_as_many_as_members(shape: tuple[int, ...], words: str) -> None:
    async def wrong(party: Party[Rules]) -> None:
        bids = party.share("bid")
        await party.reveal(missing=bids[:2] if shape else bids.sum())

    declared = protocol(
        "wrong",
        version=1,
        params=Rules,
        roles={"bidders": Many(2)},
        inputs={"bid": Ints(by="bidders", range=(0, 20))},
        outputs={"missing": Each("bidders")},
    )(wrong)
    with pytest.raises(LocalError, match=rf"output 'missing' goes to each of the bidders, its own row: .*{words}"):
        simulate(Job(declared, Rules(), {"bidders": ROLES["bidders"]}, "wrong"), BIDS)


async def test_rows_of_rows() -> None:
    async def table(party: Party[Rules]) -> list[int]:
        bids = party.share("bid")
        out = await party.reveal(table=bids.reshape(3, 1) - bids)
        row: list[int] = out["table"].tolist()
        return row

    declared = protocol(
        "table",
        version=1,
        params=Rules,
        roles={"bidders": Many(2)},
        inputs={"bid": Ints(by="bidders", range=(0, 20))},
        outputs={"table": Each("bidders")},
    )(table)
    found = simulate(Job(declared, Rules(), {"bidders": ROLES["bidders"]}, "table"), BIDS)
    assert found.outputs == {"ann": [0, -2, 5], "ben": [2, 0, 7], "cem": [-5, -7, 0]}


# What is agreed on


async def test_what_a_function_gives_is_part_of_the_agreement() -> None:
    """Two releases of a protocol, which forgot to raise its version: one tells the seller, the other everybody."""
    loopback = Loopback(("ann", "ben", "cem", "sue", "dot"))
    other = job_of({**OUTPUTS, "total": lambda rules: ("seller", "bidders")}, Rules())
    async with loopback.meshes() as meshes:
        endings = await run_parties(meshes, JOB, given(loopback), jobs={"ann": other})
    (error,) = [found for name, found in endings.errors.items() if name == "ben"]
    assert isinstance(error, AgreementMismatch)
    assert error.differences == {"outputs.total": ("['seller']", "['seller', 'bidders']")}


async def test_rows_and_wholes_are_not_the_same_agreement() -> None:
    described = [
        first_plan(job_of({"missing": receivers}, Rules())).outputs["missing"].describe()
        for receivers in ("bidders", ("bidders", "seller"), Each("bidders"), Only("bidders", (0, 1)), ())
    ]
    assert len({repr(item) for item in described}) == len(described)


# What is said


async def test_words() -> None:
    plan = first_plan(job_of({**OUTPUTS, "total": Only("bidders", (0, 2)), "wins": ("bidders", "seller")}, Rules()))
    assert {name: receivers.phrase() for name, receivers in plan.outputs.items()} == {
        "missing": "each of the bidders, its own row",
        "wins": "the bidders and the seller",
        "total": "number 1, 3 of the bidders",
        "squares": "no party",
    }
    assert plan.deliveries["missing"] == tuple(Delivery(place, (place,)) for place in range(3))
    assert plan.deliveries["total"] == (Delivery(None, (0, 2)),)
    assert plan.deliveries["squares"] == ()
    assert plan.receivers("missing") == (0, 1, 2)


async def test_an_explanation_says_who_learns_its_own_row() -> None:
    assert sentences.learns(explain(JOB)) == [
        ("missing", "ann, ben and cem, each its own row"),
        ("wins", "ann, ben and cem, each its own row"),
        ("total", "sue"),
        ("squares", "no party"),
        ("nothing of it", "dot"),
    ]


@pytest.mark.parametrize(
    ("receivers", "words"),
    [
        (Each("bidder"), "output 'x' goes to 'bidder', which is no role; the roles are: bidders, seller"),
        (Only("buyers", (0,)), "output 'x' goes to 'buyers', which is no role"),
        (("seller", "bidder"), "output 'x' goes to 'bidder', which is no role"),
        (["seller"], "output 'x' goes to roles, Each, Only or what a function says, not to a list"),
    ],
)
async def test_receivers_that_there_are_not(receivers: Any, words: str) -> None:
    with pytest.raises(LocalError) as caught:
        sealed_bids({"x": receivers})
    assert words in str(caught.value)
    job = job_of({"x": lambda rules: receivers}, Rules())
    with pytest.raises(LocalError) as found:
        first_plan(job)
    assert f"protocol 'sealed-bids': {words}" in str(found.value)


async def test_an_example_finds_out_what_a_function_gives() -> None:
    with pytest.raises(LocalError, match="output 'x' goes to 'seler', which is no role"):
        protocol(
            "sold",
            version=1,
            params=Rules,
            roles={"seller": One()},
            outputs={"x": lambda rules: "seler"},
            example=Example(Rules(), {"seller": ("sue",)}, {}),
        )(sealed)


async def test_a_place_that_nobody_has() -> None:
    with pytest.raises(LocalError, match="role 'bidders' has 3 members, and none in place 3"):
        first_plan(job_of({"missing": Only("bidders", (3,))}, Rules()))


# The kit


def in_the_clear(case: Case[Rules]) -> dict[str, Any]:
    """The same on open values, for `case.me`."""
    bids: list[int] = case["bid"]
    learned: dict[str, Any] = {}
    if case.me in case.roles["bidders"]:
        mine = bids[tuple(case.roles["bidders"]).index(case.me)]
        learned = {"missing": max(bids) - mine, "wins": mine == max(bids)}
    if case.me in case.roles[case.params.to]:
        learned["total"] = sum(bids)
    return learned


@pytest.mark.slow
@pytest.mark.parametrize("rules", [Rules(), Rules(to="bidders")], ids=["to the seller", "to the bidders"])
async def test_the_kit_judges_what_each_learns(rules: Rules) -> None:
    check_protocol(
        sealed_bids(OUTPUTS), in_the_clear, params=[rules], counts=[{"bidders": 3, "seller": 1}], pairs=2
    )


@pytest.mark.slow
async def test_the_kit_finds_a_row_that_goes_to_all() -> None:
    with pytest.raises(AssertionError, match="outcome: "):
        check_protocol(
            sealed_bids({**OUTPUTS, "missing": "bidders"}), in_the_clear, counts=[{"bidders": 3, "seller": 1}]
        )
