"""What goes between processes: errors, protocols, jobs, results, simulations."""

from __future__ import annotations

import importlib
import inspect
import multiprocessing
import pickle  # noqa: TID251 -- what a pool of processes does
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mpcnet
import mpcnet_protocols
import mpcnet_sims
from mpcnet import (
    AgreementMismatch,
    DeadlineExceeded,
    Job,
    LocalError,
    MpcnetError,
    Party,
    PeerAborted,
    PeerError,
    PeerLost,
    PeerViolation,
    ProgramMismatch,
    RangeError,
    find_protocol,
    protocol,
    simulate,
)
from mpcnet.declare import list_protocols
from mpcnet.session.abort import Diverged
from mpcnet.sim import Crash
from mpcnet.testing.cases import ConformanceError
from mpcnet.transport.connect import NotConnected
from tests.support.parties import Nothing

MADE: dict[type[BaseException], BaseException] = {
    RangeError: RangeError("a value lies outside", row=7),
    LocalError: LocalError("no such input"),
    PeerLost: PeerLost("bob", "the connection ended"),
    PeerAborted: PeerAborted("bob", "ended the job", ["carol"]),
    PeerViolation: PeerViolation("bob", "sent 7 bytes", {"frame": 12, "kinds": ("ROUND", "DATA")}),
    AgreementMismatch: AgreementMismatch("bob", {"scheme": ("'plain'", "'additive'")}),
    ProgramMismatch: ProgramMismatch("bob", "at round 7 bob multiplies"),
    DeadlineExceeded: DeadlineExceeded(["bob", "carol"], "to agree", ["bob runs another label"]),
    Diverged: Diverged(3, b"fork"),
    NotConnected: NotConnected(None, "it is a stranger"),
    ConformanceError: ConformanceError("cost", "3 online rounds"),
}


def defined() -> list[type[BaseException]]:
    """Every exception that a module of ours defines."""
    found: set[type[BaseException]] = set()
    for package in (mpcnet, mpcnet_protocols, mpcnet_sims):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                members = vars(importlib.import_module(module.name)).values()
                found |= {
                    one
                    for one in members
                    if inspect.isclass(one) and issubclass(one, BaseException) and one.__module__ == module.name
                }
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


def sample(kind: type[BaseException]) -> BaseException:
    if kind in MADE:
        return MADE[kind]
    return kind("bob", "it is gone") if issubclass(kind, PeerError) else kind("what happened")


def copied(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 -- our own bytes


def facts(error: BaseException) -> dict[str, object]:
    return {"type": type(error), "text": str(error), "args": error.args, **vars(error)}


@pytest.mark.parametrize("kind", defined(), ids=lambda kind: kind.__name__)
def test_an_error_survives(kind: type[BaseException]) -> None:
    error = sample(kind)
    error.add_note("in round 3")
    assert facts(copied(error)) == facts(error)
    (inner,) = copied(BaseExceptionGroup("several", [error])).exceptions
    assert facts(inner) == facts(error)


def test_an_error_with_keywords_of_its_own_survives() -> None:
    """An error of a plugin need know nothing of this."""
    error = Odd(colour="red")
    assert facts(copied(error)) == facts(error)


class Odd(MpcnetError):
    def __init__(self, *, colour: str) -> None:
        super().__init__(f"it is {colour}")
        self.colour = colour


def fail(name: str) -> None:
    raise MADE[next(kind for kind in MADE if kind.__name__ == name)]


@pytest.mark.slow
@pytest.mark.processes
def test_errors_come_out_of_a_pool_of_processes() -> None:
    """An error that cannot be pickled breaks the pool, or hangs it."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for kind, error in MADE.items():
            raised = pool.submit(fail, kind.__name__).exception(timeout=60)
            assert raised is not None
            assert {**facts(raised), "__notes__": None} == {**facts(error), "__notes__": None}


@pytest.mark.parametrize("name", list_protocols())
def test_a_protocol_and_its_job_survive(name: str) -> None:
    found = find_protocol(name)
    assert copied(found) is found
    assert found.example is not None
    job = Job(found, found.example.params, found.example.roles, "pickled", dealer=found.example.dealer)
    assert copied(job) == job
    assert copied(job).protocol is found


def declare() -> Any:
    @protocol("local", version=1, params=Nothing, roles={"owners": mpcnet.Many(1)}, outputs={})
    async def local(party: Party[Nothing]) -> None:
        """Stands in no module."""

    return local


@pytest.mark.parametrize(
    "made", [declare(), replace(find_protocol("average"), version=99)], ids=["local", "replaced"]
)
def test_a_protocol_that_no_module_holds_says_so(made: Any) -> None:
    with pytest.raises(LocalError, match="cannot be pickled"):
        pickle.dumps(made)


def simulated(seed: int) -> Any:
    average = find_protocol("average")
    names = ("alice", "bob", "carol")
    job = Job(average, average.make_params({}), {"owners": names}, "pickled")
    inputs = {name: {"value": seed + place} for place, name in enumerate(names)}
    return simulate(job, inputs, seed=seed, faults=[Crash("carol", 0)] if seed % 2 else [], allow_errors=True)


@pytest.mark.parametrize("seed", [2, 3], ids=["results", "errors"])
def test_a_simulation_survives(seed: int) -> None:
    before = simulated(seed)
    after = copied(before)
    assert (after.outputs, after.cost, after.trace, after.views) == (
        before.outputs,
        before.cost,
        before.trace,
        before.views,
    )
    assert {name: facts(error) for name, error in after.errors.items()} == {
        name: facts(error) for name, error in before.errors.items()
    }
    assert all(isinstance(entry.body, memoryview) for entries in after.views.values() for entry in entries)


@settings(max_examples=50, derandomize=True)
@given(st.text(), st.text(), st.dictionaries(st.text(), st.tuples(st.text(), st.text())))
def test_what_stands_in_an_error_does_not_matter(party: str, reason: str, differences: dict[str, Any]) -> None:
    several = (
        PeerError(party, reason),
        AgreementMismatch(party, differences),
        PeerViolation(party, reason, differences),
    )
    for error in several:
        assert facts(copied(error)) == facts(error)
