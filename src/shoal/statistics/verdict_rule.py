"""The verdict on a hypothesis, and the one rule by which it is reached.

With the effect's interval [L, U], its estimate, and the smallest effect that matters d, stated before the run:

1. a named control failed: **confounded**;
2. else L > 0 and the estimate is at least d: **supported**;
3. else U < d, and the units could have found d with 80% power: **refuted**;
4. else **underpowered**.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Word = Literal["supported", "refuted", "underpowered", "confounded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A check that has to hold for the comparison to mean what it seems to."""

    name: str
    passed: bool
    says: str
    """A clause for a person: what was found."""

    numbers: dict[str, Any]


def decide(
    *,
    estimate: float,
    low: float,
    high: float,
    smallest: float,
    controls: Sequence[Control],
    detectable: float = 0.0,
) -> Word:
    """The verdict by the rule of this module.

    Args:
        estimate: of the effect; NaN where no seed has a value, which settles nothing.
        low: L, -infinity where it cannot be bounded.
        high: U, infinity where it cannot be bounded.
        smallest: d, above 0.
        controls: all that were named; one that failed confounds.
        detectable: the effect that seeds spread like these find with 80% power, infinite where they find none; 0 where
            power is no question.
    """
    # First, since a failed control makes any effect, and its absence, mean nothing.
    if any(not control.passed for control in controls):
        return "confounded"
    if low > 0 and estimate >= smallest:
        return "supported"
    # Seeds that could hardly have found an effect that matters do not show its absence, even where by chance all of
    # them fall short of it.
    if high < smallest and detectable <= smallest:
        return "refuted"
    return "underpowered"
