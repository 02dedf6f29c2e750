"""A corpus as numbers: sentences of lower-case words, the vocabulary, and the words' places in it."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.text.letters import LETTER_RUN
from shoal.text.sentences import split_sentences
from shoal.textfiles import ZIP_FAULTS, decode_text, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

# gensim's MAX_WORDS_IN_BATCH.
_LONGEST = 10_000
"""Words; gensim drops what stands behind them in a sentence without a warning."""

_WORD = re.compile(rf"{LETTER_RUN}(?:['\u2019]{LETTER_RUN})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCorpus:
    """Sentences as word ids."""

    words: tuple[str, ...]
    """The vocabulary, the most frequent word first."""

    counts: npt.NDArray[np.int64]
    """How often each occurs."""

    ids: npt.NDArray[np.int32]
    """Every word of the vocabulary in the order of the text; rarer words are left out."""

    sentence_ends: npt.NDArray[np.int64]
    """Where each sentence stops in ``ids``."""

    def sentences(self) -> Iterator[list[str]]:
        """The sentences as words; longer ones than gensim takes (it drops the rest silently) in pieces."""
        start = 0
        for stop in self.sentence_ends:
            for first in range(start, stop, _LONGEST):
                yield [self.words[place] for place in self.ids[first : min(first + _LONGEST, stop)]]
            start = stop


def split_words(sentence: str) -> list[str]:
    """Lower-case words: runs of letters with their marks, an apostrophe inside allowed."""
    return [word.replace("\u2019", "'") for word in _WORD.findall(sentence.lower())]


def build_corpus(sentences: Iterable[Sequence[str]], *, min_count: int = 5) -> WordCorpus:
    """Number the words of a corpus.

    Args:
        sentences: each as its words.
        min_count: rarer words are left out.

    Raises:
        DataError: fewer than two words occur that often.
    """
    kept = [list(sentence) for sentence in sentences]
    counted = Counter(word for sentence in kept for word in sentence)
    # Words of equal counts in the order of the alphabet: equal counts then give equal ids, whatever order the texts
    # came in.
    words = sorted(
        (word for word, count in counted.items() if count >= min_count), key=lambda word: (-counted[word], word)
    )
    if len(words) < 2:
        raise DataError(
            f"{len(kept)} sentences hold {len(words)} words that occur {min_count} times or more; give more text"
        )
    places = {word: place for place, word in enumerate(words)}
    rows = [[places[word] for word in sentence if word in places] for sentence in kept]
    rows = [row for row in rows if row]
    return WordCorpus(
        words=tuple(words),
        counts=np.array([counted[word] for word in words], dtype=np.int64),
        ids=np.fromiter((place for row in rows for place in row), dtype=np.int32),
        sentence_ends=np.cumsum([len(row) for row in rows]),
    )


def read_sentences(file: str | Path) -> list[list[str]]:
    """The sentences of a text file (``.gz`` or not), or of the text files in a .zip, each as its words.

    Raises:
        DataError: not UTF-8 text, or an archive that cannot be read.
    """
    file = Path(file)
    if file.suffix != ".zip":
        return sentences_of(read_text(file))
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".txt"))
            return [row for name in names for row in sentences_of(decode_text(archive.read(name), f"{file}, {name}"))]
    except ZIP_FAULTS as error:
        raise DataError(f"{file} cannot be read as a .zip archive ({error}); make or fetch it again") from error


def sentences_of(text: str) -> list[list[str]]:
    """The sentences of a text, each as its words; none without words."""
    return [words for sentence in split_sentences(text) if (words := split_words(sentence))]
