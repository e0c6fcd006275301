"""mpcnet: parties who do not trust each other compute on their joint private data, with no server in the middle.

Write a protocol: `protocol`, `Party`, `Secret`, `Ints`, `Many`. Run n parties in one process: `simulate`. Embed a
party: `open_mesh`, `Roster`, `Identity`, `Job`.


Names are imported when they are first asked for, so that the command line's help and completion do not wait for
numpy and trio (docs/decisions/0016).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpcnet.declare import Choice as Choice
    from mpcnet.declare import Decimals as Decimals
    from mpcnet.declare import Each as Each
    from mpcnet.declare import Example as Example
    from mpcnet.declare import Ints as Ints
    from mpcnet.declare import Job as Job
    from mpcnet.declare import LocalDecimals as LocalDecimals
    from mpcnet.declare import LocalInts as LocalInts
    from mpcnet.declare import LocalItems as LocalItems
    from mpcnet.declare import LocalLabels as LocalLabels
    from mpcnet.declare import Many as Many
    from mpcnet.declare import One as One
    from mpcnet.declare import Only as Only
    from mpcnet.declare import Party as Party
    from mpcnet.declare import Protocol as Protocol
    from mpcnet.declare import Revealed as Revealed
    from mpcnet.declare import find_protocol as find_protocol
    from mpcnet.declare import load_job as load_job
    from mpcnet.declare import protocol as protocol
    from mpcnet.dsl import Secret as Secret
    from mpcnet.dsl import SecretBits as SecretBits
    from mpcnet.dsl import Top as Top
    from mpcnet.dsl import concatenate as concatenate
    from mpcnet.dsl import stack as stack
    from mpcnet.dsl import top as top
    from mpcnet.dsl import where as where
    from mpcnet.engine import Context as Context
    from mpcnet.engine import Round as Round
    from mpcnet.engine import Step as Step
    from mpcnet.engine import Work as Work
    from mpcnet.engine import Works as Works
    from mpcnet.errors import AgreementMismatch as AgreementMismatch
    from mpcnet.errors import DeadlineExceeded as DeadlineExceeded
    from mpcnet.errors import JobEnded as JobEnded
    from mpcnet.errors import LocalError as LocalError
    from mpcnet.errors import MpcnetError as MpcnetError
    from mpcnet.errors import PeerAborted as PeerAborted
    from mpcnet.errors import PeerError as PeerError
    from mpcnet.errors import PeerLost as PeerLost
    from mpcnet.errors import PeerViolation as PeerViolation
    from mpcnet.errors import ProgramMismatch as ProgramMismatch
    from mpcnet.errors import RangeError as RangeError
    from mpcnet.identity import Identity as Identity
    from mpcnet.identity import Member as Member
    from mpcnet.identity import Roster as Roster
    from mpcnet.session import Mesh as Mesh
    from mpcnet.session import Result as Result
    from mpcnet.session import open_mesh as open_mesh
    from mpcnet.sim import LAN as LAN
    from mpcnet.sim import WAN as WAN
    from mpcnet.sim import Scenario as Scenario
    from mpcnet.sim import Simulation as Simulation
    from mpcnet.sim import simulate as simulate

__all__ = (
    "LAN",
    "WAN",
    "AgreementMismatch",
    "Choice",
    "Context",
    "DeadlineExceeded",
    "Decimals",
    "Each",
    "Example",
    "Identity",
    "Ints",
    "Job",
    "JobEnded",
    "LocalDecimals",
    "LocalError",
    "LocalInts",
    "LocalItems",
    "LocalLabels",
    "Many",
    "Member",
    "Mesh",
    "MpcnetError",
    "One",
    "Only",
    "Party",
    "PeerAborted",
    "PeerError",
    "PeerLost",
    "PeerViolation",
    "ProgramMismatch",
    "Protocol",
    "RangeError",
    "Result",
    "Revealed",
    "Roster",
    "Round",
    "Scenario",
    "Secret",
    "SecretBits",
    "Simulation",
    "Step",
    "Top",
    "Work",
    "Works",
    "concatenate",
    "find_protocol",
    "load_job",
    "open_mesh",
    "protocol",
    "simulate",
    "stack",
    "top",
    "where",
)

# Lowest first: a name comes from the lowest module that offers it, and brings nothing in that it does not stand on.
_MODULES = (
    "mpcnet.errors",
    "mpcnet.identity",
    "mpcnet.engine",
    "mpcnet.dsl",
    "mpcnet.declare",
    "mpcnet.session",
    "mpcnet.sim",
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in __all__:
            for module in map(importlib.import_module, _MODULES):
                if name in module.__all__:
                    globals()[name] = getattr(module, name)
                    return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
