"""The language of protocols: lazy secret arrays, their ranges and operators, and what evaluates them. No I/O."""

from mpcnet.dsl.bits import SecretBits as SecretBits
from mpcnet.dsl.bits import domain_of as domain_of
from mpcnet.dsl.comparison import where as where
from mpcnet.dsl.evaluation import Evaluation as Evaluation
from mpcnet.dsl.evaluation import evaluate as evaluate
from mpcnet.dsl.planning import EvaluationPlan as EvaluationPlan
from mpcnet.dsl.planning import Output as Output
from mpcnet.dsl.planning import plan_evaluation as plan_evaluation
from mpcnet.dsl.program import Program as Program
from mpcnet.dsl.ranges import Range as Range
from mpcnet.dsl.secret import Secret as Secret
from mpcnet.dsl.secret import concatenate as concatenate
from mpcnet.dsl.secret import stack as stack
from mpcnet.dsl.selection import Top as Top
from mpcnet.dsl.selection import top as top

__all__ = (
    "Evaluation",
    "EvaluationPlan",
    "Output",
    "Program",
    "Range",
    "Secret",
    "SecretBits",
    "Top",
    "concatenate",
    "domain_of",
    "evaluate",
    "plan_evaluation",
    "stack",
    "top",
    "where",
)
