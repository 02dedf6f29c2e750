"""Held out by a contiguous block of indexes: a gap to be bridged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.tasks.checks import whole_number
from shoal.tasks.splits.splitter import Splitter, index_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class Block(Splitter):
    """Holds out the examples whose index lies from first to last, both included."""

    name: ClassVar[str] = "block"

    first: int
    last: int

    def __post_init__(self) -> None:
        whole_number("first", self.first, least=0)
        whole_number("last", self.last, least=0)
        if self.first > self.last:
            raise UsageError(f"the block goes from first={self.first} to last={self.last}; first must not be larger")

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:  # noqa: ARG002
        return lambda example: self.first <= index_of(example) <= self.last
