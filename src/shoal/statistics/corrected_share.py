"""A share as an imperfect classifier counts it, corrected for the classifier's errors, with an interval.

Two ways. Where the errors are known from labelled items of elsewhere: Rogan and Gladen's estimator with the interval of
Lang and Reiczigel, which knows that sensitivity and specificity were estimated. Where some of the items themselves
are labelled: prediction-powered inference, which needs no assumption that the errors are the same here and there.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.statistics.clustered import cluster_robust_se
from shoal.statistics.error_rates import ErrorRates, largest_likely_share
from shoal.statistics.intervals import check_confidence, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

_MIN_INFORMATION = 0.05
"""Sensitivity + specificity - 1 below which a classifier says next to nothing, and a quotient by it is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedShare:
    """A share, raw and corrected, each with its interval."""

    raw: float
    raw_low: float
    raw_high: float
    corrected: float
    low: float
    high: float
    confidence: float
    method: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Both rates in a line."""
        return (
            f"{self.corrected:.1%} [{self.low:.1%}, {self.high:.1%}] corrected ({self.method}); "
            f"raw {self.raw:.1%} [{self.raw_low:.1%}, {self.raw_high:.1%}]"
        )


def measure_error_rates(
    truths: Sequence[bool],
    guesses: Sequence[bool],
    *,
    clusters: Sequence[Hashable] | None = None,
) -> ErrorRates:
    """Sensitivity and specificity on labelled items.

    Args:
        truths: whether each item is positive.
        guesses: whether the classifier took it so.
        clusters: of the items; None makes each its own.

    Raises:
        DataError: all items are of one kind.
    """
    names = list(clusters) if clusters is not None else list(range(len(truths)))
    found = {}
    for kind in (True, False):
        places = [place for place, truth in enumerate(truths) if truth == kind]
        if len(places) < 2:
            raise DataError(
                f"{len(places)} of {len(truths)} labels are {'positive' if kind else 'negative'}; the errors of a "
                "classifier need labelled items of both kinds, two of each at least"
            )
        right = [float(guesses[place] == kind) for place in places]
        size = effective_size(right, [names[place] for place in places])
        found[kind] = (sum(right) / len(right), size)
    return ErrorRates(
        sensitivity=found[True][0], positives=found[True][1], specificity=found[False][0], negatives=found[False][1]
    )


def effective_size(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """How many independent items would know as much of a share as these items in clusters.

    The binomial variance over the cluster-robust one (Kish 1965, "Survey Sampling", section 8.2: the design effect),
    at most the number of items.

    Args:
        values: 0 or 1.
        clusters: the cluster of each.
    """
    if len(set(clusters)) == len(values):
        return float(len(values))
    share = sum(values) / len(values)
    spread = share * (1 - share)
    if spread == 0 or len(set(clusters)) < 2:
        return float(len(set(clusters)))
    variance = cluster_robust_se(values, clusters) ** 2
    # Clusters that all have the same share, such as pairs of one hit and one miss, do not vary at all.
    return min(float(len(values)), spread / variance) if variance > 0 else float(len(values))


def correct_share(
    guesses: Sequence[bool],
    errors: ErrorRates,
    *,
    clusters: Sequence[Hashable] | None = None,
    items: float | None = None,
    confidence: float = 0.95,
) -> CorrectedShare:
    """The share of positives among items, by a classifier whose errors were measured on other items.

    It holds where the classifier errs here as it did there; sensitivity and specificity carry over if the positives
    here are like the positives there, whatever their share.

    Source: Rogan and Gladen (1978), American Journal of Epidemiology 107:71-76; Lang and Reiczigel (2014), Preventive
    Veterinary Medicine 113:13-22, eq. 4, 6, 7 and 17. Where the estimate falls below 0 or above 1, the limit on the
    other side is at least that of the profile likelihood (`largest_likely_share`).

    Args:
        guesses: whether the classifier took each item as positive.
        errors: of the classifier.
        clusters: of the items; None makes each its own.
        items: how many independent items know as much as these, where clusters do not express it, such as items that
            are crossed with trainings; None counts them by the clusters.
        confidence: of the interval.

    Raises:
        DataError: there are no items, or the classifier is hardly better than a coin, or may be for all that its few
            labelled items show.
    """
    check_confidence(confidence)
    if not len(guesses):
        raise DataError("there are no items to take a share of; give one at least")
    information = errors.sensitivity + errors.specificity - 1
    if information < _MIN_INFORMATION:
        raise DataError(
            f"the classifier's sensitivity is {errors.sensitivity:.3f} and its specificity {errors.specificity:.3f}: "
            "it cannot separate the two kinds, so that no rate can be corrected; use another classifier"
        )
    values = [float(guess) for guess in guesses]
    if items is None:
        items = effective_size(values, list(clusters) if clusters is not None else list(range(len(values))))
    raw = sum(values) / len(values)
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    # The pseudo-observations keep each variance above 0 where a sample has no error at all.
    seen, shrunk = items + z * z, (items * raw + z * z / 2) / (items + z * z)
    hits, sensitivity = errors.positives + 2, (errors.positives * errors.sensitivity + 1) / (errors.positives + 2)
    spared, specificity = errors.negatives + 2, (errors.negatives * errors.specificity + 1) / (errors.negatives + 2)
    known = sensitivity + specificity - 1
    if known < _MIN_INFORMATION:
        raise DataError(
            f"the classifier's errors were measured on {errors.positives:.3g} positives and {errors.negatives:.3g} "
            f"negatives, too few for a sensitivity of {errors.sensitivity:.3f} and a specificity of "
            f"{errors.specificity:.3f}: it may separate nothing; label more items"
        )
    middle = (shrunk + specificity - 1) / known
    miss = sensitivity * (1 - sensitivity) / hits
    alarm = specificity * (1 - specificity) / spared
    shift = 2 * z * z * (middle * miss - (1 - middle) * alarm)
    variance = shrunk * (1 - shrunk) / seen + middle**2 * miss + (1 - middle) ** 2 * alarm
    half = z * math.sqrt(variance) / known
    raw_low, raw_high = _interval(raw, items, confidence)
    corrected = (raw + errors.specificity - 1) / information
    low, high = middle + shift - half, middle + shift + half
    # Fewer are taken as positive than errors alone would give, or more than all positives would: the symmetric interval
    # then lies beyond 0 or 1, and cut off there it would have no width.
    if corrected < 0:
        high = max(high, largest_likely_share(raw, items, errors, confidence=confidence))
    if corrected > 1:
        low = min(low, 1 - largest_likely_share(1 - raw, items, errors.exchanged(), confidence=confidence))
    return CorrectedShare(
        raw=raw,
        raw_low=raw_low,
        raw_high=raw_high,
        corrected=_within(corrected),
        low=_within(low),
        high=_within(high),
        confidence=confidence,
        method="Rogan-Gladen",
    )


def prediction_powered_share(
    guesses: Sequence[float],
    labelled: Sequence[tuple[float, bool]],
    *,
    clusters: Sequence[Hashable] | None = None,
    labelled_clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> CorrectedShare:
    """The share of positives among items of which a random sample was labelled by people.

    The mean guess of all items is corrected by the mean error on the labelled ones, weighted so that the variance is
    least. It holds however bad the classifier is, since its errors are measured on the items themselves.

    Source: Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), Science 382:669-674; the weight is that of
    Angelopoulos, Duchi and Zrnic (2023), "PPI++", arXiv:2311.01453, example 6.1.

    Args:
        guesses: of the items without a label: probabilities, or 0 and 1.
        labelled: guess and label of each labelled item, drawn at random from the same items.
        clusters: of the items without a label; None makes each its own.
        labelled_clusters: of the labelled ones; None makes each its own.
        confidence: of the interval.

    Raises:
        DataError: fewer than two items with or without a label, or all labels are of one class.
    """
    import numpy as np

    check_confidence(confidence)
    if len(labelled) < 2 or len(guesses) < 2:
        raise DataError(
            f"{len(labelled)} labelled items and {len(guesses)} others give no interval; label two or more at random"
        )
    truths_M = np.array([float(label) for _, label in labelled])
    if truths_M.min() == truths_M.max():
        raise DataError(
            f"all {len(labelled)} labels are of one class, so that the classifier's errors cannot be measured; "
            "label more items, drawn at random"
        )
    known_M, others_N = np.array([guess for guess, _ in labelled]), np.asarray(guesses, dtype=np.float64)
    every = np.concatenate([known_M, others_N])
    spread = float(every.var())
    weight = 0.0
    if spread > 0:
        covariance = float(np.cov(known_M, truths_M)[0, 1])
        weight = min(1.0, max(0.0, covariance / ((1 + len(known_M) / len(others_N)) * spread)))
    estimate = float(truths_M.mean() + weight * (others_N.mean() - known_M.mean()))
    names = _named(clusters, len(others_N), "other")
    known_names = _named(labelled_clusters, len(known_M), "labelled")
    # Two pseudo-items, one of each error, as in Agresti and Coull: a sample with few errors would seem to have none.
    residuals = [*(truths_M - weight * known_M).tolist(), 1.0, -1.0]
    error = cluster_robust_se(residuals, [*(("item", name) for name in known_names), "missed", "invented"])
    rest = weight * cluster_robust_se(others_N.tolist(), names)
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    half = z * math.hypot(error, rest)
    raw = float(every.mean())
    raw_low, raw_high = _interval(raw, effective_size(every.tolist(), [*known_names, *names]), confidence)
    return CorrectedShare(
        raw=raw, raw_low=raw_low, raw_high=raw_high, corrected=_within(estimate), low=_within(estimate - half),
        high=_within(estimate + half), confidence=confidence, method="prediction-powered",
    )  # fmt: skip


def share_by_labels(
    guesses: Sequence[float],
    labelled: Sequence[tuple[float, bool]],
    *,
    clusters: Sequence[Hashable] | None = None,
    labelled_clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> CorrectedShare:
    """The share of positives among items of which a random sample, or all, were labelled by people.

    Prediction-powered inference where guesses can add to the labels; where fewer than two items are without a label, or
    all labels are of one class, the labels speak alone, with Wilson's interval over their clusters.

    Args:
        guesses: as of `prediction_powered_share`; there may be none.
        labelled: guess and label of each labelled item; at least one.
        clusters: of the items without a label; None makes each its own.
        labelled_clusters: of the labelled ones; None makes each its own.
        confidence: of the interval.

    Raises:
        DataError: there is no labelled item.
    """
    check_confidence(confidence)
    if not labelled:
        raise DataError("there is no labelled item; label two or more at random")
    truths = [float(label) for _, label in labelled]
    if len(guesses) >= 2 and len(set(truths)) > 1:
        return prediction_powered_share(
            guesses, labelled, clusters=clusters, labelled_clusters=labelled_clusters, confidence=confidence
        )
    names = _named(labelled_clusters, len(truths), "labelled")
    others = _named(clusters, len(guesses), "other")
    share = sum(truths) / len(truths)
    low, high = _interval(share, effective_size(truths, names), confidence)
    every = [*(guess for guess, _ in labelled), *guesses]
    raw = sum(every) / len(every)
    raw_low, raw_high = _interval(raw, effective_size(every, [*names, *others]), confidence)
    return CorrectedShare(
        raw=raw, raw_low=raw_low, raw_high=raw_high, corrected=share, low=low, high=high, confidence=confidence,
        method="labels alone",
    )  # fmt: skip


def _named(clusters: Sequence[Hashable] | None, items: int, kind: str) -> list[Hashable]:
    """The clusters of items; each item without one is its own, and is that of no item of another kind."""
    return list(clusters) if clusters is not None else [(kind, place) for place in range(items)]


def _interval(share: float, items: float, confidence: float) -> tuple[float, float]:
    interval = wilson_interval(share * items, items, confidence=confidence)
    return interval.low, interval.high


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
