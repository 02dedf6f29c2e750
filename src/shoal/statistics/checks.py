"""The level of a test and the confidence of an interval, checked so that neither passes for the other.

The two are one minus each other, so whoever mixes them up asks for a test that nearly always rejects or for an interval
that nearly never holds what it should. Neither is ever wanted beyond one half, which is where the line is drawn.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from shoal.errors import UsageError

HALF = 0.5


def check_alpha(alpha: Any) -> None:
    """Refuse a level of a test that is not above 0 and at most 0.5.

    Raises:
        UsageError: It is not.
    """
    if not _is_number(alpha) or not 0.0 < alpha <= HALF:
        raise UsageError(
            f"alpha is the level of a test, above 0 and at most {HALF} (0.05 is usual); got {alpha!r}"
            + _other(alpha, "the share of intervals that hold the truth is called confidence")
        )


def check_confidence(confidence: Any) -> None:
    """Refuse a confidence of an interval that is not at least 0.5 and below 1.

    Raises:
        UsageError: It is not.
    """
    if not _is_number(confidence) or not HALF <= confidence < 1.0:
        raise UsageError(
            f"confidence is that of an interval, at least {HALF} and below 1 (0.95 is usual); got {confidence!r}"
            + _other(confidence, "the level of a test is called alpha")
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not math.isnan(value)


def _other(value: Any, hint: str) -> str:
    """The hint where the value would do for the other of the two."""
    return f"; {hint}" if _is_number(value) and 0.0 < value < 1.0 else ""
