from __future__ import annotations

import pytest

from shoal.errors import DataError, StoreError, UsageError
from shoal.evaluation.sharding import Shard, ShardBlock, open_plan, write_plan


def blocks(count=5, size=3):
    return [
        ShardBlock(number=number, items=tuple(f"{number:02}{place:02}abc" for place in range(size)), work={"task": "t"})
        for number in range(count)
    ]


def test_a_plan_is_read_as_it_was_written(tmp_path):
    written = write_plan(tmp_path / "plan", {"kind": "none", "dtype": "float32"}, blocks())
    plan = open_plan(tmp_path / "plan")
    assert plan == written
    assert (plan.block_count, plan.item_count) == (5, 15)
    assert list(plan.blocks()) == blocks()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_block_is_in_one_shard(tmp_path, count):
    plan = write_plan(tmp_path / "plan", {"kind": "none"}, blocks())
    shards = [[block.number for block in plan.blocks(Shard(index + 1, count))] for index in range(count)]
    assert sorted(number for shard in shards for number in shard) == [0, 1, 2, 3, 4]
    assert sum(plan.count_items(Shard(index + 1, count)) for index in range(count)) == 15


def test_the_key_hangs_on_header_and_blocks(tmp_path):
    keys = {
        write_plan(tmp_path / "plan", header, given).key
        for header, given in (
            ({"kind": "none"}, blocks()),
            ({"kind": "none", "weights": "abc"}, blocks()),
            ({"kind": "none"}, blocks(4)),
        )
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2", "'2' names no shard; give its index and the number of shards, as 2/16"),
        ("1/0", "names no shard"),
        ("-1/4", "names no shard"),
        ("0/4", "there is no shard 0/4; give one from 1/4 to 4/4"),
        ("5/4", "there is no shard 5/4"),
    ],
)
def test_what_names_no_shard_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read():
    assert str(Shard.parse(" 2/16 ")) == "2/16"


def test_a_plan_that_was_cut_short_is_refused(tmp_path):
    write_plan(tmp_path / "plan", {"kind": "none"}, blocks())
    whole = (tmp_path / "plan").read_bytes()
    (tmp_path / "plan").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="has no end: it was cut short"):
        open_plan(tmp_path / "plan")


@pytest.mark.parametrize("contents", [b"", b"{}", b"[1]\n", b"\xff\xfe", b'{"kind": "none"}\n'])
def test_what_is_no_plan_is_refused(tmp_path, contents):
    (tmp_path / "plan").write_bytes(contents)
    with pytest.raises(StoreError, match="plan"):
        open_plan(tmp_path / "plan")


def test_a_missing_plan_is_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        open_plan(tmp_path / "plan")


def test_blocks_out_of_order_and_odd_ids_are_refused(tmp_path):
    with pytest.raises(DataError, match="number blocks"):
        write_plan(tmp_path / "plan", {"kind": "none"}, blocks()[1:])
    with pytest.raises(DataError, match="is no id of an item"):
        write_plan(tmp_path / "plan", {"kind": "none"}, [ShardBlock(number=0, items=('a"b',))])
    with pytest.raises(DataError, match="no items"):
        write_plan(tmp_path / "plan", {"kind": "none"}, [])
    assert not (tmp_path / "plan").exists()


def test_a_plan_with_a_changed_block_is_refused_where_it_is_read(tmp_path):
    plan = write_plan(tmp_path / "plan", {"kind": "none"}, blocks())
    lines = (tmp_path / "plan").read_text().splitlines(keepends=True)
    (tmp_path / "plan").write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    with pytest.raises(StoreError, match=r"line 2 of .* has block 1 for 0"):
        list(plan.blocks())
