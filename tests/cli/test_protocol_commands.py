"""What is installed, and job files for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpcnet.cli import protocol_commands
from mpcnet.declare import find_protocol, job_from_toml, list_protocols, load_job
from mpcnet.declare.plugins import load_protocols

if TYPE_CHECKING:
    from tests.cli.conftest import Command


def test_the_list(mpcnet: Command) -> None:
    text = mpcnet("protocols").out
    for name in list_protocols():
        assert f"\n{name} " in text
    assert [item["name"] for item in mpcnet("protocols", "--json").document] == list_protocols()


def test_a_broken_plugin_is_listed_with_its_reason(mpcnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = load_protocols()
    broken = {"torn": "the protocol 'torn' cannot be loaded"}
    monkeypatch.setattr(protocol_commands, "load_protocols", lambda: (found, broken))
    listed = mpcnet("protocols")
    assert listed.code == 0
    assert "\naverage " in listed.out
    lines = [line.rstrip() for line in listed.out.splitlines()]
    assert lines[lines.index("installed, but cannot be used") + 1] == "  torn  the protocol 'torn' cannot be loaded"
    *documents, last = mpcnet("protocols", "--json").document
    assert [item["name"] for item in documents] == list_protocols()
    assert last == {"name": "torn", "error": "the protocol 'torn' cannot be loaded"}


@pytest.mark.parametrize("name", ["average", "statistics", "tally"])
def test_a_description(mpcnet: Command, name: str) -> None:
    text = mpcnet("protocols", name).out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for word in ("Everyone learns", "Threat model:", "Rounds:", "roles", "parameters", "inputs", "outputs"):
        assert word in text
    assert "Raises:" not in text
    assert "(default " in text


def test_a_description_for_programs(mpcnet: Command) -> None:
    document = mpcnet("protocols", "statistics", "--json").document
    assert document["roles"] == {"owners": {"least": 3, "most": None}}
    assert document["parameters"]["groups"] == {}
    assert document["parameters"]["minimum_group_size"] == {"default": 5}
    assert document["inputs"]["value"]["derived"] is False
    assert document["inputs"]["sums"]["derived"] is True
    assert document["outputs"]["counts"] == ["everyone"]


def test_a_job_file_of_the_example(mpcnet: Command) -> None:
    job = job_from_toml(mpcnet("job", "average").out)
    assert (job.label, job.roles, job.deadline_seconds) == (
        "average",
        {"owners": ("alice", "bob", "carol", "dave")},
        600,
    )


def test_a_job_file_of_ones_own(folder: Path, mpcnet: Command) -> None:
    ended = mpcnet(
        *("job", "statistics", "--label", "pay-2026", "--deadline", "60"),
        *("--role", "owners=ann, ben,cem", "--param", 'groups=["a", "b"]', "--param", "high=5"),
    )
    (folder / "job.toml").write_text(ended.out)
    job = load_job("job.toml")
    assert (job.label, job.deadline_seconds, job.roles) == ("pay-2026", 60, {"owners": ("ann", "ben", "cem")})
    assert (job.params.groups, job.params.high) == (("a", "b"), 5)


def test_with_people_of_ones_own_parameters_have_their_defaults(mpcnet: Command) -> None:
    """Once, three friends sold nothing: a reserve of 2,500 had come from the example's people."""
    shown = job_from_toml(mpcnet("job", "second-price-auction").out)
    ours = job_from_toml(
        mpcnet("job", "second-price-auction", "--role", "bidders=ann,ben,cem", "--dealer", "dora").out
    )
    assert shown.params == _example_params("second-price-auction")
    assert ours.params == type(ours.params)()
    assert (shown.params.reserve, ours.params.reserve) == (2500, 0)
    # Where a parameter has no default, the example's says what such a thing looks like.
    options = job_from_toml(mpcnet("job", "tally", "--role", "voters=ann,ben,cem").out).params
    assert options == _example_params("tally")


def _example_params(name: str) -> object:
    example = find_protocol(name).example
    assert example is not None
    return example.params


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "no protocol named 'nothing'"),
        (["average", "--role", "owner=a,b,c"], "has no role 'owner'; it has: owners"),
        (["average", "--role", "owners"], "--role takes NAME=VALUE"),
        (["average", "--param", "hihg=5"], "has no parameter 'hihg'"),
        (["average", "--param", "high=five"], "parameter 'high' takes int, not str"),
        (["average", "--param", "high=-1"], "'low' is above"),
        (["average", "--role", "owners=a,b"], "role 'owners' takes at least 3 parties, not 2"),
        (["intersection", "--role", "owners=a"], "role 'owners' takes 2 parties, not 1"),
        (["majority", "--provider", "dealr"], "no provider named 'dealr'"),
        (
            ["majority", "--dealer", "", "--provider", "dealer"],
            "provider 'dealer' works with a dealer: name a dealer",
        ),
        (["majority", "--dealer", "alice"], "alice deals, and must take no other part"),
        (["average", "--label", "two words"], "a label has 1 to 64 letters"),
    ],
)
def test_wrong_words(mpcnet: Command, words: list[str], message: str) -> None:
    ended = mpcnet("job", *words)
    assert ended.code == 2
    assert message in ended.complaint
