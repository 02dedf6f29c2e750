from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import DataError
from shoal.statistics import (
    ErrorRates,
    calibration_error,
    class_f1,
    cohen_kappa,
    correct_share,
    effective_size,
    largest_likely_share,
    measure_error_rates,
    prediction_powered_share,
    resample_confusion,
    share_by_labels,
    wilson_interval,
)

PERFECT = ErrorRates(sensitivity=1.0, specificity=1.0, positives=1e9, negatives=1e9)


def test_a_perfect_classifier_needs_no_correction() -> None:
    found = correct_share([True] * 30 + [False] * 70, PERFECT)
    assert found.corrected == pytest.approx(found.raw) == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((found.raw_low, found.raw_high), abs=0.01)


def test_the_correction_undoes_the_errors_of_a_classifier() -> None:
    errors = ErrorRates(sensitivity=0.8, specificity=0.9, positives=500, negatives=500)
    raw = 0.5 * 0.8 + 0.5 * 0.1
    found = correct_share([True] * round(1000 * raw) + [False] * round(1000 * (1 - raw)), errors)
    assert found.corrected == pytest.approx(0.5, abs=0.001)
    assert found.low < 0.5 < found.high
    assert found.high - found.low > found.raw_high - found.raw_low


def test_the_interval_is_that_of_lang_and_reiczigel() -> None:
    """By hand from equations 4, 6, 7 and 17: 40 of 100 positive, 45 of 50 found, 57 of 60 spared."""
    errors = ErrorRates(sensitivity=0.9, specificity=0.95, positives=50, negatives=60)
    found = correct_share([True] * 40 + [False] * 60, errors)
    z = 1.959963984540054
    raw, seen = (40 + z * z / 2) / (100 + z * z), 100 + z * z
    sensitivity, specificity = 46 / 52, 58 / 62
    middle = (raw + specificity - 1) / (sensitivity + specificity - 1)
    miss, alarm = sensitivity * (1 - sensitivity) / 52, specificity * (1 - specificity) / 62
    shift = 2 * z * z * (middle * miss - (1 - middle) * alarm)
    spread = raw * (1 - raw) / seen + middle**2 * miss + (1 - middle) ** 2 * alarm
    half = z * spread**0.5 / (sensitivity + specificity - 1)
    assert (found.low, found.high) == pytest.approx((middle + shift - half, middle + shift + half))


def test_the_corrected_interval_covers_where_the_raw_one_does_not() -> None:
    random = np.random.default_rng(0)
    covered = raw_covered = 0
    for _ in range(400):
        truth = random.random(300) < 0.3
        guess = np.where(truth, random.random(300) < 0.85, random.random(300) < 0.05)
        known = random.random(400) < 0.5
        known_guess = np.where(known, random.random(400) < 0.85, random.random(400) < 0.05)
        found = correct_share(guess.tolist(), measure_error_rates(known.tolist(), known_guess.tolist()))
        covered += found.low <= 0.3 <= found.high
        raw_covered += found.raw_low <= 0.3 <= found.raw_high
    assert 0.93 <= covered / 400 <= 0.985
    assert raw_covered < covered


def test_prediction_powered_inference_is_unbiased_under_a_bad_classifier() -> None:
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        truth = random.random(600) < 0.4
        guess = np.clip(0.3 + 0.4 * truth + random.normal(0, 0.1, 600), 0, 1)
        labelled = list(zip(guess[:100].tolist(), truth[:100].tolist(), strict=True))
        found = prediction_powered_share(guess[100:].tolist(), labelled)
        hits += found.low <= 0.4 <= found.high
    assert hits / 300 >= 0.92


def test_items_in_clusters_count_less() -> None:
    values = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0] * 20
    clusters = [place // 3 for place in range(120)]
    assert effective_size(values, clusters) < 60
    assert effective_size(values, list(range(120))) == pytest.approx(120, rel=0.02)


def test_labels_of_one_class_and_a_coin_are_refused() -> None:
    with pytest.raises(DataError, match="positive"):
        measure_error_rates([False] * 5, [False] * 5)
    with pytest.raises(DataError, match="one class"):
        prediction_powered_share([0.1, 0.2, 0.3], [(0.1, False), (0.3, False)])
    with pytest.raises(DataError, match="cannot separate"):
        correct_share([True, False], ErrorRates(sensitivity=0.5, specificity=0.5, positives=10, negatives=10))
    with pytest.raises(DataError, match="no items"):
        correct_share([], PERFECT)


def test_measures_of_agreement_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(2)
    truth = random.integers(0, 3, 200)
    guess = np.where(random.random(200) < 0.7, truth, random.integers(0, 3, 200))
    tables = resample_confusion(truth, guess, classes=3, draws=50)
    assert tables.estimate(cohen_kappa).value == pytest.approx(metrics.cohen_kappa_score(truth, guess))
    f1 = metrics.f1_score(truth, guess, average=None)
    assert [float(class_f1(tables.whole_KK, place)) for place in range(3)] == pytest.approx(f1.tolist())


def test_a_calibrated_forecast_has_a_small_error_and_a_sure_wrong_one_a_large() -> None:
    random = np.random.default_rng(3)
    forecast = random.random(4000)
    outcome = (random.random(4000) < forecast).astype(int)
    assert calibration_error(forecast, outcome).value < 0.04
    assert calibration_error(np.full(100, 0.95), np.zeros(100, dtype=int)).value == pytest.approx(0.95)


def test_clusters_of_one_share_know_no_less_than_their_items() -> None:
    pairs = ["a", "a", "b", "b", "c", "c"]
    assert effective_size([1, 0, 1, 0, 0, 1], pairs) == 6
    assert correct_share([True, False] * 3, PERFECT, clusters=pairs).raw == 0.5


def test_fewer_positives_than_false_alarms_leave_an_interval_of_some_width() -> None:
    errors = ErrorRates(sensitivity=0.95, positives=300, specificity=0.95, negatives=600)
    found = correct_share([False] * 106, errors)
    assert (found.corrected, found.low) == (0, 0)
    # With 106 items and no false alarm at all, exactly 3.4% would be the upper limit of what is seen.
    assert 0.01 < found.high < 0.034 / 0.95
    mirrored = correct_share([True] * 106, errors.exchanged())
    assert (mirrored.corrected, mirrored.high) == (1, 1)
    assert mirrored.low == pytest.approx(1 - found.high)


def test_the_likelihood_that_limits_a_share_is_the_best_over_both_error_rates() -> None:
    errors = ErrorRates(sensitivity=0.9, positives=80, specificity=0.96, negatives=120)
    limit = largest_likely_share(0.02, 100, errors)
    rates = np.linspace(0.001, 0.999, 1500)
    hit, alarm = rates[:, None], rates[None, :]

    def best(share: float) -> float:
        expected = share * hit + (1 - share) * alarm
        return float(
            (
                2 * np.log(expected)
                + 98 * np.log(1 - expected)
                + 72.5 * np.log(hit)
                + 8.5 * np.log(1 - hit)
                + 5.3 * np.log(alarm)
                + 115.7 * np.log(1 - alarm)
            ).max()
        )

    assert best(0.0) - best(limit) == pytest.approx(3.841 / 2, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03, 1.0])
def test_intervals_near_the_ends_cover_the_true_share(share: float) -> None:
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        errors = ErrorRates(
            sensitivity=generator.binomial(100, 0.9) / 100,
            positives=100,
            specificity=generator.binomial(150, 0.95) / 150,
            negatives=150,
        )
        flagged = generator.binomial(80, share * 0.9 + (1 - share) * 0.05)
        found = correct_share([True] * flagged + [False] * (80 - flagged), errors)
        covered += found.low <= share <= found.high
    assert covered >= 186


def test_labels_speak_alone_where_guesses_can_add_nothing() -> None:
    none = share_by_labels([0.2] * 30, [(0.2, False)] * 20)
    assert (none.corrected, none.method) == (0.0, "labels alone")
    assert none.low == pytest.approx(0.0, abs=1e-12)
    assert none.high == pytest.approx(wilson_interval(0, 20).high)
    whole = share_by_labels([], [(0.9, True)] * 5 + [(0.1, False)] * 15)
    assert (whole.corrected, whole.raw) == pytest.approx((0.25, 0.3))
    assert (whole.low, whole.high) == pytest.approx((wilson_interval(5, 20).low, wilson_interval(5, 20).high))
    mixed = [(0.9, True)] * 5 + [(0.1, False)] * 15
    assert share_by_labels([0.2] * 30, mixed) == prediction_powered_share([0.2] * 30, mixed)
    with pytest.raises(DataError, match="no labelled item"):
        share_by_labels([0.2], [])


def test_errors_measured_on_too_few_items_turn_no_interval_around() -> None:
    few = ErrorRates(sensitivity=1.0, specificity=0.06, positives=2, negatives=100)
    with pytest.raises(DataError, match="measured on 2 positives and 100 negatives, too few"):
        correct_share([True] * 90 + [False] * 10, few)


def test_items_without_clusters_share_none_with_labelled_ones() -> None:
    guesses = [float(place % 3 == 0) for place in range(60)]
    labelled = [(guess, place % 2 == 0) for place, guess in enumerate(guesses)]
    named = [("another", place) for place in range(60)]
    assert prediction_powered_share(guesses, labelled) == prediction_powered_share(guesses, labelled, clusters=named)
