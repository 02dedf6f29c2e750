"""``shoal explain``: which explanation fits what a model says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.options import Device, Dtype, Flag, Json, MaybeRows, Part, Plot, Seed, Texts
from shoal.cli.rows import set_dummy_answers
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.attribution import Explanation
    from shoal.attribution.programs import SearchResult
    from shoal.cli.options import PartChoice
    from shoal.models import ScoringModel
    from shoal.tasks import Example, Task


def explain(
    run: Path | None = None,
    /,
    *,
    model: str | None = None,
    task: str | None = None,
    option: Texts = None,
    split: str | None = None,
    data: MaybeRows = None,
    rule: str | None = None,
    shortcut: Texts = None,
    part: Part = "held_out",
    discriminating: Flag = False,
    most: int = 300,
    confidence: float = 0.95,
    leave_out: str | None = None,
    arm: str | None = None,
    search: Flag = False,
    out: Path | None = None,
    plot: Plot = None,
    token_budget: int = 4096,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Find out whether a model follows the rule of a task or a shortcut.

    Give the folder of a run, whose trained models have been asked already; or a model and a task.

    Parameters
    ----------
    run
        Folder of a finished run.
    model
        Model spec of a model to ask.
    task
        Name of the task; of rows given by --data, any name.
    option
        Option of the task as KEY=VALUE. Repeatable: --option examples=300.
    split
        Items that the model was not trained on. Default: the task's own; of rows, the column part or random(share=0.3).
    rule
        Rule of the rows as FILE.py:FUNCTION: from a prompt to its completion.
    shortcut
        Shortcut of your own as NAME=FILE.py:FUNCTION, or as a table: --shortcut 'last={ word = -1 }'. Repeatable.
    discriminating
        Ask new items on which the explanations disagree most, until one explanation is left.
    most
        Largest number of items to ask; of more, an even sample; of discriminating ones, the budget.
    confidence
        Confidence of the verdict and of the intervals.
    leave_out
        Train an arm of the run again without each group of its training examples: tag:NAME, shortcut:NAME or length.
    arm
        Arm of the run to train again. Default: the treatment.
    search
        Also search for an unnamed shortcut: thousands of programs over the prompt and the training examples.
    out
        File to write the explanation of each item to, one JSON line per item.
    token_budget
        Largest number of tokens per batch, padding included.
    """
    if (run is None) == (model is None):
        raise UsageError("give either the folder of a run or --model with --task or --data")
    if run is not None:
        if leave_out is not None:
            _leave_out(run, leave_out, arm, as_json=as_json)
        elif search:
            _search_run(run, as_json=as_json)
        else:
            _explain_run(run, as_json=as_json)
        return
    if leave_out is not None:
        raise UsageError("--leave-out trains an arm of a run again; give the folder of the run instead of --model")
    assert model is not None
    if task is None and data is None:
        raise UsageError(f"nothing is known of what {model} should do; give --task NAME, or --data FILE with rows")
    from shoal.cli.console import check_target
    from shoal.cli.task import chosen_task

    for target in filter(None, (out, plot)):
        check_target(target)
    made = chosen_task(task or "rows", option or [], split, data, rule=rule, shortcuts=shortcut or [])
    if discriminating:
        if search or plot is not None:
            raise UsageError(
                "--discriminating asks until one explanation is left, and has neither a page nor a search; leave out "
                "--plot and --search, or --discriminating"
            )
        _discriminate(
            _loaded(model, made, device, dtype, seed),
            made,
            out,
            budget=most,
            confidence=confidence,
            token_budget=token_budget,
            seed=seed,
            as_json=as_json,
        )
        return
    found, programs = _explain_model(
        _loaded(model, made, device, dtype, seed),
        made,
        _sample(made, part, most),
        search=search,
        confidence=confidence,
        token_budget=token_budget,
        seed=seed,
    )
    _write(found, programs, model, out, plot, as_json=as_json)


def _explain_run(folder: Path, *, as_json: bool) -> None:
    """What explains each arm of a run."""
    from shoal.attribution import explain_trainings
    from shoal.cli.console import print_json
    from shoal.experiments import open_run

    run = open_run(folder)
    if not run.explanations:
        raise UsageError(
            f"{folder} holds no explanations: the run has not come to its end, or is of an earlier version; give "
            "shoal run once more, into a new folder if it was finished"
        )
    confidence = run.experiment.measure.confidence
    arms = {arm: explain_trainings(seeds, confidence=confidence) for arm, seeds in run.explanations.items()}
    if as_json:
        print_json({arm: trainings.to_dict() for arm, trainings in arms.items()})
        return
    for place, (arm, trainings) in enumerate(arms.items()):
        if place:
            print()
        print(f"{arm}: {trainings}")


def _search_run(run: Path, *, as_json: bool) -> None:
    """Programs that nobody named, for every training of a run."""
    from shoal.cli.console import print_json, progress_bars
    from shoal.experiments import search_run

    with progress_bars() as progress:
        found = search_run(run, progress=progress)
    if as_json:
        print_json({arm: {seed: one.to_dict() for seed, one in seeds.items()} for arm, seeds in found.items()})
        return
    for arm, seeds in found.items():
        for seed, result in seeds.items():
            print(f"{arm}, seed {seed}: {result}\n")


def _leave_out(run: Path, by: str, arm: str | None, *, as_json: bool) -> None:
    """Which training examples teach what."""
    from shoal.cli.console import print_json, progress_bars
    from shoal.experiments import leave_out_of_run

    with progress_bars() as progress:
        found = leave_out_of_run(run, by, arm=arm, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


def _loaded(model: str, task: Task, device: str, dtype: str, seed: int) -> ScoringModel:
    from shoal.models import load_for_scoring

    loaded = load_for_scoring(model, device=device, dtype=dtype, seed=seed)
    set_dummy_answers(loaded, task.examples)
    return loaded


def _sample(task: Task, part: PartChoice, most: int) -> tuple[Example, ...]:
    """The items to ask: an even sample of many."""
    from shoal.statistics import even_sample

    if most < 1:
        raise UsageError(f"--most is {most}; give the number of items to ask, at least 1")
    chosen = {"held_out": task.held_out, "seen": task.seen, "all": task.examples}[part]
    return tuple(even_sample(chosen, most))


def _explain_model(
    loaded: ScoringModel,
    task: Task,
    items: tuple[Example, ...],
    *,
    search: bool,
    confidence: float,
    token_budget: int,
    seed: int,
) -> tuple[Explanation, SearchResult | None]:
    from shoal.attribution import ask_model, candidates_of, explain_answers
    from shoal.attribution.programs import search_programs
    from shoal.cli.console import progress_bars

    with progress_bars() as progress:
        table = candidates_of(task, items, progress=progress)
        answers = ask_model(loaded.model, loaded.tokenizer, table, token_budget=token_budget, progress=progress)
        found = explain_answers(table, answers, task.seen, task=task.name, confidence=confidence, seed=seed)
        programs = search_programs(task, answers, table=table, progress=progress) if search else None
    return found, programs


def _discriminate(
    loaded: ScoringModel,
    task: Task,
    out: Path | None,
    *,
    budget: int,
    confidence: float,
    token_budget: int,
    seed: int,
    as_json: bool,
) -> None:
    """Which explanation is left after items on which the explanations disagree."""
    from shoal.attribution import discriminate, item_pool, model_answers
    from shoal.cli.console import print_json, progress_bars
    from shoal.statistics import check_confidence

    check_confidence(confidence)
    if budget < 1:
        raise UsageError(f"--most is {budget}; give the number of items to ask, at least 1")
    with progress_bars() as progress:
        pool = item_pool(task, seed=seed, progress=progress)
        ask = model_answers(loaded.model, loaded.tokenizer, pool, token_budget=token_budget)
        found = discriminate(ask, pool, alpha=1 - confidence, budget=budget, seed=seed, progress=progress)
    if out is not None:
        _write_items(out, found.items)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


def _write_items(out: Path, items: Iterable[Any]) -> None:
    """One JSON line for each item."""
    import json
    from dataclasses import asdict

    from shoal.cli.console import write_whole

    write_whole(out, "".join(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in items))


def _write(
    found: Explanation,
    programs: SearchResult | None,
    model: str,
    out: Path | None,
    plot: Path | None,
    *,
    as_json: bool,
) -> None:
    """Files first: the reader of what is printed may go early."""
    from shoal.cli.console import print_json, write_whole

    if out is not None:
        _write_items(out, found.items)
    if plot is not None:
        from shoal.reports import explanation_page

        write_whole(plot, explanation_page(found, model=model))
    if as_json:
        print_json(found.to_dict() | ({"search": programs.to_dict()} if programs else {}))
        return
    print(found)
    if programs:
        print(f"\n{programs}")
