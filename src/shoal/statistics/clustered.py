"""Standard errors where observations come in clusters: the items of one training, the prompts of one template."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics.intervals import check_confidence

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentTest:
    """An estimate with a standard error, tested by Student's t."""

    estimate: float
    standard_error: float
    freedom: float
    """Degrees of freedom of the standard error: of clusters in two ways, those of the fewer ones."""

    def one_sided(self, effect: float) -> tuple[float, float]:
        """The p-values of an effect at most, and at least, this one.

        Args:
            effect: the true one that is tested.
        """
        from scipy.special import stdtr

        if self.standard_error == 0:
            # Without any spread, all that differs is certain.
            above, below = float(self.estimate <= effect), float(self.estimate >= effect)
        else:
            shift = (self.estimate - effect) / self.standard_error
            above, below = float(stdtr(self.freedom, -shift)), float(stdtr(self.freedom, shift))
        return above, below

    def p_value(self, effect: float = 0.0) -> float:
        """Two-sided, of one true effect.

        Args:
            effect: that is tested.
        """
        return min(1.0, 2 * min(self.one_sided(effect)))

    def interval(self, confidence: float) -> tuple[float, float]:
        """The effects that the test does not reject.

        Args:
            confidence: of the interval.
        """
        from scipy.special import stdtrit

        check_confidence(confidence)
        half = self.standard_error * float(stdtrit(self.freedom, (1 + confidence) / 2))
        return self.estimate - half, self.estimate + half


def cluster_robust_se(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """The standard error of a mean whose observations are independent between clusters alone.

    With each observation its own cluster it is the usual ``s / sqrt(n)``.

    Source: Liang and Zeger (1986), Biometrika 73:13-22, with the correction G / (G - 1) of Cameron and Miller (2015),
    Journal of Human Resources 50:317-372, eq. 12 for a constant alone.

    Args:
        values: the observations, two or more.
        clusters: the cluster of each.

    Raises:
        UsageError: there are fewer than two observations, a cluster for each is missing, or there is one cluster only.
    """
    import numpy as np

    if len(values) != len(clusters):
        raise UsageError(f"{len(values)} values need as many clusters, not {len(clusters)}")
    if len(set(clusters)) < 2:
        raise UsageError(f"a standard error between clusters needs two clusters or more, not {len(set(clusters))}")
    array = np.asarray(values, dtype=np.float64)
    return math.sqrt(clustered_variance((array - array.mean()) / len(array), clusters))


def two_way_se(contributions: Sequence[float], first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """The standard error of an estimate whose observations are clustered in two ways that cross.

    The variance between the first clusters plus that between the second, less that between their intersections, which
    both contain. Where that is below the larger of the two, it is the larger: a sampling variance is no smaller for
    being clustered once more.

    Source: Cameron, Gelbach and Miller (2011), "Robust inference with multiway clustering", Journal of Business and
    Economic Statistics 29:238-249, eq. 2.5.

    Args:
        contributions: of each observation: its weight in the estimate times its residual.
        first: its cluster of the first kind (a training).
        second: its cluster of the second kind (an item).

    Raises:
        UsageError: a kind has fewer than two clusters, or the three differ in length.
    """
    import numpy as np

    if not len(contributions) == len(first) == len(second):
        raise UsageError(f"{len(contributions)} contributions need as many clusters of both kinds")
    for kind in (first, second):
        if len(set(kind)) < 2:
            raise UsageError(f"a standard error between clusters needs two clusters or more, not {len(set(kind))}")
    array = np.asarray(contributions, dtype=np.float64)
    one, other = clustered_variance(array, first), clustered_variance(array, second)
    both = clustered_variance(array, list(zip(first, second, strict=True)))
    return math.sqrt(max(one + other - both, one, other))


def clustered_variance(contributions: NDArray[np.float64], clusters: Sequence[Hashable]) -> float:
    """The variance of a sum of contributions that are independent between clusters: G / (G - 1) times summed squares.

    Args:
        contributions: of each observation: its weight times its residual, so that they add up to 0.
        clusters: the cluster of each; two or more.
    """
    import numpy as np

    places = {cluster: place for place, cluster in enumerate(dict.fromkeys(clusters))}
    sums = np.bincount([places[cluster] for cluster in clusters], weights=contributions)
    return float(len(sums) / (len(sums) - 1) * (sums @ sums))
