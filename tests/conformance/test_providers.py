"""Every installed provider passes its kit, and works in a job by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mpcnet import simulate
from mpcnet.declare import Party
from mpcnet.declare.plugins import find_provider, list_providers
from mpcnet.testing import check_provider
from tests.support.parties import Nothing, job_of

OWNERS = ("alice", "bob", "carol")


@pytest.mark.slow
@pytest.mark.parametrize("name", list_providers())
def test_a_provider_passes_its_kit(name: str) -> None:
    provider = find_provider(name)
    assert provider.name == name
    check_provider(provider)


async def second(party: Party[Nothing]) -> int:
    values = party.share("value")
    largest = values.max()
    out = await party.reveal(answer=(values * (values < largest).number()).max())
    return int(out["answer"])


@pytest.mark.parametrize("name", list_providers())
def test_a_job_names_its_provider(name: str) -> None:
    job = replace(job_of(second, OWNERS), provider=name)
    if find_provider(name).takes_dealer:
        job = replace(job, dealer="dora")
    simulation = simulate(job, {"alice": {"value": 7}, "bob": {"value": 4}, "carol": {"value": 9}})
    assert {simulation.outputs[owner] for owner in OWNERS} == {7}
