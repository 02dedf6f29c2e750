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
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics.clustered import StudentTest
from shoal.statistics.estimates import Estimate, estimate_without_interval, no_width
from shoal.statistics.intervals import check_confidence, resampled_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

_ALL = 4096
"""Up to this number of samples all are enumerated: 5 units have 3,125."""


def student_bootstrap(
    statistic: Callable[[NDArray[np.int64]], float], units: int, *, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """A statistic of all units, with a Student interval whose standard error is that of a bootstrap over them.

    There is no interval of one unit, nor of units that are all alike or have a sample without a finite statistic.

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
        return estimate_without_interval(value, 1, confidence)
    samples_Dn = (
        np.asarray(list(itertools.product(range(units), repeat=units)))
        if units**units <= _ALL
        else resampled_places(units, seed=seed)
    )
    drawn_D = np.asarray([statistic(places) for places in samples_Dn])
    if not np.isfinite(drawn_D).all():
        return estimate_without_interval(value, units, confidence)
    # By the spread around the mean of the draws: the bias of a bootstrap is no part of the standard error.
    error = float(drawn_D.std()) * math.sqrt(units / (units - 1))
    return _student_estimate(StudentTest(estimate=value, standard_error=error, freedom=units - 1), units, confidence)


def mean_estimate(values: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """The mean of some units with its t interval; there is none of one unit, nor of units that are all alike.

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
        return estimate_without_interval(mean, 1, confidence)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    test = StudentTest(estimate=mean, standard_error=math.sqrt(variance / count), freedom=count - 1)
    return _student_estimate(test, count, confidence)


def _student_estimate(test: StudentTest, units: int, confidence: float) -> Estimate:
    low, high = test.interval(confidence)
    if no_width(low, high):
        # Units that are all alike do not show how the next one would differ.
        return estimate_without_interval(test.estimate, units, confidence)
    return Estimate(value=test.estimate, low=low, high=high, confidence=confidence, units=units)
