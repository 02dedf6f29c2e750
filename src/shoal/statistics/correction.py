"""Several hypotheses at once: p-values corrected so that one false claim among all of them is as rare as for one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction: the p-values to compare with the level that one test would have.

    The smallest is multiplied by the number of hypotheses, the next by one less, and so on, and none is below one that
    comes before it. The chance of any false rejection is at most the level, however the tests hang together.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70.

    Args:
        p_values: one per hypothesis.

    Raises:
        UsageError: one is not between 0 and 1.
    """
    if not all(0 <= value <= 1 for value in p_values):
        raise UsageError(f"p-values lie between 0 and 1, not {list(p_values)}")
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[place]))
        corrected[place] = largest
    return tuple(corrected)
