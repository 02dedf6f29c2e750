"""Held out by the last digit of the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.tasks.checks import whole_numbers
from shoal.tasks.splits.splitter import Splitter, index_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class LastDigit(Splitter):
    """Holds out the examples whose index ends in one of the digits: 30 of 1 to 100 with the default."""

    name: ClassVar[str] = "last-digit"

    digits: Sequence[int] = (1, 3, 7)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digits", whole_numbers("digits", self.digits, least=0, most=9))

    def label(self) -> str:
        """``last-digit(1,3,7)``."""
        return f"{self.name}({','.join(map(str, self.digits))})"

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:  # noqa: ARG002
        digits = frozenset(self.digits)
        return lambda example: index_of(example) % 10 in digits
