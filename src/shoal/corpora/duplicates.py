"""Exact and near duplicates: MinHash proposes, the exact Jaccard index decides.

Two documents are near duplicates where the Jaccard index of their sets of word 5-grams is above a threshold (Broder
1997, "On the resemblance and containment of documents"). What counts as a word, and which signs do, is described in
`shoal.corpora.shingles`; of a document of fewer than five words and signs all marks count. Candidates are found by
locality-sensitive hashing of MinHash signatures (the `rensa` library): 128 permutations in 32 bands of 4, which finds
a pair of index .7 with a chance of .9998, and of .6 with .987.

Cost: one signature and one query per document. Where a document has many candidates (rows made from one template lie
just under the threshold by the thousand), they are not compared one by one: an inverted index of their shingles counts
what they share with the document, its rarest shingles first, and drops those that cannot reach the threshold any more
(prefix filtering: Chaudhuri, Ganti & Kaushik 2006, "A primitive operator for similarity joins in data cleaning"). The
decisions are the same.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.corpora.shingles import Shingler, jaccard
from shoal.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

THRESHOLD = 0.7
"""The Jaccard index above which documents are near duplicates, unless another is given."""

# Bands of four values: a pair at the threshold shares one with a probability of 1 - (1 - 0.7^4)^32, above 99.98%, and a
# pair with an index of 0.3 with one of 23%, of which the exact index then decides.
_PERMUTATIONS = 128
_BANDS = 32
_CROWD = 32
"""Candidates up to this number are compared one by one; beyond it the inverted index costs less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A document that repeats an earlier one."""

    document: int
    """Its place, from 0."""

    original: int
    """The place of the earlier one, which stays."""

    similarity: float
    """The exact Jaccard index; 1 for an exact duplicate."""

    exact: bool
    """Whether the texts of the two are equal up to white space."""

    def __str__(self) -> str:
        """One line."""
        kind = "equals" if self.exact else f"is near ({self.similarity:.3f}) to"
        return f"document {self.document} {kind} document {self.original}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class DuplicateFinder:
    """Finds for each document, in order, whether it repeats an earlier one."""

    def __init__(self, *, threshold: float = THRESHOLD, size: int = 5, seed: int = 0) -> None:
        """Prepare.

        Args:
            threshold: the Jaccard index above which two documents are near duplicates.
            size: words per shingle.
            seed: random seed of the permutations.

        Raises:
            MissingExtraError: the ``rensa`` package is not installed.
            UsageError: a threshold that the bands cannot find.
        """
        self._originals = _Originals(threshold, size, seed)
        self._exact: dict[str, int] = {}
        self._near: dict[int, Duplicate] = {}
        self._count = 0
        self.repeats = 0
        """Documents whose text is that of an earlier one up to white space, whether that one stays or not."""

    def check(self, text: str) -> Duplicate | None:
        """What the next document repeats; None makes it an original, which later ones are compared with."""
        place, plain = self._count, " ".join(text.split())
        self._count += 1
        first = self._exact.setdefault(_digest(plain), place)
        if first != place:
            self.repeats += 1
            # Where the equal one is near to an earlier one, that one is what stays.
            near = self._near.get(first)
            if near is not None:
                return replace(near, document=place)
            return Duplicate(document=place, original=first, similarity=1.0, exact=True)
        shingles, signature = self._originals.read(text)
        for candidate, similarity in self._originals.similar(shingles, signature):
            self._near[place] = Duplicate(document=place, original=candidate, similarity=similarity, exact=False)
            return self._near[place]
        self._originals.add(place, shingles, signature)
        return None


def find_duplicates(texts: Iterable[str], *, threshold: float = THRESHOLD) -> Iterator[Duplicate]:
    """Yield every document that repeats an earlier one, which itself repeats none.

    Args:
        texts: the documents.
        threshold: the Jaccard index above which two documents are near duplicates.

    Raises:
        MissingExtraError: the ``rensa`` package is not installed.
    """
    finder = DuplicateFinder(threshold=threshold)
    for text in texts:
        found = finder.check(text)
        if found is not None:
            yield found


def find_pairs(texts: Iterable[str], *, threshold: float = THRESHOLD) -> Iterator[Duplicate]:
    """Yield every pair of documents that are near duplicates of each other; none is dropped before the others are seen.

    Args:
        texts: the documents; the shingles of all are held in memory, about 8 bytes per word.
        threshold: the Jaccard index above which two documents are near duplicates.

    Raises:
        MissingExtraError: the ``rensa`` package is not installed.
        UsageError: a threshold that the bands cannot find.
    """
    originals = _Originals(threshold, 5, 0)
    digests: list[str] = []
    for place, text in enumerate(texts):
        digests.append(_digest(" ".join(text.split())))
        shingles, signature = originals.read(text)
        for other, similarity in originals.similar(shingles, signature):
            exact = digests[other] == digests[place]
            yield Duplicate(document=place, original=other, similarity=similarity, exact=exact)
        originals.add(place, shingles, signature)


class _Originals:
    """The shingles of documents, and an index of their signatures."""

    def __init__(self, threshold: float, size: int, seed: int) -> None:
        # A pair of index .5 still collides in a band with a chance of .87; below, too many are missed.
        if not 0.5 <= threshold < 1:
            raise UsageError(
                f"near duplicates above {threshold} cannot be looked for; give a Jaccard index from 0.5 to 1"
            )
        try:
            import rensa
        except ImportError as error:
            raise MissingExtraError("corpora", "looking for near duplicates") from error
        self._threshold, self._seed = threshold, seed
        self._minhash = rensa.RMinHash
        self._index = rensa.RMinHashLSH(threshold, _PERMUTATIONS, _BANDS)
        self._shingler = Shingler(size)
        self._shingles: dict[int, NDArray[np.uint64]] = {}
        self._crowd = _Crowd(threshold)

    def read(self, text: str) -> tuple[NDArray[np.uint64], Any]:
        """The shingles of a text and their signature."""
        shingles = self._shingler.shingles(text)
        raw = shingles.tobytes()
        signature = self._minhash(_PERMUTATIONS, self._seed)
        signature.update([raw[start : start + 8] for start in range(0, len(raw), 8)])
        return shingles, signature

    def similar(self, shingles: NDArray[np.uint64], signature: Any) -> Iterator[tuple[int, float]]:
        """The documents above the threshold, in their order, with the exact index."""
        candidates = self._index.query(signature)
        if len(candidates) > _CROWD:
            # Documents enter the inverted index when they first stand in a crowd: most corpora have none.
            candidates = set(candidates)
            for place in candidates.difference(self._crowd.rows):
                self._crowd.add(place, self._shingles[place])
            candidates &= self._crowd.possible(shingles)
        # The index gives them in any order, and the earliest document is the original.
        for candidate in sorted(candidates):
            similarity = jaccard(shingles, self._shingles[candidate])
            if similarity > self._threshold:
                yield candidate, similarity

    def add(self, place: int, shingles: NDArray[np.uint64], signature: Any) -> None:
        """Add a document that later ones are compared with."""
        self._index.insert(place, signature)
        self._shingles[place] = shingles


class _Crowd:
    """An inverted index of documents that are alike: for each shingle the documents that hold it."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self.rows: dict[int, int] = {}
        self._places = array("q")
        self._sizes = array("q")
        self._holders: dict[int, array[int]] = {}

    def add(self, place: int, shingles: NDArray[np.uint64]) -> None:
        """Add a document that is not there yet."""
        row = self.rows[place] = len(self.rows)
        self._places.append(place)
        self._sizes.append(len(shingles))
        for shingle in shingles.tolist():
            holders = self._holders.get(shingle)
            if holders is None:
                self._holders[shingle] = array("q", (row,))
            else:
                holders.append(row)

    def possible(self, shingles: NDArray[np.uint64]) -> set[int]:
        """The documents whose Jaccard index with a set may be above the threshold; those left out are below it.

        J > t means that sets of a and b shingles share more than t (a + b) / (1 + t), which is more than t a whatever b
        is. So a document above the threshold holds one of any a - floor(t a) shingles of the set; the rarest are looked
        up. Each document shares at most those that it holds of them, and all the others.
        """
        known = [holders for shingle in shingles.tolist() if (holders := self._holders.get(shingle)) is not None]
        known.sort(key=len)
        size = len(shingles)
        absent = size - len(known)  # shingles that no document holds are the rarest of all
        looked_up = min(len(known), max(0, size - int(self._threshold * size) - absent))
        sizes = np.frombuffer(self._sizes, dtype=np.int64)
        needed = self._threshold * (size + sizes) / (1 + self._threshold) - 1e-9  # a bound must not lose to rounding
        shared = np.zeros(len(sizes), dtype=np.int64)
        # First by the rarest shingles; all of them only where still too many candidates are left.
        for stop in (looked_up, len(known)):
            lists = [np.frombuffer(holders, dtype=np.int64) for holders in islice(known, stop)]
            shared = np.bincount(np.concatenate(lists), minlength=len(sizes)) if lists else shared * 0
            rows = np.flatnonzero(shared + (len(known) - stop) > needed)
            if len(rows) <= _CROWD:
                break
        return set(np.frombuffer(self._places, dtype=np.int64)[rows].tolist())


def _digest(text: str) -> str:
    # 128 bits in place of the text, so that memory does not grow with the length of documents.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
