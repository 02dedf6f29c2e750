"""The task that an experiment names, the parts of it that a training sees, and their augmentation."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shoal.errors import UsageError
from shoal.wording import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.curation.augmentation import Augmentation
    from shoal.experiments.experiment import EvaluationTable, SplitTable, TaskTable, TrainingTable
    from shoal.tasks import Example, Task
    from shoal.training import TrainSettings


class TrainingPlan(Protocol):
    """The settings of a training: those of an experiment, or of one cell of a crossed one."""

    @property
    def device(self) -> str:
        """``auto``, ``cpu`` or ``cuda``."""

    @property
    def task(self) -> TaskTable:
        """Where the examples come from."""

    @property
    def split(self) -> SplitTable:
        """Which of them are held out."""

    @property
    def training(self) -> TrainingTable:
        """How a model is trained."""

    @property
    def evaluation(self) -> EvaluationTable:
        """How a model is evaluated."""


def make_experiment_task(experiment: TrainingPlan) -> Task:
    """The examples of an experiment with their split.

    Args:
        experiment: or one cell of a crossed experiment.

    Raises:
        UnknownNameError: the task, one of its options or the split has an unknown name.
        UsageError: an option cannot be used, or the split leaves one side empty or nothing to validate on.
    """
    from shoal.tasks import END_TOKEN, make_task, read_rows, task_from_rows, with_shortcuts

    table = experiment.task
    split = {"name": experiment.split.name, **experiment.split.parameters}
    if table.rows is None:
        task = make_task(table.name, **table.options, split=split)
        if table.shortcuts:
            task = with_shortcuts(task, table.shortcuts)
    else:
        rows = read_rows(Path(table.rows), end_token=END_TOKEN)
        task = task_from_rows(rows, split=split, name=table.name, rule=table.rule, shortcuts=table.shortcuts)
    # Two seen examples, since tuning validates on one of them.
    if len(task.seen) < 2 or not task.held_out:
        raise UsageError(
            f"the split {task.split.name} of the task {task.name!r} leaves {len(task.seen)} seen and "
            f"{len(task.held_out)} held-out examples; at least 2 and 1 are needed"
        )
    return task


def unresolved_shortcuts(experiment: TrainingPlan) -> str:
    """A sentence on the shortcuts that the experiment's split cannot tell from the rule; empty where it can tell all.

    Args:
        experiment: names the task and its split.

    Raises:
        DataError: the task cannot be used: its rule contradicts the examples, for instance.
        UsageError: the task, an option or the split cannot be used.
    """
    from shoal.tasks import check_task

    check = check_task(make_experiment_task(experiment))
    check.raise_for_problems()
    if not check.like_rule:
        return ""
    return (
        f"the split {check.split} cannot tell {joined(check.like_rule)} from the rule: right on all of "
        f"{check.held_out} held-out examples, so that no answer to them shows which of these was learned"
    )


def examples_digest(task: Task) -> str:
    """SHA-256 of all examples and of which are held out; a run is resumed only with the examples that it began with."""
    state = hashlib.sha256()
    for example in task.examples:
        row = [example.prompt, example.completion, example.ends, task.split.holds_out(example), dict(example.tags)]
        state.update(json.dumps(row, sort_keys=True).encode())
    return state.hexdigest()


def train_validation_split(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to train on and examples to validate on, each in order; at least one of each.

    Args:
        examples: two or more.
        share: of the validation examples.
        seed: random seed.
    """
    count = min(max(1, round(share * len(examples))), len(examples) - 1)
    # Seeded by a text, so that this draw is independent of others with the same number.
    drawn = set(random.Random(f"validation {seed}").sample(range(len(examples)), count))
    train = [example for place, example in enumerate(examples) if place not in drawn]
    return train, [example for place, example in enumerate(examples) if place in drawn]


MIN_CHANGED = 0.25
"""Share of the labels that shuffling must change for its control to be one. Two balanced answers change one half."""


def check_shuffled_labels(examples: Sequence[Example], what: str) -> None:
    """Refuse the control of shuffled labels where shuffling leaves nearly all of them as they are.

    Args:
        examples: what is trained on.
        what: whose they are, for the message.

    Raises:
        UsageError: fewer than `MIN_CHANGED` of the labels change.
    """
    shuffled = shuffle_labels(examples, 0)
    changed = sum(
        (one.completion, one.ends) != (other.completion, other.ends)
        for one, other in zip(examples, shuffled, strict=True)
    )
    if changed < MIN_CHANGED * len(examples):
        raise UsageError(
            f"the control shuffled_labels cannot fail for {what}: shuffling changes {changed} of {len(examples)} "
            f"labels ({changed / len(examples):.0%}) and must change {MIN_CHANGED:.0%}; nearly all completions are "
            "equal: leave the control out, or take a task with more answers"
        )


def shuffle_labels(examples: Sequence[Example], seed: int) -> list[Example]:
    """The examples with their completions moved along one random cycle: none has its own place's completion left.

    Args:
        examples: two or more.
        seed: random seed.
    """
    # A cycle through all places, and not any permutation, since that would leave one completion in place on average.
    order = list(range(len(examples)))
    random.Random(f"labels {seed}").shuffle(order)
    source = dict(zip(order, order[1:] + order[:1], strict=True))
    return [
        replace(example, completion=examples[source[place]].completion, ends=examples[source[place]].ends)
        for place, example in enumerate(examples)
    ]


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
