"""Intervals over pairs or items: from how many on they may be told, and how they are said."""

from __future__ import annotations

from shoal.statistics import enough_units


def bracketed(low: float | None, high: float | None) -> str:
    """An interval in brackets, with a space before it; nothing where there is none."""
    return "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"


def is_significant(low: float | None, high: float | None) -> bool | None:
    """Whether an interval leaves out 0; None where there is none."""
    return None if low is None or high is None else not low <= 0 <= high


def marked(low: float | None, high: float | None) -> str:
    """What is said of a value whose interval holds 0."""
    return " (not significant)" if is_significant(low, high) is False else ""


def said_of_intervals(units: int, confidence: float, what: str) -> str:
    """What the brackets are, or why there are none."""
    if enough_units(units, confidence):
        return f"In brackets {confidence:.0%} bootstrap intervals over the {what}."
    return f"{units} {what} are too few for {confidence:.0%} intervals."
