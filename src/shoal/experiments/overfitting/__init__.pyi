from .ensembles import Ensembling as Ensembling
from .forecast import (
    OverfitForecast as OverfitForecast,
    forecast_overfit as forecast_overfit,
)
from .gathering import (
    read_overfit as read_overfit,
)
from .recipe import (
    OverfitPlan as OverfitPlan,
    OverfitTable as OverfitTable,
    load_overfit as load_overfit,
)
from .result import (
    Asymptote as Asymptote,
    Claim as Claim,
    OverfitResult as OverfitResult,
    OverfitRow as OverfitRow,
    sorted_rows as sorted_rows,
)
from .runner import run_overfit as run_overfit
from .trainings import (
    PlannedTraining as PlannedTraining,
    TrainingRecord as TrainingRecord,
)
