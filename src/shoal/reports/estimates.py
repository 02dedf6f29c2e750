"""Estimates as text, cells and marks of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import DotRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.evaluation.stories import StoryMeasure
    from shoal.statistics import Estimate


def interval_ends(estimate: Estimate | StoryMeasure, digits: str = ".4f") -> str:
    """The interval in words.

    Args:
        estimate: it may have none.
        digits: the format of each end, such as ``.0%`` for a share.
    """
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{estimate.low:{digits}} to {estimate.high:{digits}}"


def with_interval(estimate: Estimate | StoryMeasure | None, digits: str = ".4f") -> Markup:
    """A cell of a table: the value, and its interval in a line below; nothing where there is none.

    Args:
        estimate: what the cell holds.
        digits: the format of each number.
    """
    if estimate is None:
        return Markup()
    return Markup("{} <small>{}</small>").format(f"{estimate.value:{digits}}", interval_ends(estimate, digits))


def estimate_row(
    label: str, estimate: Estimate | StoryMeasure, *, series: int = 0, seeds: Sequence[float] = ()
) -> DotRow:
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
