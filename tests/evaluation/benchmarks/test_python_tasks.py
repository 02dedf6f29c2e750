"""Tasks that need Python run by the task objects of lm-evaluation-harness, where that is installed."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")

from shoal.evaluation.benchmarks import evaluate_benchmarks

TASK = """
task: python_sums
dataset_path: org/sums
output_type: multiple_choice
test_split: test
process_docs: !function utils.with_choices
doc_to_text: "{{question}}"
doc_to_target: 1
doc_to_choice: choices
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
"""
FUNCTIONS = """
def with_choices(dataset):
    return dataset.map(lambda row: {"choices": ["no", row["answer"]]})
"""


def test_its_functions_make_the_documents_and_shoal_computes(tmp_path, stories_model):
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "utils.py").write_text(FUNCTIONS)
    data = tmp_path / "org" / "sums" / "test.jsonl"
    data.parent.mkdir(parents=True)
    data.write_text("".join(json.dumps({"question": f"Tom {place}", "answer": "yes"}) + "\n" for place in range(4)))
    samples = tmp_path / "samples.jsonl"
    found = evaluate_benchmarks(stories_model, ["python_sums"], task_folders=[tmp_path], data=tmp_path, samples=samples)
    assert found.tasks[0].items == 4
    assert found.tasks[0].chance.level == 0.5
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    assert {tuple(request["continuation"] for request in row["requests"]) for row in rows} == {(" no", " yes")}
