"""An online detector raises an alarm soon after a change of any kind, and seldom where nothing changes."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from shoal.changes import Alarm, OnlineDetector
from shoal.changes.generators import autoregressive
from shoal.errors import DataError, UsageError


def noise(seed: int, length: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=length)


def first_after(alarms: list[Alarm], place: int) -> int:
    return next((alarm.time for alarm in alarms if alarm.time >= place), 10**9) - place + 1


def test_the_median_delay_after_a_shift_of_one_sigma_is_below_sixty() -> None:
    delays = []
    for seed in range(30):
        values = noise(seed, 1500)
        values[800:] += 1.0
        delays.append(first_after(OnlineDetector(10_000).update_many(values), 800))
    assert statistics.median(delays) <= 40


@pytest.mark.parametrize("kind", ["variance", "dependence"])
def test_changes_that_leave_the_mean_are_seen(kind: str) -> None:
    delays = []
    for seed in range(15):
        values = noise(seed, 2500)
        values[1000:] = 2.0 * values[1000:] if kind == "variance" else autoregressive((1500,), (0.8,), seed=seed).values
        delays.append(first_after(OnlineDetector(10_000).update_many(values), 1000))
    assert statistics.median(delays) <= (100 if kind == "variance" else 250)


def test_the_place_of_an_alarm_is_near_the_change_and_it_says_what_moved() -> None:
    values = noise(3, 1500)
    values[900:] += 2.0
    (alarm,) = OnlineDetector(10_000).update_many(values)
    assert abs(alarm.place - 900) <= 12
    assert alarm.place <= alarm.time
    assert alarm.evidence >= np.log(10_000)
    assert alarm.feature.after > alarm.feature.before
    assert alarm.feature.word.startswith("level")


@pytest.mark.parametrize("law", ["normal", "cauchy", "binary"])
def test_false_alarms_are_no_more_frequent_than_was_asked_for(law: str) -> None:
    mean_run_length, steps, false_alarms = 2000, 0, 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        draws = {
            "normal": generator.normal(size=4000),
            "cauchy": generator.standard_cauchy(size=4000),
            "binary": generator.integers(0, 2, 4000).astype(float),
        }
        alarms = OnlineDetector(mean_run_length).update_many(draws[law])
        false_alarms += bool(alarms)
        steps += alarms[0].time - 256 if alarms else 4000 - 256
    assert steps / max(false_alarms, 1) > 0.7 * mean_run_length


def test_one_by_one_and_many_at_once_say_the_same() -> None:
    values = noise(5, 1800)
    values[600:1200] += 1.5
    one, many = OnlineDetector(5000), OnlineDetector(5000)
    single = [alarm for value in values.tolist() if (alarm := one.update(value))]
    pieces = [alarm for part in np.array_split(values, 7) for alarm in many.update_many(part)]
    assert single == pieces == OnlineDetector(5000).update_many(values)
    assert one.time == many.time == 1800
    assert one.evidence == many.evidence


def test_alarms_are_the_same_under_every_increasing_transformation() -> None:
    values = noise(6, 1500)
    values[700:] *= 2.0
    assert (
        OnlineDetector().update_many(values)
        == OnlineDetector().update_many(np.exp(values))
        == OnlineDetector().update_many(3.0 * values - 7.0)
    )


def test_constants_gaps_and_infinities_do_not_stop_it() -> None:
    assert OnlineDetector().update_many(np.zeros(3000)) == []
    values = noise(7, 2000)
    values[::50] = np.nan
    values[::70] = np.inf
    assert OnlineDetector(1e6).update_many(values) == []
    values[1000:] = np.nan
    assert first_after(OnlineDetector().update_many(values), 1000) < 50


def test_it_learns_again_after_an_alarm() -> None:
    values = noise(8, 3000)
    values[1000:2000] += 4.0
    alarms = OnlineDetector().update_many(values)
    assert [round(alarm.time, -2) for alarm in alarms] == [1000, 2000]


def test_the_state_does_not_grow_with_the_stream() -> None:
    detector = OnlineDetector(1e12)
    detector.update_many(noise(9, 1000))
    before = sum(
        array.nbytes for array in (detector._evidence.counts, detector._evidence.factors, detector._evidence.starts)
    )
    detector.update_many(noise(9, 50_000))
    after = sum(
        array.nbytes for array in (detector._evidence.counts, detector._evidence.factors, detector._evidence.starts)
    )
    assert after == before
    assert np.count_nonzero(detector._evidence.starts >= 0) <= 8 * np.log2(51_000)


def test_nothing_read_is_no_alarm_and_bad_settings_are_refused() -> None:
    assert OnlineDetector().update_many([]) == []
    assert OnlineDetector().evidence == -np.inf
    with pytest.raises(UsageError, match="mean_run_length"):
        OnlineDetector(1.0)
    with pytest.raises(UsageError, match="history"):
        OnlineDetector(history=10)
    with pytest.raises(DataError, match="numbers"):
        OnlineDetector().update_many(["a", "b"])
    with pytest.raises(DataError, match="one number per step"):
        OnlineDetector().update_many(np.zeros((3, 2)))


@pytest.mark.parametrize("start", [0, 40, 100, 230, 600])
def test_a_gap_is_no_alarm(start: int) -> None:
    alarms = 0
    for seed in range(15):
        values = noise(seed, 1200)
        values[start : start + 20] = np.nan
        alarms += bool(OnlineDetector(10_000).update_many(values))
    assert alarms <= 4


def test_places_and_times_count_missing_steps() -> None:
    values = noise(3, 1500)
    values[900:] += 2.0
    values[::7] = np.nan
    (alarm,) = OnlineDetector(10_000).update_many(values)
    assert abs(alarm.place - 900) <= 12
    detector = OnlineDetector(10_000)
    assert [found for value in values.tolist() if (found := detector.update(value))] == [alarm]


def test_an_outage_is_one_alarm() -> None:
    values = noise(4, 1200)
    values[700:] = np.nan
    (alarm,) = OnlineDetector(1e6).update_many(values)
    assert alarm.place == 700
    assert alarm.feature.word == "missing"


@pytest.mark.parametrize("value", ["a", "1.5", [1.0], {}, 1j, b"x", np.zeros(2)])
def test_a_value_that_is_no_number_is_refused_in_one_line(value: object) -> None:
    with pytest.raises(DataError, match="one number per step; got") as refused:
        OnlineDetector().update(value)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [None, 3, True, np.float32(2.0), np.array(1.0), float("nan")])
def test_every_form_of_a_number_is_read(value: object) -> None:
    assert OnlineDetector().update(value) is None  # type: ignore[arg-type]


def test_settings_that_are_no_numbers_are_refused() -> None:
    for setting in ({"mean_run_length": "a"}, {"mean_run_length": None}, {"history": "b"}, {"history": 100.5}):
        with pytest.raises(UsageError):
            OnlineDetector(**setting)
