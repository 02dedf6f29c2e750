"""A recipe run from its corpora to the folder of its model."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ShoalError, StoreError, TrainingError, UsageError
from shoal.experiments.environment import keep_environment
from shoal.experiments.inputs import FILE as INPUTS, keep_inputs
from shoal.experiments.pretraining.callbacks import PretrainCallbacks
from shoal.experiments.pretraining.records import PretrainResult, result_of
from shoal.experiments.settings_file import flatten
from shoal.experiments.storage import read_json_rows, write_text
from shoal.experiments.store import RunStore
from shoal.experiments.tables import as_table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from transformers import PreTrainedModel

    from shoal.experiments.pretraining.callbacks import EvalCallback, Evaluation
    from shoal.experiments.pretraining.data import Prepared
    from shoal.experiments.pretraining.monitored import MeasuredOnce
    from shoal.experiments.pretraining.planning import PretrainPlan
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.progress import Progress
    from shoal.training import ProcessGroup, TrainResult
    from shoal.training.watch import Watch

PLAN_FILE = "recipe.toml"
PLAN_JSON = "plan.json"
"""Written when the data are prepared and the steps are measured, just before training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A training that can begin: its data, its fresh model, and what will be done."""

    data: Prepared
    model: PreTrainedModel
    plan: PretrainPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model after its last step."""

    planned: Planned
    last: Evaluation | None
    """The newest evaluation on the way, which may be of an earlier step; None where this process has made none."""

    result: TrainResult
    """Of the training loop."""

    @property
    def step(self) -> int:
        """The step whose weights the model has."""
        held_out = self.result.held_out
        return self.result.steps if held_out is None else held_out.returned_step


def pretrain_run(
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    resume: bool = True,
    cache: str | os.PathLike[str] | None = None,
    callbacks: PretrainCallbacks | None = None,
) -> PretrainResult:
    """Train a model from scratch as the recipe says.

    The folder gets the recipe, ``held_out.txt``, the records of steps, scores and samples, checkpoints where the recipe
    requests them, and in ``model`` what ``AutoModelForCausalLM`` loads; `shoal.reports.write_report` draws its curve. A
    call with the same recipe resumes one that was killed, to the same bits; of a finished run it gives the result.

    Args:
        recipe: what to do.
        out: the run folder; made where it does not exist.
        progress: called with (what, done, total), where there are no ``callbacks``.
        resume: whether a run of this recipe that is in the folder is resumed; if not, it is refused.
        cache: where prepared documents and tokens lie; by default the folder ``prepared`` next to the run folder.
        callbacks: what is called on the way.

    Raises:
        StoreError: the folder holds another run or one of other data, the disk is full, or ``resume`` is off and a run
            is there.
        TrainingError: a loss is not a number; the model before that step is saved in ``last-good``.
        ShoalError: a corpus, tokenizer, model or setting that cannot be used.
    """
    from shoal.training import current_process_group

    out, group = Path(out), current_process_group()
    opened: list[RunStore] = []

    def begin() -> bool:
        if not resume and (out / PLAN_FILE).exists():
            raise StoreError(f"{out} holds a run; give another folder, delete it, or let it be resumed")
        # In the first process alone: a lock and the files have one owner.
        opened.append(RunStore(out, recipe, plan=PLAN_FILE))
        return opened[0].is_done(".")

    try:
        if not group.broadcast_from_rank0(begin):
            called = callbacks or PretrainCallbacks(progress=progress)
            run = _PretrainRun(recipe, out, opened[0] if opened else None, group, called)
            run.finish(run.train(run.plan(run.prepare(Path(cache or out.parent / "prepared")))))
        result: PretrainResult = group.broadcast_from_rank0(lambda: result_of(out, opened[0].read("done.json")))
    except ShoalError:
        if opened and not (out / PLAN_JSON).is_file():
            opened[0].forget()  # nothing was done yet, so that a recipe that is corrected may take the folder
        raise
    finally:
        for store in opened:
            store.close()
    return result


def plan_run(recipe: Recipe, cache: str | os.PathLike[str], *, progress: Progress | None = None) -> PretrainPlan:
    """What `pretrain_run` would do and how long it would take; documents and tokens are prepared for it.

    Args:
        recipe: what would be done.
        cache: where prepared documents and tokens lie.
        progress: called with (what, done, total).

    Raises:
        ShoalError: as `pretrain_run`.
    """
    from shoal.experiments.pretraining.data import prepare_data
    from shoal.experiments.pretraining.planning import build_recipe_model, plan_pretraining, train_settings
    from shoal.models import find_device

    prepared = prepare_data(recipe, Path(cache), progress=progress)
    model = build_recipe_model(recipe, prepared.tokenizer).to(find_device(recipe.device))
    return plan_pretraining(recipe, prepared, model, train_settings(recipe, prepared.stream.steps))


class _PretrainRun:
    """The stages of `pretrain_run`, in one of its processes; only the first process has the store, and writes.

    Each stage takes what the one before gave: prepare, plan, train, finish.
    """

    def __init__(
        self, recipe: Recipe, out: Path, store: RunStore | None, group: ProcessGroup, callbacks: PretrainCallbacks
    ) -> None:
        if group.mode == "fsdp" and recipe.checkpoints.every is not None:
            raise UsageError("checkpoints on the way need the whole model in each process; start without fsdp")
        if group.mode == "fsdp" and (recipe.training.early_stopping_patience or recipe.training.keep_best):
            raise UsageError("early stopping needs the whole model on the way in each process; start without fsdp")
        self._recipe, self._out, self._store, self._group, self._callbacks = recipe, out, store, group, callbacks

    def prepare(self, cache: Path) -> Prepared:
        """The data: made by the first process, and then read by the others."""
        from shoal.experiments.pretraining.data import prepare_data
        from shoal.experiments.pretraining.documents import with_sources

        self._group.broadcast_from_rank0(self._check_environment)
        recipe = with_sources(self._recipe, self._group.broadcast_from_rank0(lambda: self._sources(cache)))
        made: list[Prepared] = []

        def prepare_first() -> None:
            made.append(prepare_data(recipe, cache, progress=self._callbacks.progress))
            write_text(self._out / "held_out.txt", "".join(f"{one}\n" for one in made[0].held_out_ids))

        self._group.broadcast_from_rank0(prepare_first)
        return made[0] if made else prepare_data(recipe, cache)

    def plan(self, data: Prepared) -> Planned:
        """The fresh model, and the plan that was made when the run was begun, so that its precision stays."""
        from shoal.experiments.pretraining.planning import (
            build_recipe_model,
            plan_from,
            plan_pretraining,
            train_settings,
        )
        from shoal.models import check_saving, find_device

        model = build_recipe_model(self._recipe, data.tokenizer)
        if self._store:
            # Before training: a model that cannot be written would be found out after hours.
            check_saving(model, data.tokenizer, self._out / "model")
        model.to(self._group.device if self._group.world_size > 1 else find_device(self._recipe.device))
        held = self._group.broadcast_from_rank0(lambda: self._opened.read(PLAN_JSON))
        if held is None:
            made = plan_pretraining(self._recipe, data, model, train_settings(self._recipe, data.stream.steps))
            held = self._group.broadcast_from_rank0(made.to_dict)
            self._group.broadcast_from_rank0(lambda: self._opened.write(PLAN_JSON, held))
        plan = plan_from(held)
        if self._store and self._callbacks.on_plan is not None:
            self._callbacks.on_plan(plan)
        return Planned(data=data, model=model, plan=plan)

    def train(self, planned: Planned) -> Trained:
        """Train the model in place."""
        from shoal.experiments.pretraining.callbacks import CHECKPOINT
        from shoal.experiments.pretraining.monitored import MeasuredOnce, monitoring_of
        from shoal.experiments.pretraining.planning import train_settings
        from shoal.experiments.pretraining.scoring import held_out_sets
        from shoal.training import Callbacks, run_training

        held_out = {name: MeasuredOnce(one) for name, one in held_out_sets(planned.data, self._recipe).items()}
        with ExitStack() as stack:
            evaluating = self._eval_callback(planned, held_out, stack) if self._store else None
            clock = evaluating.clock if evaluating else None
            has_whole_model = self._group.mode != "fsdp"
            with self._saving_last_good(planned):
                result = run_training(
                    planned.model,
                    planned.data.stream,
                    train_settings(self._recipe, planned.data.stream.steps, planned.plan.precision),
                    folder=self._out / CHECKPOINT,
                    callbacks=Callbacks(
                        # A training that is resumed from a checkpoint may repeat recorded steps, and never lacks one.
                        before_checkpoint=evaluating.after_step if evaluating else None,
                        on_evaluation=evaluating.take_held_out if evaluating else None,
                        watch=self._watch(planned, evaluating),
                        on_decision=evaluating.take_event if evaluating else None,
                        progress=self._callbacks.progress,
                    ),
                    monitoring=(
                        monitoring_of(planned.data, self._recipe, held_out, clock) if has_whole_model else None
                    ),
                )
        return Trained(planned=planned, last=evaluating.last if evaluating else None, result=result)

    def _watch(self, planned: Planned, evaluating: EvalCallback | None) -> Watch | None:
        """The watch, in the process that records."""
        from shoal.training.watch import Watch

        if evaluating is None:
            return None
        return Watch(decode=planned.data.tokenizer.decode, on_event=evaluating.take_event)

    def finish(self, trained: Trained) -> None:
        """Save the model, and what was measured of it."""
        self._group.broadcast_from_rank0(lambda: self._save(trained))

    def _check_environment(self) -> None:
        keep_environment(self._opened)
        if not self._opened.path(PLAN_JSON).is_file():
            # Nothing is trained: data that were corrected meanwhile may be read anew.
            self._opened.path(INPUTS).unlink(missing_ok=True)
        keep_inputs(self._opened, self._recipe)

    def _sources(self, cache: Path) -> dict[str, str]:
        """The commits of hub data sets that the run was begun with, so that they stay."""
        from shoal.experiments.pretraining.documents import pinned_sources

        held: dict[str, str] | None = self._opened.read("sources.json")
        if held is None:
            held = pinned_sources(self._recipe, cache)
            if held:
                self._opened.write("sources.json", held)
        return held

    def _eval_callback(self, planned: Planned, held_out: Mapping[str, MeasuredOnce], stack: ExitStack) -> EvalCallback:
        """The evaluation callback, after the evaluation before the first step."""
        from shoal.experiments.pretraining.callbacks import EvalCallback
        from shoal.experiments.pretraining.records import Records
        from shoal.experiments.pretraining.trackers import open_trackers

        settings = flatten(as_table(self._recipe))
        trackers = open_trackers(self._recipe.trackers, self._out, settings, name=self._recipe.name)
        for tracker in trackers:
            stack.callback(tracker.close)
        callback = EvalCallback(
            recipe=self._recipe,
            model=planned.model,
            tokenizer=planned.data.tokenizer,
            steps=planned.data.stream.steps,
            folder=self._out,
            held_out=held_out,
            records=stack.enter_context(Records(self._out)),
            trackers=trackers,
            callbacks=self._callbacks,
            has_whole_model=self._group.mode != "fsdp",
        )
        callback.before_training()
        return callback

    @contextmanager
    def _saving_last_good(self, planned: Planned) -> Iterator[None]:
        """Where a loss is not a number, save the model as it was before that step."""
        from shoal.experiments.pretraining.callbacks import save_snapshot

        try:
            yield
        except TrainingError as fault:
            # A step may leave infinite weights, which only the next loss shows; such a model is worth no file.
            if not self._store or not _is_finite(planned.model):
                raise
            save_snapshot(planned.model, planned.data.tokenizer, self._out / "last-good")
            raise TrainingError(f"{fault}; the model before it is kept in {self._out / 'last-good'}") from fault

    def _save(self, trained: Trained) -> None:
        from shoal.experiments.pretraining.callbacks import CHECKPOINT
        from shoal.experiments.pretraining.card import write_card
        from shoal.experiments.pretraining.scoring import count_memorised, held_out_sets, score_all
        from shoal.models import save_model

        data, model, plan = trained.planned.data, trained.planned.model, trained.planned.plan
        save_model(model.eval().cpu(), data.tokenizer, self._out / "model")
        last = trained.last
        # A resumed run may have made its last evaluation before the kill, in another process.
        is_newest = last is not None and last.step == trained.step
        scores = last.scores if last and is_newest else score_all(held_out_sets(data, self._recipe), model)
        memorised = count_memorised(
            model,
            data.corpora,
            data.split.seen,
            data.split.held_out,
            self._recipe,
            read=data.stream.starts_read(trained.result.steps),
        )
        metrics = read_json_rows(self._out / "metrics.jsonl")[-1]
        done = {
            "parameters": plan.parameters,
            "tokens": metrics["tokens"],
            "steps": trained.result.steps,
            "seconds": metrics["seconds"],
            "cpu_seconds": metrics["cpu_seconds"],
            "precision": plan.precision,
            "held_out": {name: asdict(score) for name, score in scores.items()},
            "memorised": None if memorised is None else asdict(memorised),
        }
        if trained.result.held_out is not None:
            done["held_out_curve"] = trained.result.held_out.to_dict()
        # The card before ``done.json``, which marks the run as finished.
        write_card(self._recipe, plan, result_of(self._out, done), self._opened.read("sources.json") or {})
        self._opened.write("done.json", done)
        shutil.rmtree(self._out / CHECKPOINT, ignore_errors=True)

    @property
    def _opened(self) -> RunStore:
        """The store, in the first process."""
        if self._store is None:
            raise RuntimeError("only the first process has the run folder")
        return self._store


def _is_finite(model: PreTrainedModel) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters())
