"""Samples of sequences that are too long to be used whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = TypeVar("Value")


def even_sample(values: Sequence[Value], most: int) -> list[Value]:
    """At most that many of the values, evenly spread over them and in their order.

    Args:
        values: any sequence; neighbours may be alike, which is why the first ones would not do.
        most: how many, at most.
    """
    if len(values) <= most:
        return list(values)
    return [values[place * len(values) // most] for place in range(most)]
