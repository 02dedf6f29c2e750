"""A text as words with their places: runs of letters, numbers, and single marks of punctuation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from shoal.text import sentence_spans

# Vowels of Hindi, Tamil, Arabic and Yiddish, accents that are characters of their own, and the joiners of Persian.
_MARKS = (
    "".join(chr(code) for code in range(0x300, 0x2000) if unicodedata.category(chr(code))[0] == "M") + "\u200c\u200d"
)
_LETTERS = rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}])*"
# Letters with marks that belong to them, hyphens and apostrophes between letters.
_WORD = re.compile(rf"{_LETTERS}(?:['\u2019\u2010-]{_LETTERS})*|\d+(?:[.,:]\d+)*|[^\w\s]|_+")
# As in the corpora that taggers learn from: do n't, she 's, I 'll; can't and won't become ca n't and wo n't.
_CLITIC = re.compile(r"(?i)(?<=\w)(n['\u2019]t|['\u2019](?:s|m|d|ll|re|ve))$")
_ELISION = re.compile(
    r"(?i)^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|un|gl|all|dall|dell|nell|sull|quell|quest|sant)['\u2019](?=\w)"
)
"""What French, Italian and Catalan shorten before a vowel: l'homme, qu'il, dell'acqua."""

_ELIDING = {"ca", "fr", "it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSpan:
    """One word, number or mark."""

    text: str
    start: int
    """The first of its characters in the text."""

    stop: int

    @property
    def is_word(self) -> bool:
        """Whether it has a letter or a digit."""
        return any(letter.isalnum() for letter in self.text)


def split_text(text: str, language: str = "en") -> list[list[WordSpan]]:
    """The sentences of a text, each as its words.

    English clitics (``n't``, ``'s``) and elided words of French, Italian and Catalan (``l'``) are words of their own.

    Args:
        text: any text.
        language: an ISO 639-1 code.
    """
    found = []
    for start, stop in sentence_spans(text):
        words = [
            part for match in _WORD.finditer(text, start, stop) for part in _parts(match[0], match.start(), language)
        ]
        if words:
            found.append(words)
    return found


def _parts(word: str, start: int, language: str) -> list[WordSpan]:
    """A word, or the two that an apostrophe joins."""
    cut = 0
    if language == "en" and (clitic := _CLITIC.search(word)):
        cut = clitic.start()
    elif language in _ELIDING and (elided := _ELISION.search(word)):
        cut = elided.end()
    bounds = [(0, cut), (cut, len(word))] if cut else [(0, len(word))]
    return [
        WordSpan(text=word[first:last].replace("\u2019", "'"), start=start + first, stop=start + last)
        for first, last in bounds
    ]
