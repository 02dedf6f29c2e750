"""Least-squares lines, and the exponent of a power law: the slope of a line through logarithms.

Shapes: N points, R rows of values that are fitted one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics.intervals import check_confidence, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_DRAWS = 1000
_TINY = 1e-12
"""A cost of 0 has no logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponent:
    """How fast something grows with a size: ``cost ∝ size ** value``."""

    value: float
    low: float
    high: float
    """Ends of the bootstrap interval; both equal the value where the costs have no noise."""


def fit_exponent(
    sizes: Sequence[int], samples: Sequence[Sequence[float]], *, confidence: float = 0.95, seed: int = 0
) -> Exponent:
    """Fit by least squares the slope of log median cost over log size.

    The interval is the percentile bootstrap: the repeats at each size are resampled, and the line is fitted again.

    Args:
        sizes: at least two different ones.
        samples: the repeated costs at each size; one repeat where nothing is random.
        confidence: level of the interval.
        seed: seed of the bootstrap.

    Raises:
        UsageError: fewer than two different sizes.
    """
    import numpy as np

    check_confidence(confidence)
    if len(set(sizes)) < 2:
        raise UsageError(f"an exponent needs at least two different sizes, not {list(sizes)}; give more")

    def slopes(costs_RN: NDArray[np.float64]) -> NDArray[np.float64]:
        return fit_lines(np.log(sizes), np.log(np.maximum(costs_RN, _TINY)))[0]

    value = float(slopes(np.array([np.median(repeats) for repeats in samples])[None])[0])
    if all(len(repeats) == 1 for repeats in samples):
        return Exponent(value=value, low=value, high=value)
    random = np.random.default_rng(seed)
    medians_RN = np.stack(
        [np.median(random.choice(np.asarray(repeats), (_DRAWS, len(repeats))), axis=1) for repeats in samples], axis=1
    )
    low, high = percentile_interval(slopes(medians_RN), confidence)
    return Exponent(value=value, low=low, high=high)


def fit_lines(
    x_N: NDArray[np.float64], y_RN: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit a least-squares line through each row of values.

    Args:
        x_N: the common abscissae, at least two different ones.
        y_RN: the values, a row per line.

    Returns:
        Slopes (R), intercepts (R) and residuals (R × N).
    """
    # Sums of raw squares would lose digits where the abscissae lie far from 0 and close together.
    centred_N = x_N - x_N.mean()
    slopes_R = y_RN @ centred_N / (centred_N @ centred_N)
    intercepts_R = y_RN.mean(axis=1) - slopes_R * x_N.mean()
    return slopes_R, intercepts_R, y_RN - intercepts_R[:, None] - slopes_R[:, None] * x_N
