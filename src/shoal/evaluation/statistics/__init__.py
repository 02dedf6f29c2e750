"""Intervals, exact paired tests and power: NumPy and `scipy.special` alone.

| question | function |
|---|---|
| how sure is a share of items? | `wilson_interval`, `clopper_pearson_interval` |
| do two models differ on the same items? | `mcnemar_exact` |
| do two arms differ over seeds? | `sign_flip` (estimate, interval, p-value) |
| ... and over items as well? | `crossed_bootstrap` |
| would the seeds have shown it? | `power`, `smallest_detectable_effect`, `seeds_needed`, `plan_power` |
"""

from __future__ import annotations

from shoal.evaluation.statistics.bootstrap import crossed_bootstrap
from shoal.evaluation.statistics.intervals import Interval, clopper_pearson_interval, wilson_interval
from shoal.evaluation.statistics.mcnemar import McNemar, mcnemar_exact
from shoal.evaluation.statistics.planning import PowerPlan, plan_power
from shoal.evaluation.statistics.power import fewest_seeds, power, seeds_needed, smallest_detectable_effect
from shoal.evaluation.statistics.signflip import SignFlip, sign_flip, sign_flip_interval, sign_flip_p_value

__all__ = [
    "Interval",
    "McNemar",
    "PowerPlan",
    "SignFlip",
    "clopper_pearson_interval",
    "crossed_bootstrap",
    "fewest_seeds",
    "mcnemar_exact",
    "plan_power",
    "power",
    "seeds_needed",
    "sign_flip",
    "sign_flip_interval",
    "sign_flip_p_value",
    "smallest_detectable_effect",
    "wilson_interval",
]
