"""Mixtures of probabilities, and their weights by EM."""

import numpy as np
import pytest
from scipy.optimize import minimize

from shoal.errors import DataError, UsageError
from shoal.statistics import fit_mixture, mixture_log_likelihoods


def table(rows=400, members=3, seed=0):
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(5), size=(rows, members))[:, :, 0])


def test_a_mixture_sums_probabilities_and_not_logits():
    log_p = np.log([[0.9, 0.1], [0.2, 0.4]])
    mixed = mixture_log_likelihoods(log_p, [0.25, 0.75])
    np.testing.assert_allclose(np.exp(mixed), [0.25 * 0.9 + 0.75 * 0.1, 0.25 * 0.2 + 0.75 * 0.4])


def test_em_finds_the_weights_that_an_optimiser_finds():
    log_p = table()

    def loss(free):
        weights = np.exp(free - np.logaddexp.reduce(free))
        return -mixture_log_likelihoods(log_p, weights).mean()

    best = minimize(loss, np.zeros(3), method="BFGS")
    found = fit_mixture(log_p)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-5)
    np.testing.assert_allclose(found.weights, np.exp(best.x - np.logaddexp.reduce(best.x)), atol=1e-2)


def test_the_gap_bounds_what_other_weights_could_gain():
    log_p = table(seed=4)
    early, late = fit_mixture(log_p, max_steps=3), fit_mixture(log_p, gap=1e-10, max_steps=20_000)
    assert 0 < late.log_likelihood - early.log_likelihood <= early.gap


def test_a_member_that_is_worse_everywhere_gets_no_weight():
    log_p = table(members=1)
    found = fit_mixture(np.hstack([log_p, log_p - 1]), gap=1e-9)
    assert found.weights[1] < 1e-6


def test_tiny_probabilities_do_not_underflow():
    found = fit_mixture(table() - 5000)
    assert found.log_likelihood == pytest.approx(fit_mixture(table()).log_likelihood - 5000)


def test_what_every_member_excludes_cannot_be_fitted():
    with pytest.raises(DataError, match="probability 0 under every member"):
        fit_mixture(np.array([[0.0, -1.0], [-np.inf, -np.inf]]))
    with pytest.raises(DataError, match="not a number"):
        fit_mixture(np.array([[np.nan, 0.0]]))


@pytest.mark.parametrize("weights", [[0.5, 0.2], [1.5, -0.5], [1.0]])
def test_weights_that_are_no_shares_are_refused(weights):
    with pytest.raises(UsageError):
        mixture_log_likelihoods(table(members=2), weights)
