"""The posterior over mixtures of explanations, by summing over which of them take part.

A model may be a bag of heuristics: with probability π_k it answers by explanation k, and otherwise by noise. Which
explanations take part (the subset S) is unknown, too; given S, π has a flat Dirichlet prior over S and noise. The
likelihood of π is that of the answers, each weighted by how probable it is to the model (the expected log-likelihood
of an answer that is drawn from the model):

    log L(π) = Σ_i w_i Σ_a P_i(a) log Σ_k π_k P(a | k, x_i).

Its integral over π is found for each S by importance sampling from the Dirichlet distribution that would be the exact
posterior if no two explanations ever gave one answer, around the maximum that EM finds. Subsets of one and two
explanations are all tried; larger ones grow from the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, logsumexp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shoal.attribution.candidates import AnswerEvidence

_DRAWS = 400
"""Draws of π for each subset; the evidence of a subset is then known to some 5%, far below what decides anything."""

_MIN_MASS = 0.3
"""Answers that an explanation must give, in sum over the items, to take part in any subset."""

_GROWN = 8
"""The best subsets of each size that are grown by one more explanation."""

_NEGLIGIBLE = 20.0
"""Subsets whose log evidence is this far (nats) below the best are left out; a million of them would weigh 0.2%."""

_MOST = 4
"""Explanations in a subset at most; a fifth would have a share that no interval tells from noise."""

_SIZE_PRIOR = 0.4
"""Each further explanation of a subset is this much less probable a priori."""

_STEPS = 60
"""Steps of EM. Where it stops only centres the draws; their weights make up for a maximum that is missed."""

_BLOCK = 4096
"""Draws that are multiplied with the items at once: 30 MB for a thousand items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixturePosterior:
    """Draws of the shares with their weights, over all subsets that were tried."""

    shares_DC: NDArray[np.float64]
    """Shares of all classes and of noise (the last column); each row sums to 1."""

    weights_D: NDArray[np.float64]
    """Posterior weights of the draws; they sum to 1."""

    def mean(self) -> NDArray[np.float64]:
        """The mean share of each class, and of noise."""
        return self.weights_D @ self.shares_DC

    def interval(self, confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The ends of the central credible interval of each share."""
        tail = (1 - confidence) / 2
        ends = [_quantiles(column, self.weights_D, (tail, 1 - tail)) for column in self.shares_DC.T]
        low, high = np.array(ends).T
        return low, high

    def leads(self) -> NDArray[np.float64]:
        """The probability that a class, or noise, has the largest share of all."""
        winners = self.shares_DC.argmax(axis=1)
        found: NDArray[np.float64] = np.zeros(self.shares_DC.shape[1])
        # Not `found[winners] += ...`, which counts a winner once however many draws it has won.
        np.add.at(found, winners, self.weights_D)
        return found

    def responsibilities(self, given_NC: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability that each class, or noise, gave an answer, over the posterior of the shares.

        Args:
            given_NC: the probability of each item's answer by each class and by noise.
        """
        total = np.zeros(given_NC.shape)
        # Only draws that weigh anything, since a subset that explains nothing has hundreds of them.
        places = np.flatnonzero(self.weights_D > 1e-5 * self.weights_D.max())
        for start in range(0, len(places), _BLOCK):
            block = places[start : start + _BLOCK]
            # The answer's probability under each draw; summed over draws first, no array has draws, items and classes.
            answer_DN = np.maximum(self.shares_DC[block] @ given_NC.T, 1e-300)
            total += given_NC * ((self.weights_D[block, None] / answer_DN).T @ self.shares_DC[block])
        found: NDArray[np.float64] = total / np.maximum(total.sum(axis=1, keepdims=True), 1e-300)
        return found


def fit_mixtures(evidence: AnswerEvidence, prior_C: Sequence[float], *, seed: int = 0) -> MixturePosterior:
    """The posterior over subsets of explanations and their shares.

    Args:
        evidence: candidates and answers.
        prior_C: the prior weight of each class (not of noise), by which subsets are weighted.
        seed: random seed of the draws.
    """
    classes = len(evidence.classes)
    # An explanation that gives hardly one answer cannot be a part; most shortcuts of a task are such.
    mass_C = np.einsum("n,na,nac->c", evidence.weights_N, evidence.race_NA, evidence.given_NAC)[:-1]
    able = [int(place) for place in np.flatnonzero(mass_C >= _MIN_MASS)]
    fitter = _Fitter(evidence, np.log(np.asarray(prior_C, dtype=float)), np.random.default_rng(seed))
    level = [fitter.fit(())]
    found = list(level)
    for size in range(1, min(_MOST, len(able)) + 1):
        chosen = combinations(able, size) if size <= 2 else _grown(level, able)
        fits = sorted((fitter.fit(members) for members in chosen), key=lambda fit: -fit.log_evidence)
        found += fits
        level = fits[:_GROWN]
    # Not only those that grow: of a dozen explanations that fit equally well, the draws would choose the ones to name.
    best = max(fit.log_evidence for fit in found)
    found = [fit for fit in found if fit.log_evidence >= best - _NEGLIGIBLE]
    weights = np.concatenate([fit.log_evidence + fit.log_weights_D for fit in found])
    weights = np.exp(weights - logsumexp(weights))
    # Explanations outside of a subset have a share of exactly 0 in all of its draws.
    shares = np.zeros((len(weights), classes + 1))
    start = 0
    for fit in found:
        stop = start + len(fit.log_weights_D)
        shares[start:stop, [*fit.members, classes]] = fit.shares_DS
        start = stop
    return MixturePosterior(shares_DC=shares, weights_D=weights)


@dataclass(frozen=True, slots=True)
class _Fit:
    """One subset: its log evidence with the prior, and weighted draws."""

    members: tuple[int, ...]
    log_evidence: float
    shares_DS: NDArray[np.float64]
    log_weights_D: NDArray[np.float64]
    """Normalised: their exponentials sum to 1."""


class _Fitter:
    """Fits subsets to the evidence."""

    def __init__(self, evidence: AnswerEvidence, log_prior_C: NDArray[np.float64], draw: np.random.Generator) -> None:
        # Answers that have no weight are left out, and all others stand in one list: E pairs of item and answer.
        self._weight_E = (evidence.weights_N[:, None] * evidence.race_NA).ravel()
        present = self._weight_E > 1e-6
        self._weight_E = self._weight_E[present]
        self._given_EC = evidence.given_NAC.reshape(-1, evidence.given_NAC.shape[-1])[present]
        self._log_prior_C = log_prior_C - logsumexp(log_prior_C)
        self._draw = draw

    def fit(self, members: tuple[int, ...]) -> _Fit:
        """Find the evidence of a subset.

        Args:
            members: columns of the explanations that take part; noise always does.
        """
        given_ES = self._given_EC[:, [*members, -1]]
        size = len(members)
        # Noise alone is as probable as one explanation, since that is what an explanation is compared with.
        prior = max(size, 1) * np.log(_SIZE_PRIOR) + self._log_prior_C[list(members)].sum()
        if size == 0:
            return _Fit((), prior + float(self._weight_E @ np.log(given_ES[:, 0])), np.ones((1, 1)), np.zeros(1))
        best_S = self._maximum(given_ES)
        # A little wider than the posterior without overlaps, so that the weights stay bounded.
        total = 0.8 * self._weight_E.sum()
        alpha_S = 1 + total * best_S
        # A share that underflows to 0 would have a logarithm of minus infinity.
        shares_DS = np.maximum(self._draw.dirichlet(alpha_S, size=_DRAWS), 1e-12)
        log_likelihood_D = np.log(shares_DS @ given_ES.T) @ self._weight_E
        log_proposal_D = gammaln(alpha_S.sum()) - gammaln(alpha_S).sum() + np.log(shares_DS) @ (alpha_S - 1)
        # The flat prior over size + 1 shares has the constant density size!, which is gamma(size + 1).
        log_weights_D = gammaln(size + 1) + log_likelihood_D - log_proposal_D
        log_evidence = float(logsumexp(log_weights_D)) - np.log(_DRAWS)
        return _Fit(members, prior + log_evidence, shares_DS, log_weights_D - logsumexp(log_weights_D))

    def _maximum(self, given_ES: NDArray[np.float64]) -> NDArray[np.float64]:
        """The shares of greatest likelihood, by EM."""
        # Even shares to begin with: EM never leaves a share of 0.
        shares_S = np.full(given_ES.shape[1], 1 / given_ES.shape[1])
        for _ in range(_STEPS):
            joint_ES = given_ES * shares_S
            counts_S = self._weight_E @ (joint_ES / joint_ES.sum(axis=1, keepdims=True))
            shares_S = counts_S / counts_S.sum()
        return shares_S


def _grown(level: Sequence[_Fit], able: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The best subsets with one more explanation each, every one once."""
    grown = {tuple(sorted({*fit.members, more})) for fit in level for more in able if more not in fit.members}
    # In a fixed order, as each subset takes the next draws of one generator.
    yield from sorted(grown)


def _quantiles(values: NDArray[np.float64], weights: NDArray[np.float64], shares: tuple[float, ...]) -> list[float]:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    # Rounding may leave the sum of all weights just below the upper end.
    places = np.minimum(np.searchsorted(cumulative, shares), len(values) - 1)
    return [float(value) for value in values[order][places]]
