"""Ablation: the loss of a task's score without a head or a neuron.

Its activation is replaced everywhere: by zero, by its mean over the examples, or by values that it takes at other
positions drawn at random (resampled, which keeps their spread; Chan et al. 2022, "causal scrubbing"). The score is that
of `shoal.evaluation` on the same examples; the difference is paired item by item.

Shapes: B rows, L positions, N positions of the bank, I items, X numbers of one unit.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from shoal.errors import DataError, ModelError, UnknownNameError, UsageError
from shoal.evaluation import encode_rows, evaluate
from shoal.insight.hooks import capture, component_name, edit, find_parts
from shoal.insight.interventions.effects import ComponentEffect, describe_intervals, interval_or_none
from shoal.insight.options import DEFAULTS
from shoal.statistics import resampled_places, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation import Scores
    from shoal.insight.hooks import Parts
    from shoal.insight.hooks.parts import Unit
    from shoal.insight.options import AnalysisOptions
    from shoal.tasks import Example

AblationMethod = Literal["zero", "mean", "resample"]

_ACTIVATION = {"head": "attention.heads", "neuron": "mlp.neurons"}
_BANK = 1024
"""Positions whose values stand in for a unit; the mean over more of them would hardly differ."""

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation(ComponentEffect):
    """The score without one unit; the interval is that of ``log_likelihood_change``."""

    block: int
    index: int
    """Number of the head or neuron."""

    accuracy: float
    accuracy_change: float
    """Accuracy without the unit minus accuracy with it."""

    log_likelihood_change: float
    """The same of the log-likelihood of an item's target in nats, mean over the items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablations:
    """What `ablate` returns."""

    unit: Unit
    method: AblationMethod
    items: int
    accuracy: float
    """Accuracy of the whole model."""

    log_likelihood: float
    """Log-likelihood of an item's target in nats, mean over the items, by the whole model."""

    ablations: tuple[Ablation, ...]
    """The most harmful first, those that are not significant last."""

    confidence: float

    def task_line(self) -> str:
        """How well the whole model does the task, with a warning where it does not."""
        share = wilson_interval(round(self.accuracy * self.items), self.items, confidence=self.confidence)
        line = (
            f"exact match {self.accuracy:.1%} [{share.low:.1%}, {share.high:.1%}], log-likelihood "
            f"{self.log_likelihood:.3f} nats per item with all {self.unit}s"
        )
        return line if self.accuracy else f"{line}: the model does not do this task, so no part can be what does it"

    def intervals_line(self) -> str:
        """What the intervals are, or why there are none."""
        return describe_intervals(self.items, self.confidence, "items")

    def name(self, ablation: Ablation) -> str:
        """The name of the unit that was ablated."""
        return component_name(ablation.block, self.unit, ablation.index)

    def __str__(self) -> str:
        title = (
            f"{self.method} ablation on {self.items} items: {self.task_line()}; change of both without. "
            f"{self.intervals_line()}"
        )
        rows = [
            f"  {each.accuracy_change:+7.1%}  {each.log_likelihood_change:+8.3f}{each.interval()}  {self.name(each)}"
            for each in self.ablations[:_SHOWN]
        ]
        return "\n".join([title, *rows])

    def to_frame(self) -> pandas.DataFrame:
        """A row per ablated unit."""
        import pandas

        return pandas.DataFrame([asdict(each) | {"significant": each.significant} for each in self.ablations])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def ablate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    *,
    unit: Unit = "head",
    components: Sequence[tuple[int, int]] | None = None,
    method: AblationMethod = "mean",
    options: AnalysisOptions = DEFAULTS,
) -> Ablations:
    """Score a task without each of some units in turn.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        examples: the items of the task, which are the unit of the intervals.
        unit: ``head`` or ``neuron``.
        components: (block, head or neuron); None ablates every head. Neurons must be named.
        method: ``zero``, ``mean`` or ``resample``.
        options: level of the intervals, seed of what is drawn, and progress callback.

    Raises:
        UsageError: a component that the model does not have; UnknownNameError for another unit or method.
        DataError: there is no example.
        ModelError: the model has no such units.
    """
    for kind, given, known in (("unit", unit, _ACTIVATION), ("ablation", method, ("zero", "mean", "resample"))):
        if given not in known:
            raise UnknownNameError(kind, given, known)
    if not examples:
        raise DataError("there is no example to score; give one at least")
    parts = find_parts(model)
    chosen = _chosen(parts, unit, components)
    blocks = sorted({block for block, _ in chosen})
    banks = {} if method == "zero" else _banks(parts, tokenizer, examples, unit, blocks, options.seed)
    with _whole_forward(model):
        # Only verdicts and likelihoods are compared, which need no decoding.
        whole = evaluate(model, tokenizer, examples, greedy_text=False)
        found = []
        for done, (block, index) in enumerate(chosen):
            change = _replacement(unit, method, index, banks.get(block), options.seed)
            with edit(model, {f"blocks.{block}.{_ACTIVATION[unit]}": change}):
                scores = evaluate(model, tokenizer, examples, greedy_text=False)
            found.append(_ablation(block, index, scores, whole, options))
            options.progress(f"{method} ablation", done + 1, len(chosen))
    return Ablations(
        unit=unit,
        method=method,
        items=len(examples),
        accuracy=whole.accuracy,
        log_likelihood=float(_log_likelihoods(whole).mean()),
        ablations=tuple(sorted(found, key=_order)),
        confidence=options.confidence,
    )


def _order(ablation: Ablation) -> tuple[bool, bool, float]:
    """The most harmful first; a change that is no number, which has no place among the others, behind them."""
    change = ablation.log_likelihood_change
    return ablation.significant is False, math.isnan(change), change


def _ablation(block: int, index: int, scores: Scores, whole: Scores, options: AnalysisOptions) -> Ablation:
    """Compare the scores without a unit with those of the whole model, item by item."""
    change_I = _log_likelihoods(scores) - _log_likelihoods(whole)
    resampled_R = change_I[resampled_places(len(change_I), seed=options.seed)].mean(1)
    low, high = interval_or_none(resampled_R, len(change_I), options.confidence)
    return Ablation(
        block=block,
        index=index,
        accuracy=scores.accuracy,
        accuracy_change=scores.accuracy - whole.accuracy,
        log_likelihood_change=float(change_I.mean()),
        low=low,
        high=high,
    )


def _chosen(parts: Parts, unit: Unit, components: Sequence[tuple[int, int]] | None) -> list[tuple[int, int]]:
    """The components to ablate, checked against the model."""
    count = parts.heads if unit == "head" else parts.neurons
    if not count:
        raise ModelError(f"{parts.name} has no {unit}s that could be found, so none can be ablated")
    if components is None and unit == "neuron":
        raise UsageError(f"name the neurons to ablate as (block, neuron); {parts.name} has too many to try them all")
    every = [(block, index) for block in range(len(parts.blocks)) for index in range(count)]
    chosen = every if components is None else list(components)
    for block, index in chosen:
        if not (0 <= block < len(parts.blocks) and 0 <= index < count):
            raise UsageError(
                f"there is no {unit} {index} in block {block}: {parts.name} has blocks 0 to {len(parts.blocks) - 1} "
                f"with {unit}s 0 to {count - 1}"
            )
    return chosen


@contextmanager
def _whole_forward(model: PreTrainedModel) -> Iterator[None]:
    """Make the evaluator run the model's own forward pass, which is where the hooks of an edit are.

    The evaluator runs body and head apart where they give the same logits, and it looks for hooks on the model itself
    before it does.
    """
    handle = model.register_forward_hook(lambda *_: None)
    try:
        yield
    finally:
        handle.remove()


def _log_likelihoods(scores: Scores) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([item.log_likelihood for item in scores.items], dtype=np.float64)


@torch.inference_mode()
def _banks(
    parts: Parts,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    unit: Unit,
    blocks: Sequence[int],
    seed: int,
) -> dict[int, torch.Tensor]:
    """By block, the units' values at positions of the examples drawn at random (N × units × X)."""
    # The very ids that the evaluator feeds, without the last one, after which nothing is predicted.
    rows = encode_rows(parts.model, tokenizer, examples)
    names = [f"blocks.{block}.{_ACTIVATION[unit]}" for block in blocks]
    collected: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for row in rows:
        with capture(parts.model, names) as cache:
            parts.model(torch.tensor([row.ids[: row.fed]], device=parts.model.device), use_cache=False)
        for name in names:
            collected[name].append(cache[name][0].clone())
    draws = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(sum(map(len, collected[names[0]])), generator=draws)[:_BANK]
    banks = {}
    for block, name in zip(blocks, names, strict=True):
        every = torch.cat(collected[name])[drawn.to(parts.model.device)]
        banks[block] = every if unit == "head" else every[..., None]
    return banks


def _replacement(
    unit: Unit, method: AblationMethod, index: int, bank_NUX: torch.Tensor | None, seed: int
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The edit that ablates one unit."""

    def change(value: torch.Tensor) -> torch.Tensor:
        fresh = value.clone()  # an edit must not write into the activation that others hold
        # A neuron is a single number without an axis of its own, which the slice gives it.
        part = fresh[:, :, index] if unit == "head" else fresh[:, :, index : index + 1]
        if bank_NUX is None:
            part.zero_()
        elif method == "mean":
            part.copy_(bank_NUX[:, index].mean(0).to(part.dtype).expand_as(part))
        else:
            # The same draws for every unit and batch of one shape, so that units differ by their values alone.
            draws = torch.Generator().manual_seed(seed)
            which = torch.randint(len(bank_NUX), part.shape[:2], generator=draws).to(part.device)
            part.copy_(bank_NUX[which, index].to(part.dtype))
        return fresh

    return change
