"""One experiment from its file to its verdict; killed at any moment, the same call resumes it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import StoreError, UsageError
from shoal.experiments.controls import all_arms, controls_of
from shoal.experiments.environment import available_cores, has_gpu, keep_environment
from shoal.experiments.jobs import Job, WorkerContext, run_job
from shoal.experiments.recorded_work import do_unrecorded
from shoal.experiments.records import arm_place, read_items
from shoal.experiments.run_folder import open_run
from shoal.experiments.store import RunStore
from shoal.experiments.tables import as_table
from shoal.experiments.tasks import check_augmentation, check_shuffled_labels, examples_digest, make_experiment_task
from shoal.experiments.tuning import choose_rates, spec_of, trial_jobs
from shoal.experiments.workers import InProcess, WorkerPool
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.experiments.controls import ControlCheck
    from shoal.experiments.experiment import Experiment
    from shoal.experiments.verdict import Verdict
    from shoal.experiments.worker_main import Answering
    from shoal.experiments.workers import Engine
    from shoal.progress import Progress
    from shoal.tasks import Task


def run_experiment(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    *,
    workers: int | Literal["auto"] = "auto",
    progress: Progress | None = None,
) -> Verdict:
    """Run an experiment, or what is left of it, and give its verdict.

    In this order: the evaluator proves itself on dummies; the narrowness of the split is reported; the precision is
    measured; learning rates are tuned for each arm and seed with the same budget on a part of the seen examples; each
    arm is evaluated, trained and evaluated again for each seed; the controls are run; the verdict is reached.

    A seed draws all that a training may hang on: fresh and shuffled weights, the last place of given ones, the order of
    the examples, and the part of them that chooses its learning rate. Only so can the spread of the seeds have in it
    what another processor's rounding changes.

    Args:
        experiment: as `load_experiment` gives it.
        folder: the run folder; made where it does not exist.
        workers: processes that work side by side; ``auto`` is one per core, or one where there is a GPU; 0 does all in
            this process.
        progress: called with (what, done, total).

    Raises:
        CertificationError: the evaluator failed its certificate; nothing was trained.
        DataError: the task cannot be used: its rule contradicts the examples, for instance.
        StoreError: the folder holds another experiment or cannot be written.
        UsageError: the experiment names a task, a split or a model that cannot be used.
        KeyboardInterrupt: Ctrl-C; the same call resumes from there.
    """
    from shoal.tasks import check_task

    task = make_experiment_task(experiment)
    check_specs(experiment.arms)
    if experiment.controls.shuffled_labels:
        check_shuffled_labels(task.seen, f"the task {task.name!r}")
    check_task(task).raise_for_problems()
    check_augmentation(experiment, task, task.seen)
    report = progress or no_progress
    store = RunStore(Path(folder), experiment)
    try:
        return _ExperimentRun(store, experiment, task, report, workers).to_verdict()
    finally:
        store.close()


class _ExperimentRun:
    """The steps of a run, each of which leaves out what is there already."""

    def __init__(
        self, store: RunStore, experiment: Experiment, task: Task, progress: Progress, workers: int | Literal["auto"]
    ) -> None:
        self.store = store
        self.experiment = experiment
        self.task = task
        self.progress = progress
        keep_environment(store)
        # Rows of a file may change between two calls though the experiment's own file stays the same; hence the digest.
        choices = store.read("choices.json") or {}
        examples = examples_digest(task)
        if choices.get("examples", examples) != examples:
            raise StoreError(
                f"{store.folder} holds a run on other examples of the task {task.name!r}; "
                "give another folder with --out"
            )
        count, threads = divide_cores(workers, experiment.device)
        # Sums in another number of threads are rounded otherwise, so a resumed run keeps the first one's.
        self.choices: dict[str, Any] = {"examples": examples, "threads": threads, **choices}
        self.pool = self._engine(workers, count)

    def _engine(self, workers: int | Literal["auto"], count: int) -> Engine[Job]:
        folder, experiment, threads = self.store.folder, self.experiment, self.choices["threads"]
        if workers == 0:

            def begin() -> Answering:
                context = WorkerContext(folder, experiment)
                return lambda line: run_job(context, Job(**line))

            return InProcess(begin, threads=threads)
        return WorkerPool(
            "shoal.experiments.jobs:begin_jobs",
            {"folder": str(folder.resolve()), "experiment": as_table(experiment)},
            count=count,
            threads=threads,
            locks=(self.store.lock,),
        )

    def to_verdict(self) -> Verdict:
        try:
            self._prepare()
            self._tune()
            self._train()
        finally:
            self.pool.close()
        return self._judge()

    def _prepare(self) -> None:
        """The certificate and the narrowness report, and the precision where it is to be measured."""
        spec = spec_of(self.experiment, self.experiment.treatment)
        jobs = [
            Job(kind="certificate", place="certificate.json", title="the certificate"),
            Job(kind="narrowness", place="narrowness.json", title="the narrowness report", spec=spec),
        ]
        precision = self.choices.get("precision", self.experiment.training.precision)
        if precision == "auto":
            rate = self.experiment.training.learning_rate
            jobs.append(
                Job(kind="precision", place="precision.json", title="the precision", spec=spec, learning_rate=rate)
            )
        self._do("certify and prepare", jobs, is_done=lambda job: self.store.path(job.place).is_file())
        if precision == "auto":
            # Measured once and then shared: arms that chose by themselves could differ in dtype, and timing decides by
            # chance.
            precision = self.store.read("precision.json")["precision"]
        self._choose(precision=precision)

    def _tune(self) -> None:
        self._do("tune learning rates", trial_jobs(self.experiment, self.choices["precision"]))
        self._choose(learning_rates=choose_rates(self.store, self.experiment))

    def _train(self) -> None:
        # Seeds outside, so that a run that is stopped early has whole pairs of arms.
        jobs = [self._arm_job(arm, seed) for seed in self.experiment.seeds for arm in all_arms(self.experiment)]
        jobs += [self._control_job(control) for control in self._training_controls()]
        self._do("train and evaluate", jobs)

    def _arm_job(self, arm: str, seed: int) -> Job:
        return Job(
            kind="arm",
            place=arm_place(arm, seed),
            title=f"{arm}, seed {seed}",
            spec=spec_of(self.experiment, arm),
            arm=arm,
            seed=seed,
            learning_rate=self.choices["learning_rates"][arm]["chosen"][str(seed)],
            precision=self.choices["precision"],
            shuffle=arm not in self.experiment.arms,
        )

    def _training_controls(self) -> list[ControlCheck]:
        """The controls that train on examples of their own."""
        return [control for control in controls_of(self.experiment) if control.trains]

    def _control_job(self, control: ControlCheck) -> Job:
        job = self._arm_job(self.experiment.treatment, self.experiment.seeds[0])
        title = f"the {control.name.replace(' ', '-')} control"
        return replace(job, kind="control", place=control.place, title=title, control=control.name)

    def _do(self, what: str, jobs: Sequence[Job], *, is_done: Callable[[Job], bool] | None = None) -> None:
        do_unrecorded(
            what,
            jobs,
            engine=self.pool,
            store=self.store,
            is_recorded=is_done or (lambda job: self.store.is_done(job.place)),
            progress=self.progress,
        )

    def _choose(self, **choice: Any) -> None:
        self.choices |= choice
        self.store.write("choices.json", self.choices)

    def _judge(self) -> Verdict:
        from shoal.experiments.explaining import explain_run
        from shoal.experiments.harness import write_harness_files
        from shoal.experiments.judging import judge

        run = open_run(self.store.folder)
        arms = {arm: run.items_of(arm) for arm in all_arms(self.experiment)}
        control_items = {
            control.name: read_items(self.store.path(f"{control.place}/after.jsonl"), required=True)
            for control in self._training_controls()
        }
        explanations = explain_run(self.store.folder, self.experiment, self.task, tuple(arms))
        verdict = judge(self.experiment, self.task, arms, control_items=control_items, explanations=explanations)
        self.store.write("verdict.json", verdict.to_dict())
        write_harness_files(run, self.task.name, arms)
        return verdict


def check_specs(specs: Mapping[str, str]) -> None:
    """Refuse a model that cannot be there before anything is begun.

    Args:
        specs: from what the message calls it to a model spec.

    Raises:
        UsageError: one names a dummy, or a folder or bundled model that is not there.
    """
    from shoal.models import bundled_folder, parse_spec

    for arm, spec in specs.items():
        parsed = parse_spec(spec)
        # ``random:`` wraps the spec whose architecture it takes, which must be there too.
        named = parsed.inner or parsed
        if named.kind == "dummy":
            raise UsageError(f"the arm {arm!r} names the dummy {spec!r}, which cannot be trained; name a model")
        if named.kind == "bundled":
            bundled_folder(named.name)
        if named.kind == "folder" and not Path(named.name).expanduser().is_dir():
            raise UsageError(f"the arm {arm!r} names {spec!r}, and there is no folder {named.name}")


def divide_cores(workers: int | Literal["auto"], device: str) -> tuple[int, int]:
    """How many workers, and how many threads in each; no more than OMP_NUM_THREADS, where a person has set it.

    Args:
        workers: that were requested.
        device: of the trainings.

    Raises:
        UsageError: the number is negative.
    """
    cores = available_cores()
    # Trainings side by side on one GPU would have to share its memory.
    count = workers if workers != "auto" else 1 if device != "cpu" and has_gpu() else cores
    if count < 0:
        raise UsageError(f"the number of workers is at least 0, not {count}")
    wished = os.environ.get("OMP_NUM_THREADS", "")
    most = int(wished) if wished.isdecimal() and int(wished) else cores
    # More threads than cores in all would wait for each other.
    return count, max(1, min(most, cores // max(1, count)))
