"""How a secret is shared: `plain` (the oracle of tests) and `additive`. Steps only, no I/O."""

from mpcnet.schemes.additive import AdditiveScheme as AdditiveScheme
from mpcnet.schemes.base import Cost as Cost
from mpcnet.schemes.base import Kind as Kind
from mpcnet.schemes.base import Primitive as Primitive
from mpcnet.schemes.base import Scheme as Scheme
from mpcnet.schemes.base import Share as Share
from mpcnet.schemes.base import Threat as Threat
from mpcnet.schemes.plain import PlainScheme as PlainScheme

__all__ = (
    "AdditiveScheme",
    "Cost",
    "Kind",
    "PlainScheme",
    "Primitive",
    "Scheme",
    "Share",
    "Threat",
)
