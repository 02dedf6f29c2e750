"""A number with its interval, where there is one, and the one way of writing it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.statistics.intervals import enough_units, percentile_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SAME = 1e-7
"""Ends that are closer, as a share of their size, differ by rounding alone: equal texts in one batch may get numbers
that differ in the last of the 24 bits of float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic of some units with its interval over samples of such units.

    It is written as ``0.8125 [0.7500, 0.8750]``; a format is that of each number: ``f"{estimate:.0%}"`` is
    ``81% [75%, 88%]``.
    """

    value: float
    low: float | None
    """None where the units give no interval: they are too few, or all alike."""

    high: float | None
    confidence: float
    units: int
    """Independent units: seeds, items, or groups of items."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of the interval, infinite where there is none."""
        if self.low is None or self.high is None:
            return -math.inf, math.inf
        return self.low, self.high

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def detectable_effect(self, target: float = 0.8) -> float:
        """The true value whose interval lies off 0 with a chance of `target`, units spread as these are.

        For intervals by Student's t, by the noncentral t distribution (`detectable_shift`); infinite without one.

        Args:
            target: the power, between the level of the interval and 1.

        Raises:
            UsageError: a power that no effect has.
        """
        from scipy.special import stdtrit

        from shoal.statistics.sample_size import detectable_shift

        if not 1 - self.confidence < target < 1:
            raise UsageError(f"a power lies between {1 - self.confidence:g} and 1, not at {target}")
        if self.low is None or self.high is None:
            return math.inf
        freedom = self.units - 1
        critical = float(stdtrit(freedom, (1 + self.confidence) / 2))
        standard_error = (self.high - self.low) / 2 / critical
        return standard_error * detectable_shift(freedom, target=target, alpha=1 - self.confidence)

    def __format__(self, spec: str) -> str:
        spec = spec or ".4f"
        if self.low is None or self.high is None:
            return f"{self.value:{spec}} (no interval)"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return format(self, "")


def estimate_without_interval(value: float, units: int, confidence: float) -> Estimate:
    """An estimate whose units are too few, or too alike, for an interval.

    Args:
        value: of the statistic.
        units: how many there are.
        confidence: that an interval would have.
    """
    return Estimate(value=value, low=None, high=None, confidence=confidence, units=units)


def percentile_estimate(value: float, drawn_D: NDArray[np.float64], *, units: int, confidence: float) -> Estimate:
    """A statistic with the percentile interval of its bootstrap samples (`percentile_ends`).

    Args:
        value: the statistic of all units.
        drawn_D: that of each sample.
        units: how many were resampled.
        confidence: of the interval.
    """
    low, high = percentile_ends(drawn_D, units=units, confidence=confidence)
    return Estimate(value=value, low=low, high=high, confidence=confidence, units=units)


def percentile_ends(
    drawn_D: NDArray[np.float64], *, units: int, confidence: float
) -> tuple[float, float] | tuple[None, None]:
    """The percentile interval of a statistic; (None, None) where its units cannot show how it varies.

    They cannot where they are too few (`enough_units`), where the samples are alike (the next unit may differ, and an
    interval of no width says that it cannot), and where a sample has no finite statistic.

    Args:
        drawn_D: the statistic of each bootstrap sample.
        units: how many were resampled.
        confidence: of the interval.
    """
    import numpy as np

    if not enough_units(units, confidence) or not len(drawn_D) or not np.isfinite(drawn_D).all():
        return None, None
    low, high = percentile_interval(drawn_D, confidence)
    return (None, None) if no_width(low, high) else (low, high)


def no_width(low: float, high: float) -> bool:
    """Whether the ends of an interval differ by rounding at most.

    Args:
        low: the lower end.
        high: the upper end.
    """
    return high - low <= _SAME * max(abs(low), abs(high))
