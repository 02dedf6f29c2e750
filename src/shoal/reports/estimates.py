"""Estimates over seeds as text and marks of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import DotRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.statistics import Estimate


def interval_ends(estimate: Estimate) -> str:
    """The interval in words.

    Args:
        estimate: it may have none.
    """
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{estimate.low:.4f} to {estimate.high:.4f}"


def share_ends(estimate: Estimate) -> str:
    """The interval of a share in words.

    Args:
        estimate: it may have none.
    """
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{estimate.low:.0%} to {estimate.high:.0%}"


def with_interval(estimate: Estimate | None) -> Markup:
    """A cell of a table: the value, and its interval in a line below; nothing where there is none.

    Args:
        estimate: bits per byte, or a difference of them.
    """
    if estimate is None:
        return Markup()
    return Markup("{} <small>{}</small>").format(f"{estimate.value:.4f}", interval_ends(estimate))


def estimate_row(label: str, estimate: Estimate, *, series: int = 0, seeds: Sequence[float] = ()) -> DotRow:
    """The mark of a row, with the ends of its interval where it has some.

    Args:
        label: of the row.
        estimate: is drawn.
        series: number of the colour.
        seeds: are drawn as rings.
    """
    return DotRow(
        label=label, series=series, mean=estimate.value, low=estimate.low, high=estimate.high, seeds=tuple(seeds)
    )
