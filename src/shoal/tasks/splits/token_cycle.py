"""Held out by the phase of the token cycle: stops at one place within a repeating pattern of tokens are new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.tasks.checks import whole_number, whole_numbers
from shoal.tasks.splits.splitter import Splitter, index_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class TokenCycle(Splitter):
    """Holds out the examples whose index has one of the phases modulo the period of the tokens.

    GPT-2's tokens hold up to four ones, so the period of unary counting is 4 with them.
    """

    name: ClassVar[str] = "token-cycle"

    period: int
    phases: Sequence[int] = (1,)

    def __post_init__(self) -> None:
        whole_number("period", self.period, least=2)
        phases = whole_numbers("phases", self.phases, least=0, most=self.period - 1)
        if len(phases) == self.period:
            raise UsageError(f"phases names all {self.period} phases of the period; leave at least one to be seen")
        object.__setattr__(self, "phases", phases)

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:  # noqa: ARG002
        phases = frozenset(self.phases)
        return lambda example: index_of(example) % self.period in phases
