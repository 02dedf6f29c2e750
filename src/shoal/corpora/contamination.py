"""Held-out items of a task that stand in a corpus: which, where, and how much of each.

An item is contaminated where it shares a run of n words with a document (n-gram overlap, as in Brown et al. 2020,
arXiv:2005.14165, appendix C, with n = 13 there); an item of fewer words must stand there whole. Words are compared in
lower case and without the punctuation of running text, and signs such as ``+`` count as words: see
`shoal.corpora.shingles`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.corpora.shingles import Shingler
from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas
    from numpy.typing import NDArray

# Below the 13 words of the paper: prompts and completions of small tasks are short, and 8 words seldom repeat by
# chance.
RUN = 8
_MIN_WORDS = 3
"""Shorter items stand in every corpus, so that finding them means nothing."""

_SHOWN = 10
"""Overlaps that a printed result lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A run of words that an item and a document have in common."""

    item: int
    """The item's place, from 0."""

    document: int
    """The document's place, from 0."""

    start: int
    """The run's first character in the document."""

    text: str
    """The run, as the document has it."""

    share: float
    """The part of the item's n-grams that stand in this document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """What a corpus holds of a task."""

    run: int
    """The words in succession that count as a copy."""

    items: int
    checked: int
    """Items of three words or more; shorter ones stand everywhere."""

    unchecked: tuple[int, ...]
    """The places of the shorter ones, from 0."""

    documents: int
    overlaps: tuple[Overlap, ...]

    @property
    def contaminated(self) -> tuple[int, ...]:
        """The items that the corpus holds a part of."""
        return tuple(sorted({overlap.item for overlap in self.overlaps}))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"contaminated": list(self.contaminated), "unchecked": list(self.unchecked)}

    def to_frame(self) -> pandas.DataFrame:
        """The overlaps, one per row: item, document, start, text, share."""
        import pandas as pd

        names = [field.name for field in fields(Overlap)]
        return pd.DataFrame([asdict(overlap) for overlap in self.overlaps], columns=names)

    def __str__(self) -> str:
        """How many items are contaminated, and the largest overlaps."""
        head = (
            f"{len(self.contaminated)} of {self.checked} items share a run of {self.run} words (or all of theirs) with "
            f"one of {self.documents:,} documents"
        )
        lines = [
            head,
            *(
                f"  item {overlap.item} in document {overlap.document} at character {overlap.start}, "
                f"{overlap.share:.0%} of it: {' '.join(overlap.text.split())[:90]!r}"
                for overlap in sorted(self.overlaps, key=lambda one: -one.share)[:_SHOWN]
            ),
        ]
        if len(self.overlaps) > _SHOWN:
            lines.append(f"  and {len(self.overlaps) - _SHOWN} more; --json gives all")
        return "\n".join(lines)


class _Items:
    """The n-grams of the items of one length."""

    def __init__(self, size: int) -> None:
        self.shingler = Shingler(size)
        self.owners: dict[int, list[int]] = {}
        self.totals: dict[int, int] = {}
        self._sorted: NDArray[Any] | None = None

    def add(self, item: int, text: str) -> None:
        """Add an item."""
        grams = np.unique(self.shingler.located(text)[0]).tolist()
        self.totals[item] = len(grams)
        for gram in grams:
            self.owners.setdefault(gram, []).append(item)

    def hits(self, grams: NDArray[Any]) -> NDArray[Any]:
        """The places of a document's n-grams that some item has."""
        if self._sorted is None:  # all items are added before the first document is read
            self._sorted = np.array(sorted(self.owners), dtype=np.uint64)
        # `np.isin` would sort the n-grams of all items again for each document.
        places = np.minimum(np.searchsorted(self._sorted, grams), len(self._sorted) - 1)
        return np.flatnonzero(self._sorted[places] == grams)


def find_contamination(documents: Iterable[str], items: Sequence[str], *, run: int = RUN) -> Contamination:
    """Look for the items in every document.

    Args:
        documents: the corpus, read once.
        items: the texts of the held-out items.
        run: how many words in succession count as a copy.

    Raises:
        UsageError: a run of fewer than three words.
        DataError: no item has three words.
    """
    if run < _MIN_WORDS:
        raise UsageError(f"runs of {run} words stand everywhere; give runs of {_MIN_WORDS} words or more")
    by_size: dict[int, _Items] = {}
    unchecked = []
    for place, item in enumerate(items):
        words = len(Shingler(1).located(item)[1])
        if words >= _MIN_WORDS:
            by_size.setdefault(min(run, words), _Items(min(run, words))).add(place, item)
        else:
            unchecked.append(place)
    if not by_size:
        raise DataError(f"none of the {len(items)} items has {_MIN_WORDS} words; contamination cannot be seen in them")
    overlaps: list[Overlap] = []
    count = 0
    for count, text in enumerate(documents, start=1):
        for size, group in by_size.items():
            overlaps += _overlaps(group, size, text, count - 1)
    return Contamination(
        run=run,
        items=len(items),
        checked=len(items) - len(unchecked),
        unchecked=tuple(unchecked),
        documents=count,
        overlaps=tuple(overlaps),
    )


def _overlaps(group: _Items, size: int, text: str, document: int) -> list[Overlap]:
    """The longest run of each item in one document."""
    grams, spans = group.shingler.located(text)
    if len(spans) < size:
        return []
    places: dict[int, list[int]] = {}
    for place in group.hits(grams).tolist():
        for item in group.owners[int(grams[place])]:
            places.setdefault(item, []).append(place)
    found = []
    for item, at in places.items():
        first, last = _longest_run(at)
        start, stop = spans[first][0], spans[last + size - 1][1]
        share = len({int(grams[place]) for place in at}) / group.totals[item]
        found.append(Overlap(item=item, document=document, start=start, text=text[start:stop], share=share))
    return found


def _longest_run(places: list[int]) -> tuple[int, int]:
    """First and last of the longest series of successive numbers."""
    best = start = previous = places[0]
    length = 0
    # A last number that follows none closes the last run.
    for place in [*places[1:], -1]:
        if place != previous + 1:
            if previous - start + 1 > length:
                best, length = start, previous - start + 1
            start = place
        previous = place
    return best, best + length - 1
