"""A tiny model and a folder of tasks with their data, shared by the tests of benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.models import load_for_scoring

ROWS = [
    {
        "question": f"Tom has {a} apples and gets {b}. How many?",
        "answer": str(a + b),
        "wrong": str(a + b + 1),
        "kind": k,
    }
    for a in range(1, 5)
    for b in range(1, 4)
    for k in ("fruit",)
]
CHOICE = """
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: sums.jsonl, train: sums.jsonl}}
output_type: multiple_choice
test_split: test
fewshot_split: train
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: 0
doc_to_choice: "{{[answer, wrong, 'none of them']}}"
metric_list:
  - {metric: acc}
  - {metric: acc_norm}
metadata: {version: 1.0}
"""
WRITTEN = """
task: written_sums
dataset_path: json
dataset_kwargs: {data_files: {test: sums.jsonl}}
output_type: generate_until
test_split: test
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: answer
generation_kwargs: {until: ["."], max_gen_toks: 12}
metric_list:
  - {metric: exact_match, ignore_case: true}
filter_list:
  - name: strict
    filter: [{function: regex, regex_pattern: "([0-9]+)"}, {function: take_first}]
"""
ROLLING = """
task: stories_text
dataset_path: json
dataset_kwargs: {data_files: {test: sums.jsonl}}
output_type: loglikelihood_rolling
test_split: test
doc_to_text: ""
doc_to_target: question
"""
GROUP = """
group: all_sums
task: [sums, written_sums]
"""


@pytest.fixture(scope="session")
def task_folder(tmp_path_factory) -> Path:
    """Task files of every output type, and their data next to them."""
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    for name, text in (("sums", CHOICE), ("written", WRITTEN), ("rolling", ROLLING), ("group", GROUP)):
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="session")
def stories_model():
    """The bundled model of stories, as it is scored."""
    return load_for_scoring("bundled:stories")
