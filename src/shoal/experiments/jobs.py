"""Jobs that do not depend on each other, so that workers may take them in any order; and how each kind is done.

A kind of job is a function with `job_kind` before it; what those that train share is in `job_training`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import CertificationError, TrainingError, UnknownNameError
from shoal.experiments.controls import ControlCheck
from shoal.experiments.environment import Stopwatch, set_threads
from shoal.experiments.explaining import explained_items, look_inside, write_answers
from shoal.experiments.job_training import arm_record, finish_job, score_items, settings_of, train_in, write_items
from shoal.experiments.loading import experiment_from
from shoal.experiments.measures import MEASURES, mean_of
from shoal.experiments.records import TrialRecord
from shoal.experiments.storage import GrowingCurve, disk_faults, write_json, write_jsonl
from shoal.experiments.tasks import at_equal_steps, augmentation_of, make_experiment_task, train_validation_split

if TYPE_CHECKING:
    from shoal.attribution import CandidateTable
    from shoal.experiments.experiment import Experiment
    from shoal.experiments.tasks import TrainingPlan
    from shoal.experiments.worker_main import Answering
    from shoal.models import LoadedModel
    from shoal.tasks import Task

# Above every seed that a number in the file gives (see `Experiment.seeds`), so that no trial repeats an arm's draw.
TRIAL_SEED = 10_000
"""Trials of learning rates have seeds from here on, apart from those of the arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One unit of work. It is finished when the file that it writes last is there."""

    kind: str
    """One of `JOB_KINDS`."""

    place: str
    """Its folder or file in the run folder."""

    title: str
    """What messages call it."""

    spec: str = ""
    arm: str = ""
    seed: int = 0
    run_seed: int = 0
    """Of a trial: the seed of the run that it chooses the learning rate for."""

    learning_rate: float = 0.0
    precision: str = "float32"
    shuffle: bool = False
    """Shuffle the weights within each tensor before anything else."""

    control: str = ""
    """Of a control that trains on examples of its own: its name."""

    def __post_init__(self) -> None:
        if self.kind not in JOB_KINDS:
            raise UnknownNameError("kind of job", self.kind, tuple(JOB_KINDS))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a worker."""
        return asdict(self)


@dataclass
class WorkerContext:
    """State that the jobs of one worker share: the run folder, the experiment, and the models loaded so far."""

    folder: Path
    experiment: TrainingPlan
    loaded: dict[str, LoadedModel] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """The examples and their split."""
        return make_experiment_task(self.experiment)

    @cached_property
    def candidates(self) -> CandidateTable:
        """What the rule and the shortcuts answer to the held-out items: the same for every training."""
        from shoal.attribution import candidates_of

        return candidates_of(self.task, explained_items(self.task))

    def model(self, spec: str, seed: int, *, shuffle: bool = False) -> LoadedModel:
        """A model of the job's own, which it may change. Weights that no seed draws are read once per worker.

        Args:
            spec: the model spec.
            seed: of fresh and of shuffled weights.
            shuffle: whether to shuffle the weights within each tensor.
        """
        from shoal.models import load_model, parse_spec

        if parse_spec(spec).kind == "random":
            loaded = load_model(spec, device=self.experiment.device, seed=seed)
        else:
            if spec not in self.loaded:
                self.loaded[spec] = load_model(spec, device=self.experiment.device)
            # A copy, since training changes the weights in place.
            loaded = replace(self.loaded[spec], model=copy.deepcopy(self.loaded[spec].model))
        if shuffle:
            import torch

            from shoal.models import model_digest, shuffle_weights

            shuffle_weights(loaded.model, torch.Generator().manual_seed(seed))
            loaded = replace(
                # The digest that was read with the weights is of their old order.
                loaded,
                digest=model_digest(loaded.model),
                origin=f"{loaded.origin}, shuffled by seed {seed}",
            )
        return loaded


JobFunction = Callable[[WorkerContext, Job], None]

JOB_KINDS: dict[str, JobFunction] = {}
"""From a kind of job to what does it."""


def job_kind(name: str) -> Callable[[JobFunction], JobFunction]:
    """Register a function as what does the jobs of a kind."""

    def register(function: JobFunction) -> JobFunction:
        JOB_KINDS[name] = function
        return function

    return register


def run_job(context: WorkerContext, job: Job) -> dict[str, Any]:
    """Do a job, and write what it found.

    Args:
        context: what the jobs of this worker share.
        job: what to do.

    Returns:
        What it took, as a row of ``timings.jsonl``. That stands apart from the records, which are the same for every
        run of an experiment.

    Raises:
        ShoalError: whatever keeps it from being done.
    """
    stopwatch = Stopwatch()
    with disk_faults(context.folder):
        JOB_KINDS[job.kind](context, job)
    return {"place": job.place, **stopwatch.cost()}


def begin_jobs(opening: dict[str, Any]) -> Answering:
    """What a worker process of a run does, as `shoal.experiments.worker_main` takes it."""
    set_threads(opening["threads"])
    experiment = experiment_from(opening["experiment"], "the run's experiment.toml")
    context = WorkerContext(Path(opening["folder"]), experiment)
    return lambda line: run_job(context, Job(**line))


@job_kind("certificate")
def _certificate(context: WorkerContext, job: Job) -> None:
    """Prove the evaluator on dummies; nothing else is done where it fails."""
    from shoal.evaluation import certify

    # Before anything is trained: an evaluator that is wrong would be found out only after hours of training.
    certificate = certify(fast=True)
    if not certificate.passed:
        raise CertificationError(f"the evaluator failed its certificate, so nothing was run: {certificate}")
    record = certificate.to_dict()
    # How long a check took is no part of what it proved; the job's own time stands in timings.jsonl.
    record["checks"] = [{key: value for key, value in check.items() if key != "seconds"} for check in record["checks"]]
    write_json(context.folder / job.place, record)


@job_kind("narrowness")
def _narrowness(context: WorkerContext, job: Job) -> None:
    """How far the held-out part can be answered from the seen part."""
    from shoal.tasks import narrowness

    tokenizer = context.model(job.spec, job.seed).tokenizer
    task = context.task
    report = narrowness(
        task.seen, task.held_out, tokenizer, rule=task.rule if task.rule_known else None, shortcuts=task.shortcuts
    )
    write_json(context.folder / job.place, report.to_dict())


@job_kind("precision")
def _precision(context: WorkerContext, job: Job) -> None:
    """The faster dtype of a training step, as the training room measures it."""
    from shoal.training import train

    loaded = context.model(job.spec, job.seed)
    # The last examples are the longest where a task counts up; a step on a short one would misjudge the dtypes.
    few = context.task.seen[-4:]
    result = train(loaded.model, loaded.tokenizer, few, replace(settings_of(context, job), precision="auto", epochs=1))
    write_json(context.folder / job.place, {"precision": result.precision})


@job_kind("trial")
def _trial(context: WorkerContext, job: Job) -> None:
    """Train with one learning rate on a part of the seen examples, and score the rest of them."""
    tuning = _experiment_of(context).tuning
    train_on, validation = train_validation_split(context.task.seen, tuning.validation, job.seed)
    settings = replace(settings_of(context, job), epochs=tuning.epochs or context.experiment.training.epochs)
    # With the validation part kept apart: an augmented example that is equal to one of it would be leakage.
    found = augmentation_of(context.experiment, context.task, train_on, job.seed, validation=validation)
    train_on, settings = list(found.examples) if found else train_on, at_equal_steps(settings, found)
    loaded = context.model(job.spec, job.seed, shuffle=job.shuffle)
    folder = context.folder / job.place
    record = TrialRecord(
        arm=job.arm,
        learning_rate=job.learning_rate,
        run_seed=job.run_seed,
        seed=job.seed,
        measure=tuning.score,
        score=None,
        validation_examples=len(validation),
    )
    try:
        result = train_in(job, loaded, train_on, settings, folder)
    except TrainingError as fault:
        # A rate that makes the loss overflow has lost; that is a finding of the trial and no fault of the run.
        record = replace(record, diverged=str(fault))
    else:
        items = score_items(context, loaded, {"validation": validation}, greedy_text=MEASURES[tuning.score].reads_text)
        record = replace(
            record, score=mean_of(tuning.score, items), steps=result.steps, final_loss=result.curve[-1].loss
        )
    finish_job(folder, record.to_dict())


@job_kind("arm")
def _arm(context: WorkerContext, job: Job) -> None:
    """One arm and seed: evaluate, train on all seen examples, evaluate."""
    from shoal.training.watch import Watch, WatchEvent

    folder = context.folder / job.place
    loaded = context.model(job.spec, job.seed, shuffle=job.shuffle)
    examples = {"seen": context.task.seen, "held_out": context.task.held_out}
    # A resumed job has evaluated the fresh model already, and its checkpoint holds a later one.
    if not (folder / "before.jsonl").is_file():
        write_items(folder / "before.jsonl", score_items(context, loaded, examples))
    found = augmentation_of(context.experiment, context.task, context.task.seen, job.seed)
    if found is not None:
        write_json(folder / "augmentation.json", found.to_dict())
    train_on, settings = (
        found.examples if found else context.task.seen,
        at_equal_steps(settings_of(context, job), found),
    )
    # A line per step, for those who look at the run while it trains; at the end the curve is written whole.
    with (
        GrowingCurve(folder / "curve.jsonl") as growing,
        GrowingCurve(folder / "events.jsonl", WatchEvent.to_dict) as events,
    ):
        watch = Watch(decode=loaded.tokenizer.decode, on_event=events.add)
        result = train_in(job, loaded, train_on, settings, folder, on_step=growing.add, watch=watch)
    write_jsonl(folder / "curve.jsonl", [asdict(point) for point in result.curve])
    # Without what a killed part has seen of steps that were repeated, and with what the schedule has done.
    happened = [event.to_dict() for event in watch.events] + [one.to_dict() for one in result.decisions]
    write_jsonl(folder / "events.jsonl", sorted(happened, key=itemgetter("step")))
    write_items(folder / "after.jsonl", score_items(context, loaded, examples))
    write_answers(loaded, context.candidates, folder, token_budget=context.experiment.evaluation.token_budget)
    # The report shows one model of each arm.
    if job.seed == _experiment_of(context).seeds[0]:
        held_out = context.task.held_out
        look_inside(loaded, job.arm, held_out[len(held_out) // 2], context.folder)
    finish_job(folder, asdict(arm_record(job, loaded, result)))


@job_kind("control")
def _control(context: WorkerContext, job: Job) -> None:
    """Train on the examples of a control, and evaluate on the held-out examples."""
    folder = context.folder / job.place
    loaded = context.model(job.spec, job.seed)
    examples = ControlCheck.registry[job.control]().training_examples(context.task.seen, job.seed)
    result = train_in(job, loaded, examples, settings_of(context, job), folder)
    write_items(folder / "after.jsonl", score_items(context, loaded, {"held_out": context.task.held_out}))
    finish_job(folder, asdict(arm_record(job, loaded, result)))


def _experiment_of(context: WorkerContext) -> Experiment:
    """The experiment, for the jobs that a cell of a crossed one does not have."""
    from shoal.experiments.experiment import Experiment

    assert isinstance(context.experiment, Experiment)
    return context.experiment
