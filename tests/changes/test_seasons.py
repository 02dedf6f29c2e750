"""Seasons: their period, and that they are neither changes nor a memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.changes import change_points
from shoal.changes.generators import autoregressive
from shoal.changes.mixing import DependenceLength, dependence_length
from shoal.changes.quantization import known_channels
from shoal.changes.seasons import season_of
from shoal.changes.validation import as_stream

Array = np.ndarray[Any, Any]


def _wave(length: int, period: int, seed: int, size: float = 1.5) -> Array:
    noise = np.random.default_rng(seed).normal(size=length)
    return size * np.sin(2.0 * np.pi * (np.arange(length) + seed) / period) + noise


def _period(values: Array, longest: int = 100) -> int:
    return season_of(values, np.ones(len(values), dtype=bool), longest)


def _memory(values: Array) -> DependenceLength:
    return dependence_length(known_channels(as_stream(values)), round(0.05 * len(values)))


@pytest.mark.parametrize("period", [4, 7, 12, 24, 40])
@pytest.mark.parametrize("length", [500, 1003])
def test_the_period_of_a_wave_is_found(period: int, length: int) -> None:
    assert [_period(_wave(length, period, seed)) for seed in range(5)] == [period] * 5


def test_the_period_of_a_season_whose_clearest_line_is_an_overtone_is_found() -> None:
    week = np.resize([0.0, 3.0, 0.0, 0.0, 3.0, 0.0, 0.0], 700)  # two days of seven, three and four apart
    assert _period(week + np.random.default_rng(0).normal(size=700)) == 7


def test_streams_without_a_season_have_none() -> None:
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=600)
        memory = autoregressive((600,), (0.9,), seed=seed).values
        levels = np.repeat(np.arange(12) % 2 * 2.0, 50) + noise  # its overtones are lines, too
        assert [_period(one, 50) for one in (noise, memory, np.cumsum(noise), levels)] == [1] * 4


def test_a_season_that_is_longer_than_asked_for_is_none() -> None:
    assert _period(_wave(500, 24, 0), longest=23) == 1


def test_what_is_missing_does_not_hide_a_season() -> None:
    values = _wave(600, 12, 0)
    values[np.random.default_rng(1).random(600) < 0.2] = np.nan
    found = _memory(values)
    assert (found.period, found.steps) == (12, 3)


def test_a_season_is_no_memory_but_what_is_left_of_it_has_one() -> None:
    plain = _memory(_wave(1000, 24, 0))
    assert plain.period == 24
    assert plain.steps <= 4 < 20 < plain.apparent
    remembering = autoregressive((4000,), (0.7,), seed=0).values + 3.0 * np.sin(np.pi * np.arange(4000) / 6.0)
    found = _memory(remembering)
    assert found.period == 12
    assert 25 <= found.steps <= 55  # 36 without the season


def test_blocks_hold_whole_periods() -> None:
    memory = _memory(_wave(500, 24, 0))
    assert memory.whole(9) == 24
    assert memory.whole(25) == 48
    assert memory.blocks(500, 9) == 21  # of 23.8 steps: no other number is nearer to whole periods
    assert DependenceLength(1, 1, memory.faint).blocks(500, 9) == 55


def test_the_seasons_of_all_coordinates_fit_into_a_block_or_none_is_taken_off() -> None:
    six, nine = _wave(900, 6, 0), _wave(900, 9, 1)
    assert _memory(np.column_stack([six, nine])).period == 18
    seven, eleven, thirteen = (_wave(900, period, period) for period in (7, 11, 13))
    assert _memory(np.column_stack([seven, eleven, thirteen])).period == 1


def test_a_level_that_moves_under_a_season_is_found() -> None:
    found = []
    for seed in range(12):
        values = _wave(500, 24, seed)
        values[300:] += 0.8
        found.append(any(abs(place - 300) <= 30 for place in change_points(values).places))
    assert sum(found) >= 9  # as a memory the season hid every second one
