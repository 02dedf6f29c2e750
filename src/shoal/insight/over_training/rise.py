"""When a score rises over the checkpoints of a training.

Two answers are given side by side, and none stands in for the other: the change point of the series upwards
(`shoal.changes`), and the first checkpoint from which on the score stays at or above a threshold.

Shapes: C checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes import change_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """When a score rose."""

    change_step: int | None
    """The step of the first checkpoint after the change point at which the score rises most; None where no change point
    is upwards, as in a series that rises evenly or is too short to tell."""

    change_low: int | None
    change_high: int | None
    """The steps between which the change lies, its confidence set."""

    p_value: float | None
    threshold_step: int | None
    """The step from which on the score stays at or above the threshold; None where it does not at the last."""


def find_rise(steps: Sequence[int], score_C: npt.NDArray[np.floating[Any]], threshold: float) -> Rise:
    """Place the rise of a series in both ways.

    Args:
        steps: of the checkpoints, in order.
        score_C: the score at each.
        threshold: what has to be reached.
    """
    change = None
    if len(score_C) > 2:
        changes = change_points(score_C, min_distance=max(0.05, 2 / len(score_C))).changes
        rises = [(float(score_C[each.place :].mean() - score_C[: each.place].mean()), each) for each in changes]
        rise, change = max(rises, key=lambda pair: pair[0], default=(0.0, None))
        change = change if rise > 0 else None
    below = np.flatnonzero(~(score_C >= threshold))
    after = 0 if not len(below) else int(below[-1]) + 1
    return Rise(
        change_step=None if change is None else steps[change.place],
        change_low=None if change is None else steps[change.low],
        change_high=None if change is None else steps[min(change.high, len(steps) - 1)],
        p_value=None if change is None else change.p_value,
        threshold_step=steps[after] if after < len(steps) else None,
    )


def told(rise: Rise, threshold: float) -> str:
    """Both answers in words."""
    changed = "not found" if rise.change_step is None else f"step {rise.change_step}"
    reached = "not reached" if rise.threshold_step is None else f"step {rise.threshold_step}"
    return f"by change point {changed}, by threshold {threshold:.2f} {reached}"
