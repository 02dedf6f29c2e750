"""A whole evaluation: figures, records that resume, and orders that change nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from shoal.errors import DataError, StoreError, UsageError
from shoal.evaluation.benchmarks import RequestAnswerer, evaluate_benchmarks, read_records
from shoal.models import LoadedModel
from tiny_models import alternating_llama

ALL = ["sums", "written_sums", "stories_text"]


@pytest.fixture(scope="module")
def whole(stories_model, task_folder, tmp_path_factory):
    """All tasks in one run, with its folder."""
    out = tmp_path_factory.mktemp("whole")
    return evaluate_benchmarks(stories_model, ALL, task_folders=[task_folder], out=out, keep_items=True), out


def test_every_task_has_its_figures_with_intervals(whole):
    found, _ = whole
    by_task = {task.task: task for task in found.tasks}
    assert {(metric.name, metric.filter) for metric in by_task["sums"].metrics} == {
        ("acc", "none"),
        ("acc_norm", "none"),
    }
    assert by_task["sums"].items == 12
    assert by_task["sums"].chance.level == pytest.approx(1 / 3)
    assert by_task["written_sums"].chance is None
    assert by_task["written_sums"].metrics[0].filter == "strict"
    bits = {metric.name: metric for metric in by_task["stories_text"].metrics}["bits_per_byte"]
    assert bits.interval.low < bits.value < bits.interval.high
    assert "exact p" in str(found)
    assert len(found.to_frame()) == 6
    assert len(found.shown) == 36


def test_the_headline_names_the_figures_of_the_first_tasks_and_counts_the_others(whole):
    results, _ = whole
    first = results.tasks[0]
    figure = f"{first.metrics[0].name} {first.metrics[0].value:.4g} on {first.task}"
    five = replace(results, tasks=(first,) * 5).headline()
    assert five.startswith(f"{results.model} reaches {figure}, {figure} and {figure}, and 2 tasks more")
    assert replace(results, tasks=(first,)).headline().startswith(f"{results.model} reaches {figure}")


def test_records_are_the_same_bytes_in_every_order_of_tasks_and_after_a_kill(
    whole, stories_model, task_folder, tmp_path
):
    _, out = whole
    expected = (out / "records.jsonl").read_bytes()
    lines = expected.splitlines(keepends=True)
    # As a kill in the middle of a block leaves it: whole lines, then a torn one.
    evaluate_benchmarks(stories_model, ALL[::-1], task_folders=[task_folder], out=tmp_path, limit=None)
    assert (tmp_path / "records.jsonl").read_bytes() == expected
    (tmp_path / "records.jsonl").write_bytes(b"".join(lines[:5]) + lines[5][:20])
    found = evaluate_benchmarks(stories_model, ALL, task_folders=[task_folder], out=tmp_path)
    assert (tmp_path / "records.jsonl").read_bytes() == expected
    assert found.to_dict()["tasks"] == whole[0].to_dict()["tasks"]


def test_a_folder_of_other_settings_is_refused(whole, stories_model, task_folder):
    with pytest.raises(StoreError, match="another evaluation"):
        evaluate_benchmarks(stories_model, ["sums"], task_folders=[task_folder], out=whole[1], limit=3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ignore_case: true", "ignore_case: false"),
        ("ignore_case: true", "ignore_numbers: true"),
        ("([0-9]+)", "([0-9])"),
        ("{function: take_first}", "{function: lowercase}, {function: take_first}"),
        ("name: strict", "name: loose"),
        ("test_split: test", "test_split: test\nmetadata: {cluster: kind}"),
    ],
)
def test_values_of_other_filters_or_metrics_are_not_taken_for_those_of_the_task(
    stories_model, task_folder, tmp_path, old, new
):
    """A task file may be edited under the same name and version."""
    tasks, out = tmp_path / "tasks", tmp_path / "out"
    shutil.copytree(task_folder, tasks)
    options = {"task_folders": [tasks], "limit": 2}
    evaluate_benchmarks(stories_model, ["written_sums"], out=out, **options)
    before = (out / "records.jsonl").read_bytes()
    file = tasks / "written.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(StoreError, match="holds another evaluation"):
        evaluate_benchmarks(stories_model, ["written_sums"], out=out, **options)
    assert (out / "records.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("column", "more"),
    [
        ("kind", "metadata: {cluster: kind}"),
        ("ratio", "metric_list: [{metric: correlation}]"),
        ("choices", "filter_list: [{name: f, filter: [{function: multi_choice_regex}, {function: take_first}]}]"),
    ],
)
def test_records_of_other_data_are_not_taken_where_prompts_and_answers_are_the_same(
    stories_model, task_folder, tmp_path, column, more
):
    """Columns that are read when an item is scored do not stand in what the model reads."""
    tasks, out = tmp_path / "tasks", tmp_path / "out"
    shutil.copytree(task_folder, tasks)
    file, name = ("written.yaml", "written_sums") if column == "choices" else ("sums.yaml", "sums")
    data, key = tasks / "sums.jsonl", more.partition(":")[0]
    (tasks / file).write_text((tasks / file).read_text().partition(f"\n{key}:")[0] + f"\n{more}\n")
    rows = [json.loads(line) for line in data.read_text().splitlines()]

    def evaluated(offset):
        values = {"kind": lambda k: str(k), "ratio": lambda k: k / 20, "choices": lambda k: [str(k)]}
        changed = [row | {column: values[column](place + offset)} for place, row in enumerate(rows)]
        data.write_text("".join(json.dumps(row) + "\n" for row in changed))
        return evaluate_benchmarks(stories_model, [name], task_folders=[tasks], out=out)

    first = evaluated(0).to_dict()
    assert evaluated(0).to_dict()["tasks"] == first["tasks"]
    with pytest.raises(StoreError, match="holds another evaluation"):
        evaluated(1)


def test_a_record_names_the_likeliest_choice_and_its_figures(whole):
    records = [record for record in read_records(whole[1] / "records.jsonl") if record.task == "sums"]
    assert {record.index for record in records} == set(range(12))
    for record in records:
        best = max(record.log_likelihoods)
        assert record.log_likelihoods[record.choice] == best
        assert record.metrics["acc,none"] == float(record.choice == record.gold)


def test_samples_hold_what_the_model_was_given(stories_model, task_folder, tmp_path):
    file = tmp_path / "samples.jsonl"
    evaluate_benchmarks(stories_model, ["sums"], task_folders=[task_folder], samples=file, limit=2, shots=1)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 2
    for row in rows:
        assert row["requests"][0]["context"].count("Question:") == 2
        assert row["requests"][0]["continuation"] == " " + row["document"]["answer"]


def test_items_of_the_training_text_are_counted_and_left_out(stories_model, task_folder, tmp_path):
    train = tmp_path / "train.txt"
    train.write_text("A book says: Tom has 1 apples and gets 1. How many? Nobody knows.\n")
    found = evaluate_benchmarks(stories_model, ["sums"], task_folders=[task_folder], train_text=train)
    overlap = found.tasks[0].overlap
    assert 1 <= overlap.items < overlap.checked == 12
    assert overlap.clean_value is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": []}, "no task is given"),
        ({"tasks": ["sums"], "limit": 0}, "--limit is 0"),
        ({"tasks": ["sums"], "shots": -1}, "--shots is -1"),
        ({"tasks": ["sums"], "token_budget": 0}, "token budget"),
        ({"tasks": ["smus"]}, "did you mean 'sums'"),
    ],
)
def test_bad_options_are_refused_in_a_line(stories_model, task_folder, options, message):
    with pytest.raises(UsageError, match=message):
        evaluate_benchmarks(stories_model, task_folders=[task_folder], **options)


def test_a_training_text_that_cannot_be_read_is_named_before_anything_is_computed(stories_model, task_folder, tmp_path):
    (tmp_path / "train.jsonl").write_text('{"words": "no text"}\n')
    with pytest.raises(DataError, match="no column 'text'"):
        evaluate_benchmarks(
            stories_model,
            ["sums"],
            task_folders=[task_folder],
            train_text=tmp_path / "train.jsonl",
            out=tmp_path / "out",
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": "hot"}, "temperature of written_sums must be a number of 0 or more, not 'hot'"),
        ({"do_sample": True, "temperature": -1}, "must be a number of 0 or more, not -1"),
        ({"do_sample": "false"}, "do_sample of written_sums must be true or false"),
        ({"num_beams": 4}, "wants 4 beams"),
        ({"until": [1]}, "until of written_sums must be text"),
    ],
)
def test_settings_of_a_generation_are_refused_before_anything_is_computed(
    stories_model, task_folder, tmp_path, settings, message
):
    tasks = shutil.copytree(task_folder, tmp_path / "tasks")
    file = tasks / "written.yaml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("generation_kwargs")]
    file.write_text("\n".join([*lines, f"generation_kwargs: {json.dumps({'max_gen_toks': 5} | settings)}"]))
    with pytest.raises((DataError, UsageError), match=message):
        evaluate_benchmarks(stories_model, ALL, task_folders=[tasks], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "greedy"),
    [
        ({"do_sample": True, "temperature": 0}, True),
        ({"do_sample": True, "temperature": 0.0}, True),
        ({"do_sample": False, "temperature": 2.0}, True),
        ({"temperature": 0.0}, True),
        ({"temperature": 5.0}, False),
        ({"do_sample": True}, False),
        ({"do_sample": True, "temperature": None}, False),
    ],
)
def test_text_is_sampled_where_the_settings_say_so(stories_model, settings, greedy):
    answerer, room = RequestAnswerer(stories_model), {"max_gen_toks": 20}
    prompts = ["One day, Tim"] * 3
    assert (answerer.generate(prompts, settings | room) == answerer.generate(prompts, room)) == greedy


def test_data_that_is_not_there_is_named_with_what_to_do(stories_model, tmp_path):
    with pytest.raises(DataError, match=r"gsm8k/test\.jsonl.*--data"):
        evaluate_benchmarks(stories_model, ["gsm8k"], data=tmp_path)


def test_a_stop_string_that_is_a_control_token_ends_the_text():
    model, tokenizer = alternating_llama()
    answerer = RequestAnswerer(
        LoadedModel(spec="m", model=model, tokenizer=tokenizer, digest="0", parameters=0, origin="t")
    )
    for settings in ({}, {"do_sample": True, "temperature": 1e-3}):
        found = [
            answerer.generate(["a"], {"until": until, "max_gen_toks": 6, **settings})
            for until in (["x"], ["<pad>", "x"])
        ]
        # Control tokens have no text, so that the string itself is never found in it.
        assert found == [["bbb"], [""]]
