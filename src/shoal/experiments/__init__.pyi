from .callables import import_callable as import_callable
from .compare import (
    Comparison as Comparison,
    Difference as Difference,
    compare_runs as compare_runs,
)
from .environment import available_cores as available_cores
from .experiment import Experiment as Experiment
from .loading import (
    experiment_from as experiment_from,
    load_experiment as load_experiment,
    shipped_experiments as shipped_experiments,
)
from .measures import (
    MEASURES as MEASURES,
    Measure as Measure,
    MeasureName as MeasureName,
)
from .pretraining import (
    PretrainResult as PretrainResult,
    Recipe as Recipe,
    load_recipe as load_recipe,
    pretrain_run as pretrain_run,
)
from .runner import run_experiment as run_experiment
from .summary import (
    SPLITS as SPLITS,
    STAGES as STAGES,
    summarize as summarize,
)
from .verdict import (
    Control as Control,
    Effect as Effect,
    Verdict as Verdict,
    decide as decide,
)
from .writing import (
    disk_faults as disk_faults,
    finite as finite,
    write_text as write_text,
)
