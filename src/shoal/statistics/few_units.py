"""Intervals over few units, such as three seeds: a bootstrap standard error under Student's t.

Percentiles of a bootstrap over three units are far too narrow: its draws never leave the range of the three. Here the
bootstrap gives the standard error alone, which is brought to its true size by sqrt(n / (n - 1)), and Student's t with
n - 1 degrees of freedom gives the ends (Hesterberg 2015, "What teachers should know about the bootstrap", The American
Statistician 69:371-386, sections 4.4 and 5). For a mean that is the usual t interval. It supposes that the statistic is
about normal over samples of units, which three units cannot show.

Shapes: n units, D draws.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.statistics.clustered import StudentTest
from shoal.statistics.intervals import check_confidence, resampled_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

_ALL = 4096
"""Up to this number of samples all are enumerated: 5 units have 3,125."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEstimate:
    """A statistic of some units with its interval over samples of such units."""

    value: float
    low: float
    """-infinity where one unit gives no interval."""

    high: float
    confidence: float
    units: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def detectable_effect(self, target: float = 0.8) -> float:
        """The true value whose interval lies off 0 with a chance of `target`, units spread as these are.

        By the noncentral t distribution (`detectable_shift`); infinite for one unit.

        Args:
            target: the power, between the level of the interval and 1.

        Raises:
            UsageError: a power that no effect has.
        """
        from scipy.special import stdtrit

        from shoal.statistics.sample_size import detectable_shift

        if not 1 - self.confidence < target < 1:
            raise UsageError(f"a power lies between {1 - self.confidence:g} and 1, not at {target}")
        if self.units == 1:
            return math.inf
        freedom = self.units - 1
        critical = float(stdtrit(freedom, (1 + self.confidence) / 2))
        standard_error = (self.high - self.low) / 2 / critical
        return standard_error * detectable_shift(freedom, target=target, alpha=1 - self.confidence)

    def __str__(self) -> str:
        if not math.isfinite(self.low):
            return f"{self.value:.4f}"
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def student_bootstrap(
    statistic: Callable[[NDArray[np.int64]], float], units: int, *, confidence: float = 0.95, seed: int = 0
) -> UnitEstimate:
    """A statistic of all units, with a Student interval whose standard error is that of a bootstrap over them.

    Args:
        statistic: from the places of units, some of them several times, to a number.
        units: how many there are, at least one.
        confidence: of the interval.
        seed: of the samples, where there are too many to enumerate.

    Raises:
        UsageError: there are no units, or the statistic of all of them is not finite.
    """
    import numpy as np

    check_confidence(confidence)
    if units < 1:
        raise UsageError("an interval over units needs at least one of them")
    value = float(statistic(np.arange(units)))
    if not math.isfinite(value):
        raise UsageError(f"the statistic of all {units} units is {value}; it must be a finite number")
    if units == 1:
        return UnitEstimate(value=value, low=-math.inf, high=math.inf, confidence=confidence, units=1)
    samples_Dn = (
        np.asarray(list(itertools.product(range(units), repeat=units)))
        if units**units <= _ALL
        else resampled_places(units, seed=seed)
    )
    drawn_D = np.asarray([statistic(places) for places in samples_Dn])
    # By the spread around the mean of the draws: the bias of a bootstrap is no part of the standard error.
    error = float(drawn_D.std()) * math.sqrt(units / (units - 1))
    test = StudentTest(estimate=value, standard_error=error, freedom=units - 1)
    low, high = test.interval(confidence)
    return UnitEstimate(value=value, low=low, high=high, confidence=confidence, units=units)


def mean_estimate(values: Sequence[float], *, confidence: float = 0.95) -> UnitEstimate:
    """The mean of some units with its t interval.

    Args:
        values: one per unit.
        confidence: of the interval.

    Raises:
        UsageError: there are no values, or one is not finite.
    """
    check_confidence(confidence)
    if not values or not all(map(math.isfinite, values)):
        raise UsageError(f"a mean over units needs one finite value or more, not {list(values)}")
    mean, count = math.fsum(values) / len(values), len(values)
    if count == 1:
        return UnitEstimate(value=mean, low=-math.inf, high=math.inf, confidence=confidence, units=1)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    test = StudentTest(estimate=mean, standard_error=math.sqrt(variance / count), freedom=count - 1)
    low, high = test.interval(confidence)
    return UnitEstimate(value=mean, low=low, high=high, confidence=confidence, units=count)
