"""What the folder of an experiment on safety tuning holds, gathered into its result, however far it is."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import TrainingError
from shoal.experiments.safety_tuning.items import measured_items
from shoal.experiments.safety_tuning.judging import judge_claim
from shoal.experiments.safety_tuning.plan import COMPLIED, LOSS, REFUSED, SafetyTuningPlan
from shoal.experiments.safety_tuning.result import (
    BestNumber,
    SafetyTuning,
    TuningEstimate,
    TypeRefusals,
)
from shoal.experiments.safety_tuning.trainings import planned_safety_trainings, read_measured
from shoal.experiments.storage import read_json_rows
from shoal.safety import shipped_refusal_head
from shoal.statistics import correct_share, crossed_mean, wilson_interval

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.experiments.safety_tuning.trainings import MeasuredTraining
    from shoal.safety.tuning import MeasuredAnswer
    from shoal.statistics import CorrectedShare, ErrorRates

# A chance is then off by about a per cent, as it is printed.
_DRAWS = 2000

Trainings = dict[int | None, list["MeasuredTraining"]]


def read_safety_tuning(folder: str | os.PathLike[str]) -> SafetyTuning:
    """What the folder of such an experiment holds, however far it is.

    Args:
        folder: as `tune_safety` writes it.

    Raises:
        StoreError: it is no folder of such an experiment, or a file of it is damaged.
        TrainingError: no training is done.
    """
    folder = Path(folder)
    return gather_safety_tuning(folder, SafetyTuningPlan.read(folder))


def gather_safety_tuning(folder: Path, plan: SafetyTuningPlan) -> SafetyTuning:
    """The result of the trainings that are done.

    Args:
        folder: of the experiment.
        plan: of the experiment.

    Raises:
        StoreError: a file is damaged.
        TrainingError: no training is done.
    """
    planned = planned_safety_trainings(plan)
    trainings: Trainings = {}
    for training in planned:
        if (measured := read_measured(folder, training)) is not None:
            trainings.setdefault(training.safety_examples, []).append(measured)
    tuned = {number: found for number, found in trainings.items() if number is not None}
    if not tuned:
        raise TrainingError(f"no training in {folder} is done; give the same command again")
    every = [one for found in trainings.values() for one in found]
    errors = shipped_refusal_head().errors["refused"]
    return SafetyTuning(
        folder=folder,
        plan=plan,
        trainings=len(every),
        planned=len(planned),
        estimates=tuple(_estimates(plan, trainings, errors)),
        types=tuple(_types(plan, trainings, errors)),
        verdicts=tuple(
            judge_claim(
                hypothesis,
                plan,
                tuned,
                {
                    number: [measured_items(one, hypothesis.measure, errors) for one in found]
                    for number, found in tuned.items()
                },
            )
            for hypothesis in plan.hypothesis
        ),
        best=_best(plan, tuned, errors),
        empty=sum(answer.conduct is None for one in every for answer in one.answers),
        answers=sum(len(one.answers) for one in every),
        tokens={number: fmean(one.record.tokens for one in found) for number, found in tuned.items()},
        cpu_seconds=sum(float(row["cpu_seconds"]) for row in read_json_rows(folder / "timings.jsonl")),
    )


def _in_order(plan: SafetyTuningPlan, trainings: Trainings) -> list[int | None]:
    return [number for number in (None, *plan.safety_examples) if number in trainings]


def _estimates(plan: SafetyTuningPlan, trainings: Trainings, errors: ErrorRates) -> Iterator[TuningEstimate]:
    for measure in plan.measures:
        for number in _in_order(plan, trainings):
            found = trainings[number]
            if measure in (COMPLIED, REFUSED):
                yield _rate(plan, measure, number, found, errors)
            else:
                yield _figure(plan, measure, number, found, errors)


def _rate(
    plan: SafetyTuningPlan, measure: str, number: int | None, found: Sequence[MeasuredTraining], errors: ErrorRates
) -> TuningEstimate:
    harmful = measure == COMPLIED
    answers = [[one for one in each.answers if one.harmful == harmful] for each in found]
    value = low = high = raw = math.nan
    if _any_text(answers):
        share = _refused(answers, errors, plan.confidence)
        value, low, high, raw = share.corrected, share.low, share.high, share.raw
    if harmful:
        value, low, high, raw = 1 - value, 1 - high, 1 - low, 1 - raw
    by_training = tuple(measured_items(each, measure, errors).mean for each in found)
    return TuningEstimate(
        measure=measure, safety_examples=number, value=value, low=low, high=high, raw=raw, by_training=by_training,
        items=len(answers[0]),
    )  # fmt: skip


def _any_text(answers: Sequence[Sequence[MeasuredAnswer]]) -> bool:
    """Whether any answer is not empty: only of those there is a rate."""
    return any(one.conduct is not None for every in answers for one in every)


def _refused(answers: Sequence[Sequence[MeasuredAnswer]], errors: ErrorRates, confidence: float) -> CorrectedShare:
    """The share that is refused, over trainings and requests, corrected for the scorer's errors."""
    values_TI = np.array([[one.refusal for one in each] for each in answers])
    # Answers of one training, or to one request, resemble each other: their number alone would make the interval too
    # short.
    mean = crossed_mean(values_TI, confidence=confidence)
    guesses = [one.refused for each in answers for one in each if one.conduct is not None]
    return correct_share(guesses, errors, items=mean.effective_items, confidence=confidence)


def _figure(
    plan: SafetyTuningPlan, measure: str, number: int | None, found: Sequence[MeasuredTraining], errors: ErrorRates
) -> TuningEstimate:
    tables = [measured_items(each, measure, errors) for each in found]
    values_TI = np.stack([table.values_I for table in tables])
    mean = crossed_mean(values_TI, weights_I=tables[0].weights_I, confidence=plan.confidence)
    low, high = mean.low, mean.high
    if measure != LOSS:
        # An accuracy: its interval stays within 0 and 1, and has a width where all items are right.
        within = wilson_interval(mean.value * mean.effective_items, mean.effective_items, confidence=plan.confidence)
        low, high = within.low, within.high
    return TuningEstimate(
        measure=measure, safety_examples=number, value=mean.value, low=low, high=high, raw=mean.value,
        by_training=tuple(table.mean for table in tables), items=values_TI.shape[1],
    )  # fmt: skip


def _types(plan: SafetyTuningPlan, trainings: Trainings, errors: ErrorRates) -> Iterator[TypeRefusals]:
    first = next(iter(trainings.values()))[0]
    kinds = dict.fromkeys((answer.type, answer.harmful) for answer in first.answers)
    for (kind, harmful), number in ((kind, number) for kind in kinds for number in _in_order(plan, trainings)):
        answers = [
            [one for one in each.answers if one.type == kind and one.harmful == harmful] for each in trainings[number]
        ]
        if _any_text(answers):
            share = _refused(answers, errors, plan.confidence)
            yield TypeRefusals(
                type=kind, harmful=harmful, safety_examples=number, value=share.corrected, low=share.low,
                high=share.high, requests=len(answers[0]),
            )  # fmt: skip


def _best(plan: SafetyTuningPlan, tuned: Mapping[int, Sequence[MeasuredTraining]], errors: ErrorRates) -> BestNumber:
    numbers = [number for number in plan.safety_examples if number in tuned]
    weight, bound = plan.trade_off.refused_weight, plan.trade_off.max_loss_increase
    losses = {number: fmean(measured_items(one, LOSS, errors).mean for one in tuned[number]) for number in numbers}
    factors = {COMPLIED: 1.0, REFUSED: weight}
    tables = {
        number: {
            measure: np.stack([measured_items(one, measure, errors).values_I for one in tuned[number]])
            for measure in factors
        }
        for number in numbers
    }
    costs = {number: _cost(tables[number], factors) for number in numbers}
    kept = [number for number in numbers if losses[number] <= losses[numbers[0]] + bound]
    # A number whose models say nothing to one kind of request has no cost, and cannot be the best.
    allowed = [number for number in kept if math.isfinite(costs[number])]
    wins_D = _resampled_costs([tables[number] for number in allowed], factors).argmin(axis=0) if allowed else []
    wins = np.bincount(wins_D, minlength=len(allowed)).tolist()
    return BestNumber(
        safety_examples=min(allowed, key=costs.__getitem__, default=None),
        costs=costs,
        excluded=tuple(number for number in numbers if number not in kept),
        chances=dict.fromkeys(numbers, 0.0)
        | {number: count / _DRAWS for number, count in zip(allowed, wins, strict=True)},
    )


def _cost(table: Mapping[str, Any], factors: Mapping[str, float]) -> float:
    """The cost of a number; NaN where a measure has no value."""
    if any(np.isnan(table[measure]).all() for measure in factors):
        return math.nan
    return sum(factor * float(np.nanmean(table[measure])) for measure, factor in factors.items())


def _resampled_costs(tables: Sequence[Mapping[str, Any]], factors: Mapping[str, float]) -> Any:
    """The cost of each number in bootstrap samples of shape (numbers, draws).

    The requests are the same for all numbers; the trainings are each number's own, and the same for all measures.
    """
    # A folder gives the same page whenever it is read.
    draw = np.random.default_rng(0)
    costs = np.zeros((len(tables), _DRAWS))
    counts = [len(next(iter(table.values()))) for table in tables]
    rows = [draw.multinomial(count, np.full(count, 1 / count), size=_DRAWS) for count in counts]
    for measure, factor in factors.items():
        items = tables[0][measure].shape[1]
        # The same items for every number, which all answer them, so that numbers are compared in pairs.
        items_DI = draw.multinomial(items, np.full(items, 1 / items), size=_DRAWS)
        for place, (table, rows_DT) in enumerate(zip(tables, rows, strict=True)):
            values_TI = table[measure]
            filled_TI = ~np.isnan(values_TI)
            above_D = ((rows_DT @ np.nan_to_num(values_TI)) * items_DI).sum(axis=1)
            below_D = ((rows_DT @ filled_TI.astype(float)) * items_DI).sum(axis=1)
            # A draw may have no item with a value: then it says nothing, and the mean of all of them stands for it.
            means_D = np.where(below_D > 0, above_D / np.maximum(below_D, 1), np.nanmean(values_TI))
            costs[place] += factor * means_D
    return costs
