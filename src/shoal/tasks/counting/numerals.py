"""How numbers are written in the counting task."""

from __future__ import annotations

from typing import Literal

Base = Literal["unary", "decimal"]
BASES: tuple[Base, ...] = ("unary", "decimal")


def numeral(number: int, base: str) -> str:
    """The number in unary (``111``) or decimal (``3``)."""
    return "1" * number if base == "unary" else str(number)


def count_text(first: int, last: int, base: str) -> str:
    """The numbers from first to last, up or down, both included, each after a space."""
    step = 1 if first <= last else -1
    return "".join(f" {numeral(number, base)}" for number in range(first, last + step, step))
