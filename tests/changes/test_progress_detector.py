"""The end of progress is claimed where a stream has become flat, and not while it falls or where noise hides it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import t as student

from shoal.changes import ProgressDetector, ProgressEnd
from shoal.changes.progress_detector import upper_quantile
from shoal.errors import UsageError


def ends(values: np.ndarray, **settings: float) -> list[ProgressEnd]:
    detector = ProgressDetector(**settings)
    found = []
    for value in values.tolist():
        if end := detector.update(value):
            found.append(end)
            detector.restart(keep_fall=False)
    return found


def noise(seed: int, length: int, memory: float = 0.0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=length)
    for step in range(1, length):
        values[step] += memory * values[step - 1]
    return values


@pytest.mark.parametrize("seed", range(4))
def test_the_end_of_an_exponential_is_claimed_once_and_placed(seed: int) -> None:
    values = 1 + 3 * np.exp(-np.arange(5000) / 300) + 0.1 * noise(seed, 5000)
    (found,) = ends(values)
    assert 900 < found.time < 3500
    assert 300 <= found.place < found.time
    assert found.level == pytest.approx(1, abs=0.05)
    assert found.fall == pytest.approx(3, abs=0.3)
    assert found.bound < 0.2 * found.fall


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_a_stream_that_never_fell_has_no_progress_to_end(memory: float) -> None:
    assert not ends(noise(1, 20_000, memory))


@pytest.mark.parametrize("exponent", [0.1, 0.3])
def test_a_power_law_goes_on(exponent: float) -> None:
    falling = 10 * (np.arange(10_000) + 10.0) ** -exponent
    assert not ends(falling + 0.05 * noise(2, 10_000, 0.5))


def test_a_bump_that_is_coming_down_is_no_end() -> None:
    steps = np.arange(2000)
    values = 1 + 2 * np.exp(-steps / 150) + 0.03 * noise(3, 2000)
    values[400:] += np.minimum((steps[400:] - 400) / 100, 1.0) * np.exp(-np.maximum(steps[400:] - 500, 0) / 500)
    assert not [end for end in ends(values) if 400 <= end.time < 1000]


def test_after_a_restart_that_keeps_the_fall_the_next_end_is_found() -> None:
    detector = ProgressDetector()
    values = 1 + 3 * np.exp(-np.arange(1500) / 100) + 0.05 * noise(4, 1500)
    assert any(detector.update(value) for value in values.tolist())
    detector.restart(keep_fall=True)
    assert any(detector.update(value) for value in (0.8 + 0.05 * noise(5, 400)).tolist())


def test_a_resumed_detector_claims_the_same() -> None:
    values = (1 + 3 * np.exp(-np.arange(3000) / 300) + 0.1 * noise(6, 3000)).tolist()
    whole, first, second = ProgressDetector(), ProgressDetector(), ProgressDetector()
    expected = [end for value in values if (end := whole.update(value))]
    for value in values[:777]:
        first.update(value)
    second.load(json.loads(json.dumps(first.state())))
    resumed = [end for value in values[777:] if (end := second.update(value))]
    assert resumed == expected != []


@pytest.mark.parametrize("given", [{"mean_run_length": 1.0}, {"min_progress": 0.0}, {"min_progress": 1.0}])
def test_wrong_settings_are_refused(given: dict) -> None:
    with pytest.raises(UsageError):
        ProgressDetector(**given)


@pytest.mark.parametrize("freedom", [2.0, 2.3, 3.0, 4.0, 7.5, 30.0, 62.0])
def test_the_bound_is_a_quantile_of_students_t_with_few_values_too(freedom: float) -> None:
    for level in (0.05, 0.01, 0.001, 1e-5):
        assert upper_quantile(level, freedom) == pytest.approx(student.isf(level, freedom), rel=1e-3)
