"""What a person may ask of the engine: the settings that every entry point takes, checked in one place."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from shoal.errors import UsageError
from shoal.statistics import check_alpha, check_confidence


def check_settings(*, min_distance: Any, process_count: Any = None, alpha: Any = 0.05, confidence: Any = 0.95) -> None:
    """Check the settings of a search.

    Args:
        min_distance: The least share of the stream between two changes, and between a change and an end.
        process_count: How many distinct processes the pieces come from, or None.
        alpha: How often the tests may find a change where there is none.
        confidence: How often a confidence set holds its change.

    Raises:
        UsageError: ``min_distance`` is not inside (0, 1), ``alpha`` not above 0 and at most 0.5, ``confidence`` not at
            least 0.5 and below 1, or ``process_count`` is no whole number from 1.
    """
    if not _is_number(min_distance) or not 0.0 < min_distance < 1.0:
        raise UsageError(f"min_distance is a share of the stream, between 0 and 1 (such as 0.05); got {min_distance!r}")
    check_alpha(alpha)
    check_confidence(confidence)
    if process_count is not None and (not isinstance(process_count, Integral) or process_count < 1):
        raise UsageError(f"process_count is a whole number from 1, or None to have it chosen; got {process_count!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not math.isnan(value)
