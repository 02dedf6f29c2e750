"""Every split of every window over the blocks, in every cell, on one scale.

A window and a split give a distance D in each cell. Under permuted blocks its mean is the trace of the Gram matrix
over G - 1 whatever the split, and its law is close to a chi-square with (trace)^2 / |Gram|^2 degrees of freedom (Box
1954, Annals of Mathematical Statistics 25). Wilson and Hilferty's cube root (1931, PNAS 17) makes all cells and splits
standard normal scores, of which the largest is taken: one clear cell is enough, and no noisy one can drown it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What makes the distances of the cells comparable; the same for every order of the blocks."""

    mean: Array
    """The mean of D in each cell."""
    freedom: Array
    """Its degrees of freedom."""


@lru_cache(maxsize=64)
def windows_over(count: int, least: int) -> Windows:
    """Seeded windows (Kovacs et al. 2023, Biometrika 110): lengths by a half power of two, each moved by a quarter.

    Args:
        count: The number of blocks.
        least: The least number of blocks on either side of a split.
    """
    rows: list[tuple[int, int, int]] = []
    sizes, penalty = [], []
    width = float(count)
    while round(width) >= 2 * least:
        whole = round(width)
        sizes.append(len(rows))
        penalty.append(math.sqrt(2.0 * math.log(math.e * count / whole)))
        step = max(1, whole // 4)
        starts = sorted({*range(0, count - whole + 1, step), count - whole})
        for start in starts:
            splits = range(start + least, start + whole - least + 1, max(1, whole // 16))
            rows += [(start, split, start + whole) for split in splits]
        width /= 2**0.5
    start, split, end = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    left, right = split - start, end - split
    together = (left - 1) / left**2 + (right - 1) / right**2 - 1.0 / (left * right)
    neighbours = 2.0 * together * left * right / (left + right)
    return Windows(
        start=start, split=split, end=end, neighbours=neighbours, sizes=np.array(sizes), penalty=np.array(penalty)
    )


def scale_of(blocks: Blocks) -> Scale:
    """The scale of the cells of a stretch."""
    trace = np.trace(blocks.grams)
    square = np.einsum("ijc,ijc->c", blocks.grams, blocks.grams)
    return Scale(mean=trace / max(blocks.count - 1, 1), freedom=np.maximum(trace**2 / np.maximum(square, 1e-300), 1.0))


def distances(grams: Array, windows: Windows, mean: Array) -> Array:
    """D of every window and cell, relative to its mean, of shape (windows, cells).

    Neighbouring blocks are correlated where the stream remembers across their border. Their correlation r, measured in
    each cell in the order of blocks that is looked at, makes the mean of D 1 + r ``windows.neighbours`` times what it
    is for blocks that are not.

    Args:
        grams: Of shape (G, G, cells), in the order of blocks to look at.
        windows: The windows.
        mean: The mean of D in each cell for uncorrelated blocks.
    """
    count, _, cells = grams.shape
    correlation = np.trace(grams, offset=1) / np.trace(grams)
    sums = np.zeros((count + 1, count + 1, cells), dtype=grams.dtype)
    np.cumsum(grams, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    squares = np.einsum("iic->ic", sums)
    runs = squares[:, None] - 2.0 * sums + squares  # |sum of the rows of the blocks i..j|^2, at [i, j]
    runs = runs.reshape(-1, cells)
    start, split, end = windows.start, windows.split, windows.end
    left, right = (split - start)[:, None], (end - split)[:, None]
    own, other = runs[start * (count + 1) + split], runs[split * (count + 1) + end]
    own *= 1.0 / left
    other *= 1.0 / right
    own += other
    own -= runs[start * (count + 1) + end] / (left + right)
    own /= np.maximum(1.0 + windows.neighbours[:, None] * correlation, 0.3) * mean
    return np.asarray(own)


def scores(ratio: Array, freedom: Array, penalty: Array) -> Array:
    """Normal scores of relative distances of shape (rows, cells), less the penalty of each row."""
    spread = 2.0 / (9.0 * freedom)
    return np.asarray((np.cbrt(np.maximum(ratio, 0.0)) - (1.0 - spread)) / np.sqrt(spread) - penalty[:, None])
