"""A shift detector sees jumps, rises and falls soon, and seldom what is not there, in dependent noise too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from shoal.changes import Shift, ShiftDetector
from shoal.errors import DataError, UsageError


def noise(seed: int, length: int, memory: float = 0.0) -> np.ndarray:
    innovations = np.random.default_rng(seed).normal(size=length + 300)
    return np.ascontiguousarray(lfilter([1.0], [1.0, -memory], innovations)[300:])


def first_after(found: list[Shift], place: int) -> float:
    return next((one.time - place + 1 for one in found if one.time >= place), math.inf)


@pytest.mark.parametrize(("memory", "scale"), [(0.0, 1.0), (0.5, 1 / math.sqrt(0.75))])
def test_a_shift_of_one_sigma_is_found_within_150_steps_in_the_median(memory: float, scale: float) -> None:
    delays = []
    for seed in range(25):
        values = noise(seed, 3000, memory)
        values[2000:] += scale
        delays.append(first_after(ShiftDetector(100_000).update_many(values), 2000))
    assert np.median(delays) <= 150


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_flat_noise_raises_less_than_one_alarm_in_100_000_steps(memory: float) -> None:
    found = [one for seed in range(3) for one in ShiftDetector(300_000).update_many(noise(seed, 100_000, memory))]
    assert len(found) <= 3


@pytest.mark.parametrize("exponent", [0.1, 0.5])
def test_a_loss_that_falls_slower_and_slower_is_neither_a_rise_nor_a_fall(exponent: float) -> None:
    falling = 10 * (np.arange(50_000) + 20.0) ** -exponent
    assert not ShiftDetector(300_000).update_many(falling + 0.03 * noise(1, 50_000, 0.5))


def test_a_single_large_value_is_a_jump_and_nothing_else() -> None:
    values = noise(2, 1000)
    values[700] += 20
    (found,) = ShiftDetector().update_many(values)
    assert (found.kind, found.time, found.place) == ("jump", 700, 700)
    assert found.size == pytest.approx(20, abs=5)


def test_a_fall_is_placed_where_it_began_and_names_the_level_that_was_left() -> None:
    values = noise(3, 1200)
    values[800:] -= 3
    found = ShiftDetector(kinds=("fall",)).update_many(values)
    assert [one.kind for one in found] == ["fall"]
    assert abs(found[0].place - 800) <= 10
    assert found[0].expected == pytest.approx(0, abs=0.5)


def test_one_by_one_many_at_once_and_resumed_from_its_state_are_the_same() -> None:
    values = noise(4, 2000, 0.5)
    values[900:] += 4
    values[1500] += 30
    one, first, second = ShiftDetector(), ShiftDetector(), ShiftDetector()
    single = [found for value in values.tolist() if (found := one.update(value))]
    begun = first.update_many(values[:950])
    second.load(first.state())
    assert single == begun + second.update_many(values[950:])
    assert one.state() == second.state()


def test_unit_and_origin_of_the_values_change_nothing() -> None:
    values = noise(5, 1500)
    values[1000:] += 2
    found, scaled = ShiftDetector().update_many(values), ShiftDetector().update_many(1024 * values)
    assert [(one.kind, one.time, one.place) for one in found] == [(one.kind, one.time, one.place) for one in scaled]


def test_a_constant_stream_raises_nothing_until_it_changes() -> None:
    assert not ShiftDetector().update_many(np.full(500, 0.25))
    (found, *_) = ShiftDetector().update_many(np.r_[np.full(500, 0.25), np.full(50, 1.0)])
    assert found.time == 500


@pytest.mark.parametrize(
    "given", [{"mean_run_length": 0}, {"mean_run_length": math.nan}, {"history": 4}, {"kinds": ("bump",)}]
)
def test_wrong_settings_are_refused(given: dict) -> None:
    with pytest.raises(UsageError):
        ShiftDetector(**given)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        ShiftDetector().update(math.nan)
    with pytest.raises(DataError, match="one row"):
        ShiftDetector().update_many([[1.0, 2.0]])
    with pytest.raises(DataError, match="state"):
        ShiftDetector().load([0.0])


def test_a_stream_that_stood_still_is_learned_when_it_moves():
    values = np.concatenate([np.full(100, 2.0), 2 + 0.05 * np.random.default_rng(0).normal(size=300)])
    values[350] += 5
    detector = ShiftDetector(100_000)
    found = detector.update_many(values)
    # That it moves at all is a jump; what it then does is noise.
    assert [(one.kind, one.time) for one in found if one.time > 110] == [("jump", 350)]
    assert detector.noise == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize("scale", [25, 40])
def test_noise_that_was_learned_from_a_smooth_fall_is_learned_again(scale):
    steps, random = np.arange(400), np.random.default_rng(0)
    values = 5 * np.exp(-steps / scale) + 0.001 * random.normal(size=400)
    values[350] += 5
    detector = ShiftDetector(100_000)
    found = detector.update_many(values)
    assert [(one.kind, one.time) for one in found if one.time > 300] == [("jump", 350)]
    assert detector.noise == pytest.approx(0.001, rel=0.4)
