"""Which training examples teach a shortcut: groups are left out, and the model is trained again without them.

What a group teaches is by definition what changes without it (Koh and Liang 2017, arXiv:1703.04730, section 2, where
influence functions approximate this). Small models can be trained again, so that the change is measured and not
approximated; the seed is the unit. Fewer examples change a model as well, so each group is compared also with leaving
out as many examples at random.

Cost: (1 + 2 x groups) x seeds trainings.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.attribution.answers import ask_model
from shoal.attribution.candidates import candidates_of
from shoal.attribution.leave_out_records import LeaveOutStore, TrainedWithout
from shoal.attribution.leave_out_result import LeaveOutResult, summarize_leave_out
from shoal.attribution.posterior import explain_answers
from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.statistics import check_confidence
from shoal.wording import plural

if TYPE_CHECKING:
    from os import PathLike

    from shoal.models import ScoringModel
    from shoal.progress import Progress
    from shoal.tasks import Example, Task

Retrain = Callable[[Sequence["Example"], int], "ScoringModel"]
"""Trains a model from the beginning on some examples with a seed, the same way each time."""


def leave_out(
    task: Task,
    groups: Mapping[str, Sequence[bool]],
    train: Retrain,
    *,
    seeds: Sequence[int] = tuple(range(6)),
    confidence: float = 0.95,
    folder: str | PathLike[str] | None = None,
    recipe: str = "",
    progress: Progress | None = None,
) -> LeaveOutResult:
    """Train without each group of seen examples in turn, and measure what that changes on the held-out ones.

    Args:
        task: its seen examples are trained on, its held-out ones are answered.
        groups: from a name to a flag for each seen example, as `find_groups` gives them; groups may overlap.
        train: trains a model on examples with a seed.
        seeds: of the trainings; 6 is the fewest for an interval of 95%.
        confidence: of the intervals.
        folder: keeps each training's result, so that a call that was killed is resumed; None keeps none.
        recipe: what ``train`` does, in words; a folder of another recipe is refused.
        progress: called with ("trainings", done, total).

    Raises:
        UsageError: a group is empty, or all examples, or has another length; no seeds, or one twice.
        StoreError: the folder holds another leave-out, or is damaged.
        ShoalError: what ``train`` raises.
    """
    check_confidence(confidence)
    _check(task, groups, seeds)
    report = progress or no_progress
    # After the check: a mistyped group would otherwise leave a folder that is refused at the next try.
    store = LeaveOutStore(None if folder is None else Path(folder), task, groups, recipe)
    plan = list(_plan(task, groups, seeds))
    done = []
    for number, unit in enumerate(plan):
        report("trainings", number, len(plan))
        done.append(store.find(unit.group, unit.control, unit.seed) or store.add(_measure(task, unit, train)))
    report("trainings", len(plan), len(plan))
    return summarize_leave_out(task, done, confidence)


@dataclass(frozen=True, slots=True)
class _Unit:
    """One training: without a group, without as many examples at random (a control), or on all (no group)."""

    group: str | None
    control: bool
    seed: int
    removed: tuple[bool, ...]


def _plan(task: Task, groups: Mapping[str, Sequence[bool]], seeds: Sequence[int]) -> Iterator[_Unit]:
    """All trainings, seed by seed, so that one that is stopped has whole seeds."""
    count = len(task.seen)
    for seed in seeds:
        yield _Unit(None, False, seed, (False,) * count)
        for name, flags in groups.items():
            yield _Unit(name, False, seed, tuple(map(bool, flags)))
            # Other examples for each seed, so that no lucky choice of them stands for all.
            chosen = set(random.Random(f"{name} {seed}").sample(range(count), sum(map(bool, flags))))
            yield _Unit(name, True, seed, tuple(place in chosen for place in range(count)))


def _measure(task: Task, unit: _Unit, train: Retrain) -> TrainedWithout:
    """Train on what is left and explain the answers to the held-out examples."""
    left = [example for example, removed in zip(task.seen, unit.removed, strict=True) if not removed]
    trained = train(left, unit.seed)
    # What copies a seen example can copy only what this model has seen.
    table = candidates_of(replace(task, examples=(*left, *task.held_out)), task.held_out)
    answers = ask_model(trained.model, trained.tokenizer, table)
    found = explain_answers(table, answers, left, task=task.name)
    return TrainedWithout(
        group=unit.group,
        control=unit.control,
        seed=unit.seed,
        removed=sum(unit.removed),
        accuracy=found.right / len(answers),
        shares={share.name: share.share for share in found.shares},
    )


def _check(task: Task, groups: Mapping[str, Sequence[bool]], seeds: Sequence[int]) -> None:
    if not groups:
        raise UsageError("there are no groups to leave out; give at least one")
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"the seeds are {list(seeds)}; give at least one, and none twice")
    seen = len(task.seen)
    for name, flags in groups.items():
        if len(flags) != seen:
            raise UsageError(
                f"the group {name!r} has {plural(len(flags), 'flag')} for {plural(seen, 'seen example')}; give one each"
            )
        size = sum(map(bool, flags))
        if size in (0, seen):
            what = "no" if size == 0 else "every"
            raise UsageError(f"the group {name!r} holds {what} seen example of {seen}; leave-out needs some of them")
