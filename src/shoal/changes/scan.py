"""Every split of every window over the blocks, in every cell, on one scale.

A window and a split give a distance D in each cell. What D is where nothing changes is measured on the blocks
themselves, from differences between blocks that lie one and two apart, which a few changes hardly touch:

    v_h = mean |S_b - S_{b+h}|^2 / 2,    r = 1 - v_1 / v_2,    E D = v_2 (1 + r q),

with r the correlation of neighbouring blocks (what the stream remembers across a border) and q what the split makes of
it. Relative to that mean D is close to a chi-square over its degrees of freedom (Box 1954, Annals of Mathematical
Statistics 25), and Wilson and Hilferty's cube root (1931, PNAS 17) makes all cells and splits standard normal scores,
of which the largest is taken: one clear cell is enough, and no noisy one can drown it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

MOST_CORRELATED = 0.4
"""Neighbouring blocks are at most so correlated, blocks being longer than the memory."""


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
    neighbours = (2.0 * together * left * right / (left + right)).astype(np.float32)
    return Windows(
        start=start, split=split, end=end, neighbours=neighbours, sizes=np.array(sizes), penalty=np.array(penalty)
    )


def freedom_of(grams: Array, words: Array) -> Array:
    """The degrees of freedom of D in each cell, from the differences of the blocks 0 and 1, 2 and 3, and so on.

    Args:
        grams: Of shape (G, G, cells).
        words: How many words each cell has.
    """
    even = len(grams) // 2 * 2
    rows = grams[:even:2] - grams[1:even:2]
    pairs = rows[:, :even:2] - rows[:, 1:even:2]
    square = np.maximum(np.einsum("ijc,ijc->c", pairs, pairs), 1e-30)
    concentration = square / np.maximum(np.trace(pairs) ** 2, 1e-30) - 2.0 / even
    return np.asarray(1.0 / np.minimum(np.maximum(concentration, 0.0) + 1.0 / np.maximum(words - 1, 1), 1.0))


def distances(grams: Array, windows: Windows, least: Array) -> Array:
    """D of every window and cell, relative to its mean, of shape (windows, cells).

    Args:
        grams: float32 of shape (G, G, cells), in the order of blocks to look at.
        windows: The windows.
        least: The least v_2 that is believed in each cell.
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
    variance, correlation = _local(grams, least)
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


def _local(grams: Array, least: Array) -> tuple[Array, Array]:
    """v_2, not below ``least``, and r, kept from 0 to `MOST_CORRELATED`, in each cell."""
    own = np.einsum("iic->ic", grams)
    apart = []
    for lag in (1, 2):
        cross = np.einsum("iic->ic", grams[lag:, :-lag])
        apart.append((own[lag:] + own[:-lag] - 2.0 * cross).mean(axis=0) / 2.0)
    near, far = (np.maximum(found, least) for found in apart)
    return far, np.clip(1.0 - near / far, 0.0, MOST_CORRELATED)


def scores(ratio: Array, freedom: Array, penalty: Array) -> Array:
    """Normal scores of relative distances of shape (rows, cells), less the penalty of each row."""
    return np.asarray(normal_scores(ratio, freedom) - penalty[:, None])


def normal_scores(ratio: Array | float, freedom: Array | int) -> Array:
    """Standard normal scores of chi-square variables, each given relative to its degrees of freedom."""
    spread = 2.0 / (9.0 * freedom)
    return np.asarray((np.cbrt(np.maximum(ratio, 0.0)) - (1.0 - spread)) / np.sqrt(spread))
