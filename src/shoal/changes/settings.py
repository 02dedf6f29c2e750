"""What a person may ask of the engine: the settings that every entry point takes, checked in one place."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from shoal.errors import UsageError


def check_settings(*, min_distance: Any, process_count: Any = None, level: Any = 0.05) -> None:
    """Check the settings of a search.

    Args:
        min_distance: The least share of the stream between two changes, and between a change and an end.
        process_count: How many distinct processes the pieces come from, or None.
        level: The level of the tests.

    Raises:
        UsageError: ``min_distance`` or ``level`` is not inside (0, 1), or ``process_count`` is no whole number from 1.
    """
    if not _is_number(min_distance) or not 0.0 < min_distance < 1.0:
        raise UsageError(f"min_distance is a share of the stream, between 0 and 1 (such as 0.05); got {min_distance!r}")
    if not _is_number(level) or not 0.0 < level < 1.0:
        raise UsageError(f"level is a probability between 0 and 1 (such as 0.05); got {level!r}")
    if process_count is not None and (not isinstance(process_count, Integral) or process_count < 1):
        raise UsageError(f"process_count is a whole number from 1, or None to have it chosen; got {process_count!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not math.isnan(value)
