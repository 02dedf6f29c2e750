"""How often a classifier errs, and the largest share that is likely where errors would explain everything."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

_STEPS = 2_000
"""Of the expectation maximisation: it stops far earlier, except where a classifier knows next to nothing."""

_STEADY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """How often a classifier is right on items of each kind, with the items that each figure rests on."""

    sensitivity: float
    """The share of true positives that it finds."""

    specificity: float
    """The share of true negatives that it leaves alone."""

    positives: float
    negatives: float
    """Effective sample sizes: items of each kind, fewer where they come in clusters of like items."""

    def exchanged(self) -> ErrorRates:
        """The rates with the two kinds exchanged."""
        return ErrorRates(
            sensitivity=self.specificity,
            specificity=self.sensitivity,
            positives=self.negatives,
            negatives=self.positives,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def largest_likely_share(raw: float, items: float, errors: ErrorRates, *, confidence: float = 0.95) -> float:
    """The largest share of positives that the profile likelihood does not reject.

    For a classifier that takes fewer items as positive than its false alarms would be if there were no positives at
    all: the likeliest share is then 0, and the errors here are likely fewer than those that were measured. Sensitivity
    and specificity are fitted to both samples at each share.

    Source: Wilks (1938), Annals of Mathematical Statistics 9:60-62. At the end of the range the test is conservative
    (Self and Liang 1987, Journal of the American Statistical Association 82:605-610, case 5).

    Args:
        raw: the share that the classifier took as positive, at most 1 - specificity.
        items: the effective number of items.
        errors: of the classifier, measured on other items.
        confidence: of the interval from 0.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2

    allowed = float(chi2.ppf(confidence, 1)) / 2
    best = _profile(0.0, raw, items, errors)

    def excess(share: float) -> float:
        return best - _profile(share, raw, items, errors) - allowed

    return float(brentq(excess, 0.0, 1.0, xtol=1e-6)) if excess(1.0) > 0 else 1.0


def _profile(share: float, raw: float, items: float, errors: ErrorRates) -> float:
    """The log-likelihood at a share of positives, at the error rates that fit best, by expectation maximisation."""
    flagged, plain = items * raw, items * (1 - raw)
    # Half an item of each kind keeps the rates inside (0, 1), where the logarithms are finite.
    hits, positives = errors.positives * errors.sensitivity + 0.5, errors.positives + 1
    alarms, negatives = errors.negatives * (1 - errors.specificity) + 0.5, errors.negatives + 1
    hit, alarm = hits / positives, alarms / negatives
    for _ in range(_STEPS):
        before = hit, alarm
        found = flagged * share * hit / (share * hit + (1 - share) * alarm)
        missed = plain * share * (1 - hit) / (share * (1 - hit) + (1 - share) * (1 - alarm))
        hit = (hits + found) / (positives + found + missed)
        alarm = (alarms + flagged - found) / (negatives + items - found - missed)
        if abs(hit - before[0]) + abs(alarm - before[1]) < _STEADY:
            break
    expected = share * hit + (1 - share) * alarm
    return (
        flagged * math.log(expected)
        + plain * math.log(1 - expected)
        + hits * math.log(hit)
        + (positives - hits) * math.log(1 - hit)
        + alarms * math.log(alarm)
        + (negatives - alarms) * math.log(1 - alarm)
    )
