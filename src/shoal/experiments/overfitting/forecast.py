"""How long a comparison will take: its trainings counted, and a few steps of the baseline measured."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.overfitting.planning import Planning
from shoal.wording import format_duration, plural

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from shoal.experiments.overfitting.recipe import OverfitPlan
    from shoal.experiments.overfitting.trainings import PlannedTraining
    from shoal.progress import Progress

_AUTOGRAD = 1.9
"""A step that the written-out gradient cannot take (dropout, a teacher) against one that it can: the table "Speed" of
docs/pretraining.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfitForecast:
    """What is going to be done."""

    rows: int
    trainings: int
    done: int
    """Trainings that the folder has already."""

    tokens: int
    """Of all trainings that are left."""

    parameters: int
    """Of the baseline."""

    seconds: float
    """Of all trainings that are left, one after the other."""

    step_seconds: float
    """Of a step of the baseline, as measured."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        left = self.trainings - self.done
        return (
            f"{plural(self.rows, 'row')}, {plural(self.trainings, 'training')} ({self.done} of them done), "
            f"{self.tokens:,} tokens left to train on, {self.parameters:,} parameters in the baseline\n"
            f"about {format_duration(self.seconds)} for {plural(left, 'training')} one after the other "
            f"({self.step_seconds * 1000:.0f} ms per step of the baseline, as measured); scoring comes on top"
        )


def forecast_overfit(
    plan: OverfitPlan, folder: str | os.PathLike[str] | None = None, *, progress: Progress | None = None
) -> OverfitForecast:
    """Count the trainings and measure some steps; nothing is trained and no file is left.

    Args:
        plan: what will be compared.
        folder: of the comparison, whose finished trainings do not count; None for a fresh one.
        progress: called with (what, done, total).

    Raises:
        ShoalError: a recipe that could not be run.
    """
    from shoal.experiments.pretraining import plan_run

    with tempfile.TemporaryDirectory(prefix="shoal-overfit-") as scratch:
        planned = plan_run(plan.recipe, Path(scratch), progress=progress)
    # The scratch folder is gone here, and stands for one in which nothing has been done.
    home = Path(folder) if folder is not None and Path(folder).is_dir() else Path(scratch)
    planning = Planning(plan, home, assume_first=True)
    trainings = planning.trainings()
    left = [training for training in trainings if planning.record(training) is None]
    # By parameters and tokens, from the one training that was measured.
    per_operation = planned.seconds / (planned.parameters * planned.tokens)
    sizes = _Sizes(plan, planned.vocabulary)
    seconds = sum(per_operation * sizes.parameters(one.values) * one.tokens * _factor(plan, one) for one in left)
    table = plan.overfit
    return OverfitForecast(
        rows=len([*table.single_names, *table.ensembles, *table.distilled]),
        trainings=len(trainings),
        done=len(trainings) - len(left),
        tokens=sum(training.tokens for training in left),
        parameters=planned.parameters,
        seconds=seconds,
        step_seconds=planned.step_seconds,
    )


class _Sizes:
    """The parameters of models, each shape counted once."""

    def __init__(self, plan: OverfitPlan, vocabulary: int) -> None:
        self._plan, self._vocabulary = plan, vocabulary
        self._known: dict[str, int] = {}

    def parameters(self, values: Mapping[str, Any]) -> int:
        """Of the model of the recipe with these changes."""
        from shoal.models import ModelShape, build_model

        table = self._plan.recipe.with_values(dict(values)).model
        key = table.model_dump_json()
        if key not in self._known:
            sizes = table.model_dump(include={"width", "layers", "heads", "inner", "context", "tied", "initial_spread"})
            shape = ModelShape(vocabulary=self._vocabulary, end_token_id=0, **sizes)
            model = build_model(table.kind, shape, seed=0)
            self._known[key] = sum(weight.numel() for weight in model.parameters())
        return self._known[key]


def _factor(plan: OverfitPlan, training: PlannedTraining) -> float:
    """How much longer a training takes than one of the baseline with as many parameters and tokens."""
    autograd = training.lesson is not None or training.values.get("training.dropout", plan.recipe.training.dropout) > 0
    # A forward pass is a third of a step.
    taught = len(training.lesson.members) / 3 if training.lesson is not None else 0.0
    return (_AUTOGRAD if autograd else 1.0) + taught
