"""Reordering: sentences, clauses or words in another order, where the answer does not hang on it (the rule decides)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.curation.augmentation.augmenter import TextAugmenter
from shoal.errors import UnknownNameError
from shoal.text import sentence_spans
from shoal.wording import capital, uncapital

if TYPE_CHECKING:
    import random

_UNITS = ("sentences", "clauses", "words")
_END = re.compile(r"[.!?:]*\s*$")
_ALWAYS_CAPITAL = re.compile(r"I\b")


@dataclass(frozen=True)
class Reordering(TextAugmenter):
    """Two neighbouring units of a text change places."""

    name: ClassVar[str] = "reordering"
    summary: ClassVar[str] = "two neighbouring sentences, clauses or words change places"

    unit: str = "sentences"
    """``sentences``, ``clauses`` (parts of a sentence between commas), or ``words``."""

    def __post_init__(self) -> None:
        if self.unit not in _UNITS:
            raise UnknownNameError("unit of reordering", str(self.unit), _UNITS)

    def rewrite(self, text: str, generator: random.Random) -> str:
        """The text with two units swapped; itself where it has one alone."""
        if self.unit == "sentences":
            return _with_sentences_swapped(text, generator)
        # The mark at the end stays there.
        cut = _END.search(text)
        assert cut is not None  # it may be empty
        body, end = text[: cut.start()], text[cut.start() :]
        if self.unit == "words":
            return " ".join(_swapped(body.split(" "), generator)) + end
        if "," not in body:
            return text
        clauses = body.split(", ")
        # The capital belongs to the beginning of the sentence: names further on keep theirs. Two letters are looked
        # at, so that acronyms stay.
        if body[:2].istitle() and not _ALWAYS_CAPITAL.match(body):
            clauses[0] = uncapital(clauses[0])
        joined = ", ".join(_swapped(clauses, generator))
        return (capital(joined) if body[:1].isupper() else joined) + end


def _with_sentences_swapped(text: str, generator: random.Random) -> str:
    spans = sentence_spans(text)
    if len(spans) < 2:
        return text
    place = generator.randrange(len(spans) - 1)
    (first, first_end), (second, second_end) = spans[place], spans[place + 1]
    # The white space between the two stays, as does all around them.
    between = text[first_end:second]
    return text[:first] + text[second:second_end] + between + text[first:first_end] + text[second_end:]


def _swapped(units: list[str], generator: random.Random) -> list[str]:
    if len(units) < 2:
        return units
    place = generator.randrange(len(units) - 1)
    return [*units[:place], units[place + 1], units[place], *units[place + 2 :]]
