from .checks import ConstraintCheck as ConstraintCheck, find_check as find_check
from .coverage import (
    AxisCoverage as AxisCoverage,
    ConstraintCoverage as ConstraintCoverage,
    measure_coverage as measure_coverage,
)
from .space import (
    ConstraintAxis as ConstraintAxis,
    ConstraintSpace as ConstraintSpace,
    load_constraints as load_constraints,
)
