from .callbacks import (
    Evaluation as Evaluation,
    PretrainCallbacks as PretrainCallbacks,
)
from .planning import (
    PretrainPlan as PretrainPlan,
)
from .recipe import (
    Recipe as Recipe,
    load_recipe as load_recipe,
    parse_setting as parse_setting,
    recipe_from as recipe_from,
)
from .records import (
    HeldOutScore as HeldOutScore,
    Memorised as Memorised,
    PretrainResult as PretrainResult,
    result_of as result_of,
)
from .run import (
    plan_run as plan_run,
    pretrain_run as pretrain_run,
)
from .trackers import Tracker as Tracker
