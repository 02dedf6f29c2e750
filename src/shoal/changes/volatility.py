"""How long the spread of a stream remembers: slow volatility against pieces of one spread each, by likelihood.

Prices forget at once which way they went and for months how far. With z the normal scores of the mid-ranks and y = z^2,
whose mean is one, the variance of a step is that of GARCH(1,1) with the variance of the stream for its own (Bollerslev
1986, Journal of Econometrics 31; Francq, Horvath and Zakoian 2011, Journal of Financial Econometrics 9),

    s_t = 1 + c sum over k >= 1 of (1 - b) b^(k-1) (y_{t-k} - 1),

so that alpha = c (1 - b) and beta = b. For each b of a grid the c of the greatest normal likelihood is found by
weighted least squares. Squared values as they are would be ruled by the largest ones; ranks bound them.

Spreads that change look like slow volatility, and slow volatility like changing spreads. The stream is described by s_t
alone, and by pieces of one variance each with what s_t is left of inside them; pieces must gain more than they cost.
Autocorrelations of magnitudes, as they were looked at before, see half as much of either: in 500 steps of GARCH (.05 +
.9) every second stream showed none.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from shoal.changes.multiple_changes import MAX_BLOCKS, MAX_PIECES, best_cuts_each
from shoal.changes.permutation import MIN_STEPS, NO_MEMORY, Decay

Array = np.ndarray[Any, Any]

DECAYS = (0.6, 0.8, 0.9, 0.95, 0.975)
"""The grid of beta."""
ROUNDS = 4
"""How often weighted least squares are solved."""
MIN_VARIANCE = 0.1
"""A step has at least this share of the variance."""
LONGEST = 0.98
"""The greatest phi of a memory; a random walk has no blocks."""
FAINT = 1.5
"""Twice the log-likelihood that a memory must gain to be reckoned with: one stream of eight of noise has as much."""
NOTABLE = 4.5
"""The same from which it is believed: of noise one stream of 40."""
WORTH = 2.0
"""Twice the log-likelihood that pieces must gain beyond what they cost; one GARCH stream of 500 steps in 50 does."""
CHANGE = 1.5
"""What a change costs, in log n; log n alone from the third on, as chance gains less by each further change."""


class Volatility(NamedTuple):
    """The memory of the spread."""

    believed: Decay
    """The likeliest memory, if it is notable."""
    longest: Decay
    """The longest that is likely, if there is any to be reckoned with."""


FORGETS = Volatility(NO_MEMORY, NO_MEMORY)


class _Fit(NamedTuple):
    """The models of one series."""

    length: float
    """The description of the best, twice the negative log-likelihood."""
    gain: float
    """By how much it is shorter than one without a memory."""
    believed: Decay
    """The memory of the best."""
    longest: Decay
    """The longest memory of those that are likely, too."""


def volatility(pieces: list[Array], margin: int) -> Volatility:
    """The memory of the spread of numbers.

    Args:
        pieces: their mid-ranks, or anything in their order, in pieces of one level each.
        margin: the minimum number of steps of a piece of one spread.
    """
    squares = np.concatenate([_squares(piece) for piece in pieces])
    alone = _fit(squares, np.ones(len(squares)))
    if alone.gain <= FAINT:
        return FORGETS
    changes, variance = _pieces(squares, margin)
    inside = _fit(squares, variance) if changes else alone
    cost = (changes + (CHANGE - 1.0) * min(changes, 2)) * math.log(len(squares))
    moved = alone.length - inside.length > cost + WORTH
    best = inside if moved else alone
    if best.gain > NOTABLE:
        return Volatility(best.believed, best.longest)
    # What may be left of a memory within pieces is nothing to reckon with.
    return FORGETS if moved or len(pieces) > 1 else Volatility(NO_MEMORY, best.longest)


def _squares(codes: Array) -> Array:
    """The squares of the normal scores less what the step before predicts, with a mean of one.

    The scores are Tukey's lambda of .14. Squares of an autoregression of coefficient a have a memory of a^2, which is
    no volatility.
    """
    # Scores are found once for each different number: symbols and rounded values have few.
    _, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    share = (2 * np.cumsum(counts) - counts) / (2.0 * len(codes))
    # Nearly the normal quantiles, which NumPy does not have.
    scores = (share**0.14 - (1.0 - share) ** 0.14)[places]
    new = scores.copy()
    new[1:] -= float(scores[1:] @ scores[:-1]) / max(float(scores @ scores), 1e-12) * scores[:-1]
    return np.asarray(new**2 / max(float((new**2).mean()), 1e-12))


def _fit(squares: Array, variance: Array) -> _Fit:
    """The memory about known variances."""
    relative = squares / variance
    base = float(np.log(variance).sum())
    without = base + float(relative.sum())
    found = [(without, NO_MEMORY)]
    centred = relative - 1.0
    for decay in DECAYS:
        past = _past(centred, decay)
        known, remembered = np.ones(len(past)), 0.0
        for _ in range(ROUNDS):
            weighted = past / known**2
            remembered = min(max(float(weighted @ centred) / max(float(weighted @ past), 1e-12), 0.0), 1.0)
            # The weights of the next round: the square of a normal value has a variance of twice its own squared.
            known = np.maximum(1.0 + remembered * past, MIN_VARIANCE)
        length = base + float(np.log(known).sum() + (relative / known).sum())
        found.append((length, _of_garch(remembered * (1.0 - decay), decay)))
    shortest, believed = min(found)
    likely = [memory for length, memory in found if length <= shortest + 2.0]
    return _Fit(shortest, without - shortest, believed, max(likely, key=lambda memory: memory.reach))


def _past(series: Array, decay: float) -> Array:
    """The mean of the steps before each, weighted by (1 - b) b^(k-1); 1 / (1 - b B) is a product (`noise_models`)."""
    means, lag, weight = np.concatenate(([0.0], series[:-1])) * (1.0 - decay), 1, decay
    while weight > 1e-9 and lag < len(means):
        means[lag:] += weight * means[:-lag].copy()
        lag, weight = 2 * lag, weight**2
    return means


def _of_garch(alpha: float, beta: float) -> Decay:
    """The autocorrelation of squares (Bollerslev 1986, section 4)."""
    decay = min(alpha + beta, LONGEST)
    alpha = decay - beta
    if alpha <= 0.0:
        return NO_MEMORY
    first = alpha * (1.0 - beta * decay) / (1.0 - 2.0 * alpha * beta - beta**2)
    return Decay(min(first / decay, 1.0), decay)


def _pieces(squares: Array, margin: int) -> tuple[int, Array]:
    """How many changes the best pieces of one variance have, and the variance of each step."""
    n = len(squares)
    count = min(MAX_BLOCKS, n // MIN_STEPS)
    min_size = max(1, margin * count // n)
    edges = np.arange(count + 1) * n // count
    most = min(MAX_PIECES, count // max(2, min_size))
    if most < 2:
        return 0, np.ones(n)
    sums = np.concatenate(([0.0], np.cumsum(squares)))[edges]
    blocks = np.arange(count + 1)
    sizes = np.maximum(edges - edges[:, None], 1)
    gains = np.where(blocks - blocks[:, None] < min_size, -np.inf, -sizes * np.log(_mean(sums - sums[:, None], sizes)))
    best = float(n), 0, np.ones(n)
    for cuts in best_cuts_each(gains, most):
        tried = np.array([0, *(int(edges[cut]) for cut in cuts), n])
        pieces = [_mean(squares[a:b].sum(), b - a) for a, b in itertools.pairwise(tried)]
        variance = np.repeat(pieces, np.diff(tried))
        length = float((np.log(variance) + squares / variance).sum()) + CHANGE * math.log(n) * len(cuts)
        if length < best[0]:
            best = length, len(cuts), variance
    return best[1], best[2]


def _mean(sums: Any, sizes: Any) -> Any:
    """A mean of squares, not below a thousandth of that of the stream."""
    return np.maximum(sums / sizes, 1e-3)
