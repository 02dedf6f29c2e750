"""The exponent of a power law: the slope of a line through logarithms, with an interval from the repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import UsageError
from shoal.statistics import check_confidence, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponent:
    """How fast something grows with a size: ``cost ∝ size ** value``."""

    value: float
    low: float
    high: float
    """The bootstrap interval; both equal the value where what is counted has no noise."""


def fit_exponent(
    sizes: Sequence[int], samples: Sequence[Sequence[float]], *, confidence: float = 0.95, seed: int = 0
) -> Exponent:
    """Fit by least squares the slope of log median cost over log size.

    The interval is the percentile bootstrap: the repeats at each size are drawn anew, and the line is fitted again.

    Args:
        sizes: at least two different ones.
        samples: the repeats at each size; one repeat where nothing is random.
        confidence: the confidence.
        seed: of the drawing.

    Raises:
        UsageError: fewer than two different sizes.
    """
    check_confidence(confidence)
    if len(set(sizes)) < 2:
        raise UsageError(f"an exponent needs at least two different sizes, not {list(sizes)}; give more")
    logs_S = np.log(sizes)
    value = _slope(logs_S, np.array([np.median(repeats) for repeats in samples])[None])[0]
    if all(len(repeats) == 1 for repeats in samples):
        return Exponent(value=float(value), low=float(value), high=float(value))
    random = np.random.default_rng(seed)
    medians_RS = np.stack(
        [np.median(random.choice(np.asarray(repeats), (_DRAWS, len(repeats))), axis=1) for repeats in samples], axis=1
    )
    low, high = percentile_interval(_slope(logs_S, medians_RS), confidence)
    return Exponent(value=float(value), low=low, high=high)


def _slope(logs_S: np.ndarray, costs_RS: np.ndarray) -> np.ndarray:
    """The least-squares slope of each row."""
    middle_S = logs_S - logs_S.mean()
    slopes: np.ndarray = np.log(np.maximum(costs_RS, 1e-12)) @ middle_S / (middle_S @ middle_S)
    return slopes
