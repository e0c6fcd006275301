"""Jobs with computing parties and a dealer: in job files, descriptions and simulations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpcnet.declare import job_from_toml

if TYPE_CHECKING:
    from tests.cli.conftest import Command


def test_the_example_s_people_stand_in_the_job_file(mpcnet: Command) -> None:
    job = job_from_toml(mpcnet("job", "first-price-auction").out)
    assert (job.compute, job.dealer) == (("seller", "notary"), "dora")


@pytest.mark.parametrize(
    ("words", "compute", "dealer"),
    [
        (["--compute", "ann, ben", "--dealer", "zoe"], ("ann", "ben"), "zoe"),
        (["--role", "bidders=ann,ben,cem"], (), "dora"),
        (["--role", "bidders=ann,ben,cem", "--compute", "ann,ben", "--dealer", ""], ("ann", "ben"), None),
    ],
)
def test_a_job_file_of_ones_own(
    mpcnet: Command, words: list[str], compute: tuple[str, ...], dealer: str | None
) -> None:
    job = job_from_toml(mpcnet("job", "first-price-auction", *words).out)
    assert (job.compute, job.dealer) == (compute, dealer)


def test_a_description_says_who_deals(mpcnet: Command) -> None:
    text = mpcnet("protocols", "first-price-auction").out
    assert "seller, notary" in text
    assert "dora: makes randomness for those who compute" in " ".join(text.split())
    document = mpcnet("protocols", "first-price-auction", "--json").document
    assert document["example"] == {
        "roles": {"bidders": ["alice", "bob", "carol", "dave"]},
        "compute": ["seller", "notary"],
        "dealer": "dora",
    }


@pytest.mark.parametrize(
    ("words", "names", "learned"),
    [
        (["first-price-auction"], ["alice", "bob", "carol", "dave", "seller", "notary"], "sold to alice for 3,800"),
        (["second-price-auction", "--parties", "3"], ["alice", "bob", "carol"], "sold to alice for 2,982"),
        (["majority"], ["alice", "bob", "carol", "dave", "erin"], "yes: at least 3 of 5 voters said yes"),
    ],
)
def test_a_simulation(mpcnet: Command, words: list[str], names: list[str], learned: str) -> None:
    parties = mpcnet("sim", *words, "--json").document["parties"]
    assert [item["party"] for item in parties] == [*names, "dora"]
    *others, dealer = parties
    assert all(item["text"].startswith(learned) for item in others)
    assert (dealer["outcome"], dealer["text"]) == (None, "nothing")


def test_the_scenario(mpcnet: Command) -> None:
    document = mpcnet("sim", "--scenario", "auction", "--json").document
    texts = {item["party"]: item["text"] for item in document["parties"]}
    assert texts.pop("dora") == "nothing"
    assert set(texts.values()) == {"sold to eva for 468  (12 bids)"}
    assert len(texts) == 15


@pytest.mark.processes
@pytest.mark.slow
def test_a_demo_with_a_dealer(mpcnet: Command) -> None:
    lines = mpcnet("demo", "second-price-auction").out.splitlines()
    assert [line.split()[0] for line in lines[-5:]] == ["alice", "bob", "carol", "dave", "dora"]
    assert "nothing: it deals" in lines[-1]
    assert all("sold to alice for 3,390" in line for line in lines[-5:-1])
