"""The language of protocols: lazy secret arrays, their ranges and operators, and what evaluates them. No I/O."""

from mpcnet.dsl.evaluation import Evaluation as Evaluation
from mpcnet.dsl.evaluation import evaluate as evaluate
from mpcnet.dsl.facts import Facts as Facts
from mpcnet.dsl.functions import Top as Top
from mpcnet.dsl.functions import concatenate as concatenate
from mpcnet.dsl.functions import stack as stack
from mpcnet.dsl.functions import top as top
from mpcnet.dsl.functions import where as where
from mpcnet.dsl.logic import BitValue as BitValue
from mpcnet.dsl.planning import EvaluationPlan as EvaluationPlan
from mpcnet.dsl.planning import Output as Output
from mpcnet.dsl.planning import plan_evaluation as plan_evaluation
from mpcnet.dsl.program import Program as Program
from mpcnet.dsl.ranges import Range as Range
from mpcnet.dsl.secret import Secret as Secret
from mpcnet.dsl.secret import SecretBits as SecretBits
from mpcnet.dsl.secret import domain_of as domain_of
from mpcnet.dsl.values import Value as Value

__all__ = (
    "BitValue",
    "Evaluation",
    "EvaluationPlan",
    "Facts",
    "Output",
    "Program",
    "Range",
    "Secret",
    "SecretBits",
    "Top",
    "Value",
    "concatenate",
    "domain_of",
    "evaluate",
    "plan_evaluation",
    "stack",
    "top",
    "where",
)
