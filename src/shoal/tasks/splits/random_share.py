"""Held out by chance: a seeded share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import UsageError
from shoal.tasks import checks
from shoal.tasks.splits.splitter import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.tasks.example import Example


@dataclass(frozen=True)
class RandomShare(Splitter):
    """Holds out a share of the groups (of the prompts where there is no tag ``group``), drawn by a seed.

    Each group is drawn by a hash of the seed and its name, so that the order of the rows does not matter and the
    examples of a group, or of one prompt, always stand on the same side.
    """

    name: ClassVar[str] = "random"

    share: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", checks.share("share", self.share, open_ends=True))
        checks.whole_number("seed", self.seed, least=0)

    def _predicate(self, examples: Sequence[Example]) -> Callable[[Example], bool]:
        draws = sorted({self._draw(example) for example in examples})
        held = round(self.share * len(draws))
        if not 0 < held < len(draws):
            raise UsageError(f"the split {self.label()} cannot divide {len(draws)} groups; choose another share")
        last_held = draws[held - 1]
        return lambda example: self._draw(example) <= last_held

    def _draw(self, example: Example) -> bytes:
        key = f"{self.seed}\0{example.tags.get('group', example.prompt)}"
        return hashlib.blake2b(key.encode(), digest_size=8).digest()
