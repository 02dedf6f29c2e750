"""The controls: what must hold for a difference between the arms to answer the hypothesis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shoal.experiments.measures import MEASURES, MeasureName, gain, mean_of
from shoal.experiments.summary import ArmRows, by_seed
from shoal.experiments.verdict import Control
from shoal.statistics import sign_flip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.measures import Row
    from shoal.tasks import Task


def training_ceiling(experiment: Experiment, arms: Mapping[str, ArmRows]) -> Control:
    """Both arms fit the seen examples to the threshold; an arm that did not learn them shows no generalisation."""
    wanted = experiment.controls.training_ceiling
    measure = MEASURES[wanted.measure]
    reached = {
        arm: _mean(by_seed(arms[arm], wanted.measure, "after", "seen"))
        for arm in (experiment.treatment, experiment.baseline)
    }
    short = [arm for arm, mean in reached.items() if mean is None or gain(wanted.measure, mean, wanted.threshold) < 0]
    bound = "at least" if measure.higher_is_better else "at most"
    who = f"{' and '.join(short)} did not fit" if short else "both arms fit"
    says = f"{who} the seen examples ({measure.label} {_values(reached)}; {bound} {wanted.threshold:g} is asked for)"
    return Control(
        name="training ceiling", passed=not short, says=says, numbers={"threshold": wanted.threshold, **reached}
    )


def floor_and_ceiling(experiment: Experiment, arms: Mapping[str, ArmRows]) -> Control:
    """The primary measure has room to differ: it is not 0 in both arms for every seed, nor 1, nor without a value."""
    name = experiment.measure.primary
    values = {
        arm: list(by_seed(arms[arm], name, "after", "held_out").values())
        for arm in (experiment.treatment, experiment.baseline)
    }
    flat = [value for column in values.values() for value in column]
    means = {arm: _mean(dict(enumerate(column))) for arm, column in values.items()}
    label = MEASURES[name].label
    passed, says = True, f"{label} on held-out items is off floor and ceiling ({_values(means)})"
    if any(value is None for value in flat):
        passed, says = False, f"{label} has no value for some seed, since it applies to none of its items"
    elif MEASURES[name].bounded and set(flat) in ({0.0}, {1.0}):
        where = "floor, 0" if flat[0] == 0.0 else "ceiling, 1"
        passed, says = False, f"{label} on held-out items stands at its {where}, in both arms for every seed"
    return Control(name="floor and ceiling", passed=passed, says=says, numbers=dict(means))


def leakage(experiment: Experiment, task: Task, arms: Mapping[str, ArmRows]) -> Control:
    """No held-out prompt stands among the seen ones, case and spacing aside.

    What the treatment answers before any training is told beside it, since its pretraining cannot be searched.
    """
    seen = {_plain(example.prompt) for example in task.seen}
    leaked = [example for example in task.held_out if _plain(example.prompt) in seen]
    total = len(task.held_out)
    known = _mean(by_seed(arms[experiment.treatment], "exact_match", "before", "held_out"))
    says = (
        f"{len(leaked)} of {total} held-out prompts stand among the seen ones, such as {leaked[0].prompt[-60:]!r}"
        if leaked
        else f"none of the {total} held-out prompts stands among the seen ones; before training, "
        f"{experiment.treatment} answers {known or 0.0:.3f} of them"
    )
    numbers = {"leaked": len(leaked), "held_out": total, "answered_before_training": known}
    return Control(name="leakage", passed=not leaked, says=says, numbers=numbers)


def shuffled_weights(experiment: Experiment, arms: Mapping[str, ArmRows], *, found: bool) -> Control:
    """What was learned matters, and not the size of the weights: the treatment beats itself with shuffled weights.

    Args:
        experiment: the experiment.
        arms: their records, that of the shuffled arm among them.
        found: whether the treatment beats the baseline; where it does not, there is nothing to explain away.
    """
    name = experiment.measure.primary
    differences = paired(name, arms[experiment.treatment], arms[experiment.shuffled_arm])
    values = _mean(by_seed(arms[experiment.shuffled_arm], name, "after", "held_out"))
    numbers: dict[str, Any] = {experiment.shuffled_arm: values}
    if not found:
        says = "there is no effect that shuffled weights would have to account for"
        return Control(name="shuffled weights", passed=True, says=says, numbers=numbers)
    if not differences:
        says = "the shuffled weights have no value to compare with"
        return Control(name="shuffled weights", passed=False, says=says, numbers=numbers)
    result = sign_flip(list(differences.values()), confidence=experiment.measure.confidence)
    numbers |= {"difference": result.estimate, "low": result.low, "high": result.high, "p_value": result.p_value}
    beats = "beats" if result.low > 0 else "does not surely beat"
    interval = f"difference {result.estimate:.3f}, interval {result.low:.3f} to {result.high:.3f}"
    says = f"{experiment.treatment} {beats} the same weights shuffled within each tensor ({interval})"
    return Control(name="shuffled weights", passed=result.low > 0, says=says, numbers=numbers)


def shuffled_labels(
    experiment: Experiment, arms: Mapping[str, ArmRows], rows: Sequence[Row], *, found: bool
) -> Control:
    """The treatment learns from the completions: trained on ones dealt to other prompts, it is worse for every seed.

    Args:
        experiment: the experiment.
        arms: their records.
        rows: held-out items of the treatment trained on shuffled completions.
        found: whether the treatment beats the baseline.
    """
    name = experiment.measure.primary
    value = mean_of(name, rows)
    trained = [v for v in by_seed(arms[experiment.treatment], name, "after", "held_out").values() if v is not None]
    passed = not found or (value is None or all(gain(name, one, value) > 0 for one in trained))
    label = MEASURES[name].label
    says = (
        f"trained on completions dealt to other prompts, {experiment.treatment} reaches "
        f"{'no value' if value is None else f'{value:.3f}'} {label} on held-out items"
    )
    return Control(
        name="shuffled labels",
        passed=passed,
        says=says,
        numbers={"shuffled": value, "least": min(trained, default=math.nan)},
    )


def paired(measure: MeasureName, treatment: ArmRows, baseline: ArmRows) -> dict[int, float]:
    """By how much the treatment is better, for each seed with a value on both sides."""
    first = by_seed(treatment, measure, "after", "held_out")
    second = by_seed(baseline, measure, "after", "held_out")
    pairs = {seed: (first[seed], second.get(seed)) for seed in first}
    return {seed: gain(measure, a, b) for seed, (a, b) in pairs.items() if a is not None and b is not None}


def _mean(values: Mapping[int, float | None]) -> float | None:
    known = [value for value in values.values() if value is not None]
    return sum(known) / len(known) if known else None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _values(means: Mapping[str, float | None]) -> str:
    return ", ".join(f"{arm} {'none' if mean is None else f'{mean:.3f}'}" for arm, mean in means.items())
