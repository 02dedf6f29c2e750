"""How long a comparison of corpora will take: its trainings counted, a few steps and a few scored rows measured."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.experiments.corpus_comparison.preparation import prepare_corpora
from shoal.experiments.corpus_comparison.result import format_size
from shoal.experiments.corpus_comparison.trainings import ComparedTraining, planned_trainings, read_compared
from shoal.experiments.corpus_comparison.units import PREPARED, excerpt_rows, training_recipe, training_source
from shoal.progress import no_progress
from shoal.wording import aligned_rows, format_duration, plural

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan
    from shoal.experiments.corpus_comparison.preparation import CorpusCounts, PreparedCorpora
    from shoal.progress import Progress

_MEASURED_ROWS = 16
"""Held-out rows that are scored to see how long all will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeForecast:
    """The models of one size."""

    size: int
    parameters: int
    trainings: int
    """That are left to do."""

    seconds: float
    """Of one training with its scoring, as measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusComparisonForecast:
    """What is going to be done."""

    counts: Mapping[str, CorpusCounts]
    sizes: tuple[SizeForecast, ...]
    trainings: int
    done: int
    """Trainings that the folder has already."""

    seconds: float
    """Of all trainings that are left, one after the other."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        head = ["corpus", "documents", "tokens", "left out: held-out text", "left out: repeats"]
        rows = [
            [name, f"{one.documents:,}", f"{one.tokens:,}", f"{one.contaminated:,}", f"{one.repeated:,}"]
            for name, one in self.counts.items()
        ]
        sizes = [
            f"{format_size(one.size)} ({one.parameters:,} parameters): {plural(one.trainings, 'training')} of "
            f"{format_duration(one.seconds)} each"
            for one in self.sizes
        ]
        total = (
            f"about {format_duration(self.seconds)} for the {self.trainings - self.done} of {self.trainings} trainings "
            "that are left, one after the other"
        )
        return "\n".join([*aligned_rows([head, *rows]), *sizes, total])


def forecast_corpus_comparison(
    plan: CorpusComparisonPlan, folder: str | os.PathLike[str] | None = None, *, progress: Progress = no_progress
) -> CorpusComparisonForecast:
    """Prepare the corpora, count the trainings and measure some steps; nothing is trained and no file is left.

    Args:
        plan: what is compared.
        folder: of the comparison, whose finished trainings do not count; None for a fresh one.
        progress: called with (what, done, total).

    Raises:
        ShoalError: a comparison that could not be run, as `compare_corpora`.
    """
    begun = Path(folder) if folder is not None and (Path(folder) / PREPARED).is_dir() else None
    with tempfile.TemporaryDirectory(prefix="shoal-compare-") as scratch:
        prepared = prepare_corpora(plan, (begun or Path(scratch)) / PREPARED, progress=progress)
        sizes = []
        for size in plan.sizes:
            # One training stands for all of its size: the corpora have equally many tokens, and so equally many steps.
            planned = [one for one in planned_trainings(plan) if one.size == size]
            left = [one for one in planned if begun is None or read_compared(begun, one) is None]
            parameters, seconds = _measure(plan, prepared, planned[0])
            sizes.append(SizeForecast(size=size, parameters=parameters, trainings=len(left), seconds=seconds))
    total = len(planned_trainings(plan))
    return CorpusComparisonForecast(
        counts=prepared.counts,
        sizes=tuple(sizes),
        trainings=total,
        done=total - sum(one.trainings for one in sizes),
        seconds=sum(one.trainings * one.seconds for one in sizes),
    )


def _measure(plan: CorpusComparisonPlan, prepared: PreparedCorpora, training: ComparedTraining) -> tuple[int, float]:
    """The parameters of a model, and the seconds of a training and of the scoring after it."""
    from shoal.evaluation import log_likelihoods, scoring_mode
    from shoal.experiments.pretraining.planning import build_recipe_model, measure_steps, train_settings

    recipe = training_recipe(plan, training.size, training.seed)
    source, _ = training_source(recipe, prepared.corpora[training.corpus], plan, training)
    model = build_recipe_model(recipe, prepared.tokenizer)
    step_seconds, _ = measure_steps(model, source, train_settings(recipe, source.steps, "float32"))
    rows = [
        row
        for excerpts in prepared.held_out.values()
        for row in excerpt_rows(prepared.tokenizer, excerpts, plan.context)
    ]
    some = rows[:_MEASURED_ROWS]
    with scoring_mode(model):
        log_likelihoods(model, some[:1])  # warms up
        begun = time.perf_counter()
        log_likelihoods(model, some)
    scoring = (time.perf_counter() - begun) * len(rows) / len(some)
    return sum(weight.numel() for weight in model.parameters()), step_seconds * source.steps + scoring
