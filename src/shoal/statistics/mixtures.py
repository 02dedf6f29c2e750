"""Mixtures of probabilities: their log-likelihood, and the weights that maximise it.

A mixture gives p(x) = Σ w_k p_k(x), a sum of probabilities and not of logits. Its log-likelihood
Σ_n log Σ_k w_k p_k(x_n) is concave in the weights, so that EM reaches the global maximum (Dempster, Laird and Rubin
1977, section 4.3). How far it still is, is known: with g_k the mean over n of p_k(x_n) / p(x_n), no weights are better
by more than max g_k - 1 nats per observation, since a concave function lies below its tangent. The weights are those of
stacked density estimation (Smyth and Wolpert 1999, "Linearly combining density estimators via stacking", Machine
Learning 36:59-83) where the observations are held out.

Shapes: N observations, K members.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MAX_STEPS = 2000
"""EM steps at most; each costs 2 N K multiplications."""

GAP = 1e-6
"""Nats per observation by which other weights may still be better: far below any difference that is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureWeights:
    """Weights that maximise the log-likelihood of a mixture."""

    weights: tuple[float, ...]
    """Of the members, in order; they sum to 1."""

    log_likelihood: float
    """Mean over the observations, in nats."""

    gap: float
    """No other weights are better by more than this, in nats per observation."""

    steps: int
    """Of EM."""

    observations: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        weights = ", ".join(f"{weight:.3f}" for weight in self.weights)
        return (
            f"weights {weights}: {self.log_likelihood:.4f} nats per observation over {self.observations:,}, within "
            f"{max(self.gap, 0):.1e} of the best"
        )


def mixture_log_likelihoods(log_p_NK: NDArray[Any], weights: Sequence[float]) -> NDArray[np.float64]:
    """Log Σ_k w_k p_k(x_n) of each observation (N), in nats.

    Args:
        log_p_NK: log-probabilities of the observations under each member.
        weights: of the members; not below 0, and they sum to 1.

    Raises:
        UsageError: weights that are no distribution over the members.
    """
    import numpy as np

    table_NK = _checked(log_p_NK)
    chosen_K = checked_weights(weights, table_NK.shape[1])
    used = chosen_K > 0
    with np.errstate(divide="ignore"):
        mixed_N: NDArray[np.float64] = np.logaddexp.reduce(table_NK[:, used] + np.log(chosen_K[used]), axis=1)
    return mixed_N


def fit_mixture(log_p_NK: NDArray[Any], *, gap: float = GAP, max_steps: int = MAX_STEPS) -> MixtureWeights:
    """The weights with the greatest log-likelihood, by EM from equal weights.

    Fit them on text that neither the members nor the score of the mixture have seen.

    Args:
        log_p_NK: log-probabilities of the observations under each member, in nats.
        gap: nats per observation by which other weights may still be better.
        max_steps: EM steps at most.

    Raises:
        DataError: no observations or members, a number that is none, or an observation that every member excludes.
    """
    import numpy as np

    table_NK = _checked(log_p_NK)
    highest_N = table_NK.max(axis=1)
    if not np.isfinite(highest_N).all():
        place = int(np.flatnonzero(~np.isfinite(highest_N))[0])
        raise DataError(f"observation {place} has probability 0 under every member; no weights can fit it")
    # Relative to the best member of each observation, so that nothing underflows.
    relative_NK = np.exp(table_NK - highest_N[:, None])
    members = table_NK.shape[1]
    weights_K = np.full(members, 1 / members)
    steps, left = 0, math.inf
    for steps in range(1, max_steps + 1):  # noqa: B007 - the number of steps is reported
        gains_K = (relative_NK / (relative_NK @ weights_K)[:, None]).mean(axis=0)
        left = float(gains_K.max()) - 1
        if left <= gap:
            break
        weights_K = weights_K * gains_K
        weights_K /= weights_K.sum()
    return MixtureWeights(
        weights=tuple(weights_K.tolist()),
        log_likelihood=float((np.log(relative_NK @ weights_K) + highest_N).mean()),
        gap=left,
        steps=steps,
        observations=len(table_NK),
    )


def checked_weights(weights: Sequence[float], members: int) -> NDArray[np.float64]:
    """The weights of a mixture as an array that sums to 1.

    Args:
        weights: as a person or a file gives them.
        members: how many there are.

    Raises:
        UsageError: another number of weights, one below 0, or a sum that is not 1.
    """
    import numpy as np

    chosen_K = np.asarray(weights, dtype=np.float64)
    if chosen_K.shape != (members,):
        raise UsageError(f"{len(chosen_K)} weights were given for {members} members; give one each")
    # A thousandth is what is lost where weights were written with three digits.
    if not (np.isfinite(chosen_K).all() and (chosen_K >= 0).all() and abs(chosen_K.sum() - 1) < 2e-3):
        raise UsageError(f"the weights {list(weights)} are no shares; give numbers of 0 or more that sum to 1")
    return np.asarray(chosen_K / chosen_K.sum())


def _checked(log_p_NK: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    table_NK = np.asarray(log_p_NK, dtype=np.float64)
    if table_NK.ndim != 2 or 0 in table_NK.shape:
        raise DataError(
            f"a mixture needs a row per observation and a column per member, not the shape {table_NK.shape}"
        )
    if np.isnan(table_NK).any() or (table_NK == np.inf).any():
        raise DataError("a log-probability is not a number; a member's weights are broken")
    return table_NK
