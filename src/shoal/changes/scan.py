"""Every split of every window over the blocks, in every cell, on one scale.

A window and a split give a distance D in each cell. Under permuted blocks its mean is the trace of the Gram matrix
over G - 1 whatever the split, and its law is close to a chi-square with (trace)^2 / |Gram|^2 degrees of freedom (Box
1954, Annals of Mathematical Statistics 25). Wilson and Hilferty's cube root (1931, PNAS 17) makes all cells and splits
standard normal scores, of which the largest is taken: one clear cell is enough, and no noisy one can drown it.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    penalty: Array
    """What is taken off a score for how many windows of that size there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What makes the distances of the cells comparable; the same for every order of the blocks."""

    mean: Array
    """The mean of D in each cell."""
    freedom: Array
    """Its degrees of freedom."""


def windows_over(count: int, least: int) -> Windows:
    """Seeded windows (Kovacs et al. 2023, Biometrika 110): lengths by a half power of two, each moved by a quarter.

    Args:
        count: The number of blocks.
        least: The least number of blocks on either side of a split.
    """
    rows = []
    width = float(count)
    while round(width) >= 2 * least:
        whole = round(width)
        step = max(1, whole // 4)
        starts = sorted({*range(0, count - whole + 1, step), count - whole})
        for start in starts:
            splits = range(start + least, start + whole - least + 1, max(1, whole // 16))
            rows += [(start, split, start + whole) for split in splits]
        width /= 2**0.5
    start, split, end = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    share = (end - start) / count
    return Windows(start=start, split=split, end=end, penalty=np.sqrt(2.0 * np.log(np.e / share)))


def scale_of(blocks: Blocks) -> Scale:
    """The scale of the cells of a stretch."""
    trace = np.trace(blocks.grams, axis1=1, axis2=2)
    square = np.einsum("cij,cij->c", blocks.grams, blocks.grams)
    return Scale(mean=trace / max(blocks.count - 1, 1), freedom=np.maximum(trace**2 / np.maximum(square, 1e-300), 1.0))


def scores(grams: Array, windows: Windows, scale: Scale) -> Array:
    """Normal scores of every window and cell, of shape (windows, cells), penalty taken off.

    Args:
        grams: Of shape (cells, G, G), in the order of blocks to score.
        windows: The windows.
        scale: The scale of the cells.
    """
    cells, count, _ = grams.shape
    sums = np.zeros((count + 1, count + 1, cells))
    np.cumsum(grams.transpose(1, 2, 0), axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    start, split, end = windows.start, windows.split, windows.end
    left, right = (split - start)[:, None], (end - split)[:, None]
    whole = sums[end, end] - 2.0 * sums[start, end] + sums[start, start]
    own = sums[split, split] - 2.0 * sums[start, split] + sums[start, start]
    other = sums[end, end] - 2.0 * sums[split, end] + sums[split, split]
    cross = (whole - own - other) / 2.0
    distance = own * (right / left) + other * (left / right) - 2.0 * cross
    ratio = np.maximum(distance / (left + right), 0.0) / scale.mean
    spread = 2.0 / (9.0 * scale.freedom)
    return np.asarray((np.cbrt(ratio) - (1.0 - spread)) / np.sqrt(spread) - windows.penalty[:, None])
