from __future__ import annotations

import numpy as np
import pytest

from shoal.training import HeldOutCurve, HeldOutPoint, find_overfitting

DOCUMENTS = 80


def _losses(curve_K, *, noise, seed=0):
    """Losses of documents of 50 tokens each, whose mean per token follows the curve."""
    rng = np.random.default_rng(seed)
    level_D = rng.normal(0.0, 0.3, DOCUMENTS)
    tokens_D = np.full(DOCUMENTS, 50.0)
    curve_K = np.asarray(curve_K)
    return (curve_K[:, None] + level_D + noise * rng.normal(size=(len(curve_K), DOCUMENTS))) * tokens_D, tokens_D


def _learning(count, *, rise=0.0, turn=0.4):
    x = np.linspace(0, 1, count)
    return 1.3 + 4 * np.exp(-15 * x) + 0.6 / (1 + 12 * x) + rise * np.maximum(0, x - turn)


@pytest.mark.parametrize("count", [21, 41])
def test_a_curve_that_turns_is_found_where_it_turns(count):
    losses_KD, tokens_D = _losses(_learning(count, rise=1.0), noise=0.05)
    steps = [100 * place for place in range(count)]
    found = find_overfitting(steps, list(losses_KD), tokens_D)
    assert found is not None
    true = 0.4 * 100 * (count - 1)
    assert found.low - 100 <= true <= found.high + 100
    assert found.low <= found.step <= found.high
    assert found.rise == pytest.approx(0.5, abs=0.15)
    assert found.rise_p_value < 0.05
    assert str(found).startswith(f"overfits from step {found.step:,} (95% confidence set: steps {found.low:,} to ")


@pytest.mark.parametrize("curve", [_learning(21), _learning(21) - np.linspace(0, 0.3, 21)], ids=["level", "falling"])
def test_a_curve_that_does_not_rise_is_not_claimed_to_overfit(curve):
    claims = [
        find_overfitting(range(21), list(losses_KD), tokens_D)
        for losses_KD, tokens_D in (_losses(curve, noise=0.2, seed=seed) for seed in range(25))
    ]
    assert claims == [None] * 25


def test_a_rise_without_a_place_where_it_turned_is_not_claimed():
    # It rises from the first evaluation on, so that no step divides learning from overfitting.
    losses_KD, tokens_D = _losses(np.linspace(1.0, 2.0, 21), noise=0.05)
    assert find_overfitting(range(21), list(losses_KD), tokens_D) is None


def test_few_evaluations_are_no_evidence():
    losses_KD, tokens_D = _losses([3.0, 2.0, 1.0, 1.5, 2.0], noise=0.01)
    assert find_overfitting(range(5), list(losses_KD), tokens_D) is None


def test_few_documents_are_no_evidence():
    losses_KD, tokens_D = _losses(_learning(21, rise=1.0), noise=0.01)
    assert find_overfitting(range(21), list(losses_KD[:, :6]), tokens_D[:6]) is not None
    assert find_overfitting(range(21), list(losses_KD[:, :5]), tokens_D[:5]) is None


def test_a_rise_that_begins_before_it_could_be_dated_is_stated_and_a_level_curve_is_not():
    def curve(*losses):
        points = tuple(
            HeldOutPoint(step=10 * place, loss=loss, low=loss - 0.1, high=loss + 0.1)
            for place, loss in enumerate(losses)
        )
        return HeldOutCurve(
            points=points, documents=9, confidence=0.95, best_step=10, returned_step=20, stopped_early=False, onset=None
        )

    assert (
        curve(1.8, 0.7, 2.0).overfitting
        == "the held-out loss has risen since step 10, without a turn that can be dated"
    )
    assert curve(1.8, 0.7, 0.8).overfitting == "no evidence of overfitting"
