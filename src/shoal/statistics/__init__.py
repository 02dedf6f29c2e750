"""Intervals, exact paired tests and power: NumPy and `scipy.special` alone.

| question | function |
|---|---|
| how sure is a share of items? | `wilson_interval`, `clopper_pearson_interval` |
| do two models differ on the same items? | `mcnemar_exact` |
| do two arms differ over seeds? | `sign_flip` (estimate, interval, p-value) |
| ... and over items as well? | `crossed_bootstrap` |
| would the seeds have shown it? | `power`, `smallest_detectable_effect`, `seeds_needed`, `plan_power` |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
