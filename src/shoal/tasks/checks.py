"""Checks of the options that a person gives; each raises a one-line error that names the option."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shoal.errors import UnknownNameError, UsageError


def whole_number(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> int:
    """The value, if it is a whole number of the range.

    Args:
        name: of the option, for the message.
        value: as it was given, of any type.
        minimum: the smallest number that is allowed.
        maximum: the largest; None for no limit.

    Raises:
        UsageError: it is not.
    """
    # True and False are ints in Python.
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= minimum
    if not fits or (maximum is not None and value > maximum):
        limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise UsageError(f"{name} is {value!r}; give a whole number {limits}")
    return int(value)


def whole_numbers(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> tuple[int, ...]:
    """One whole number or a list of different ones, as a tuple in the order given.

    Args:
        name: of the option, for the message.
        value: as it was given, of any type.
        minimum: the smallest number that is allowed.
        maximum: the largest; None for no limit.

    Raises:
        UsageError: it is something else, empty, or has a number twice.
    """
    # A string is a sequence as well, of its letters.
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (whole_number(name, value, minimum=minimum, maximum=maximum),)
    numbers = tuple(whole_number(name, number, minimum=minimum, maximum=maximum) for number in value)
    if not numbers or len(set(numbers)) < len(numbers):
        raise UsageError(f"{name} is {value!r}; give at least one number, and none twice")
    return numbers


def size_range(what: str, smallest: Any, largest: Any, *, minimum: int = 1, maximum: int = 200) -> tuple[int, int]:
    """Both ends of a range of sizes, given by the options ``min_WHAT`` and ``max_WHAT``.

    Args:
        what: is counted: ``digits``, ``length``.
        smallest: the lower end as it was given, of any type.
        largest: the upper end as it was given, of any type.
        minimum: the smallest lower end that is allowed.
        maximum: the largest upper end that is allowed.

    Raises:
        UsageError: one is no whole number of that range, or they are the wrong way round.
    """
    low = whole_number(f"min_{what}", smallest, minimum=minimum, maximum=maximum)
    return low, whole_number(f"max_{what}", largest, minimum=low, maximum=maximum)


def share(name: str, value: Any, *, open_ends: bool) -> float:
    """A share between 0 and 1.

    Args:
        name: of the option, for the message.
        value: as it was given, of any type.
        open_ends: whether 0 and 1 themselves are refused.

    Raises:
        UsageError: it is not one.
    """
    # NaN fails both comparisons below, so that what is no number is refused with what is out of range.
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")
    inside = 0 < number < 1 if open_ends else 0 <= number <= 1
    if not inside:
        limits = "above 0 and below 1" if open_ends else "from 0 to 1"
        raise UsageError(f"{name} is {value!r}; give a number {limits}")
    return number


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """The value, if it is one of the known names.

    Args:
        name: of the option, for the message.
        value: as it was given, of any type.
        known: the names that can be given.

    Raises:
        UnknownNameError: it is not; the message names the nearest one.
    """
    if value not in known:
        raise UnknownNameError(name, str(value), known)
    return str(value)
