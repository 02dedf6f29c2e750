"""lm-evaluation-harness against the server, beside `shoal eval`: the same log-likelihoods, choices and greedy verdicts?

Four log-likelihood tasks are written as task files over local data: letters and whole texts of MedQA's options, yes or
no of StrategyQA, minimal pairs of BLiMP. The peer's command asks ``shoal serve`` (``lm_eval --model
local-completions``), and shoal evaluates the same files with the same model.

    python -m benchmarks.serving_harness [--model FOLDER] [--items 60]

Figures go to bench-out/serving_harness.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import zipfile
from itertools import chain, islice
from pathlib import Path
from typing import Any

from benchmarks.processes import DATA, ONE_THREAD, PEERS_PYTHON, write_result
from benchmarks.serving import server
from shoal.evaluation.benchmarks import evaluate_benchmarks, read_records
from shoal.models import bundled_folder

TASK = """task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {file}
output_type: multiple_choice
test_split: test
doc_to_text: "{text}"
doc_to_target: gold
doc_to_choice: {choices}
target_delimiter: "{delimiter}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""
OPTIONS = "A. {{options[0]}}\\nB. {{options[1]}}\\nC. {{options[2]}}\\nD. {{options[3]}}\\n"
TASKS = (
    ("letters", "medqa", "Question: {{question}}\\n" + OPTIONS + "Answer:", '["A", "B", "C", "D"]', " "),
    ("texts", "medqa", "Question: {{question}}\\nAnswer:", '"{{options}}"', " "),
    ("yes_no", "strategyqa", "Question: {{question}}\\nAnswer:", '["yes", "no"]', " "),
    ("pairs", "blimp", "", '"{{[good, bad]}}"', ""),
)


def main() -> None:
    """Evaluate both ways and compare item by item."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(bundled_folder("stories")), help="a folder that transformers loads")
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--context", type=int, default=2048)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = write_tasks(folder, options.items)
        theirs = ask_the_harness(folder, names, options.model, options.context)
        evaluate_benchmarks(options.model, names, task_folders=[folder], out=folder / "ours")
        (path,) = (folder / "ours").rglob("records.jsonl")
        ours = {(record.task, record.index): record for record in read_records(path)}
    figures = {name: compare(theirs[name], {key[1]: ours[key] for key in ours if key[0] == name}) for name in names}
    print(f"{'task':10} {'items':>5} {'largest difference':>18} {'same choice':>11} {'same greedy':>11}")
    for name, found in figures.items():
        print(
            f"{name:10} {found['items']:>5} {found['difference']:>18.1e} {found['same_choice']:>11} "
            f"{found['same_greedy']:>11}"
        )
    write_result("serving_harness", figures)


def write_tasks(folder: Path, items: int) -> list[str]:
    """Write data and task files, and give the names of the tasks."""
    medqa = [json.loads(line) for line in (DATA / "medqa" / "us_4options_test.jsonl").open()]
    medqa = sorted(medqa, key=lambda row: len(row["question"]))[:items]
    strategy = [json.loads(line) for line in (DATA / "strategyqa" / "dev.jsonl").open()][:items]
    with zipfile.ZipFile(DATA / "blimp" / "BLiMP.zip") as archive:
        files = sorted(name for name in archive.namelist() if name.endswith(".jsonl"))
        # The first of each phenomenon, then the second.
        turns = zip(*(archive.read(name).decode().splitlines() for name in files), strict=False)
        pairs = [json.loads(line) for line in islice(chain.from_iterable(turns), items)]
    rows: dict[str, list[dict[str, Any]]] = {
        "medqa": [
            {
                "question": row["question"],
                "options": [row["options"][letter] for letter in "ABCD"],
                "gold": "ABCD".index(row["answer_idx"]),
            }
            for row in medqa
        ],
        "strategyqa": [{"question": row["question"], "gold": int(not row["answer"])} for row in strategy],
        "blimp": [{"good": row["sentence_good"], "bad": row["sentence_bad"], "gold": 0} for row in pairs],
    }
    for name, part in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    for name, data, text, choices, delimiter in TASKS:
        file = folder / f"{data}.jsonl"
        written = TASK.format(name=name, file=file, text=text, choices=choices, delimiter=delimiter)
        (folder / f"{name}.yaml").write_text(written, encoding="utf-8")
    return [name for name, *_ in TASKS]


def ask_the_harness(folder: Path, names: list[str], model: str, context: int) -> dict[str, list[dict[str, Any]]]:
    """The peer's samples of each task, by its own command against a server."""
    with server(model, slots=16) as (url, _):
        arguments = f"model={model},base_url={url}/v1/completions,tokenizer={model},tokenizer_backend=huggingface"
        command = [
            str(PEERS_PYTHON.parent / "lm_eval"), "--model", "local-completions", "--include_path", str(folder),
            "--tasks", ",".join(names), "--log_samples", "--output_path", str(folder / "theirs"),
            "--model_args", f"{arguments},num_concurrent=8,max_length={context}",
        ]  # fmt: skip
        subprocess.run(command, check=True, env=os.environ | ONE_THREAD | {"HF_DATASETS_OFFLINE": "1"})
    return {
        name: [json.loads(line) for line in next((folder / "theirs").rglob(f"samples_{name}_*.jsonl")).open()]
        for name in names
    }


def compare(theirs: list[dict[str, Any]], ours: dict[int, Any]) -> dict[str, float]:
    """How far the two agree on the items of a task."""
    difference, choices, greedy = 0.0, 0, 0
    for sample in theirs:
        record = ours[sample["doc_id"]]
        likelihoods = [float(response[0][0]) for response in sample["resps"]]
        difference = max([difference, *(abs(a - b) for a, b in zip(likelihoods, record.log_likelihoods, strict=True))])
        choices += likelihoods.index(max(likelihoods)) == record.log_likelihoods.index(max(record.log_likelihoods))
        greedy += [str(response[0][1]) == "True" for response in sample["resps"]] == list(record.greedy)
    return {"items": len(theirs), "difference": difference, "same_choice": choices, "same_greedy": greedy}


if __name__ == "__main__":
    main()
