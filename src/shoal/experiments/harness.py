"""The run's items and results as lm-evaluation-harness writes them, so that its readers and viewers take them.

One task an arm and split (``counting_held_out_pretrained``), with the items of every seed, since the harness has no
seeds of models; each line says its seed in ``doc``. Only what a run has is written: nothing is made up for the rest.

Source: lm-evaluation-harness 0.4.13, ``lm_eval/result_schema.py`` and ``lm_eval/loggers/evaluation_tracker.py``.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shoal.experiments.measures import MEASURES, MeasureName, Row, mean_of
from shoal.experiments.summary import SPLITS, ArmRows
from shoal.experiments.writing import write_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.store import RunStore
    from shoal.tasks import Task

_METRICS: tuple[MeasureName, ...] = tuple(MEASURES)
_STAMP = re.compile(r"results_(.+)\.json")


def write_harness_files(store: RunStore, experiment: Experiment, task: Task, arms: Mapping[str, ArmRows]) -> None:
    """Write ``results_<stamp>.json`` and one ``samples_<task>_<stamp>.jsonl`` for each arm and split."""
    stamp = _stamp(store)
    names = {(arm, split): _task_name(task.name, split, arm) for arm in arms for split in SPLITS}
    samples = {
        name: [
            _sample(row, place, seed) for seed in arms[arm] for place, row in enumerate(arms[arm][seed]["after", split])
        ]
        for (arm, split), name in names.items()
    }
    for name, lines in samples.items():
        write_jsonl(store.path(f"samples_{name}_{stamp}.jsonl"), lines)
    environment = store.read("environment.json")
    results = {
        "results": {name: _metrics(name, arms[arm], split) for (arm, split), name in names.items()},
        "group_subtasks": {name: [] for name in names.values()},
        "configs": {name: _config(experiment, name, arm, split) for (arm, split), name in names.items()},
        "versions": dict.fromkeys(names.values(), environment["shoal"]),
        "n-shot": dict.fromkeys(names.values(), 0),
        "higher_is_better": {
            name: {metric: MEASURES[metric].higher_is_better for metric in _METRICS} for name in names.values()
        },
        "n-samples": {name: {"original": len(lines), "effective": len(lines)} for name, lines in samples.items()},
        "config": {
            "model": "shoal",
            "model_args": dict(experiment.arms),
            "model_dtype": "float32",
            "device": experiment.device,
        },
        "git_hash": environment["commit"],
        "transformers_version": environment["packages"]["transformers"],
        "model_source": "shoal",
        "model_name": experiment.folder_name,
        "model_name_sanitized": experiment.folder_name,
        "task_hashes": {name: _task_hash(lines) for name, lines in samples.items()},
    }
    write_json(store.path(f"results_{stamp}.json"), results)


def _stamp(store: RunStore) -> str:
    """The stamp of the files that are there already, else the present time."""
    for path in sorted(store.folder.glob("results_*.json")):
        if match := _STAMP.fullmatch(path.name):
            return match[1]
    return datetime.now(UTC).replace(tzinfo=None).isoformat().replace(":", "-")


def _task_name(task: str, split: str, arm: str) -> str:
    return re.sub(r"\W", "_", f"{task}_{split}_{arm}")


def _metrics(name: str, rows: ArmRows, split: str) -> dict[str, Any]:
    """Each measure over all items of all seeds, with the standard error of its mean over seeds."""
    found: dict[str, Any] = {
        "name": name,
        "alias": name,
        "sample_len": sum(len(parts["after", split]) for parts in rows.values()),
    }
    for metric in _METRICS:
        by_seed = [value for parts in rows.values() if (value := mean_of(metric, parts["after", split])) is not None]
        pooled = mean_of(metric, [row for parts in rows.values() for row in parts["after", split]])
        if pooled is not None:
            found[f"{metric},none"] = pooled
            found[f"{metric}_stderr,none"] = _standard_error(by_seed)
    return found


def _standard_error(values: Sequence[float]) -> float | str:
    """Of the mean; the harness writes N/A where there is none."""
    import statistics

    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else "N/A"


def _config(experiment: Experiment, name: str, arm: str, split: str) -> dict[str, Any]:
    return {
        "task": name,
        "dataset_path": experiment.task.name,
        "dataset_kwargs": dict(experiment.task.options),
        "test_split": split,
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "{{completion}}",
        "target_delimiter": "",
        "num_fewshot": 0,
        "output_type": "generate_until",
        "generation_kwargs": {"until": [], "do_sample": False},
        "metric_list": [
            {"metric": metric, "higher_is_better": MEASURES[metric].higher_is_better} for metric in _METRICS
        ],
        "metadata": {"arm": arm, "model": experiment.arms.get(arm, experiment.arms[experiment.treatment])},
    }


def _sample(row: Row, place: int, seed: int) -> dict[str, Any]:
    doc = {"prompt": row["prompt"], "completion": row["completion"], "ends": row["ends"], "seed": seed, **row["tags"]}
    values: dict[str, float] = {
        metric: value for metric in _METRICS if (value := MEASURES[metric].item(row)) is not None
    }
    return {
        "doc_id": place,
        "doc": doc,
        "target": row["completion"],
        "arguments": {"gen_args_0": {"arg_0": row["prompt"], "arg_1": {"until": [], "do_sample": False}}},
        "resps": [[row["greedy_text"]]],
        "filtered_resps": [row["greedy_text"]],
        "filter": "none",
        "metrics": list(values),
        "doc_hash": _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(row["prompt"]),
        "target_hash": _hash(row["completion"]),
        **values,
    }


def _task_hash(lines: Sequence[Mapping[str, Any]]) -> str:
    return _hash("".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
