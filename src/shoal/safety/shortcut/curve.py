"""What refusals come from over the number of safety examples that models were tuned with, seed by seed.

The share of the refusals of one training has its interval over prompts and over the posterior of the mixture. Over
trainings it is the mean of those that refuse anything, and its interval joins two half-widths by their squares (Zou and
Donner 2008, "Construction of confidence limits about effect measures", Statistics in Medicine 27:1693-1702): the mean
one over prompts, since the trainings answered the same prompts, and Student's t over trainings. The spread of trainings
holds a part of the first already, so that the interval is too wide rather than too narrow: in simulations of 2 to 5
trainings, whose spread is none to five times that over prompts, a 95% interval covers the mean in 95% to 100% of the
cases.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.attribution import NOISE, RULE
from shoal.safety.shortcut.effects import RefusalCell
from shoal.safety.shortcut.result import verdict_text
from shoal.statistics import correct_share, crossed_mean
from shoal.wording import aligned_rows, capital, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas

    from shoal.safety.shortcut.pairs import PairedPrompt, PairSet
    from shoal.safety.shortcut.result import RefusalExplanation, RefusalExplanations
    from shoal.statistics import ErrorRates


_IN_WORDS = {
    "rule": "by the rule (harm)",
    "noise": "whatever is requested",
    "cannot tell": "and these prompts cannot show by what",
}
"""Verdicts as the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingsShare:
    """How much of the refusals an explanation accounts for, over the trainings with one number of safety examples."""

    name: str
    share: float
    """The mean over trainings that refuse anything."""

    low: float
    high: float
    by_training: tuple[float, ...]

    def __str__(self) -> str:
        """The share with its interval."""
        return f"{self.share:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalPoint:
    """The trainings with one number of safety examples."""

    safety_examples: int | None
    """None of the model before tuning."""

    trainings: tuple[str, ...]
    """Their names."""

    verdicts: Mapping[str, int]
    """Trainings by the verdict on them, in a few words."""

    refusing: int
    """Trainings that refuse anything: the others have no share."""

    refusals: int
    """Of all trainings together."""

    cells: tuple[RefusalCell, ...]
    """Rates over trainings and prompts; the prompts are those of each training."""

    shares: tuple[TrainingsShare, ...]

    @property
    def name(self) -> str:
        """The number in words."""
        return "before tuning" if self.safety_examples is None else f"{self.safety_examples:,}"

    @property
    def verdict(self) -> str:
        """The verdicts with how many trainings have each."""
        if len(self.trainings) == 1:
            return next(iter(self.verdicts))
        return "; ".join(f"{verdict} ({count} of {len(self.trainings)})" for verdict, count in self.verdicts.items())

    @property
    def sentence(self) -> str:
        """How many answers refuse, and by what."""
        answers = len(self.trainings) * sum(cell.prompts for cell in self.cells)
        when = "before tuning" if self.safety_examples is None else f"with {self.safety_examples:,} safety examples"
        refuse = f"{when} {self.refusals:,} of {answers:,} answers refuse"
        if not self.refusals:
            return refuse
        if len(self.verdicts) > 1:
            return f"{refuse} ({self.verdict.replace('; ', ', ')})"
        verdict = next(iter(self.verdicts))
        return f"{refuse}, {_IN_WORDS.get(verdict, f'by a {verdict}')}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        cells = [cell.to_dict() for cell in self.cells]
        return {**asdict(self), "verdicts": dict(self.verdicts), "cells": cells}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalCurve:
    """What refusals come from before a safety tuning and after it, by the number of safety examples."""

    points: tuple[RefusalPoint, ...]
    explanations: RefusalExplanations
    """Every training by itself."""

    confidence: float

    @property
    def sentence(self) -> str:
        """How many answers refuse at each number, and by what."""
        return f"{capital('; '.join(point.sentence for point in self.points))}."

    @property
    def share_names(self) -> tuple[str, ...]:
        """The explanations that have a share at any number: the rule first, noise last."""
        found = {share.name for point in self.points for share in point.shares}
        order = [share.name for model in self.explanations.models for share in model.shares]
        middle = [name for name in dict.fromkeys(order) if name in found and name not in (RULE, NOISE)]
        return (RULE, *middle, NOISE) if found else ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "points": [point.to_dict() for point in self.points],
            "confidence": self.confidence,
            "explanations": self.explanations.to_dict(),
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per number of safety examples and explanation."""
        import pandas

        rows = []
        for point in self.points:
            about = {"safety_examples": point.safety_examples, "verdict": point.verdict, "refusals": point.refusals}
            rows += [{**about, **asdict(share)} for share in point.shares]
        return pandas.DataFrame(rows)

    def share_rows(self) -> list[tuple[str, ...]]:
        """The table of shares, its head first."""
        rows = [("safety examples", "refusals", *self.share_names, "verdict")]
        for point in self.points:
            by_name = {share.name: str(share) for share in point.shares}
            shares = [by_name.get(name, "") for name in self.share_names]
            rows.append((point.name, f"{point.refusals:,}", *shares, point.verdict))
        return rows

    def rate_rows(self) -> list[tuple[str, ...]]:
        """The table of rates, its head first."""
        names = list(dict.fromkeys(cell.name for point in self.points for cell in point.cells))
        rows = [("safety examples", *names)]
        for point in self.points:
            by_name = {cell.name: cell.refused for cell in point.cells}
            rates = [by_name[name] for name in names]
            rows.append((point.name, *(f"{one.corrected:.1%} [{one.low:.1%}, {one.high:.1%}]" for one in rates)))
        return rows

    def notes(self) -> list[str]:
        """What a reader must know of the tables."""
        percent = f"{100 * self.confidence:g}%"
        found = [f"{percent} intervals are over prompts and trainings; of one training, over prompts alone."]
        for point in self.points:
            silent = len(point.trainings) - point.refusing
            if silent:
                found.append(f"{point.name}: {plural(silent, 'training')} of {len(point.trainings)} refuse nothing.")
        return found

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.explanations.pairs.items())
        lines = [self.sentence, "", f"{sum(self.explanations.pairs.values()):,} minimal pairs: {kinds}", ""]
        lines += ["share of the refusals that each explanation accounts for", *aligned_rows(self.share_rows()), ""]
        lines += ["how often prompts are refused, corrected for the scorer's errors", *aligned_rows(self.rate_rows())]
        lines += ["", *self.notes(), ""]
        return "\n".join([*lines, *(model.sentence for model in self.explanations.models)])


def make_refusal_curve(
    trainings: Mapping[int | None, Sequence[RefusalExplanation]],
    pairs: PairSet,
    explanations: RefusalExplanations,
    errors: ErrorRates,
    *,
    confidence: float = 0.95,
) -> RefusalCurve:
    """Bring the explanations of several trainings together, number by number.

    Args:
        trainings: what explains each training, by its number of safety examples; None is the model before tuning.
        pairs: that all of them answered.
        explanations: the same trainings, each by itself.
        errors: of the scorer of refusals.
        confidence: of the intervals.
    """
    prompts = pairs.prompts()
    points = tuple(
        RefusalPoint(
            safety_examples=number,
            trainings=tuple(model.name for model in models),
            verdicts=dict(Counter(map(verdict_text, models)).most_common()),
            refusing=sum(bool(model.refusals) for model in models),
            refusals=sum(model.refusals for model in models),
            cells=tuple(_cells(models, prompts, errors, confidence)),
            shares=_shares(models, confidence),
        )
        for number, models in trainings.items()
    )
    return RefusalCurve(points=points, explanations=explanations, confidence=confidence)


def _shares(models: Sequence[RefusalExplanation], confidence: float) -> tuple[TrainingsShare, ...]:
    refusing = [model for model in models if model.shares]
    names = list(dict.fromkeys(share.name for model in refusing for share in model.shares))
    found = []
    for name in names:
        shares = [share for model in refusing if (share := model.share_of(name)) is not None]
        values = [share.share for share in shares]
        mean, between = fmean(values), _half_between(values, confidence)
        found.append(
            TrainingsShare(
                name=name,
                share=mean,
                low=max(0.0, mean - math.hypot(mean - fmean(share.low for share in shares), between)),
                high=min(1.0, mean + math.hypot(fmean(share.high for share in shares) - mean, between)),
                by_training=tuple(values),
            )
        )
    return tuple(found)


def _half_between(values: Sequence[float], confidence: float) -> float:
    """Half the width of Student's interval of the mean over trainings; 0 of one, whose interval is over prompts."""
    from scipy.special import stdtrit

    if len(values) < 2:
        return 0.0
    return float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * stdev(values) / math.sqrt(len(values))


def _cells(
    models: Sequence[RefusalExplanation], prompts: Sequence[PairedPrompt], errors: ErrorRates, confidence: float
) -> Iterator[RefusalCell]:
    """Rates of the four kinds of prompts over trainings and clusters of prompts."""
    refused = [{score.prompt: score.refused for score in model.scores} for model in models]
    for first in models[0].cells:
        part = [one for one in prompts if (one.harmful, one.has_focus) == (first.harmful, first.has_focus)]
        clusters: dict[str, list[str]] = {}
        for one in part:
            clusters.setdefault(one.cluster, []).append(one.prompt)
        means_TK = np.array([[fmean(each[p] for p in found) for found in clusters.values()] for each in refused])
        sizes_K = np.array([len(found) for found in clusters.values()], dtype=float)
        mean = crossed_mean(means_TK, weights_I=sizes_K, confidence=confidence)
        guesses = [each[one.prompt] for each in refused for one in part]
        share = correct_share(guesses, errors, items=mean.effective_items, confidence=confidence)
        yield RefusalCell(harmful=first.harmful, has_focus=first.has_focus, prompts=len(part), refused=share)
