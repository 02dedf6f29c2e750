"""A recipe run from its corpora to the folder of its model."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import StoreError, TrainingError
from shoal.experiments.environment import check_same_environment, describe_environment
from shoal.experiments.pretraining.result import HeldOutScore, Memorised, PretrainResult
from shoal.experiments.store import RunStore, as_table
from shoal.experiments.writing import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformers import PreTrainedModel

    from shoal.experiments.pretraining.planning import PretrainPlan
    from shoal.experiments.pretraining.preparing import Prepared
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.records import Records
    from shoal.experiments.pretraining.scoring import HeldOutSet
    from shoal.experiments.pretraining.watching import Moment, Watch
    from shoal.training import CurvePoint, TrainSettings

PLAN_FILE = "recipe.toml"
_CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who is told of a pretraining while it runs."""

    progress: Callable[[str, int, int], None] | None = None
    """Gets (what, done, total)."""

    on_plan: Callable[[PretrainPlan], None] | None = None
    """Gets what will be done, and how long it will take, before it starts."""

    on_step: Callable[[CurvePoint], None] | None = None
    on_moment: Callable[[Moment], None] | None = None
    """Gets held-out scores and samples, each time that the model is scored."""


def pretrain_run(
    recipe: Recipe,
    out: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    resume: bool = True,
    cache: Path | None = None,
    listeners: Listeners | None = None,
) -> PretrainResult:
    """Train a model from scratch as the recipe says.

    The folder gets the recipe, ``held_out.txt``, the records of steps, scores and samples, checkpoints where the recipe
    asks for them, ``curve.html`` and ``curve.png``, and in ``model`` what ``AutoModelForCausalLM`` loads. A call with
    the same recipe goes on where a killed one was, to the same bits; of a finished run it gives the result.

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
    out = Path(out)
    if not resume and (out / PLAN_FILE).exists():
        raise StoreError(f"{out} holds a run; give another folder, delete it, or let it go on")
    heard = listeners or Listeners(progress=progress)
    store = RunStore(out, recipe, plan=PLAN_FILE)
    try:
        if store.is_done("."):
            return _read_result(store)
        return _Run(recipe, store, cache or out.parent / "prepared", heard).finish()
    finally:
        store.close()


def plan_run(recipe: Recipe, cache: Path, *, progress: Callable[[str, int, int], None] | None = None) -> PretrainPlan:
    """What `pretrain_run` would do and how long it would take; documents and tokens are prepared for it.

    Raises:
        ShoalError: as `pretrain_run`.
    """
    from shoal.experiments.pretraining.building import build_model, train_settings
    from shoal.experiments.pretraining.planning import plan_training
    from shoal.experiments.pretraining.preparing import prepare
    from shoal.models.load import find_device

    prepared = prepare(recipe, cache, progress=progress)
    model = build_model(recipe, prepared.tokenizer).to(find_device(recipe.device))
    return plan_training(recipe, prepared, model, train_settings(recipe))


class _Run:
    """One call of `pretrain_run`."""

    def __init__(self, recipe: Recipe, store: RunStore, cache: Path, listeners: Listeners) -> None:
        from shoal.experiments.pretraining.building import build_model, train_settings
        from shoal.experiments.pretraining.preparing import prepare
        from shoal.models.load import find_device

        self._recipe, self._store, self._listeners = recipe, store, listeners
        self._out = store.folder
        self._check_environment()
        self._prepared = prepare(recipe, cache, progress=listeners.progress)
        write_text(store.path("held_out.txt"), "".join(f"{one}\n" for one in self._prepared.held_out_ids))
        self._model = build_model(recipe, self._prepared.tokenizer).to(find_device(recipe.device))
        self._plan = self._planned(train_settings(recipe))
        self._settings = train_settings(recipe, self._plan.precision)
        if listeners.on_plan is not None:
            listeners.on_plan(self._plan)

    def finish(self) -> PretrainResult:
        """Train, measure and save."""
        from shoal.experiments.pretraining.page import write_curve
        from shoal.experiments.pretraining.records import Records
        from shoal.models import save_model
        from shoal.training.loop import Watchers, run_training

        held_out = _held_out_sets(self._prepared, self._recipe)
        with ExitStack() as stack:
            watch = self._watch(stack.enter_context(Records(self._out)), held_out, stack)
            watch.begin()
            with self._keeping_last_good():
                trained = run_training(
                    self._model,
                    self._prepared.stream,
                    self._settings,
                    folder=self._out / _CHECKPOINT,
                    watchers=Watchers(keep=watch.keep, progress=self._listeners.progress),
                )
        self._model.eval()
        save_model(self._model.cpu(), self._prepared.tokenizer, self._out / "model")
        scores = dict(watch.last.scores) if watch.last else {n: s.score(self._model) for n, s in held_out.items()}
        self._write_result(scores, trained.steps)
        result = _read_result(self._store)
        write_curve(self._out, result)
        return result

    def _check_environment(self) -> None:
        now = describe_environment()
        held = self._store.read("environment.json")
        if held is None:
            self._store.write("environment.json", now)
        else:
            check_same_environment(held, now)

    def _planned(self, settings: TrainSettings) -> PretrainPlan:
        """The plan that was made when the run was begun, so that its precision stays."""
        from shoal.experiments.pretraining.planning import plan_from, plan_training

        held = self._store.read("plan.json")
        if held is not None:
            return plan_from(held)
        plan = plan_training(self._recipe, self._prepared, self._model, settings)
        self._store.write("plan.json", plan.to_dict())
        return plan

    def _watch(self, records: Records, held_out: dict[str, HeldOutSet], stack: ExitStack) -> Watch:
        from shoal.experiments.pretraining.trackers import flat, open_trackers
        from shoal.experiments.pretraining.watching import Watch

        trackers = open_trackers(self._recipe.trackers, self._out, flat(as_table(self._recipe)), name=self._recipe.name)
        for tracker in trackers:
            stack.callback(tracker.close)
        return Watch(
            recipe=self._recipe,
            model=self._model,
            tokenizer=self._prepared.tokenizer,
            steps=self._prepared.stream.steps,
            folder=self._out,
            held_out=held_out,
            records=records,
            trackers=trackers,
            on_moment=self._listeners.on_moment,
            on_step=self._listeners.on_step,
        )

    @contextmanager
    def _keeping_last_good(self) -> Iterator[None]:
        """Where a loss is not a number, keep the model as it was before that step."""
        from shoal.experiments.pretraining.watching import keep_model

        try:
            yield
        except TrainingError as fault:
            if not _is_finite(self._model):
                raise
            keep_model(self._model, self._prepared.tokenizer, self._out / "last-good")
            raise TrainingError(f"{fault}; the model before it is kept in {self._out / 'last-good'}") from fault

    def _write_result(self, scores: dict[str, HeldOutScore], steps: int) -> None:
        from dataclasses import asdict

        from shoal.experiments.pretraining.records import read_rows
        from shoal.experiments.pretraining.scoring import count_memorised

        prepared = self._prepared
        memorised = count_memorised(
            self._model, prepared.corpora, prepared.split.seen, prepared.split.held_out, self._recipe
        )
        last = read_rows(self._out / "metrics.jsonl")[-1]
        self._store.write(
            "done.json",
            {
                "parameters": self._plan.parameters,
                "tokens": last["tokens"],
                "steps": steps,
                "seconds": last["seconds"],
                "cpu_seconds": last["cpu_seconds"],
                "precision": self._plan.precision,
                "held_out": {name: asdict(score) for name, score in scores.items()},
                "memorised": None if memorised is None else asdict(memorised),
            },
        )


def _held_out_sets(prepared: Prepared, recipe: Recipe) -> dict[str, HeldOutSet]:
    from shoal.experiments.pretraining.scoring import held_out_set

    context = recipe.training.context or recipe.model.context
    found = {
        name: held_out_set(corpus, prepared.split.held_out[name], most=recipe.evaluation.documents, context=context)
        for name, corpus in prepared.corpora.items()
    }
    return {name: one for name, one in found.items() if one is not None}


def _is_finite(model: PreTrainedModel) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters())


def _read_result(store: RunStore) -> PretrainResult:
    from shoal.experiments.pretraining.records import read_rows
    from shoal.training import CurvePoint

    held = store.read("done.json")
    names = ("step", "loss", "learning_rate", "gradient_norm", "tokens")
    rows = read_rows(store.path("metrics.jsonl"))
    memorised = held.pop("memorised")
    scores = held.pop("held_out")
    return PretrainResult(
        folder=store.folder,
        curve=tuple(CurvePoint(**{name: row[name] for name in names}) for row in rows),
        held_out={name: HeldOutScore(**score) for name, score in scores.items()},
        memorised=None if memorised is None else Memorised(**memorised),
        **held,
    )
