from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from shoal.errors import StoreError
from shoal.evaluation.sharding import Shard, ShardBlock, read_progress, run_shard, shard_path, write_plan


def record(item):
    return json.dumps({"id": item, "value": int(item, 16) / 7}, separators=(",", ":"))


def score(block):
    return [record(item) for item in block.items]


@pytest.fixture
def plan(tmp_path):
    blocks = [ShardBlock(number=number, items=(f"{number:x}a", f"{number:x}b")) for number in range(9)]
    return write_plan(tmp_path / "plan", {"kind": "none"}, blocks)


def test_a_shard_has_the_records_of_its_blocks_in_their_order(plan, tmp_path):
    result = run_shard(plan, Shard(2, 4), tmp_path / "out", score)
    assert (result.items, result.computed) == (4, 4)
    lines = shard_path(tmp_path / "out", plan, Shard(2, 4)).read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["1a", "1b", "5a", "5b"]


def test_a_finished_shard_is_not_computed_again(plan, tmp_path):
    run_shard(plan, Shard(1, 2), tmp_path, score)

    def unused(block):
        raise AssertionError

    result = run_shard(plan, Shard(1, 2), tmp_path, unused)
    assert (result.items, result.computed) == (10, 0)
    assert "10 of them from before" in str(result)


@pytest.mark.parametrize("cut", [1, 20, 40, 60, 61, 100])
def test_a_shard_that_was_cut_anywhere_resumes_to_the_same_bytes(plan, tmp_path, cut):
    run_shard(plan, Shard(1, 1), tmp_path, score)
    path = shard_path(tmp_path, plan, Shard(1, 1))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    computed = []
    run_shard(plan, Shard(1, 1), tmp_path, lambda block: computed.append(block.number) or score(block))
    assert path.read_bytes() == whole
    assert 0 < len(computed) < 6


def test_a_file_with_other_records_is_refused(plan, tmp_path):
    run_shard(plan, Shard(1, 1), tmp_path, score)
    path = shard_path(tmp_path, plan, Shard(1, 1))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], lines[5], *lines[3:]]))
    with pytest.raises(StoreError, match="has another record than the plan says in block 1 of shard 1/1"):
        run_shard(plan, Shard(1, 1), tmp_path, score)
    path.write_text("".join([*lines, lines[0]]))
    with pytest.raises(StoreError, match="more records than shard 1/1"):
        read_progress(path, plan, Shard(1, 1))


@pytest.mark.parametrize(
    "broken",
    [
        lambda block: score(block)[::-1],
        lambda block: [f"{line}\n" for line in score(block)],
        lambda block: [line.replace('"id"', '"name"') for line in score(block)],
    ],
)
def test_records_of_other_items_are_refused(plan, tmp_path, broken):
    with pytest.raises(StoreError, match="block 0: the record of 0a begins with"):
        run_shard(plan, Shard(1, 1), tmp_path, broken)


def test_two_processes_do_not_run_one_shard_into_one_folder(plan, tmp_path):
    path = shard_path(tmp_path, plan, Shard(1, 1))
    with FileLock(path.with_suffix(".lock")), pytest.raises(StoreError, match="another process runs the shard 1/1"):
        run_shard(plan, Shard(1, 1), tmp_path, score)


def test_progress_counts_the_items(plan, tmp_path):
    steps = []
    run_shard(plan, Shard(1, 2), tmp_path, score, progress=lambda *step: steps.append(step))
    assert steps == [("items", done, 10) for done in range(0, 11, 2)]


_WORKER = """
import sys, time
from pathlib import Path
from shoal.evaluation.sharding import Shard, open_plan, run_shard
plan = open_plan(sys.argv[1])
def score(block):
    time.sleep(0.002)
    return ['{"id":"%s","value":%r}' % (item, int(item, 16) / 7) for item in block.items]
run_shard(plan, Shard.parse(sys.argv[2]), Path(sys.argv[3]), score)
"""


def test_killed_workers_leave_the_bytes_of_an_undisturbed_run(tmp_path):
    blocks = [ShardBlock(number=number, items=(f"{number:x}a", f"{number:x}b")) for number in range(150)]
    plan = write_plan(tmp_path / "plan", {"kind": "none"}, blocks)
    run_shard(plan, Shard(1, 1), tmp_path / "undisturbed", score)
    path = shard_path(tmp_path / "killed", plan, Shard(1, 1))
    kills = 0
    while True:
        worker = subprocess.Popen([sys.executable, "-c", _WORKER, str(plan.path), "1/1", str(tmp_path / "killed")])
        deadline, size = time.monotonic() + 30, path.stat().st_size if path.exists() else 0
        while worker.poll() is None and time.monotonic() < deadline:
            # Killed once it has written something, so that each attempt gets a little further.
            if kills < 3 and path.exists() and path.stat().st_size > size + 500:
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait()
                kills += 1
                break
            time.sleep(0.001)
        else:
            break
    assert (worker.returncode, kills) == (0, 3)
    assert path.read_bytes() == shard_path(tmp_path / "undisturbed", plan, Shard(1, 1)).read_bytes()
