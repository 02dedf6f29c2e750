"""The effects of interventions on heads and neurons: intervals and significance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.statistics import enough_units, percentile_interval

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentEffect:
    """An effect with its bootstrap interval; the units that are resampled are pairs or items."""

    low: float | None
    """None where there are too few units for an interval, five or fewer at 95%."""

    high: float | None

    @property
    def significant(self) -> bool | None:
        """Whether the interval excludes 0; None where there is none."""
        return excludes_zero(self.low, self.high)

    def interval(self) -> str:
        """The interval in brackets, marked where it holds 0; empty where there is none."""
        return bracketed(self.low, self.high) + ("" if self.significant is not False else " (not significant)")


def excludes_zero(low: float | None, high: float | None) -> bool | None:
    """Whether an interval excludes 0; None where there is none.

    Args:
        low: lower end.
        high: upper end.
    """
    return None if low is None or high is None else not low <= 0 <= high


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
) -> tuple[Any, Any] | tuple[None, None]:
    """The percentile interval of a statistic; (None, None) where it was resampled over too few units.

    Args:
        resampled_R: the statistic of each resample, resamples along the first axis.
        units: the number of units that were resampled.
        confidence: level of the interval.
    """
    return percentile_interval(resampled_R, confidence) if enough_units(units, confidence) else (None, None)
