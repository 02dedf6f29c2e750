"""Ranks in place of values: what the engine sees of a stream."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from shoal.changes.quantization import channels_of, depth_for, number_channel, symbol_channel
from shoal.changes.validation import as_stream

numbers = st.lists(st.floats(-50, 50) | st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf]), min_size=1, max_size=80)


@given(values=numbers)
def test_a_code_is_the_cell_of_the_mid_rank(values: list[float]) -> None:
    array = np.array(values)
    key = np.where(np.isnan(array), np.inf, array) + 0.0
    rank = [(1 if np.isnan(value) else 0, other) for value, other in zip(array, key, strict=True)]
    codes = number_channel(array, "", 3).codes
    for place, own in enumerate(rank):
        below = sum(other < own for other in rank)
        equal = sum(other == own for other in rank)
        assert codes[place] == (2 * below + equal) * 8 // (2 * len(values))


@given(values=st.lists(st.integers(-40, 40), min_size=2, max_size=60))
def test_increasing_transforms_change_no_code(values: list[int]) -> None:
    array = np.array(values, dtype=float) / 10.0
    plain = number_channel(array, "", 6).codes
    for moved in (3.7 * array - 11.0, np.exp(array), array**3):
        assert np.array_equal(number_channel(moved, "", 6).codes, plain)


def test_bounds_hold_the_values_of_each_cell() -> None:
    values = np.random.default_rng(1).normal(size=500)
    channel = number_channel(values, "", 4)
    assert channel.bounds is not None
    for code in range(16):
        held = values[channel.codes == code]
        assert (held.min(), held.max()) == tuple(channel.bounds[code])


def test_missing_values_bring_a_channel_of_their_own() -> None:
    values = np.arange(40.0)
    values[::5] = np.nan
    channels = channels_of(as_stream(values))
    assert len(channels) == 2
    assert np.array_equal(channels[1].codes == channels[1].codes[0], np.isnan(values))


def test_the_order_of_rare_symbols_does_not_know_the_time() -> None:
    words = tuple(f"word{number}" for number in range(4000))
    codes = symbol_channel(np.arange(4000), words, 6).codes
    assert abs(np.corrcoef(codes, np.arange(4000))[0, 1]) < 0.05


def test_frequent_symbols_keep_cells_of_their_own() -> None:
    symbols = np.repeat([0, 1, 2, 3], [400, 300, 200, 100])
    channel = symbol_channel(symbols, ("a", "b", "c", "d"), 6)
    assert len(np.unique(channel.codes)) == 4
    assert [held for held in channel.held if held] == [("a",), ("b",), ("c",), ("d",)]


def test_short_streams_have_coarse_cells() -> None:
    assert [depth_for(length) for length in (1, 30, 100, 300, 10**6)] == [2, 2, 3, 5, 6]
