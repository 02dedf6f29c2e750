from __future__ import annotations

import numpy as np
import pytest

from shoal.training import EarlyStopping

DOCUMENTS, EVALUATIONS, SIMULATED, ALPHA = 60, 15, 200, 0.1


def _training(rng, drift):
    """Losses of documents at each evaluation: documents differ, and each one's loss is noisy around a common curve."""
    documents_D = rng.gamma(2.0, 40.0, DOCUMENTS)
    noise_KD = rng.standard_t(5, (EVALUATIONS, DOCUMENTS)) * documents_D * 0.05
    return documents_D * (1 + np.asarray(drift)[:, None]) + noise_KD


def _stopped(losses_KD, **rule):
    """The evaluation after which the rule stops, or None."""
    stopping = EarlyStopping(evaluations=EVALUATIONS, **rule)
    return next((k for k in range(EVALUATIONS) if stopping.stops(list(losses_KD[: k + 1]))), None)


@pytest.mark.parametrize("patience", [1, 3])
def test_a_loss_that_only_fluctuates_stops_no_more_trainings_than_alpha(patience):
    rng = np.random.default_rng(1)
    flat = np.zeros(EVALUATIONS)
    found = [_stopped(_training(rng, flat), patience=patience, alpha=ALPHA) for _ in range(SIMULATED)]
    share = sum(place is not None for place in found) / SIMULATED
    # Two standard errors of the simulation above the level.
    assert share <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / SIMULATED)
    # The plain rule stops nearly all of them.
    plain = [_stopped(_training(rng, flat), patience=patience, alpha=1.0) for _ in range(20)]
    assert sum(place is not None for place in plain) > 17


def test_a_loss_that_rises_stops_nearly_all():
    rng = np.random.default_rng(2)
    turned = np.concatenate([np.linspace(0.5, 0.0, 6), np.linspace(0.0, 0.3, EVALUATIONS - 6)])
    found = [_stopped(_training(rng, turned), patience=3, alpha=ALPHA) for _ in range(20)]
    assert all(place is not None and place > 7 for place in found)
    assert np.median(found) < 12


def test_a_loss_that_falls_stops_none():
    rng = np.random.default_rng(3)
    assert not any(
        _stopped(_training(rng, np.linspace(0.3, 0.0, EVALUATIONS)), patience=2, alpha=ALPHA) for _ in range(20)
    )


def test_without_the_test_it_stops_after_so_many_evaluations_without_a_new_best():
    losses_KD = np.array([[5.0], [4.0], [4.5], [3.0], [3.0], [3.5]])
    assert _stopped_at(losses_KD, patience=1) == 2
    assert _stopped_at(losses_KD, patience=2) == 5
    assert _stopped_at(losses_KD, patience=3) is None
    assert _stopped_at(losses_KD, patience=0) is None


def _stopped_at(losses_KD, *, patience):
    rule = EarlyStopping(patience=patience, alpha=1.0, evaluations=len(losses_KD))
    return next((k for k in range(len(losses_KD)) if rule.stops(list(losses_KD[: k + 1]))), None)


def test_the_level_of_a_test_pays_for_the_choice_of_the_best_and_for_all_evaluations():
    # Windows of 2 of 5 evaluations: behind the best 0 there are 3, behind 1 two, behind 2 one.
    assert EarlyStopping(patience=2, alpha=0.06, evaluations=5).level == pytest.approx(0.01)
