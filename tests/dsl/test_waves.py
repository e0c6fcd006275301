"""Waves and plans: one walk for the planner and the evaluation, and a plan that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mpcnet.algebra import Z64
from mpcnet.dsl import Evaluation, Output, Program, Range, Secret, Value, plan_evaluation
from mpcnet.dsl.nodes import Node
from mpcnet.dsl.waves import Waves, batched
from mpcnet.errors import JobEnded, LocalError
from mpcnet.testing.lockstep import make_programs


def program_of_two() -> Program:
    return make_programs(computing=2)[0]


def values(program: Program, count: int) -> list[Secret]:
    return [
        Secret(Value(program, program.input(f"x{i}", (3,), Range(0, 9), (0, 1), np.array([1, 2, 3]))))[0]
        for i in range(count)
    ]


def walked(waves: Waves) -> list[list[int]]:
    """The numbers of what is computed together: each local node by itself, interactive ones in waves."""
    seen: list[list[int]] = []
    while waves.unfinished:
        ready: Sequence[Node]
        ready = [waves.pop_local()] if waves.local else waves.pop_interactive()
        seen.append([each.number for each in ready])
        for each in ready:
            waves.complete(each)
    return seen


def test_local_nodes_come_by_number_and_interactive_ones_all_at_once() -> None:
    program = program_of_two()
    x, y = values(program, 2)
    late = (x + 1) * (y + 2)
    early = x * y
    waves = Waves.of(program, [late.node, early.node])
    order = walked(waves)
    inputs, *rest = order
    assert len(inputs) == 2
    products = sorted([late.node.number, early.node.number])
    assert rest[-1] == products
    assert rest[:-1] == sorted(rest[:-1])
    assert sum(len(each) for each in order) == len({number for each in order for number in each})


def test_a_copy_walks_alike_and_disturbs_nothing() -> None:
    program = program_of_two()
    x, y = values(program, 2)
    roots = [((x < y).number() * (x + 1)).node, (x * y - 3).node]
    waves = Waves.of(program, roots)
    first = walked(waves.copy())
    assert waves.unfinished > 0
    assert walked(waves) == first


def test_what_is_ready_is_batched_by_kind_and_key() -> None:
    program = program_of_two()
    x, y = values(program, 2)
    products = [x * y, (x < y).number(), y * x]
    waves = Waves.of(program, [each.node for each in products])
    for node in waves.pop_interactive():  # the inputs
        waves.complete(node)
    while waves.local:
        waves.complete(waves.pop_local())
    batches = [[node.operation.kind for node in batch] for batch in batched(waves.pop_interactive())]
    assert sorted(batches) == [["compare"], ["multiply", "multiply"]]


def test_a_walk_of_local_nodes_knows_that_it_is_one() -> None:
    program = program_of_two()
    (x,) = values(program, 1)
    assert not Waves.of(program, [(x + 1).node]).is_local  # the input takes rounds
    assert Waves.of(program, []).is_local


def test_a_plan_changes_nothing() -> None:
    """One that is never started, and one that is refused."""
    program = program_of_two()
    x, y = values(program, 2)
    product = x * y
    digest, number = program.digest.value(), product.node.number
    plan = plan_evaluation(program, [], [Output("p", product.node, (0, 1), 1, Z64)])
    assert plan.rounds == 2
    assert {item.key: units for item, units in plan.demand.items()} == {"triples": 3}
    with pytest.raises(LocalError, match="two outputs"):
        plan_evaluation(program, [], [Output("p", product.node, (0,), 1, Z64)] * 2)
    assert program.digest.value() == digest
    assert (x + 1).node.number == number + 1
    assert program.next_round == 0
    Evaluation(program, plan).close()
    program.check_free()


def test_an_evaluation_is_started_once_and_takes_its_program() -> None:
    program = program_of_two()
    (x,) = values(program, 1)
    outputs = [Output("x", x.node, (0, 1), 1, Z64)]
    first, second = (Evaluation(program, plan_evaluation(program, [], outputs)) for _ in range(2))
    first.start()
    with pytest.raises(LocalError, match="started once"):
        first.start()
    with pytest.raises(LocalError, match="another evaluation"):
        second.start()
    second.close()  # had nothing to give up
    assert first.take() is not None
    first.close()
    with pytest.raises(JobEnded):
        plan_evaluation(program, [x.node])
