from .compare import (
    Comparison as Comparison,
)
from .compare import (
    Difference as Difference,
)
from .compare import (
    compare_runs as compare_runs,
)
from .experiment import Experiment as Experiment
from .loading import (
    load_experiment as load_experiment,
)
from .loading import (
    shipped_experiments as shipped_experiments,
)
from .measures import (
    MEASURES as MEASURES,
)
from .measures import (
    Measure as Measure,
)
from .pretraining import (
    PretrainResult as PretrainResult,
)
from .pretraining import (
    Recipe as Recipe,
)
from .pretraining import (
    load_recipe as load_recipe,
)
from .pretraining import (
    pretrain_run as pretrain_run,
)
from .runner import run_experiment as run_experiment
from .verdict import (
    Control as Control,
)
from .verdict import (
    Effect as Effect,
)
from .verdict import (
    Verdict as Verdict,
)
from .verdict import (
    decide as decide,
)
