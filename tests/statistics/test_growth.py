"""Least-squares lines and exponents, against NumPy and laws that are known."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import UsageError
from shoal.statistics import fit_exponent, fit_lines


def test_lines_are_those_of_numpy() -> None:
    random = np.random.default_rng(0)
    x, y = np.sort(random.normal(size=9)), random.normal(size=(5, 9))
    slopes, intercepts, residuals = fit_lines(x, y)
    for row in range(5):
        slope, intercept = np.polyfit(x, y[row], 1)
        assert slopes[row] == pytest.approx(slope)
        assert intercepts[row] == pytest.approx(intercept)
        np.testing.assert_allclose(residuals[row], y[row] - slope * x - intercept, atol=1e-12)
        assert residuals[row] @ x == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("exponent", [-1.5, 0.0, 0.5, 1.0, 3.0])
def test_an_exact_law_has_its_exponent_and_no_width(exponent: float) -> None:
    sizes = [16, 32, 100, 700]
    found = fit_exponent(sizes, [(0.3 * size**exponent,) for size in sizes])
    assert found.value == pytest.approx(exponent)
    assert found.low == found.value == found.high


def test_the_interval_covers_the_exponent_as_often_as_it_should() -> None:
    random = np.random.default_rng(1)
    sizes = [8, 16, 32, 64, 128]
    covered = 0
    for seed in range(100):
        samples = [size**2.0 * np.exp(random.normal(0, 0.1, 15)) for size in sizes]
        found = fit_exponent(sizes, samples, confidence=0.9, seed=seed)
        covered += found.low <= 2.0 <= found.high
    assert 80 <= covered <= 99


def test_more_noise_and_more_confidence_give_wider_intervals() -> None:
    sizes, base = [1, 2, 4, 8], np.random.default_rng(2).normal(size=(4, 20))

    def width(noise: float, confidence: float) -> float:
        samples = [size * np.exp(noise * row) for size, row in zip(sizes, base, strict=True)]
        found = fit_exponent(sizes, samples, confidence=confidence)
        return found.high - found.low

    assert width(0.05, 0.9) < width(0.05, 0.99) < width(0.3, 0.99)


def test_the_median_of_the_repeats_decides() -> None:
    steady = fit_exponent([1, 2, 4], [(1, 1, 1), (2, 2, 2), (4, 4, 4)])
    outlier = fit_exponent([1, 2, 4], [(1, 1, 1), (2, 2, 900), (4, 4, 4)])
    assert steady.value == outlier.value == pytest.approx(1.0)


def test_a_cost_of_zero_is_read_as_very_small() -> None:
    assert np.isfinite(fit_exponent([1, 2, 4], [(0.0,), (0.0,), (0.0,)]).value)


def test_equal_seeds_give_equal_intervals() -> None:
    samples = [(1.0, 1.2, 0.9), (2.1, 1.8, 2.0), (4.0, 4.4, 3.9)]
    assert fit_exponent([1, 2, 4], samples, seed=5) == fit_exponent([1, 2, 4], samples, seed=5)


@pytest.mark.parametrize("sizes", [[4], [4, 4, 4]])
def test_one_size_has_no_exponent(sizes: list[int]) -> None:
    with pytest.raises(UsageError, match="at least two different sizes"):
        fit_exponent(sizes, [(1.0,)] * len(sizes))
