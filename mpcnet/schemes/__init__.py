"""How a secret is shared: `plain` (the oracle of tests) and `additive`. Steps only, no I/O."""

from mpcnet.schemes.additive import AdditiveScheme as AdditiveScheme
from mpcnet.schemes.base import FREE as FREE
from mpcnet.schemes.base import Cost as Cost
from mpcnet.schemes.base import Kind as Kind
from mpcnet.schemes.base import Owners as Owners
from mpcnet.schemes.base import Parts as Parts
from mpcnet.schemes.base import Primitive as Primitive
from mpcnet.schemes.base import Scheme as Scheme
from mpcnet.schemes.base import Share as Share
from mpcnet.schemes.base import Threat as Threat
from mpcnet.schemes.base import bytes_between as bytes_between
from mpcnet.schemes.base import checked_row as checked_row
from mpcnet.schemes.plain import PlainScheme as PlainScheme

__all__ = (
    "FREE",
    "AdditiveScheme",
    "Cost",
    "Kind",
    "Owners",
    "Parts",
    "PlainScheme",
    "Primitive",
    "Scheme",
    "Share",
    "Threat",
    "bytes_between",
    "checked_row",
)
