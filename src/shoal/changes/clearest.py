"""The clearest split of a stretch: the window, the place in it and the cell in which two sides differ most.

What a border between blocks cuts off is put back: the covariance of neighbouring blocks, relative to their variance,
estimates the share that block sums of this length miss of the long-run variance (a flat-top window; Politis and Romano
1995, Journal of Time Series Analysis 16). It scales the statistic, in the stretch and in each permutation alike, so the
noise of that estimate is in the null law too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.changes.scan import distances, freedom_of, scores, windows_over

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.colour import Colour
    from shoal.changes.permuting import Statistic

Array = np.ndarray[Any, Any]


class Split(NamedTuple):
    """The clearest split of a stretch."""

    place: int
    """The first step after it."""
    window: tuple[int, int]
    """The steps of the window in which it is clearest."""
    score: float
    """Its normal score, the largest over windows and cells."""


def clearest(blocks: Blocks, least: int) -> Split | None:
    """The clearest split of the blocks, or None where nothing can be split.

    Args:
        blocks: The stretch.
        least: The least number of blocks on either side.
    """
    if not len(blocks.words) or blocks.count < max(2 * least, 4):
        return None
    windows = windows_over(blocks.count, least)
    penalty = np.repeat(windows.penalty, np.diff(windows.sizes, append=len(windows.start)))
    freedom = freedom_of(blocks.grams, blocks.words)
    found = scores(distances(blocks.grams, windows, _least_variance(blocks)), freedom, penalty).max(axis=1)
    best = int(found.argmax())
    edges = blocks.edges
    return Split(
        place=int(edges[windows.split[best]]),
        window=(int(edges[windows.start[best]]), int(edges[windows.end[best]])),
        score=float(found[best]),
    )


def clearness(blocks: Blocks, least: int, colour: Colour | None = None) -> Statistic:
    """The score of the clearest split of blocks in an order, for the test.

    Args:
        blocks: The stretch.
        least: The least number of blocks on either side.
        colour: How blocks in an order are made to remember one another as those of the stretch do, if they do.
    """
    windows, believed = windows_over(blocks.count, least), _least_variance(blocks)

    def statistic(order: Array) -> float:
        grams = blocks.ordered(order) if colour is None else colour.ordered(order)
        largest = np.maximum.reduceat(distances(grams, windows, believed), windows.sizes, axis=0)
        return float(scores(largest, freedom_of(grams, blocks.words), windows.penalty).max())

    return statistic


def _least_variance(blocks: Blocks) -> Array:
    """Half the variance that independent words would have; less is taken for that."""
    return np.asarray(0.5 * (blocks.words - 1) * blocks.steps, dtype=np.float32)
