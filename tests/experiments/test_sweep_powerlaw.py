"""Power laws are found where they are, their intervals hold what they promise, and too few points are refused."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import UsageError
from shoal.experiments.sweeps import fit_above_floor, fit_power_law
from shoal.experiments.sweeps.result import law_line
from shoal.experiments.sweeps.scaling import scaling, scalings
from shoal.experiments.sweeps.trials import Trial, UnitRecord

SIZES = np.array([16, 24, 32, 40, 48, 64, 80, 96.0]) ** 2 * 12


def noisy(values, share, seed):
    return values * np.exp(share * np.random.default_rng(seed).standard_normal(len(values)))


def trial(number, parameters, score, tokens=1000, settings=None):
    unit = UnitRecord(
        trial=number,
        seed=0,
        settings=settings or {},
        state="complete",
        score=score,
        parameters=parameters,
        tokens=tokens,
    )
    return Trial(number=number, settings=settings or {}, units=(unit,))


def test_a_law_without_noise_is_found_exactly():
    law = fit_power_law(SIZES, 8 * SIZES**-0.12)
    assert law.exponent == pytest.approx(0.12)
    assert (law.low, law.high) == pytest.approx((0.12, 0.12), abs=1e-6)
    assert law.factor == pytest.approx(8)
    assert law.at(1000) == pytest.approx(8 * 1000**-0.12)


@pytest.mark.parametrize("count", [5, 8])
def test_the_interval_holds_the_true_exponent_as_often_as_it_says(count):
    sizes = SIZES[np.linspace(0, 7, count).astype(int)]
    laws = [fit_power_law(sizes, noisy(8 * sizes**-0.12, 0.01, seed), seed=seed) for seed in range(200)]
    held = sum(law.low <= 0.12 <= law.high for law in laws)
    # Binomial(200, .95) lies in 181 to 197 with a chance of .99.
    assert 181 <= held <= 198


def test_an_interval_of_fewer_or_noisier_points_is_wider():
    exact, loose = (fit_power_law(SIZES, noisy(8 * SIZES**-0.12, share, 3)) for share in (0.005, 0.05))
    assert loose.high - loose.low > 5 * (exact.high - exact.low)


def test_a_floor_is_found_where_there_is_one():
    law = fit_above_floor(SIZES, noisy(0.8 + 60 * SIZES**-0.5, 0.005, 1))
    assert law.floor_low < 0.8 < law.floor_high
    assert law.low < 0.5 < law.high
    assert law.floor == pytest.approx(0.8, abs=0.1)


def test_no_floor_is_claimed_where_there_is_none():
    law = fit_above_floor(SIZES, noisy(8 * SIZES**-0.3, 0.01, 1))
    assert law.floor_low == 0
    assert law.low < 0.3 < law.high


@pytest.mark.parametrize(
    ("sizes", "values", "said"),
    [
        ([1, 2, 4, 8], [4, 3, 2, 1], "4 different sizes are too few"),
        ([1, 1, 2, 2, 4, 8], [4, 4, 3, 3, 2, 1], "4 different sizes are too few"),
        ([1, 1.1, 1.2, 1.3, 1.4], [4, 3, 2, 1, 1], "too close for a law"),
        ([1, 2, 4, 8, 16], [4, 3, 2, 1, 0], "above 0"),
        ([1, 2, 4, 8, 16], [4, 3, 2, 1, float("nan")], "finite"),
        ([1, 2, 4, 8, 16], [4, 3, 2, 1], "one value per size"),
    ],
)
def test_points_through_which_a_line_says_nothing_are_refused(sizes, values, said):
    with pytest.raises(UsageError, match=said):
        fit_power_law(sizes, values)


def test_a_floor_needs_more_sizes_than_a_line():
    with pytest.raises(UsageError, match="7 or more"):
        fit_above_floor(SIZES[:6], 8 * SIZES[:6] ** -0.3)


def test_the_best_trial_of_each_size_is_taken_and_few_sizes_are_refused_in_words():
    trials = [trial(number, int(size), 8 * size**-0.12) for number, size in enumerate(SIZES)]
    worse = [trial(100 + one.number, one.parameters, one.score + 1) for one in trials]
    found = scaling([*worse, *trials], "parameters")
    assert [point.trial for point in found.points] == list(range(8))
    assert found.law.exponent == pytest.approx(0.12)
    few = scaling(trials[:3], "parameters")
    assert few.law is None
    assert "3 different sizes are too few" in law_line(few)


def test_compute_keeps_those_that_no_cheaper_trial_beats_and_what_stands_still_is_no_axis():
    trials = [trial(0, 100, 3.0), trial(1, 200, 3.5), trial(2, 400, 2.0)]
    assert [point.trial for point in scaling(trials, "compute").points] == [0, 2]
    assert [each.axis for each in scalings(trials)] == ["parameters", "compute"]
