"""The evidence of every segment: how probable its words, vectors and classes are together.

**Words.** A segment's next token is drawn from the tokens before it in the segment and from the language at large: with
a share p_w of running English, and r earlier tokens of its word among the N of the segment, it is w with probability
(α p_w + r) / (α + N), the chain rule of a Dirichlet-multinomial (Pólya) distribution. Earlier tokens fade: a sentence
back each counts ``memory`` times as much, so that a text that wanders slowly, or repeats a word at once and then drops
it, is not cut. A cut makes the segment forget; it pays where the words before it do not come back. That p_w is the
language's and not the document's matters: measured against itself, a document of one subject has no reason to stay
whole. Only the most common words take the document's own frequencies, which are its style. The logarithms of tokens add
up to a sum over pairs of sentences that share a word and lie within the segment, which two cumulative sums give for all
segments at once: O(n² + pairs).

**Vectors.** A segment has a mean m, drawn around the origin with the share ``between`` of the vectors' variance; a
sentence's vector is x = t m + e, with its trust t (1 where nothing is known) and noise e that fills the vector up to
its usual length. From one sentence to the next the mean retains the share ``memory`` of itself and is drawn again for
the rest. The mean is summed out sentence by sentence (a Kalman filter that starts with each segment). That means are
drawn around the origin, not around the document's mean, matters: the sentences of a document of one subject share one
mean, which a cut would have to draw twice. Directions are neither equally wide nor independent; half the number of
independent ones (the participation ratio of the covariance, from differences of neighbours) scales the evidence: O(n²
d).

**Classes.** A trained head gives the likelihood of each class for each sentence. A segment is of one class, which is
summed out under a uniform prior: log (1/C) Σ_c exp Σ_i log p(x_i | c). Cost: O(n² C).

Sources: Utiyama and Isahara (2001), ACL, section 2, for text as segments with word distributions of their own;
Eisenstein and Barzilay (2008), EMNLP, section 3, for summing the distributions out; Kalman (1960); Fearnhead (2006),
Statistics and Computing 16, section 2, for summing parameters out of each segment; Del Giudice (2021), Multivariate
Behavioral Research 56, for the effective number of dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import gammaln, logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.segmentation.channels import Features

# Chosen on twelve kinds of text other than the reported ones (docs/log.md, 28 November 2026): a concentration of 400
# and a memory of .9 gave a mean Pk of 12.2 %, a concentration of 800 17.1 %, a memory of .8 16.5 %. The document's own
# likelihood moves the concentration from there (`shoal.segmentation.posterior`), which brings the mean to 7.8 %.
_CONCENTRATION, _WORD_MEMORY = 400.0, 0.9

_OWN_CONCENTRATION = 800.0
"""Where no shares of the language are known; the document's own flattened shares are nearer to its segments."""

# Chosen on Choi's set 3-15, the one that `benchmarks/segmentation.py` names as tuned.
_BETWEEN, _VECTOR_MEMORY = 0.35, 0.95

_CAUTION = 0.5
"""Neighbouring sentences are not independent given their mean, so a direction counts half."""

_STYLE_SHARE = 3e-3
"""Words that make up more of the language than this are of style rather than of a subject: some fifty."""

_STYLE_TOKENS = 300.0
"""How many tokens of the document weigh as much as the language in the shares of words of style. Worth 0.2 points of
mean Pk over shares that do not adapt (docs/log.md)."""


class SegmentEvidence:
    """The sum of the evidence of all parts of the features, at any concentration of the words.

    Args:
        features: a channel's features of n sentences.
    """

    def __init__(self, features: Features) -> None:
        size = len(features)
        self._rest = np.zeros((size + 1, size + 1))
        self._words = None if features.counts is None else WordEvidence(features.counts, features.background)
        # Only the words depend on the concentration; vectors and classes are read once for all of them.
        self._usual = _OWN_CONCENTRATION if features.background is None else _CONCENTRATION
        if features.vectors is not None:
            self._rest += VectorEvidence(features.vectors, features.trust).scores(_BETWEEN, _VECTOR_MEMORY)
        if features.likelihoods is not None:
            self._rest += ClassEvidence(features.likelihoods).scores()

    def scores(self, times: float = 1.0) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j].

        Args:
            times: the concentration of the words as a multiple of the default one.
        """
        if self._words is None:
            return self._rest
        scores: NDArray[np.float64] = self._rest + self._words.scores(times * self._usual, _WORD_MEMORY)
        return scores


class WordEvidence:
    """The evidence of every segment, for any concentration and any memory.

    Args:
        counts: how often each word is in each sentence (n sentences by V words).
        background: the share of each word in the language (V); by default the square root of its share of the document,
            which is between the document's own distribution and a uniform one.
    """

    def __init__(self, counts: Any, background: NDArray[np.float64] | None = None) -> None:
        table = sparse.coo_array(counts)
        table.sum_duplicates()
        # By word and then by sentence: `_repeated` compares neighbours in this order.
        order = np.lexsort(table.coords)
        self._places, self._words = (part.astype(np.intp)[order] for part in table.coords)
        self._times = table.data[order].astype(np.float64)
        self._sentences, words = (int(size) for size in table.shape)
        own = np.bincount(self._words, self._times, minlength=words).astype(np.float64)
        self._share = _flattened(own) if background is None else _with_own_style(background, own)

    def scores(self, concentration: float, memory: float = 1.0) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1, 0 below the diagonal.

        Args:
            concentration: α, in tokens: how many of a segment's tokens weigh as much as the language does.
            memory: how much of a token's weight is left a sentence later, within (0, 1].
        """
        scores = self._repeated(concentration, memory)
        scores -= self._normalizers(concentration, memory)
        alone = self._times * np.log(concentration * self._own_shares())
        first = np.bincount(self._places, alone, minlength=self._sentences)
        summed = np.concatenate([[0.0], np.cumsum(first)])
        return np.triu(scores + summed[None, :] - summed[:, None], 1)

    def _own_shares(self) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = self._share[self._words]
        return shares

    def _repeated(self, concentration: float, memory: float) -> NDArray[np.float64]:
        """What the earlier tokens of its word add to each token, summed over the tokens of each segment.

        A word's tokens in one sentence are taken together, Σ log(x + r) over r < c being ln Γ(x + c) - ln Γ(x), so that
        the cost depends on the sentences in which a word occurs and not on how often it occurs there.
        """
        size, words, places, times = self._sentences, self._words, self._places, self._times
        heard = concentration * self._own_shares()
        known = _log_rising(heard, times)
        pairs = np.zeros(size * size)
        # On the diagonal, what tokens add to later ones of their word within one sentence.
        pairs[:: size + 1] = np.bincount(places, known - times * np.log(heard), minlength=size)
        for apart in range(1, len(words)):
            earlier = np.flatnonzero(words[:-apart] == words[apart:])
            # No word is in more than this many sentences.
            if not len(earlier):
                break
            later = earlier + apart
            heard[later] += times[earlier] * memory ** (places[later] - places[earlier])
            now = _log_rising(heard[later], times[later])
            # Two sentences may share several words; ``+=`` with repeated indices would add only one of them.
            np.add.at(pairs, places[earlier] * size + places[later], now - known[later])
            known[later] = now
        scores = np.zeros((size + 1, size + 1))
        scores[:-1, 1:] = pairs.reshape(size, size)[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
        return scores

    def _normalizers(self, concentration: float, memory: float) -> NDArray[np.float64]:
        """Σ log(α + N) over the tokens of each segment, with N the faded number of tokens before."""
        size = self._sentences
        tokens = np.bincount(self._places, self._times, minlength=size)
        heard = np.zeros(size)
        steps = np.zeros((size + 1, size + 1))
        for place in range(size):
            open_ = slice(0, place + 1)
            total = concentration + heard[open_]
            steps[open_, place + 1] = gammaln(total + tokens[place]) - gammaln(total)
            heard[open_] = memory * (heard[open_] + tokens[place])
        return steps.cumsum(axis=1)


def _log_rising(start: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of start (start + 1) ... (start + times - 1); most words occur once, where no Γ is needed.

    Weights in place of counts have the same in terms of Γ, and a count of 0 adds nothing.
    """
    found = np.log(start)
    other = times != 1
    found[other] = gammaln(start[other] + times[other]) - gammaln(start[other])
    return found


def _with_own_style(background: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares of the language, those of style words moved toward the document's own."""
    adapted = (own + _STYLE_TOKENS * background) / (own.sum() + _STYLE_TOKENS)
    return np.where(background > _STYLE_SHARE, adapted, background)


def _flattened(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square roots of the document's counts, scaled to sum to one."""
    shares: NDArray[np.float64] = np.sqrt(own) / max(1.0, float(np.sqrt(own).sum()))
    return shares


class VectorEvidence:
    """The evidence of every segment, for any share of variance between segments and any memory within them.

    Args:
        vectors_ND: a vector for each of n sentences, measured from an uninformative origin.
        trust_N: how much of a sentence's vector its segment can explain, relative to a long sentence; within (0, 1].
    """

    def __init__(self, vectors_ND: NDArray[np.floating], trust_N: NDArray[np.floating] | None = None) -> None:
        vectors_ND = np.asarray(vectors_ND, dtype=np.float64)
        self._variance = float((vectors_ND**2).mean()) if vectors_ND.size else 0.0
        self._vectors_ND = vectors_ND / np.sqrt(self._variance or 1.0)
        self._trust_N = np.ones(len(vectors_ND)) if trust_N is None else np.asarray(trust_N, dtype=np.float64)
        self._weight = _CAUTION * effective_dimensions(self._vectors_ND) / max(1, vectors_ND.shape[1])

    def scores(self, between: float, memory: float) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1, 0 below the diagonal.

        Args:
            between: the share of the variance that lies between the means, within (0, 1).
            memory: how much of itself a segment's mean retains from one sentence to the next, within (0, 1].
        """
        size, dimensions = self._vectors_ND.shape
        scores = np.zeros((size + 1, size + 1))
        if self._variance == 0:
            return scores
        # Row i is the filter that started with sentence i; all of them are one sentence further at each step.
        means_ND = np.zeros((size, dimensions))
        spread_N = np.full(size, between)
        total_N = np.zeros(size)
        for length in range(1, size + 1):
            starts = np.arange(size - length + 1)
            trust, spread = self._trust_N[length - 1 :], spread_N[: len(starts)]
            error_ND = self._vectors_ND[length - 1 :] - trust[:, None] * means_ND[: len(starts)]
            variance = trust**2 * spread + 1 - trust**2 * between
            squares = np.einsum("nd,nd->n", error_ND, error_ND)
            total_N = total_N[: len(starts)] - (squares / variance + dimensions * np.log(variance)) / 2
            scores[starts, starts + length] = self._weight * total_N
            gain = trust * spread / variance
            means_ND = memory * (means_ND[: len(starts)] + gain[:, None] * error_ND)
            spread_N = memory**2 * spread * (1 - gain * trust) + (1 - memory**2) * between
        return scores


def effective_dimensions(vectors_ND: NDArray[np.float64]) -> float:
    """How many independent directions of equal width the noise of the vectors has: tr(Σ)² / tr(Σ²).

    Differences of neighbours take away what changes slowly; tr(Σ²) is the mean squared product of differences that
    share no sentence, which is unbiased. Between 1 and the number of dimensions.
    """
    size, dimensions = vectors_ND.shape
    if size < 4:
        return 1.0
    steps_ND = np.diff(vectors_ND, axis=0)
    products = steps_ND @ steps_ND.T
    square = float(np.mean(products[np.triu_indices(len(steps_ND), 2)] ** 2))
    if square == 0:
        return 1.0
    return float(np.clip((np.trace(products) / len(steps_ND)) ** 2 / square, 1.0, max(1, dimensions)))


class ClassEvidence:
    """The evidence of every segment, from the log-likelihoods of its sentences.

    Args:
        likelihoods_NC: of each of n sentences under each of C classes, up to a constant per sentence.
    """

    def __init__(self, likelihoods_NC: NDArray[np.floating]) -> None:
        likelihoods_NC = np.asarray(likelihoods_NC, dtype=np.float64)
        # What all classes share changes no comparison; without it a segment of no class is worth 0.
        likelihoods_NC = likelihoods_NC - logsumexp(likelihoods_NC, axis=1, keepdims=True)
        self._sums = np.concatenate([np.zeros((1, likelihoods_NC.shape[1])), np.cumsum(likelihoods_NC, axis=0)])

    def scores(self) -> NDArray[np.float64]:
        """The log evidence of the segment from i to j (not included) at [i, j]; n + 1 by n + 1."""
        size = len(self._sums)
        scores = np.zeros((size, size))
        for start in range(size - 1):
            # Row by row: all rows at once would take n² C numbers in memory.
            scores[start, start + 1 :] = logsumexp(self._sums[start + 1 :] - self._sums[start], axis=1)
        scores -= np.log(self._sums.shape[1])
        return np.triu(scores, 1)
