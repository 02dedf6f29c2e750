"""An interpolated Kneser-Ney n-gram model over token ids: a language model that is trained by counting.

The recursion and the discounts are those of Chen & Goodman 1999 ("An empirical study of smoothing techniques for
language modeling", section 3, interpolated form, one discount n1 / (n1 + 2 n2) an order); the lowest order is
interpolated with the uniform distribution. Counting and looking up are sorts and binary searches of 64-bit hashes of
the grams, O(N log N) an order for N tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Floats = NDArray[np.float64]

# An odd constant without pattern (2^64 over the golden ratio): powers of it spread the places of a gram.
_ODD = np.uint64(0x9E3779B97F4A7C15)


class _Order(NamedTuple):
    """The counts of one order."""

    grams: Hashes
    """Sorted hashes of the grams."""

    counts: Floats
    """How often each stands (highest order), or after how many different tokens (lower ones)."""

    contexts: Hashes
    """Sorted hashes of the grams without their last token."""

    totals: Floats
    kinds: Floats
    """Of each context: the sum of the counts of its grams, and their number."""

    discount: float


class NgramModel:
    """Probabilities of tokens given the tokens before them.

    Attributes:
        order: the longest gram.
        vocabulary: how many tokens there are, the end of a document included.
    """

    def __init__(self, documents: Sequence[Sequence[int]], *, order: int, vocabulary: int) -> None:
        """Count.

        Args:
            documents: token ids; each is followed by an end of its own.
            order: the longest gram, 1 or more.
            vocabulary: the number of token ids.

        Raises:
            DataError: there are no documents.
        """
        if not documents:
            raise DataError("there are no documents to count n-grams in")
        self.order, self.vocabulary = order, vocabulary + 1
        stream, _ = self._stream(documents)
        hashes = _hashes(stream, order)
        # The zeros before a document are context and never predicted.
        places = np.flatnonzero(stream)
        self._orders = [_count(hashes, places, size, highest=size == order) for size in range(1, order + 1)]

    def bits(self, documents: Sequence[Sequence[int]]) -> Floats:
        """The bits that each document takes, its end included."""
        stream, starts = self._stream(documents)
        hashes = _hashes(stream, self.order)
        probability = np.full(len(stream), 1 / self.vocabulary)
        for size, order in enumerate(self._orders, start=1):
            at, known = _look_up(order.contexts, _shift(hashes[size - 1]))
            totals = np.where(known, order.totals[at], 1.0)
            # Behind a context that was never seen, all of the probability comes from the lower order.
            spread = order.discount * np.where(known, order.kinds[at], totals / order.discount) / totals
            at, counted = _look_up(order.grams, hashes[size])
            counts = np.where(counted & known, order.counts[at], 0.0)
            probability = np.maximum(counts - order.discount, 0.0) / totals + spread * probability
        return np.add.reduceat(np.where(stream != 0, -np.log2(probability), 0.0), starts)

    def _stream(self, documents: Sequence[Sequence[int]]) -> tuple[Hashes, NDArray[np.intp]]:
        """All documents in one row of ids from 1 on, each after as many zeros as a context holds, and their starts."""
        opening, end = [0] * max(self.order - 1, 1), self.vocabulary
        rows = [[*opening, *(id_ + 1 for id_ in ids), end] for ids in documents]
        starts = np.cumsum([0, *map(len, rows[:-1])])
        return np.concatenate([np.array(row, dtype=np.uint64) for row in rows]), starts


def _hashes(stream: Hashes, order: int) -> list[Hashes]:
    """For each size from 0 to the order, the hash of the gram that ends at each place.

    The hash of tokens t1 .. tk is the sum of h(ti) c^(k-i), so that leaving off the last token or the first gives the
    hash of the shorter gram at the neighbouring or at the same place.
    """
    mixed = _mix(stream)
    hashes: list[Hashes] = [np.zeros(len(stream), dtype=np.uint64)]
    factor = 1
    for size in range(order):
        shifted = np.concatenate([np.zeros(size, dtype=np.uint64), mixed[: len(mixed) - size]])
        hashes.append((hashes[-1] + shifted * np.uint64(factor)).astype(np.uint64))
        # Odd, so that multiplying modulo 2^64 loses no bits.
        factor = factor * int(_ODD) % 2**64
    return hashes


def _count(hashes: list[Hashes], places: NDArray[Any], size: int, *, highest: bool) -> _Order:
    """The counts of one order over the places of real tokens."""
    if highest:
        grams, at, counts = np.unique(hashes[size][places], return_index=True, return_counts=True)
    else:
        # Kneser-Ney: a lower order counts the different tokens before a gram, so each longer gram once.
        _, longer = np.unique(hashes[size + 1][places], return_index=True)
        grams, first, counts = np.unique(hashes[size][places[longer]], return_index=True, return_counts=True)
        at = longer[first]
    contexts, of = np.unique(_shift(hashes[size - 1])[places[at]], return_inverse=True)
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    return _Order(
        grams=grams,
        counts=counts.astype(np.float64),
        contexts=contexts,
        totals=np.bincount(of, weights=counts).astype(np.float64),
        kinds=np.bincount(of).astype(np.float64),
        # The estimate is 0 or 1 where no gram occurs once or none twice, and either would put everything on one
        # order.
        discount=once / (once + 2 * twice) if once and twice else 0.5,
    )


def _look_up(table: Hashes, sought: Hashes) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Where each value stands in a sorted table, and whether it stands there at all."""
    at = np.minimum(np.searchsorted(table, sought), len(table) - 1)
    return at, table[at] == sought


def _shift(values: Hashes) -> Hashes:
    """Each place takes the value of the one before it."""
    return np.concatenate([np.zeros(1, dtype=np.uint64), values[:-1]])


def _mix(numbers: Hashes) -> Hashes:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014), so that ids become 64-bit numbers without pattern."""
    numbers = (numbers + np.uint64(1)) * _ODD
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
