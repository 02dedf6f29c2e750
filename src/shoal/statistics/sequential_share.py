"""Tests of a share that may be looked at after every trial, and stopped whenever one likes.

An ordinary test is valid for a number of trials that was fixed beforehand. An *e-value* is a non-negative number whose
mean under the null is at most 1; where that holds at whatever trial one stops, the null may be rejected as soon as the
e-value reaches 1 / alpha, and is rejected wrongly with a probability of at most alpha (Ville's inequality).

The e-value here bets on failures, at odds of ``(1 - p) / (1 - share)`` for a failure and ``p / share`` for a success,
for a whole grid of p below the share at once. If a trial succeeds with a probability of at least the share *given all
that was seen before*, each factor has a mean of at most 1, so that the trials need be neither independent nor equally
likely to succeed, and the next one may be chosen by the results so far.

Source: Ramdas, Grünwald, Vovk and Shafer (2023), "Game-theoretic statistics and safe anytime-valid inference",
Statistical Science 38(4), sections 2 and 3; the mixture is the predictive one of Wasserman, Ramdas and Balakrishnan
(2020), "Universal inference", PNAS 117(29), section 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import UsageError
from shoal.statistics.intervals import Interval, check_confidence

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_RATIOS = 0.005 ** ((np.arange(60) + 0.5) / 60)
"""The alternatives as parts of the share, evenly on the logarithmic scale between 0.005 and 1. Small ones find soon
that a share is near 0, those near 1 find in time that it is a little smaller; any grid is valid."""

_PARTS, _ROUNDS = 32, 8
"""An end of an interval is found by cutting its bracket into so many parts, so many times: exact to 1e-12."""


def log_e_share_below(successes: ArrayLike, trials: ArrayLike, share: float) -> NDArray[np.float64]:
    """Evidence that trials succeed less often than by a share: the log e-value (nats).

    The null is that each trial, given the past, succeeds with at least that probability. Reject it as soon as the value
    reaches ``log(1 / alpha)``, at any trial.

    Args:
        successes: how many trials succeeded; an array gives an array.
        trials: how many there were, of the same shape.
        share: between 0 and 1, both excluded.

    Raises:
        UsageError: the share is out of its range, or the counts are not 0 <= successes <= trials.
    """
    if not 0.0 < share < 1.0:
        raise UsageError(f"the share that is tested must lie between 0 and 1, both excluded; got {share!r}")
    hits, total = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if not np.all((hits >= 0) & (hits <= total)):
        raise UsageError("the successes of a sequential test must lie between 0 and the trials")
    return _log_e(hits, total - hits, share)


def log_e_share_above(successes: ArrayLike, trials: ArrayLike, share: float) -> NDArray[np.float64]:
    """Evidence that trials succeed more often than by a share: the log e-value (nats).

    The null is that each trial, given the past, succeeds with at most that probability.

    Args:
        successes: how many trials succeeded; an array gives an array.
        trials: how many there were, of the same shape.
        share: between 0 and 1, both excluded.

    Raises:
        UsageError: the share is out of its range, or the counts are not 0 <= successes <= trials.
    """
    return log_e_share_below(np.asarray(trials) - np.asarray(successes), trials, 1.0 - share)


def share_confidence_sequence(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """An interval of a share that holds at all trials at once, so that one may stop by what it shows.

    It holds the shares that neither `log_e_share_below` nor `log_e_share_above` rejects, each at half of the level. It
    is wider than `clopper_pearson_interval`, which holds at one number of trials only.

    Args:
        successes: how many trials succeeded.
        trials: how many there were; none gives 0 to 1.
        confidence: that all intervals of a sequence hold the share.

    Raises:
        UsageError: the counts are not 0 <= successes <= trials, or the confidence is not in [0.5, 1).
    """
    check_confidence(confidence)
    if not 0 <= successes <= trials:
        raise UsageError(f"{successes} successes of {trials} trials cannot be; successes lie between 0 and the trials")
    high = _upper_end(successes, trials, confidence)
    return Interval(1.0 - _upper_end(trials - successes, trials, confidence), high, confidence)


def _upper_end(successes: int, trials: int, confidence: float) -> float:
    """The least share that is rejected from above; 1 where none is."""
    threshold = np.log(2.0 / (1.0 - confidence))
    failures = trials - successes
    if failures == 0:
        return 1.0
    low, high = successes / trials, 1.0
    # The e-value grows with the share, since the alternatives are fixed parts of it.
    for _ in range(_ROUNDS):
        shares = np.linspace(low, high, _PARTS + 1)
        # Neither end is tested: the lower is not rejected, and the upper is, or is 1, where a failure is impossible.
        over = _log_e(np.float64(successes), np.float64(failures), shares[1:-1]) >= threshold
        first = int(over.argmax()) + 1 if over.any() else _PARTS
        low, high = float(shares[first - 1]), float(shares[first])
    return high


def _log_e(successes: Any, failures: Any, share: Any) -> NDArray[np.float64]:
    """The log of the mean e-value over the grid; exact for every count, as one logarithm of a sum."""
    shares = np.asarray(share)[..., None]
    odds = np.log((1.0 - _RATIOS * shares) / (1.0 - shares))
    logs = successes[..., None] * np.log(_RATIOS) + failures[..., None] * odds
    top = logs.max(axis=-1)
    return np.asarray(top + np.log(np.exp(logs - top[..., None]).mean(axis=-1)), dtype=np.float64)
