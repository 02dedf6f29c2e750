"""A verdict of a crossed experiment in one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.experiments.crossed.hypotheses import level_name
from shoal.experiments.verdict import number_text
from shoal.wording import capital, joined, plural

if TYPE_CHECKING:
    from shoal.experiments.crossed.hypotheses import Hypothesis
    from shoal.experiments.crossed.result import HypothesisResult
    from shoal.experiments.measures import Measure


def verdict_line(result: HypothesisResult, hypothesis: Hypothesis, measure: Measure) -> str:
    """The verdict in plain words.

    Args:
        result: of the hypothesis; its sentence is not read.
        hypothesis: as the file states it.
        measure: the primary one.
    """
    basis = f"{plural(result.trainings, 'training')} in {plural(len(result.blocks), 'block')}"
    interval = f"{100 * result.confidence:g}% interval {number_text(result.low)} to {number_text(result.high)}"
    what = _finding(result.estimate, hypothesis, measure)
    if result.verdict == "confounded":
        failed = joined([control.says for control in result.controls if not control.passed])
        return f"The comparison cannot answer the hypothesis, since {failed} ({what}; {interval}; {basis})."
    if result.verdict == "supported":
        return f"{capital(what)} ({interval}; {basis}); {result.smallest_effect:g} matters."
    if result.verdict == "refuted":
        way = {"better": "an effect of", "worse": "a loss of", "different": "a difference of"}[result.direction]
        return (
            f"{capital(way)} {result.smallest_effect:g}, which would matter, is excluded: {what} ({interval}; {basis})."
        )
    if not math.isfinite(result.estimate):
        return f"The result is inconclusive: {what} ({basis})."
    if not math.isfinite(result.low):
        return f"{capital(what)}, but {basis} cannot exclude anything: add seeds or blocks."
    if _falls_short(result):
        # Not refuted all the same: by the correction, or since such an effect could hardly have been found.
        lacking = (
            "not after the correction for several hypotheses"
            if result.corrected_p > 1 - result.confidence
            else "trainings that spread this much would have found one with a power of less than 80%"
        )
        return (
            f"The result is inconclusive: {what}; the {interval} excludes an effect of {result.smallest_effect:g}, "
            f"which would matter, but {lacking} ({basis})."
        )
    excludes = result.low > 0 or result.high < 0
    why = (
        "the effect is not clear after the correction for several hypotheses, or below the one that matters"
        if excludes
        else f"the {interval} excludes neither an effect of {result.smallest_effect:g}, which would matter, nor none"
    )
    return f"The result is inconclusive: {what}, and {why} ({interval if excludes else basis})."


def _falls_short(result: HypothesisResult) -> bool:
    """Whether the interval excludes every effect that would matter, in the direction of the claim."""
    below, above = result.high < result.smallest_effect, result.low > -result.smallest_effect
    return {"better": below, "worse": above, "different": below and above}[result.direction]


def _finding(estimate: float, hypothesis: Hypothesis, measure: Measure) -> str:
    """What was found, as a clause: how much higher or lower the measure is, and where."""
    if not math.isfinite(estimate):
        return f"{measure.label} has no value on one side"
    # Estimates are turned so that more is better; a person reads the measure as it is.
    raw = estimate if measure.higher_is_better else -estimate
    first, second = level_name(hypothesis.treatment), level_name(hypothesis.baseline)
    where = f", where {joined([f'{key} is {level_name(level)}' for key, level in hypothesis.where.items()])}"
    limits = where if hypothesis.where else ""
    size = number_text(abs(raw))
    if hypothesis.moderator is None:
        way = f"{size} {'higher' if raw > 0 else 'lower'}" if raw else "the same"
        other = "than" if raw else "as"
        return f"{measure.label} is {way} with {hypothesis.factor} = {first} {other} with {second}{limits}"
    at = hypothesis.moderator
    way = f"{size} {'larger' if estimate > 0 else 'smaller'}" if raw else "the same"
    return (
        f"what {hypothesis.factor} = {first} gains in {measure.label} over {second} is {way} at {at.factor} = "
        f"{level_name(at.treatment)} {'than' if raw else 'as'} at {level_name(at.baseline)}{limits}"
    )
