"""Scenarios: worked simulations under a name, found by the entry-point group `mpcnet.scenarios`."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mpcnet.declare import Job
from mpcnet.declare.plugins import load_entry_point
from mpcnet.errors import LocalError
from mpcnet.session.events import Event
from mpcnet.sim.faults import Fault
from mpcnet.sim.network import LAN, Network
from mpcnet.sim.simulation import Simulation, simulate

__all__ = ("Scenario", "find_scenario", "list_scenarios")

SCENARIOS = "mpcnet.scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A job with inputs and a network, ready to run.

    Args:
        name: what `mpcnet sim --scenario` says.
        description: what it shows, in a sentence or two.
        job: the job of all parties.
        inputs: by party, its inputs.
        network: what the links do.
        faults: what goes wrong.
    """

    name: str
    description: str
    job: Job[Any, Any]
    inputs: Mapping[str, Mapping[str, object]]
    network: Network = LAN
    faults: Sequence[Fault] = ()

    def run(
        self, seed: int = 0, network: Network | None = None, listener: Callable[[str, Event], None] | None = None
    ) -> Simulation[Any]:
        """Simulate it; with faults, parties may end in errors."""
        return simulate(
            self.job,
            self.inputs,
            network=network or self.network,
            faults=self.faults,
            seed=seed,
            allow_errors=bool(self.faults),
            listener=listener,
        )


def find_scenario(name: str) -> Scenario:
    """The installed scenario of this name."""
    found = load_entry_point(SCENARIOS, name, "scenario")
    if not isinstance(found, Scenario):
        raise LocalError(f"entry point {name!r} of {SCENARIOS} is no scenario")
    return found


def list_scenarios() -> list[str]:
    """Names of all installed scenarios."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=SCENARIOS)})
