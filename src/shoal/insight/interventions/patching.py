"""Activation patching: the run on the counterfactual, with one activation taken from the run on the prompt.

The effect of an activation is how far that moves the logit difference (target minus foil, at the last position) towards
its value on the prompt (Vig et al. 2020; Meng et al. 2022, arXiv:2202.05262; "denoising" in Heimersheim and Nanda 2024,
arXiv:2404.15255). Attribution patching estimates all effects from one gradient: (clean - counterfactual) · ∂ difference
/ ∂ activation, at the counterfactual (Nanda 2023; Syed et al. 2023, arXiv:2310.10348).

Shapes: L positions, H heads.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from shoal.errors import ModelError, UnknownNameError
from shoal.insight.hooks import capture, edit, find_parts, find_segments
from shoal.insight.interventions.effects import (
    ComponentEffect,
    bracketed,
    describe_intervals,
    excludes_zero,
    interval_or_none,
    intervals_or_none,
)
from shoal.insight.interventions.prompt_pairs import encode_prompt_pairs
from shoal.insight.options import DEFAULTS
from shoal.models import forget
from shoal.statistics import resampled_ratios, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    import pandas
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts
    from shoal.insight.interventions.prompt_pairs import EncodedPromptPair, PromptPair
    from shoal.insight.options import AnalysisOptions

    Floats = npt.NDArray[np.float64]

PatchMethod = Literal["activation", "attribution"]

SITES = ("residual_in", "attention.heads", "attention.output", "mlp.output")
"""The activations of a block that can be patched."""

_BY_CHANCE = 0.25
"""Share of pairs that two coins would answer correctly at both ends."""

_ROWS = 64
"""Patched runs in one pass."""

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEffect(ComponentEffect):
    """The effect of patching one activation at one position."""

    block: int
    head: int | None
    """None where the site is not split by head."""

    position: int
    """Counted from the end of the prompts, -1 the last, since pairs may have different lengths."""

    effect: float
    """Mean over the pairs of the change of the logit difference, as a share of the gap between prompt and
    counterfactual: 0 changes nothing, 1 restores the prompt's difference."""

    def name(self) -> str:
        """The name of the activation and its position."""
        head = "" if self.head is None else f" head {self.head}"
        return f"block {self.block}{head}, position {self.position}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEffects:
    """What `patch_effects` returns."""

    site: str
    method: PatchMethod
    pairs: int
    effects: tuple[PatchEffect, ...]
    clean: float
    """Mean logit difference on the prompts."""

    counterfactual: float
    """Mean logit difference on the counterfactuals."""

    confidence: float

    right: int
    """Pairs in which the model prefers the target to the foil on the prompt, as the task requires."""

    flipped: int
    """Pairs in which it prefers the foil on the counterfactual."""

    both: int
    """Pairs in which it does both: one that always prefers the target has not understood the prompts."""

    gap_low: float | None
    """Interval of ``clean - counterfactual``, of which the effects are shares."""

    gap_high: float | None

    @property
    def does_task(self) -> bool:
        """Whether significantly more pairs than by chance are answered correctly at both ends."""
        return wilson_interval(self.both, self.pairs, confidence=self.confidence).low > _BY_CHANCE

    def strongest(self, count: int) -> tuple[PatchEffect, ...]:
        """The effects furthest from 0; those that are not significant behind all others."""
        # What is no number can be put in no order, and would scatter the others.
        order = sorted(
            self.effects,
            key=lambda each: (each.significant is False, math.isnan(each.effect), -abs(each.effect)),
        )
        return tuple(order[:count])

    def task_line(self) -> str:
        """Whether the model does the task at all, without which no effect explains it."""
        share = wilson_interval(self.both, self.pairs, confidence=self.confidence)
        line = (
            f"The model prefers the target to the foil on {self.right} of {self.pairs} prompts, the foil on "
            f"{self.flipped} counterfactuals, and does both in {self.both} pairs (share [{share.low:.2f}, "
            f"{share.high:.2f}], by chance {_BY_CHANCE}); logit difference "
            f"{self.clean:+.2f} on prompts, {self.counterfactual:+.2f} on counterfactuals, "
            f"{self.clean - self.counterfactual:+.2f}{bracketed(self.gap_low, self.gap_high)} between them."
        )
        if not self.does_task:
            line += " That the model does the task is not shown, so what restores the answer is weak evidence."
        if excludes_zero(self.gap_low, self.gap_high) is False:
            line += " The gap between prompts and counterfactuals is not significant, nor are shares of it."
        return line

    def intervals_line(self) -> str:
        """What the intervals are, or why there are none."""
        return describe_intervals(self.pairs, self.confidence, "pairs")

    def __str__(self) -> str:
        title = (
            f"{self.method} patching of {self.site} over {self.pairs} pairs. {self.task_line()} "
            f"Below, the share of the gap that is restored. {self.intervals_line()}"
        )
        rows = [f"  {each.effect:+7.3f}{each.interval()}  {each.name()}" for each in self.strongest(_SHOWN)]
        return "\n".join([title, *rows])

    def to_frame(self) -> pandas.DataFrame:
        """A row per activation and position."""
        import pandas

        return pandas.DataFrame([asdict(each) | {"significant": each.significant} for each in self.effects])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _PairResult:
    """What patching moves in one pair, and the logit differences of both ends."""

    moved_NHL: torch.Tensor
    clean: float
    counterfactual: float


def patch_effects(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    pairs: Sequence[PromptPair],
    *,
    site: str = "residual_in",
    method: PatchMethod = "activation",
    options: AnalysisOptions = DEFAULTS,
) -> PatchEffects:
    """Measure the effect of patching every block (and head) at every position that all pairs have.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        pairs: prompts and counterfactuals, which are the unit of the intervals.
        site: one of `SITES`.
        method: ``activation`` runs the model once per activation and position, ``attribution`` once per pair with a
            gradient.
        options: level of the intervals, seed of the bootstrap, and progress callback.

    Raises:
        DataError: a pair that cannot be used.
        UnknownNameError: another site or method.
        ModelError: the model has no such site, or answers prompts and counterfactuals alike.
    """
    for kind, given, known in (("site", site, SITES), ("method", method, ("activation", "attribution"))):
        if given not in known:
            raise UnknownNameError(kind, given, known)
    parts = find_parts(model)
    encoded = encode_prompt_pairs(parts, tokenizer, pairs)
    measure = _by_running if method == "activation" else _by_gradient
    results = []
    for done, pair in enumerate(encoded, 1):
        if find_segments(model, len(pair.clean_L))[-1].forget:  # all runs of a pair are of one length
            forget(model)
        results.append(measure(parts, site, pair))
        options.progress(f"{method} patching", done, len(encoded))
    # Positions are aligned at the end, where the answer is predicted.
    shared = min(len(pair.clean_L) for pair in encoded)
    # In float64: sums over pairs of differences that are small beside the logits.
    moved_PNHL = np.stack([each.moved_NHL[:, :, -shared:].double().cpu().numpy() for each in results])
    ends_P2 = np.array([(each.clean, each.counterfactual) for each in results])
    gap_P = ends_P2[:, 0] - ends_P2[:, 1]
    if not abs(gap_P.mean()) > 1e-6:  # also where it is not a number
        raise ModelError("prompts and counterfactuals are answered alike on average, so there is nothing to restore")
    units, confidence = len(gap_P), options.confidence
    gaps_R = resampled_ratios(gap_P, np.ones(units), seed=options.seed)
    gap_low, gap_high = interval_or_none(gaps_R, units, confidence)
    return PatchEffects(
        site=site,
        method=method,
        pairs=units,
        effects=_effects(moved_PNHL, gap_P, options, by_head=site == "attention.heads"),
        clean=float(ends_P2[:, 0].mean()),
        counterfactual=float(ends_P2[:, 1].mean()),
        confidence=confidence,
        right=int((ends_P2[:, 0] > 0).sum()),
        flipped=int((ends_P2[:, 1] < 0).sum()),
        both=int(((ends_P2[:, 0] > 0) & (ends_P2[:, 1] < 0)).sum()),
        gap_low=gap_low,
        gap_high=gap_high,
    )


def _effects(moved_PNHL: Floats, gap_P: Floats, options: AnalysisOptions, *, by_head: bool) -> tuple[PatchEffect, ...]:
    """Ratios of means, with percentile intervals over resampled pairs."""
    units, shape = len(gap_P), moved_PNHL.shape[1:]
    # A ratio of means and not a mean of ratios: a pair whose gap is near 0 would outweigh all others.
    resampled = resampled_ratios(moved_PNHL.reshape(units, -1).T, gap_P, seed=options.seed)
    ends = intervals_or_none(resampled, units, options.confidence)
    return tuple(
        PatchEffect(
            block=block,
            head=head if by_head else None,
            position=place - shape[-1],
            effect=float(value),
            low=low,
            high=high,
        )
        for ((block, head, place), value), (low, high) in zip(
            np.ndenumerate(moved_PNHL.mean(0) / gap_P.mean()), ends, strict=True
        )
    )


@torch.inference_mode()
def run_patched(
    model: PreTrainedModel, ids_L: torch.Tensor, values: Mapping[str, torch.Tensor], positions: Sequence[int]
) -> torch.Tensor:
    """Compute the logits (L × V) of a run in which activations at some positions are those of another run.

    Args:
        model: in evaluation mode.
        ids_L: token ids that the model reads.
        values: by name (see `shoal.insight.hooks.hook_points`), the other run's activation (1 × L × ...).
        positions: the positions at which they are replaced.
    """
    where = torch.tensor(list(positions), dtype=torch.long, device=ids_L.device)

    def put(value: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda own: own.index_copy(1, where, value.index_select(1, where).to(own.dtype))

    with edit(model, {name: put(value) for name, value in values.items()}):
        logits: torch.Tensor = model(ids_L[None], use_cache=False).logits[0]
    return logits


def _names(parts: Parts, site: str) -> list[str]:
    return [f"blocks.{number}.{site}" for number in range(len(parts.blocks))]


def _difference(logits_BV: torch.Tensor, pair: EncodedPromptPair) -> torch.Tensor:
    return logits_BV[:, pair.target].float() - logits_BV[:, pair.foil].float()


@torch.inference_mode()
def _by_running(parts: Parts, site: str, pair: EncodedPromptPair) -> _PairResult:
    """Patch every block, head and position in turn."""
    model = parts.model
    with capture(model, _names(parts, site)) as seen:
        clean = float(_difference(model(pair.clean_L[None], use_cache=False).logits[:, -1], pair))
    counter = float(_difference(model(pair.counter_L[None], use_cache=False).logits[:, -1], pair))
    heads = parts.heads if site == "attention.heads" else 1
    places = [(head, position) for head in range(heads) for position in range(len(pair.clean_L))]
    moved: list[torch.Tensor] = []
    for name in _names(parts, site):
        value = seen[name][0].reshape(len(pair.clean_L), heads, -1)
        batches = (places[first : first + _ROWS] for first in range(0, len(places), _ROWS))
        moved.extend(_patched_differences(parts, name, value, batch, pair) for batch in batches)
    return _PairResult(torch.cat(moved).view(len(parts.blocks), heads, -1) - counter, clean, counter)


def _patched_differences(
    parts: Parts, name: str, value_LHX: torch.Tensor, places: Sequence[tuple[int, int]], pair: EncodedPromptPair
) -> torch.Tensor:
    """The logit differences of a batch of runs, each patched at one head and position."""

    def put(own: torch.Tensor) -> torch.Tensor:
        fresh = own.clone()  # the block before may still hold this memory
        split = fresh.view(len(places), *value_LHX.shape)
        for row, (head, position) in enumerate(places):
            split[row, position, head] = value_LHX[position, head]
        return fresh

    with edit(parts.model, {name: put}):
        logits = parts.model(pair.counter_L.expand(len(places), -1), use_cache=False).logits[:, -1]
    return _difference(logits, pair)


def _by_gradient(parts: Parts, site: str, pair: EncodedPromptPair) -> _PairResult:
    """Estimate the same to first order, from one gradient."""
    model, names = parts.model, _names(parts, site)
    with torch.no_grad(), capture(model, names) as clean_seen:
        clean = float(_difference(model(pair.clean_L[None], use_cache=False).logits[:, -1], pair))
    with torch.enable_grad(), capture(model, names, gradients=True) as seen:
        difference = _difference(model(pair.counter_L[None], use_cache=False).logits[:, -1], pair).sum()
        own = [seen[name] for name in names]
        gradients = torch.autograd.grad(difference, own)
    heads = parts.heads if site == "attention.heads" else 1
    moved = [
        ((clean_seen[name] - value.detach()) * gradient)[0].reshape(len(pair.clean_L), heads, -1).sum(-1).T
        for name, value, gradient in zip(names, own, gradients, strict=True)
    ]
    return _PairResult(torch.stack(moved), clean, float(difference.detach()))
