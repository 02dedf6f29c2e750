"""From the records of a run to its verdict."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from shoal.experiments.controls import Evidence, controls_of, paired_differences
from shoal.experiments.explaining import explanations_table
from shoal.experiments.measures import MEASURES, by_seed, gain
from shoal.experiments.records import SPLITS, STAGES
from shoal.experiments.verdict import Effect, Verdict, needed_sentence, verdict_sentence
from shoal.statistics import (
    crossed_bootstrap,
    decide,
    fewest_seeds,
    mcnemar_exact,
    seeds_needed,
    sign_flip,
    sign_flip_interval,
    smallest_detectable_effect,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.attribution import Explanation
    from shoal.experiments.experiment import Experiment
    from shoal.experiments.measures import Measure
    from shoal.experiments.records import ArmItems, ItemRecord
    from shoal.tasks import Task


def judge(
    experiment: Experiment,
    task: Task,
    arms: Mapping[str, ArmItems],
    *,
    control_items: Mapping[str, Sequence[ItemRecord]] | None = None,
    explanations: Mapping[str, Mapping[int, Explanation]] | None = None,
) -> Verdict:
    """The verdict of an experiment.

    Args:
        experiment: the hypothesis, and how it is tested.
        task: its examples.
        arms: the items of every arm, as `Run.items_of` gives them.
        control_items: held-out items of each control that trains on examples of its own, by the control's name.
        explanations: what explains each training, from arm to seed.
    """
    effect = measure_effect(experiment, arms)
    evidence = Evidence(
        experiment=experiment, task=task, arms=arms, found=effect.low > 0, control_items=control_items or {}
    )
    named = tuple(control.check(evidence) for control in controls_of(experiment))
    detectable = _detectable(effect)
    word = decide(
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        smallest=effect.smallest,
        controls=named,
        detectable=math.inf if detectable is None else detectable,
    )
    seeds, needed = _needed(effect) if word == "underpowered" else (None, None)
    items = len(task.held_out)
    return Verdict(
        verdict=word,
        sentence=verdict_sentence(
            word, effect, treatment=experiment.treatment, baseline=experiment.baseline, items=items, controls=named
        ),
        hypothesis=experiment.hypothesis,
        experiment=experiment.name,
        preset=experiment.preset,
        task=task.name,
        split=task.split.name,
        treatment=experiment.treatment,
        baseline=experiment.baseline,
        seeds=len(experiment.seeds),
        items=items,
        seen_items=len(task.seen),
        effect=effect,
        controls=named,
        smallest_detectable_effect=detectable,
        seeds_needed=seeds,
        needed=needed,
        items_view=_items_view(experiment, arms),
        measures=summarize(experiment.task.measures, arms, confidence=experiment.measure.confidence),
        explanations=explanations_table(explanations or {}, experiment.measure.confidence),
    )


def measure_effect(experiment: Experiment, arms: Mapping[str, ArmItems]) -> Effect:
    """The primary measure's paired differences between treatment and baseline on held-out items, after training.

    Args:
        experiment: has the arms, the measure and the confidence.
        arms: the items of every arm, as `Run.items_of` gives them.
    """
    name = experiment.measure.primary
    confidence = experiment.measure.confidence
    pairs = paired_differences(name, arms[experiment.treatment], arms[experiment.baseline])
    differences = tuple(pairs.values())
    flips = sign_flip(differences, confidence=confidence) if differences else None
    # `gain` has turned the sign, so that the label must say what a positive number is.
    saved = "" if MEASURES[name].higher_is_better else " saved"
    return Effect(
        measure=f"{MEASURES[name].label}{saved}",
        estimate=flips.estimate if flips else math.nan,
        low=flips.low if flips else -math.inf,
        high=flips.high if flips else math.inf,
        confidence=confidence,
        smallest=experiment.measure.smallest_effect,
        p_value=flips.p_value if flips else 1.0,
        smallest_p_value=flips.smallest_p_value if flips else 1.0,
        method=flips.method if flips else "exact",
        differences=differences,
        seeds=tuple(pairs),
        difference_sd=statistics.stdev(differences) if len(differences) > 1 else None,
    )


def _detectable(effect: Effect) -> float | None:
    if effect.difference_sd is None:
        return None
    found = smallest_detectable_effect(effect.difference_sd, len(effect.differences), alpha=1 - effect.confidence)
    return found if math.isfinite(found) else None


def _needed(effect: Effect) -> tuple[int | None, str | None]:
    """The seeds that would settle it: by finding an effect of d where the estimate reaches d, else by excluding d.

    Seeds that exclude d must be able to find it, so that an estimate below 0 needs no fewer than one of 0.
    """
    if effect.difference_sd is None:
        fewest = fewest_seeds(alpha=1 - effect.confidence)
        return None, f"at least {max(fewest, 2)} seeds per arm, so that their spread can be seen"
    # A reached estimate must be distinguished from 0; a smaller one is settled by excluding d.
    reached = effect.estimate >= effect.smallest
    distance = effect.smallest if reached else min(effect.smallest, effect.smallest - effect.estimate)
    seeds = seeds_needed(distance, effect.difference_sd, alpha=1 - effect.confidence)
    return seeds, needed_sentence(seeds, len(effect.differences), distance)


def _items_view(experiment: Experiment, arms: Mapping[str, ArmItems]) -> dict[str, Any]:
    """The same comparison with the items as the unit, seed by seed, and with both resampled."""
    name = experiment.measure.primary
    # McNemar's test is of right and wrong: a measure of another kind falls back to exact match.
    right = MEASURES[name].right or MEASURES["exact_match"].right
    assert right is not None
    first, second = arms[experiment.treatment], arms[experiment.baseline]
    key = ("after", "held_out")
    tests = {
        str(seed): mcnemar_exact(
            [right(item) for item in first[seed][key]], [right(item) for item in second[seed][key]]
        )
        for seed in first
    }
    return {
        "measure": MEASURES[name if MEASURES[name].right else "exact_match"].label,
        "mcnemar": {
            seed: {"only_treatment": test.only_first, "only_baseline": test.only_second, "p_value": test.p_value}
            for seed, test in tests.items()
        },
        "bootstrap": _bootstrap(experiment, first, second),
    }


def _bootstrap(experiment: Experiment, first: ArmItems, second: ArmItems) -> dict[str, Any] | None:
    """The crossed bootstrap of the primary measure; None where it has no value for some item."""
    name = experiment.measure.primary
    key = ("after", "held_out")
    table = []
    for seed in first:
        pairs = [
            (MEASURES[name].item(a), MEASURES[name].item(b))
            for a, b in zip(first[seed][key], second[seed][key], strict=True)
        ]
        # The crossed bootstrap needs a whole table: with gaps items would be resampled that some seeds do not have.
        if any(a is None or b is None for a, b in pairs):
            return None
        table.append([gain(name, a, b) for a, b in pairs if a is not None and b is not None])
    items = next(iter(first.values()))[key]
    # Items of one template stand or fall together, so that groups are resampled, and not items.
    # A place is no group: numbers of groups would be those of items without one.
    groups = [
        ("group", item.tags["group"]) if "group" in item.tags else ("item", place) for place, item in enumerate(items)
    ]
    interval = crossed_bootstrap(table, groups=groups, confidence=experiment.measure.confidence)
    return {"low": interval.low, "high": interval.high, "confidence": interval.confidence, "groups": len(set(groups))}


def summarize(measures: Mapping[str, Measure], arms: Mapping[str, ArmItems], *, confidence: float) -> dict[str, Any]:
    """Every measure of every arm, for `Verdict.measures`.

    Args:
        measures: those that apply to the task, by name.
        arms: the items of every arm, as `Run.items_of` gives them.
        confidence: of the intervals over seeds.
    """
    return {
        name: {
            "label": measure.label,
            "meaning": measure.meaning,
            "higher_is_better": measure.higher_is_better,
            "arms": {
                arm: {
                    stage: {split: _summary(items, name, stage, split, confidence) for split in SPLITS}
                    for stage in STAGES
                }
                for arm, items in arms.items()
            },
        }
        for name, measure in measures.items()
    }


def _summary(items: ArmItems, name: str, stage: str, split: str, confidence: float) -> dict[str, Any]:
    values = by_seed(items, name, stage, split)
    known = [value for value in values.values() if value is not None]
    # By sign flips as the verdict's own interval, so that a table and its verdict do not contradict each other.
    interval = sign_flip_interval(known, confidence=confidence) if known else None
    return {
        "mean": sum(known) / len(known) if known else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "by_seed": {str(seed): value for seed, value in values.items()},
        "seeds": len(known),
        "items": len(next(iter(items.values()))[stage, split]),
    }
