"""Intervals, exact paired tests and power: NumPy and `scipy.special` alone.

| question | function |
|---|---|
| how sure is a share of items? | `wilson_interval`, `clopper_pearson_interval` |
| ... if one may stop at any trial? | `share_confidence_sequence`, `log_e_share_below`, `log_e_share_above` |
| do two models differ on the same items? | `mcnemar_exact` |
| do two arms differ over seeds? | `sign_flip` (estimate, interval, p-value) |
| ... and over items as well? | `crossed_bootstrap`, `cluster_robust_se`, `two_way_se` |
| do two groups differ within blocks of equal conditions? | `blocked_test` (estimate, interval, p-value) |
| which of several hypotheses hold? | `holm` |
| would the seeds have shown it? | `power`, `smallest_detectable_effect`, `seeds_needed`, `plan_power` |
| would the items have shown it? | `detectable_difference` |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
