"""What the jobs that train have in common: their settings, the training, the scores of items, and their records."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from shoal.experiments.records import ArmRecord, ItemRecord
from shoal.experiments.storage import write_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from shoal.experiments.jobs import Job, WorkerContext
    from shoal.models import LoadedModel
    from shoal.tasks import Example
    from shoal.training import CurvePoint, TrainResult, TrainSettings
    from shoal.training.watch import Watch


def settings_of(context: WorkerContext, job: Job) -> TrainSettings:
    """The settings of a job's training.

    Args:
        context: has those of the file.
        job: has the seed, and what was chosen by measuring.
    """
    from shoal.experiments.tables import train_settings_of

    chosen = {"learning_rate": job.learning_rate, "precision": job.precision, "seed": job.seed}
    return train_settings_of(context.experiment.training, chosen)


def train_in(
    job: Job,
    loaded: LoadedModel,
    examples: Sequence[Example],
    settings: TrainSettings,
    folder: Path,
    *,
    on_step: Callable[[CurvePoint], None] | None = None,
    watch: Watch | None = None,
) -> TrainResult:
    """Train in place; a training that was killed resumes from its checkpoint.

    Args:
        job: whose training it is; its seed draws what a training may hang on.
        loaded: the model; its weights change.
        examples: what it is trained on.
        settings: of the training.
        folder: of the job.
        on_step: called with each point of the curve.
        watch: observes each step.
    """
    from shoal.models import jitter_weights, parse_spec
    from shoal.training import train

    if not job.shuffle and parse_spec(job.spec).kind != "random":
        import torch

        # Fresh and shuffled weights are another draw for each seed. Given ones would repeat the same rounding each
        # time, and the spread of the seeds would leave out what another processor or number of threads changes.
        jitter_weights(loaded.model, torch.Generator().manual_seed(job.seed))
    place = folder / "checkpoint"
    return train(loaded.model, loaded.tokenizer, examples, settings, folder=place, on_step=on_step, watch=watch)


def score_items(
    context: WorkerContext, loaded: LoadedModel, examples: Mapping[str, Sequence[Example]], *, greedy_text: bool = True
) -> list[ItemRecord]:
    """Score examples.

    Args:
        context: has the size of a batch.
        loaded: the model.
        examples: by split.
        greedy_text: whether the text that the model would generate is wanted too.
    """
    from shoal.evaluation import evaluate

    flat = [(split, example) for split, part in examples.items() for example in part]
    scores = evaluate(
        loaded.model,
        loaded.tokenizer,
        [example for _, example in flat],
        token_budget=context.experiment.evaluation.token_budget,
        greedy_text=greedy_text,
    )
    return [
        ItemRecord.of_score(split, example, score, [loaded.tokenizer.decode([token]) for token in score.target_ids])
        for (split, example), score in zip(flat, scores.items, strict=True)
    ]


def write_items(path: Path, items: Sequence[ItemRecord]) -> None:
    """Write items as the run folder keeps them.

    Args:
        path: of the JSONL file.
        items: one a line.
    """
    write_jsonl(path, [asdict(item) for item in items])


def arm_record(job: Job, loaded: LoadedModel, result: TrainResult) -> ArmRecord:
    """What was trained, and how.

    Args:
        job: that trained it.
        loaded: the model, trained.
        result: of the training.
    """
    from shoal.models import model_digest

    return ArmRecord(
        arm=job.arm,
        spec=job.spec,
        seed=job.seed,
        origin=loaded.origin,
        parameters=loaded.parameters,
        learning_rate=job.learning_rate,
        precision=result.precision,
        steps=result.steps,
        final_loss=result.curve[-1].loss,
        digest_before=loaded.digest,
        digest_after=model_digest(loaded.model),
    )


def finish_job(folder: Path, record: Mapping[str, Any]) -> None:
    """Mark a job as finished; only then is its checkpoint of no more use.

    Args:
        folder: of the job.
        record: what it found.
    """
    write_json(folder / "done.json", record)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
