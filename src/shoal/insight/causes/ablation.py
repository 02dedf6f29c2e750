"""Ablation: what a task's score loses when a head or a neuron is taken away.

Its activation is replaced everywhere: by zero, by its mean over the examples, or by values that it takes at other
places drawn at random (resampled, which keeps their spread; Chan et al. 2022, "causal scrubbing"). The score is that of
`shoal.evaluation` on the same examples; the difference is paired item by item.

Shapes: B rows, L positions, N places of the bank, X numbers of one unit.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from shoal.errors import DataError, ModelError, UnknownNameError, UsageError
from shoal.evaluation import encode_rows, evaluate
from shoal.insight.causes.intervals import bracketed, is_significant, marked, said_of_intervals
from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.edit import edit
from shoal.insight.hooks.parts import find_parts
from shoal.statistics import check_confidence, enough_units, percentile_interval, resampled_places, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation import Scores
    from shoal.insight.hooks.parts import Parts
    from shoal.progress import Progress
    from shoal.tasks import Example

How = Literal["zero", "mean", "resample"]
Unit = Literal["head", "neuron"]

_SITE = {"head": "attention.heads", "neuron": "mlp.neurons"}
_BANK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """The score without one unit."""

    block: int
    index: int
    """Which head or neuron."""

    accuracy: float
    accuracy_change: float
    """Without it minus with it."""

    log_likelihood_change: float
    """Of an item's target in nats, mean over the items."""

    low: float | None
    """Bootstrap interval of that, items drawn anew; None where they are too few for one, five or fewer at 95%."""

    high: float | None

    def interval(self) -> str:
        """That, in brackets, and whether it holds 0."""
        return bracketed(self.low, self.high) + marked(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablations:
    """What `ablate` returns."""

    unit: Unit
    how: How
    items: int
    accuracy: float
    """Of the whole model."""

    log_likelihood: float
    """Of an item's target in nats, mean over the items, by the whole model."""

    ablations: tuple[Ablation, ...]
    """The most harmful first, those whose interval holds 0 last."""

    confidence: float

    def task_line(self) -> str:
        """How well the whole model does the task, and a word where it does not."""
        share = wilson_interval(round(self.accuracy * self.items), self.items, confidence=self.confidence)
        said = (
            f"exact match {self.accuracy:.1%} [{share.low:.1%}, {share.high:.1%}], log-likelihood "
            f"{self.log_likelihood:.3f} nats an item with all {self.unit}s"
        )
        return said if self.accuracy else f"{said}: the model does not do this task, so no part can be what does it"

    def lines(self, count: int = 8) -> list[str]:
        """The most harmful ablations in words."""
        told = (
            f"{self.how} ablation on {self.items} items: {self.task_line()}; change of both without. "
            + said_of_intervals(self.items, self.confidence, "items")
        )
        return [told] + [
            f"  {each.accuracy_change:+7.1%}  {each.log_likelihood_change:+8.3f}{each.interval()}  "
            f"block {each.block} {self.unit} {each.index}"
            for each in self.ablations[:count]
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def ablate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    *,
    unit: Unit = "head",
    places: Sequence[tuple[int, int]] | None = None,
    how: How = "mean",
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ablations:
    """Score a task without each of some units in turn.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        examples: the items of the task; the unit of the intervals.
        unit: ``head`` or ``neuron``.
        places: (block, head or neuron); None takes every head. Neurons must be named.
        how: ``zero``, ``mean`` or ``resample``.
        confidence: of the intervals.
        seed: of what is drawn.
        progress: called with (what, done, total).

    Raises:
        UsageError: a place that the model does not have; UnknownNameError for another unit or way.
        DataError: there is no example.
        ModelError: the model has no such units.
    """
    check_confidence(confidence)
    for kind, given, known in (("unit", unit, _SITE), ("ablation", how, ("zero", "mean", "resample"))):
        if given not in known:
            raise UnknownNameError(kind, given, known)
    if not examples:
        raise DataError("there is no example to score; give one at least")
    parts = find_parts(model)
    chosen = _places(parts, unit, places)
    banks = {} if how == "zero" else _banks(parts, tokenizer, examples, unit, sorted({b for b, _ in chosen}), seed)
    with _whole_forward(model):
        whole = evaluate(model, tokenizer, examples, greedy_text=False)
        base_I = _log_likelihoods(whole)
        draws = resampled_places(len(base_I), seed=seed)
        found = []
        for done, (block, index) in enumerate(chosen):
            change = _replacement(unit, how, index, banks.get(block), seed)
            with edit(model, {f"blocks.{block}.{_SITE[unit]}": change}):
                scores = evaluate(model, tokenizer, examples, greedy_text=False)
            lost_I = _log_likelihoods(scores) - base_I
            low, high = _interval(lost_I[draws], confidence)
            found.append(
                Ablation(
                    block=block,
                    index=index,
                    accuracy=scores.accuracy,
                    accuracy_change=scores.accuracy - whole.accuracy,
                    log_likelihood_change=float(lost_I.mean()),
                    low=low,
                    high=high,
                )
            )
            if progress is not None:
                progress(f"{how} ablation", done + 1, len(chosen))
    return Ablations(
        unit=unit,
        how=how,
        items=len(examples),
        accuracy=whole.accuracy,
        log_likelihood=float(base_I.mean()),
        ablations=tuple(sorted(found, key=_order)),
        confidence=confidence,
    )


def _order(each: Ablation) -> tuple[bool, float]:
    return is_significant(each.low, each.high) is False, each.log_likelihood_change


def _interval(drawn_DI: np.ndarray[Any, Any], confidence: float) -> tuple[float | None, float | None]:
    """Percentiles of the means of the draws; none where the items are too few."""
    if not enough_units(drawn_DI.shape[1], confidence):
        return None, None
    return percentile_interval(drawn_DI.mean(1), confidence)


def _places(parts: Parts, unit: Unit, places: Sequence[tuple[int, int]] | None) -> list[tuple[int, int]]:
    count = parts.heads if unit == "head" else parts.neurons
    if not count:
        raise ModelError(f"{parts.name} has no {unit}s that could be found, so none can be taken away")
    if places is None and unit == "neuron":
        raise UsageError(f"name the neurons to take away as (block, neuron); {parts.name} has too many to try them all")
    chosen = [(b, i) for b in range(len(parts.blocks)) for i in range(count)] if places is None else list(places)
    for block, index in chosen:
        if not (0 <= block < len(parts.blocks) and 0 <= index < count):
            raise UsageError(
                f"there is no {unit} {index} in block {block}: {parts.name} has blocks 0 to {len(parts.blocks) - 1} "
                f"with {unit}s 0 to {count - 1}"
            )
    return chosen


@contextmanager
def _whole_forward(model: PreTrainedModel) -> Iterator[None]:
    """Within it the evaluator runs the model's own forward pass, which is where the hooks of an edit stand.

    A hook on the model itself tells the evaluator that body and head may not be run apart.
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
    """By block, the units' values at places of the examples drawn at random (N × units × X)."""
    rows = encode_rows(parts.model, tokenizer, examples)
    names = [f"blocks.{block}.{_SITE[unit]}" for block in blocks]
    kept: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for row in rows:
        with capture(parts.model, names) as seen:
            parts.model(torch.tensor([row.ids[: row.fed]], device=parts.model.device), use_cache=False)
        for name in names:
            kept[name].append(seen[name][0].clone())
    draws = torch.Generator().manual_seed(seed)
    places = torch.randperm(sum(map(len, kept[names[0]])), generator=draws)[:_BANK]
    banks = {}
    for block, name in zip(blocks, names, strict=True):
        every = torch.cat(kept[name])[places.to(parts.model.device)]
        banks[block] = every if unit == "head" else every[..., None]
    return banks


def _replacement(
    unit: Unit, how: How, index: int, bank_NUX: torch.Tensor | None, seed: int
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The change that takes one unit away."""

    def change(value: torch.Tensor) -> torch.Tensor:
        fresh = value.clone()
        part = fresh[:, :, index] if unit == "head" else fresh[:, :, index : index + 1]
        if bank_NUX is None:
            part.zero_()
        elif how == "mean":
            part.copy_(bank_NUX[:, index].mean(0).to(part.dtype).expand_as(part))
        else:
            draws = torch.Generator().manual_seed(seed)
            which = torch.randint(len(bank_NUX), part.shape[:2], generator=draws).to(part.device)
            part.copy_(bank_NUX[which, index].to(part.dtype))
        return fresh

    return change
