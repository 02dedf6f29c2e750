"""From which step on a model overfits: its held-out loss has risen, and where it turned.

Two questions, each with its own evidence. Whether it overfits: the last held-out loss is above the lowest one, by a
one-sided paired t test over documents, at alpha over the number of evaluations before the last (the lowest was chosen).
From where: the change of slope of the held-out curve after which it only rises, sought by `shoal.changes` with its
confidence set. Where either finds nothing, nothing is claimed.

The fall at the beginning of a training is steep and curved, and pieces of straight lines would be spent on it; so the
curve is searched from where it has come three quarters of the way down.

Shapes: K evaluations, D documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes import change_points
from shoal.training.early_stopping import compared_with_best

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes import Change

Array = np.ndarray[Any, np.dtype[np.float64]]

ALPHA = 0.05
"""The level at which a rise is claimed."""

_LEFT_OF_FALL = 0.25
"""The search begins where this share of the whole fall is still to come."""

_MIN_SEARCHED = 8
"""Evaluations behind the steep fall: two pieces of three steps and room to move the change between them."""

_MIN_PIECE = 3
"""Evaluations on either side of the change: through two any slope fits exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfittingOnset:
    """Where the held-out loss turned to rise, with the evidence for it."""

    step: int
    low: int
    """The first step of the confidence set."""

    high: int
    """The last step of the confidence set."""

    confidence: float
    p_value: float
    """Of the change of slope."""

    rise: float
    """How far the last held-out loss is above the lowest, in nats per token."""

    rise_p_value: float
    """One-sided, paired over documents, times the number of evaluations that the lowest was chosen among."""

    def __str__(self) -> str:
        return (
            f"overfits from step {self.step:,} ({100 * self.confidence:g}% confidence set: steps {self.low:,} to "
            f"{self.high:,}): the held-out loss has risen by {self.rise:.4f} nats per token (p = "
            f"{self.rise_p_value:.2g})"
        )


def find_overfitting(
    steps: Sequence[int],
    losses_KD: Sequence[Array],
    tokens_D: Array,
    *,
    alpha: float = ALPHA,
    confidence: float = 0.95,
) -> OverfittingOnset | None:
    """From where on a model overfits; None where there is no evidence.

    Args:
        steps: of the evaluations, at about equal distances.
        losses_KD: of each evaluation, the summed loss of each document in nats.
        tokens_D: predicted tokens of each document.
        alpha: the level of both tests.
        confidence: of the set of steps.
    """
    if len(steps) < _MIN_SEARCHED:
        return None
    compared = compared_with_best(losses_KD, 1)
    p_value = min(1.0, compared.p_value * (len(steps) - 1))
    if p_value > alpha:
        return None
    curve_K = np.asarray([losses_D.sum() for losses_D in losses_KD]) / tokens_D.sum()
    first = _behind_the_fall(curve_K, compared.best)
    turn = _turn_to_rise(curve_K[first:], alpha, confidence)
    if turn is None:
        return None
    return OverfittingOnset(
        step=steps[first + turn.place],
        low=steps[first + turn.low],
        high=steps[first + turn.high],
        confidence=confidence,
        p_value=turn.p_value,
        rise=float(curve_K[-1] - curve_K[compared.best]),
        rise_p_value=p_value,
    )


def _behind_the_fall(curve_K: Array, best: int) -> int:
    """The first evaluation from which on, up to the best, only the last part of the fall is left."""
    bound = curve_K[best] + _LEFT_OF_FALL * (curve_K[0] - curve_K[best])
    above = np.flatnonzero(curve_K[: best + 1] > bound)
    return int(above[-1]) + 1 if len(above) else 0


def _turn_to_rise(curve: Array, alpha: float, confidence: float) -> Change | None:
    """The first change of slope after which every piece rises."""
    if len(curve) < _MIN_SEARCHED:
        return None
    found = change_points(curve, max(0.05, _MIN_PIECE / len(curve)), model="slopes", alpha=alpha, confidence=confidence)
    edges = [0, *(change.place for change in found.changes), len(curve)]
    slopes = [_slope(curve[start:stop]) for start, stop in pairwise(edges)]
    turn = None
    for change, slope in zip(reversed(found.changes), reversed(slopes), strict=False):
        if slope <= 0:
            break
        turn = change
    # A curve that rises from its first piece on has no turn.
    return turn


def _slope(piece: Array) -> float:
    return float(np.polyfit(np.arange(len(piece)), piece, 1)[0]) if len(piece) > 1 else 0.0
