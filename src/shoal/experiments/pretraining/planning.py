"""What a recipe is going to do, said before it starts: sizes, steps, and the time that a few steps foretell."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from shoal.experiments.pretraining.words import in_words

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from shoal.experiments.pretraining.preparing import Prepared
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.training import Batch, DocumentSource, Dtype, TrainSettings

_TRIED = 4
"""Steps that are measured; the first of them, which also chooses the precision, does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusPlan:
    """One corpus as it will be used."""

    name: str
    documents: int
    size: int
    """Bytes of text."""

    tokens: int
    held_out: int
    """Documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainPlan:
    """What will be done."""

    name: str
    parameters: int
    vocabulary: int
    corpora: tuple[CorpusPlan, ...]
    missing_ids: int
    """Listed held-out ids that no corpus has."""

    tokens: int
    """Tokens to train on."""

    steps: int
    packing: float
    """Share of the places of all steps that hold a token."""

    precision: Dtype
    step_seconds: float
    """Of a step, as measured."""

    seconds: float
    """Of all steps; scoring comes on top."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The plan in words."""
        head = [
            f"{corpus.name}: {corpus.documents:,} documents, {corpus.size:,} bytes, {corpus.tokens:,} tokens, "
            f"{corpus.held_out:,} held out"
            for corpus in self.corpora
        ]
        if self.missing_ids:
            head.append(f"{self.missing_ids} of the listed held-out ids are in none of the corpora")
        packed = f"{self.packing:.1%} of each step is filled"
        speed = f"{self.step_seconds * 1000:.0f} ms a step, measured on {_TRIED - 1}"
        return [
            *head,
            f"{self.parameters:,} parameters, {self.vocabulary:,} tokens in the vocabulary",
            f"{self.steps:,} steps on {self.tokens:,} tokens ({packed}), {self.precision}",
            f"about {in_words(self.seconds)} of training ({speed}); scoring and samples besides",
        ]


def plan_training(recipe: Recipe, prepared: Prepared, model: PreTrainedModel, settings: TrainSettings) -> PretrainPlan:
    """Measure a few steps on a copy of the model, and say what all of them will take."""
    step_seconds, precision = _measure(model, prepared.stream, settings)
    corpora = tuple(
        CorpusPlan(
            name=name,
            documents=len(corpus.ids_D),
            size=int(corpus.sizes_D.sum()),
            tokens=len(corpus.file.tokens),
            held_out=int(prepared.split.held_out[name].sum()),
        )
        for name, corpus in prepared.corpora.items()
    )
    return PretrainPlan(
        name=recipe.name,
        parameters=sum(weight.numel() for weight in model.parameters()),
        vocabulary=len(prepared.tokenizer),
        corpora=corpora,
        missing_ids=prepared.split.missing,
        tokens=prepared.stream.tokens,
        steps=prepared.stream.steps,
        packing=prepared.stream.efficiency,
        precision=precision,
        step_seconds=step_seconds,
        seconds=step_seconds * prepared.stream.steps,
    )


def plan_from(values: dict[str, Any]) -> PretrainPlan:
    """A plan that `PretrainPlan.to_dict` gave."""
    return PretrainPlan(**values | {"corpora": tuple(CorpusPlan(**corpus) for corpus in values["corpora"])})


class _FirstSteps:
    """The first steps of a source."""

    def __init__(self, stream: DocumentSource, steps: int) -> None:
        self._stream = stream
        self.steps = min(steps, stream.steps)
        self.digest = stream.digest

    def batch(self, step: int) -> Batch:
        return self._stream.batch(step)


def _measure(model: PreTrainedModel, stream: DocumentSource, settings: TrainSettings) -> tuple[float, Dtype]:
    """Seconds a step, and the precision that was chosen or measured."""
    from shoal.training import Callbacks, run_training

    moments: list[float] = []
    result = run_training(
        copy.deepcopy(model),
        _FirstSteps(stream, _TRIED),
        # The rate of a real first step is small, too; a large one could meet a number that is none.
        replace(settings, learning_rate=min(settings.learning_rate, 1e-4), matrix_learning_rate=None),
        folder=None,
        callbacks=Callbacks(on_step=lambda _: moments.append(time.perf_counter())),
    )
    steps = [later - earlier for earlier, later in pairwise(moments)]
    return (statistics.median(steps) if steps else result.seconds), cast("Dtype", result.precision)
