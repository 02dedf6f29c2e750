"""What else may explain an effect: controls that can make a comparison worthless, and confounds that are named."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from shoal.experiments.controls import plain_text
from shoal.experiments.crossed.cell_tasks import narrowness_place, one_per_task, task_key
from shoal.experiments.crossed.result import Confound
from shoal.experiments.measures import MEASURES, gain, mean_of
from shoal.experiments.storage import read_json
from shoal.statistics import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shoal.experiments.crossed.contrasts import Contrast
    from shoal.experiments.crossed.plan import Cell
    from shoal.experiments.crossed.records import CellRecords, CrossedRun

_NOTABLE = 0.1
"""Lengths, steps and sizes that differ by more than this share are named."""

_WORTHLESS = ("leaked", "answered by a shortcut")
"""Kinds of a held-out part, by the narrowness report, on which the rule is not needed."""


def find_controls(run: CrossedRun, contrast: Contrast, *, found: bool) -> tuple[Control, ...]:
    """The controls of one hypothesis; one that fails makes it confounded.

    Args:
        run: finished.
        contrast: what is compared.
        found: whether there is an effect that would have to be explained.
    """
    controls = [_floor_and_ceiling(run, contrast), _leakage(run, contrast)]
    if run.experiment.controls.training_ceiling is not None:
        controls.append(_training_ceiling(run, contrast))
    if run.experiment.controls.shuffled_labels:
        controls.append(_shuffled_labels(run, contrast, found=found))
    return tuple(controls)


def find_confounds(run: CrossedRun, contrast: Contrast) -> tuple[Confound, ...]:
    """What else differs between the sides of a comparison, and what its held-out items do not test.

    Args:
        run: finished.
        contrast: what is compared.
    """
    return (
        _same_items(run, contrast),
        _difference(run, contrast, "length", "tokens of a held-out completion", _tokens),
        _difference(run, contrast, "training steps", "optimizer steps", lambda each: float(each.done.steps)),
        _difference(run, contrast, "model size", "parameters", lambda each: float(each.done.parameters)),
        *(confound for cell in _one_per_task(run, contrast) for confound in _narrowness(run, cell)),
    )


def _sides(run: CrossedRun, contrast: Contrast) -> tuple[list[CellRecords], list[CellRecords]]:
    """The trainings of treatment and of baseline."""
    first, second = (
        [each for cell in contrast.cells(treatment=side) for each in run.trainings[cell]] for side in (True, False)
    )
    return first, second


def _floor_and_ceiling(run: CrossedRun, contrast: Contrast) -> Control:
    name, measure = "floor and ceiling", MEASURES[run.experiment.measure.primary]
    values = [each.value(measure.name) for cell in contrast.weights for each in run.trainings[cell]]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known:
        says = f"{measure.label} has no value for some training, since it applies to none of its items"
        return Control(name=name, passed=False, says=says, numbers={"trainings": len(values), "with_value": len(known)})
    if measure.bounded and set(known) in ({0.0}, {1.0}):
        where = "floor, 0" if known[0] == 0.0 else "ceiling, 1"
        says = f"{measure.label} on held-out items stands at its {where}, in every training of the comparison"
        return Control(name=name, passed=False, says=says, numbers={"value": known[0]})
    says = f"{measure.label} on held-out items is off floor and ceiling ({min(known):.3f} to {max(known):.3f})"
    return Control(name=name, passed=True, says=says, numbers={"least": min(known), "most": max(known)})


def _leakage(run: CrossedRun, contrast: Contrast) -> Control:
    from shoal.experiments.tasks import make_experiment_task

    leaked, total, example = 0, 0, ""
    for cell in _one_per_task(run, contrast):
        task = make_experiment_task(cell)
        seen = {plain_text(each.prompt) for each in task.seen}
        found = [each.prompt for each in task.held_out if plain_text(each.prompt) in seen]
        leaked, total, example = leaked + len(found), total + len(task.held_out), (found or [example])[0]
    says = (
        f"{leaked} of {total} held-out prompts stand among the seen ones, such as {example[-60:]!r}"
        if leaked
        else f"none of the {total} held-out prompts stands among the seen ones"
    )
    return Control(name="leakage", passed=not leaked, says=says, numbers={"leaked": leaked, "held_out": total})


def _training_ceiling(run: CrossedRun, contrast: Contrast) -> Control:
    wanted = run.experiment.controls.training_ceiling
    assert wanted is not None
    reached: dict[str, Any] = {
        name: _mean(each.value(wanted.measure, "seen") for each in side)
        for name, side in zip(("treatment", "baseline"), _sides(run, contrast), strict=True)
    }
    short = [name for name, mean in reached.items() if mean is None or gain(wanted.measure, mean, wanted.threshold) < 0]
    numbers = ", ".join(f"{name} {'none' if mean is None else f'{mean:.3f}'}" for name, mean in reached.items())
    who = f"{' and '.join(short)} did not fit" if short else "both sides fit"
    measure = MEASURES[wanted.measure]
    bound = "at least" if measure.higher_is_better else "at most"
    says = f"{who} the training examples ({measure.label} {numbers}; {bound} {wanted.threshold:g} is required)"
    return Control(name="training ceiling", passed=not short, says=says, numbers=reached)


def _shuffled_labels(run: CrossedRun, contrast: Contrast, *, found: bool) -> Control:
    """For each task of the comparison, trained on shuffled labels a cell is worse than the mean of its trainings."""
    name = run.experiment.measure.primary
    tasks = {task_key(cell) for cell in _one_per_task(run, contrast)}
    failed, numbers = [], {}
    for cell in one_per_task(run.experiment.cells):
        if task_key(cell) not in tasks:
            continue
        items = [item for item in run.shuffled_items(cell.name) if item.split == "held_out"]
        value = mean_of(name, items)
        trained = [one for each in run.trainings[cell.name] if (one := each.value(name)) is not None]
        task_name = _task_name(run, cell)
        numbers[task_name] = value
        # One control training has no spread of its own: it must be worse than the mean, and no test is made of it.
        if value is not None and trained and gain(name, statistics.fmean(trained), value) <= 0:
            failed.append(task_name)
    says = (
        f"trained on completions dealt to other prompts, {' and '.join(failed)} does as well as on the right ones"
        if failed
        else "trained on completions dealt to other prompts, every task is worse than on the right ones"
    )
    return Control(name="shuffled labels", passed=not (failed and found), says=says, numbers=numbers)


def _same_items(run: CrossedRun, contrast: Contrast) -> Confound:
    # The items themselves are compared, not the tasks' settings: two files of rows may hold out the same ones.
    sides = [
        {(item.prompt, item.completion, item.ends) for each in side for item in each.items if item.split == "held_out"}
        for side in _sides(run, contrast)
    ]
    other = sides[0] != sides[1]
    says = "the two sides answer other items" if other else "both sides answer the same items"
    return Confound(name="items", present=other, says=says)


def _difference(
    run: CrossedRun, contrast: Contrast, name: str, what: str, number: Callable[[CellRecords], float]
) -> Confound:
    """Something of each training whose mean may differ between the sides."""
    means = [_mean(number(each) for each in side) or 0.0 for side in _sides(run, contrast)]
    largest = max(map(abs, means))
    apart = bool(largest) and abs(means[0] - means[1]) > _NOTABLE * largest
    values = " and ".join(f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}" for mean in means)
    says = f"{what}: {values} on average for treatment and baseline" if apart else f"{what}: alike ({values})"
    return Confound(name=name, present=apart, says=says)


def _tokens(training: CellRecords) -> float:
    return _mean(float(item.tokens) for item in training.items if item.split == "held_out") or 0.0


def _narrowness(run: CrossedRun, cell: Cell) -> list[Confound]:
    """What the narrowness report of a task says of its held-out items."""
    # The report is of the first cell with this task, which may have no part in the comparison.
    first = next(each for each in one_per_task(run.experiment.cells) if task_key(each) == task_key(cell))
    report = read_json(run.folder / narrowness_place(first))
    name = _task_name(run, cell)
    found = [
        Confound(
            name=f"split of {name}", present=report["kind"] in _WORTHLESS, says=f"{name}: {report['conclusion'][0]}"
        )
    ]
    cycles = report["cycles"]
    if cycles["token_period"] is not None:
        says = (
            f"{name}: the tokens at the end of a completion repeat every {cycles['token_period']} items, so that where "
            "to stop may be read off the token cycle"
        )
        found.append(Confound(name=f"token cycle of {name}", present=not cycles["new_phases"], says=says))
    return found


def _one_per_task(run: CrossedRun, contrast: Contrast) -> list[Cell]:
    return one_per_task([cell for cell in run.experiment.cells if cell.name in contrast.weights])


def _task_name(run: CrossedRun, cell: Cell) -> str:
    """What the task of a cell is called; with the cell's name where the experiment has several tasks of its name."""
    alike = sum(each.task.name == cell.task.name for each in one_per_task(run.experiment.cells))
    return cell.task.name if alike == 1 else f"{cell.task.name} ({cell.name})"


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
