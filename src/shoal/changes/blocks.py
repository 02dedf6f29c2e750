"""A stretch of the stream as blocks: how often each word stands in each block, kept as one Gram matrix a cell.

With counts c_bw of word w in block b and p_w its share in the stretch, every chi-square distance between two runs of
blocks l and r,

    D = N_l N_r / (N_l + N_r) sum_w (c_lw / N_l - c_rw / N_r)^2 / p_w
      = |S_l|^2 / N_l + |S_r|^2 / N_r - |S_l + S_r|^2 / (N_l + N_r),    S_w = (c_w - N p_w) / sqrt(p_w),

is made of sums over squares of K_bb' = sum_w S_bw S_b'w: three look-ups in its running sums, whatever the number of
words; and blocks in another order are the same matrix with rows and columns in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.words import Cell

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The blocks of a stretch."""

    edges: Array
    """Where blocks start and the last ends, int64 of shape (G + 1,)."""
    grams: Array
    """K of every cell that has two words or more: float32 of shape (G, G, cells)."""
    words: Array
    """How many words each of those cells has, of shape (cells,)."""
    steps: Array
    """How many words of each cell a block counts on average, of shape (cells,)."""

    @property
    def count(self) -> int:
        """The number G of blocks."""
        return len(self.edges) - 1

    @property
    def width(self) -> int:
        """The steps of a block."""
        return round(int(self.edges[-1] - self.edges[0]) / self.count)

    def ordered(self, order: Array) -> Array:
        """The matrices of the blocks in another order."""
        return self.grams.take(order, axis=0).take(order, axis=1)


def cut(cells: list[Cell], start: int, end: int, count: int) -> Blocks:
    """Cut ``[start, end)`` into ``count`` blocks whose lengths differ by at most one.

    A word stands in the block that it starts in; one that reaches beyond the stretch is not counted, as it would be the
    only one of its kind where a stretch is regular. A word with something missing is not counted either.
    """
    edges = start + np.arange(count + 1) * (end - start) // count
    block = np.repeat(np.arange(count), np.diff(edges))
    grams, words, steps = [], [], []
    for cell in cells:
        size, whole = cell.size, max(end - start - cell.length + 1, 0)
        joined = block[:whole] * size + cell.words[start : start + whole]
        if cell.whole is not None:
            joined = joined[cell.whole[start : start + whole]]
        counts = np.bincount(joined, minlength=count * size).reshape(count, size)
        totals = counts.sum(axis=0)
        seen = int(np.count_nonzero(totals))
        if seen < 2:
            continue
        scaled = counts * np.sqrt(len(joined) / np.maximum(totals, 1))
        inside = counts.sum(axis=1).astype(np.float64)
        grams.append(scaled @ scaled.T - np.outer(inside, inside))  # a sum over p_w of one, so the mean comes off last
        words.append(seen)
        steps.append(len(joined) / count)
    stacked = np.array(grams, dtype=np.float32).reshape(len(grams), count, count).transpose(1, 2, 0).copy()
    return Blocks(edges=edges, grams=stacked, words=np.array(words, dtype=np.int64), steps=np.array(steps))
