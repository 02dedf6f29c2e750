from __future__ import annotations

import json
import random

import pytest

from shoal.errors import StoreError
from shoal.evaluation.sharding import Shard, ShardBlock, merge_shards, run_shard, shard_path, write_plan


def score(block):
    return [json.dumps({"id": item, "value": int(item, 16) / 7}, separators=(",", ":")) for item in block.items]


def some_blocks(count=23):
    sizes = random.Random(0)
    return [
        ShardBlock(number=number, items=tuple(f"{number:04x}{place:x}" for place in range(sizes.randint(1, 5))))
        for number in range(count)
    ]


@pytest.fixture
def plan(tmp_path):
    return write_plan(tmp_path / "plan", {"kind": "none"}, some_blocks())


@pytest.fixture
def whole(plan):
    return "".join(f"{line}\n" for block in plan.blocks() for line in score(block)).encode()


def run_all(plan, count, folder):
    for index in range(count):
        run_shard(plan, Shard(index + 1, count), folder, score)
    return [shard_path(folder, plan, Shard(index + 1, count)) for index in range(count)]


@pytest.mark.parametrize("count", [1, 2, 7, 16, 40])
def test_the_merge_is_the_same_bytes_for_every_number_of_shards(plan, whole, tmp_path, count):
    run_all(plan, count, tmp_path / "out")
    result = merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == whole
    assert (result.items, result.files, result.doubled) == (plan.item_count, count, 0)


def test_lost_items_are_named_with_the_shard_to_run_again(plan, tmp_path):
    paths = run_all(plan, 7, tmp_path / "out")
    paths[2].unlink()
    lost = [item for block in plan.blocks(Shard(3, 7)) for item in block.items]
    with pytest.raises(StoreError) as fault:
        merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")
    assert f"{len(lost)} of {plan.item_count} items are lost: {lost[0]} (block 2, shard 3/7)" in str(fault.value)
    assert f"--shard 3/7; shards that lack items: 3/7 ({len(lost)})" in str(fault.value)
    assert not (tmp_path / "merged").exists()


def test_a_torn_end_is_lost_and_no_error_of_its_own(plan, tmp_path):
    path = run_all(plan, 2, tmp_path / "out")[0]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"^1 of \d+ items are lost"):
        merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")


def test_what_another_split_computed_fills_the_gaps(plan, whole, tmp_path):
    run_all(plan, 2, tmp_path / "two")[0].unlink()
    paths = run_all(plan, 7, tmp_path / "seven")
    paths[0].write_bytes(paths[0].read_bytes()[:50])
    run_shard(plan, Shard(1, 1), tmp_path / "one", score)
    result = merge_shards(plan, [tmp_path / "two", tmp_path / "seven", tmp_path / "one"], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == whole
    assert result.doubled > 0


def test_a_shard_that_was_answered_twice_is_counted_once(plan, whole, tmp_path):
    run_all(plan, 3, tmp_path / "out")
    run_shard(plan, Shard(2, 3), tmp_path / "again", score)
    result = merge_shards(plan, [tmp_path / "out", tmp_path / "again"], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == whole
    assert result.doubled == plan.count_items(Shard(2, 3))
    assert "stood there twice and were equal" in str(result)


def test_contradictory_records_are_named(plan, tmp_path):
    run_all(plan, 3, tmp_path / "out")
    run_shard(
        plan,
        Shard(2, 3),
        tmp_path / "again",
        lambda block: [line.replace('"value":', '"value":1') for line in score(block)],
    )
    with pytest.raises(StoreError) as fault:
        merge_shards(plan, [tmp_path / "out", tmp_path / "again"], tmp_path / "merged")
    assert f"{plan.count_items(Shard(2, 3))} items have contradictory records: 00010 (block 1, " in str(fault.value)
    assert str(shard_path(tmp_path / "again", plan, Shard(2, 3))) in str(fault.value) or "out" in str(fault.value)


@pytest.mark.parametrize("change", ["shuffled", "joined", "doubled"])
def test_a_file_in_any_order_is_merged_through_an_index(plan, whole, tmp_path, change):
    first, second, _ = run_all(plan, 3, tmp_path / "out")
    lines = first.read_bytes().splitlines(keepends=True)
    if change == "shuffled":
        random.Random(1).shuffle(lines)
    elif change == "joined":
        lines += second.read_bytes().splitlines(keepends=True)
        second.unlink()
    else:
        lines += lines[:4]
    first.write_bytes(b"".join(lines))
    result = merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == whole
    assert result.doubled == (4 if change == "doubled" else 0)


def test_unknown_items_and_different_records_within_a_file_are_named(plan, tmp_path):
    path = run_all(plan, 2, tmp_path / "out")[1]
    lines = path.read_bytes()
    path.write_bytes(lines + b'{"id":"ffff","value":1}\n')
    with pytest.raises(StoreError, match="items that the plan does not have: ffff in"):
        merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")
    path.write_bytes(lines + lines.splitlines()[0].replace(b"value", b"other") + b"\n")
    with pytest.raises(StoreError, match="two different records of the item 00010"):
        merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")
    path.write_bytes(lines + b"nothing\n")
    with pytest.raises(StoreError, match="a line that is no record, at byte"):
        merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")


def test_records_of_another_plan_are_never_taken(plan, tmp_path):
    other = write_plan(tmp_path / "other", {"kind": "none", "weights": "others"}, some_blocks())
    run_all(other, 2, tmp_path / "out")
    with pytest.raises(StoreError, match="holds records of another plan"):
        merge_shards(plan, [tmp_path / "out"], tmp_path / "merged")
    with pytest.raises(StoreError, match="there is no "):
        merge_shards(plan, [tmp_path / "nowhere"], tmp_path / "merged")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="no records of the plan"):
        merge_shards(plan, [tmp_path / "empty"], tmp_path / "merged")
