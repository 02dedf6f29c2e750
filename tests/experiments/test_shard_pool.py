from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from shoal.errors import UsageError, WorkerError
from shoal.evaluation.sharding import merge_shards, open_plan, plan_rows
from shoal.experiments import run_shards

MODEL = "random:bundled:searches"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    rows = [{"prompt": f"{number}:", "completion": f" {number % 3}"} for number in range(60)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return plan_rows(MODEL, folder / "rows.jsonl", folder / "plan", token_budget=32)


@pytest.fixture(scope="module")
def merged(plan):
    """The bytes of one shard that is run in this process."""
    run_shards(plan.path, plan.path.parent / "here", shards=1, workers=0)
    merge_shards(plan, [plan.path.parent / "here"], plan.path.parent / "merged")
    return (plan.path.parent / "merged").read_bytes()


def test_shards_of_this_process_are_whole(plan, merged):
    assert len(merged.splitlines()) == 60


def worker_processes():
    """The worker processes of this process."""
    children = [
        child for file in Path("/proc/self/task").glob("*/children") for child in map(int, file.read_text().split())
    ]
    entry = b"shoal.experiments.worker_main"
    return [child for child in children if entry in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.slow
def test_two_worker_processes_give_the_same_bytes_though_one_is_killed(plan, merged, tmp_path):
    killed = []

    def kill_one():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(tmp_path.glob("records-*")):
            time.sleep(0.01)
        killed.extend(worker_processes()[:1])
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    steps = []
    results = run_shards(plan.path, tmp_path, shards=5, workers=2, progress=lambda *step: steps.append(step))
    killer.join()
    assert len(killed) == 1
    assert [result.shard for result in results] == [f"{index}/5" for index in range(1, 6)]
    assert steps[-1] == ("items", 60, 60)
    merge_shards(plan, [tmp_path], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == merged


def test_a_shard_that_gets_no_further_ends_the_run(plan, tmp_path, monkeypatch):
    from shoal.experiments import shard_pool
    from shoal.experiments.workers import Outcome

    class DeadPool:
        def __init__(self, *_, **__):
            pass

        def run(self, jobs):
            return iter([Outcome(item=job, answer=None, death="its worker died 3 times") for job in jobs])

        def close(self):
            pass

    monkeypatch.setattr(shard_pool, "WorkerPool", DeadPool)
    with pytest.raises(WorkerError, match=r"shard 1/2 got no further: its worker died 3 times"):
        run_shards(plan.path, tmp_path, shards=2, workers=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": -1}, "--workers is -1"),
        ({"workers": 0, "engine": "ray"}, "--workers is 0"),
        ({"shards": -2}, "--shards is -2"),
        ({"shards": 0}, "--shards is 0"),
        ({"address": "auto"}, "--engine ray"),
    ],
)
def test_numbers_that_are_too_small_are_refused(plan, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        run_shards(plan.path, tmp_path, **options)


def test_a_plan_is_split_into_no_more_shards_than_it_has_blocks(plan, tmp_path):
    results = run_shards(plan.path, tmp_path, shards=10_000, workers=0)
    assert len(results) == open_plan(plan.path).block_count


@pytest.mark.slow
def test_a_ray_cluster_gives_the_same_bytes(plan, merged, tmp_path):
    pytest.importorskip("ray")
    run_shards(plan.path, tmp_path, shards=4, workers=2, engine="ray")
    merge_shards(plan, [tmp_path], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == merged
