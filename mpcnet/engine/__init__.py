"""Steps, rounds, their merging, and the drivers that need no network. No I/O, no clock."""

from mpcnet.engine.context import Context as Context
from mpcnet.engine.context import Parties as Parties
from mpcnet.engine.context import Setting as Setting
from mpcnet.engine.digest import ProgramDigest as ProgramDigest
from mpcnet.engine.lockstep import LockstepError as LockstepError
from mpcnet.engine.lockstep import Transcript as Transcript
from mpcnet.engine.lockstep import lockstep as lockstep
from mpcnet.engine.rounds import Inbox as Inbox
from mpcnet.engine.rounds import Round as Round
from mpcnet.engine.rounds import Step as Step
from mpcnet.engine.rounds import in_region as in_region
from mpcnet.engine.scheduler import MergedRound as MergedRound
from mpcnet.engine.scheduler import Scheduler as Scheduler
from mpcnet.engine.scheduler import as_step as as_step
from mpcnet.engine.scheduler import gather as gather
from mpcnet.engine.single import SingleStep as SingleStep
from mpcnet.engine.work import Outcome as Outcome
from mpcnet.engine.work import Work as Work
from mpcnet.engine.work import Works as Works
from mpcnet.engine.work import run_inline as run_inline

__all__ = (
    "Context",
    "Inbox",
    "LockstepError",
    "MergedRound",
    "Outcome",
    "Parties",
    "ProgramDigest",
    "Round",
    "Scheduler",
    "Setting",
    "SingleStep",
    "Step",
    "Transcript",
    "Work",
    "Works",
    "as_step",
    "gather",
    "in_region",
    "lockstep",
    "run_inline",
)
