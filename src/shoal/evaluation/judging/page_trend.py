"""Page's trend test within stories, exact: do marks fall with the severity of a perturbation?

Each story is a block: its marks are ranked among themselves, equal marks sharing their rank. The statistic is the sum
over stories of the number of the severity times the rank; the smaller it is, the more marks fall. If the severity did
not matter, each order of a story's marks would be as likely as any other, and the distribution of the sum is the
convolution over stories of that over all orders of one. So the p-value is exact, ties included.

Source: Page (1963), JASA 58:216-230; permutation within blocks as in Hollander and Wolfe (1999), section 7.2.

Cost: d! orders per story for d severities, and a convolution over at most n d³ sums.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from shoal.errors import UsageError
from shoal.statistics import SignFlip, sign_flip

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_COLUMNS = 7
"""Marks of a story, that of the unperturbed one among them. All of their orders are listed: 5,040 for seven; SciPy's
exact test knows no ties, and marks tie often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How marks follow the severity."""

    stories: int
    p_value: float
    """One-sided and exact: the chance of marks that fall as much, if the severity did not matter."""

    in_order: float
    """Of all pairs of severities of one story, the share whose higher one has the lower mark; a tie counts half."""

    drop: SignFlip
    """Mark of the unperturbed story minus mark at the highest severity: mean and exact interval."""

    means: tuple[float, ...]
    """The mean mark at each severity, the unperturbed first."""


def falling_trend(marks: Sequence[Sequence[float]], *, confidence: float = 0.95) -> Trend:
    """Test whether marks fall with the severity.

    Args:
        marks: one row per story, one column per severity in rising order, the unperturbed first; 2 to 7 columns.
        confidence: of the drop's interval.

    Raises:
        UsageError: there are no stories, or the table has another form.
    """
    sizes = {len(row) for row in marks}
    if len(sizes) != 1 or not 2 <= (columns := sizes.pop()) <= MAX_COLUMNS:
        raise UsageError(f"a trend needs at least one story and 2 to {MAX_COLUMNS} severities, the same for each story")
    ranks = [_ranks(tuple(row)) for row in marks]
    observed = sum(_sum(row) for row in ranks)
    distribution: Counter[int] = Counter({0: 1})
    for row in ranks:
        # All orders are counted anyway; sorted, stories with the same ties share an entry of the cache.
        one = _orders(tuple(sorted(row)))
        longer: Counter[int] = Counter()
        for (total, ways), (more, of_one) in itertools.product(distribution.items(), one.items()):
            longer[total + more] += ways * of_one
        distribution = longer
    below = sum(ways for total, ways in distribution.items() if total <= observed)
    return Trend(
        stories=len(marks),
        # Python's whole numbers divide exactly enough however large they are.
        p_value=below / sum(distribution.values()),
        in_order=_in_order(marks),
        drop=sign_flip([row[0] - row[-1] for row in marks], confidence=confidence),
        means=tuple(sum(row[place] for row in marks) / len(marks) for place in range(columns)),
    )


def _ranks(row: tuple[float, ...]) -> tuple[int, ...]:
    """Twice the rank of each mark, so that shared ranks are whole numbers."""
    return tuple(sum(other < mark for other in row) * 2 + sum(other == mark for other in row) + 1 for mark in row)


def _sum(ranks: Sequence[int]) -> int:
    return sum(place * rank for place, rank in enumerate(ranks))


@cache
def _orders(ranks: tuple[int, ...]) -> Counter[int]:
    """How often each sum comes over all orders of one story's marks."""
    return Counter(_sum(order) for order in itertools.permutations(ranks))


def _in_order(marks: Sequence[Sequence[float]]) -> float:
    pairs = [(row[low], row[high]) for row in marks for low, high in itertools.combinations(range(len(row)), 2)]
    return sum(1.0 if low > high else 0.5 if low == high else 0.0 for low, high in pairs) / len(pairs)
