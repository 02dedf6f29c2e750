from .files import (
    load_sweep as load_sweep,
    plan_sweep as plan_sweep,
)
from .forecasting import (
    Forecast as Forecast,
    forecast as forecast,
)
from .powerlaw import (
    PowerLaw as PowerLaw,
    fit_above_floor as fit_above_floor,
    fit_power_law as fit_power_law,
)
from .result import (
    SweepResult as SweepResult,
    law_line as law_line,
    read_importance as read_importance,
    read_sweep as read_sweep,
)
from .runner import run_sweep as run_sweep
from .scaling import (
    AXES as AXES,
    Scaling as Scaling,
)
from .sweep import (
    Sweep as Sweep,
    SweepPlan as SweepPlan,
)
from .trials import (
    Trial as Trial,
    UnitRecord as UnitRecord,
)
