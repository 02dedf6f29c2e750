"""One change in a segment: the statistic of every split of every window, and the largest of them.

A segment of the stream is cut into blocks; how often each word occurs in each block is held in one Gram matrix per
cell. With counts c_bw of word w in block b and p_w its share in the stretch, every chi-square distance between two runs
of blocks l and r,

    D = N_l N_r / (N_l + N_r) sum_w (c_lw / N_l - c_rw / N_r)^2 / p_w
      = |S_l|^2 / N_l + |S_r|^2 / N_r - |S_l + S_r|^2 / (N_l + N_r),    S_w = (c_w - N p_w) / sqrt(p_w),

is made of sums over squares of K_bb' = sum_w S_bw S_b'w: three look-ups in its running sums, whatever the number of
words; and blocks in another order are the same matrix with rows and columns in that order.

A window and a split give a distance D in each cell. What D is where nothing changes is measured on the blocks
themselves, from differences between blocks that lie one and two apart, which a few changes hardly touch:

    v_h = mean |S_b - S_{b+h}|^2 / 2,    r = 1 - v_1 / v_2,    E D = v_2 (1 + r q),

with r the correlation of neighbouring blocks (what the stream remembers across a border) and q what the split makes of
it. Relative to that mean D is close to a chi-square over its degrees of freedom (Box 1954, Annals of Mathematical
Statistics 25; `degrees_of_freedom` takes them low), and Wilson and Hilferty's cube root (1931, PNAS 17) makes all cells
and splits normal scores, of which the largest is taken: one clear cell is enough, and no noisy one can drown it.

What a border between blocks cuts off is put back: the covariance of neighbouring blocks, relative to their variance,
estimates the share that block sums of this length miss of the long-run variance (a flat-top window; Politis and Romano
1995, Journal of Time Series Analysis 16). It scales the statistic, in the stretch and in each permutation alike, so the
noise of that estimate is in the null law too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.ngrams import NgramTable
    from shoal.changes.permutation import LinearBootstrap, Statistic

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


def cut_blocks(cells: list[NgramTable], start: int, end: int, count: int) -> Blocks:
    """Cut ``[start, end)`` into ``count`` blocks whose lengths differ by at most one.

    A word stands in the block that it starts in; one that reaches beyond the stretch is not counted, as it would be the
    only one of its kind where a stretch is regular. A word with something missing is not counted either.

    Args:
        cells: the words of each cell.
        start: the first step.
        end: the step after the last.
        count: the number of blocks.
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


MAX_CORRELATED = 0.4
"""The greatest correlation of neighbouring blocks, blocks being longer than the memory."""


class Windows(NamedTuple):
    """Windows of blocks and their splits."""

    start: Array
    """The first block of each window."""
    split: Array
    """The first block after the split."""
    end: Array
    """The block after the last."""
    neighbours: Array
    """What a correlation of one between neighbouring blocks adds to the mean of D, relative to it."""
    sizes: Array
    """The row at which the windows of each size start; the largest size comes first."""
    penalty: Array
    """For each size, what is taken off a score because there are more small windows than large ones."""


@lru_cache(maxsize=64)
def windows_over(count: int, min_size: int) -> Windows:
    """Seeded windows (Kovacs et al. 2023, Biometrika 110): lengths by a half power of two, each moved by a quarter.

    Args:
        count: the number of blocks.
        min_size: the minimum number of blocks on either side of a split.
    """
    rows: list[tuple[int, int, int]] = []
    sizes, penalty = [], []
    width = float(count)
    while round(width) >= 2 * min_size:
        whole = round(width)
        sizes.append(len(rows))
        # The penalty of Duembgen and Spokoiny (2001), Annals of Statistics 29: with it the maxima over windows of each
        # size are alike where nothing changes.
        penalty.append(math.sqrt(2.0 * math.log(math.e * count / whole)))
        step = max(1, whole // 4)
        starts = sorted({*range(0, count - whole + 1, step), count - whole})
        for start in starts:
            # A sixteenth of a window is fine enough for a score; the place comes from the likelihood later.
            splits = range(start + min_size, start + whole - min_size + 1, max(1, whole // 16))
            rows += [(start, split, start + whole) for split in splits]
        width /= 2**0.5
    start, split, end = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    left, right = split - start, end - split
    together = (left - 1) / left**2 + (right - 1) / right**2 - 1.0 / (left * right)
    neighbours = (2.0 * together * left * right / (left + right)).astype(np.float32)
    return Windows(
        start=start, split=split, end=end, neighbours=neighbours, sizes=np.array(sizes), penalty=np.array(penalty)
    )


def degrees_of_freedom(grams: Array, words: Array) -> Array:
    """The degrees of freedom of D in each cell, taken low, from the differences of the blocks 0 and 1, 2 and 3, and on.

    Box's f lies between 1 and w - 1 for w words. The value is 1 / (1 / f + 1 / (w - 1)): near f where few words carry
    the variation, and half of it where all vary alike, whose scores have a standard deviation of .7 in the place of 1.
    So a cell of many alike words has to stand out further than one of few. The test loses nothing by it, as
    permutations have the same; with f itself as many changes are found, and their number is right less often
    (docs/benchmarks/changes.md).

    Args:
        grams: of shape (G, G, cells).
        words: how many words each cell has.
    """
    even = len(grams) // 2 * 2
    rows = grams[:even:2] - grams[1:even:2]
    pairs = rows[:, :even:2] - rows[:, 1:even:2]
    square = np.maximum(np.einsum("ijc,ijc->c", pairs, pairs), 1e-30)
    # For m independent differences the ratio is 1 / f + 1 / m on average, and m is half of ``even``.
    concentration = square / np.maximum(np.trace(pairs) ** 2, 1e-30) - 2.0 / even
    return np.asarray(1.0 / np.minimum(np.maximum(concentration, 0.0) + 1.0 / np.maximum(words - 1, 1), 1.0))


def window_distances(grams: Array, windows: Windows, min_variance: Array) -> Array:
    """D of every window and cell, relative to its mean, of shape (windows, cells).

    Args:
        grams: float32 of shape (G, G, cells), in the order of blocks to look at.
        windows: the windows.
        min_variance: the smallest v_2 that is believed in each cell.
    """
    sums = _sums(grams)
    squares, flat, side = np.einsum("iic->ic", sums), sums.reshape(-1, sums.shape[2]), len(sums)

    def run(first: Array, last: Array) -> Array:
        """|S_first + ... + S_{last-1}|^2."""
        between = flat.take(first * side + last, axis=0)
        return np.asarray(squares.take(first, axis=0) + squares.take(last, axis=0) - 2 * between)

    start, split, end = windows.start, windows.split, windows.end
    left, right = ((split - start)[:, None].astype(np.float32), (end - split)[:, None].astype(np.float32))
    found = run(start, split) / left
    found += run(split, end) / right
    found -= run(start, end) / (left + right)
    variance, correlation = _local(grams, min_variance)
    found /= np.maximum(1.0 + windows.neighbours[:, None] * correlation, np.float32(0.3)) * variance
    return np.asarray(found)


def _sums(grams: Array) -> Array:
    """The sums of the products of the first i blocks with the first j, of shape (G + 1, G + 1, cells)."""
    count, _, cells = grams.shape
    sums = np.zeros((count + 1, count + 1, cells), dtype=grams.dtype)
    for block in range(count):  # plain additions of rows take a third of the time of two cumulative sums
        np.add(sums[block, 1:], grams[block], out=sums[block + 1, 1:])
    for block in range(1, count):
        sums[1:, block + 1] += sums[1:, block]
    return sums


def _local(grams: Array, min_variance: Array) -> tuple[Array, Array]:
    """v_2, not below ``min_variance``, and r, clipped to 0 to `MAX_CORRELATED`, in each cell."""
    own = np.einsum("iic->ic", grams)
    apart = []
    for lag in (1, 2):
        cross = np.einsum("iic->ic", grams[lag:, :-lag])
        apart.append((own[lag:] + own[:-lag] - 2.0 * cross).mean(axis=0) / 2.0)
    near, far = (np.maximum(found, min_variance) for found in apart)
    return far, np.clip(1.0 - near / far, 0.0, MAX_CORRELATED)


def scores(ratio: Array, freedom: Array, penalty: Array) -> Array:
    """Normal scores of relative distances, less the penalty of each row.

    Args:
        ratio: distances relative to their means, of shape (rows, cells).
        freedom: the degrees of freedom of each cell, of shape (cells,).
        penalty: of shape (rows,).

    Returns:
        Of shape (rows, cells).
    """
    return np.asarray(normal_scores(ratio, freedom) - penalty[:, None])


def normal_scores(ratio: Array | float, freedom: Array | int) -> Array:
    """Standard normal scores of chi-square variables, by the cube root of Wilson and Hilferty.

    Args:
        ratio: the variables, each divided by its degrees of freedom.
        freedom: the degrees of freedom, of a shape that broadcasts.
    """
    spread = 2.0 / (9.0 * freedom)
    return np.asarray((np.cbrt(np.maximum(ratio, 0.0)) - (1.0 - spread)) / np.sqrt(spread))


class BestSplit(NamedTuple):
    """The clearest split of a stretch."""

    place: int
    """The first step after it."""
    window: tuple[int, int]
    """The steps of the window in which it is clearest."""
    score: float
    """Its normal score, the largest over windows and cells."""


def best_split(blocks: Blocks, min_size: int) -> BestSplit | None:
    """The clearest split of the blocks, or None where nothing can be split.

    Args:
        blocks: the stretch.
        min_size: the minimum number of blocks on either side.
    """
    if not len(blocks.words) or blocks.count < max(2 * min_size, 4):
        return None
    windows = windows_over(blocks.count, min_size)
    penalty = np.repeat(windows.penalty, np.diff(windows.sizes, append=len(windows.start)))
    freedom = degrees_of_freedom(blocks.grams, blocks.words)
    found = scores(window_distances(blocks.grams, windows, _least_variance(blocks)), freedom, penalty).max(axis=1)
    best = int(found.argmax())
    edges = blocks.edges
    return BestSplit(
        place=int(edges[windows.split[best]]),
        window=(int(edges[windows.start[best]]), int(edges[windows.end[best]])),
        score=float(found[best]),
    )


def max_statistic(blocks: Blocks, min_size: int, colour: LinearBootstrap | None = None) -> Statistic:
    """The score of the clearest split of blocks in an order, for the test.

    Args:
        blocks: the stretch.
        min_size: the minimum number of blocks on either side.
        colour: how blocks in an order are made to remember one another as those of the stretch do, if they do.
    """
    windows, believed = windows_over(blocks.count, min_size), _least_variance(blocks)

    def statistic(order: Array) -> float:
        grams = blocks.ordered(order) if colour is None else colour.ordered(order)
        # The cube root is monotone, so it suffices to take it of the largest distance of each size.
        largest = np.maximum.reduceat(window_distances(grams, windows, believed), windows.sizes, axis=0)
        return float(scores(largest, degrees_of_freedom(grams, blocks.words), windows.penalty).max())

    return statistic


def _least_variance(blocks: Blocks) -> Array:
    """Half the variance that independent words would have; less is taken for that."""
    return np.asarray(0.5 * (blocks.words - 1) * blocks.steps, dtype=np.float32)
