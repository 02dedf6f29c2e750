"""The verdict and the one rule by which it is reached.

With the effect's interval [L, U], its estimate, and the smallest effect that matters d, stated before the run:

1. a named control failed: **confounded**;
2. else L > 0 and the estimate is at least d: **supported**;
3. else U < d: **refuted**;
4. else **underpowered**, with the number of seeds that would settle it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.experiments.writing import finite

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How much better the treatment is than the baseline: positive is better, also where less is better."""

    measure: str
    """Its label, with its sense: ``exact match``, ``bits per byte saved``."""

    estimate: float
    """Mean over seeds of the paired differences; NaN where no pair has a value."""

    low: float
    """-infinity where so few seeds can exclude nothing."""

    high: float
    confidence: float
    smallest: float
    """The smallest effect that matters (d), stated before the run."""

    p_value: float
    smallest_p_value: float
    method: str
    differences: tuple[float, ...]
    """One a seed that has a value on both sides."""

    seeds: tuple[int, ...]
    difference_sd: float | None
    """Standard deviation of the differences; None of fewer than two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an experiment says of its hypothesis, with every number behind it."""

    verdict: Word
    sentence: str
    """The verdict in plain words."""

    hypothesis: str
    experiment: str
    preset: str
    task: str
    split: str
    treatment: str
    baseline: str
    seeds: int
    """Seeds an arm."""

    items: int
    """Held-out items."""

    seen_items: int
    effect: Effect
    controls: tuple[Control, ...]
    smallest_detectable_effect: float | None
    """What so many seeds, differing so much, find with a chance of 80 %; None where nothing can be found."""

    seeds_needed: int | None
    """Seeds that would settle an underpowered experiment; None for another verdict or beyond 100,000."""

    needed: str | None
    """The same as a sentence."""

    items_view: dict[str, Any]
    """The second view, over items: McNemar's exact test for each seed, and a crossed bootstrap of seeds and items."""

    measures: dict[str, Any]
    """From measure to arm to stage (before, after) to split (seen, held_out) to mean, interval and values by seed."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    def to_text(self) -> str:
        """What the command line prints."""
        from shoal.experiments.telling import verdict_text

        return verdict_text(self)


def decide(*, estimate: float, low: float, high: float, smallest: float, controls: Sequence[Control]) -> Word:
    """The verdict by the rule of this module.

    Args:
        estimate: of the effect; NaN where no seed has a value, which settles nothing.
        low: L, -infinity where it cannot be bounded.
        high: U, infinity where it cannot be bounded.
        smallest: d, above 0.
        controls: all that were named; one that failed confounds.
    """
    if any(not control.passed for control in controls):
        return "confounded"
    if low > 0 and estimate >= smallest:
        return "supported"
    if high < smallest:
        return "refuted"
    return "underpowered"
