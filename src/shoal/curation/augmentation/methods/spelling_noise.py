"""Spelling noise: typos in the words of a text, never in its numbers (Pruthi et al. 2019, arXiv:1905.11268)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.curation.augmentation.augmenter import TextAugmenter
from shoal.curation.augmentation.checks import check_rate
from shoal.text import misspell

if TYPE_CHECKING:
    import random

# A word of one or two letters is often an item of a list, and a typo in it another item.
_WORD = re.compile(r"[A-Za-z]{3,}")


@dataclass(frozen=True)
class SpellingNoise(TextAugmenter):
    """Neighbouring letters swapped, a letter dropped, doubled, or hit beside its key."""

    name: ClassVar[str] = "spelling-noise"
    summary: ClassVar[str] = "typos in words: letters swapped, dropped, doubled, or of a neighbouring key"

    rate: float = 0.1
    """The probability of a typo in a word of three letters or more; at least one word is hit."""

    def __post_init__(self) -> None:
        check_rate(self.name, self.rate)

    def rewrite(self, text: str, generator: random.Random) -> str:
        """The text with typos."""
        words = list(_WORD.finditer(text))
        if not words:
            return text
        hit = {place for place in range(len(words)) if generator.random() < self.rate}
        hit = hit or {generator.randrange(len(words))}
        # From the end, so that a typo that changes the length leaves the earlier places valid.
        for place in sorted(hit, reverse=True):
            start, end = words[place].span()
            text = text[:start] + misspell(text[start:end], generator) + text[end:]
        return text
