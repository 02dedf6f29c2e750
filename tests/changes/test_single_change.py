"""Distances over blocks against plain chi-squares."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.changes.ngrams import ngram_tables
from shoal.changes.quantization import channels_of
from shoal.changes.single_change import cut_blocks, degrees_of_freedom, scores, window_distances, windows_over
from shoal.changes.validation import as_stream


@pytest.fixture(scope="module")
def stream() -> np.ndarray:
    return np.random.default_rng(0).normal(size=1200)


def test_relative_distances_rank_splits_as_chi_squares_do(stream: np.ndarray) -> None:
    cells = ngram_tables(channels_of(as_stream(stream)), len(stream))
    blocks = cut_blocks(cells, 0, 1200, 20)
    windows = windows_over(20, 2)
    relative = window_distances(blocks.grams, windows, np.zeros(len(blocks.words), dtype=np.float32))
    own = np.einsum("iic->ic", blocks.grams)
    ahead = (own[2:] + own[:-2] - 2 * np.einsum("iic->ic", blocks.grams[2:, :-2])).mean(axis=0) / 2
    near = (own[1:] + own[:-1] - 2 * np.einsum("iic->ic", blocks.grams[1:, :-1])).mean(axis=0) / 2
    correlation = np.clip(1 - near / ahead, 0.0, 0.4)
    for row in (0, len(windows.start) // 2, -1):
        start, split, end = (int(blocks.edges[part[row]]) for part in (windows.start, windows.split, windows.end))
        pieces = (start, split), (split, end)
        for place in (0, 3, len(cells) - 1):
            whole_words = cells[place].words[: 1200 - cells[place].length + 1]
            counts = [np.bincount(whole_words[a:b], minlength=cells[place].size) for a, b in pieces]
            shares = np.bincount(whole_words, minlength=cells[place].size) / len(whole_words)
            seen = shares > 0
            sums = [(count - count.sum() * shares)[seen] / np.sqrt(shares[seen]) for count in counts]
            left, right, both = ((part**2).sum() for part in (*sums, sums[0] + sums[1]))
            chi = left / (split - start) + right / (end - split) - both / (end - start)
            expected = 60 * chi / ahead[place] / max(1 + windows.neighbours[row] * correlation[place], 0.3)
            assert relative[row, place] == pytest.approx(expected, rel=2e-3)


def test_noise_scores_like_a_standard_normal_in_every_cell(stream: np.ndarray) -> None:
    cells = ngram_tables(channels_of(as_stream(stream)), len(stream))
    found = []
    generator = np.random.default_rng(1)
    blocks = cut_blocks(cells, 0, 1200, 40)
    windows, freedom = windows_over(40, 4), degrees_of_freedom(blocks.grams, blocks.words)
    for _ in range(60):
        order = generator.permutation(40)
        ratio = window_distances(blocks.grams[order[:, None], order], windows, np.zeros(len(freedom), dtype=np.float32))
        found.append(scores(ratio, freedom, np.zeros(len(ratio))))
    spread = np.array(found)
    assert np.abs(spread.mean(axis=(0, 1))).max() < 0.5
    assert spread.std(axis=(0, 1)).min() > 0.5
    assert spread.std(axis=(0, 1)).max() < 1.5


def test_windows_leave_room_on_both_sides() -> None:
    windows = windows_over(30, 4)
    assert (windows.split - windows.start).min() == 4
    assert (windows.end - windows.split).min() == 4
    assert windows.start.min() == 0
    assert windows.end.max() == 30
    assert (np.diff(windows.penalty) > 0).all()
