"""A change between short pieces, judged by the noise of all pieces."""

from __future__ import annotations

import numpy as np

from shoal.changes.moments import short_blocks
from shoal.changes.permutation import Shuffler
from shoal.changes.quantization import channels_of
from shoal.changes.segments import pool_noise, pooled_p_value
from shoal.changes.validation import as_stream

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
