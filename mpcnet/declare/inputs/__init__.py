"""The kinds of inputs, each of which holds all that is known about it; and what a new kind subclasses."""

from mpcnet.declare.inputs.base import Declaration as Declaration
from mpcnet.declare.inputs.base import Sharing as Sharing
from mpcnet.declare.inputs.choices import Choice as Choice
from mpcnet.declare.inputs.choices import LocalLabels as LocalLabels
from mpcnet.declare.inputs.items import LocalItems as LocalItems
from mpcnet.declare.inputs.local import Local as Local
from mpcnet.declare.inputs.local_numbers import LocalDecimals as LocalDecimals
from mpcnet.declare.inputs.local_numbers import LocalInts as LocalInts
from mpcnet.declare.inputs.numbers import Decimals as Decimals
from mpcnet.declare.inputs.numbers import Ints as Ints
from mpcnet.declare.inputs.sampling import Chooser as Chooser
from mpcnet.declare.inputs.shared import Shared as Shared

__all__ = (
    "Choice",
    "Chooser",
    "Decimals",
    "Declaration",
    "Ints",
    "Local",
    "LocalDecimals",
    "LocalInts",
    "LocalItems",
    "LocalLabels",
    "Shared",
    "Sharing",
)
