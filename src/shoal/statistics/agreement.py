"""How well guesses agree with labels: accuracy, F1, kappa and calibration, with intervals by bootstrap over clusters.

All but the calibration error are functions of confusion matrices, so a draw of the clusters is one matrix product.

Shapes: N items, U clusters, D draws, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.statistics.estimates import Estimate, percentile_ends, percentile_estimate
from shoal.statistics.intervals import DRAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Measure = Callable[[NDArray[np.floating]], NDArray[np.float64]]

_CONFIDENCE = 0.95
CALIBRATION_BINS = 10
"""As in Guo et al. 2017; with more of them the error of a perfect forecaster grows by chance alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """The confusion matrix of all items, and that of each bootstrap sample of their clusters."""

    whole_KK: NDArray[np.float64]
    """Labels by guesses."""

    drawn_DKK: NDArray[np.float64]
    units: int
    """Clusters, which were resampled."""

    def estimate(self, measure: Measure) -> Estimate:
        """A measure of confusion matrices of shape (..., K, K), with its 95% interval."""
        return percentile_estimate(
            float(measure(self.whole_KK)), measure(self.drawn_DKK), units=self.units, confidence=_CONFIDENCE
        )


def resample_confusion(
    labels_N: NDArray[np.integer],
    guesses_N: NDArray[np.integer],
    *,
    classes: int,
    groups: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Confusion:
    """Count labels against guesses, and again in bootstrap samples.

    Args:
        labels_N: the class of each item, from 0.
        guesses_N: what was guessed of it.
        classes: how many there are.
        groups: of the items, which are resampled as a whole; None makes each its own.
        draws: bootstrap samples.
        seed: of the drawing.
    """
    import numpy as np

    units_N = cluster_places(groups, len(labels_N))
    units = int(units_N.max()) + 1
    tables_UKK = np.zeros((units, classes, classes))
    np.add.at(tables_UKK, (units_N, labels_N, guesses_N), 1)
    counts_DU = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=draws)
    drawn_DKK = (counts_DU @ tables_UKK.reshape(units, -1)).reshape(draws, classes, classes)
    return Confusion(whole_KK=tables_UKK.sum(axis=0), drawn_DKK=drawn_DKK, units=units)


def cluster_places(groups: Sequence[Hashable] | None, items: int) -> NDArray[np.int64]:
    """The number of each item's cluster, from 0 in the order in which clusters occur.

    Args:
        groups: the cluster of each item; None makes each item its own.
        items: how many there are.

    Raises:
        DataError: a cluster for each item is missing.
    """
    import numpy as np

    if groups is None:
        return np.arange(items)
    if len(groups) != items:
        raise DataError(f"{items} items need as many groups, not {len(groups)}")
    names = {name: place for place, name in enumerate(dict.fromkeys(groups))}
    return np.array([names[name] for name in groups], dtype=np.int64)


def accuracy(tables: NDArray[np.floating]) -> NDArray[np.float64]:
    """The share of items whose guess is their label.

    Args:
        tables: confusion matrices, shape (..., K, K).
    """
    import numpy as np

    found: NDArray[np.float64] = np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1))
    return found


def cohen_kappa(tables: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cohen's kappa of nominal classes (1960, Educational and Psychological Measurement 20:37-46).

    It is 1 where all cells agree by necessity.

    Args:
        tables: confusion matrices, shape (..., K, K).
    """
    import numpy as np

    return _kappa(tables, 1 - np.eye(tables.shape[-1]))


def weighted_kappa(tables: NDArray[np.floating]) -> NDArray[np.float64]:
    """Quadratic weighted kappa of confusion matrices, shape (..., K, K); 1 where all cells agree by necessity.

    Args:
        tables: counts of labels (rows) and predictions (columns), whose classes are one apart.
    """
    import numpy as np

    places = np.arange(tables.shape[-1])
    return _kappa(tables, (places[:, None] - places[None, :]) ** 2.0)


def class_f1(tables: NDArray[np.floating], place: int) -> NDArray[np.float64]:
    """The F1 of one class; 0 where it is neither a label nor a guess.

    Args:
        tables: confusion matrices, shape (..., K, K).
        place: the class.
    """
    import numpy as np

    hit = tables[..., place, place]
    either = tables[..., place, :].sum(axis=-1) + tables[..., :, place].sum(axis=-1)
    found: NDArray[np.float64] = 2 * hit / np.maximum(either, 1)
    return found


def calibration_error(
    probabilities_N: NDArray[np.floating],
    outcomes_N: NDArray[np.integer],
    *,
    groups: Sequence[Hashable] | None = None,
    draws: int = 500,
    seed: int = 0,
) -> Estimate:
    """The expected calibration error of probabilities, in bins of equal width (Guo et al. 2017, ICML, eq. 3).

    A mean of distances is too large by chance, and in samples of a sample once more: percentiles of these may lie above
    the error altogether. So the interval is the basic one of the bootstrap, which takes that off (Davison and Hinkley
    1997, "Bootstrap Methods and their Application", eq. 5.6), cut to 0 and 1 and never without the estimate.

    Args:
        probabilities_N: forecasts of the outcome 1.
        outcomes_N: 0 or 1.
        groups: of the items, which are resampled as a whole; None makes each its own.
        draws: bootstrap samples.
        seed: of the drawing.

    Raises:
        DataError: a forecast is no probability, or a cluster for each item is missing.
    """
    import numpy as np

    forecasts_N = np.asarray(probabilities_N)
    if not ((forecasts_N >= 0) & (forecasts_N <= 1)).all():
        raise DataError("a forecast lies outside of 0 to 1 or is no number; give probabilities")
    units_N = cluster_places(groups, len(outcomes_N))
    units = int(units_N.max()) + 1
    bins_N = np.minimum((forecasts_N * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps_UB = np.zeros((units, CALIBRATION_BINS))
    np.add.at(gaps_UB, (units_N, bins_N), forecasts_N - outcomes_N)
    sizes_U = np.bincount(units_N)
    counts_DU = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=draws)
    drawn_D = np.abs(counts_DU @ gaps_UB).sum(axis=1) / (counts_DU @ sizes_U)
    value = float(np.abs(gaps_UB.sum(axis=0)).sum() / len(units_N))
    low, high = percentile_ends(drawn_D, units=units, confidence=_CONFIDENCE)
    if low is not None and high is not None:
        low, high = max(0.0, min(value, 2 * value - high)), min(1.0, max(value, 2 * value - low))
    return Estimate(value=value, low=low, high=high, confidence=_CONFIDENCE, units=units)


def _kappa(tables: NDArray[np.floating], weights_KK: NDArray[np.floating]) -> NDArray[np.float64]:
    import numpy as np

    totals = tables.sum(axis=(-2, -1))
    expected = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :] / totals[..., None, None]
    off, chance = (tables * weights_KK).sum(axis=(-2, -1)), (expected * weights_KK).sum(axis=(-2, -1))
    found: NDArray[np.float64] = 1 - off / np.where(chance == 0, 1, chance)
    return found
