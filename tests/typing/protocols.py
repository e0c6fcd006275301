"""What a plugin and its callers see of types: the decorator, `Party`, `Job`, `simulate`, a mesh, the kit.

Never imported nor run; see `operators`.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, assert_type

from mpcnet import (
    Example,
    Ints,
    Job,
    Many,
    Member,
    Mesh,
    Party,
    Protocol,
    Revealed,
    Roster,
    Secret,
    Simulation,
    find_protocol,
    load_job,
    protocol,
    simulate,
)
from mpcnet.engine import Context, Round, Step
from mpcnet.testing import Case, check_protocol


@dataclass(frozen=True)
class Rules:
    high: int = 9


@dataclass(frozen=True)
class Other:
    low: int = 0


@dataclass(frozen=True)
class Outcome:
    mean: Fraction


@protocol(
    "typed",
    version=1,
    params=Rules,
    roles={"owners": Many(2)},
    inputs={"value": Ints(by="owners", range=(0, "high"))},
    outputs={"mean": "everyone"},
    example=Example(params=Rules(), roles={"owners": ("alice", "bob")}, inputs={}),
)
async def typed(party: Party[Rules]) -> Outcome:
    assert_type(party.me, Member)
    assert_type(party.roster, Roster)
    assert_type(party.roles, Mapping[str, tuple[Member, ...]])
    assert_type(party.params, Rules)
    assert_type(party.params.high, int)
    assert_type(party.path, tuple[str, ...])
    assert_type(party.job_id, bytes)
    values = party.share("value")
    assert_type(values, Secret)
    async with party.fork("inner") as inner:
        assert_type(inner, Party[Rules])
        assert_type(inner.use(values), Secret)
    with party.region("mean"):
        out = await party.reveal(mean=values.mean(), high=values > 3)
    assert_type(out, Revealed)
    assert_type(await party.run("own", own_step), int)
    assert_type(await party.offload(len, b"abc"), int)
    await party.evaluate(values, values > 3)
    await party.reveal(mean=3)  # type: ignore[arg-type]
    party.share(values)  # type: ignore[arg-type]
    _ = party.params.low  # type: ignore[attr-defined]
    return Outcome(out.exact("mean"))


def own_step(context: Context) -> Step[int]:
    inbox = yield Round({}, {})
    return len(inbox)


def callers() -> None:
    assert_type(typed, Protocol[Rules, Outcome])
    job = Job(typed, Rules(high=3), {"owners": ("alice", "bob")}, "monday")
    assert_type(job, Job[Rules, Outcome])
    assert_type(job.params, Rules)
    simulation = simulate(job, {"alice": {"value": 1}, "bob": {"value": 2}})
    assert_type(simulation, Simulation[Outcome])
    assert_type(simulation.outputs, dict[str, Outcome])
    assert_type(simulation.outputs["alice"].mean, Fraction)
    assert_type(simulation.errors, dict[str, Exception])
    assert_type(find_protocol("average"), Protocol[Any, Any])
    assert_type(load_job("job.toml"), Job[Any, Any])
    Job(typed, Other(), {"owners": ("alice", "bob")}, "monday")  # type: ignore[misc]
    simulate(typed, {})  # type: ignore[arg-type]


async def embedding(mesh: Mesh, job: Job[Rules, Outcome]) -> None:
    assert_type(await mesh.run(job, {"value": 1}), Outcome)


def reference(case: Case[Rules]) -> Outcome:
    assert_type(case.params, Rules)
    return Outcome(Fraction(0))


def wrong_reference(case: Case[Rules]) -> int:
    return case.params.high


def kit() -> None:
    check_protocol(typed, reference)
    check_protocol(typed, wrong_reference)  # type: ignore[arg-type]


@protocol(  # type: ignore[arg-type]
    "other", version=1, params=Other, roles={"owners": Many(2)}, outputs={"mean": "everyone"}
)
async def mistyped(party: Party[Rules]) -> Outcome:
    return Outcome(Fraction(party.params.high))
