"""What a worker does with each kind of job. With `inside`, it is all of the room that touches models."""

from __future__ import annotations

import copy
import random
import shutil
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shoal.errors import CertificationError, TrainingError
from shoal.experiments.inside import look_inside
from shoal.experiments.measures import mean_of
from shoal.experiments.tasks import make_experiment_task
from shoal.experiments.writing import disk_faults, write_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from shoal.experiments.experiment import Experiment
    from shoal.experiments.jobs import Job
    from shoal.models import LoadedModel
    from shoal.tasks import Example, Task
    from shoal.training import TrainResult, TrainSettings


@dataclass
class Bench:
    """Where a worker works: the run folder, the experiment, and the models that it has loaded so far."""

    folder: Path
    experiment: Experiment
    loaded: dict[str, LoadedModel] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """The examples and their split."""
        return make_experiment_task(self.experiment)

    def model(self, spec: str, seed: int, *, shuffle: bool = False) -> LoadedModel:
        """A model of the job's own, which it may change. Weights that no seed draws are read once a worker."""
        from shoal.models import load_model, parse_spec

        if parse_spec(spec).kind == "random":
            loaded = load_model(spec, device=self.experiment.device, seed=seed)
        else:
            if spec not in self.loaded:
                self.loaded[spec] = load_model(spec, device=self.experiment.device)
            loaded = replace(self.loaded[spec], model=copy.deepcopy(self.loaded[spec].model))
        if shuffle:
            from shoal.experiments.shuffling import shuffle_weights
            from shoal.models import weight_digest

            shuffle_weights(loaded.model, seed)
            loaded = replace(
                loaded, digest=weight_digest(loaded.model), origin=f"{loaded.origin}, shuffled by seed {seed}"
            )
        return loaded


def do(bench: Bench, job: Job) -> None:
    """Do a job and write what it found.

    Raises:
        ShoalError: whatever keeps it from being done.
    """
    with disk_faults(bench.folder):
        _KINDS[job.kind](bench, job)


def _certificate(bench: Bench, job: Job) -> None:
    """Prove the evaluator on dummies; nothing else is done where it fails."""
    from shoal.evaluation import certify

    certificate = certify(fast=True)
    if not certificate.passed:
        raise CertificationError(f"the evaluator failed its certificate, so nothing was run: {certificate.to_text()}")
    record = certificate.to_dict()
    # How long a check took is no part of what it proved; the job's own time stands in timings.jsonl.
    record["checks"] = [{key: value for key, value in check.items() if key != "seconds"} for check in record["checks"]]
    write_json(bench.folder / job.place, record)


def _narrowness(bench: Bench, job: Job) -> None:
    """How far the held-out part can be answered from the seen part."""
    from shoal.tasks import narrowness

    tokenizer = bench.model(job.spec, job.seed).tokenizer
    task = bench.task
    report = narrowness(
        task.seen, task.held_out, tokenizer, rule=task.rule if task.rule_known else None, shortcuts=task.shortcuts
    )
    write_json(bench.folder / job.place, report.to_dict())


def _precision(bench: Bench, job: Job) -> None:
    """The faster dtype of a training step, as the training room measures it."""
    from shoal.training import train

    loaded = bench.model(job.spec, job.seed)
    # The last examples are the longest where a task counts up; a step on a short one would misjudge the dtypes.
    few = bench.task.seen[-4:]
    result = train(loaded.model, loaded.tokenizer, few, replace(_settings(bench, job), precision="auto", epochs=1))
    write_json(bench.folder / job.place, {"precision": result.precision})


def _trial(bench: Bench, job: Job) -> None:
    """Train with one learning rate on a part of the seen examples, and score the rest of them."""
    tuning = bench.experiment.tuning
    kept, validation = divide(bench.task.seen, tuning.validation, job.seed)
    settings = replace(_settings(bench, job), epochs=tuning.epochs or bench.experiment.training.epochs)
    loaded = bench.model(job.spec, job.seed, shuffle=job.shuffle)
    folder = bench.folder / job.place
    record: dict[str, Any] = {
        "arm": job.arm,
        "learning_rate": job.learning_rate,
        "seed": job.seed,
        "measure": tuning.score,
        "score": None,
        "validation_examples": len(validation),
    }
    try:
        result = _train(loaded, kept, settings, folder)
    except TrainingError as fault:
        # A rate that makes the loss overflow has lost; that is a finding of the trial and no fault of the run.
        record["diverged"] = str(fault)
    else:
        rows = _rows(bench, loaded, {"validation": validation}, greedy_text=tuning.score == "string_match")
        record["score"] = mean_of(tuning.score, rows)
        record |= {"steps": result.steps, "final_loss": result.curve[-1].loss}
    _finish(folder, record)


def _arm(bench: Bench, job: Job) -> None:
    """One arm and seed: evaluate, train on all seen examples, evaluate."""
    folder = bench.folder / job.place
    loaded = bench.model(job.spec, job.seed, shuffle=job.shuffle)
    examples = {"seen": bench.task.seen, "held_out": bench.task.held_out}
    if not (folder / "before.jsonl").is_file():
        write_jsonl(folder / "before.jsonl", _rows(bench, loaded, examples))
    result = _train(loaded, bench.task.seen, _settings(bench, job), folder)
    write_jsonl(folder / "curve.jsonl", [asdict(point) for point in result.curve])
    write_jsonl(folder / "after.jsonl", _rows(bench, loaded, examples))
    if job.seed == bench.experiment.seeds[0]:
        held_out = bench.task.held_out
        look_inside(loaded, job.arm, held_out[len(held_out) // 2], bench.folder)
    _finish(folder, _done(job, loaded, result))


def _shuffled_labels(bench: Bench, job: Job) -> None:
    """Train on completions that were dealt to other prompts, and evaluate on the held-out examples."""
    folder = bench.folder / job.place
    loaded = bench.model(job.spec, job.seed)
    result = _train(loaded, deal(bench.task.seen, job.seed), _settings(bench, job), folder)
    write_jsonl(folder / "after.jsonl", _rows(bench, loaded, {"held_out": bench.task.held_out}))
    _finish(folder, _done(job, loaded, result))


_KINDS: Mapping[str, Callable[[Bench, Job], None]] = {
    "certificate": _certificate,
    "narrowness": _narrowness,
    "precision": _precision,
    "trial": _trial,
    "arm": _arm,
    "shuffled-labels": _shuffled_labels,
}


def divide(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to train on and examples to validate on, in order; at least one of each."""
    count = min(max(1, round(share * len(examples))), len(examples) - 1)
    drawn = set(random.Random(f"validation {seed}").sample(range(len(examples)), count))
    kept = [example for place, example in enumerate(examples) if place not in drawn]
    return kept, [example for place, example in enumerate(examples) if place in drawn]


def deal(examples: Sequence[Example], seed: int) -> list[Example]:
    """The examples with their completions dealt around, so that none keeps its own place's completion."""
    order = list(range(len(examples)))
    random.Random(f"labels {seed}").shuffle(order)
    source = dict(zip(order, order[1:] + order[:1], strict=True))
    return [
        replace(example, completion=examples[source[place]].completion, ends=examples[source[place]].ends)
        for place, example in enumerate(examples)
    ]


def _settings(bench: Bench, job: Job) -> TrainSettings:
    from shoal.experiments.learning import settings_of

    chosen = {"learning_rate": job.learning_rate, "precision": job.precision, "seed": job.seed}
    return settings_of(bench.experiment.training, chosen)


def _train(loaded: LoadedModel, examples: Sequence[Example], settings: TrainSettings, folder: Path) -> TrainResult:
    """Train in place; a training that was killed goes on from its checkpoint."""
    from shoal.training import train

    return train(loaded.model, loaded.tokenizer, examples, settings, folder=folder / "checkpoint")


def _rows(
    bench: Bench, loaded: LoadedModel, examples: Mapping[str, Sequence[Example]], *, greedy_text: bool = True
) -> list[dict[str, Any]]:
    """One row an item, as the run folder keeps it."""
    from shoal.evaluation import evaluate
    from shoal.text import encode_pairs

    flat = [(split, example) for split, part in examples.items() for example in part]
    scores = evaluate(
        loaded.model,
        loaded.tokenizer,
        [example for _, example in flat],
        token_budget=bench.experiment.evaluation.token_budget,
        greedy_text=greedy_text,
    )
    pairs = encode_pairs(loaded.tokenizer, [(example.prompt, example.completion, example.ends) for _, example in flat])
    return [
        {
            "split": split,
            "prompt": example.prompt,
            "completion": example.completion,
            "ends": example.ends,
            "tags": dict(example.tags),
            **asdict(item),
            "tokens_text": [loaded.tokenizer.decode([token]) for token in pair.target],
        }
        for (split, example), item, pair in zip(flat, scores.items, pairs, strict=True)
    ]


def _done(job: Job, loaded: LoadedModel, result: TrainResult) -> dict[str, Any]:
    from shoal.models import weight_digest

    return {
        "arm": job.arm,
        "spec": job.spec,
        "seed": job.seed,
        "origin": loaded.origin,
        "parameters": loaded.parameters,
        "learning_rate": job.learning_rate,
        "precision": result.precision,
        "steps": result.steps,
        "final_loss": result.curve[-1].loss,
        "digest_before": loaded.digest,
        "digest_after": weight_digest(loaded.model),
    }


def _finish(folder: Path, record: Mapping[str, Any]) -> None:
    """Mark a job as finished; only then is its checkpoint of no more use."""
    write_json(folder / "done.json", record)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
