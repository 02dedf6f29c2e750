"""Edit distances from one sequence to many at once.

Method: Myers' bit-parallel algorithm ("A fast bit-vector algorithm for approximate string matching based on dynamic
programming", J. ACM 46, 1999) in the block form of Hyyrö (2003), where the words of the bit vectors are NumPy arrays
over all texts. Cost of one query of m tokens: ceil(m / 64) times the number of tokens in all texts, some 20 ns each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_WORD = 64
_ONE = np.uint64(1)


class Texts:
    """Sequences of token ids to which distances are asked."""

    def __init__(self, texts: Sequence[Sequence[int]]) -> None:
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        # The longest come first, so that the texts still running at a column are always a leading part.
        self._order = np.argsort(-lengths, kind="stable")
        self._lengths = lengths[self._order]
        flat = np.fromiter((token for text in texts for token in text), dtype=np.int64, count=int(lengths.sum()))
        self._alphabet, dense = np.unique(flat, return_inverse=True)
        self._dense = dense
        self._starts = (np.cumsum(lengths) - lengths)[self._order]

    @property
    def tokens(self) -> int:
        """Tokens of all texts: the cost of a query of up to 64 tokens."""
        return len(self._dense)

    def distances(self, query: Sequence[int]) -> NDArray[np.int64]:
        """The least number of insertions, deletions and replacements from the query to each text, in their order."""
        answer = np.empty(len(self._order), dtype=np.int64)
        answer[self._order] = self._sorted_distances(query) if len(query) else self._lengths
        return answer

    def nearest(self, query: Sequence[int]) -> tuple[int, int]:
        """The place of the nearest text, the first of equally near ones, and its distance."""
        distances = self.distances(query)
        place = int(distances.argmin())
        return place, int(distances[place])

    def _sorted_distances(self, query: Sequence[int]) -> NDArray[np.int64]:
        """The distances, the longest text first."""
        masks_VW = self._masks(query)
        words = masks_VW.shape[1]
        plus_WT = np.full((words, len(self._order)), ~np.uint64(0))
        minus_WT = np.zeros_like(plus_WT)
        score_T = np.full(len(self._order), len(query), dtype=np.int64)
        tops = [np.uint64(_WORD - 1)] * (words - 1) + [np.uint64((len(query) - 1) % _WORD)]
        running = len(self._order)
        for column in range(int(self._lengths[0]) if len(self._lengths) else 0):
            running = int(np.searchsorted(-self._lengths[:running], -column, side="left"))
            tokens_T = self._dense[self._starts[:running] + column]
            up_T: NDArray[np.uint64] | np.uint64 = _ONE
            down_T: NDArray[np.uint64] | np.uint64 = np.uint64(0)
            for word in range(words):
                plus_T, minus_T = plus_WT[word, :running], minus_WT[word, :running]
                equal_T = masks_VW[tokens_T, word]
                vertical_T = equal_T | minus_T
                equal_T |= down_T
                horizontal_T = (((equal_T & plus_T) + plus_T) ^ plus_T) | equal_T
                rise_T = minus_T | ~(horizontal_T | plus_T)
                fall_T = plus_T & horizontal_T
                up_next_T, down_next_T = (rise_T >> tops[word]) & _ONE, (fall_T >> tops[word]) & _ONE
                rise_T, fall_T = (rise_T << _ONE) | up_T, (fall_T << _ONE) | down_T
                plus_WT[word, :running] = fall_T | ~(vertical_T | rise_T)
                minus_WT[word, :running] = rise_T & vertical_T
                up_T, down_T = up_next_T, down_next_T
            score_T[:running] += np.asarray(up_T, dtype=np.int64) - np.asarray(down_T, dtype=np.int64)
        return score_T

    def _masks(self, query: Sequence[int]) -> NDArray[np.uint64]:
        """For each token of the texts, a bit at each place where the query has it."""
        masks_VW = np.zeros((max(1, len(self._alphabet)), -(-len(query) // _WORD)), dtype=np.uint64)
        tokens = np.asarray(query, dtype=np.int64)
        rows = np.searchsorted(self._alphabet, tokens)
        for place, (row, token) in enumerate(zip(rows.tolist(), tokens.tolist(), strict=True)):
            if row < len(self._alphabet) and self._alphabet[row] == token:
                masks_VW[row, place // _WORD] |= _ONE << np.uint64(place % _WORD)
        return masks_VW
