"""Exact and near duplicates: MinHash proposes, the exact Jaccard index decides.

Two documents are near duplicates where the Jaccard index of their sets of word 5-grams is above a threshold (Broder
1997, "On the resemblance and containment of documents"). What counts as a word, and which signs do, is said in
`shoal.corpora.shingles`; of a document of fewer than five words and signs all marks count. Candidates are found by
locality-sensitive hashing of MinHash signatures (the `rensa` library): 128 permutations in 32 bands of 4, which finds
a pair of index .7 with a chance of .9998, and of .6 with .987. Cost: one signature and one query a document.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.corpora.shingles import Shingler, jaccard
from shoal.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

NEAR = 0.7
_PERMUTATIONS = 128
_BANDS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A document that repeats an earlier one."""

    document: int
    """Its place, from 0."""

    of: int
    """The place of the earlier one, which is kept."""

    similarity: float
    """The exact Jaccard index; 1 for an exact duplicate."""

    exact: bool
    """Whether the texts are equal up to white space."""


class DuplicateFinder:
    """Goes through documents in order and says of each whether it repeats one that was kept."""

    def __init__(self, *, near: float = NEAR, size: int = 5, seed: int = 0) -> None:
        """Prepare.

        Args:
            near: the Jaccard index above which two documents are near duplicates.
            size: words a shingle.
            seed: of the permutations.

        Raises:
            MissingExtraError: the ``rensa`` package is not installed.
            UsageError: a threshold that the bands cannot find.
        """
        self._kept = _Kept(near, size, seed)
        self._exact: dict[str, int] = {}
        self._count = 0

    def check(self, text: str) -> Duplicate | None:
        """What the next document repeats, or None, and then it is kept."""
        place, plain = self._count, " ".join(text.split())
        self._count += 1
        first = self._exact.setdefault(_digest(plain), place)
        if first != place:
            return Duplicate(document=place, of=first, similarity=1.0, exact=True)
        shingles, signature = self._kept.read(text)
        for candidate, similarity in self._kept.similar(shingles, signature):
            return Duplicate(document=place, of=candidate, similarity=similarity, exact=False)
        self._kept.add(place, shingles, signature)
        return None


def find_duplicates(texts: Iterable[str], *, near: float = NEAR) -> Iterator[Duplicate]:
    """Yield every document that repeats an earlier one that is kept.

    Args:
        texts: the documents.
        near: the Jaccard index above which two documents are near duplicates.

    Raises:
        MissingExtraError: the ``rensa`` package is not installed.
    """
    finder = DuplicateFinder(near=near)
    for text in texts:
        found = finder.check(text)
        if found is not None:
            yield found


def find_pairs(texts: Iterable[str], *, near: float = NEAR) -> Iterator[Duplicate]:
    """Yield every pair of documents that are near duplicates of each other; none is dropped before the others are seen.

    Args:
        texts: the documents; the shingles of all are held in memory, about 8 bytes a word.
        near: the Jaccard index above which two documents are near duplicates.

    Raises:
        MissingExtraError: the ``rensa`` package is not installed.
        UsageError: a threshold that the bands cannot find.
    """
    kept = _Kept(near, 5, 0)
    digests: list[str] = []
    for place, text in enumerate(texts):
        digests.append(_digest(" ".join(text.split())))
        shingles, signature = kept.read(text)
        for other, similarity in kept.similar(shingles, signature):
            exact = digests[other] == digests[place]
            yield Duplicate(document=place, of=other, similarity=similarity, exact=exact)
        kept.add(place, shingles, signature)


class _Kept:
    """The shingles of documents, and an index of their signatures."""

    def __init__(self, near: float, size: int, seed: int) -> None:
        if not 0.5 <= near < 1:
            raise UsageError(f"near duplicates above {near} cannot be looked for; give a Jaccard index from 0.5 to 1")
        try:
            import rensa
        except ImportError as error:
            raise MissingExtraError("corpora", "looking for near duplicates") from error
        self._near, self._seed = near, seed
        self._minhash = rensa.RMinHash
        self._index = rensa.RMinHashLSH(near, _PERMUTATIONS, _BANDS)
        self._shingler = Shingler(size)
        self._shingles: dict[int, np.ndarray[Any, Any]] = {}

    def read(self, text: str) -> tuple[np.ndarray[Any, Any], Any]:
        """The shingles of a text and their signature."""
        shingles = self._shingler.shingles(text)
        raw = shingles.tobytes()
        signature = self._minhash(_PERMUTATIONS, self._seed)
        signature.update([raw[start : start + 8] for start in range(0, len(raw), 8)])
        return shingles, signature

    def similar(self, shingles: np.ndarray[Any, Any], signature: Any) -> Iterator[tuple[int, float]]:
        """The kept documents above the threshold, in their order, with the exact index."""
        for candidate in sorted(self._index.query(signature)):
            similarity = jaccard(shingles, self._shingles[candidate])
            if similarity > self._near:
                yield candidate, similarity

    def add(self, place: int, shingles: np.ndarray[Any, Any], signature: Any) -> None:
        """Keep a document."""
        self._index.insert(place, signature)
        self._shingles[place] = shingles


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
