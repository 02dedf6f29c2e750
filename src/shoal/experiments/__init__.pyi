from .compare import (
    Comparison as Comparison,
    Difference as Difference,
    compare_runs as compare_runs,
)
from .experiment import Experiment as Experiment
from .loading import (
    load_experiment as load_experiment,
    shipped_experiments as shipped_experiments,
)
from .measures import (
    MEASURES as MEASURES,
    Measure as Measure,
)
from .pretraining import (
    PretrainResult as PretrainResult,
    Recipe as Recipe,
    load_recipe as load_recipe,
    pretrain_run as pretrain_run,
)
from .runner import run_experiment as run_experiment
from .verdict import (
    Control as Control,
    Effect as Effect,
    Verdict as Verdict,
    decide as decide,
)
