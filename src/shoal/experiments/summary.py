"""The records of a run's arms, and every measure of them: by arm, stage, split and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shoal.experiments.measures import MEASURES, MeasureName, Row, mean_of
from shoal.statistics import sign_flip_interval

if TYPE_CHECKING:
    from shoal.experiments.experiment import Experiment
    from shoal.experiments.store import RunStore

STAGES = ("before", "after")
SPLITS = ("seen", "held_out")

ArmRows = Mapping[int, Mapping[tuple[str, str], Sequence[Row]]]
"""The rows of an arm: from seed to (stage, split) to items, in the task's order."""


def arm_place(arm: str, seed: int) -> str:
    """The folder of one arm and seed in the run folder."""
    return f"arms/{arm}/seed-{seed}"


def all_arms(experiment: Experiment) -> tuple[str, ...]:
    """The arms of the file, and that of the shuffled-weights control where it is on."""
    extra = (experiment.shuffled_arm,) if experiment.controls.shuffled_weights else ()
    return (*experiment.arms, *extra)


def read_arms(store: RunStore, experiment: Experiment) -> dict[str, ArmRows]:
    """Every item of every arm of a run that has come to its end."""
    return {
        arm: {seed: _by_split(store, arm_place(arm, seed)) for seed in experiment.seeds} for arm in all_arms(experiment)
    }


def _by_split(store: RunStore, place: str) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {(stage, split): [] for stage in STAGES for split in SPLITS}
    for stage in STAGES:
        for row in store.rows(f"{place}/{stage}.jsonl"):
            found[stage, row["split"]].append(row)
    return found


def by_seed(rows: ArmRows, measure: MeasureName, stage: str, split: str) -> dict[int, float | None]:
    """A measure for each seed; None where it applies to no item."""
    return {seed: mean_of(measure, parts[stage, split]) for seed, parts in rows.items()}


def summarize(arms: Mapping[str, ArmRows], *, confidence: float) -> dict[str, Any]:
    """Every measure of every arm, for `Verdict.measures`."""
    return {
        name: {
            "label": measure.label,
            "meaning": measure.meaning,
            "higher_is_better": measure.higher_is_better,
            "arms": {
                arm: {
                    stage: {split: _summary(rows, name, stage, split, confidence) for split in SPLITS}
                    for stage in STAGES
                }
                for arm, rows in arms.items()
            },
        }
        for name, measure in MEASURES.items()
    }


def _summary(rows: ArmRows, name: MeasureName, stage: str, split: str, confidence: float) -> dict[str, Any]:
    values = by_seed(rows, name, stage, split)
    known = [value for value in values.values() if value is not None]
    interval = sign_flip_interval(known, confidence=confidence) if known else None
    return {
        "mean": sum(known) / len(known) if known else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "by_seed": {str(seed): value for seed, value in values.items()},
        "seeds": len(known),
        "items": len(next(iter(rows.values()))[stage, split]),
    }
