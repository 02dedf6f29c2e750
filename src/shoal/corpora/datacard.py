"""The card of a corpus: its size, words, diversity, lengths, duplicates and licence, as Markdown and JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.corpora.duplicates import THRESHOLD, DuplicateFinder
from shoal.corpora.shingles import words_of
from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas

SAMPLE_WORDS = 100_000
"""Diversity falls with the length of a text, so it is taken over the first words up to this number."""

# The tails, since packing and truncation depend on the longest documents, and quality on the shortest.
_QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
_COMMON = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """What is known of a corpus; printed, it is Markdown."""

    name: str
    licence: str
    """As the user gives it; shoal cannot know it."""

    documents: int
    bytes: int
    """Of the texts in UTF-8."""

    characters: int
    words: int
    """Runs of letters and digits, apostrophes inside them included, in lower case."""

    vocabulary: int
    """Different words."""

    type_token: float
    """Different words over words."""

    sample_words: int
    """The words over which the four figures below were taken; compare corpora at equal numbers."""

    sample_type_token: float
    distinct: tuple[float, float, float]
    """Different n-grams over n-grams within documents, n = 1, 2, 3 (Li et al. 2016, arXiv:1510.03055)."""

    words_per_document: dict[str, float]
    """Quantiles."""

    exact_duplicates: int
    """Documents equal, up to white space, to one before them."""

    near_duplicates: int
    """Further documents whose word 5-grams have a Jaccard index above `near_threshold` with one before them."""

    near_threshold: float
    common_words: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """The card as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        """The card as Markdown."""
        return self.to_markdown()

    def to_frame(self) -> pandas.DataFrame:
        """The most common words with their counts and their share of all words, one per row."""
        import pandas as pd

        frame = pd.DataFrame(self.common_words, columns=["word", "count"])
        return frame.assign(share=frame["count"] / self.words)

    def to_markdown(self) -> str:
        """The card as Markdown."""
        one, two, three = self.distinct
        rows = {
            "licence": self.licence,
            "documents": f"{self.documents:,}",
            "bytes (UTF-8)": f"{self.bytes:,}",
            "characters": f"{self.characters:,}",
            "words": f"{self.words:,}",
            "different words": f"{self.vocabulary:,}",
            "type-token ratio": f"{self.type_token:.4f}",
            f"type-token ratio of the first {self.sample_words:,} words": f"{self.sample_type_token:.4f}",
            f"distinct-1, -2, -3 of the first {self.sample_words:,} words": f"{one:.4f}, {two:.4f}, {three:.4f}",
            "exact duplicates": self._share(self.exact_duplicates),
            f"near duplicates (5-grams, Jaccard above {self.near_threshold:g})": self._share(self.near_duplicates),
        }
        lengths = " | ".join(f"{value:,.0f}" for value in self.words_per_document.values())
        return "\n".join(
            [
                f"# {self.name}\n",
                "| | |\n|---|---|",
                *(f"| {name} | {value} |" for name, value in rows.items()),
                "\n## Words per document\n",
                f"| {' | '.join(self.words_per_document)} |",
                "|---" * len(self.words_per_document) + "|",
                f"| {lengths} |",
                f"\nMost common words: {', '.join(word for word, _ in self.common_words)}.\n",
            ]
        )

    def _share(self, count: int) -> str:
        return f"{count:,} ({count / self.documents:.2%})"


def describe_corpus(
    texts: Iterable[str], *, name: str = "corpus", licence: str = "not stated", threshold: float = THRESHOLD
) -> DataCard:
    """Read a corpus once and describe it.

    Args:
        texts: the documents.
        name: the card's title.
        licence: the licence of the texts.
        threshold: the Jaccard index above which documents are near duplicates.

    Raises:
        DataError: there are no words.
        MissingExtraError: the library for near duplicates is not installed.
    """
    finder, counts = DuplicateFinder(threshold=threshold), Counter[str]()
    lengths: list[int] = []
    sample: list[list[str]] = []
    size = characters = doubles = sampled = 0
    for text in texts:  # once: a corpus may be a stream larger than memory
        words = words_of(text)
        counts.update(words)
        lengths.append(len(words))
        size += len(text.encode("utf-8", "surrogatepass"))
        characters += len(text)
        if sampled < SAMPLE_WORDS:
            sample.append(words[: SAMPLE_WORDS - sampled])
            sampled += len(sample[-1])
        doubles += finder.check(text) is not None
    total = sum(lengths)
    if not total:
        raise DataError(f"{name} holds no words; there is nothing to describe")
    quantiles = np.quantile(lengths, _QUANTILES)
    return DataCard(
        name=name,
        licence=licence,
        documents=len(lengths),
        bytes=size,
        characters=characters,
        words=total,
        vocabulary=len(counts),
        type_token=len(counts) / total,
        sample_words=sampled,
        sample_type_token=distinct_n(sample, 1),
        distinct=(distinct_n(sample, 1), distinct_n(sample, 2), distinct_n(sample, 3)),
        words_per_document={f"{share:.0%}": float(value) for share, value in zip(_QUANTILES, quantiles, strict=True)},
        exact_duplicates=finder.repeats,
        near_duplicates=doubles - finder.repeats,
        near_threshold=threshold,
        common_words=tuple(counts.most_common(_COMMON)),
    )


def distinct_n(documents: Iterable[Sequence[str]], n: int) -> float:
    """Different n-grams over all n-grams; none crosses the end of a document. 0 where there are none.

    Args:
        documents: words of each document.
        n: words per gram.
    """
    seen: set[tuple[str, ...]] = set()
    count = 0
    for words in documents:
        grams = list(zip(*(islice(words, start, None) for start in range(n)), strict=False))
        seen.update(grams)
        count += len(grams)
    return len(seen) / count if count else 0.0
