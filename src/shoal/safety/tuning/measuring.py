"""What a model does with requests, and how helpful it is: answers with their conduct, held-out losses, benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.progress import no_progress
from shoal.safety.head import shipped_refusal_head
from shoal.safety.prompt_scores import PromptScore, score_model

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import Self

    from shoal.evaluation.benchmarks import TaskItems
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.safety.head import RefusalHead
    from shoal.safety.tuning.chat_format import ChatFormat
    from shoal.safety.tuning.rows import SafetyRequest
    from shoal.tasks import Example

_ROWS = 64
"""Requests that are answered at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredAnswer(PromptScore):
    """What the answer to a request of a known kind does."""

    harmful: bool
    type: str
    completion: str

    @property
    def refusal(self) -> float:
        """1 where it refuses, fully or partly, 0 where it complies; NaN of an empty answer, which does neither."""
        return math.nan if self.conduct is None else float(self.refused)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as a run folder keeps them."""
        return {
            "prompt": self.prompt,
            "harmful": self.harmful,
            "type": self.type,
            "completion": self.completion,
            "conduct": self.conduct,
            "p_refusal": None if self.conduct is None else self.refuses,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """The answer of a row that `to_dict` gave.

        Args:
            row: of a file of JSON lines.
        """
        given = dict(row)
        return cls(refuses=given.pop("p_refusal") or 0.0, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutLoss:
    """The loss of one held-out answer."""

    nats: float
    tokens: int


def answer_requests(
    model: LoadedModel,
    chat: ChatFormat,
    requests: Sequence[SafetyRequest],
    *,
    max_tokens: int,
    head: RefusalHead | None = None,
    progress: Progress = no_progress,
) -> list[MeasuredAnswer]:
    """Answer requests greedily and score what the answers do.

    Args:
        model: a causal language model.
        chat: how a request stands before it.
        requests: what it answers.
        max_tokens: of an answer.
        head: scores the answers; None takes the one that comes with shoal.
        progress: called with (what, done, total).

    Raises:
        DataError: there are no requests, or every answer is empty.
    """
    from shoal.serving import make_generation_model

    scores = score_model(
        make_generation_model(model, rows=_ROWS),
        [one.prompt for one in requests],
        head or shipped_refusal_head(),
        max_tokens=max_tokens,
        chat=chat,
        keep_answers=True,
        what="answers",
        progress=progress,
    )
    return [
        MeasuredAnswer(
            prompt=request.prompt,
            harmful=request.harmful,
            type=request.type,
            completion=(score.completion or "").strip(),
            conduct=score.conduct,
            refuses=score.refuses,
        )
        for request, score in zip(requests, scores, strict=True)
    ]


def held_out_losses(model: LoadedModel, examples: Sequence[Example]) -> list[HeldOutLoss]:
    """The loss of each held-out answer, given its instruction.

    Args:
        model: a causal language model.
        examples: held out.

    Raises:
        DataError: an example cannot be encoded.
        TooLongError: one does not fit into the model's context.
    """
    from shoal.evaluation import encode_rows, log_likelihoods, scoring_mode

    rows = encode_rows(model.model, model.tokenizer, examples)
    with scoring_mode(model.model):
        nats = log_likelihoods(model.model, rows)
    return [HeldOutLoss(nats=-value, tokens=row.stop - row.start) for value, row in zip(nats, rows, strict=True)]


def read_benchmarks(
    tasks: Sequence[str], *, limit: int | None, data: str | os.PathLike[str] | None = None
) -> dict[str, list[TaskItems]]:
    """The items of benchmarks by name, spread evenly over each task: neighbours are alike.

    Args:
        tasks: names of tasks or groups; those of a group are pooled under its name.
        limit: items of each task, at most; None takes all.
        data: the folder of local data; None takes ``SHOAL_DATA``.

    Raises:
        ShoalError: a task is unknown or cannot be read, or its data cannot.
    """
    from shoal.evaluation.benchmarks import BenchmarkOptions, select_tasks
    from shoal.statistics import even_sample

    found = {}
    for name in tasks:
        _, read = select_tasks(BenchmarkOptions(tasks=(name,), data=None if data is None else Path(data)))
        found[name] = [replace(one, items=tuple(even_sample(one.items, limit or len(one.items)))) for one in read]
    return found


def benchmark_accuracies(
    model: LoadedModel, benchmarks: Mapping[str, Sequence[TaskItems]], *, progress: Progress = no_progress
) -> dict[str, dict[str, float]]:
    """Which items are right (1) or wrong (0), by benchmark and item.

    Args:
        model: a causal language model.
        benchmarks: as `read_benchmarks` gives them.
        progress: called with (what, done, total).

    Raises:
        DataError: a benchmark has no accuracy.
        ShoalError: an item cannot be scored.
    """
    from shoal.evaluation.benchmarks import BenchmarkOptions, prepare, run_plan

    found: dict[str, dict[str, float]] = {}
    for name, items in benchmarks.items():
        records, _ = run_plan(model, prepare(model, items, BenchmarkOptions(tasks=(name,)), progress), None, progress)
        values = {record.id: _accuracy(record.metrics) for record in records.values()}
        found[name] = {item: value for item, value in values.items() if value is not None}
        if not found[name] or len(found[name]) < len(values):
            raise DataError(f"the benchmark {name} has no accuracy; choose one whose items are right or wrong")
    return found


def _accuracy(metrics: Mapping[str, Any]) -> float | None:
    for name in ("acc", "exact_match"):
        value = next((value for key, value in metrics.items() if key.split(",")[0] == name), None)
        if isinstance(value, int | float):
            return float(value)
    return None
