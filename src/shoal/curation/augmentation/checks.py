"""Checks of parameters that several methods of augmentation have."""

from __future__ import annotations

from shoal.errors import UsageError


def check_rate(method: str, rate: float) -> None:
    """Refuse what is no probability above 0.

    Args:
        method: whose parameter it is.
        rate: as it was given, of any type.

    Raises:
        UsageError: it is none.
    """
    # True and False are numbers in Python.
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
        raise UsageError(f"the rate of {method} is {rate!r}; give a number above 0, and at most 1")
