"""Words and topic: how often each stem is in each sentence, measured against the language at large.

``trained/unigrams/english.txt`` holds a stem per line with its occurrences per million words, the mean over three kinds
of text: English Wikipedia (the validation part of WikiText-2), the Open American National Corpus's MASC, and children's
books of Project Gutenberg; stems with fewer than three are left out. ``recipes/english_background.py`` makes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import sparse

from shoal.segmentation.channels import Channel, Features
from shoal.segmentation.sentence_features import CLOSED_CLASS, style_tokens
from shoal.text import LETTER_RUN, stem_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WORD = re.compile(rf"{LETTER_RUN}(?:['\u2019]{LETTER_RUN})*")

_UNSEEN = 1e-5
"""Added to every share, about ten occurrences per million: a stem that the list lacks may be common in the document's
field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordChannel(Channel):
    """Counts stems."""

    name = "words"
    reads: ClassVar[str] = "stems, against the language at large"

    language: str = "english"
    """What the Snowball stemmer calls the language. For another one than English no shares of the language are known,
    and the document's own frequencies take their place."""

    def features(self, sentences: Sequence[str]) -> Features:
        """How often each stem is in each sentence.

        Raises:
            UnknownNameError: a language that Snowball has no stemmer for.
        """
        codes: dict[str, int] = {}
        rows, columns = [], []
        for row, sentence in enumerate(sentences):
            for stem in stem_all(WORD.findall(sentence), self.language):
                rows.append(row)
                columns.append(codes.setdefault(stem, len(codes)))
        # A document without a word has one empty column, since no array may have none.
        shape = (len(sentences), max(1, len(codes)))
        counts = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
        return Features(counts=counts, background=language_shares(self.language, list(codes)))


class TopicChannel(Channel):
    """Counts the stems of open-class words: what a text is about, without the words that any text has."""

    name = "topic"
    reads = "stems of open-class words alone"

    def features(self, sentences: Sequence[str]) -> Features:
        """How often each stem is in each sentence."""
        return WordChannel().features([_open_class(sentence) for sentence in sentences])


def language_shares(language: str, stems: Sequence[str]) -> NDArray[np.float64] | None:
    """The share of each stem in a language at large (V).

    Args:
        language: what Snowball calls it.
        stems: V stems.

    Returns:
        None for a language without a list of shares.
    """
    if language != "english":
        return None
    table = _english()
    return np.array([table.get(stem, 0.0) for stem in stems] or [0.0]) + _UNSEEN


@cache
def _english() -> dict[str, float]:
    file = resources.files("shoal.segmentation") / "trained" / "unigrams" / "english.txt"
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return {stem: float(per_million) / 1e6 for stem, per_million in rows}


def _open_class(sentence: str) -> str:
    tokens = (token for token in style_tokens(sentence) if token[0].isalpha())
    return " ".join(token for token in tokens if token.lower().partition("'")[0] not in CLOSED_CLASS)
