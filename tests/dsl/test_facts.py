"""What every party knows of a value has one home: no file but `facts` makes it, no rule is without use."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest

import mpcnet
from mpcnet.algebra import Z64
from mpcnet.dsl import Facts, Range, Secret, Value, facts, where
from mpcnet.errors import RangeError
from mpcnet.testing.lockstep import make_programs

ROOT = Path(mpcnet.__file__).parents[1]
SOURCES = [path for folder in ("mpcnet", "protocols", "sims") for path in sorted((ROOT / folder).rglob("*.py"))]
RULES = {
    name: rule
    for name, rule in inspect.getmembers(facts, inspect.isfunction)
    if rule.__module__ == facts.__name__ and not name.startswith("_")
}


def test_facts_are_made_in_one_file() -> None:
    makers: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"Facts", "replace"}:
                arguments = ast.unparse(node)
                if "Facts(" in arguments or "facts" in arguments.partition(",")[0]:
                    makers.add(path.name)
    assert makers == {"facts.py"}


def test_no_fact_has_a_default() -> None:
    fields = dataclasses.fields(Facts)
    assert fields
    for field in fields:
        assert field.default is dataclasses.MISSING
        assert field.default_factory is dataclasses.MISSING


def test_every_rule_is_used() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "mpcnet" / "dsl").glob("*.py"))
    assert RULES
    for name, rule in RULES.items():
        assert f"facts.{name}(" in text, name
        assert inspect.signature(rule).return_annotation == "Facts", name


def test_what_could_leave_the_domain_is_refused_and_named() -> None:
    with pytest.raises(RangeError, match=r"'sum' can give values in \[0, 9223372036854775808\], which Z/2\^64"):
        facts.declare(Range(0, 2**63)).check(Z64, "sum")
    facts.declare(Range(-(2**63), 2**63 - 1)).check(Z64, "sum")


def test_a_node_carries_its_facts() -> None:
    program = make_programs(computing=2)[0]
    node = program.input("x", (3,), Range(-2, 9), (0,), None)
    x = Secret(Value(program, node))
    assert node.facts == facts.declare(Range(-2, 9))
    assert node.range == Range(-2, 9)
    assert (x.sum() - 7).node.facts == facts.declare(Range(-13, 20))
    assert where(x < 0, x, np.int64(12)).node.facts == facts.declare(Range(-2, 12))
    assert (x == 3).node.range == Range(0, 1)
