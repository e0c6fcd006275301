"""n parties in one process: modelled networks, virtual time, faults, traces."""

from mpcnet.sim.faults import Adversary as Adversary
from mpcnet.sim.faults import Crash as Crash
from mpcnet.sim.faults import CrashAfter as CrashAfter
from mpcnet.sim.faults import Crashed as Crashed
from mpcnet.sim.faults import Fault as Fault
from mpcnet.sim.faults import Stall as Stall
from mpcnet.sim.hub import LinkCost as LinkCost
from mpcnet.sim.hub import TraceEvent as TraceEvent
from mpcnet.sim.hub import ViewEntry as ViewEntry
from mpcnet.sim.network import LAN as LAN
from mpcnet.sim.network import WAN as WAN
from mpcnet.sim.network import LinkModel as LinkModel
from mpcnet.sim.network import Network as Network
from mpcnet.sim.scenario import Scenario as Scenario
from mpcnet.sim.scenario import find_scenario as find_scenario
from mpcnet.sim.scenario import list_scenarios as list_scenarios
from mpcnet.sim.simulation import SimCost as SimCost
from mpcnet.sim.simulation import Simulation as Simulation
from mpcnet.sim.simulation import simulate as simulate

__all__ = (
    "LAN",
    "WAN",
    "Adversary",
    "Crash",
    "CrashAfter",
    "Crashed",
    "Fault",
    "LinkCost",
    "LinkModel",
    "Network",
    "Scenario",
    "SimCost",
    "Simulation",
    "Stall",
    "TraceEvent",
    "ViewEntry",
    "find_scenario",
    "list_scenarios",
    "simulate",
)
