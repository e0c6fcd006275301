"""The kit passes what is right, and catches each kind of mistake, with a message that says what to look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import trio
from hypothesis import strategies as st

from mpcnet import (
    Choice,
    Decimals,
    Example,
    Ints,
    LocalError,
    LocalInts,
    Many,
    One,
    Party,
    Protocol,
    protocol,
)
from mpcnet.testing import Case, ConformanceError, check_protocol

pytestmark = pytest.mark.slow

Function = Callable[[Party[Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Rules:
    high: int = 1000
    options: tuple[str, ...] = ("yes", "no")


def declared(function: Function, **changes: Any) -> Protocol[Rules, Any]:
    """A protocol of three or more owners with a value each; outputs for all."""
    said: dict[str, Any] = {
        "version": 1,
        "params": Rules,
        "roles": {"owners": Many(3)},
        "inputs": {"value": Ints(by="owners", range=(0, "high"))},
        "outputs": {"sum": "everyone", "extra": "everyone"},
    }
    return protocol("tried", **{**said, **changes})(function)


async def total(party: Party[Any]) -> int:
    return int((await party.reveal(sum=party.share("value").sum()))["sum"])


def in_the_clear(case: Case[Any]) -> int:
    return int(sum(case["value"]))


def failure(
    function: Function, reference: Callable[[Case[Any]], Any] = in_the_clear, **options: Any
) -> ConformanceError:
    """How the kit refuses a protocol of three owners."""
    quick: dict[str, Any] = {"counts": [{"owners": 3}], "outsiders": (0,), "examples": 1, "pairs": 1}
    with pytest.raises(ConformanceError) as caught:
        check_protocol(declared(function), reference, **{**quick, **options})
    return caught.value


# What is right


def test_a_sum_passes_with_its_rounds() -> None:
    check_protocol(
        declared(total), in_the_clear, rounds=lambda case: 1 if case.owners_compute else 2, examples=1, pairs=1
    )


def test_everything_that_can_be_declared() -> None:
    """Shapes, decimals, choices, rows that stay with their owner, a role of one, and receivers of their own."""

    async def mixed(party: Party[Rules]) -> Any:
        mine = party.local("rows") if party.me in party.roles["owners"] else None
        rows = party.share("rows total", None if mine is None else int(mine.sum()))
        async with party.fork("prices") as fork:
            out = await fork.reveal(price=fork.share("prices").sum(axis=0).max())
        answers = party.share("answer")[:, 0].sum()
        counted = await party.reveal(yes=answers, rows=rows.sum())
        told = party.me in party.roles["clerk"]
        return (out.exact("price"), int(counted["yes"]) if told else None, int(counted["rows"]))

    def reference(case: Case[Rules]) -> Any:
        columns = zip(*case["prices"], strict=True)
        yes = case["answer"].count("yes") if case.me in case.roles["clerk"] else None
        return (max(map(Fraction, map(sum, columns))), yes, sum(map(sum, case["rows"])))

    check_protocol(
        protocol(
            "mixed",
            version=1,
            params=Rules,
            roles={"owners": Many(2), "clerk": One()},
            inputs={
                "prices": Decimals(by="owners", range=(-3, 3), shape=(2,)),
                "answer": Choice(by="owners"),
                "rows": LocalInts(by="owners", range=(0, 5), most=3),
                "rows total": Ints(by="owners", range=(0, 15), derived=True),
            },
            outputs={"price": "everyone", "yes": "clerk", "rows": "everyone"},
        )(mixed),
        reference,
        counts=[{"owners": 3, "clerk": 1}],
        outsiders=(0,),
        examples=2,
        pairs=1,
    )


def test_numbers_of_a_shape_are_given_as_nested_lists() -> None:
    seen: list[Any] = []

    def reference(case: Case[Any]) -> int:
        seen.extend(case["value"])
        return int(sum(sum(map(sum, rows)) for rows in case["value"]))

    shaped = declared(total, inputs={"value": Ints(by="owners", range=(0, 9), shape=(2, 3))})
    check_protocol(shaped, reference, counts=[{"owners": 3}], outsiders=(0,), pairs=1)
    assert {(len(rows), len(rows[0])) for rows in seen} == {(2, 3)}


def test_an_example_is_run_too() -> None:
    told: list[Any] = []

    def reference(case: Case[Any]) -> int:
        told.append(case.inputs)
        return in_the_clear(case)

    names = ("ann", "ben", "cem")
    example = Example(Rules(7), {"owners": names}, {name: {"value": ["7"]} for name in names})
    check_protocol(
        declared(total, example=example), reference, counts=[{"owners": 3}], outsiders=(0,), pairs=1, examples=1
    )
    assert told[0] == {name: {"value": 7} for name in names}
    assert any(inputs["owners-1"] == {"value": 7} for inputs in told if "owners-1" in inputs)


def test_messages_of_ones_own_pass_if_they_tell_nothing() -> None:
    async def greeted(party: Party[Any]) -> int:
        first, second = party.roles["owners"][:2]
        if party.me == first:
            await party.send(second, b"hello")
        if party.me == second:
            await party.receive(first, max_bytes=5)
        return await total(party)

    check_protocol(declared(greeted), in_the_clear, counts=[{"owners": 3}], outsiders=(0,), pairs=2)


# What is wrong


def test_wrong_by_one() -> None:
    async def wrong(party: Party[Any]) -> int:
        return await total(party) + (party.me.index == 2)

    error = failure(wrong)
    assert error.check == "outcome"
    assert "owners-3 learns 1, and by the reference it is to learn 0" in str(error)
    assert "owners-1: value=0" in str(error)


def test_wrong_for_one_value_only_is_shrunk() -> None:
    async def wrong(party: Party[Any]) -> int:
        found = await total(party)
        return found + (found % 1000 > 0)

    assert "learns 2, and by the reference it is to learn 1" in str(failure(wrong, examples=20))


def test_an_output_that_the_reference_does_not_know() -> None:
    async def talkative(party: Party[Any]) -> int:
        values = party.share("value")
        return int((await party.reveal(sum=values.sum(), extra=values[0]))["sum"])

    error = failure(talkative)
    assert error.check == "secrecy"
    assert "output 'extra'" in str(error)
    assert "owners-1" in str(error)


def test_a_total_that_does_not_change_when_inputs_change_places() -> None:
    async def talkative(party: Party[Any]) -> bool:
        values = party.share("value").sum()
        return bool((await party.reveal(sum=values >= 1500, extra=values))["sum"])

    error = failure(talkative, lambda case: sum(case["value"]) >= 1500, pairs=1)
    assert error.check == "secrecy"
    assert "output 'extra'" in str(error)


def test_one_bit_of_an_input_in_a_fork() -> None:
    """Whether the first owner is in the upper half of its range."""

    async def talkative(party: Party[Any]) -> int:
        async with party.fork("aside") as fork:
            await fork.reveal(extra=fork.share("value")[0] >= 500)
        return await total(party)

    error = failure(talkative, pairs=1)
    assert error.check == "secrecy"
    assert "in fork aside" in str(error)


def test_a_leak_that_only_other_parameters_open() -> None:
    async def leaks(party: Party[Any]) -> int:
        values = party.share("value")
        if party.params.high == 999:
            await party.reveal(extra=values)
        return int((await party.reveal(sum=values.sum()))["sum"])

    error = failure(leaks, params=[Rules(1000), Rules(999)])
    assert error.check == "secrecy"


def plaintext(sender: int, receiver: int) -> Function:
    """An owner tells another one its value."""

    async def leaks(party: Party[Any]) -> int:
        one, other = (party.roles["owners"][place] for place in (sender, receiver))
        if party.me == one:
            await party.send(other, int(party.local("value")).to_bytes(8, "little"))
        if party.me == other:
            await party.receive(one, max_bytes=8)
        return await total(party)

    return leaks


@pytest.mark.parametrize(("sender", "receiver"), [(0, 1), (2, 0)])
def test_a_plaintext_that_is_sent(sender: int, receiver: int) -> None:
    error = failure(plaintext(sender, receiver), pairs=3)
    assert error.check == "secrecy"
    assert f"owners-{receiver + 1} can tell" in str(error)
    assert f"message from owners-{sender + 1}, number 0" in str(error)


def test_a_plaintext_under_a_mask_that_is_too_short() -> None:
    """Eight random bits hide the low bits of the value alone."""

    async def leaks(party: Party[Any]) -> int:
        one, other = party.roles["owners"][:2]
        if party.me == one:
            masked = int(party.local("value")) + party.random_bytes(1)[0]
            await party.send(other, masked.to_bytes(8, "little"))
        if party.me == other:
            await party.receive(one, max_bytes=8)
        return await total(party)

    error = failure(leaks, pairs=3)
    assert error.check == "secrecy"
    assert "owners-2 can tell" in str(error)


def told_in_messages(messages: Callable[[int], int], size: Callable[[int], int]) -> Function:
    """The first owner's value shows in how much it sends."""

    async def leaks(party: Party[Any]) -> int:
        one, other = party.roles["owners"][:2]
        if party.me == one:
            value = int(party.local("value"))
            for left in reversed(range(messages(value))):
                await party.send(other, bytes([left]) + bytes(size(value)))
        if party.me == other:
            while (await party.receive(one, max_bytes=2000))[0]:
                pass
        return await total(party)

    return leaks


@pytest.mark.parametrize(
    "leaks",
    [
        told_in_messages(lambda value: 1 + value % 7, lambda _: 0),
        told_in_messages(lambda _: 1, lambda value: value),
    ],
)
def test_how_much_is_sent_depends_on_an_input(leaks: Function) -> None:
    error = failure(leaks, pairs=3)
    assert error.check == "cost"
    assert "from owners-1 to owners-2" in str(error)
    assert "although all learn the same" in str(error)


def test_how_much_is_sent_depends_on_an_input_and_not_all_learn_the_same() -> None:
    """The last owner learns its own value too: the cost may depend on the outcomes, but not what the others see."""

    async def leaks(party: Party[Any]) -> tuple[int, int]:
        found = await told_in_messages(lambda _: 1, lambda value: value)(party)
        assert isinstance(found, int)
        return found, int(party.local("value"))

    error = failure(leaks, lambda case: (in_the_clear(case), case.inputs[case.me]["value"]), pairs=3)
    assert error.check == "secrecy"
    assert "owners-2 can tell inputs of" in str(error)


def test_one_that_hangs() -> None:
    async def waits(party: Party[Any]) -> int:
        if party.me == party.roles["owners"][1]:
            await party.receive(party.roles["owners"][0], max_bytes=8)
        if party.me == party.roles["owners"][0]:
            await party.receive(party.roles["owners"][1], max_bytes=8)
        return await total(party)

    error = failure(waits)
    assert error.check == "outcome"
    assert "it hangs until the deadline" in str(error)
    assert "owners-1" in str(error)


def test_one_that_sleeps_for_ever() -> None:
    async def sleeps(party: Party[Any]) -> int:
        found = await total(party)
        await trio.sleep_forever()
        return found

    assert "it hangs until the deadline" in str(failure(sleeps))


def test_one_whose_parties_run_different_programs() -> None:
    async def diverges(party: Party[Any]) -> int:
        values = party.share("value")
        return int((await party.reveal(sum=values.sum() + (values[0] if party.me.index == 1 else 0)))["sum"])

    error = failure(diverges)
    assert error.check == "outcome"
    assert "ProgramMismatch" in str(error)


def test_one_that_does_not_refuse() -> None:
    def picky(case: Case[Any]) -> int:
        if sum(case["value"]) == 3000:
            raise LocalError("too much")
        return in_the_clear(case)

    assert "the reference refuses these inputs, and owners-1 does not" in str(failure(total, picky))


def test_refusals_of_both_are_right() -> None:
    async def refuses(party: Party[Any]) -> int:
        found = await total(party)
        if found > 2000:
            raise LocalError("too much")
        return found

    def reference(case: Case[Any]) -> int:
        if sum(case["value"]) > 2000:
            raise LocalError("too much")
        return in_the_clear(case)

    check_protocol(declared(refuses), reference, counts=[{"owners": 3}], outsiders=(0,), pairs=1)


def test_rounds_that_are_not_as_said() -> None:
    def two(case: Case[Any]) -> int:
        return 2

    error = failure(total, rounds=two)
    assert error.check == "cost"
    assert "1 online rounds, and 2 were said" in str(error)


# What cannot be checked


def test_an_outcome_that_tells_everything_must_be_said() -> None:
    async def opens(party: Party[Any]) -> list[int]:
        return [int(value) for value in (await party.reveal(extra=party.share("value")))["extra"]]

    quick: dict[str, Any] = {"counts": [{"owners": 3}], "outsiders": (0,), "examples": 1}
    with pytest.raises(LocalError, match="secrecy was not checked"):
        check_protocol(declared(opens), lambda case: case["value"], **quick)
    check_protocol(declared(opens), lambda case: case["value"], tells_everything=True, **quick)


def test_a_reference_that_refuses_everything() -> None:
    def never(case: Case[Any]) -> int:
        raise LocalError("no")

    async def refuses(party: Party[Any]) -> int:
        raise LocalError("no")

    with pytest.raises(LocalError, match="the reference refuses all of"):
        check_protocol(declared(refuses), never, counts=[{"owners": 3}], outsiders=(0,), examples=1)


def test_strategies_of_ones_own() -> None:
    drawn: set[int] = set()

    def reference(case: Case[Any]) -> int:
        drawn.update(case["value"])
        return in_the_clear(case)

    def few(params: Rules, role: str) -> st.SearchStrategy[Mapping[str, object]]:
        assert (params, role) == (Rules(), "owners")
        return st.fixed_dictionaries({"value": st.sampled_from([3, 4, 5])})

    check_protocol(declared(total), reference, inputs=few, counts=[{"owners": 3}], outsiders=(0,), pairs=1)
    assert drawn == {3, 4, 5}


def test_decimals_are_exact() -> None:
    seen: list[object] = []

    async def exact(party: Party[Any]) -> Fraction:
        out = await party.reveal(sum=party.share("value").sum())
        found: Fraction = out.exact("sum")
        return found

    def reference(case: Case[Any]) -> Fraction:
        seen.extend(case["value"])
        return sum(map(Fraction, case["value"]), Fraction(0))

    check_protocol(
        declared(exact, inputs={"value": Decimals(by="owners", range=(0, 2))}),
        reference,
        counts=[{"owners": 3}],
        outsiders=(0,),
        pairs=1,
    )
    assert all(isinstance(value, Decimal) for value in seen)


def test_a_scheme_that_fits_no_number_of_parties() -> None:
    alone = declared(total, roles={"owners": One()})
    with pytest.raises(LocalError, match="no number of computing parties fits the scheme 'additive'"):
        check_protocol(alone, in_the_clear, outsiders=(0,), schemes=["additive"])


def test_a_job_that_the_declaration_refuses_and_the_reference_does_not() -> None:
    def refuse(rules: Rules, roles: Mapping[str, Any]) -> None:
        if len(roles["owners"]) > 3:
            raise LocalError("three owners are enough")

    def limited(case: Case[Any]) -> int:
        refuse(case.params, case.roles)
        return in_the_clear(case)

    narrow = declared(total, check_job=refuse)
    sizes: Any = {"counts": [{"owners": 3}, {"owners": 4}], "outsiders": (0,), "examples": 1, "pairs": 1}
    check_protocol(narrow, limited, **sizes)
    with pytest.raises(ConformanceError, match="ends in LocalError: three owners are enough"):
        check_protocol(narrow, in_the_clear, **sizes)
