from __future__ import annotations

import json
import shutil

import pytest
import torch

from shoal.errors import DataError, StoreError, UsageError
from shoal.evaluation import evaluate
from shoal.evaluation.benchmarks import plan_benchmarks
from shoal.evaluation.sharding import Shard, merge_shards, open_plan, open_work, plan_rows, run_shard
from shoal.models import load_for_scoring
from shoal.tasks import read_rows

MODEL = "random:bundled:searches"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    lines = [
        {"prompt": f"{number}:", "completion": f" {'1 ' * (number % 5)}{number}", "ends": bool(number % 2)}
        for number in range(40)
    ]
    # Blank lines between rows move their places.
    path.write_text("".join(json.dumps(line) + "\n" * (1 + (place % 7 == 0)) for place, line in enumerate(lines)))
    return path


@pytest.fixture(scope="module")
def plan(rows):
    return plan_rows(MODEL, rows, rows.with_name("plan"), token_budget=64)


@pytest.fixture(scope="module")
def merged(plan, rows):
    """The merged bytes by number of shards."""
    found = {}
    with open_work(plan) as work:
        for count in (1, 3, 16):
            for index in range(count):
                run_shard(plan, Shard(index + 1, count), rows.parent / str(count), work.score)
            merge_shards(plan, [rows.parent / str(count)], rows.parent / "merged")
            found[count] = (rows.parent / "merged").read_bytes()
    return found


def test_rows_are_scored_to_the_same_bytes_in_every_number_of_shards(merged):
    assert merged[1] == merged[3] == merged[16]


def test_the_records_are_the_scores_of_all_rows_together(merged, rows):
    records = sorted(map(json.loads, merged[1].splitlines()), key=lambda record: record["row"])
    loaded = load_for_scoring(MODEL)
    scores = evaluate(loaded.model, loaded.tokenizer, read_rows(rows))
    assert [record["row"] for record in records] == [record["index"] for record in records] == list(range(40))
    for record, item in zip(records, scores.items, strict=True):
        assert (record["exact_match"], record["greedy_text"]) == (item.exact_match, item.greedy_text)
        assert record["log_likelihood"] == pytest.approx(item.log_likelihood, abs=1e-4)


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_rows_of_any_length_are_found_by_their_place(tmp_path, end):
    path = tmp_path / "rows.jsonl"
    lines = [{"prompt": f"{number}:", "completion": " é", "note": "é" * 10**number} for number in range(1, 6)]
    text = (end or "\n").join(json.dumps(line, ensure_ascii=False) for line in lines) + end
    path.write_bytes(text.encode())
    plan = plan_rows(MODEL, path, tmp_path / "plan")
    with open_work(plan) as work:
        found = [json.loads(line) for block in plan.blocks() for line in work.score(block)]
    assert sorted(record["prompt"] for record in found) == [line["prompt"] for line in lines]


def test_a_plan_holds_what_the_records_hang_on(plan):
    header = open_plan(plan.path).header
    assert {
        "kind",
        "model",
        "digest",
        "tokenizer",
        "dtype",
        "threads",
        "data",
        "end_token",
        "versions",
    } <= header.keys()
    assert all(len(block.items) * 30 < 64 * 30 for block in plan.blocks())
    assert plan.item_count == 40


def test_the_device_of_a_plan_is_that_of_the_machine_that_made_it(rows, tmp_path, monkeypatch):
    """Elsewhere "auto" may be another device, whose bits differ."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert plan_rows(MODEL, rows, tmp_path / "rows", device="auto").header["device"] == "cpu"
    (tmp_path / "t.yaml").write_text(
        "task: t\ndataset_path: json\ndataset_kwargs: {data_files: {test: rows.jsonl}}\ntest_split: test\n"
        "output_type: loglikelihood\ndoc_to_text: '{{prompt}}'\ndoc_to_target: '{{completion}}'\n"
    )
    shutil.copy(rows, tmp_path / "rows.jsonl")
    assert plan_benchmarks(MODEL, [str(tmp_path / "t.yaml")], tmp_path / "plan").header["device"] == "cpu"


def test_rows_that_changed_since_the_plan_are_refused(plan, rows, tmp_path):
    before = rows.read_text()
    try:
        rows.write_text(before.replace('"5:"', '"6:"'))
        with open_work(plan) as work, pytest.raises(StoreError, match="row 5 is not what the plan was made of"):
            run_shard(plan, Shard(1, 1), tmp_path, work.score)
    finally:
        rows.write_text(before)


def test_rows_behind_a_byte_order_mark_are_those_without_it(rows, plan, tmp_path):
    marked = tmp_path / "rows.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + rows.read_bytes())
    other = plan_rows(MODEL, marked, tmp_path / "plan", token_budget=64)
    assert [block.items for block in other.blocks()] == [block.items for block in plan.blocks()]
    with open_work(other) as work:
        records = [line for block in other.blocks() for line in work.score(block)]
    assert sorted(json.loads(line)["row"] for line in records) == list(range(40))


@pytest.mark.parametrize("inserted", ["é", "日", '"', "{}\n"])
def test_a_place_within_a_row_or_a_character_shows_that_the_file_changed(tmp_path, inserted):
    path = tmp_path / "rows.jsonl"
    lines = [
        json.dumps({"prompt": "é日é日"[: 1 + place % 4], "completion": " a"}, ensure_ascii=False) for place in range(9)
    ]
    path.write_text("\n".join([*lines, ""]), "utf-8")
    plan = plan_rows(MODEL, path, tmp_path / "plan")
    path.write_text("\n".join([inserted + lines[0], *lines[1:], ""]), "utf-8")
    message = r"is not what the plan was made of; give the same file"
    with open_work(plan) as work, pytest.raises(StoreError, match=message):
        run_shard(plan, Shard(1, 1), tmp_path / "records", work.score)


def test_other_weights_and_other_versions_are_refused(plan, rows, tmp_path):
    lines = plan.path.read_text().splitlines(keepends=True)
    header = json.loads(lines[0])
    for change, fault in (
        ({"digest": "0" * 64}, StoreError),
        ({"tokenizer": "0" * 16}, StoreError),
        ({"versions": {"torch": "1.0"}}, UsageError),
        ({"kind": "chess"}, UsageError),
    ):
        path = tmp_path / "plan"
        path.write_text(json.dumps({**header, **change}) + "\n" + "".join(lines[1:]))
        message = r"has another (digest|tokenizer)|was made with torch 1\.0|unknown kind of work"
        with pytest.raises(fault, match=message), open_work(open_plan(path)):
            pass


def test_a_file_of_rows_is_no_plan_and_is_not_named_as_one_to_write(rows):
    with pytest.raises(
        StoreError, match=r"is no plan; write one to another file with: shoal eval .* --write-plan PLAN"
    ):
        open_plan(rows)


def test_what_cannot_be_planned_is_refused(rows, tmp_path):
    with pytest.raises(UsageError, match="is a dummy"):
        plan_rows("oracle?p=0.5", rows, tmp_path / "plan")
    with pytest.raises(UsageError, match=r"is no \.jsonl file"):
        plan_rows(MODEL, tmp_path / "rows.parquet", tmp_path / "plan")
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a"}\n')
    with pytest.raises(DataError, match="there is no column 'completion'"):
        plan_rows(MODEL, tmp_path / "rows.jsonl", tmp_path / "plan")
    (tmp_path / "rows.jsonl").write_bytes(b'{"prompt": "\xff"}\n')
    with pytest.raises(DataError, match="is not UTF-8"):
        plan_rows(MODEL, tmp_path / "rows.jsonl", tmp_path / "plan")
