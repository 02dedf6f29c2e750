"""Syllables of an English word, counted by rule.

Groups of vowels are counted, less those that are silent. On the 125,000 words of the CMU Pronouncing Dictionary the
count is right for SHARE of them and the mean is off by OFF syllables (`benchmarks/curation.py syllables`).
"""

from __future__ import annotations

import re
from functools import lru_cache

_VOWELS = re.compile(r"[aeiouy]+")
_SILENT_END = re.compile(
    r"(?<![aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^aeiouydt])ed$|(?<=[^aeiouyscxz])(?<!ch)(?<!sh)(?<!g)es$"
)
"""A final e behind a consonant (not as in little), -ed (not as in wanted), and -es (not as in boxes)."""

_TWO = re.compile(r"ia(?!n$|l$)|io(?!n|us)|eo(?!u)|iu|ua(?!r)|uo|[aeiou]ing$|ism$|[^aeiouyr]yi")
"""Neighbouring vowels that are two syllables, and a final -ism."""


@lru_cache(maxsize=50_000)
def count_syllables(word: str) -> int:
    """The number of syllables, at least 1.

    Args:
        word: in lower case; an apostrophe and what is no letter counts as nothing.
    """
    silent = _SILENT_END.sub("", word) if len(word) > 3 else word
    return max(1, len(_VOWELS.findall(silent)) + len(_TWO.findall(word)))
