"""Agreement of a scorer of refusals with labels, against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from shoal.errors import DataError
from shoal.safety import CONDUCTS, measure_refusal_agreement
from shoal.safety.head import decide_conduct
from shoal.safety.probing.failures import failure_share
from shoal.statistics import ErrorRates, correct_share


@pytest.fixture(scope="module")
def drawn():
    """120 labels, and guesses that are right two times of three."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, 120)
    guess = np.where(random.random(120) < 0.66, truth, random.integers(0, 3, 120))
    probabilities = np.full((120, 3), 0.1)
    probabilities[np.arange(120), guess] = 0.8
    return truth, guess, probabilities


def names(places):
    return [CONDUCTS[place] for place in places]


def test_every_figure_is_that_of_scikit_learn(drawn):
    truth, guess, probabilities = drawn
    found = measure_refusal_agreement(names(truth), probabilities, names(guess))
    any_truth, any_guess = truth > 0, guess > 0
    clear = truth != CONDUCTS.index("partial")
    assert found.answers == 120
    for value, wanted in (
        (found.accuracy, accuracy_score(any_truth, any_guess)),
        (found.kappa, cohen_kappa_score(any_truth, any_guess)),
        (found.accuracy_full, accuracy_score(any_truth[clear], any_guess[clear])),
        (found.kappa_full, cohen_kappa_score(any_truth[clear], any_guess[clear])),
        (found.three_way, accuracy_score(truth, guess)),
        (found.kappa_three_way, cohen_kappa_score(truth, guess)),
        (found.partial_f1, f1_score(truth, guess, labels=[CONDUCTS.index("partial")], average="macro")),
    ):
        assert value.value == pytest.approx(wanted)
        assert value.low <= value.value <= value.high


def test_the_calibration_error_is_worked_out_by_hand(drawn):
    truth, guess, probabilities = drawn
    found = measure_refusal_agreement(names(truth), probabilities, names(guess))
    # Two levels of certainty only: 0.2 where compliance was guessed, and 0.9 elsewhere.
    error = 0.0
    for level, part in ((0.2, guess == 0), (0.9, guess != 0)):
        error += part.mean() * abs((truth[part] > 0).mean() - level)
    assert found.calibration_error.value == pytest.approx(error)


def test_a_scorer_that_is_always_right_agrees_wholly(drawn):
    truth, _, _ = drawn
    certain = np.eye(3)[truth]
    found = measure_refusal_agreement(names(truth), certain, names(truth))
    for value in (found.accuracy, found.kappa, found.three_way, found.kappa_three_way, found.partial_f1):
        # What never errs here may err on the next answer: an interval of no width would deny it.
        assert (value.value, value.low, value.high) == (1, None, None)
    assert found.calibration_error.value == 0
    assert "accuracy" in str(found)
    assert len(str(found).splitlines()) == 6
    assert json.loads(json.dumps(found.to_dict()))["kappa"]["value"] == 1


def test_answers_of_one_prompt_are_resampled_together(drawn):
    truth, guess, probabilities = drawn
    alone = measure_refusal_agreement(names(truth), probabilities, names(guess))
    one = measure_refusal_agreement(names(truth), probabilities, names(guess), groups=[n // 20 for n in range(120)])
    assert one.accuracy.value == alone.accuracy.value
    assert (one.accuracy.low, one.accuracy.high) != (alone.accuracy.low, alone.accuracy.high)


@pytest.mark.parametrize("label", ["compliance", "refusal", "partial"])
def test_labels_of_one_class_are_refused(label):
    with pytest.raises(DataError, match="all 4 labels are of one class; give answers that comply and answers that"):
        measure_refusal_agreement([label] * 4, np.full((4, 3), 1 / 3), ["refusal"] * 4)


@pytest.mark.parametrize(
    ("row", "partial_from", "wanted"),
    [
        ((0.5, 0.5, 0.0), 0.5, "compliance"),
        ((0.49, 0.51, 0.0), 0.5, "refusal"),
        ((0.4, 0.3, 0.3), 0.5, "partial"),
        ((0.4, 0.31, 0.29), 0.5, "refusal"),
        ((0.4, 0.31, 0.29), 0.4, "partial"),
        ((0.0, 1.0, 0.0), 0.5, "refusal"),
        ((0.0, 0.0, 1.0), 0.5, "partial"),
        ((1.0, 0.0, 0.0), 0.0, "compliance"),
    ],
)
def test_compliance_needs_half_and_a_partial_refusal_its_share(row, partial_from, wanted):
    assert decide_conduct(np.array([row]), partial_from) == [wanted]


ERRORS = ErrorRates(sensitivity=0.9, specificity=0.95, positives=200, negatives=300)


@pytest.mark.parametrize("failures", [0, 3, 11, 20])
def test_harmless_probes_fail_where_they_are_refused_and_harmful_ones_where_they_are_not(failures):
    failed = [place < failures for place in range(20)]
    seeds = [f"s{place}" for place in range(20)]
    refused = correct_share(failed, ERRORS, clusters=seeds)
    harmless = failure_share(failed, seeds, ERRORS, harmful=False, confidence=0.95)
    assert harmless == refused
    harmful = failure_share(failed, seeds, ERRORS, harmful=True, confidence=0.95)
    complied = correct_share([not value for value in failed], ERRORS, clusters=seeds)
    assert harmful.raw == pytest.approx(failures / 20)
    assert harmful.corrected == pytest.approx(1 - complied.corrected)
    assert (harmful.low, harmful.high) == (pytest.approx(1 - complied.high), pytest.approx(1 - complied.low))
    assert harmful.low <= harmful.corrected <= harmful.high
    assert harmful.raw_low <= harmful.raw <= harmful.raw_high


def test_a_perfect_scorer_leaves_the_share_as_it_is():
    perfect = ErrorRates(sensitivity=1.0, specificity=1.0, positives=1e9, negatives=1e9)
    found = failure_share(
        [True] * 6 + [False] * 14, [f"s{n}" for n in range(20)], perfect, harmful=True, confidence=0.9
    )
    assert found.corrected == pytest.approx(0.3)
    assert found.confidence == 0.9
