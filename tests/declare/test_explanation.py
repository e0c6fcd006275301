"""What a job means, as data."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from mpcnet import LocalError, find_protocol
from mpcnet.declare.examples import example_inputs, example_job, grown_example, job_like_example
from mpcnet.declare.explanation import Gift, Learning, explain
from mpcnet.declare.risks import FewGivers, Outsourced, ShortDeadline, Unprotected


def test_the_worked_example() -> None:
    found = explain(example_job(find_protocol("average"), "raises"))
    four = ("alice", "bob", "carol", "dave")
    assert found.gives == (
        Gift(four, "owners", "value", "a whole number from 0 to 10,000,000", "your number, for example your raise"),
    )
    assert (found.computes, found.deals, found.listens) == (four, None, ())
    assert found.learns == {"sum": Learning(four, by_row=False)}
    assert (found.collusion.computing, found.collusion.tolerated, found.collusion.scheme) == (four, 3, "additive")
    assert found.risks == ()
    assert found.params["high"] == 10_000_000


def test_risks_are_told_by_their_types() -> None:
    average = example_job(find_protocol("average"), "raises")
    short = replace(average, roles={"owners": ("alice", "bob", "carol")}, scheme="plain", deadline_seconds=5)
    assert explain(short).risks == (Unprotected("plain"), FewGivers(3), ShortDeadline(5))
    auction = example_job(find_protocol("first-price-auction"), "lot")
    assert Outsourced(("seller", "notary")) in explain(auction).risks


def test_an_explanation_refuses_what_no_run_would_take() -> None:
    average = example_job(find_protocol("average"), "raises")
    with pytest.raises(LocalError, match="at least 3 parties"):
        explain(replace(average, roles={"owners": ("alice",)}))


def test_a_grown_example_repeats_names_and_inputs() -> None:
    protocol = find_protocol("average")
    job, inputs = grown_example(protocol, 6)
    assert job.names == ("alice", "bob", "carol", "dave", "party5", "party6")
    assert inputs["party5"] == inputs["alice"] == example_inputs(protocol)["alice"]
    with pytest.raises(LocalError, match="takes at least 3 parties, not 2"):
        grown_example(protocol, 2)


def test_people_of_ones_own_do_not_inherit_the_example() -> None:
    protocol = find_protocol("first-price-auction")
    example = protocol.example
    assert example is not None
    make = functools.partial(
        job_like_example, protocol, "lot", params={}, compute=None, scheme="additive", deadline_seconds=60
    )
    same = make(roles={}, dealer=None)
    assert (same.roles, same.params, same.compute, same.dealer) == (
        {role: tuple(names) for role, names in example.roles.items()},
        example.params,
        tuple(example.compute),
        "dora",
    )
    ours = make(roles={"bidders": ["ann", "ben"]}, dealer="")
    assert (ours.roles, ours.compute, ours.dealer) == ({"bidders": ("ann", "ben")}, (), None)
    assert ours.params == protocol.make_params({})
