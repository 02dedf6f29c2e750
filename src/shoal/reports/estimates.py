"""Estimates over seeds as text and marks of a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.figures import DotRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.statistics import UnitEstimate


def interval_ends(estimate: UnitEstimate) -> str:
    """The interval in words.

    Args:
        estimate: of one unit it has none.
    """
    if not math.isfinite(estimate.low):
        return "no interval"
    return f"{estimate.low:.4f} to {estimate.high:.4f}"


def share_ends(estimate: UnitEstimate) -> str:
    """The interval of a share in words.

    Args:
        estimate: of one unit it has none.
    """
    if not math.isfinite(estimate.low):
        return "no interval"
    return f"{estimate.low:.0%} to {estimate.high:.0%}"


def with_interval(estimate: UnitEstimate | None) -> str:
    """The value with its interval; nothing where there is none.

    Args:
        estimate: bits per byte, or a difference of them.
    """
    return "" if estimate is None else f"{estimate.value:.4f} ({interval_ends(estimate)})"


def estimate_row(label: str, estimate: UnitEstimate, *, series: int = 0, seeds: Sequence[float] = ()) -> DotRow:
    """The mark of a row, with the ends of its interval where it has some.

    Args:
        label: of the row.
        estimate: is drawn.
        series: number of the colour.
        seeds: are drawn as rings.
    """
    # Few seeds bound nothing, and an infinite bar would take the whole drawing.
    low, high = (end if math.isfinite(end) else None for end in (estimate.low, estimate.high))
    return DotRow(label=label, series=series, mean=estimate.value, low=low, high=high, seeds=tuple(seeds))
