"""When to stop by the held-out loss: patience, and a paired test over documents so that noise stops nothing.

The held-out losses of two steps differ for two reasons: the model has changed, and a few documents stand for all. The
documents are the same at every evaluation, so what they have in common cancels when the two are compared document by
document. Training stops when the mean loss of the last ``patience`` evaluations is above that of the best one before
them, by a one-sided paired t test over documents.

The best one was chosen for its low loss, so part of that is luck; and there is a test at every evaluation. Both are
paid for by the number of pairs of a best evaluation and a later window that a training of M evaluations can have,
(M - p)(M - p + 1) / 2: each test has alpha over this number (Bonferroni). So if no window of the training is truly
worse, over all documents that might have been held out, than any evaluation before it, then the chance that it is
stopped at all is at most alpha (as far as the t test holds; the tests simulate it).

Shapes: K evaluations so far, D documents.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.statistics import StudentTest

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, np.dtype[np.float64]]


class BestComparison(NamedTuple):
    """The last evaluations against the best one before them."""

    best: int
    """The place of the evaluation with the lowest loss; of equal ones the first."""

    p_value: float
    """One-sided, of the hypothesis that the later ones are no worse; 1 where there are too few later ones."""


class EarlyStopping:
    """The rule of a training.

    Args:
        patience: evaluations of the window; 0 never stops.
        alpha: the chance to stop a training that does not get worse; 1 leaves the test out, so that training stops
            after ``patience`` evaluations without a new best one.
        evaluations: of the whole training, the one before the first step included.
    """

    def __init__(self, *, patience: int, alpha: float, evaluations: int) -> None:
        self._patience, self._alpha = patience, alpha
        windows = max(1, evaluations - patience)
        self.level = alpha / (windows * (windows + 1) / 2)
        """The level of each test."""

    def stops(self, losses_KD: Sequence[Array]) -> bool:
        """Whether training stops after the last evaluation.

        Args:
            losses_KD: of every evaluation so far, the summed loss of each document.
        """
        best = best_evaluation(losses_KD)
        if not self._patience or len(losses_KD) - 1 - best < self._patience:
            return False
        if self._alpha >= 1:
            return True
        return compared_with_best(losses_KD, self._patience).p_value <= self.level


def best_evaluation(losses_KD: Sequence[Array]) -> int:
    """The place of the evaluation with the lowest total loss; of equal ones the first.

    Args:
        losses_KD: as in `EarlyStopping.stops`.
    """
    return int(np.argmin([losses_D.sum() for losses_D in losses_KD]))


def compared_with_best(losses_KD: Sequence[Array], window: int) -> BestComparison:
    """Test the mean of the last evaluations against the best one before them, document by document.

    Args:
        losses_KD: as in `EarlyStopping.stops`.
        window: how many of the last evaluations.
    """
    best = best_evaluation(losses_KD)
    if len(losses_KD) - 1 - best < window:
        return BestComparison(best, 1.0)
    rises_D = np.mean(losses_KD[-window:], axis=0) - losses_KD[best]
    if len(rises_D) < 2:
        return BestComparison(best, 1.0)
    # The sum over documents is zero exactly where the loss per token is the same, so the test is one of that loss.
    error = float(rises_D.std(ddof=1)) / math.sqrt(len(rises_D))
    test = StudentTest(estimate=float(rises_D.mean()), standard_error=error, freedom=len(rises_D) - 1)
    return BestComparison(best, test.one_sided(0.0)[0])
