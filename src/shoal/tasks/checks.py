"""Checks of the options that a person gives; each raises a one-line error that names the option."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shoal.errors import UnknownNameError, UsageError


def whole_number(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """The value, if it is a whole number of the range.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise UsageError(f"{name} is {value!r}; give a whole number {limits}")
    return value


def whole_numbers(name: str, value: Any, *, least: int, most: int | None = None) -> tuple[int, ...]:
    """One whole number or a list of different ones, as a tuple in the order given.

    Raises:
        UsageError: it is something else, empty, or a number stands there twice.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (whole_number(name, value, least=least, most=most),)
    numbers = tuple(whole_number(name, number, least=least, most=most) for number in value)
    if not numbers or len(set(numbers)) < len(numbers):
        raise UsageError(f"{name} is {value!r}; give at least one number, and none twice")
    return numbers


def share(name: str, value: Any, *, open_ends: bool) -> float:
    """A share between 0 and 1, with or without the two ends.

    Raises:
        UsageError: it is not one.
    """
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")
    inside = 0 < number < 1 if open_ends else 0 <= number <= 1
    if not inside:
        limits = "above 0 and below 1" if open_ends else "from 0 to 1"
        raise UsageError(f"{name} is {value!r}; give a number {limits}")
    return number


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """The value, if it is one of the known names.

    Raises:
        UnknownNameError: it is not; the message names the nearest one.
    """
    if value not in known:
        raise UnknownNameError(name, str(value), known)
    return str(value)
