"""Intersections equal Python's, for whoever is to learn them; sizes and numbers of bytes are as declared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import WAN, Job, LocalError, PeerAborted, Simulation, simulate
from mpcnet.cli.formatting import explained, plain
from mpcnet.declare import job_from_toml, job_to_toml
from mpcnet.sets import tag_bytes
from mpcnet_protocols.intersection import Outcome, Rules, intersection
from tests.support.parties import Loopback, run_parties

TO = ("first", "second", "both")
REVEAL = ("items", "cardinality")
BOTH = Rules()
RULES = [Rules(to, reveal) for to in TO for reveal in REVEAL]


def job(rules: Rules = BOTH, **options: Any) -> Job[Rules, Outcome]:
    return Job(intersection, rules, {"owners": ("ann", "ben")}, "lists", **options)


def run(first: Sequence[str], second: Sequence[str], rules: Rules = BOTH, *, seed: int = 0) -> Simulation[Outcome]:
    return simulate(job(rules), {"ann": {"items": first}, "ben": {"items": second}}, seed=seed)


def expected(first: Sequence[str], second: Sequence[str], rules: Rules) -> dict[str, Outcome]:
    """The obvious way."""
    common = tuple(sorted(set(first) & set(second)))
    sizes = {"ann": len(set(first)), "ben": len(set(second))}
    receivers = {"first": ("ann",), "second": ("ben",), "both": ("ann", "ben")}[rules.to]
    told = Outcome(len(common), common if rules.reveal == "items" else None, sizes, receivers)
    nothing = Outcome(None, None, sizes, receivers)
    return {name: told if name in receivers else nothing for name in ("ann", "ben")}


WORDS = st.lists(st.sampled_from([f"item {number}" for number in range(12)]), max_size=14)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=4).filter(
    lambda text: text.strip()
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(first=WORDS, second=WORDS, rules=st.sampled_from(RULES), seed=st.integers(0, 99))
def test_equals_the_intersection_in_the_clear(first: list[str], second: list[str], rules: Rules, seed: int) -> None:
    assert run(first, second, rules, seed=seed).outputs == expected(first, second, rules)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(common=st.lists(TEXTS, max_size=4), second=st.lists(TEXTS, max_size=4))
def test_texts_of_every_kind(common: list[str], second: list[str]) -> None:
    checked = intersection.inputs["items"].check([*common, *second], Rules())
    out = run(common, [*common, *second], Rules("both")).outputs["ann"]
    assert out.items == tuple(sorted(intersection.inputs["items"].check(common, Rules())))
    assert out.size is not None
    assert out.sizes == {"ann": out.size, "ben": len(checked)}


EDGES: dict[str, tuple[list[str], list[str]]] = {
    "both empty": ([], []),
    "one empty": (["a"], []),
    "the other empty": ([], ["a", "b"]),
    "one item, the same": (["a"], ["a"]),
    "one item, another": (["a"], ["b"]),
    "all equal": (["a", "b", "c"], ["c", "b", "a"]),
    "one in the other": (["b"], ["a", "b", "c"]),
    "twice": (["a", "a", "b", "a"], ["a", "c", "c", "a"]),
    "very long": (["a" * 2**20, "b"], ["a" * 2**20, "a" * (2**20 - 1)]),
    "alike and not the same": (
        ["a", "A", "aa", "a a", "1", "\u00e1"],
        ["\u0430", "B", "aaa", "a  a", "1.0", "\u00e0"],
    ),
}


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: f"{rules.to}-{rules.reveal}")
@pytest.mark.parametrize("edge", list(EDGES))
def test_edges(edge: str, rules: Rules) -> None:
    first, second = EDGES[edge]
    assert run(first, second, rules).outputs == expected(first, second, rules)


def test_spellings_of_one_item() -> None:
    first, second = ["\u00e1", "b", "c d"], ["a\u0301", " b\t", "c d\n"]
    assert run(first, second).outputs["ann"].items == ("b", "c d", "\u00e1")


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(1024, 1025), (2500, 3)])
def test_lists_of_more_than_one_piece(sizes: tuple[int, int]) -> None:
    first, second = ([f"item {number}" for number in range(size)][::-1] for size in sizes)
    assert run(first, second, Rules()).outputs == expected(first, second, Rules())


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: f"{rules.to}-{rules.reveal}")
@pytest.mark.parametrize(("one", "other"), [(0, 0), (1, 0), (3, 20), (17, 16)])
def test_bytes_are_those_of_the_docstring(one: int, other: int, rules: Rules) -> None:
    simulation = run([f"{n}" for n in range(one)], [f"{n}" for n in range(other)], rules)
    tag = tag_bytes(one, other)
    for name, peer, own, theirs in (("ann", "ben", one, other), ("ben", "ann", other, one)):
        peer_learns = rules.to in {{"ann": "first", "ben": "second"}[peer], "both"}
        payload = 8 + 32 * own + (tag * theirs if peer_learns else 0)
        assert simulation.cost.parties[name].sent_bytes == payload
        messages = 2 + peer_learns
        assert simulation.cost.parties[name].messages == messages
        assert simulation.cost.links[name, peer].bytes == payload


def test_three_message_delays() -> None:
    """Sizes, points and tags: on a slow network nothing else takes time."""

    def seconds(items: list[str]) -> float:
        simulation = simulate(job(), {"ann": {"items": items}, "ben": {"items": items}}, network=WAN)
        sent = [event.sent for event in simulation.trace if event.kind == "ROUND"]
        return max(event.arrives for event in simulation.trace if event.kind == "ROUND") - min(sent)

    assert seconds(["a"]) == pytest.approx(3 * WAN.default.latency_seconds, rel=0.01)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"to": "third"}, "parameter 'to' is one of: first, second, both"),
        ({"to": ""}, "parameter 'to' is one of"),
        ({"reveal": "size"}, "parameter 'reveal' is one of: items, cardinality"),
        ({"max_items": 0}, "parameter 'max_items' lies between 1 and 4194304"),
        ({"max_items": 2**22 + 1}, "parameter 'max_items' lies between"),
        ({"max_items": "many"}, "parameter 'max_items' takes int"),
    ],
)
def test_wrong_parameters(values: dict[str, object], message: str) -> None:
    with pytest.raises(LocalError, match=message):
        intersection.make_params(values)


def test_more_items_than_agreed_are_refused_before_anything_is_sent() -> None:
    rules = Rules(max_items=2)
    simulation = simulate(
        job(rules), {"ann": {"items": ["a", "b", "c"]}, "ben": {"items": ["a"]}}, allow_errors=True
    )
    assert type(simulation.errors["ann"]) is LocalError
    told = "input 'items' of ann: at most 2 items are agreed on, and this list has 3"
    assert str(simulation.errors["ann"]) == told
    assert isinstance(simulation.errors["ben"], PeerAborted)
    assert simulation.errors["ben"].party == "ann"
    assert not any(simulation.views.values())
    assert run(["a", "b", "a"], ["b"], rules).outputs["ben"].items == ("b",)


def test_nobody_else_computes() -> None:
    simulation = simulate(
        job(compute=("ann", "ben", "cem")), {name: {"items": ["a"]} for name in ("ann", "ben")}, allow_errors=True
    )
    assert (
        str(simulation.errors["cem"]) == "the owners compare their lists with each other: no other party computes"
    )
    simulation = simulate(
        job(compute=("cem", "dan")), {name: {"items": ["a"]} for name in ("ann", "ben")}, allow_errors=True
    )
    assert set(simulation.errors) == {"ann", "ben", "cem", "dan"}
    assert not simulation.views["ann"]


@pytest.mark.parametrize("owners", [("ann",), ("ann", "ben", "cem")])
def test_two_owners(owners: tuple[str, ...]) -> None:
    wrong = Job(intersection, Rules(), {"owners": owners}, "lists")
    with pytest.raises(LocalError, match="role 'owners' takes 2 parties"):
        simulate(wrong, {name: {"items": []} for name in owners})


def test_a_job_file_holds_the_job() -> None:
    made = job(Rules("second", "cardinality", 5))
    assert job_from_toml(job_to_toml(made)) == made


def test_outcomes_for_people_and_programs() -> None:
    def text(outcome: Outcome) -> str:
        return explained(intersection, outcome)

    sizes = {"ann": 3, "ben": 4000}
    lists = "of 3 items of ann and 4,000 of ben"
    assert text(Outcome(2, ("a", "b"), sizes, ("ann",))) == f"{lists}, 2 are in both:\na\nb"
    assert text(Outcome(0, (), sizes, ("ann",))) == f"{lists}, 0 are in both"
    assert text(Outcome(2, None, sizes, ("ann",))) == f"{lists}, 2 are in both"
    assert text(Outcome(None, None, sizes, ("ann",))).endswith("ann is told what they have in common")
    assert text(Outcome(1, ("a\x1b[2Jb",), sizes, ("ann",))).endswith("\na\N{REPLACEMENT CHARACTER}[2Jb")
    many = tuple(f"{n:03}" for n in range(500))
    assert text(Outcome(500, many, sizes, ("ann",))).splitlines()[-2:] == [
        "019",
        "and 480 more; --json or --output gives all",
    ]
    assert json.loads(json.dumps(plain(Outcome(1, ("a",), sizes, ("ann",))))) == {
        "size": 1,
        "items": ["a"],
        "sizes": {"ann": 3, "ben": 4000},
        "receivers": ["ann"],
    }


async def test_over_links() -> None:
    """Both sides compute in threads of one process, over encrypted links."""
    loopback = Loopback(("ann", "ben"))
    first, second = [f"a{n}" for n in range(1100)], [f"a{n}" for n in range(1080, 1120)]
    async with loopback.meshes() as meshes:
        with trio.fail_after(60):
            endings = await run_parties(meshes, job(), {"ann": {"items": first}, "ben": {"items": second}})
    assert endings.outcomes == expected(first, second, BOTH)
    assert endings.results["ann"].cost.sent_bytes == 8 + 1100 * 32 + 40 * tag_bytes(1100, 40)
