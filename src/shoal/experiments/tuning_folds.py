"""A fine-tuning cross-validated: a training per fold, which shares no group, template or prompt with what it scores.

With several learning rates the choice is part of what is scored: an inner cross-validation within each training part
makes it (nested cross-validation). Every training is a unit of its own with a record, so that a run that was killed is
resumed.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import TrainingError, UnknownNameError, UsageError
from shoal.experiments.environment import Stopwatch, keep_environment, set_threads
from shoal.experiments.job_training import finish_job
from shoal.experiments.measures import MEASURES, mean_of
from shoal.experiments.records import ItemRecord
from shoal.experiments.storage import disk_faults, read_json
from shoal.experiments.store import RunStore
from shoal.experiments.tables import SettingsTable
from shoal.experiments.workers import check_workers, local_engine
from shoal.progress import no_progress
from shoal.statistics import FoldScore, summarize_folds

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.experiments.worker_main import Answering
    from shoal.experiments.workers import Engine
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.statistics import CrossValidation, Fold
    from shoal.tasks import Example
    from shoal.training import TrainSettings

FOLDS_PLAN = "folds.toml"
_ROWS = "rows.json"


class FoldsPlan(SettingsTable):
    """What is cross-validated, as its folder keeps it."""

    model: str
    rows: str
    """SHA-256 of the examples."""

    folds: str
    """SHA-256 of which examples are on which side, of the inner folds too where a rate is chosen."""

    learning_rates: tuple[float, ...]
    score: str
    settings: str
    """Of the training, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTraining:
    """One training that is to be done."""

    place: str
    """Its folder in the run folder."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    learning_rate: float

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.place} at learning rate {self.learning_rate:g}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a worker."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldChoices:
    """How examples are divided, and what is chosen within them."""

    folds: int | None = 5
    """None leaves out one group at a time."""

    by: str | None = None
    """The tag whose values are groups; None takes ``group`` or ``template``, else near repeats of a prompt."""

    stratify: str | None = None
    """The tag, or ``completion``, whose values all folds should have in equal shares."""

    learning_rates: tuple[float, ...] = ()
    """What an inner cross-validation chooses from; none for the rate of the settings."""

    inner_folds: int = 3
    score: str = "exact_match"
    """The measure that is scored and chosen by."""

    seed: int = 0
    """Shuffles groups of equal size before they are dealt out."""

    def outer(self, examples: Sequence[Example]) -> tuple[Fold, ...]:
        """The folds that are scored."""
        from shoal.tasks import example_folds

        return example_folds(examples, self.folds, by=self.by, stratify=self.stratify, seed=self.seed)

    def inner(self, examples: Sequence[Example], fold: Fold) -> tuple[Fold, ...]:
        """The folds of a training part; their places count in all examples."""
        from shoal.tasks import example_folds

        part = [examples[place] for place in fold.train.tolist()]
        made = example_folds(part, self.inner_folds, by=self.by, stratify=self.stratify, seed=self.seed)
        return tuple(replace(one, train=fold.train[one.train], test=fold.train[one.test]) for one in made)


def cross_validate_tuning(
    spec: str,
    examples: Sequence[Example],
    settings: TrainSettings,
    folder: str | os.PathLike[str],
    *,
    choices: FoldChoices | None = None,
    device: str = "auto",
    workers: int | None = None,
    progress: Progress = no_progress,
) -> CrossValidation:
    """Fine-tune a model once per fold on the other folds, and score it on the fold.

    Args:
        spec: of the model that each training begins from.
        examples: all of them; each is scored once.
        settings: of every training; their learning rate where none is chosen.
        folder: of the run; made where it does not exist. The same call resumes it.
        choices: how the examples are divided, and what is chosen.
        device: as `shoal.models.load_model` takes it.
        workers: trainings side by side; None for one per core, or for one where there is a GPU; 0 for this process.
        progress: called with ("trainings", done, total).

    Raises:
        DataError, UsageError: examples that cannot be divided so (see `shoal.tasks.example_folds`), or a learning rate
        that is given twice. UnknownNameError: there is no such measure. TrainingError: a learning rate made a loss
        overflow in each inner fold, or a measure applies to no item of a fold. StoreError: the folder holds another
        run, or cannot be written. ShoalError: as `shoal.models.load_model` and `shoal.training.train`.
    """
    choices = choices or FoldChoices()
    if choices.score not in MEASURES:
        raise UnknownNameError("measure", choices.score, MEASURES)
    check_workers(workers)
    rates = choices.learning_rates or (settings.learning_rate,)
    if len(set(rates)) != len(rates):
        raise UsageError(f"the learning rates are {', '.join(f'{rate:g}' for rate in rates)}; give each once")
    outer = choices.outer(examples)
    # Without a choice of rates there is nothing to train within a training part.
    inner = [choices.inner(examples, fold) if len(rates) > 1 else () for fold in outer]
    rows = [asdict(example) | {"tags": dict(example.tags)} for example in examples]
    plan = FoldsPlan(
        model=spec,
        # As digests: a run of thousands of rows has a plan of a few lines, and is resumed with the same rows alone.
        rows=_digest(rows),
        folds=_digest([fold.to_dict() for fold in itertools.chain(outer, *inner)]),
        learning_rates=rates,
        score=choices.score,
        settings=json.dumps(asdict(settings), sort_keys=True),
    )
    store = RunStore(Path(folder), plan, plan=FOLDS_PLAN)
    try:
        keep_environment(store)
        # Workers read the rows from the folder, and not from a file of the user's that may change meanwhile.
        store.write(_ROWS, rows)
        opening = {"folder": str(store.folder.resolve()), "plan": plan.model_dump(mode="json"), "device": device}
        engine = _engine(store, opening, workers)
        try:
            result = _Folds(store, engine, outer, inner, plan, progress).result()
        finally:
            engine.close()
        store.write("result.json", result.to_dict())
    finally:
        store.close()
    return result


@dataclass
class _Folds:
    """The trainings of all folds: the inner ones first, since they choose for the outer ones."""

    store: RunStore
    engine: Engine[FoldTraining]
    outer: Sequence[Fold]
    inner: Sequence[Sequence[Fold]]
    """Of each outer fold; none where there is one learning rate."""

    plan: FoldsPlan
    progress: Progress

    def result(self) -> CrossValidation:
        """Do all that is not done."""
        rates = self.plan.learning_rates
        nested = len(rates) > 1
        inner = {number: self._inner(number) for number in range(len(self.outer))}
        total = sum(map(len, inner.values())) + len(self.outer)
        # All inner trainings of all folds at once, so that no worker is idle while another fold still chooses.
        self._do([unit for units in inner.values() for unit in units], 0, total)
        chosen = {number: self._choose(units) if nested else rates[0] for number, units in inner.items()}
        last = [
            FoldTraining(
                place=f"fold-{number + 1}/outer",
                train=tuple(fold.train.tolist()),
                test=tuple(fold.test.tolist()),
                learning_rate=chosen[number],
            )
            for number, fold in enumerate(self.outer)
        ]
        self._do(last, total - len(last), total)
        found = [
            FoldScore(
                fold=fold.name,
                score=self._score(unit),
                trained_on=len(fold.train),
                tested_on=len(fold.test),
                chosen=f"learning rate {unit.learning_rate:g}" if nested else "",
            )
            for fold, unit in zip(self.outer, last, strict=True)
        ]
        return summarize_folds(found)

    def _inner(self, number: int) -> list[FoldTraining]:
        return [
            FoldTraining(
                place=f"fold-{number + 1}/rate-{rate!r}/inner-{place + 1}",
                train=tuple(fold.train.tolist()),
                test=tuple(fold.test.tolist()),
                learning_rate=rate,
            )
            for rate in self.plan.learning_rates
            for place, fold in enumerate(self.inner[number])
        ]

    def _do(self, units: Sequence[FoldTraining], done: int, total: int) -> None:
        left = [unit for unit in units if not self.store.is_done(unit.place)]
        done += len(units) - len(left)
        self.progress("trainings", done, total)
        for count, outcome in enumerate(self.engine.run(left), 1):
            if outcome.answer is not None:
                self.store.add_timing(outcome.answer)
            self.progress("trainings", done + count, total)

    def _choose(self, units: Sequence[FoldTraining]) -> float:
        """The learning rate with the best mean over the inner folds; of equals the first."""
        sign = 1.0 if MEASURES[self.plan.score].higher_is_better else -1.0
        scores: dict[float, list[float | None]] = {}
        for unit in units:
            scores.setdefault(unit.learning_rate, []).append(self._record(unit)["score"])
        means = {
            rate: sign * sum(score for score in found if score is not None) / len(found)
            for rate, found in scores.items()
            # A rate that failed on one inner fold is out: its mean over the others would be of the easier ones.
            if None not in found
        }
        if not means:
            raise TrainingError(
                f"every learning rate of {list(scores)} made a loss overflow or left {self.plan.score} without a "
                "value; give lower ones"
            )
        return max(means, key=means.__getitem__)

    def _score(self, unit: FoldTraining) -> float:
        record = self._record(unit)
        if record["score"] is None:
            raise TrainingError(f"{unit.title} has no score: {record['reason']}")
        return float(record["score"])

    def _record(self, unit: FoldTraining) -> dict[str, Any]:
        record: dict[str, Any] = read_json(self.store.unit(unit.place) / "done.json")
        return record


@dataclass
class _Worker:
    """What the trainings of one worker share: the examples, and the model as it was given."""

    folder: Path
    plan: FoldsPlan
    device: str

    @cached_property
    def examples(self) -> list[Example]:
        """All examples."""
        from shoal.tasks import Example

        return [Example(**row) for row in read_json(self.folder / _ROWS)]

    @cached_property
    def given(self) -> LoadedModel:
        """The model that each training begins from."""
        from shoal.models import load_model

        return load_model(self.plan.model, device=self.device)

    def do(self, line: dict[str, Any]) -> dict[str, Any]:
        """Train on one side of a fold, and score the other."""
        from shoal.evaluation import evaluate
        from shoal.training import TrainSettings, train

        unit, stopwatch = FoldTraining(**line | {key: tuple(line[key]) for key in ("train", "test")}), Stopwatch()
        place = self.folder / unit.place
        settings = TrainSettings(**json.loads(self.plan.settings) | {"learning_rate": unit.learning_rate})
        # A copy, since training changes the weights in place.
        model, tokenizer = copy.deepcopy(self.given.model), self.given.tokenizer
        tested = [self.examples[number] for number in unit.test]
        score, reason = None, ""
        with disk_faults(self.folder):
            try:
                train(
                    model,
                    tokenizer,
                    [self.examples[number] for number in unit.train],
                    settings,
                    folder=place / "checkpoint",
                )
            except TrainingError as fault:
                # A rate that makes the loss overflow has lost; that is a finding of the fold and no fault of the run.
                reason = str(fault)
            else:
                scores = evaluate(model, tokenizer, tested, greedy_text=MEASURES[self.plan.score].reads_text)
                items = [
                    ItemRecord.of_score(
                        "held_out", example, one, [tokenizer.decode([token]) for token in one.target_ids]
                    )
                    for example, one in zip(tested, scores.items, strict=True)
                ]
                score = mean_of(self.plan.score, items)
                reason = "" if score is not None else f"{self.plan.score} applies to none of its examples"
            place.mkdir(parents=True, exist_ok=True)
            finish_job(place, {"score": score, "reason": reason, "learning_rate": unit.learning_rate})
        return {"place": unit.place, **stopwatch.cost()}


def begin_folds(opening: dict[str, Any]) -> Answering:
    """What a worker process of a cross-validation does, as `shoal.experiments.worker_main` takes it."""
    set_threads(opening.get("threads", 1))
    return _answering(opening)


def _answering(opening: dict[str, Any]) -> Answering:
    plan = FoldsPlan.model_validate(opening["plan"] | {"learning_rates": tuple(opening["plan"]["learning_rates"])})
    return _Worker(Path(opening["folder"]), plan, opening["device"]).do


def _engine(store: RunStore, opening: dict[str, Any], workers: int | None) -> Engine[FoldTraining]:
    return local_engine(
        "shoal.experiments.tuning_folds:begin_folds",
        opening,
        lambda: _answering(opening),
        workers=workers,
        # Folds are trained side by side; one thread each uses the cores better than several threads on small products.
        threads=1,
        device=opening["device"],
        locks=(store.lock,),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
