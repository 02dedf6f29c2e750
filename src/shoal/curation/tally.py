"""Statistics of what filters do, in memory that does not grow with the corpus.

Sums are exact; quantiles and examples come from random samples of documents, drawn with a seed.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.curation.filters import QualityFilter
    from shoal.curation.pipeline import FilteredDocument

Item = TypeVar("Item")

_SAMPLE = 2000
"""Documents behind the quantiles: the standard error of the rank of a median is then about 1%."""

_EXAMPLES = 3
_EXAMPLE_LENGTH = 200
_QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSpread:
    """The scores of many documents."""

    mean: float
    low: float
    """The 5% quantile."""

    median: float
    high: float
    """The 95% quantile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedExample:
    """A document that a filter removed."""

    text: str
    """Its beginning."""

    score: float
    """NaN where it was not scored, since no line was left."""


class Reservoir(Generic[Item]):
    """A uniform sample of a stream (Vitter 1985, ACM Transactions on Mathematical Software 11:37-57, algorithm R).

    Args:
        size: of the sample.
        generator: draws it.
    """

    def __init__(self, size: int, generator: random.Random) -> None:
        self.items: list[Item] = []
        self._size, self._generator, self._seen = size, generator, 0

    def offer(self, item: Item) -> None:
        """Take an item into the sample, or leave it out."""
        self._seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
        elif (place := int(self._generator.random() * self._seen)) < self._size:
            self.items[place] = item


class PartTally:
    """Sizes and scores of documents before or after filtering.

    Args:
        filters: how many scores a document has.
        generator: draws the sample behind the quantiles.
    """

    def __init__(self, filters: int, generator: random.Random) -> None:
        self.documents = self.words = self.characters = 0
        self._sums, self._counts = np.zeros(filters), np.zeros(filters, dtype=np.int64)
        self._sample: Reservoir[Sequence[float]] = Reservoir(_SAMPLE, generator)

    def add(self, texts: Sequence[str], scores: Sequence[Sequence[float]]) -> None:
        """Count documents.

        Args:
            texts: of the documents.
            scores: of each by each filter; NaN where it was not scored.
        """
        self.documents += len(texts)
        self.words += sum(len(text.split()) for text in texts)
        self.characters += sum(map(len, texts))
        table = np.array(scores, dtype=np.float64).reshape(len(texts), len(self._sums))
        self._sums += np.nansum(table, axis=0)
        self._counts += (~np.isnan(table)).sum(axis=0)
        for row in scores:
            self._sample.offer(row)

    def scored(self, place: int) -> int:
        """How many documents the filter at a place scored."""
        return int(self._counts[place])

    def spread(self, place: int) -> ScoreSpread | None:
        """The scores of the filter at a place; None where it scored no document of the sample."""
        values = np.array([row[place] for row in self._sample.items])
        values = values[~np.isnan(values)]
        if not len(values):
            return None
        low, median, high = _quantiles(values)
        return ScoreSpread(mean=float(self._sums[place] / self._counts[place]), low=low, median=median, high=high)


class CurationTally:
    """Counts documents as they pass the filters.

    Args:
        filters: those that score.
        seed: of the samples.
    """

    def __init__(self, filters: Sequence[QualityFilter], *, seed: int = 0) -> None:
        self.removed: Counter[str] = Counter()
        """Documents by what removed them."""

        self.failed = [0] * len(filters)
        """Documents that each filter would not keep, whatever the others do."""

        self._random = random.Random(seed)
        self.before, self.after = (PartTally(len(filters), self._random) for _ in range(2))
        self._places = {one.name: place for place, one in enumerate(filters)}
        self._examples: dict[str, Reservoir[RemovedExample]] = {}

    def add(self, texts: Sequence[str], found: Sequence[FilteredDocument]) -> None:
        """Count documents.

        Args:
            texts: as they came.
            found: what the filters found of them.
        """
        stay = [one for one in found if one.removed_by is None]
        self.before.add(texts, [one.scores for one in found])
        self.after.add([one.text for one in stay], [one.scores for one in stay])
        for text, one in zip(texts, found, strict=True):
            for place, failed in enumerate(one.failed):
                self.failed[place] += failed
            if one.removed_by is not None:
                self._note_removed(one.removed_by, text, one)

    def examples(self, name: str) -> tuple[RemovedExample, ...]:
        """Some of the documents that a filter removed."""
        return tuple(self._examples[name].items) if name in self._examples else ()

    def _note_removed(self, name: str, text: str, found: FilteredDocument) -> None:
        self.removed[name] += 1
        place = self._places.get(name)
        score = float("nan") if place is None else found.scores[place]
        # The text is cut before white space is joined: a document may be a whole book.
        beginning = shorten(text[: 4 * _EXAMPLE_LENGTH], _EXAMPLE_LENGTH, placeholder=" …")
        self._examples.setdefault(name, Reservoir(_EXAMPLES, self._random)).offer(
            RemovedExample(text=beginning or text[:_EXAMPLE_LENGTH], score=score)
        )


def _quantiles(values: NDArray[np.float64]) -> list[float]:
    # Linear interpolation between two infinities is NaN; the nearest value is one that was seen.
    found: list[float] = np.quantile(values, _QUANTILES, method="nearest").tolist()
    return found
