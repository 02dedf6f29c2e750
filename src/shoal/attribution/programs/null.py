"""What answers cost when there is no further program: a mixture of the rule, the named explanations, and three noises.

Whatever the prompt is, one noise draws a seen completion by its frequency, and one a text that was not seen, letter by
letter. The third draws another program for every prompt by its code length: answers that look like something simple, a
number off by one here and a word dropped there, with nothing that holds from one to the next.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, gammaln, logsumexp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_TINY = 1e-300

_STEPS = 40
"""Of variational Bayes; a bound is a bound after any number of them."""

_DRAWS = 1000


def completion_noise(answers: Sequence[str], completions: Sequence[str]) -> NDArray[np.float64]:
    """Answers by two noises: the frequencies of the seen completions, and texts that were not seen.

    They are two, so that a model that writes nonsense now and then has not to draw labels at random for it.

    Args:
        answers: one per prompt.
        completions: those of the seen examples.
    """
    counts = Counter(completions)
    letters = Counter(letter for text in counts for letter in text)
    # The end of a text is one more letter; one count more each leaves room for letters that were never seen.
    size = sum(letters.values()) + len(counts) + 256

    def unseen(text: str) -> float:
        log = sum(math.log((letters[letter] + 1) / size) for letter in text) + math.log((len(counts) + 1) / size)
        return max(math.exp(max(log, -600)), _TINY)

    seen = [counts[text] / max(len(completions), 1) for text in answers]
    return np.column_stack([seen, [0.0 if counts[text] else unseen(text) for text in answers]])


def program_noise(hits: NDArray[np.bool_], bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of each answer when a program is drawn for each prompt by its code length.

    Args:
        hits: programs by prompts, whether the program gives the answer.
        bits: the code length of each program.
    """
    return np.asarray(np.exp2(-bits) @ hits.astype(np.float64))


def mixture_bits(
    parts: NDArray[np.float64],
    candidates: NDArray[np.float64] | None = None,
    *,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Bits of the answers under a mixture whose shares are integrated out, with each candidate as one part more.

    The shares have a Dirichlet prior. The integral is bounded from below by variational Bayes (the expected shares and
    the parts of the answers in turn; Beal 2003, section 2.3), so that the bits are never too few, and two to the minus
    bits of all sequences of answers add up to at most 1.

    Args:
        parts: answers by parts, the probability of each answer under each part.
        candidates: candidates by answers, the probability under one part more; None for the mixture without one.
        weights: the weight of each answer, those of an item together 1; the bits are then what is expected if an
            answer is drawn by its weight.
    """
    prior, posterior = _dirichlets(parts, candidates, weights)
    total = np.ones(len(parts)) if weights is None else weights
    log_likelihood = np.log(_likelihood(_expected(posterior), parts, candidates)) @ total
    return np.asarray((_divergence(posterior, prior) - log_likelihood) / math.log(2))


def sampled_mixture_bits(
    parts: NDArray[np.float64], candidate: NDArray[np.float64] | None = None, *, weights: NDArray[np.float64]
) -> float:
    """The same bits by importance sampling: exact but for the draws, where the bound is some bits too many.

    Args:
        parts: answers by parts.
        candidate: the probability of each answer under one part more; None for the mixture without one.
        weights: the weight of each answer.
    """
    prior, posterior = _dirichlets(parts, None if candidate is None else candidate[None], weights)
    if candidate is not None:
        parts = np.column_stack([parts, candidate])
    # A tenth wider than the posterior, so that the weights of the draws stay bounded.
    wide = prior[0] + 0.9 * (posterior[0] - prior[0])
    shares = np.maximum(np.random.default_rng(0).dirichlet(wide, size=_DRAWS), _TINY)
    log_ratio = (np.log(shares) @ (prior[0] - wide)) - _log_normaliser(prior)[0] + _log_normaliser(wide[None])[0]
    log_weights = np.log(shares @ parts.T) @ weights + log_ratio
    return float(-(logsumexp(log_weights) - math.log(_DRAWS)) / math.log(2))


def _dirichlets(
    parts: NDArray[np.float64], candidates: NDArray[np.float64] | None, weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The parameters of the prior and of the variational posterior of the shares, a row per candidate."""
    rows = 1 if candidates is None else len(candidates)
    total = np.ones(len(parts)) if weights is None else weights
    # One count in all and not for each: of many named explanations few are at work, so that each that is costs bits.
    prior = np.full((rows, parts.shape[1]), 1 / parts.shape[1])
    if candidates is not None:
        # That the candidate is at work is what is claimed, and its code length is paid: any share is as likely.
        prior = np.column_stack([prior, np.ones(rows)])
    posterior = prior * (1 + total.sum() / prior.sum(axis=1, keepdims=True))
    for _ in range(_STEPS):
        shares = _expected(posterior)
        ratio = total / _likelihood(shares, parts, candidates)
        counts = shares[:, : parts.shape[1]] * (ratio @ parts)
        if candidates is not None:
            counts = np.column_stack([counts, shares[:, -1] * (ratio * candidates).sum(axis=1)])
        posterior = prior + counts
    return prior, posterior


def _expected_logs(posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """The expected log of each share."""
    return np.asarray(digamma(posterior) - digamma(posterior.sum(axis=1, keepdims=True)))


def _expected(posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponential of the expected log of each share."""
    return np.asarray(np.exp(_expected_logs(posterior)))


def _likelihood(
    shares: NDArray[np.float64], parts: NDArray[np.float64], candidates: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Candidates by answers."""
    known = shares[:, : parts.shape[1]] @ parts.T
    return np.maximum(known if candidates is None else known + shares[:, -1:] * candidates, _TINY)


def _log_normaliser(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    """The log of the integral of a Dirichlet density without its constant."""
    return np.asarray(gammaln(alpha).sum(axis=1) - gammaln(alpha.sum(axis=1)))


def _divergence(posterior: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Kullback-Leibler divergence of two Dirichlet distributions, row by row, in nats."""
    moved = ((posterior - prior) * _expected_logs(posterior)).sum(axis=1)
    return np.asarray(_log_normaliser(prior) - _log_normaliser(posterior) + moved)


def sequential_noise(
    noises: NDArray[np.float64], items: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The probability of each answer under the noises, in the shares that the answers before suggest.

    Quasi-Bayes (Smith and Makov 1978): one count shared by all, then the share with which each explains an answer, so
    that nothing is fitted.

    Args:
        noises: answers by noises.
        items: the item of each answer; those of an item follow each other, and are predicted alike.
        weights: the weight of each answer.
    """
    counts = np.full(noises.shape[1], 1 / noises.shape[1])
    result = np.empty(len(noises))
    for item in dict.fromkeys(items.tolist()):
        rows = items == item
        joint = noises[rows] * counts / counts.sum()
        result[rows] = joint.sum(axis=1)
        counts = counts + weights[rows] @ (joint / joint.sum(axis=1, keepdims=True))
    return result
