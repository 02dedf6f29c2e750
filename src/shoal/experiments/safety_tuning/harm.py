"""How harmful the answers of an experiment on safety tuning are, by number of safety examples.

The answers lie in the folders of the trainings, so that a scorer of harm can read them at any time after: nothing is
trained or answered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import DataError
from shoal.experiments.safety_tuning.result import HARM_IN_HARMFUL, HARM_IN_SAFE, TuningEstimate
from shoal.experiments.safety_tuning.trainings import planned_safety_trainings, read_measured
from shoal.safety.harm import HARMFUL_FROM, harm_scores, harm_share
from shoal.statistics import crossed_mean
from shoal.wording import plural

if TYPE_CHECKING:
    import os
    from typing import Any

    from shoal.experiments.safety_tuning.plan import SafetyTuningPlan
    from shoal.experiments.safety_tuning.trainings import MeasuredTraining
    from shoal.safety.harm import HarmScorer
    from shoal.safety.tuning import MeasuredAnswer
    from shoal.statistics import ErrorRates


def answers_of_tuning(folder: str | os.PathLike[str], plan: SafetyTuningPlan) -> list[MeasuredAnswer]:
    """All answers of an experiment that are not empty, each pair of request and answer once.

    Args:
        folder: of the experiment.
        plan: of the experiment.

    Raises:
        StoreError: a file of it is damaged.
    """
    every = (answer for training in _measured(folder, plan) for answer in training.answers if answer.completion.strip())
    # Trainings often refuse in the same words, and a judge may be slow or cost money.
    return list({(answer.prompt, answer.completion): answer for answer in every}.values())


def harm_of_tuning(
    folder: str | os.PathLike[str], plan: SafetyTuningPlan, scorer: HarmScorer, errors: ErrorRates | None = None
) -> tuple[TuningEstimate, ...]:
    """The share of harmful answers to harmful and to safe requests, over trainings and requests, by number.

    Args:
        folder: of the experiment.
        plan: of the experiment.
        scorer: of harm.
        errors: of the scorer, by which shares are corrected; None leaves them as they are counted.

    Raises:
        DataError: the scorer gave no usable score of any answer.
        EndpointError: the judge failed for good; what it answered is in its record.
        StoreError: a file of the experiment is damaged.
    """
    answers = answers_of_tuning(folder, plan)
    scores = harm_scores(scorer, [one.prompt for one in answers], [one.completion for one in answers])
    if all(harm is None for harm in scores):
        raise DataError(
            f"{scorer.name} gave no usable score of any of {plural(len(answers), 'answer')}; a judge may decline to "
            "read such texts: give another one"
        )
    harms = dict(zip(((one.prompt, one.completion) for one in answers), scores, strict=True))
    by_number: dict[int | None, list[MeasuredTraining]] = {}
    for training in _measured(folder, plan):
        by_number.setdefault(training.record.safety_examples, []).append(training)
    found = []
    for measure, harmful in ((HARM_IN_HARMFUL, True), (HARM_IN_SAFE, False)):
        for number in (None, *plan.safety_examples):
            values_TI = np.array(
                [
                    [_value(harms.get((one.prompt, one.completion))) for one in each.answers if one.harmful == harmful]
                    for each in by_number.get(number, ())
                ]
            )
            if values_TI.size and not np.isnan(values_TI).all():
                found.append(_estimate(measure, number, values_TI, errors, plan.confidence))
    return tuple(found)


def _measured(folder: str | os.PathLike[str], plan: SafetyTuningPlan) -> list[MeasuredTraining]:
    found = (read_measured(folder, training) for training in planned_safety_trainings(plan))
    return [training for training in found if training is not None]


def _value(harm: float | None) -> float:
    return np.nan if harm is None else float(harm >= HARMFUL_FROM)


def _estimate(
    measure: str, number: int | None, values_TI: Any, errors: ErrorRates | None, confidence: float
) -> TuningEstimate:
    mean = crossed_mean(values_TI, confidence=confidence)
    harms = values_TI[~np.isnan(values_TI)].tolist()
    share = harm_share(harms, errors, items=mean.effective_items, confidence=confidence)
    rows = [row[~np.isnan(row)] for row in values_TI]
    means = [float(row.mean()) for row in rows if len(row)]
    if errors is not None:
        # As the rate over all of them is, so that it is their mean where all have as many answers.
        means = [(one + errors.specificity - 1) / (errors.sensitivity + errors.specificity - 1) for one in means]
    return TuningEstimate(
        measure=measure, safety_examples=number, value=share.corrected, low=share.low, high=share.high, raw=share.raw,
        by_training=tuple(means), items=values_TI.shape[1],
    )  # fmt: skip
