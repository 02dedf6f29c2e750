from .files import (
    load_recipe as load_recipe,
    parse_setting as parse_setting,
)
from .listeners import Listeners as Listeners
from .planning import PretrainPlan as PretrainPlan
from .recipe import (
    Recipe as Recipe,
    recipe_from as recipe_from,
)
from .result import (
    HeldOutScore as HeldOutScore,
    Memorised as Memorised,
    PretrainResult as PretrainResult,
    result_of as result_of,
)
from .run import (
    plan_run as plan_run,
    pretrain_run as pretrain_run,
)
from .watching import Moment as Moment
from .words import in_words as in_words
