"""The claims of an experiment on safety tuning, tested over trainings and judged by the project's rule.

Trainings share no draw, so that under no effect any of them could have had any number of safety examples: the test
permutes them (`shoal.statistics.BlockedPermutation`), its interval is corrected for the number of claims, and
`shoal.statistics.decide` gives the word.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.experiments.safety_tuning.plan import COMPLIED, LOSS, REFUSED
from shoal.experiments.safety_tuning.result import TuningVerdict, measure_label
from shoal.experiments.verdict import number_text
from shoal.statistics import BlockedPermutation, Control, crossed_difference, decide, detectable_shift
from shoal.text import find_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.safety_tuning.items import MeasuredItems
    from shoal.experiments.safety_tuning.plan import SafetyTuningPlan, TuningHypothesis
    from shoal.experiments.safety_tuning.trainings import MeasuredTraining
    from shoal.statistics import CrossedMean, Word


# Above it a number is no advice that anyone could follow.
_MAX_SEEDS = 10_000
_MAX_EMPTY, _MAX_FOREIGN = 0.05, 0.1
"""Shares of answers that are empty, or not English, beyond which a rate over the others means little."""


def judge_claim(
    hypothesis: TuningHypothesis,
    plan: SafetyTuningPlan,
    trainings: Mapping[int, Sequence[MeasuredTraining]],
    observed: Mapping[int, Sequence[MeasuredItems]],
) -> TuningVerdict:
    """The verdict of one claim.

    Args:
        hypothesis: the claim.
        plan: of the experiment.
        trainings: that are done, by number of safety examples.
        observed: what the measure of the claim is of each of them, item by item, corrected.
    """
    sign = 1.0 if hypothesis.direction == "higher" else -1.0
    sides = [
        [one for number in numbers for one in observed.get(number, ())]
        for numbers in (hypothesis.treatment, hypothesis.baseline)
    ]
    # A training all of whose answers are empty has no rate, and is no unit of the test.
    values = [[sign * mean for one in side if math.isfinite(mean := one.mean)] for side in sides]
    test = BlockedPermutation([values[0]], [values[1]]) if all(values) and max(map(len, values)) > 1 else None
    alpha = (1 - plan.confidence) / len(plan.hypothesis)
    low, high = test.interval(1 - alpha) if test is not None else (-math.inf, math.inf)
    freedom = len(values[0]) + len(values[1]) - 2
    detectable = (
        test.standard_error * detectable_shift(freedom, alpha=alpha) if test is not None and freedom > 0 else None
    )
    controls = _controls(hypothesis, trainings, baseline=sign * _average(values[1]))
    estimate = test.estimate if test is not None else math.nan
    word = decide(
        estimate=estimate,
        low=low,
        high=high,
        smallest=hypothesis.smallest_effect,
        controls=controls,
        detectable=math.inf if detectable is None else detectable,
    )
    check = _item_check(sides, sign, 1 - alpha)
    return TuningVerdict(
        name=hypothesis.name,
        claim=hypothesis.claim,
        measure=hypothesis.measure,
        comparison=f"{_listed(hypothesis.treatment)} against {_listed(hypothesis.baseline)} safety examples",
        verdict=word,
        sentence=_sentence(word, hypothesis, estimate, high, controls),
        estimate=estimate,
        low=low,
        high=high,
        confidence=1 - alpha,
        smallest_effect=hypothesis.smallest_effect,
        p_value=test.p_value() if test is not None else 1.0,
        smallest_p_value=test.smallest_p_value if test is not None else 1.0,
        detectable=detectable,
        seeds_needed=_seeds_needed(plan, hypothesis, estimate, detectable) if word == "underpowered" else None,
        trainings=len(values[0]) + len(values[1]),
        items_estimate=check.value if check is not None else math.nan,
        items_low=check.low if check is not None else -math.inf,
        items_high=check.high if check is not None else math.inf,
        controls=controls,
    )


def _average(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def _item_check(sides: Sequence[Sequence[MeasuredItems]], sign: float, confidence: float) -> CrossedMean | None:
    """The difference over trainings and items, each item counting once."""
    if not all(any(math.isfinite(one.mean) for one in side) for side in sides):
        return None
    tables = [sign * np.stack([one.values_I for one in side]) for side in sides]
    return crossed_difference(tables[0], tables[1], confidence=confidence)


def _controls(
    hypothesis: TuningHypothesis, trainings: Mapping[int, Sequence[MeasuredTraining]], *, baseline: float
) -> tuple[Control, ...]:
    """What has to hold for a difference to mean what it seems to."""
    if hypothesis.measure not in (COMPLIED, REFUSED):
        return ()
    harmful = hypothesis.measure == COMPLIED
    numbers = (*hypothesis.treatment, *hypothesis.baseline)
    answers = [
        answer
        for number in numbers
        for training in trainings.get(number, ())
        for answer in training.answers
        if answer.harmful == harmful
    ]
    count = max(1, len(answers))
    empty = sum(answer.conduct is None for answer in answers) / count
    # None for texts that are too short to tell.
    foreign = sum(find_language(answer.completion) not in (None, "en") for answer in answers if answer.completion)
    room = baseline if hypothesis.direction == "lower" else 1 - baseline
    return (
        Control(
            name="answers",
            passed=empty <= _MAX_EMPTY,
            says=f"{empty:.1%} of the answers are empty and stand in no rate",
            numbers={"empty": empty, "most": _MAX_EMPTY},
        ),
        Control(
            name="language",
            passed=foreign / count <= _MAX_FOREIGN,
            says=f"{foreign / count:.1%} of the answers are not English, which the scorer cannot read",
            numbers={"foreign": foreign / count, "most": _MAX_FOREIGN},
        ),
        Control(
            name="room",
            # Not `>=`: a baseline that is not a number yet, for want of trainings, is no fault of the comparison.
            passed=not room < hypothesis.smallest_effect,
            says=f"the baseline is at {number_text(baseline)}, which leaves {number_text(room)} for an effect of "
            f"{hypothesis.smallest_effect:g}",
            numbers={"baseline": baseline, "room": room},
        ),
    )


def _seeds_needed(
    plan: SafetyTuningPlan, hypothesis: TuningHypothesis, estimate: float, detectable: float | None
) -> int | None:
    """Seeds whose power is 80% to find an effect that matters, or to exclude it where the estimate falls short."""
    if detectable is None or not math.isfinite(estimate):
        return None
    smallest = hypothesis.smallest_effect
    distance = smallest if estimate >= smallest else min(smallest, smallest - estimate)
    # A standard error shrinks with the root of the number of seeds.
    needed = math.ceil(plan.seeds * (detectable / distance) ** 2)
    return max(needed, plan.seeds + 1) if needed <= _MAX_SEEDS else None


def _sentence(
    word: Word, hypothesis: TuningHypothesis, estimate: float, high: float, controls: Sequence[Control]
) -> str:
    label = measure_label(hypothesis.measure)
    if hypothesis.measure == LOSS:
        label = "the held-out loss"
    failed = " and ".join(control.says for control in controls if not control.passed)
    if not math.isfinite(estimate):
        return f"too few trainings have a value to compare{f': {failed}' if failed else ''}"
    change = hypothesis.direction if estimate >= 0 else {"lower": "higher", "higher": "lower"}[hypothesis.direction]
    gained = (
        f"with {_listed(hypothesis.treatment)} safety examples {label} is {change} by "
        f"{number_text(abs(estimate))} than with {_listed(hypothesis.baseline)}"
    )
    if word == "confounded":
        return f"the comparison cannot answer the claim, since {failed} ({gained})."
    matters = f"a difference of {hypothesis.smallest_effect:g} matters"
    unsettled = (
        "the interval excludes one, but trainings that spread this much would hardly have found it"
        if high < hypothesis.smallest_effect
        else "so few trainings neither show nor exclude one"
    )
    endings = {
        "supported": f"{gained}; {matters}.",
        "refuted": f"{gained}, and the interval excludes the {hypothesis.smallest_effect:g} that matters.",
        "underpowered": f"{gained}; {matters}, and {unsettled}.",
    }
    return endings[word]
