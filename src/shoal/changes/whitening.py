"""What an online detector learns from its first values: ranks, a linear memory, and levels of what that memory leaves.

A value becomes the normal score of its rank among the first values, so nothing depends on the scale or the tails of the
stream. An autoregression of those scores, with the partial correlations that stand out of the noise, is taken off: what
is left is nearly independent from step to step for a stream of linear memory. Its quantile levels are what the cells
count. A stream that mixes but whose memory is not of this kind is not whitened by it; its words beyond the first catch
part of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from shoal.changes.online_evidence import DIGITS

Array = np.ndarray[Any, Any]

ORDER = 8
"""Steps back that the autoregression may look."""
NOTABLE = 2.0
"""A partial correlation counts where it is this many standard errors from zero."""
SAFETY = 2.0
"""Standard errors by which the memory is taken to be longer than it was seen to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitening:
    """How values become levels."""

    reference: Array
    """The first values, sorted."""
    coefficients: Array
    """Of the autoregression, the nearest step first; of shape (ORDER,)."""
    cuts: Array
    """Quantiles of what it leaves: 2^DIGITS - 1 values between the levels."""

    def scores(self, values: Array) -> Array:
        """The normal scores of values of shape (n,)."""
        below = np.searchsorted(self.reference, values, side="left")
        past = np.searchsorted(self.reference, values, side="right")
        return np.asarray(_half_steps(len(self.reference))[below + past])

    def levels(self, values: Array, past: Array) -> tuple[Array, Array]:
        """The levels of values, and their last scores, which the next ones need.

        Args:
            values: new values, in order.
            past: the `ORDER` scores before them, the oldest first.
        """
        scores = np.concatenate([past, self.scores(values)])
        left = _residuals(scores, self.coefficients)
        return np.searchsorted(self.cuts, left).astype(np.int64), scores[-ORDER:]


def learn(values: Array) -> Whitening:
    """Learn from the first values of a stream, none of them missing."""
    reference = np.sort(values)
    raw = Whitening(reference=reference, coefficients=np.zeros(ORDER), cuts=np.empty(0))
    scores = raw.scores(values)
    coefficients = _autoregression(scores)
    left = _residuals(scores, coefficients)
    cuts = np.quantile(left, np.arange(1, 1 << DIGITS) / (1 << DIGITS))
    return Whitening(reference=reference, coefficients=coefficients, cuts=cuts)


@cache
def _half_steps(length: int) -> Array:
    """The normal scores of mid-ranks: entry k is that of (k / 2 + 1/2) / (length + 1)."""
    law = NormalDist()
    return np.array([law.inv_cdf((k + 1.0) / (2.0 * length + 2.0)) for k in range(2 * length + 1)])


def _residuals(scores: Array, coefficients: Array) -> Array:
    """What the autoregression leaves, from step `ORDER` on."""
    filters = np.concatenate([[1.0], -coefficients])
    return np.convolve(scores, filters, mode="valid")


def _autoregression(scores: Array) -> Array:
    """Coefficients by the Levinson-Durbin recursion, partial correlations within the noise set to zero.

    A memory taken for shorter than it is leaves slow waves that look like changes; one taken for longer costs some
    power only. So where there is one, the nearest coefficient is freed of its bias and raised by two standard errors.
    """
    n = len(scores)
    centred = scores - scores.mean()
    covariances = [float(centred[lag:] @ centred[: n - lag]) / n for lag in range(ORDER + 1)]
    coefficients, error = np.zeros(ORDER), covariances[0]
    for order in range(ORDER):
        if error <= 1e-12:
            return coefficients
        known = sum(coefficients[k] * covariances[order - k] for k in range(order))
        partial = (covariances[order + 1] - known) / error
        if abs(partial) < NOTABLE / np.sqrt(n):
            continue
        coefficients[:order] -= partial * coefficients[:order][::-1].copy()
        coefficients[order] = partial
        error *= 1.0 - partial**2
    if coefficients.any():
        # Kendall's correction for an estimated mean.
        bias = (1.0 + 3.0 * max(float(coefficients.sum()), 0.0)) / n
        coefficients[0] += bias + SAFETY * np.sqrt(error / covariances[0] / n)
    # Raised, the coefficients may add up to 1 or more, and what they leave would then be differences of the stream.
    return coefficients * min(1.0, 0.999 / max(float(coefficients.sum()), 0.999))
