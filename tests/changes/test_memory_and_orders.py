"""Memories of blocks, p-values of orders, and series made ready, against matrices, tails and plain loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from shoal.changes import (
    OnlineDetector,
    ProgressDetector,
    ShiftDetector,
    as_stream,
    change_points,
    deseasonalize,
    difference,
    preprocess,
    robust_ranks,
)
from shoal.changes.permutation import (
    ENOUGH_EXCEEDED,
    MAX_PERMUTATIONS,
    NO_MEMORY,
    Decay,
    LinearBootstrap,
    Shuffler,
    permutation_p_value,
)
from shoal.changes.preprocessing import standardized
from shoal.errors import DataError, UsageError


@pytest.mark.parametrize("decay", [Decay(1.0, 0.5), Decay(0.4, 0.9), Decay(1.0, 0.98), Decay(0.2, 0.3)])
@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_the_correlation_of_neighbouring_blocks_is_that_of_the_whole_matrix(decay: Decay, width: int) -> None:
    lags = np.abs(np.subtract.outer(np.arange(2 * width), np.arange(2 * width)))
    matrix = np.where(lags == 0, 1.0, decay.share * decay.decay**lags)
    within, across = matrix[:width, :width].sum(), matrix[:width, width:].sum()
    assert decay.between(width) == pytest.approx(across / within)


def test_blocks_of_the_recommended_length_are_correlated_by_a_twenty_sixth() -> None:
    for decay in (Decay(1.0, 0.9), Decay(1.0, 0.97), Decay(0.5, 0.95)):
        assert decay.between(decay.steps) == pytest.approx(1 / 26, rel=0.15)
    assert NO_MEMORY.reach == 0.0
    assert NO_MEMORY.steps == 3
    assert Decay(1.0, 0.9).steps > Decay(0.5, 0.9).steps > Decay(0.5, 0.5).steps


def test_a_bootstrap_of_every_order_keeps_the_memory_on_average() -> None:
    memory, width, count = Decay(1.0, 0.9), 12, 30
    noise = np.random.default_rng(0).normal(size=count * width)
    values = noise.copy()
    for step in range(1, len(values)):
        values[step] += 0.9 * values[step - 1]
    sums = values.reshape(count, width).sum(axis=1)
    grams = np.outer(sums, sums)[:, :, None]
    colour, shuffler = LinearBootstrap(grams, width, memory, of_stream=1.0), Shuffler(1)
    near, own = [], []
    for _ in range(200):
        moved = colour.ordered(shuffler.permutation(count))[:, :, 0]
        near.append(np.trace(moved, offset=1) / (count - 1))
        own.append(np.trace(moved) / count)
    assert np.mean(near) / np.mean(own) == pytest.approx(memory.between(width), abs=0.06)


def test_a_p_value_is_the_share_of_orders_that_are_as_clear() -> None:
    def first(order: np.ndarray) -> float:
        return float(order[0])

    found = permutation_p_value(first, 10, 4.5, Shuffler(0), alpha=0.5)
    assert found == pytest.approx(0.5, abs=0.35)  # ended after six that were as clear
    never = permutation_p_value(first, 10, -1.0, Shuffler(0), alpha=0.05)
    assert never == 1.0
    assert permutation_p_value(first, 10, 100.0, Shuffler(0), alpha=0.05) < 1e-6


def test_no_more_orders_are_drawn_than_decide() -> None:
    calls = []

    def always(order: np.ndarray) -> float:
        calls.append(order)
        return 1.0

    assert permutation_p_value(always, 5, 0.5, Shuffler(0), alpha=0.05) == 1.0
    assert len(calls) == ENOUGH_EXCEEDED
    calls.clear()
    permutation_p_value(always, 5, 0.5, Shuffler(0), alpha=0.001)
    assert len(calls) == 1
    draws = np.random.default_rng(0).normal(size=10_000).tolist()
    used = iter(draws)
    permutation_p_value(lambda order: next(used), 5, 2.2, Shuffler(0), alpha=0.02)
    assert len(draws) - len(list(used)) <= MAX_PERMUTATIONS


def test_p_values_of_nothing_are_small_as_seldom_as_they_say() -> None:
    generator = np.random.default_rng(1)

    def noise(order: np.ndarray) -> float:
        return float(generator.gumbel())

    found = np.array([permutation_p_value(noise, 6, noise(np.arange(6)), Shuffler(k), alpha=0.1) for k in range(400)])
    assert ((found > 0.0) & (found <= 1.0)).all()
    for level in (0.02, 0.05, 0.1, 0.2, 0.5):
        share = float((found <= level).mean())
        assert abs(share - level) <= 3.3 * math.sqrt(level * (1.0 - level) / 400)  # once in a thousand


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(1, 29))
def test_differences_added_up_again_are_the_series(values: list[float], lag: int) -> None:
    if lag >= len(values):
        with pytest.raises(UsageError, match=f"lag must be a whole number from 1 to {len(values) - 1}.* got {lag}"):
            difference(values, lag=lag)
        return
    steps = difference(values, lag=lag)
    assert np.isnan(steps[:lag]).all()
    rebuilt = list(values[:lag])
    for place in range(lag, len(values)):
        rebuilt.append(rebuilt[place - lag] + steps[place])
    np.testing.assert_allclose(rebuilt, values, atol=1e-4)


@given(st.lists(st.integers(-50, 50), min_size=6, max_size=40), st.integers(2, 8))
def test_a_season_of_medians_is_taken_off_and_the_median_put_back(values: list[int], period: int) -> None:
    series = np.array(values, dtype=float)
    if period > len(values) // 2:
        with pytest.raises(UsageError, match="period must be a whole number from 2 to half the length"):
            deseasonalize(series, period)
        return
    expected = [v - np.median(series[k % period :: period]) + np.median(series) for k, v in enumerate(series)]
    np.testing.assert_allclose(deseasonalize(series, period), expected)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=25), st.sampled_from([1, 3, 5, 7]))
def test_ranks_are_mid_ranks_of_running_medians(values: list[int], window: int) -> None:
    half = window // 2
    medians = [float(np.median(values[max(0, k - half) : k + half + 1])) for k in range(len(values))]
    expected = [(sum(m < own for m in medians) + sum(m == own for m in medians) / 2) / len(values) for own in medians]
    np.testing.assert_allclose(robust_ranks(values, window=window), expected)
    np.testing.assert_allclose(robust_ranks(-np.array(values), window=window), 1.0 - np.array(expected))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: difference([1.0, 2.0, 3.0], lag=1.5), "lag must be a whole number from 1 to 2.* got 1.5"),  # type: ignore[arg-type]
        (lambda: difference([1.0, 2.0], lag=0), "got 0"),
        (lambda: deseasonalize(np.zeros(9), 2.5), "period must be a whole number from 2 .* got 2.5"),  # type: ignore[arg-type]
        (lambda: robust_ranks([1.0], window=2.5), "window must be an odd number from 1.* got 2.5"),  # type: ignore[arg-type]
        (lambda: robust_ranks([1.0], window=-1), "window must be an odd number from 1.* got -1"),
        (lambda: preprocess(as_stream("abab"), period=2), "symbols have neither differences nor a season"),
    ],
)
def test_settings_that_fit_no_series_are_refused_by_name(call, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40))
@settings(max_examples=60)
def test_standardized_numbers_have_mean_zero_and_variance_one_or_nothing_is_left(values: list[float]) -> None:
    (column,) = standardized(np.array(values)[:, None]).T
    assert np.isfinite(column).all()
    assert column.mean() == pytest.approx(0.0, abs=1e-6)
    assert column.std() == pytest.approx(1.0, abs=1e-6) or not column.any()


def test_gaps_are_bridged_by_a_line_and_infinities_drawn_in() -> None:
    values = np.arange(12.0)
    gapped = values.copy()
    gapped[[4, 5, 6]] = np.nan
    np.testing.assert_allclose(standardized(gapped[:, None]), standardized(values[:, None]))
    endless = values.copy()
    endless[11] = np.inf
    drawn = standardized(endless[:, None])[:, 0]
    assert drawn[11] == pytest.approx(drawn[10])
    assert not standardized(np.full((5, 1), np.nan)).any()


@pytest.mark.parametrize("sides", [(1.0, np.inf), (0.0, -np.inf), (-np.inf, np.inf)])
@pytest.mark.parametrize("model", ["levels", "law"])
def test_infinities_beside_equal_numbers_are_a_change_under_every_model(sides: tuple[float, float], model: str) -> None:
    stream = np.repeat(sides, 50)
    assert [change.place for change in change_points(stream, model=model).changes] == [50]


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "1", [1.0]])
def test_detectors_of_losses_refuse_what_is_not_finite_and_stay_as_they_were(value: object) -> None:
    shifts, progress = ShiftDetector(), ProgressDetector()
    for step in range(30):
        shifts.update(5.0 - step / 10)
        progress.update(5.0 - step / 10)
    before = shifts.state(), json.dumps(progress.state())
    with pytest.raises(DataError, match=r"a shift detector reads finite numbers; got .* at step 30"):
        shifts.update(value)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"a progress detector reads finite numbers; got .* at step 30"):
        progress.update(value)  # type: ignore[arg-type]
    assert (shifts.state(), json.dumps(progress.state())) == before


@pytest.mark.parametrize(
    "given_settings",
    [
        {"mean_run_length": "x"}, {"mean_run_length": math.inf}, {"min_progress": "x"}, {"min_progress": -0.1},
        {"min_steps": 1.5}, {"min_steps": "x"},
    ],
)  # fmt: skip
def test_settings_of_a_progress_detector_that_are_none_are_named(given_settings: dict) -> None:
    (name,) = given_settings
    with pytest.raises(UsageError, match=f"{name} is a .*got"):
        ProgressDetector(**given_settings)


def test_a_shift_detector_that_is_given_words_says_so() -> None:
    with pytest.raises(DataError, match="a shift detector reads one row of finite numbers: could not convert"):
        ShiftDetector().update_many(["x"])


def test_a_shift_detector_goes_on_from_json() -> None:
    values = np.random.default_rng(2).normal(size=600)
    values[400:] += 5.0
    whole, first, second = ShiftDetector(), ShiftDetector(), ShiftDetector()
    expected = whole.update_many(values)
    begun = first.update_many(values[:333])
    second.load(json.loads(json.dumps(first.state())))
    assert begun + second.update_many(values[333:]) == expected != []
    assert (second.time, second.level, second.noise, second.evidence) == (
        whole.time, whole.level, whole.noise, whole.evidence,
    )  # fmt: skip


@pytest.mark.parametrize("shift", [-1e6, 0.0, 1e6])
def test_an_online_detector_does_not_know_where_zero_is(shift: float) -> None:
    values = np.round(np.random.default_rng(3).normal(size=500), 3)
    values[300:] += 3.0
    alarms = OnlineDetector(1000, history=64).update_many(values + shift)
    assert [(one.time, one.place) for one in alarms] == [
        (one.time, one.place) for one in OnlineDetector(1000, history=64).update_many(values)
    ]
    assert abs(alarms[0].place - 300) <= 12
