"""Prefixes that are continued together, and how the next token of each is chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.models.lengths import ALL_AGREE, Lengths

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

    @property
    def ids(self) -> list[int]:
        """All that is there to be read."""
        return [*self.prefix, *self.said]

    @property
    def length(self) -> int:
        """How many ids that are."""
        return len(self.prefix) + len(self.said)


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


def group_prefixes(
    rows: Sequence[Prefix], cells: int, *, padded: bool, most: int = _ROWS, lengths: Lengths = ALL_AGREE
) -> Iterator[list[Prefix]]:
    """Rows of similar length and limit.

    Args:
        rows: what is to be grouped.
        cells: positions of a group at most.
        padded: whether rows of different length may go together.
        most: rows of a group at most.
        lengths: rows whose lengths do not agree are kept apart.
    """
    group: list[Prefix] = []
    for row in sorted(rows, key=lambda row: (row.length, row.limit)):
        full = (len(group) + 1) * (len(row.prefix) + row.limit) > cells or len(group) == most
        if group and (full or not _go_together(group[0], row, lengths, padded=padded)):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _go_together(shorter: Prefix, longer: Prefix, lengths: Lengths, *, padded: bool) -> bool:
    return lengths.agree(shorter.length, longer.length) if padded else shorter.length == longer.length
