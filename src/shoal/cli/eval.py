"""``shoal eval``: a model on benchmarks, by the task files of lm-evaluation-harness or shoal's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, Dtype, Files, Json, Plot

if TYPE_CHECKING:
    from shoal.evaluation.benchmarks import BenchmarkResults


def eval(  # noqa: A001 (the verb's name)
    *,
    tasks: Annotated[list[str], Parameter(negative="", consume_multiple=False)],
    model: str | None = None,
    data: Path | None = None,
    task_folder: Files = None,
    shots: int | None = None,
    limit: int | None = None,
    train: Path | None = None,
    samples: Path | None = None,
    out: Path | None = None,
    confidence: float = 0.95,
    token_budget: int = 1536,
    device: Device = "auto",
    dtype: Dtype = "float32",
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Evaluate a model on benchmarks: accuracy with intervals, chance, ties, and contamination.

    Parameters
    ----------
    tasks
        Names of tasks, groups or tags, separated by commas, or paths of task files; "list" prints all names.
        Repeatable.
    model
        Model spec: a hub id, a folder, gguf:FILE, a llama2.c .bin file, bundled:stories, or random:SPEC.
    data
        Folder of local data. Default: the folder that SHOAL_DATA names, else data sets come from the hub.
    task_folder
        Folder of further task files. Repeatable.
    shots
        Examples before each question. Default: what each task says.
    limit
        Use the first documents of each task alone.
    train
        What the model was trained on (.txt, .jsonl, .parquet or a folder), to look for the items in.
    samples
        Write every item with its prompt and the model's answer to this file, as JSON lines.
    out
        Folder for the records; a run that was interrupted resumes from it.
    confidence
        Confidence of the intervals.
    token_budget
        Largest number of tokens per batch, padding included.
    """
    from shoal.cli.console import check_target, print_json, progress_bars
    from shoal.errors import UsageError
    from shoal.evaluation.benchmarks import TaskLibrary, evaluate_benchmarks
    from shoal.experiments import finite

    names = [name.strip() for each in tasks for name in each.split(",") if name.strip()]
    if names == ["list"]:
        for name in TaskLibrary(task_folder or ()).names():
            print(name)
        return
    if model is None:
        raise UsageError("no model is given; name one with --model, as in --model bundled:stories")
    for target in (plot, samples):
        if target is not None:
            check_target(target)
    with progress_bars() as progress:
        found = evaluate_benchmarks(
            model,
            names,
            data=data,
            task_folders=task_folder or (),
            shots=shots,
            limit=limit,
            train_text=train,
            samples=samples,
            out=out,
            confidence=confidence,
            token_budget=token_budget,
            device=device,
            dtype=dtype,
            keep_items=plot is not None,
            progress=progress,
        )
    if plot is not None:
        _write_page(found, plot)
    if as_json:
        print_json(finite(found.to_dict()))
        return
    print(found)


def _write_page(found: BenchmarkResults, plot: Path) -> None:
    from shoal.cli.console import write_whole
    from shoal.reports import benchmark_page

    write_whole(plot, benchmark_page(found))
