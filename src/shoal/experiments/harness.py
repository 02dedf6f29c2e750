"""The run's items and results as lm-evaluation-harness writes them, so that its readers and viewers take them.

The harness knows models and tasks, and no seeds: each trained model is a model of its own here, with arm and seed in
its name (``pretrained-seed-0``) and a folder as ``--output_path`` gives it. The tasks are the two parts of the split,
the same for every model, so that a reader which pairs models by item pairs arms and seeds. Only what a run has is
written: nothing is made up for the rest.

Source: lm-evaluation-harness 0.4.13, ``lm_eval/result_schema.py`` and ``lm_eval/loggers/evaluation_tracker.py``.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shoal.experiments.records import SPLITS
from shoal.experiments.storage import write_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.measures import Measure
    from shoal.experiments.records import ArmItems, ItemRecord
    from shoal.experiments.run_folder import Run

FOLDER = "lm-eval"
"""The folder of a run that these files stand in."""

_STAMP = re.compile(r"results_(.+)\.json")


def write_harness_files(run: Run, task: str, arms: Mapping[str, ArmItems]) -> None:
    """Write ``lm-eval/<arm>-seed-<n>/results_<stamp>.json`` and a ``samples_<task>_<stamp>.jsonl`` for each split.

    Args:
        run: the run folder.
        task: the name of its task.
        arms: the items of every arm.
    """
    stamp = _stamp(run)
    for arm, seeds in arms.items():
        for seed, parts in seeds.items():
            items = {_task_name(task, split): parts["after", split] for split in SPLITS}
            _write_model(run, arm, seed, items, stamp)


def _write_model(run: Run, arm: str, seed: int, rows: Mapping[str, Sequence[ItemRecord]], stamp: str) -> None:
    """The files of one trained model."""
    experiment, environment, model = run.experiment, run.environment, f"{arm}-seed-{seed}"
    assert environment is not None  # written before anything else
    folder = run.folder / FOLDER / model
    folder.mkdir(parents=True, exist_ok=True)
    measures = experiment.task.measures
    samples = {name: [_sample(row, place, measures) for place, row in enumerate(part)] for name, part in rows.items()}
    for name, lines in samples.items():
        write_jsonl(folder / f"samples_{name}_{stamp}.jsonl", lines)
    source = experiment.arms.get(arm, experiment.arms[experiment.treatment])
    results = {
        "results": {name: _metrics(name, part, measures) for name, part in rows.items()},
        "group_subtasks": {name: [] for name in rows},
        "configs": {name: _config(experiment, name, lines, arm, seed) for name, lines in samples.items()},
        "versions": dict.fromkeys(rows, environment.shoal),
        "n-shot": dict.fromkeys(rows, 0),
        "higher_is_better": {
            name: {metric: measure.higher_is_better for metric, measure in measures.items()} for name in rows
        },
        "n-samples": {name: {"original": len(part), "effective": len(part)} for name, part in rows.items()},
        "config": {
            "model": "shoal",
            "model_args": {"model": source, "arm": arm, "seed": seed, "experiment": experiment.folder_name},
            # The weights are float32 whatever the precision of the training steps.
            "model_dtype": "float32",
            "device": experiment.device,
        },
        "git_hash": environment.commit,
        "transformers_version": environment.packages["transformers"],
        "model_source": "shoal",
        "model_name": model,
        "model_name_sanitized": model,
        "task_hashes": {name: _task_hash(lines) for name, lines in samples.items()},
    }
    write_json(folder / f"results_{stamp}.json", results)


def _stamp(run: Run) -> str:
    """The stamp of the files that are there already, else the present time."""
    # A run that is judged again replaces its files; with a new stamp readers would find two results of each model.
    for path in sorted(run.folder.glob(f"{FOLDER}/*/results_*.json")):
        if match := _STAMP.fullmatch(path.name):
            return match[1]
    # The form of the stamps of lm-evaluation-harness, which its readers parse: local to no zone, without colons.
    return datetime.now(UTC).replace(tzinfo=None).isoformat().replace(":", "-")


def _task_name(task: str, split: str) -> str:
    return re.sub(r"\W", "_", f"{task}_{split}")


def _metrics(name: str, rows: Sequence[ItemRecord], measures: Mapping[str, Measure]) -> dict[str, Any]:
    """Each measure over the items, with the standard error of its mean over them."""
    found: dict[str, Any] = {"name": name, "alias": name, "sample_len": len(rows)}
    for metric, measure in measures.items():
        values = [value for row in rows if (value := measure.item(row)) is not None]
        if values:
            found[f"{metric},none"] = sum(values) / len(values)
            found[f"{metric}_stderr,none"] = _standard_error(values)
    return found


def _standard_error(values: Sequence[float]) -> float | str:
    """Of the mean; the harness writes N/A where there is none."""
    import statistics

    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else "N/A"


def _config(
    experiment: Experiment, name: str, lines: Sequence[Mapping[str, Any]], arm: str, seed: int
) -> dict[str, Any]:
    """The task; readers look for each listed metric in every sample, so those that some items lack are left out."""
    return {
        "task": name,
        "dataset_path": experiment.task.name,
        "dataset_kwargs": dict(experiment.task.options),
        "test_split": next(split for split in SPLITS if name.endswith(split)),
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "{{completion}}",
        "target_delimiter": "",
        "num_fewshot": 0,
        "output_type": "generate_until",
        "generation_kwargs": {"until": [], "do_sample": False},
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": measure.higher_is_better}
            for metric, measure in experiment.task.measures.items()
            if all(metric in line for line in lines)
        ],
        "metadata": {"arm": arm, "seed": seed},
    }


def _sample(item: ItemRecord, place: int, measures: Mapping[str, Measure]) -> dict[str, Any]:
    doc = {"prompt": item.prompt, "completion": item.completion, "ends": item.ends, **item.tags}
    values = {metric: value for metric, measure in measures.items() if (value := measure.item(item)) is not None}
    return {
        "doc_id": place,
        "doc": doc,
        "target": item.completion,
        "arguments": {"gen_args_0": {"arg_0": item.prompt, "arg_1": {"until": [], "do_sample": False}}},
        "resps": [[item.greedy_text]],
        "filtered_resps": [item.greedy_text],
        "filter": "none",
        "metrics": list(values),
        "doc_hash": _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(item.prompt),
        "target_hash": _hash(item.completion),
        **values,
    }


def _task_hash(lines: Sequence[Mapping[str, Any]]) -> str:
    return _hash("".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
