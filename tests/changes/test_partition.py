"""The best partition of short blocks: exact, of the right size, and able to see many short pieces at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.blocks import Blocks, cut
from shoal.changes.input import as_stream
from shoal.changes.metrics import f1_with_margin
from shoal.changes.partition import NO_NOISE, partition
from shoal.changes.search import prepare
from shoal.changes.shuffling import Shuffler


def _blocks(count: int, seed: int) -> Blocks:
    """Blocks of noise in two cells of three and of one dimension, with a change in the first."""
    generator = np.random.default_rng(seed)
    sums = [generator.normal(size=(count, width)) for width in (3, 1)]
    sums[0][count // 2 :] += 1.0
    centred = [block - block.mean(axis=0) for block in sums]
    grams = np.stack([block @ block.T for block in centred], axis=-1).astype(np.float32)
    return Blocks(edges=np.arange(count + 1) * 10, grams=grams, words=np.array([4, 2]))


def _by_hand(grams: np.ndarray, least: int, pieces: int) -> tuple[float, tuple[int, ...]]:
    """The greatest share that so many pieces explain, over all partitions, and where they cut."""
    best: tuple[float, tuple[int, ...]] = (-np.inf, ())
    for cuts in itertools.combinations(range(1, len(grams)), pieces - 1):
        edges = (0, *cuts, len(grams))
        if min(np.diff(edges)) >= least:
            explained = sum(grams[a:b, a:b].sum() / (b - a) for a, b in itertools.pairwise(edges))
            best = max(best, (explained / np.trace(grams), cuts))
    return best


@pytest.mark.parametrize("least", [1, 2])
def test_the_partition_is_the_best_of_all(least: int) -> None:
    blocks = _blocks(9, seed=least)
    found = partition(blocks, least, 4, Shuffler(0))
    above = {}
    for pieces, cell in itertools.product((2, 3, 4), (0, 1)):
        share, cuts = _by_hand(blocks.grams[:, :, cell].astype(np.float64), least, pieces)
        unexplained = -np.log(max(1.0 - share, NO_NOISE))
        above[cuts] = (unexplained - found.centre[pieces - 2, cell]) / found.spread[pieces - 2, cell]
    assert found.observed == pytest.approx(max(above.values()), rel=1e-3)
    assert tuple(place // 10 for place in found.places()) == max(above, key=above.__getitem__)


def test_the_order_of_the_blocks_is_what_counts() -> None:
    blocks = _blocks(12, seed=3)
    found = partition(blocks, 1, 3, Shuffler(0))
    assert found.statistic(np.arange(12)) == found.observed
    assert found.statistic(np.arange(12)[::-1]) == pytest.approx(found.observed, rel=1e-3)
    assert found.statistic(np.array([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11])) < found.observed


def test_the_size_of_the_test_is_its_level() -> None:
    values = []
    for seed in range(80):
        search = prepare(as_stream(np.random.default_rng(seed).normal(size=600)), 0.05, 0.05, seed=seed)
        values.append(search.parted(0, 600, 0.1)[0])
    assert np.mean(np.array(values) <= 0.1) <= 0.2125  # exceeded once in a thousand
    assert 0.35 < np.mean(values) < 0.75


def test_constant_blocks_explain_nothing() -> None:
    search = prepare(as_stream(np.zeros(200)), 0.05, 0.05, seed=0)
    assert cut(search.cells, 0, 200, 20).words.size == 0
    assert search.parted(0, 200, 0.05) == (1.0, [])


@pytest.mark.parametrize(
    ("levels", "length", "at_least"),
    [
        (np.arange(9) % 2 * 1.0, 150, 0.85),
        (np.arange(10) % 2 * 2.0, 100, 0.9),
        (np.arange(20) % 2 * 1.0, 250, 0.9),
        (np.arange(8) * 1.0, 200, 0.85),
    ],
    ids=["nine pieces one sigma apart", "ten pieces two sigma apart", "twenty pieces", "stairs"],
)
def test_many_short_pieces_are_found_where_no_count_is_told(levels: np.ndarray, length: int, at_least: float) -> None:
    found = []
    for seed in range(4):
        values = np.repeat(levels, length) + np.random.default_rng(seed).normal(size=length * len(levels))
        true = [length * piece for piece in range(1, len(levels))]
        places = change_points(values, 0.02).places
        found.append(f1_with_margin([true], places, margin=length // 10))
    assert np.mean(found) >= at_least
