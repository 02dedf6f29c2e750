"""The augmentation of a training's examples, as ``[training] augment`` of an experiment names it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.augmentation import Augmentation
    from shoal.experiments.tasks import TrainingPlan
    from shoal.tasks import Example, Task
    from shoal.training import TrainSettings


def augmentation_of(
    plan: TrainingPlan, task: Task, examples: Sequence[Example], seed: int, *, validation: Sequence[Example] = ()
) -> Augmentation | None:
    """The examples of a training with those that are made of them; None where the plan names no augmentation.

    Args:
        plan: an experiment, or one cell of a crossed one.
        task: of the plan.
        examples: that the training has without augmentation.
        seed: of the training; every draw hangs on it.
        validation: further examples that none may be equal to, besides the held-out ones.

    Raises:
        UsageError: the task has no rule, and unchecked examples are not accepted; or a method needs another task.
    """
    from shoal.curation.augmentation import augment_examples

    table = plan.training
    if not table.augment:
        return None
    return augment_examples(
        examples,
        table.augment,
        held_out=[*task.held_out, *validation],
        task=task,
        copies=table.augment_copies or 1,
        seed=seed,
        unchecked=table.augment_unchecked or False,
    )


def check_augmentation(plan: TrainingPlan, task: Task, examples: Sequence[Example]) -> None:
    """Refuse an augmentation that adds nothing, before anything is trained.

    Args:
        plan: an experiment, or one cell of a crossed one.
        task: of the plan.
        examples: that a training has without augmentation.

    Raises:
        UsageError: no candidate was accepted, or as `augmentation_of`.
    """
    found = augmentation_of(plan, task, examples, 0)
    if found is not None and not found.added:
        lines = "; ".join(map(str, found.methods))
        raise UsageError(f"training.augment adds no example to the task {task.name!r} ({lines}); take other methods")


def at_equal_steps(settings: TrainSettings, found: Augmentation | None) -> TrainSettings:
    """The settings with which a training on augmented examples takes as many steps as one without augmentation.

    Otherwise more examples would be more training, and an effect could be that of the steps.

    Args:
        settings: for the examples without augmentation.
        found: the augmentation; None leaves the settings as they are.
    """
    if found is None:
        return settings
    return replace(settings, epochs=settings.epochs * found.originals / len(found.examples))
