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

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shoal.statistics.bootstrap import crossed_bootstrap
    from shoal.statistics.checks import check_alpha, check_confidence
    from shoal.statistics.intervals import Interval, clopper_pearson_interval, wilson_interval
    from shoal.statistics.mcnemar import McNemar, mcnemar_exact
    from shoal.statistics.planning import PowerPlan, plan_power
    from shoal.statistics.sample_size import fewest_seeds, power, seeds_needed, smallest_detectable_effect
    from shoal.statistics.signflip import SignFlip, sign_flip, sign_flip_interval, sign_flip_p_value

__all__ = [
    "Interval",
    "McNemar",
    "PowerPlan",
    "SignFlip",
    "check_alpha",
    "check_confidence",
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

_HOMES = {
    "Interval": "intervals",
    "McNemar": "mcnemar",
    "PowerPlan": "planning",
    "SignFlip": "signflip",
    "check_alpha": "checks",
    "check_confidence": "checks",
    "clopper_pearson_interval": "intervals",
    "crossed_bootstrap": "bootstrap",
    "fewest_seeds": "sample_size",
    "mcnemar_exact": "mcnemar",
    "plan_power": "planning",
    "power": "sample_size",
    "seeds_needed": "sample_size",
    "sign_flip": "signflip",
    "sign_flip_interval": "signflip",
    "sign_flip_p_value": "signflip",
    "smallest_detectable_effect": "sample_size",
    "wilson_interval": "intervals",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
