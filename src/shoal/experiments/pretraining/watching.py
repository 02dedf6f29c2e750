"""What is done after a step: it is written down, and now and then the model is scored, sampled and kept."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from shoal.experiments.pretraining.scoring import sample_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.records import Records
    from shoal.experiments.pretraining.result import HeldOutScore
    from shoal.experiments.pretraining.scoring import HeldOutSet
    from shoal.experiments.pretraining.trackers import Tracker
    from shoal.training import CurvePoint

CHECKPOINT = "checkpoint"
"""The folder of the state of an unfinished training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was measured after a step."""

    step: int
    scores: Mapping[str, HeldOutScore]
    samples: Mapping[str, str]


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
    """After which steps the model is kept: 0, 1, 2, 4, ... below ``every``, its multiples, and the last."""
    if every is None:
        return frozenset()
    powers = {2**power for power in range(steps.bit_length()) if 2**power < every}
    return frozenset({0, steps} | powers | set(range(every, steps + 1, every)))


def score_steps(steps: int, every: int | None) -> frozenset[int]:
    """After which steps the model is scored: before the first, every so many (or ten times in all), after the last."""
    if every is None:
        return frozenset(round(part * steps / 10) for part in range(11))
    return frozenset({0, steps} | set(range(0, steps, every)))


@dataclass(kw_only=True)
class Watch:
    """Watches one training; `keep` is told of every step before it is saved."""

    recipe: Recipe
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    steps: int
    folder: Path
    held_out: Mapping[str, HeldOutSet]
    records: Records
    trackers: Sequence[Tracker] = ()
    on_moment: Callable[[Moment], None] | None = None
    on_step: Callable[[CurvePoint], None] | None = None
    whole: bool = True
    """Whether this process has the whole model while it is in training."""

    def __post_init__(self) -> None:
        self.clock = Clock()
        self._next: int | None = None
        self._kept = checkpoint_steps(self.steps, self.recipe.checkpoints.every)
        self._scored = score_steps(self.steps, self.recipe.evaluation.every)
        self.last: Moment | None = None
        self.scoring_seconds = 0.0

    def begin(self) -> None:
        """Look at the model before its first step, unless a part of the training is done: then that was looked at."""
        if not any((self.folder / CHECKPOINT).glob("*.safetensors")):
            self.records.forget_from(0)
            self._look(0)
        self.clock.start()

    def keep(self, point: CurvePoint) -> None:
        """Take in a step."""
        self.clock.stop()
        if self._next is None:
            self._go_on(point.step)
        self._next = point.step + 1
        row = asdict(point) | {"seconds": self.clock.seconds, "cpu_seconds": self.clock.cpu_seconds}
        self.records.add("metrics", [row])
        for tracker in self.trackers:
            tracker.log(point.step, {key: value for key, value in row.items() if key != "step"})
        if self.on_step is not None:
            self.on_step(point)
        if self.whole:
            self._look(point.step)
        self.clock.start()

    def _go_on(self, step: int) -> None:
        """The first step that is seen: what is written of it and later ones is of a part that was killed."""
        last = self.records.forget_from(step)
        if last is not None:
            self.clock.seconds += last["seconds"]
            self.clock.cpu_seconds += last["cpu_seconds"]

    def _look(self, step: int) -> None:
        if step in self._scored:
            self._measure(step)
        if step in self._kept:
            keep_model(self.model, self.tokenizer, self.folder / "checkpoints" / f"step-{step}")

    def _measure(self, step: int) -> None:
        begun = time.perf_counter()
        scores = {name: held_out.score(self.model) for name, held_out in self.held_out.items()}
        samples = sample_texts(self.model, self.tokenizer, self.recipe, seed=self.recipe.seed + step)
        self.scoring_seconds = time.perf_counter() - begun
        self.last = Moment(step=step, scores=scores, samples=samples)
        self.records.add(
            "scores",
            [
                {"step": step, "corpus": name, "bits_per_byte": one.bits_per_byte, "low": one.low, "high": one.high}
                for name, one in scores.items()
            ],
        )
        self.records.add("samples", [{"step": step, "prompt": one, "text": said} for one, said in samples.items()])
        for tracker in self.trackers:
            tracker.log(step, {f"bits_per_byte/{name}": one.bits_per_byte for name, one in scores.items()})
            tracker.say(step, samples)
        if self.on_moment is not None:
            self.on_moment(self.last)


def keep_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Save a model that is in training: a copy, since its weights then lie in one row of memory."""
    import copy

    from shoal.models import save_model

    mode = model.training
    fresh = copy.deepcopy(model).cpu().eval()
    fresh.requires_grad_(True)
    save_model(fresh, tokenizer, folder)
    model.train(mode)
