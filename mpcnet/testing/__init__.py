"""For authors: the conformance kits, and `lockstep`, which runs programs and steps in one loop."""

from mpcnet.testing.cases import Case as Case
from mpcnet.testing.cases import ConformanceError as ConformanceError
from mpcnet.testing.conformance import check_protocol as check_protocol
from mpcnet.testing.lockstep import run_steps as run_steps
from mpcnet.testing.provider_conformance import check_provider as check_provider
from mpcnet.testing.scheme_conformance import check_scheme as check_scheme

__all__ = ("Case", "ConformanceError", "check_protocol", "check_provider", "check_scheme", "run_steps")
