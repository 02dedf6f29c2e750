"""Held out by a column of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import DataError
from shoal.tasks.parts import part_of, rows_by_part
from shoal.tasks.splits.splitter import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class ByPart(Splitter):
    """Holds out the rows whose column ``part`` says so, as ``shoal task --out`` writes it."""

    name: ClassVar[str] = "part"

    def label(self) -> str:
        """``part``."""
        return self.name

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        if not rows_by_part(examples):
            raise DataError(
                "the split 'part' reads the column 'part' of the rows, and they have none that says seen or held_out; "
                "add one, or take the split 'random' or 'length'"
            )
        return lambda example: part_of(example) == "held_out"
