"""ROUGE: how many words, pairs of words and words in order of a reference a text has (Lin 2004).

Words are runs of a-z and 0-9 in lower case, without stemming, as in the package `rouge-score`, whose numbers these are.
A text of another script has no such words, and then no ROUGE.

Cost: O(n m) for the longest common subsequence of n and m words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile("[a-z0-9]+")


class Rouge(NamedTuple):
    """Precision, recall and their harmonic mean, 0 to 1; not numbers where the reference has nothing to find again."""

    precision: float
    recall: float
    f1: float


_UNDEFINED = Rouge(math.nan, math.nan, math.nan)


def rouge_words(text: str) -> list[str]:
    """The words that ROUGE compares.

    Args:
        text: any text; letters outside of a-z separate words.
    """
    return _WORD.findall(text.lower())


def rouge_n(prediction: str, reference: str, size: int) -> Rouge:
    """The n-grams of a text that a reference has too, each as often as both have it (Lin 2004, section 2).

    Args:
        prediction: what the model generated.
        reference: the text that is due.
        size: words of an n-gram.
    """
    found, due = _ngrams(prediction, size), _ngrams(reference, size)
    return _rouge((found & due).total(), found.total(), due.total())


def rouge_l(prediction: str, reference: str) -> Rouge:
    """The longest common subsequence of words (Lin 2004, section 3.1, with the plain harmonic mean).

    Args:
        prediction: what the model generated.
        reference: the text that is due.
    """
    from rapidfuzz.distance import LCSseq

    found, due = rouge_words(prediction), rouge_words(reference)
    return _rouge(LCSseq.similarity(found, due), len(found), len(due))


def rouge_lsum(prediction: str, reference: str) -> Rouge:
    """The union of the longest common subsequences of each line of the reference (Lin 2004, section 3.2).

    Args:
        prediction: what the model generated, a sentence a line.
        reference: the text that is due, a sentence a line.
    """
    found, due = ([rouge_words(line) for line in text.split("\n")] for text in (prediction, reference))
    left = [Counter(word for line in lines for word in line) for lines in (found, due)]
    hits = 0
    for line in due:
        shared = {place for other in found for place in _common_places(line, other)}
        for word in (line[place] for place in sorted(shared)):
            # A word counts as often as both texts have it, however many lines it is common to.
            if left[0][word] and left[1][word]:
                hits += 1
                left[0][word] -= 1
                left[1][word] -= 1
    return _rouge(hits, sum(map(len, found)), sum(map(len, due)))


def _ngrams(text: str, size: int) -> Counter[tuple[str, ...]]:
    words = rouge_words(text)
    return Counter(zip(*(words[start:] for start in range(size)), strict=False))


def _rouge(hits: int, found: int, due: int) -> Rouge:
    """Precision, recall and F from counts."""
    if not due:
        return _UNDEFINED
    precision, recall = hits / found if found else 0.0, hits / due
    return Rouge(precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0)


def _common_places(line: Sequence[str], other: Sequence[str]) -> list[int]:
    """The places in a line of its longest common subsequence with another; of several, the last in the line."""
    rows = [[0] * (len(other) + 1)]
    for word in line:
        above, row = rows[-1], [0]
        for column, match in enumerate(other):
            row.append(above[column] + 1 if word == match else max(above[column + 1], row[-1]))
        rows.append(row)
    places, place, column = [], len(line), len(other)
    while place and column:
        if line[place - 1] == other[column - 1]:
            places.append(place - 1)
            place, column = place - 1, column - 1
        elif rows[place][column - 1] > rows[place - 1][column]:
            column -= 1
        else:
            place -= 1
    return places
