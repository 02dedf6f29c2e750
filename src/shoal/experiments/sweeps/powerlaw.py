"""Power laws fitted to a few points, with intervals that are honest about how few they are.

Two forms: ``y = a x^-b`` by least squares on logarithms, and ``y = floor + a x^-b`` by least squares on relative
errors: for each exponent of a grid the floor and the factor follow in closed form, and the best exponent is taken.

The exponent of the first form has a bootstrap-t interval over residuals (Efron & Tibshirani 1993, An Introduction to
the Bootstrap, sections 9.4 and 12.5): the sizes stand still, residuals scaled up to their true spread are drawn again,
and the line is fitted again. Percentiles would be too narrow at the six or eight points that a sweep has; those of the
second form are percentiles, and no better than that. Too few points, or points too close to each other, are refused: a
line through them would mean nothing.

Shapes: N points, D draws.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import UsageError
from shoal.statistics import check_confidence, fit_floors, fit_lines, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MIN_SIZES = 5
"""Different sizes that a power law needs."""

MIN_SIZES_ABOVE_FLOOR = 7
"""Different sizes that a power law above a floor needs."""

MIN_RATIO = 4.0
"""How many times the smallest size the largest must be."""

# An end of a 95% interval is then the 50th of them.
DRAWS = 2000
# Keeps divisions finite where residuals are 0, and is far below any that count.
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """``y = floor + factor * x ** -exponent``."""

    exponent: float
    low: float
    high: float
    """The interval of the exponent."""

    factor: float
    floor: float = 0.0
    """0 where none was fitted."""

    floor_low: float = 0.0
    floor_high: float = 0.0
    points: int
    confidence: float
    error: float
    """Root mean square of the relative errors."""

    def at(self, x: float) -> float:
        """The fitted value at a size."""
        return float(self.floor + self.factor * x**-self.exponent)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def fit_power_law(x: Sequence[float], y: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> PowerLaw:
    """``y = a x^-b``, with a bootstrap-t interval of b.

    Args:
        x: sizes, above 0.
        y: what falls with them, above 0.
        confidence: the confidence.
        seed: of the drawing.

    Raises:
        UsageError: too few different sizes, too close to each other, or a value that has no logarithm.
    """
    check_confidence(confidence)
    across_N, logs_N = (np.log(values) for values in _checked(x, y, MIN_SIZES))
    slope_1, start_1, left_1N = fit_lines(across_N, logs_N[None])
    draws_DN = start_1 + slope_1 * across_N + _drawn(_unshrunk(across_N, left_1N[0]), seed)
    slopes_D, _, left_DN = fit_lines(across_N, draws_DN)
    ratios_D = (slopes_D - slope_1) / np.maximum(_standard_errors(across_N, left_DN), _TINY)
    low, high = percentile_interval(ratios_D, confidence)
    exponent, spread = -float(slope_1[0]), float(_standard_errors(across_N, left_1N)[0])
    return PowerLaw(
        exponent=exponent,
        # The exponent is the slope's negative, so that the ends of the bootstrap-t interval change places.
        low=exponent + low * spread,
        high=exponent + high * spread,
        factor=float(np.exp(start_1[0])),
        points=len(across_N),
        confidence=confidence,
        error=float(np.sqrt(np.mean(left_1N**2))),
    )


def fit_above_floor(x: Sequence[float], y: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> PowerLaw:
    """``y = floor + a x^-b`` with floor and a not below 0, and percentile intervals of b and the floor.

    Args:
        x: sizes, above 0.
        y: what falls with them, above 0.
        confidence: the confidence.
        seed: of the drawing.

    Raises:
        UsageError: too few different sizes, too close to each other, or a value that has no logarithm.
    """
    check_confidence(confidence)
    sizes_N, values_N = _checked(x, y, MIN_SIZES_ABOVE_FLOOR)
    exponent_1, floor_1, factor_1 = fit_floors(sizes_N, values_N[None])
    fitted_N = floor_1[0] + factor_1[0] * sizes_N ** -exponent_1[0]
    left_N = np.log(values_N / fitted_N)
    # Three parameters were fitted, so that the residuals are too small by this factor on average.
    wider_N = left_N * np.sqrt(len(left_N) / (len(left_N) - 3))
    exponents_D, floors_D, _ = fit_floors(sizes_N, fitted_N * np.exp(_drawn(wider_N, seed)))
    low, high = percentile_interval(exponents_D, confidence)
    floor_low, floor_high = percentile_interval(floors_D, confidence)
    return PowerLaw(
        exponent=float(exponent_1[0]),
        low=low,
        high=high,
        factor=float(factor_1[0]),
        floor=float(floor_1[0]),
        floor_low=floor_low,
        floor_high=floor_high,
        points=len(sizes_N),
        confidence=confidence,
        error=float(np.sqrt(np.mean(left_N**2))),
    )


def _checked(x: Sequence[float], y: Sequence[float], min_sizes: int) -> tuple[Floats, Floats]:
    sizes_N, values_N = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if sizes_N.shape != values_N.shape or sizes_N.ndim != 1:
        raise UsageError(f"a power law needs one value per size, not {len(values_N)} for {len(sizes_N)}")
    if not (
        np.isfinite(sizes_N).all() and np.isfinite(values_N).all() and (sizes_N > 0).all() and (values_N > 0).all()
    ):
        raise UsageError("a power law needs finite sizes and values above 0")
    different = len(np.unique(sizes_N))
    if different < min_sizes:
        raise UsageError(
            f"{different} different sizes are too few for this power law; {min_sizes} or more can show one"
        )
    ratio = float(sizes_N.max() / sizes_N.min())
    if ratio < MIN_RATIO:
        raise UsageError(
            f"the largest size is {ratio:.1f} times the smallest, too close for a law; {MIN_RATIO:g} or more can "
            "show one"
        )
    return sizes_N, values_N


def _standard_errors(across_N: Floats, left_DN: Floats) -> Floats:
    """Of the slopes."""
    middle_N = across_N - across_N.mean()
    errors_D: Floats = np.sqrt((left_DN**2).sum(axis=1) / (len(across_N) - 2) / (middle_N @ middle_N))
    return errors_D


def _unshrunk(across_N: Floats, left_N: Floats) -> Floats:
    """Residuals over the square root of one minus their leverage, around 0: a fitted line comes too near its points."""
    middle_N = across_N - across_N.mean()
    leverage_N = 1 / len(across_N) + middle_N**2 / (middle_N @ middle_N)
    scaled_N = left_N / np.sqrt(1 - leverage_N)
    centred_N: Floats = scaled_N - scaled_N.mean()
    return centred_N


def _drawn(left_N: Floats, seed: int) -> Floats:
    """Residuals drawn with replacement, a row per draw."""
    return np.random.default_rng(seed).choice(left_N, (DRAWS, len(left_N)))
