"""What explains the answers of several trainings of an arm: each alone, and all together with the seed as the unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.statistics import sign_flip_interval
from shoal.wording import joined, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.attribution.candidates import ExplanationKind
    from shoal.attribution.explanation import Explanation, ExplanationVerdict

_SHOWN = 0.05
"""The mean share from which an explanation stands in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedVerdict:
    """What explains one training."""

    seed: int
    verdict: ExplanationVerdict
    names: tuple[str, ...]
    right: int
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanShare:
    """The share of one explanation over the seeds."""

    name: str
    kind: ExplanationKind
    mean: float
    low: float | None
    """The ends of the interval over seeds, by sign flips; None where so few seeds bound nothing."""

    high: float | None
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingsExplanation:
    """What explains the answers of an arm."""

    sentence: str
    seeds: tuple[SeedVerdict, ...]
    shares: tuple[MeanShare, ...]
    """Every explanation, and noise, the greatest mean share first."""

    confidence: float

    def __str__(self) -> str:
        lines = [f"{self.sentence}.", ""]
        percent = f"{100 * self.confidence:g}% interval over seeds"
        for share in self.shares:
            if share.mean >= 0.005:
                bounded = share.low is not None and share.high is not None
                interval = (
                    f"{percent} {share.low:.2f} to {share.high:.2f}" if bounded else "too few seeds for an interval"
                )
                lines.append(f"  {share.name:<24} {share.mean:.2f}  {interval}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def explain_trainings(found: Mapping[int, Explanation], *, confidence: float = 0.95) -> TrainingsExplanation:
    """Bring the explanations of several trainings together.

    Args:
        found: from seed to what explains it; all on the same items.
        confidence: of the intervals over seeds.

    Raises:
        UsageError: there is none.
    """
    if not found:
        raise UsageError("there is no training to explain; give at least one")
    seeds = tuple(
        SeedVerdict(
            seed=seed,
            verdict=explanation.verdict,
            names=explanation.names,
            right=explanation.right,
            items=len(explanation.items),
        )
        for seed, explanation in found.items()
    )
    shares = _mean_shares(found, confidence)
    return TrainingsExplanation(sentence=_sentence(seeds, shares), seeds=seeds, shares=shares, confidence=confidence)


def _mean_shares(found: Mapping[int, Explanation], confidence: float) -> tuple[MeanShare, ...]:
    # Over all trainings, as one in which a neighbour answers nothing has no share of it.
    kinds = {share.name: share.kind for explanation in found.values() for share in explanation.shares}
    by_name = {
        # An explanation that gives no answer of a training has no part in it.
        name: tuple(
            next((share.share for share in explanation.shares if share.name == name), 0.0)
            for explanation in found.values()
        )
        for name in kinds
    }
    shares = []
    for name, values in by_name.items():
        interval = sign_flip_interval(values, confidence=confidence)
        shares.append(
            MeanShare(
                name=name,
                kind=kinds[name],
                mean=sum(values) / len(values),
                # A share lies between 0 and 1, whatever the spread of the seeds would allow.
                low=max(interval.low, 0.0) if isfinite(interval.low) else None,
                high=min(interval.high, 1.0) if isfinite(interval.high) else None,
                by_seed=values,
            )
        )
    return tuple(sorted(shares, key=lambda share: -share.mean))


def _sentence(seeds: tuple[SeedVerdict, ...], shares: tuple[MeanShare, ...]) -> str:
    counts = Counter(_called(seed) for seed in seeds)
    verdicts = joined([f"{words} in {count} of {plural(len(seeds), 'seed')}" for words, count in counts.most_common()])
    parts = ", ".join(f"{share.name} {share.mean:.2f}" for share in shares if share.mean >= _SHOWN)
    return f"{verdicts} (mean share: {parts})"


def _called(seed: SeedVerdict) -> str:
    """The verdict of one training in a few words."""
    if seed.verdict == "shortcut":
        return f"the shortcut {' or '.join(seed.names)}"
    if seed.verdict == "mixture":
        return f"a mixture of {joined(list(seed.names))}"
    if seed.verdict == "cannot tell":
        # One name alone leads without being sure of it.
        return f"cannot tell between {joined(list(seed.names))}" if len(seed.names) > 1 else f"perhaps {seed.names[0]}"
    return {"rule": "the rule", "noise": "none of the named explanations"}[seed.verdict]
