"""Held out by length: extrapolation beyond what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.tasks import checks
from shoal.tasks.splits.splitter import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class Length(Splitter):
    """Holds out the longest completions, in characters; every one of them is longer than every seen one.

    Completions as long as the longest seen one stay seen, so that less than the share may be held out.
    """

    name: ClassVar[str] = "length"

    share: float = 0.3

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", checks.share("share", self.share, open_ends=True))

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        lengths = sorted(len(example.completion) for example in examples)
        seen = len(lengths) - round(self.share * len(lengths))
        if not 0 < seen <= len(lengths):
            raise UsageError(f"the split {self.label()} cannot divide {len(lengths)} examples; choose another share")
        longest_seen = lengths[seen - 1]
        return lambda example: len(example.completion) > longest_seen
