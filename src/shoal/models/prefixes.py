"""Prefixes that are continued together, and how the next token of each is chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

_ROWS = 64


@dataclass(slots=True)
class Prefix:
    """One prefix and what has been said so far."""

    place: int
    prefix: Sequence[int]
    limit: int
    said: list[int] = field(default_factory=list)


def most_likely(logits_BV: torch.Tensor, _rows: Sequence[Prefix]) -> torch.Tensor:
    """The argmax of each row."""
    return logits_BV.argmax(-1)


def say_next(rows: Sequence[Prefix], said_B: torch.Tensor, end_id: int | None) -> list[int]:
    """Put the next token behind each row.

    Returns:
        The places of the rows that go on: neither ended nor at their limit.
    """
    for row, token in zip(rows, said_B.tolist(), strict=True):
        row.said.append(token)
    return [place for place, row in enumerate(rows) if row.said[-1] != end_id and len(row.said) < row.limit]


def group_prefixes(rows: list[Prefix], cells: int, *, padded: bool) -> Iterator[list[Prefix]]:
    """Rows of similar length and limit; of equal length where nothing may be padded."""
    group: list[Prefix] = []
    for row in sorted(rows, key=lambda row: (len(row.prefix), row.limit)):
        full = (len(group) + 1) * (len(row.prefix) + row.limit) > cells or len(group) == _ROWS
        if group and (full or not (padded or len(row.prefix) == len(group[0].prefix))):
            yield group
            group = []
        group.append(row)
    if group:
        yield group
