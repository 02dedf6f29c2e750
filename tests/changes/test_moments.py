"""Short blocks: sums of level, spread and product of mid-ranks, worked out block by block."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal.changes.moments import short_blocks
from shoal.changes.ngrams import ngram_tables
from shoal.changes.quantization import channels_of, known_channels
from shoal.changes.validation import as_stream


def by_hand(moment: np.ndarray, known: np.ndarray, count: int) -> np.ndarray:
    """The Gram matrix of block sums of one moment, scaled to a variance of one per known step."""
    edges = np.arange(count + 1) * len(moment) // count
    centred = np.where(known, moment - moment[known].mean(), 0.0)
    sums = np.array([centred[start:end].sum() for start, end in itertools.pairwise(edges)])
    return np.outer(sums, sums) / ((centred**2).sum() / known.sum())


def moments(codes: np.ndarray, known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Level, spread and product of neighbours, and where each is known."""
    ranks = codes - codes[known].mean()
    after, after_known = np.append(ranks[1:], ranks[-1]), np.append(known[1:], known[-1])
    return [(ranks, known), (ranks**2, known), (ranks * after, known & after_known)]


def test_blocks_are_sums_of_the_three_moments() -> None:
    (channel,) = channels_of(as_stream(np.random.default_rng(0).normal(size=103)))
    blocks, believed, spread = short_blocks([channel], [], 0, 103, 10)
    known = np.ones(103, dtype=bool)
    for cell, (moment, where) in enumerate(moments(channel.codes.astype(float), known)):
        np.testing.assert_allclose(blocks.grams[:, :, cell], by_hand(moment, where, 10), rtol=1e-4, atol=1e-4)
    assert spread.tolist() == [False, True, False]
    assert believed.tolist() == [0.0, 0.0, 0.0]
    assert blocks.words.tolist() == [2, 2, 2]
    assert blocks.count == 10
    assert blocks.width == 10


def test_missing_steps_add_nothing_to_any_sum() -> None:
    values = np.random.default_rng(1).normal(size=90)
    values[[3, 4, 20, 55]] = np.nan
    (channel,) = known_channels(as_stream(values))
    blocks, _, _ = short_blocks([channel], [], 0, 90, 9)
    known = ~np.isnan(values)
    for cell, (moment, where) in enumerate(moments(channel.codes.astype(float), known)):
        np.testing.assert_allclose(blocks.grams[:, :, cell], by_hand(moment, where, 9), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("values", [np.zeros(40), np.where(np.arange(40) < 39, 1.0, np.nan)])
def test_channels_that_do_not_move_have_no_blocks(values: np.ndarray) -> None:
    blocks, _, _ = short_blocks(known_channels(as_stream(values)), [], 0, 39, 8)
    assert blocks.grams.shape == (8, 8, 0)


def test_symbols_are_counted_and_half_their_independent_variance_is_believed() -> None:
    symbols = "".join(np.random.default_rng(2).choice(list("abc"), size=120))
    channels = channels_of(as_stream(symbols))
    blocks, believed, spread = short_blocks(channels, ngram_tables(channels, 120), 0, 120, 12)
    assert blocks.grams.shape[2] == channels[0].depth  # one cell per resolution, and no moments
    assert not spread.any()
    np.testing.assert_allclose(believed, 0.5 * 120 / 12)
    codes = channels[0].at(channels[0].depth)
    counts = np.array(
        [np.bincount(codes[start : start + 10], minlength=codes.max() + 1) for start in range(0, 120, 10)]
    )
    shares = counts.sum(axis=0) / 120
    sums = ((counts - 10 * shares) / np.sqrt(np.maximum(shares, 1e-12)))[:, shares > 0]
    np.testing.assert_allclose(blocks.grams[:, :, -1], sums @ sums.T, rtol=1e-4, atol=1e-3)


def test_blocks_hold_three_moments_of_each_channel_and_of_all_together() -> None:
    generator = np.random.default_rng(0)
    blocks, believed, _ = short_blocks(channels_of(as_stream(generator.normal(size=(300, 2)))), [], 0, 300, 30)
    assert blocks.words.tolist() == [2, 2, 2, 2, 2, 2, 3, 3, 3]
    assert blocks.grams.shape == (30, 30, 9)
    assert np.allclose(blocks.grams[:, :, 6], blocks.grams[:, :, 0] + blocks.grams[:, :, 3], rtol=1e-5)
    assert np.allclose(blocks.grams.sum(axis=1), 0.0, atol=1e-2)
    assert not believed.any()


def test_of_many_channels_only_levels_are_looked_at_one_by_one() -> None:
    generator = np.random.default_rng(0)
    blocks, _, _ = short_blocks(channels_of(as_stream(generator.normal(size=(300, 9)))), [], 0, 300, 30)
    assert blocks.words.tolist() == [2] * 9 + [10] * 3
