"""Words of quantile symbols and their counts in blocks, counted one by one."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from shoal.changes.ngrams import MAX_BITS, MAX_CHANNELS, max_word_length, ngram_tables
from shoal.changes.quantization import channels_of, known_channels
from shoal.changes.single_change import (
    best_split,
    cut_blocks,
    degrees_of_freedom,
    max_statistic,
    normal_scores,
    windows_over,
)
from shoal.changes.validation import as_stream


def spelled(codes: np.ndarray, digits: int, length: int) -> list[int]:
    """The words of one channel as numbers, letter by letter; those that reach beyond the end are left out."""
    words = []
    for start in range(len(codes) - length + 1):
        word = 0
        for code in codes[start : start + length].tolist():
            word = (word << digits) | code
        words.append(word)
    return words


@given(values=st.lists(st.integers(0, 30), min_size=2, max_size=40))
def test_the_words_of_a_channel_are_its_codes_in_a_row(values: list[int]) -> None:
    (channel,) = channels_of(as_stream([float(value) for value in values]))
    for cell in ngram_tables([channel], 2000):  # as many words as a stream of that length has
        found = cell.words[: max(len(values) - cell.length + 1, 0)].tolist()
        assert found == spelled(channel.at(cell.digits), cell.digits, cell.length)
        assert max(found, default=0) < cell.size


@pytest.mark.parametrize(("length", "longest"), [(1, 1), (255, 1), (256, 2), (640, 5), (1152, 9), (10**6, MAX_BITS)])
def test_longer_streams_have_longer_words(length: int, longest: int) -> None:
    assert max_word_length(length) == longest


def test_words_have_no_more_digits_than_the_stream_can_fill() -> None:
    for length in (16, 100, 1000, 5000):
        channels = channels_of(as_stream(np.random.default_rng(0).normal(size=length)))
        cells = ngram_tables(channels, length)
        assert cells
        assert all(4 * cell.size <= 4 * 2 ** max(2, min(MAX_BITS, length.bit_length() - 3)) for cell in cells)
        assert len({(cell.digits, cell.length) for cell in cells}) == len(cells)


def test_joint_words_are_the_first_digits_of_channels_at_one_time() -> None:
    table = np.random.default_rng(1).normal(size=(200, 3))
    channels = channels_of(as_stream(table))
    joint = [cell for cell in ngram_tables(channels, 200) if len(cell.channels) > 1]
    assert {cell.channels for cell in joint} == {(0, 1), (0, 2), (1, 2), (0, 1, 2)}
    for cell in joint:
        for step in (0, 57, 199):
            letters = [int(channels[place].at(cell.digits)[step]) for place in cell.channels]
            word = 0
            for letter in letters:
                word = (word << cell.digits) | letter
            assert cell.words[step] == word


def test_of_many_channels_only_neighbours_are_joined() -> None:
    table = np.random.default_rng(2).normal(size=(300, MAX_CHANNELS + 2))
    cells = ngram_tables(channels_of(as_stream(table)), 300)
    pairs = {cell.channels for cell in cells if len(cell.channels) == 2}
    assert pairs == set(itertools.pairwise(range(MAX_CHANNELS + 2)))
    assert max(cell.length for cell in cells) <= 2


def test_a_channel_that_does_not_move_has_no_words() -> None:
    table = np.column_stack([np.zeros(60), np.arange(60.0)])
    assert {cell.channels for cell in ngram_tables(channels_of(as_stream(table)), 60)} == {(1,)}
    assert ngram_tables(channels_of(as_stream(np.ones(60))), 60) == []


def test_words_with_something_missing_are_not_counted() -> None:
    values = np.random.default_rng(3).normal(size=300)
    values[[40, 41, 200]] = np.nan
    channels = known_channels(as_stream(values))
    for cell in ngram_tables(channels, 300):
        whole = [not np.isnan(values[start : start + cell.length]).any() for start in range(300 - cell.length + 1)]
        counted = cell.counted(0, 300 - cell.length + 1).tolist()
        assert counted == list(itertools.compress(cell.words.tolist(), whole))


def test_the_matrix_of_a_cell_is_that_of_its_counts() -> None:
    values = np.random.default_rng(4).integers(0, 6, 300).astype(float)
    cells = ngram_tables(channels_of(as_stream(values)), 300)
    blocks = cut_blocks(cells, 20, 290, 9)
    assert np.diff(blocks.edges).tolist() == [30] * 9
    for place, cell in enumerate(cells):
        last = 290 - cell.length
        counts = [Counter(cell.words[a : min(b, last + 1)].tolist()) for a, b in itertools.pairwise(blocks.edges)]
        total = sum(counts, Counter())
        everything, inside = total.total(), [count.total() for count in counts]
        for one, other in itertools.product(range(9), repeat=2):
            expected = sum(
                (counts[one][word] - inside[one] * number / everything)
                * (counts[other][word] - inside[other] * number / everything)
                / (number / everything)
                for word, number in total.items()
            )
            assert blocks.grams[one, other, place] == pytest.approx(expected, rel=1e-4, abs=1e-3)
        assert blocks.words[place] == len(total)
        assert blocks.steps[place] == everything / 9


@pytest.mark.parametrize(("start", "end", "count"), [(0, 100, 7), (3, 64, 8), (0, 10, 10)])
def test_blocks_differ_by_one_step_at_most(start: int, end: int, count: int) -> None:
    cells = ngram_tables(channels_of(as_stream(np.arange(100.0))), 100)
    blocks = cut_blocks(cells, start, end, count)
    widths = np.diff(blocks.edges)
    assert (blocks.edges[0], blocks.edges[-1], blocks.count) == (start, end, count)
    assert widths.max() - widths.min() <= 1
    assert blocks.width == round((end - start) / count)


def test_a_block_order_is_the_same_matrix_in_that_order() -> None:
    cells = ngram_tables(channels_of(as_stream(np.random.default_rng(5).normal(size=120))), 120)
    blocks, order = cut_blocks(cells, 0, 120, 6), np.array([3, 0, 5, 1, 4, 2])
    moved = blocks.ordered(order)
    for one, other in itertools.product(range(6), repeat=2):
        np.testing.assert_array_equal(moved[one, other], blocks.grams[order[one], order[other]])
    np.testing.assert_array_equal(blocks.ordered(np.arange(6)), blocks.grams)


@pytest.mark.parametrize("freedom", [1, 3, 10, 100])
def test_scores_are_normal_quantiles_of_chi_squares(freedom: int) -> None:
    # The cube root of Wilson and Hilferty bends only at the lower end of few degrees.
    for probability in (0.5, 0.9, 0.99, 0.999) if freedom == 1 else (0.05, 0.3, 0.5, 0.9, 0.99, 0.999):
        ratio = stats.chi2.ppf(probability, freedom) / freedom
        assert float(normal_scores(ratio, freedom)) == pytest.approx(
            stats.norm.ppf(probability), abs=0.15 if freedom == 1 else 0.06
        )


def test_scores_grow_with_the_distance_and_nothing_is_below_none() -> None:
    ratios = np.array([-1.0, 0.0, 0.5, 1.0, 3.0, 100.0])
    found = normal_scores(ratios, 5)
    assert found[0] == found[1]
    assert (np.diff(found[1:]) > 0).all()


@pytest.mark.parametrize(("count", "least"), [(8, 1), (30, 4), (64, 3), (5, 2)])
def test_windows_hold_every_size_and_reach_both_ends(count: int, least: int) -> None:
    windows = windows_over(count, least)
    assert (windows.start >= 0).all()
    assert (windows.end <= count).all()
    assert (windows.split - windows.start >= least).all()
    assert (windows.end - windows.split >= least).all()
    sizes = (windows.end - windows.start)[windows.sizes]
    assert sizes[0] == count
    assert (np.diff(sizes) < 0).all()
    for first, stop in itertools.pairwise([*windows.sizes, len(windows.start)]):
        assert len(set((windows.end - windows.start)[first:stop])) == 1
        assert windows.start[first] == 0
        assert windows.end[stop - 1] == count


def test_blocks_of_more_independent_dimensions_have_more_degrees_of_freedom() -> None:
    medians = []
    for dimensions in (1, 4, 16):
        found = []
        for seed in range(20):
            sums = np.random.default_rng(seed).normal(size=(60, dimensions))
            found.append(degrees_of_freedom((sums @ sums.T)[:, :, None], np.array([dimensions + 1]))[0])
        medians.append(float(np.median(found)))
        assert all(1.0 <= freedom <= dimensions for freedom in found)
    # Half of Box's number, which is that of the dimensions where all vary alike; and 1 of one dimension.
    assert medians == pytest.approx([1, 2, 8], rel=0.1)


def test_degrees_of_freedom_of_many_words_are_near_those_of_the_few_that_vary() -> None:
    found = []
    for seed in range(20):
        sums = np.random.default_rng(seed).normal(size=(60, 3))
        found.append(degrees_of_freedom((sums @ sums.T)[:, :, None], np.array([101]))[0])
    assert np.median(found) == pytest.approx(1 / (1 / 3 + 1 / 100), rel=0.05)


def test_degrees_of_freedom_do_not_know_the_scale_and_keep_their_range() -> None:
    sums = np.random.default_rng(6).normal(size=(30, 5))
    grams, words = (sums @ sums.T)[:, :, None], np.array([6])
    assert degrees_of_freedom(1e4 * grams, words) == pytest.approx(degrees_of_freedom(grams, words))
    assert 1.0 <= degrees_of_freedom(grams, words)[0] <= 5.0
    assert degrees_of_freedom(np.zeros((30, 30, 1)), words)[0] >= 1.0


def test_the_clearest_split_is_where_the_letters_change() -> None:
    values = np.repeat([0.0, 1.0], [64, 96]) + np.arange(160) % 4 / 10.0
    cells = ngram_tables(channels_of(as_stream(values)), 160)
    blocks = cut_blocks(cells, 0, 160, 40)
    found = best_split(blocks, 4)
    assert found is not None
    assert found.place == 64
    assert found.window[0] < 64 < found.window[1]
    assert found.score > 4.0
    assert max_statistic(blocks, 4)(np.arange(40)) == pytest.approx(found.score, rel=1e-5)


@pytest.mark.parametrize(("count", "least"), [(3, 1), (8, 5)])
def test_too_few_blocks_have_no_split(count: int, least: int) -> None:
    cells = ngram_tables(channels_of(as_stream(np.arange(80.0))), 80)
    assert best_split(cut_blocks(cells, 0, 80, count), least) is None
    assert best_split(cut_blocks([], 0, 80, 8), 1) is None
