"""The language of protocols: lazy secret arrays, their ranges and operators, and what evaluates them. No I/O."""

from mpcnet.dsl.bits import SecretBits as SecretBits
from mpcnet.dsl.bits import domain_of as domain_of
from mpcnet.dsl.comparison import where as where
from mpcnet.dsl.program import Evaluation as Evaluation
from mpcnet.dsl.program import Output as Output
from mpcnet.dsl.program import Program as Program
from mpcnet.dsl.ranges import Range as Range
from mpcnet.dsl.secret import Secret as Secret
from mpcnet.dsl.secret import concatenate as concatenate
from mpcnet.dsl.secret import stack as stack
from mpcnet.dsl.selection import Top as Top
from mpcnet.dsl.selection import top as top

__all__ = (
    "Evaluation",
    "Output",
    "Program",
    "Range",
    "Secret",
    "SecretBits",
    "Top",
    "concatenate",
    "domain_of",
    "stack",
    "top",
    "where",
)
