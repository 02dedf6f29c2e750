"""McNemar's exact test: two models on the same items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """The items on which two models differ, and how likely so lopsided a division is if neither is better."""

    items: int
    only_first: int
    """Items that the first has right and the second wrong."""

    only_second: int
    p_value: float
    """Two-sided and exact; 1 where the two never differ."""


def mcnemar_exact(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Test whether two models have the same share of right items, over items that both were given.

    The items that both have right or both wrong say nothing; of the others, half should fall on either side. The
    p-value is twice the smaller binomial tail, at most 1.

    Source: McNemar (1947), Psychometrika 12:153-157; the exact form in Fagerland, Lydersen and Laake (2013), BMC
    Medical Research Methodology 13:91, eq. 2.

    Args:
        first: right or wrong for each item.
        second: the same items in the same order.

    Raises:
        UsageError: the two are not of one length.
    """
    if len(first) != len(second):
        raise UsageError(f"paired tests need the same items on both sides, not {len(first)} and {len(second)}")
    from scipy.special import bdtr

    only_first = sum(bool(a) and not b for a, b in zip(first, second, strict=True))
    only_second = sum(bool(b) and not a for a, b in zip(first, second, strict=True))
    differing = only_first + only_second
    tail = float(bdtr(min(only_first, only_second), differing, 0.5)) if differing else 1.0
    return McNemar(items=len(first), only_first=only_first, only_second=only_second, p_value=min(1.0, 2 * tail))
