"""For authors of protocols: the conformance kit, and `lockstep`, which runs programs and steps in one loop."""

from mpcnet.testing.cases import Case as Case
from mpcnet.testing.cases import ConformanceError as ConformanceError
from mpcnet.testing.conformance import check_protocol as check_protocol
from mpcnet.testing.lockstep import run_steps as run_steps

__all__ = ("Case", "ConformanceError", "check_protocol", "run_steps")
