"""Synonyms: words replaced by others of one meaning, from a table (as in Wei and Zou 2019, arXiv:1901.11196, SR).

The table that comes with shoal is small and made for stories and instructions; any other is a text file with one set
of words a line, separated by commas. Words are compared as they are written, so that each form has a set of its own:
``big, large`` and ``bigger, larger``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from shoal.curation.augmentation.augmenter import TextAugmenter
from shoal.curation.augmentation.checks import check_rate
from shoal.errors import DataError
from shoal.text import LETTER_RUN
from shoal.wording import capital

if TYPE_CHECKING:
    import random

_WORD = re.compile(LETTER_RUN)


@dataclass(frozen=True)
class Synonyms(TextAugmenter):
    """Words that stand in a table are replaced by others of their set."""

    name: ClassVar[str] = "synonyms"
    summary: ClassVar[str] = "words replaced by others of one meaning, from a table"

    rate: float = 0.3
    """The probability that a word of the table is replaced; at least one is, where there is any."""

    table: str | None = None
    """A text file of the user's: one set of words a line, separated by commas. None for the table of shoal."""

    def __post_init__(self) -> None:
        check_rate(self.name, self.rate)
        _sets(self.table)

    def rewrite(self, text: str, generator: random.Random) -> str:
        """The text with words replaced."""
        sets = _sets(self.table)
        words = [word for word in _WORD.finditer(text) if word[0].lower() in sets]
        if not words:
            return text
        hit = {place for place in range(len(words)) if generator.random() < self.rate}
        hit = hit or {generator.randrange(len(words))}
        for place in sorted(hit, reverse=True):
            word = words[place]
            other = generator.choice(sets[word[0].lower()])
            text = text[: word.start()] + (capital(other) if word[0][0].isupper() else other) + text[word.end() :]
        return text


def _sets(table: str | None) -> dict[str, tuple[str, ...]]:
    """From each word to the others of its sets."""
    try:
        status = None if table is None else Path(table).stat()
    except OSError:
        # The reading says what is wrong.
        status = None
    return _read_sets(table, None if status is None else (status.st_mtime_ns, status.st_size))


@cache
def _read_sets(table: str | None, _stamp: tuple[int, int] | None) -> dict[str, tuple[str, ...]]:
    """The sets of a table as it is at the moment of the stamp."""
    if table is None:
        where, text = "the table of shoal", (resources.files(__package__) / "synonyms.txt").read_text(encoding="utf-8")
    else:
        where = table
        try:
            text = Path(table).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise DataError(f"the table of synonyms {table} cannot be read: {reason}") from error
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        words = [word.strip().lower() for word in line.split(",")]
        if len(words) < 2 or not all(words):
            raise DataError(f"{where}, line {number}: {line[:60]!r} is no set of two or more words, as in: big, large")
        for word in words:
            found.setdefault(word, []).extend(other for other in words if other != word)
    if not found:
        raise DataError(f"{where} holds no set of words; give one a line, as in: big, large")
    return {word: tuple(dict.fromkeys(others)) for word, others in found.items()}
