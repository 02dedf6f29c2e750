"""The model of a recipe, and the plan of its training: sizes, steps, and how long a few measured steps take."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from shoal.wording import format_duration

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.experiments.pretraining.data import Prepared
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.training import Batch, DocumentSource, Dtype, Precision, TrainSettings


def build_recipe_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """The model of the recipe with fresh weights.

    Args:
        recipe: its shape and seed.
        tokenizer: gives the size of the vocabulary and the end token.

    Raises:
        UsageError: the heads do not divide the width.
    """
    from shoal.models import ModelShape, build_model

    table = recipe.model
    sizes = table.model_dump(include={"width", "layers", "heads", "inner", "context", "tied", "initial_spread"})
    shape = ModelShape(vocabulary=len(tokenizer), end_token_id=tokenizer.eos_token_id, **sizes)
    return build_model(table.kind, shape, seed=recipe.seed)


def train_settings(recipe: Recipe, steps: int, precision: Precision | None = None) -> TrainSettings:
    """The settings of the training loop.

    Args:
        recipe: has them.
        steps: of the whole training.
        precision: what a measurement has chosen; None for that of the recipe.
    """
    from shoal.experiments.tables import train_settings_of
    from shoal.training import default_beta2

    table = recipe.training
    chosen = {"epochs": 1.0, "seed": recipe.seed, "precision": precision or table.precision}
    beta2 = default_beta2(table.optimizer, steps) if table.beta2 is None else table.beta2
    return train_settings_of(table, chosen | {"beta2": beta2})


_MEASURED_STEPS = 4
"""Steps that are measured; the first does not count, since it also chooses the precision and warms the caches."""


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
    """Seconds per step, as measured."""

    seconds: float
    """Of all steps; scoring comes on top."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        head = [
            f"{corpus.name}: {corpus.documents:,} documents, {corpus.size:,} bytes, {corpus.tokens:,} tokens, "
            f"{corpus.held_out:,} held out"
            for corpus in self.corpora
        ]
        if self.missing_ids:
            head.append(f"{self.missing_ids} of the listed held-out ids are in none of the corpora")
        packed = f"{self.packing:.1%} of each step is filled"
        speed = f"{self.step_seconds * 1000:.0f} ms per step, measured on {_MEASURED_STEPS - 1}"
        lines = [
            *head,
            f"{self.parameters:,} parameters, {self.vocabulary:,} tokens in the vocabulary",
            f"{self.steps:,} steps on {self.tokens:,} tokens ({packed}), {self.precision}",
            f"about {format_duration(self.seconds)} of training ({speed}); scoring and samples besides",
        ]
        return "\n".join(lines)


def plan_pretraining(
    recipe: Recipe, prepared: Prepared, model: PreTrainedModel, settings: TrainSettings
) -> PretrainPlan:
    """Measure a few steps on a copy of the model, and plan all of them by that.

    Args:
        recipe: what will be done.
        prepared: its data.
        model: the fresh model, which is left as it is.
        settings: of the training.

    Raises:
        UsageError: the settings need held-out documents, and there are none.
    """
    from shoal.training import check_monitoring

    # Before anything is written: a recipe that is corrected may then take the folder.
    check_monitoring(settings, given=any(mask.any() for mask in prepared.split.held_out.values()))
    step_seconds, precision = measure_steps(model, prepared.stream, settings)
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


def measure_steps(model: PreTrainedModel, stream: DocumentSource, settings: TrainSettings) -> tuple[float, Dtype]:
    """Seconds per step, and the precision that was chosen or measured; the model stays as it is.

    Args:
        model: with fresh weights.
        stream: whose first steps are done.
        settings: of the training.
    """
    from shoal.training import Callbacks, run_training

    moments: list[float] = []
    result = run_training(
        # The fresh model must reach its first real step untouched.
        copy.deepcopy(model),
        _FirstSteps(stream, _MEASURED_STEPS),
        # The rate of a real first step is small, too; a large one could meet a number that is none.
        # Nothing is held out of a few steps, so that nothing may need it.
        replace(
            settings,
            learning_rate=min(settings.learning_rate, 1e-4),
            matrix_learning_rate=None,
            early_stopping_patience=0,
            keep_best=False,
        ),
        folder=None,
        callbacks=Callbacks(on_step=lambda _: moments.append(time.perf_counter())),
    )
    steps = [later - earlier for earlier, later in pairwise(moments)]
    # A training of one step has no interval between two.
    return (statistics.median(steps) if steps else result.seconds), cast("Dtype", result.precision)
