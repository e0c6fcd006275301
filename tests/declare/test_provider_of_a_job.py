"""Which provider makes a job's correlated randomness: named, or the dealer that is named, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mpcnet import LocalError
from mpcnet.correlated.cost import FREE, Cost
from mpcnet.correlated.dealer import DealerProvider
from mpcnet.correlated.items import Item
from mpcnet.correlated.provider import Opening, Preparation, Provider
from mpcnet.correlated.tranches import Tranche
from mpcnet.declare import Job, plugins
from mpcnet.declare import plan as plan_module
from mpcnet.declare.jobfile import job_from_toml, job_to_toml
from mpcnet.declare.plan import make_plan
from mpcnet.engine import Parties
from mpcnet.errors import AgreementMismatch
from mpcnet.identity import Identity, Member, Roster
from mpcnet.session.agreement import agreement_of, compare
from mpcnet_protocols.average import average

NAMES = ("alice", "bob", "carol", "dora")
ROSTER = Roster(
    tuple(Member(i, name, Identity.generate().public, f"127.0.0.1:{7000 + i}") for i, name in enumerate(NAMES))
)


class Elsewhere(Provider):
    """One of another distribution, which needs no dealer."""

    name = "elsewhere"

    def makes(self, item: Item) -> bool:
        return False

    def forecast(self, parties: Parties, tranche: Tranche, *, dealer: int | None = None) -> Cost:
        return FREE

    def open(self, opening: Opening) -> Preparation:
        raise AssertionError


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Provider:
        return Elsewhere() if name == "elsewhere" else plugins.find_provider(name)

    monkeypatch.setattr(plan_module, "find_provider", find)


def job(**changes: Any) -> Job[Any, Any]:
    return replace(Job(average, average.make_params({}), {"owners": ("alice", "bob", "carol")}, "label"), **changes)


def provider_of(**changes: Any) -> Provider | None:
    return make_plan(job(**changes), ROSTER, ROSTER.members[0]).provider


def test_the_bundled_one_is_listed_and_found() -> None:
    assert plugins.list_providers() == ["dealer", "ot"]
    assert isinstance(plugins.find_provider("dealer"), DealerProvider)
    with pytest.raises(LocalError, match="no provider named 'dealr'; installed: dealer, ot; did you mean 'dealer'"):
        plugins.find_provider("dealr")


def test_a_dealer_is_the_provider_unless_the_job_says_otherwise() -> None:
    assert provider_of() is None
    assert isinstance(provider_of(dealer="dora"), DealerProvider)
    assert isinstance(provider_of(dealer="dora", provider="dealer"), DealerProvider)


@pytest.mark.usefixtures("elsewhere")
def test_another_provider() -> None:
    assert isinstance(provider_of(provider="elsewhere"), Elsewhere)
    with pytest.raises(LocalError, match="provider 'elsewhere' works without a dealer: leave dora out"):
        provider_of(provider="elsewhere", dealer="dora")
    with pytest.raises(LocalError, match="provider 'dealer' works with a dealer: name a dealer in the job"):
        provider_of(provider="dealer")
    with pytest.raises(LocalError, match="no provider named 'nobody'"):
        provider_of(provider="nobody")


@pytest.mark.usefixtures("elsewhere")
def test_parties_agree_on_it() -> None:
    """On what it comes to: to name the dealer's provider says no more than to name the dealer."""

    def agreed(**changes: Any) -> dict[str, Any]:
        return agreement_of(make_plan(job(**changes), ROSTER, ROSTER.members[0]))

    compare("bob", agreed(dealer="dora"), agreed(dealer="dora", provider="dealer"))
    with pytest.raises(AgreementMismatch) as caught:
        compare("bob", agreed(), agreed(provider="elsewhere"))
    assert dict(caught.value.differences) == {"provider": ("''", "'elsewhere'")}


@pytest.mark.parametrize("provider", ["", "dealer", "elsewhere"])
def test_job_files(provider: str) -> None:
    written = job_to_toml(job(provider=provider))
    assert ("provider" in written) == bool(provider)
    assert job_from_toml(written) == job(provider=provider)


def test_a_job_file_whose_provider_is_no_text() -> None:
    with pytest.raises(LocalError, match="field 'provider' takes text"):
        job_from_toml("provider = 3\n" + job_to_toml(job()))
