"""The effects of interventions on heads and neurons: intervals and significance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.statistics import enough_units, percentile_interval

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentEffect:
    """An effect with its bootstrap interval; the units that are resampled are pairs or items."""

    low: float | None
    """None where there are too few units for an interval, five or fewer at 95%, or where they are all alike."""

    high: float | None

    @property
    def significant(self) -> bool | None:
        """Whether the interval excludes 0; None where there is none."""
        return excludes_zero(self.low, self.high)

    def interval(self) -> str:
        """The interval in brackets, marked where it holds 0; empty where there is none."""
        return bracketed(self.low, self.high) + ("" if self.significant is not False else " (not significant)")


def excludes_zero(low: float | None, high: float | None) -> bool | None:
    """Whether an interval excludes 0; None where there is none. An end that is no number excludes nothing.

    Args:
        low: lower end.
        high: upper end.
    """
    return None if low is None or high is None else low > 0 or high < 0


def bracketed(low: float | None, high: float | None) -> str:
    """Format an interval in brackets, with a space before it; empty where there is none.

    Args:
        low: lower end.
        high: upper end.
    """
    return "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"


def describe_intervals(units: int, confidence: float, name: str) -> str:
    """Say what the brackets are, or why there are none.

    Args:
        units: the number of units that are resampled.
        confidence: level of the intervals.
        name: of the units, in the plural.
    """
    if enough_units(units, confidence):
        return f"In brackets {100 * confidence:g}% bootstrap intervals over the {name}."
    return f"{units} {name} are too few for {100 * confidence:g}% intervals."


def interval_or_none(
    resampled_R: npt.NDArray[np.float64], units: int, confidence: float
) -> tuple[float, float] | tuple[None, None]:
    """The percentile interval of a statistic; (None, None) where its units cannot show how it varies.

    They cannot where they are too few, and where they are alike without being 0: the next one may differ, and an
    interval of no width says that it cannot. What is 0 in all units is no effect, and keeps the interval from 0 to 0.

    Args:
        resampled_R: the statistic of each resample.
        units: the number of units that were resampled.
        confidence: level of the interval.
    """
    return intervals_or_none(resampled_R[:, None], units, confidence)[0]


def intervals_or_none(
    resampled_RS: npt.NDArray[np.float64], units: int, confidence: float
) -> list[tuple[float, float] | tuple[None, None]]:
    """The interval of each of several statistics, as `interval_or_none` gives it.

    Args:
        resampled_RS: the statistics of each resample.
        units: the number of units that were resampled.
        confidence: level of the intervals.
    """
    if not enough_units(units, confidence):
        return [(None, None)] * resampled_RS.shape[1]
    low_S, high_S = percentile_interval(resampled_RS, confidence)
    pairs = zip(low_S.tolist(), high_S.tolist(), strict=True)
    # By rounding the means of equal units differ.
    return [(None, None) if low and math.isclose(low, high, rel_tol=1e-9) else (low, high) for low, high in pairs]
