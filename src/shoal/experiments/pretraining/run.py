"""A recipe run from its corpora to the folder of its model."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import ShoalError, StoreError, TrainingError, UsageError
from shoal.experiments.environment import keep_environment
from shoal.experiments.pretraining.listeners import Listeners
from shoal.experiments.pretraining.result import PretrainResult, result_of
from shoal.experiments.settings_file import as_table
from shoal.experiments.storage import write_text
from shoal.experiments.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

    from shoal.experiments.pretraining.planning import PretrainPlan
    from shoal.experiments.pretraining.preparing import Prepared
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.watching import Watch
    from shoal.progress import Progress
    from shoal.training import ProcessGroup, TrainSettings

PLAN_FILE = "recipe.toml"
PLAN_JSON = "plan.json"
"""Written when the data are prepared and the steps are measured, just before training."""


def pretrain_run(
    recipe: Recipe,
    out: str | Path,
    *,
    progress: Progress | None = None,
    resume: bool = True,
    cache: str | Path | None = None,
    listeners: Listeners | None = None,
) -> PretrainResult:
    """Train a model from scratch as the recipe says.

    The folder gets the recipe, ``held_out.txt``, the records of steps, scores and samples, checkpoints where the recipe
    asks for them, and in ``model`` what ``AutoModelForCausalLM`` loads; `shoal.reports.write_report` draws its curve. A
    call with the same recipe goes on where a killed one was, to the same bits; of a finished run it gives the result.

    Args:
        recipe: what to do.
        out: the run folder; made where it does not exist.
        progress: called with (what, done, total).
        resume: whether a folder in which this recipe was begun is gone on with; if not, it is refused.
        cache: where prepared documents and tokens lie; by default the folder ``prepared`` beside the run folder.
        listeners: who else is told.

    Raises:
        StoreError: the folder holds another run, the disk is full, or ``resume`` is off and a run is there.
        TrainingError: a loss is not a number; the model before that step is kept in ``last-good``.
        ShoalError: a corpus, tokenizer, model or setting that cannot be used.
    """
    from shoal.training import current_process_group

    out, group = Path(out), current_process_group()
    opened: list[RunStore] = []

    def begin() -> bool:
        if not resume and (out / PLAN_FILE).exists():
            raise StoreError(f"{out} holds a run; give another folder, delete it, or let it go on")
        opened.append(RunStore(out, recipe, plan=PLAN_FILE))
        return opened[0].is_done(".")

    try:
        if not group.broadcast_from_rank0(begin):
            heard = listeners or Listeners(progress=progress)
            _Run(recipe, out, opened[0] if opened else None, group, heard).train(Path(cache or out.parent / "prepared"))
        result: PretrainResult = group.broadcast_from_rank0(lambda: result_of(out, opened[0].read("done.json")))
    except ShoalError:
        if opened and not (out / PLAN_JSON).is_file():
            opened[0].forget()  # nothing was done yet, so that a recipe that is mended may take the folder
        raise
    finally:
        for store in opened:
            store.close()
    return result


def plan_run(recipe: Recipe, cache: str | Path, *, progress: Progress | None = None) -> PretrainPlan:
    """What `pretrain_run` would do and how long it would take; documents and tokens are prepared for it.

    Raises:
        ShoalError: as `pretrain_run`.
    """
    from shoal.experiments.pretraining.building import build_model, train_settings
    from shoal.experiments.pretraining.planning import plan_training
    from shoal.experiments.pretraining.preparing import prepare
    from shoal.models import find_device

    cache = Path(cache)
    prepared = prepare(recipe, cache, progress=progress)
    model = build_model(recipe, prepared.tokenizer).to(find_device(recipe.device))
    return plan_training(recipe, prepared, model, train_settings(recipe, prepared.stream.steps))


class _Run:
    """One call of `pretrain_run`, in one of its processes; only the first has the store, and writes."""

    def __init__(
        self, recipe: Recipe, out: Path, store: RunStore | None, group: ProcessGroup, listeners: Listeners
    ) -> None:
        if group.mode == "fsdp" and recipe.checkpoints.every is not None:
            raise UsageError("checkpoints on the way need the whole model in each process; start without fsdp")
        self._recipe, self._out, self._store, self._group, self._listeners = recipe, out, store, group, listeners

    def train(self, cache: Path) -> None:
        """Prepare, train, measure and save."""
        from shoal.experiments.pretraining.building import build_model, train_settings
        from shoal.experiments.pretraining.scoring import held_out_sets
        from shoal.experiments.pretraining.watching import CHECKPOINT
        from shoal.models import check_saving, find_device
        from shoal.training import Callbacks, run_training

        self._group.broadcast_from_rank0(lambda: keep_environment(self._opened))
        self._prepared = self._prepare(cache)
        self._model = build_model(self._recipe, self._prepared.tokenizer)
        if self._store:
            check_saving(self._model, self._prepared.tokenizer, self._out / "model")
        self._model.to(self._group.device if self._group.world_size > 1 else find_device(self._recipe.device))
        self._plan = self._planned(train_settings(self._recipe, self._prepared.stream.steps))
        self._held_out = held_out_sets(self._prepared, self._recipe) if self._store else {}
        with ExitStack() as stack:
            watch = self._watch(stack) if self._store else None
            with self._keeping_last_good():
                run_training(
                    self._model,
                    self._prepared.stream,
                    train_settings(self._recipe, self._prepared.stream.steps, self._plan.precision),
                    folder=self._out / CHECKPOINT,
                    callbacks=Callbacks(
                        before_checkpoint=watch.keep if watch else None, progress=self._listeners.progress
                    ),
                )
        self._group.broadcast_from_rank0(lambda: self._finish(watch))

    def _prepare(self, cache: Path) -> Prepared:
        """The data: made by the first process, and then read by the others."""
        from shoal.experiments.pretraining.preparing import prepare
        from shoal.experiments.pretraining.sources import with_sources

        recipe = with_sources(self._recipe, self._group.broadcast_from_rank0(lambda: self._sources(cache)))
        made: list[Prepared] = []

        def prepare_first() -> None:
            made.append(prepare(recipe, cache, progress=self._listeners.progress))
            write_text(self._out / "held_out.txt", "".join(f"{one}\n" for one in made[0].held_out_ids))

        self._group.broadcast_from_rank0(prepare_first)
        return made[0] if made else prepare(recipe, cache)

    def _sources(self, cache: Path) -> dict[str, str]:
        """The commits of hub data sets that the run was begun with, so that they stay."""
        from shoal.experiments.pretraining.sources import pinned_sources

        held: dict[str, str] | None = self._opened.read("sources.json")
        if held is None:
            held = pinned_sources(self._recipe, cache)
            if held:
                self._opened.write("sources.json", held)
        return held

    def _planned(self, settings: TrainSettings) -> PretrainPlan:
        """The plan that was made when the run was begun, so that its precision stays."""
        from shoal.experiments.pretraining.planning import plan_from, plan_training

        held = self._group.broadcast_from_rank0(lambda: self._opened.read(PLAN_JSON))
        if held is None:
            plan = plan_training(self._recipe, self._prepared, self._model, settings)
            held = self._group.broadcast_from_rank0(plan.to_dict)
            self._group.broadcast_from_rank0(lambda: self._opened.write(PLAN_JSON, held))
        plan = plan_from(held)
        if self._store and self._listeners.on_plan is not None:
            self._listeners.on_plan(plan)
        return plan

    def _watch(self, stack: ExitStack) -> Watch:
        """What is told of every step, once the model has been looked at before its first."""
        from shoal.experiments.pretraining.records import Records
        from shoal.experiments.pretraining.trackers import flat, open_trackers
        from shoal.experiments.pretraining.watching import Watch

        trackers = open_trackers(self._recipe.trackers, self._out, flat(as_table(self._recipe)), name=self._recipe.name)
        for tracker in trackers:
            stack.callback(tracker.close)
        watch = Watch(
            recipe=self._recipe,
            model=self._model,
            tokenizer=self._prepared.tokenizer,
            steps=self._prepared.stream.steps,
            folder=self._out,
            held_out=self._held_out,
            records=stack.enter_context(Records(self._out)),
            trackers=trackers,
            on_moment=self._listeners.on_moment,
            on_step=self._listeners.on_step,
            whole=self._group.mode != "fsdp",
        )
        watch.begin()
        return watch

    @contextmanager
    def _keeping_last_good(self) -> Iterator[None]:
        """Where a loss is not a number, keep the model as it was before that step."""
        from shoal.experiments.pretraining.watching import keep_model

        try:
            yield
        except TrainingError as fault:
            if not self._store or not _is_finite(self._model):
                raise
            keep_model(self._model, self._prepared.tokenizer, self._out / "last-good")
            raise TrainingError(f"{fault}; the model before it is kept in {self._out / 'last-good'}") from fault

    def _finish(self, watch: Watch | None) -> None:
        """Save the model, and what was measured of it."""
        from shoal.experiments.pretraining.card import write_card
        from shoal.experiments.pretraining.scoring import count_memorised, score_all
        from shoal.experiments.pretraining.watching import CHECKPOINT
        from shoal.experiments.storage import read_json_rows
        from shoal.models import save_model

        save_model(self._model.eval().cpu(), self._prepared.tokenizer, self._out / "model")
        seen = watch is not None and watch.last is not None and watch.last.step == self._plan.steps
        scores = watch.last.scores if watch and watch.last and seen else score_all(self._held_out, self._model)
        split = self._prepared.split
        memorised = count_memorised(self._model, self._prepared.corpora, split.seen, split.held_out, self._recipe)
        last = read_json_rows(self._out / "metrics.jsonl")[-1]
        done = {
            "parameters": self._plan.parameters,
            "tokens": last["tokens"],
            "steps": self._plan.steps,
            "seconds": last["seconds"],
            "cpu_seconds": last["cpu_seconds"],
            "precision": self._plan.precision,
            "held_out": {name: asdict(score) for name, score in scores.items()},
            "memorised": None if memorised is None else asdict(memorised),
        }
        result = result_of(self._out, done)
        write_card(self._recipe, self._plan, result, self._opened.read("sources.json") or {})
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
