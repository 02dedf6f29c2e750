"""``shoal eval``: a model on benchmarks, by the task files of lm-evaluation-harness or shoal's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from shoal.cli.options import Device, Dtype, Files, Json, Plot, Workers
from shoal.cli.terminal import check_target, print_json, progress_bars, refuse_options, write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.evaluation.benchmarks import BenchmarkResults


def eval(  # noqa: A001 (the verb's name)
    *,
    tasks: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
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
    write_plan: Path | None = None,
    plan: Path | None = None,
    shard: str | None = None,
    shards: int | None = None,
    workers: Workers = None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    records: Path | None = None,
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
    write_plan
        Write the plan of the evaluation to this file and stop; its shards are run with --plan.
    plan
        Plan file. With --shard one of its shards is run into the folder --out, with --records its results are
        printed, and otherwise all shards are run by worker processes.
    shard
        Shard to run, as 2/16: its index and the number of shards.
    shards
        Into how many shards the plan is split where all are run. Default: four per worker.
    engine
        local (processes on this machine) or ray (a Ray cluster) where all shards are run.
    address
        Address of a Ray cluster. Default: one is started on this machine.
    records
        File that the shards of the plan were merged to (shoal merge).
    """
    from shoal.cli.eval_shards import run_plan, write_benchmark_plan
    from shoal.errors import UsageError

    if plan is not None:
        if tasks or model or write_plan:
            raise UsageError("--plan says model and tasks; leave out --model, --tasks and --write-plan")
        settled: dict[str, object] = {
            "--data": data, "--task-folder": task_folder, "--shots": shots, "--limit": limit, "--train": train,
            "--samples": samples, "--plot": plot,
        }  # fmt: skip
        settled |= {
            "--token-budget": token_budget != 1536, "--device": device != "auto", "--dtype": dtype != "float32",
        }  # fmt: skip
        refuse_options(settled, "--plan runs the evaluation as it was planned")
        run_plan(
            plan,
            out=out,
            shard=shard,
            shards=shards,
            workers=workers,
            engine=engine,
            address=address,
            records=records,
            confidence=confidence,
            as_json=as_json,
        )
        return
    if shard or shards or records or workers is not None or address or engine != "local":
        raise UsageError("--shard, --shards, --records, --workers and --engine run a plan; give it with --plan")
    names = [name.strip() for each in tasks or () for name in each.split(",") if name.strip()]
    if names == ["list"]:
        _print_names(task_folder or ())
        return
    if model is None:
        raise UsageError("no model is given; name one with --model, as in --model bundled:stories")
    # What a plan and an evaluation have in common: a plan that is run later gives the records of this very command.
    settings: dict[str, Any] = {
        "data": data,
        "task_folders": task_folder or (),
        "shots": shots,
        "limit": limit,
        "token_budget": token_budget,
        "device": device,
        "dtype": dtype,
    }
    if write_plan is not None:
        refuse_options(
            {"--train": train, "--samples": samples, "--out": out, "--plot": plot},
            "--write-plan plans an evaluation and runs nothing",
        )
        write_benchmark_plan(write_plan, model, names, **settings, as_json=as_json)
        return
    more = {"train_text": train, "samples": samples, "out": out, "confidence": confidence}
    _evaluate(model, names, settings | more, plot=plot, as_json=as_json)


def _print_names(task_folders: Sequence[Path]) -> None:
    from shoal.evaluation.benchmarks import TaskLibrary

    for name in TaskLibrary(task_folders).names():
        print(name)


def _evaluate(model: str, names: Sequence[str], settings: dict[str, Any], *, plot: Path | None, as_json: bool) -> None:
    """Evaluate in this process, and print what was found."""
    from shoal.evaluation.benchmarks import evaluate_benchmarks

    # Before the model is loaded: a folder that does not exist would otherwise be reported after hours of evaluation.
    for target in (plot, settings["samples"]):
        if target is not None:
            check_target(target)
    with progress_bars() as progress:
        found = evaluate_benchmarks(model, names, **settings, keep_items=plot is not None, progress=progress)
    if plot is not None:
        _write_page(found, plot)
    if as_json:
        print_json(found.to_dict())
        return
    print(found)


def _write_page(found: BenchmarkResults, plot: Path) -> None:
    from shoal.reports import benchmark_page

    write_whole(plot, benchmark_page(found))
