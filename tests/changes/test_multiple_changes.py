"""The best partition of short blocks: exact, of the right size, and able to see many short pieces at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal.changes import change_points, f1_with_margin
from shoal.changes.moments import short_blocks
from shoal.changes.multiple_changes import (
    NO_NOISE,
    calibrated_partition,
    explained_shares,
    pool_noise,
    pooled_p_value,
)
from shoal.changes.permutation import Shuffler
from shoal.changes.quantization import channels_of, known_channels
from shoal.changes.search import Search, prepare_search
from shoal.changes.selection import split_by_partition
from shoal.changes.single_change import Blocks
from shoal.changes.validation import as_stream


def ready(values: np.ndarray, *, seed: int) -> Search:
    """A stream made ready with the settings that `change_points` has by default."""
    channels, margin = known_channels(as_stream(values)), max(1, len(values) // 20)
    return prepare_search(channels, len(values), margin=margin, alpha=0.05, confidence=0.95, seed=seed)


def _blocks(count: int, seed: int) -> Blocks:
    """Blocks of noise in two cells of three and of one dimension, with a change in the first."""
    generator = np.random.default_rng(seed)
    sums = [generator.normal(size=(count, width)) for width in (3, 1)]
    sums[0][count // 2 :] += 1.0
    centred = [block - block.mean(axis=0) for block in sums]
    grams = np.stack([block @ block.T for block in centred], axis=-1).astype(np.float32)
    return Blocks(edges=np.arange(count + 1) * 10, grams=grams, words=np.array([4, 2]), steps=np.full(2, 10.0))


def _by_hand(grams: np.ndarray, least: int, pieces: int) -> tuple[float, tuple[int, ...]]:
    """The greatest share that so many pieces explain, over all partitions, and where they cut."""
    best: tuple[float, tuple[int, ...]] = (-np.inf, ())
    for cuts in itertools.combinations(range(1, len(grams)), pieces - 1):
        edges = (0, *cuts, len(grams))
        if min(np.diff(edges)) >= least:
            explained = sum(grams[a:b, a:b].sum() / (b - a) for a, b in itertools.pairwise(edges))
            best = max(best, (explained / np.trace(grams), cuts))
    return best


NOTHING = np.zeros(2)
"""No variance is believed too small."""


@pytest.mark.parametrize("least", [1, 2])
def test_the_partition_is_the_best_of_all(least: int) -> None:
    blocks = _blocks(9, seed=least)
    shares = explained_shares(blocks.grams, least, 4)
    cuts = {}
    for pieces, cell in itertools.product((2, 3, 4), (0, 1)):
        share, cuts[pieces, cell] = _by_hand(blocks.grams[:, :, cell].astype(np.float64), least, pieces)
        assert shares[pieces - 2, cell] == pytest.approx(share, rel=1e-4)
    found = calibrated_partition(blocks, NOTHING, least, 4, Shuffler(0))
    assert tuple(found.cuts()) in cuts.values()
    above = (-np.log(np.maximum(1.0 - shares, NO_NOISE)) - found.centre) / found.spread
    assert found.observed == pytest.approx(above.max(), rel=1e-4)


def test_the_order_of_the_blocks_is_what_counts() -> None:
    blocks = _blocks(12, seed=3)
    found = calibrated_partition(blocks, NOTHING, 1, 3, Shuffler(0))
    assert found.statistic(np.arange(12)) == found.observed
    assert found.statistic(np.arange(12)[::-1]) == pytest.approx(found.observed, rel=1e-3)
    assert found.statistic(np.array([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11])) < found.observed


def test_as_many_pieces_are_chosen_as_there_are() -> None:
    generator = np.random.default_rng(0)
    levels = np.repeat([0.0, 3.0, 0.0, 3.0], 20) + generator.normal(size=80)
    centred = levels - levels.mean()
    grams = np.outer(centred, centred)[:, :, None].astype(np.float32)
    blocks = Blocks(edges=np.arange(81), grams=grams, words=np.array([2]), steps=np.ones(1))
    assert calibrated_partition(blocks, np.zeros(1), 1, 20, Shuffler(0)).cuts() == [20, 40, 60]


# Outside of either range once in a hundred or once in a thousand, where the level is kept.
@pytest.mark.parametrize(("streams", "few", "many"), [(40, 1, 10), pytest.param(80, 1, 17, marks=pytest.mark.slow)])
def test_the_size_of_the_test_is_its_level(streams: int, few: int, many: int) -> None:
    found = 0
    for seed in range(streams):
        search = ready(np.random.default_rng(seed).normal(size=600), seed=seed)
        found += bool(split_by_partition(search, 0, 600, 0.1))
    assert few <= found <= many


def test_constant_streams_have_no_pieces() -> None:
    search = ready(np.zeros(200), seed=0)
    assert split_by_partition(search, 0, 200, 0.05) == []


def test_rare_symbols_do_not_fall_apart() -> None:
    """Where most blocks hold none of a symbol, the median of their differences is zero, and no measure of noise."""
    generator = np.random.default_rng(0)
    rare = np.where(generator.random(3000) < np.repeat([0.01, 0.06], 1500), "b", "a")
    found = change_points(rare, 0.02)
    assert len(found.places) == 1
    assert abs(found.places[0] - 1500) < 150


@pytest.mark.parametrize("seeds", [(0,), pytest.param((1, 2, 3), marks=pytest.mark.slow)], ids=["one", "more"])
@pytest.mark.parametrize(
    ("levels", "length", "at_least"),
    [
        (np.arange(9) % 2 * 1.0, 150, 0.85),
        (np.arange(10) % 2 * 2.0, 100, 0.9),
        (np.arange(20) % 2 * 1.0, 250, 0.9),
        (np.arange(8) * 1.0, 200, 0.85),
        (np.arange(10) % 2 * 8.0, 100, 0.95),
    ],
    ids=["nine pieces one sigma apart", "ten pieces two apart", "twenty pieces", "stairs", "eight sigma apart"],
)
def test_many_short_pieces_are_found_where_no_count_is_told(
    levels: np.ndarray, length: int, at_least: float, seeds: tuple[int, ...]
) -> None:
    found = []
    for seed in seeds:
        values = np.repeat(levels, length) + np.random.default_rng(seed).normal(size=length * len(levels))
        true = [length * piece for piece in range(1, len(levels))]
        places = change_points(values, 0.02).places
        found.append(f1_with_margin([true], places, margin=length // 10))
    assert np.mean(found) >= at_least


def test_those_told_the_number_of_processes_see_short_pieces_too() -> None:
    found = []
    for seed in range(2):
        values = np.repeat(np.arange(9) % 2 * 1.0, 150) + np.random.default_rng(seed).normal(size=1350)
        places = change_points(values, 0.03, 2).places
        found.append(f1_with_margin([[150 * piece for piece in range(1, 9)]], places, margin=20))
    assert np.mean(found) >= 0.9


EDGES = [0, 10, 15, 20, 60, 100]


def _p_value(values: np.ndarray, number: int, seed: int = 0) -> float:
    blocks, _, _ = short_blocks(channels_of(as_stream(values)), [], 0, len(values), 100)
    return pooled_p_value(pool_noise(blocks, EDGES), number, 1, Shuffler(seed), alpha=0.05)


def test_pieces_of_five_blocks_are_told_apart_by_the_noise_of_the_others() -> None:
    levels = np.repeat([0.0, 1.0, 3.0, 0.0, 1.0], np.diff(EDGES) * 4)
    found = [_p_value(levels + np.random.default_rng(seed).normal(size=400), 2) for seed in range(10)]
    assert np.median(found) < 0.005


def test_a_place_without_a_change_is_believed_as_rarely_as_the_level_says() -> None:
    levels = np.repeat([0.0, 1.0, 1.0, 0.0, 1.0], np.diff(EDGES) * 4)
    found = np.array([_p_value(levels + np.random.default_rng(seed).normal(size=400), 2, seed) for seed in range(60)])
    assert (found <= 0.05).sum() <= 9  # more than that once in a thousand
    assert 0.3 < found.mean() < 0.8
