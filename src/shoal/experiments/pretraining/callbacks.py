"""The callbacks of a pretraining: those of its caller, and the one that records, scores, samples and saves."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from shoal.experiments.pretraining.scoring import sample_texts, score_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.experiments.pretraining.monitored import MeasuredOnce
    from shoal.experiments.pretraining.planning import PretrainPlan
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.records import HeldOutScore, Records
    from shoal.experiments.pretraining.trackers import Tracker
    from shoal.progress import Progress
    from shoal.training import CurvePoint, HeldOutPoint
    from shoal.training.watch import RateDecision, WatchEvent


CHECKPOINT = "checkpoint"
"""The folder of the state of an unfinished training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was measured after a step."""

    step: int
    scores: Mapping[str, HeldOutScore]
    samples: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainCallbacks:
    """What `pretrain_run` calls on its way; None for nothing."""

    progress: Progress | None = None
    """Called with (what, done, total)."""

    on_plan: Callable[[PretrainPlan], None] | None = None
    """Called with what will be done and how long it will take, before it starts."""

    on_step: Callable[[CurvePoint], None] | None = None
    """Called after each step."""

    on_evaluation: Callable[[Evaluation], None] | None = None
    """Called with held-out scores and samples, each time that the model is scored."""

    on_event: Callable[[WatchEvent | RateDecision], None] | None = None
    """Called with what the watch has seen, and with what the schedule ``changes`` has done."""


@dataclass(slots=True, kw_only=True)
class Clock:
    """Seconds of training, measurements left out; those of the parts before a kill are counted in."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.process_time)

    def stop(self) -> None:
        """Count what went by since the start."""
        self.seconds += time.perf_counter() - self._wall
        self.cpu_seconds += time.process_time() - self._cpu

    def start(self) -> None:
        """Count from now."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def checkpoint_steps(steps: int, every: int | None) -> frozenset[int]:
    """The steps after which the model is saved: 0, 1, 2, 4, ... below ``every``, its multiples, and the last.

    Models change fastest at first, so that the powers of two show how they begin (as Pythia, Biderman et al. 2023).

    Args:
        steps: of the whole training.
        every: steps between two checkpoints; None saves none.
    """
    if every is None:
        return frozenset()
    # A model changes most in its first steps, so that Pythia (Biderman et al. 2023) saves them at powers of two.
    powers = {2**power for power in range(steps.bit_length()) if 2**power < every}
    return frozenset({0, steps} | powers | set(range(every, steps + 1, every)))


def score_steps(steps: int, every: int | None) -> frozenset[int]:
    """The steps after which the model is scored: before the first, after the last, and at equal distances between.

    Args:
        steps: of the whole training.
        every: steps between two evaluations; None for ten in all.
    """
    if every is None:
        return frozenset(round(part * steps / 10) for part in range(11))
    return frozenset({0, steps} | set(range(0, steps, every)))


@dataclass(kw_only=True)
class EvalCallback:
    """Records every step of a training, and scores, samples and saves the model after some of them.

    `after_step` is called before the step is saved: a step that is not saved yet is repeated after a kill, and what was
    recorded of it is dropped then.
    """

    recipe: Recipe
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    steps: int
    """Of the whole training."""

    folder: Path
    """The run folder."""

    held_out: Mapping[str, MeasuredOnce]
    """What is scored, by corpus."""

    records: Records
    trackers: Sequence[Tracker] = ()
    callbacks: PretrainCallbacks
    has_whole_model: bool = True
    """Whether this process has the whole model while it is in training, and not a shard of it."""

    def __post_init__(self) -> None:
        self.clock = Clock()
        self._has_begun = False
        self._saved = checkpoint_steps(self.steps, self.recipe.checkpoints.every)
        self._scored = score_steps(self.steps, self.recipe.evaluation.every)
        self.last: Evaluation | None = None
        """The newest evaluation of this call; None where it has made none."""

    def before_training(self) -> None:
        """Evaluate the model before its first step, unless the training is resumed: then that has been done."""
        # By the weights: the folder is there before its first state is.
        if not any((self.folder / CHECKPOINT).glob("*.safetensors")):
            self.records.forget_from(0)
            self._visit(0)
        self.clock.start()

    def after_step(self, point: CurvePoint, is_last: bool) -> None:
        """Record a step.

        Args:
            point: of the step.
            is_last: whether the training ends there, which the number of a step alone does not tell.
        """
        # What is done from here on is no part of the training, and its time is not counted.
        self.clock.stop()
        if not self._has_begun:
            self._resume(point.step)
        row = asdict(point) | {"seconds": self.clock.seconds, "cpu_seconds": self.clock.cpu_seconds}
        self.records.add("metrics", [row])
        for tracker in self.trackers:
            tracker.log(point.step, {key: value for key, value in row.items() if key != "step"})
        if self.callbacks.on_step is not None:
            self.callbacks.on_step(point)
        if self.has_whole_model:
            self._visit(point.step, is_last=is_last)
        self.clock.start()

    def take_held_out(self, point: HeldOutPoint) -> None:
        """Record an evaluation of the training loop, which comes before `after_step` of its step."""
        if point.step and not self._has_begun:
            self._resume(point.step)
        self.records.add("evaluations", [asdict(point)])

    def take_event(self, event: WatchEvent | RateDecision) -> None:
        """Record an event of the watch or a decision of the schedule, which comes before `after_step` of its step."""
        if not self._has_begun:
            self._resume(event.step)
        self.records.add("events", [event.to_dict()])
        if self.callbacks.on_event is not None:
            self.callbacks.on_event(event)

    def _resume(self, step: int) -> None:
        """Before the first step of this call: what is recorded of it and later ones is of a part that was killed."""
        self._has_begun = True
        last = self.records.forget_from(step)
        if last is not None:
            self.clock.seconds += last["seconds"]
            self.clock.cpu_seconds += last["cpu_seconds"]

    def _visit(self, step: int, *, is_last: bool = False) -> None:
        if is_last or step in self._scored:
            self._evaluate(step)
        if step in self._saved or (is_last and self._saved):
            save_snapshot(self.model, self.tokenizer, self.folder / "checkpoints" / f"step-{step}")

    def _evaluate(self, step: int) -> None:
        scores = score_all(self.held_out, self.model)
        # A seed for each step, and the same for a resumed run.
        samples = sample_texts(self.model, self.tokenizer, self.recipe, seed=self.recipe.seed + step)
        self.last = Evaluation(step=step, scores=scores, samples=samples)
        self.records.add(
            "scores",
            [
                {"step": step, "corpus": name, "bits_per_byte": one.bits_per_byte, "low": one.low, "high": one.high}
                for name, one in scores.items()
            ],
        )
        self.records.add("samples", [{"step": step, "prompt": one, "text": text} for one, text in samples.items()])
        for tracker in self.trackers:
            tracker.log(step, {f"bits_per_byte/{name}": one.bits_per_byte for name, one in scores.items()})
            tracker.log_samples(step, samples)
        if self.callbacks.on_evaluation is not None:
            self.callbacks.on_evaluation(self.last)


def save_snapshot(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Save a model that is in training: a copy, since its weights then lie in one row of memory.

    Args:
        model: keeps its mode.
        tokenizer: is saved with it.
        folder: takes the place of one that is there.
    """
    import copy

    from shoal.models import save_model

    mode = model.training
    fresh = copy.deepcopy(model).cpu().eval()
    fresh.requires_grad_(True)
    save_model(fresh, tokenizer, folder)
    model.train(mode)
