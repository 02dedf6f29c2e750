"""BabyLM's zero-shot tasks beside its own pipeline: does every item get the same choice?

An evaluation folder of its layout is made from data at hand: pairs of BLiMP, and questions of StrategyQA whose facts
stand in for the contexts and targets of EWoK, COMPS and entity tracking. Its pipeline (babylm/evaluation-pipeline-2025,
a checkout of which is given) and shoal choose a continuation for each item; equal log-likelihoods are counted apart.

    python -m benchmarks.babylm_choices --pipeline CHECKOUT [--items 100] [--model MODEL]

Figures go to bench-out/babylm_choices.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.harness_scores import STORIES260K, both_read, questions
from benchmarks.processes import DATA, ONE_THREAD, OUT, PEERS_PYTHON, write_result
from shoal.evaluation.benchmarks import evaluate_benchmarks, read_records
from shoal.evaluation.stories import read_minimal_pairs

TASKS = {"blimp": "blimp_filtered", "ewok": "ewok_filtered", "entity_tracking": "entity_tracking", "comps": "comps"}
COMPS = ("prefix_acceptable", "prefix_unacceptable")


def main() -> None:
    """Run both sides on each task and count the items with the same choice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--model", default=str(STORIES260K))
    options = parser.parse_args()
    model = both_read(options.model)
    folder = OUT / "babylm" / "full_eval"
    write_data(folder, options.items)
    out = OUT / "babylm" / "records"
    (out / "records.jsonl").unlink(missing_ok=True)
    (out / "plan.json").unlink(missing_ok=True)
    evaluate_benchmarks(str(model), [f"babylm_{task}" for task in TASKS], data=OUT / "babylm", out=out)
    ours: dict[str, dict[int, Any]] = {}
    for record in read_records(out / "records.jsonl"):
        ours.setdefault(record.task, {})[record.index] = record
    result = {}
    for task, name in TASKS.items():
        theirs = peer_choices(options.pipeline, model, task, folder / name)
        result[task] = count(ours[f"babylm_{task}"], theirs)
        print(task, result[task], flush=True)
    print(f"written to {write_result('babylm_choices', result)}")


def count(records: dict[int, Any], theirs: list[int]) -> dict[str, int]:
    """Items, those with one best choice, and those of them that have the same choice on both sides."""
    same = ties = 0
    for place, choice in enumerate(theirs):
        best = sorted(records[place].log_likelihoods, reverse=True)
        if best[0] == best[1]:
            ties += 1
        else:
            same += records[place].choice == choice
    return {"items": len(theirs), "ties": ties, "same choice": same}


def peer_choices(pipeline: Path, model: Path, task: str, data: Path) -> list[int]:
    """The place of the sentence that the pipeline chooses for each item, in the order of its file."""
    output = OUT / "babylm" / "peer"
    command = [
        str(PEERS_PYTHON), "-m", "evaluation_pipeline.sentence_zero_shot.run",
        "--model_path_or_name", str(model.resolve()), "--backend", "causal", "--task", task,
        "--data_path", str(data.resolve()), "--save_predictions",
        "--output_dir", str(output.resolve()), "--batch_size", "8",
    ]  # fmt: skip
    subprocess.run(command, cwd=pipeline, env=os.environ | ONE_THREAD, check=True, capture_output=True)
    (file,) = output.rglob(f"{task}/{data.name}/predictions.json")
    predictions = json.loads(file.read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in next(data.glob("*.jsonl")).read_text(encoding="utf-8").splitlines()]
    chosen: dict[str, list[str]] = {
        uid: [each["pred"] for each in part["predictions"]] for uid, part in predictions.items()
    }
    places = []
    for row in rows:
        text = chosen[uid_of(task, row)].pop(0)
        places.append(texts_of(task, row).index(text))
    return places


def uid_of(task: str, row: dict[str, Any]) -> str:
    """The group that the pipeline files an item under."""
    return {
        "blimp": lambda: row["UID"],
        "ewok": lambda: row["Domain"],
        "entity_tracking": lambda: f"regular_{row['numops']}_ops",
        "comps": lambda: "base",
    }[task]()


def texts_of(task: str, row: dict[str, Any]) -> list[str]:
    """The texts that the pipeline names its choice by."""
    return {
        "blimp": lambda: [row["sentence_good"], row["sentence_bad"]],
        "ewok": lambda: [f" {row['Target1']}", f" {row['Target2']}"],
        "entity_tracking": lambda: row["options"],
        "comps": lambda: [
            f"{row[f'prefix_{kind}']} {row['property_phrase']}" for kind in ("acceptable", "unacceptable")
        ],
    }[task]()


def write_data(folder: Path, items: int) -> None:
    """The folder that both sides read."""
    pairs = read_minimal_pairs(DATA / "blimp" / "BLiMP.zip", max_per_paradigm=-(-items // 34))[:items]
    rows = [row for row in questions() if len(row["facts"]) > 1][:items]
    other = rows[1:] + rows[:1]
    files: dict[str, list[dict[str, Any]]] = {
        "blimp_filtered/all.jsonl": [
            {"sentence_good": pair.good, "sentence_bad": pair.bad, "field": "f", "UID": pair.paradigm,
             "linguistics_term": "t"}
            for pair in pairs
        ],
        "ewok_filtered/facts.jsonl": [
            {"Context1": row["facts"][0], "Context2": far["facts"][0], "Target1": row["facts"][1],
             "Target2": far["facts"][1], "Domain": "facts", "ContextType": "c", "ContextDiff": "d", "TargetDiff": "e"}
            for row, far in zip(rows, other, strict=True)
        ],
        "entity_tracking/regular.jsonl": [
            {"input_prefix": row["question"], "options": [f" {row['term']}", f" {far['term']}", " Nobody"], "numops": 1}
            for row, far in zip(rows, other, strict=True)
        ],
        "comps/comps_base.jsonl": [
            dict(zip((*COMPS, "property_phrase"), (row["term"], far["term"], row["description"]), strict=True))
            for row, far in zip(rows, other, strict=True)
        ],
    }  # fmt: skip
    for name, lines in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
