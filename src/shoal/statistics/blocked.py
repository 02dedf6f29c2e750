"""The permutation test within blocks: two groups that were trained under the same conditions, block by block.

A block holds the values of two groups, the treatment's and the baseline's, everything else being equal (one task and
one amount of data, say). Where the treatment makes no difference, the labels within a block may be permuted: each of
the ``(n + m)! / (n! m!)`` divisions of a block's values into groups of n and m is as likely as the one that was
observed. The statistic is the mean over blocks of the difference of the groups' means, divided by its standard error
from the spread within groups; so divided, the test keeps its level where the groups differ in spread or the blocks in
their effect.

The interval is the test's inversion: it holds each effect t that the test does not reject once t is taken off the
treatment's values. For one division, the mean difference is linear in t and its variance quadratic, so that five
numbers for each division answer for every t.

Source: Fisher (1935), The Design of Experiments, section 21; Chung and Romano (2013), "Exact and asymptotically robust
permutation tests", Annals of Statistics 41:484-507, theorem 2.1 (the studentized statistic); Phipson and Smyth (2010)
(the observed division counts as one of those drawn).

Cost: D divisions of N values: O(D N) once, then O(D) for each effect that is tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from shoal.errors import UsageError
from shoal.statistics.intervals import check_confidence
from shoal.statistics.paired import drawn_p_value_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

ENUMERATED = 20_000
"""Up to this number of divisions all of them are tried."""

DRAWN = 19_999
"""Divisions drawn beyond that; with the observed one they make 20,000."""

_MAX_LISTED = 1000
"""Divisions of one block that are listed; a block with more is permuted at random."""

_SLACK = 1e-9
"""A tail of whole divisions (0.05 of 20, and 1 - 0.9 is below 0.1) must not be missed for its rounding."""

_TINY = 1e-12
"""Differences that cancel are zero up to rounding, and a tie must be seen as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedTest:
    """The mean difference of two groups within blocks, with its interval and p-value."""

    estimate: float
    """Mean over blocks of the difference of the two groups' means."""

    standard_error: float
    """From the spread within each group of each block."""

    low: float
    """-infinity where so few values can never exclude anything."""

    high: float
    confidence: float
    p_value: float
    """Two-sided, of no effect."""

    smallest_p_value: float
    blocks: int
    values: int
    method: Literal["exact", "monte-carlo"]
    p_value_error: float
    """Standard error of the p-value by random drawing; 0 where all divisions were tried."""


class BlockedPermutation:
    """The permutation distribution of one comparison, made once and read for any effect.

    Args:
        treatment: the values of the treatment in each block, at least one in each and two in some group.
        baseline: those of the baseline, block by block in the same order.
        seed: of the divisions that are drawn where there are too many to try.

    Raises:
        UsageError: there is no block, a group is empty, a value is not finite, or no group has two values.
    """

    def __init__(
        self, treatment: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]], *, seed: int = 0
    ) -> None:
        import numpy as np

        _check_blocks(treatment, baseline)
        pairs = list(zip(treatment, baseline, strict=True))
        self.blocks = len(pairs)
        self.values = sum(len(first) + len(second) for first, second in pairs)
        total = math.prod(math.comb(len(first) + len(second), len(first)) for first, second in pairs)
        self.exact = total <= ENUMERATED
        self.divisions = total if self.exact else DRAWN + 1
        draw = np.random.default_rng(seed)
        # The difference is a_D - b_D t and its variance c0_D - 2 c1_D t + c2_D t², for the shift t.
        self._sums = np.zeros((5, self.divisions))
        step = 1
        for first, second in pairs:
            count = math.comb(len(first) + len(second), len(first))
            members = _divisions(len(first), len(second), self.divisions, step if self.exact else None, draw)
            self._sums += _block_sums(np.array([*first, *second], float), len(first), members)
            step *= count
        self._sums /= np.array([[self.blocks], [self.blocks], *[[self.blocks**2]] * 3])
        self.estimate = float(self._sums[0, 0])
        self.standard_error = math.sqrt(max(float(self._sums[2, 0]), 0.0))

    @property
    def smallest_p_value(self) -> float:
        """Two-sided, of values that could not be further apart."""
        return min(1.0, 2 / self.divisions)

    def one_sided(self, effect: float) -> tuple[float, float]:
        """The p-values of an effect at most, and at least, this one.

        Args:
            effect: the difference that is taken off the treatment's values before they are permuted.
        """
        import numpy as np

        a, b, c0, c1, c2 = self._sums
        difference = a - b * effect
        variance = c0 - 2 * c1 * effect + c2 * effect * effect
        # Relative to what it was computed from: a spread of nothing must not be a spread of rounding.
        scale = np.maximum(c0, c2 * effect * effect)
        variance = np.where(variance <= _TINY * scale, 0.0, variance)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(variance > 0, difference / np.sqrt(variance), np.sign(difference) * np.inf)
        statistic = np.where(np.abs(difference) <= _TINY * np.sqrt(scale), 0.0, statistic)
        observed = statistic[0]
        slack = _TINY * max(1.0, abs(observed)) if math.isfinite(observed) else 0.0
        above = float(np.count_nonzero(statistic >= observed - slack)) / self.divisions
        below = float(np.count_nonzero(statistic <= observed + slack)) / self.divisions
        return above, below

    def p_value(self, effect: float = 0.0) -> float:
        """Two-sided, of one true effect: twice the smaller of `one_sided`.

        Args:
            effect: that is tested.
        """
        return min(1.0, 2 * min(self.one_sided(effect)))

    def interval(self, confidence: float) -> tuple[float, float]:
        """The effects that the test does not reject, found by halving.

        Args:
            confidence: of the interval.
        """
        check_confidence(confidence)
        tail = (1 - confidence) / 2
        # Where the smallest attainable tail is not below it, nothing can ever be rejected.
        if 1 / self.divisions > tail + _SLACK:
            return -math.inf, math.inf
        return self._end(-1, tail), self._end(1, tail)

    def _end(self, side: int, tail: float) -> float:
        def rejected(effect: float) -> bool:
            return self.one_sided(effect)[0 if side < 0 else 1] <= tail + _SLACK

        # Without any spread within groups, by how far the estimates of the divisions lie apart: a block of two single
        # values has no spread, and its effect may yet differ from that of the others.
        unit = self.standard_error or float(abs(self._sums[0] - self.estimate).max()) or 1.0
        # Nearer than this a spread of nothing cannot be told from one of rounding.
        if self.standard_error == 0 and rejected(self.estimate + side * 1e-3 * unit):
            return self.estimate
        near, reach = self.estimate, 2 * unit
        # Doubled until rejected: with few divisions the tail may never fall below its level, and the end is open.
        while not rejected(self.estimate + side * reach):
            near, reach = self.estimate + side * reach, 2 * reach
            if reach > 1e6 * unit:
                return side * math.inf
        far = self.estimate + side * reach
        for _ in range(50):
            middle = (near + far) / 2
            near, far = (near, middle) if rejected(middle) else (middle, far)
        return near


def blocked_test(
    treatment: Sequence[Sequence[float]],
    baseline: Sequence[Sequence[float]],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> BlockedTest:
    """Estimate, interval and p-value of the mean difference of two groups within blocks, two-sided.

    Args:
        treatment: the values of the treatment in each block.
        baseline: those of the baseline, block by block in the same order.
        confidence: of the interval.
        seed: of the divisions that are drawn where there are too many to try.

    Raises:
        UsageError: there is no block, a group is empty, a value is not finite, no group has two values, or the
            confidence is not in [0.5, 1).
    """
    test = BlockedPermutation(treatment, baseline, seed=seed)
    low, high = test.interval(confidence)
    p_value = test.p_value()
    return BlockedTest(
        estimate=test.estimate,
        standard_error=test.standard_error,
        low=low,
        high=high,
        confidence=confidence,
        p_value=p_value,
        smallest_p_value=test.smallest_p_value,
        blocks=test.blocks,
        values=test.values,
        method="exact" if test.exact else "monte-carlo",
        p_value_error=0.0 if test.exact else drawn_p_value_error(p_value, test.divisions),
    )


def _check_blocks(treatment: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]]) -> None:
    if not treatment or len(treatment) != len(baseline):
        raise UsageError(
            f"a test within blocks needs the same blocks of both groups, not {len(treatment)} and {len(baseline)}"
        )
    groups = [*treatment, *baseline]
    if not all(len(group) for group in groups):
        raise UsageError("a test within blocks needs a value of both groups in each block; leave out the others")
    if not all(math.isfinite(value) for group in groups for value in group):
        raise UsageError("a test within blocks needs finite values; leave out the trainings that have none")
    if max(len(group) for group in groups) < 2:
        raise UsageError("a test within blocks needs two values in a group at least, or it sees no spread; add seeds")


def _divisions(
    first: int, second: int, divisions: int, step: int | None, draw: np.random.Generator
) -> NDArray[np.bool_]:
    """Which values of a block form the treatment's group, a row per division; the first row is the observed one.

    ``step`` is None where divisions are drawn; else it is the number of divisions of the blocks before, so that the
    rows run through all combinations of divisions as the digits of a number do.
    """
    import numpy as np

    values, count = first + second, math.comb(first + second, first)
    if step is None and count > _MAX_LISTED:
        ranks = draw.random((divisions, values)).argsort(axis=1)
        ranks[0] = np.arange(values)
        return ranks < first
    listed = np.zeros((count, values), dtype=bool)
    for row, chosen in enumerate(combinations(range(values), first)):
        listed[row, list(chosen)] = True
    if step is not None:
        return np.asarray(listed[np.arange(divisions) // step % count])
    rows = draw.integers(0, count, size=divisions)
    rows[0] = 0
    return np.asarray(listed[rows])


def _block_sums(values: NDArray[np.float64], first: int, members: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What a block adds to the five numbers of each division, of shape (5, divisions)."""
    import numpy as np

    # Centred, so that squares of large equal values do not swamp their differences.
    centred = values - values.mean()
    shifted = np.zeros(len(values))
    shifted[:first] = 1.0
    products = np.stack([centred, shifted, centred * centred, centred * shifted, shifted], axis=1)
    inside = members @ products
    outside = products.sum(axis=0) - inside
    sizes = (first, len(values) - first)
    difference = [inside[:, k] / sizes[0] - outside[:, k] / sizes[1] for k in (0, 1)]
    variances = [_variance(part, size) for part, size in ((inside, sizes[0]), (outside, sizes[1]))]
    return np.stack([*difference, *(one + other for one, other in zip(*variances, strict=True))])


def _variance(sums: NDArray[np.float64], size: int) -> list[NDArray[np.float64]]:
    """The coefficients of the variance of a group's mean in the shift; a single value has none."""
    if size == 1:
        return [sums[:, 0] * 0.0] * 3
    scale = 1 / (size * (size - 1))
    return [
        (sums[:, 2] - sums[:, 0] ** 2 / size) * scale,
        (sums[:, 3] - sums[:, 0] * sums[:, 1] / size) * scale,
        (sums[:, 4] - sums[:, 1] ** 2 / size) * scale,
    ]
