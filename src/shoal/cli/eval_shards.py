"""``shoal eval`` in shards: a plan is written, its shards are run here or elsewhere, merged records are summarized."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from shoal.cli.terminal import check_target, print_json, progress_bars
from shoal.errors import UsageError
from shoal.wording import plural

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.evaluation.sharding import ShardPlan


def write_benchmark_plan(out: Path, model: str, tasks: list[str], *, as_json: bool, **options: Any) -> None:
    """Write a plan, and print what to do with it.

    Args:
        out: the plan file.
        model: a model spec.
        tasks: names of tasks.
        as_json: print JSON.
        options: of `plan_benchmarks`.
    """
    from shoal.evaluation.benchmarks import plan_benchmarks

    check_target(out)
    with progress_bars() as progress:
        plan = plan_benchmarks(model, tasks, out, progress=progress, **options)
    print_plan(plan, as_json=as_json)


def print_plan(plan: ShardPlan, *, as_json: bool) -> None:
    """Print how many items a plan has, and how its shards are run.

    Args:
        plan: the plan.
        as_json: print JSON.
    """
    if as_json:
        counts = {"items": plan.item_count, "blocks": plan.block_count}
        print(json.dumps({"plan": str(plan.path), **counts, "key": plan.key}))
        return
    print(
        f"{plural(plan.item_count, 'item')} in {plural(plan.block_count, 'block')}: {plan.path}\n"
        f"run each shard, anywhere:  shoal eval --plan {plan.path} --shard 1/16 --out FOLDER\n"
        f"then merge them:           shoal merge {plan.path} FOLDER --out RECORDS.jsonl"
    )


def run_plan(
    path: Path,
    *,
    out: Path | None,
    shard: str | None,
    shards: int | None,
    workers: int | None,
    engine: Literal["local", "ray"],
    address: str | None,
    records: Path | None,
    confidence: float,
    as_json: bool,
) -> None:
    """Run one shard of a plan, or all; or print the results of its merged records.

    Args:
        path: the plan file.
        out: the folder of the shards' records.
        shard: the one to run, as ``2/16``.
        shards: into how many the plan is split where all are run.
        workers: worker processes.
        engine: local or ray.
        address: of a Ray cluster.
        records: merged records.
        confidence: of the intervals.
        as_json: print JSON.

    Raises:
        UsageError: the folder is missing, or the options contradict each other.
    """
    from shoal.evaluation.sharding import Shard, open_plan, open_work, run_shard
    from shoal.experiments import run_shards

    plan = open_plan(path)
    if records is not None:
        if shard or shards is not None or out or workers is not None or address or engine != "local":
            raise UsageError(
                "--records prints results, and runs nothing; leave out --shard, --shards, --out, --workers, --engine "
                "and --address"
            )
        _print_results(plan, records, confidence, as_json=as_json)
        return
    if out is None:
        raise UsageError("no folder for the records is given; name one with --out")
    if shard is not None:
        if shards is not None or workers is not None or engine != "local" or address:
            raise UsageError(
                "--shard runs one shard in this process; leave out --shards, --workers, --engine and --address"
            )
        one = Shard.parse(shard)
        with progress_bars() as progress, open_work(plan) as work:
            results = [run_shard(plan, one, out, work.score, progress=progress)]
    else:
        with progress_bars() as progress:
            results = run_shards(
                path, out, shards=shards, workers=workers, engine=engine, address=address, progress=progress
            )
    if as_json:
        print(json.dumps([result.to_dict() for result in results]))
    else:
        print("\n".join(map(str, results)))


def _print_results(plan: ShardPlan, records: Path, confidence: float, *, as_json: bool) -> None:
    from shoal.evaluation.benchmarks import summarize_merged

    with progress_bars() as progress:
        found = summarize_merged(plan, records, confidence=confidence, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)
