"""Stretches of time in words."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """A stretch of time as a person says it."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
