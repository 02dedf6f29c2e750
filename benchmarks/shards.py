"""Evaluations in shards: the same bytes, killed workers, memory, and the speed of a merge.

    python -m benchmarks.shards same                          # 1, 2, 7 and 16 shards of rows on a real model
    python -m benchmarks.shards kills --kills 100             # SIGKILLs over the workers of a plan
    python -m benchmarks.shards memory --items 1000000        # two processes, their peak memory by number of items
    python -m benchmarks.shards merge --items 10000000        # records of the size of `shoal eval`'s, merged

Each part is printed and written to bench-out/.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import DATA, ROOT, machine, write_result

MODEL = "bundled:stories"
ROWS = 2000
TASKS = ["blimp", "medqa_4options", "gsm8k"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("same", "kills", "memory", "merge"))
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="shards-") as scratch:
        result = {"same": same, "kills": kills, "memory": memory, "merge": merge}[given.part](given, Path(scratch))
    print(json.dumps(result, indent=1))
    write_result(f"shards_{given.part}", {**result, "machine": machine()})


def write_story_rows(path: Path, count: int) -> None:
    """Rows from real stories where they are there: the first words of a sentence, and the next few."""
    stories = sorted((DATA / "tinystories").rglob("*.txt")) if DATA.is_dir() else []
    text = stories[0].read_text(encoding="utf-8")[:2_000_000] if stories else "Once upon a time there was a cat. " * 9
    sentences = [sentence.split() for sentence in text.split(".") if len(sentence.split()) > 6]
    draws = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            words = draws.choice(sentences)
            cut = draws.randint(2, min(len(words) - 2, 12))
            row = {"prompt": " ".join(words[:cut]), "completion": " " + " ".join(words[cut : cut + 3]), "ends": False}
            file.write(json.dumps(row) + "\n")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Two plans, rows and benchmarks, each run in several numbers of shards."""
    from shoal.evaluation.benchmarks import plan_benchmarks
    from shoal.evaluation.sharding import plan_rows

    write_story_rows(scratch / "rows.jsonl", ROWS)
    rows = plan_rows(given.model, scratch / "rows.jsonl", scratch / "rows", token_budget=256)
    tasks = plan_benchmarks(given.model, TASKS, scratch / "tasks", limit=24, token_budget=512, data=DATA)
    return {"model": given.model, "rows": digests(rows, scratch), "tasks": {"names": TASKS, **digests(tasks, scratch)}}


def digests(plan: Any, scratch: Path) -> dict[str, Any]:
    """What a plan gives in 1, 2, 7 and 16 shards."""
    from shoal.evaluation.sharding import Shard, merge_shards, open_work, run_shard

    found = {}
    with open_work(plan) as work:
        for count in (1, 2, 7, 16):
            start = time.process_time()
            # In another order each time, as machines finish.
            for index in random.Random(count).sample(range(count), count):
                run_shard(plan, Shard(index + 1, count), scratch / str(count), work.score)
            merge_shards(plan, [scratch / str(count)], scratch / "merged")
            found[count] = digest(scratch / "merged")
            print(f"{count:3} shards: {found[count][:16]}  {time.process_time() - start:.1f} CPU-s", flush=True)
    counts = {"items": plan.item_count, "blocks": plan.block_count}
    return {**counts, "digests": found, "identical": len(set(found.values())) == 1}


def kills(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Workers that are forked with the model loaded, killed at random moments, and begun again until all is done."""
    from shoal.evaluation.sharding import Shard, merge_shards, open_work, plan_rows, run_shard

    write_story_rows(scratch / "rows.jsonl", ROWS)
    plan = plan_rows(given.model, scratch / "rows.jsonl", scratch / "plan", token_budget=512)
    draws, count, killed = random.Random(0), 2, 0
    with open_work(plan) as work:
        run_shard(plan, Shard(1, 1), scratch / "undisturbed", work.score)
        merge_shards(plan, [scratch / "undisturbed"], scratch / "due")
        rounds, answers = 0, []
        while killed < given.kills:
            rounds += 1
            folder = scratch / f"killed-{rounds}"
            waiting = {index: fork_shard(plan, Shard(index + 1, count), folder, work) for index in range(count)}
            while waiting:
                index, pid = draws.choice(list(waiting.items()))
                time.sleep(draws.uniform(0.0, 0.4))
                done, status = os.waitpid(pid, os.WNOHANG)
                if done and os.waitstatus_to_exitcode(status) == 0:
                    del waiting[index]
                    continue
                if not done and killed < given.kills:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    killed += 1
                elif not done:
                    continue
                waiting[index] = fork_shard(plan, Shard(index + 1, count), folder, work)
            merge_shards(plan, [folder], scratch / "merged")
            answers.append(digest(scratch / "merged") == digest(scratch / "due"))
            print(f"round {rounds}: {killed} kills so far, same bytes: {answers[-1]}", flush=True)
    return {"items": plan.item_count, "kills": killed, "rounds": rounds, "identical": all(answers)}


def fork_shard(plan: Any, shard: Any, folder: Path, work: Any) -> int:
    """A child process that runs a shard with the model that this process has loaded."""
    from shoal.evaluation.sharding import run_shard

    pid = os.fork()
    if pid:
        return pid
    try:
        run_shard(plan, shard, folder, work.score)
        os._exit(0)
    except BaseException as fault:  # noqa: BLE001 (a child must not return into the parent's code)
        print(fault, file=sys.stderr, flush=True)
        os._exit(1)


def memory(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Two processes, a shard each, and the largest memory that each ever had."""
    from shoal.evaluation.sharding import merge_shards, plan_rows

    found = []
    items = 10_000
    while items <= given.items:
        rows, out = scratch / f"{items}.jsonl", scratch / str(items)
        with rows.open("w", encoding="utf-8") as file:
            for number in range(items):
                file.write(f'{{"prompt":"{number % 9973}:","completion":" {number % 7}"}}\n')
        start = time.process_time()
        plan = plan_rows(given.model, rows, scratch / f"plan-{items}")
        planning = time.process_time() - start
        command = [sys.executable, "-m", "shoal", "eval", "--plan", plan.path, "--out", out, "--shard"]
        sides = [subprocess.Popen([*map(str, command), f"{index}/2"], cwd=ROOT) for index in (1, 2)]
        usages = [os.wait4(side.pid, 0) for side in sides]
        assert all(status == 0 for _, status, _ in usages)
        merge_shards(plan, [out], scratch / "merged")
        found.append(
            {
                "items": items,
                "peak_mib": [round(usage.ru_maxrss / 1024) for _, _, usage in usages],
                "cpu_seconds": round(sum(usage.ru_utime + usage.ru_stime for _, _, usage in usages), 1),
                "planning_cpu_seconds": round(planning, 1),
                "planner_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
        print(found[-1], flush=True)
        items *= 10
    return {"model": given.model, "runs": found}


_RECORD = (
    '","task":"arc_easy","index":%d,"cluster":null,"gold":1,"log_likelihoods":[-12.345678,-13.25,-10.5,-11.0625],'
    '"greedy":[false,false,false,false],"responses":[],"metrics":{"acc,none":0.0,"acc_norm,none":1.0},"cut":false}'
)
_ITEMS_PER_BLOCK = 32


def merge(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Records as `shoal eval` writes them, without a model, in the files of shards; what is timed is the merge."""
    from shoal.evaluation.sharding import Shard, ShardBlock, merge_shards, run_shard, write_plan

    def blocks() -> Iterator[ShardBlock]:
        for number in range(given.items // _ITEMS_PER_BLOCK):
            # As wide as a hash; a merge compares them, and never looks into them.
            items = tuple(f"{number:020x}{place:012x}" for place in range(_ITEMS_PER_BLOCK))
            yield ShardBlock(number=number, items=items, work={"task": "arc_easy"})

    def score(block: ShardBlock) -> list[str]:
        return [f'{{"id":"{item}{_RECORD % block.number}' for item in block.items]

    plan = write_plan(scratch / "plan", {"kind": "synthetic"}, blocks())
    for index in range(given.shards):
        run_shard(plan, Shard(index + 1, given.shards), scratch / "out", score)
    wall, cpu = time.perf_counter(), time.process_time()
    result = merge_shards(plan, [scratch / "out"], scratch / "merged")
    return {
        "records": result.items,
        "shards": given.shards,
        "gigabytes": round(result.bytes / 1e9, 2),
        "plan_gigabytes": round(plan.path.stat().st_size / 1e9, 2),
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
