"""The level of a test and the confidence of an interval cannot be taken for one another, wherever they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shoal.changes import ChangePointDetector, change_points, known_number, single_change_point
from shoal.errors import UsageError
from shoal.experiments.sweeps.powerlaw import fit_above_floor, fit_power_law
from shoal.statistics import (
    clopper_pearson_interval,
    crossed_bootstrap,
    fewest_seeds,
    fit_exponent,
    plan_power,
    power,
    seeds_needed,
    sign_flip,
    sign_flip_interval,
    smallest_detectable_effect,
    wilson_interval,
)

VALUES = np.random.default_rng(0).normal(size=400)

TESTS: list[Callable[..., Any]] = [
    lambda alpha: change_points(VALUES, alpha=alpha),
    lambda alpha: ChangePointDetector(alpha=alpha).fit(VALUES),
    lambda alpha: fewest_seeds(alpha=alpha),
    lambda alpha: power(0.1, 0.1, 8, alpha=alpha),
    lambda alpha: seeds_needed(0.1, 0.1, alpha=alpha),
    lambda alpha: smallest_detectable_effect(0.1, 8, alpha=alpha),
    lambda alpha: plan_power(baseline=0.2, effect=0.2, items=30, seeds=6, seed_sd=0.1, alpha=alpha),
]
INTERVALS: list[Callable[..., Any]] = [
    lambda confidence: change_points(VALUES, confidence=confidence),
    lambda confidence: ChangePointDetector(confidence=confidence).fit(VALUES),
    lambda confidence: single_change_point(VALUES, confidence=confidence),
    lambda confidence: known_number(VALUES, 2, confidence=confidence),
    lambda confidence: wilson_interval(3, 9, confidence=confidence),
    lambda confidence: clopper_pearson_interval(3, 9, confidence=confidence),
    lambda confidence: crossed_bootstrap([[0.0, 1.0], [1.0, 1.0]], confidence=confidence),
    lambda confidence: sign_flip([0.1, 0.2, 0.1], confidence=confidence),
    lambda confidence: sign_flip_interval([0.1, 0.2, 0.1], confidence=confidence),
    lambda confidence: fit_power_law([1, 2, 3, 4], [4, 3, 2, 1], confidence=confidence),
    lambda confidence: fit_above_floor([1, 2, 3, 4], [4, 3, 2, 1], confidence=confidence),
    lambda confidence: fit_exponent([1, 2, 3], [[1.0], [2.0], [3.0]], confidence=confidence),
]


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("alpha", [0.95, 0.51, 0.0, 1.0, -0.05, 5, float("nan"), "0.05", None])
def test_a_level_above_one_half_is_refused(test: Callable[..., Any], alpha: Any) -> None:
    with pytest.raises(UsageError, match=r"alpha is the level of a test, above 0 and at most 0\.5"):
        test(alpha)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("confidence", [0.05, 0.49, 0.0, 1.0, 95, float("nan"), "0.95", None])
def test_a_confidence_below_one_half_is_refused(interval: Callable[..., Any], confidence: Any) -> None:
    with pytest.raises(UsageError, match=r"confidence is that of an interval, at least 0\.5 and below 1"):
        interval(confidence)


def test_who_mixes_the_two_up_is_told_the_other_name() -> None:
    with pytest.raises(UsageError, match="the share of intervals that hold the truth is called confidence"):
        change_points(VALUES, alpha=0.95)
    with pytest.raises(UsageError, match="the level of a test is called alpha"):
        change_points(VALUES, confidence=0.05)


def test_the_level_decides_what_is_found_and_the_confidence_how_wide_a_set_is() -> None:
    values = np.concatenate((VALUES, VALUES + 0.8))
    narrow, wide = (change_points(values, confidence=confidence).changes for confidence in (0.5, 0.99))
    assert [change.p_value for change in narrow] == [change.p_value for change in wide]
    assert len(narrow) == 1
    assert narrow[0].high - narrow[0].low < wide[0].high - wide[0].low
    strict = change_points(values, alpha=0.001, confidence=0.99)
    assert [(change.low, change.high) for change in strict.changes] == [(wide[0].low, wide[0].high)]
