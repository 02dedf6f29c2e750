"""The checkpoints of a training, and the step at which a score over them rises.

Two steps are reported, and neither replaces the other: the change point of the series upwards (`shoal.changes`), and
the first checkpoint from which on the score stays at or above a threshold.

Shapes: C checkpoints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes import change_points
from shoal.errors import DataError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt

_STEP = re.compile(r"(?:.*\D)?(\d+)")
_MIN_SHARE = 0.05
"""Shortest part of a series on either side of a change point, as a share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """The steps at which a score rose."""

    change_step: int | None
    """The step of the first checkpoint after the change point at which the score rises most; None where no change point
    is upwards, as in a series that rises evenly or is too short."""

    change_low: int | None
    change_high: int | None
    """The ends of the confidence set of that step."""

    p_value: float | None
    """Of the change point."""

    threshold_step: int | None
    """The step from which on the score stays at or above the threshold; None where it does not at the last."""

    def describe(self, threshold: float) -> str:
        """Both steps in words.

        Args:
            threshold: the threshold that was used.
        """
        changed = "not found" if self.change_step is None else f"step {self.change_step}"
        reached = "not reached" if self.threshold_step is None else f"step {self.threshold_step}"
        return f"by change point {changed}, by threshold {threshold:.2f} {reached}"


def checkpoint_folders(run: str | os.PathLike[str]) -> list[tuple[int, Path]]:
    """Find the model folders of a run with the step that ends their name (``checkpoint-500``, ``step500``), in order.

    Raises:
        DataError: there are fewer than two, or two of the same step.
    """
    run = Path(run)
    found = []
    # Every model folder of transformers has a config.json; weights may be in several files, or elsewhere.
    for config in sorted(run.rglob("config.json")):
        match = _STEP.fullmatch(config.parent.name)
        # The run itself may hold the final model, and a number at the end of its name is no step.
        if match is not None and config.parent != run:
            found.append((int(match[1]), config.parent))
    found.sort()
    if len(found) < 2:
        raise DataError(
            f"{run} holds {len(found)} checkpoints; give a folder of model folders whose names end with the step, "
            "such as checkpoint-500"
        )
    for earlier, later in pairwise(found):
        if earlier[0] == later[0]:
            raise DataError(
                f"{run} holds two checkpoints of step {later[0]}, {earlier[1]} and {later[1]}; give one run"
            )
    return found


def find_rise(steps: Sequence[int], score_C: npt.NDArray[np.floating[Any]], threshold: float) -> Rise:
    """Find the step at which a score rises, by change point and by threshold.

    Args:
        steps: the steps of the checkpoints, in order.
        score_C: the score at each.
        threshold: the score that has to be reached.
    """
    change = None
    if len(score_C) > 2:  # with fewer, no level could be compared with its noise
        min_distance = max(_MIN_SHARE, 2 / len(score_C))
        changes = change_points(score_C, min_distance=min_distance).changes
        rises = [(float(score_C[each.place :].mean() - score_C[: each.place].mean()), each) for each in changes]
        rise, change = max(rises, key=lambda pair: pair[0], default=(0.0, None))
        change = change if rise > 0 else None
    # Not "score < threshold": what is not a number must count as below.
    below = np.flatnonzero(~(score_C >= threshold))
    after = 0 if not len(below) else int(below[-1]) + 1
    return Rise(
        change_step=None if change is None else steps[change.place],
        change_low=None if change is None else steps[change.low],
        # A confidence set may end behind the last checkpoint.
        change_high=None if change is None else steps[min(change.high, len(steps) - 1)],
        p_value=None if change is None else change.p_value,
        threshold_step=steps[after] if after < len(steps) else None,
    )
