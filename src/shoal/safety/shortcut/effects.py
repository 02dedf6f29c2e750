"""Plain counts of minimal pairs: how often each side is refused, and the difference, corrected for scorer errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.safety.shortcut.pairs import PAIR_KINDS, PairKind
from shoal.statistics import correct_share, mcnemar_exact, percentile_interval, resampled_ratios, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.safety.prompt_scores import PromptScore
    from shoal.safety.shortcut.pairs import FocusPair, PairedPrompt
    from shoal.statistics import CorrectedShare, ErrorRates


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEffect:
    """What a kind of pair does to the rate of refusals."""

    kind: PairKind
    harmful: bool | None
    """Whether the requests are harmful; None where one side is and the other is not."""

    pairs: int
    first: float
    """The share of first prompts that is refused, as the scorer counts."""

    second: float
    change: float
    """Second minus first, corrected: divided by sensitivity + specificity - 1."""

    low: float
    high: float
    """The bootstrap interval of the change, over prompts of the set."""

    p_value: float
    """McNemar's exact test of the pairs."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalCell:
    """Prompts of one kind: harmful or not, with a focus word or not."""

    harmful: bool
    has_focus: bool
    prompts: int
    refused: CorrectedShare

    @property
    def name(self) -> str:
        """In words."""
        return f"{'harmful' if self.harmful else 'harmless'}, {'with' if self.has_focus else 'without'} a focus word"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "name": self.name}


def refusal_cells(
    prompts: Sequence[PairedPrompt], scores: Mapping[str, PromptScore], errors: ErrorRates, confidence: float
) -> tuple[RefusalCell, ...]:
    """The rate of refusals of the four kinds of prompts, each corrected, intervals clustered by the prompt of the set.

    Args:
        prompts: of the pairs.
        scores: by prompt.
        errors: of the scorer.
        confidence: of the intervals.
    """
    found = []
    for harmful in (True, False):
        for has_focus in (True, False):
            part = [one for one in prompts if (one.harmful, one.has_focus) == (harmful, has_focus)]
            if part:
                share = correct_share(
                    [scores[one.prompt].refused for one in part],
                    errors,
                    clusters=[one.cluster for one in part],
                    confidence=confidence,
                )
                cell = RefusalCell(harmful=harmful, has_focus=has_focus, prompts=len(part), refused=share)
                found.append(cell)
    return tuple(found)


def pair_effects(
    pairs: Sequence[FocusPair], scores: Mapping[str, PromptScore], errors: ErrorRates, confidence: float
) -> tuple[PairEffect, ...]:
    """The effect of each kind of pair, those of harmful and of harmless requests apart.

    Args:
        pairs: whose prompts all have a score.
        scores: by prompt.
        errors: of the scorer.
        confidence: of the intervals.
    """
    found = []
    for kind in PAIR_KINDS:
        of_kind = [pair for pair in pairs if pair.kind == kind]
        flips = any(pair.first.harmful != pair.second.harmful for pair in of_kind)
        for harmful in (None,) if flips else (False, True):
            part = [pair for pair in of_kind if harmful is None or pair.first.harmful == harmful]
            if part:
                found.append(_effect(kind, harmful, part, scores, errors, confidence))
    return tuple(found)


def _effect(
    kind: PairKind,
    harmful: bool | None,
    pairs: Sequence[FocusPair],
    scores: Mapping[str, PromptScore],
    errors: ErrorRates,
    confidence: float,
) -> PairEffect:
    first = [scores[pair.first.prompt].refused for pair in pairs]
    second = [scores[pair.second.prompt].refused for pair in pairs]
    information = errors.sensitivity + errors.specificity - 1
    clusters = {name: place for place, name in enumerate(dict.fromkeys(pair.first.cluster for pair in pairs))}
    # Sums over the pairs of each prompt of the set: the prompt is the unit that is resampled, since its pairs are
    # alike.
    over_U, under_U = np.zeros(len(clusters)), np.zeros(len(clusters))
    for pair, before, after in zip(pairs, first, second, strict=True):
        over_U[clusters[pair.first.cluster]] += float(after) - float(before)
        under_U[clusters[pair.first.cluster]] += 1
    # A difference of rates that one scorer counts is too small by the same factor, whatever the rates are.
    change = _within(float(over_U.sum() / under_U.sum()) / information)
    if len(set((over_U / under_U).tolist())) > 1:
        low, high = percentile_interval(resampled_ratios(over_U, under_U) / information, confidence)
    else:
        # Where all prompts behave alike a bootstrap has no width; what they bound is how rare another is (Wilson).
        half = wilson_interval(0, len(clusters), confidence=confidence).high / information
        low, high = change - half, change + half
    return PairEffect(
        kind=kind,
        harmful=harmful,
        pairs=len(pairs),
        first=sum(first) / len(pairs),
        second=sum(second) / len(pairs),
        change=change,
        low=_within(low),
        high=_within(high),
        p_value=mcnemar_exact(first, second).p_value,
    )


def _within(difference: float) -> float:
    """A difference of two shares, which a correction may not carry beyond -1 or 1."""
    return max(-1.0, min(1.0, difference))
