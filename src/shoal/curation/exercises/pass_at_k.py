"""pass@k: the probability that one of k sampled solutions of a problem passes its tests.

Source: Chen et al. (2021), "Evaluating large language models trained on code", arXiv:2107.03374, equation 1.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.statistics import clopper_pearson_interval, enough_units, percentile_ends, resampled_ratios

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtK:
    """pass@k over problems, with an interval over groups of them."""

    k: int
    value: float
    low: float | None
    """None where the groups are too few or too alike for an interval of this confidence."""

    high: float | None
    problems: int
    groups: int
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        over = f"{self.problems} problems in {self.groups} groups"
        if self.low is None or self.high is None:
            return f"pass@{self.k} {self.value:.3f} ({over}: too few or too alike for an interval)"
        basis = f"{100 * self.confidence:g}% over {over}"
        return f"pass@{self.k} {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({basis})"


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimate for one problem: 1 - C(n - c, k) / C(n, k).

    Args:
        samples: solutions that were sampled, n.
        passed: how many of them passed, c.
        k: how many may be tried.

    Raises:
        UsageError: not 0 <= c <= n and 1 <= k <= n.
    """
    if not (0 <= passed <= samples and 1 <= k <= samples):
        raise UsageError(
            f"pass@{k} of {passed} passed among {samples} samples cannot be estimated; sample at least k solutions"
        )
    # In whole numbers, which are exact: the paper's product of fractions was for a lack of them.
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)


def estimate_pass_at_k(
    counts: Sequence[tuple[int, int]],
    k: int,
    *,
    groups: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> PassAtK:
    """The mean of `pass_at_k` over problems, with a bootstrap interval over groups of problems.

    Where no problem has a pass, or none has a failure, the bootstrap has no spread; the interval is then the exact one
    of Clopper and Pearson for as many trials as there are groups.

    Args:
        counts: samples and passes of each problem.
        k: how many solutions may be tried.
        groups: the cluster of each problem; None makes each its own.
        confidence: of the interval.
        seed: of the bootstrap.

    Raises:
        UsageError: there is no problem, or fewer samples than k of one.
    """
    import numpy as np

    if not counts:
        raise UsageError("there is no problem to estimate pass@k of; give at least one")
    values = [pass_at_k(samples, passed, k) for samples, passed in counts]
    labels = list(groups) if groups is not None else list(range(len(values)))
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    sums_G, sizes_G = np.zeros(len(places)), np.zeros(len(places))
    for label, value in zip(labels, values, strict=True):
        sums_G[places[label]] += value
        sizes_G[places[label]] += 1
    low: float | None = None
    high: float | None = None
    if set(values) in ({0.0}, {1.0}) and enough_units(len(places), confidence):
        exact = clopper_pearson_interval(round(values[0] * len(places)), len(places), confidence=confidence)
        low, high = exact.low, exact.high
    else:
        drawn_D = resampled_ratios(sums_G, sizes_G, seed=seed)
        low, high = percentile_ends(drawn_D, units=len(places), confidence=confidence)
    return PassAtK(
        k=k,
        value=float(sums_G.sum() / sizes_G.sum()),
        low=low,
        high=high,
        problems=len(values),
        groups=len(places),
        confidence=confidence,
    )
