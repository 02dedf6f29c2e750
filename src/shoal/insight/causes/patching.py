"""Activation patching: the run on the counterfactual, with one activation taken from the run on the prompt.

The effect of a place is how far that moves the logit difference (target minus foil, at the last position) towards what
it is on the prompt (Vig et al. 2020; Meng et al. 2022, arXiv:2202.05262; "denoising" in Heimersheim and Nanda 2024,
arXiv:2404.15255). Attribution patching estimates all effects from one gradient: (clean - counterfactual) · ∂ difference
/ ∂ activation, at the counterfactual (Nanda 2023; Syed et al. 2023, arXiv:2310.10348).

Shapes: L positions, H heads.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from shoal.errors import ModelError, UnknownNameError
from shoal.insight.causes.intervals import bracketed, is_significant, marked, said_of_intervals
from shoal.insight.causes.pairs import EncodedPair, encode_pairs
from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.edit import edit
from shoal.insight.hooks.parts import find_parts
from shoal.statistics import check_confidence, enough_units, percentile_interval, resampled_ratios, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.causes.pairs import PromptPair
    from shoal.insight.hooks.parts import Parts
    from shoal.progress import Progress

Method = Literal["activation", "attribution"]

SITES = ("residual_in", "attention.heads", "attention.output", "mlp.output")
"""What can be patched."""

_BY_COINS = 0.25
_ROWS = 64
"""Patched runs in one pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEffect:
    """One place of the model at one position."""

    block: int
    head: int | None
    """None where the site is not split by head."""

    position: int
    """Counted from the end of the prompts, -1 the last, since pairs may have different lengths."""

    effect: float
    """Mean over the pairs of the change of the logit difference, as a share of what separates prompt and
    counterfactual: 0 changes nothing, 1 restores the prompt's difference."""

    low: float | None
    """Bootstrap interval over the pairs; None where they are too few for one, five or fewer at 95%."""

    high: float | None

    def name(self) -> str:
        """Where it is, in words."""
        head = "" if self.head is None else f" head {self.head}"
        return f"block {self.block}{head}, position {self.position}"

    def interval(self) -> str:
        """Its interval, in brackets, and whether it holds 0."""
        return bracketed(self.low, self.high) + marked(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEffects:
    """What `patch_effects` returns."""

    site: str
    method: Method
    pairs: int
    effects: tuple[PatchEffect, ...]
    clean: float
    """Mean logit difference on the prompts."""

    counterfactual: float
    """Mean logit difference on the counterfactuals."""

    confidence: float

    right: int
    """Pairs in which the model prefers the target to the foil on the prompt, as the task asks."""

    flipped: int
    """Pairs in which it prefers the foil on the counterfactual."""

    both: int
    """Pairs in which it does both: one that always prefers the target has not understood the prompts."""

    gap_low: float | None
    """Interval of ``clean - counterfactual``, of which the effects are shares."""

    gap_high: float | None

    @property
    def does_task(self) -> bool:
        """Whether more pairs are answered rightly at both ends than by tossing coins: their interval is above 1/4."""
        return wilson_interval(self.both, self.pairs, confidence=self.confidence).low > _BY_COINS

    def strongest(self, count: int) -> tuple[PatchEffect, ...]:
        """The effects furthest from 0; those whose interval holds 0 behind all others."""
        order = sorted(self.effects, key=lambda each: (is_significant(each.low, each.high) is False, -abs(each.effect)))
        return tuple(order[:count])

    def task_line(self) -> str:
        """Whether the model does the task, which is to be known before what does it."""
        share = wilson_interval(self.both, self.pairs, confidence=self.confidence)
        said = (
            f"The model prefers the target to the foil on {self.right} of {self.pairs} prompts, the foil on "
            f"{self.flipped} counterfactuals, and does both in {self.both} pairs (share [{share.low:.2f}, "
            f"{share.high:.2f}], by chance {_BY_COINS}); logit difference "
            f"{self.clean:+.2f} on prompts, {self.counterfactual:+.2f} on counterfactuals, "
            f"{self.clean - self.counterfactual:+.2f}{bracketed(self.gap_low, self.gap_high)} between them."
        )
        if not self.does_task:
            said += " That it does the task is not shown, so what restores the answer says little."
        if is_significant(self.gap_low, self.gap_high) is False:
            said += " What separates prompts and counterfactuals is not significant, nor are shares of it."
        return said

    def lines(self, count: int = 8) -> list[str]:
        """Whether the model does the task, and the strongest effects in words."""
        told = (
            f"{self.method} patching of {self.site} over {self.pairs} pairs. {self.task_line()} "
            "Below, the share of that which is restored. " + said_of_intervals(self.pairs, self.confidence, "pairs")
        )
        return [told] + [f"  {each.effect:+7.3f}{each.interval()}  {each.name()}" for each in self.strongest(count)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def patch_effects(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    pairs: Sequence[PromptPair],
    *,
    site: str = "residual_in",
    method: Method = "activation",
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> PatchEffects:
    """The effect of every block (and head) at every position that all pairs have.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        pairs: prompts and counterfactuals; the unit of the intervals.
        site: one of `SITES`.
        method: ``activation`` runs the model once a place, ``attribution`` once a pair with a gradient.
        confidence: of the intervals.
        seed: of the bootstrap.
        progress: called with (what, done, total).

    Raises:
        DataError: a pair that cannot be used, or pairs whose prompts and counterfactuals are answered alike.
        UnknownNameError: another site or method.
        ModelError: the model has no such site.
    """
    check_confidence(confidence)
    for kind, given, known in (("site", site, SITES), ("method", method, ("activation", "attribution"))):
        if given not in known:
            raise UnknownNameError(kind, given, known)
    parts = find_parts(model)
    encoded = encode_pairs(parts, tokenizer, pairs)
    shared = min(len(pair.clean_L) for pair in encoded)
    effect = _by_running if method == "activation" else _by_gradient
    found, ends = [], []
    for number, pair in enumerate(encoded):
        moved_NHL, clean, counter = effect(parts, site, pair)
        found.append(moved_NHL[:, :, -shared:].double().cpu().numpy())
        ends.append((clean, counter))
        if progress is not None:
            progress(f"{method} patching", number + 1, len(encoded))
    moved_PNHL, ends_P2 = np.stack(found), np.array(ends)
    gap_P = ends_P2[:, 0] - ends_P2[:, 1]
    if not abs(gap_P.mean()) > 1e-6:
        raise ModelError("prompts and counterfactuals are answered alike on average, so there is nothing to restore")
    low, high = _interval(moved_PNHL, gap_P, confidence, seed)
    gap_low, gap_high = _gap_interval(gap_P, confidence, seed)
    mean_NHL = moved_PNHL.mean(0) / gap_P.mean()
    split = site == "attention.heads"
    return PatchEffects(
        site=site,
        method=method,
        pairs=len(encoded),
        effects=tuple(
            PatchEffect(
                block=block,
                head=head if split else None,
                position=place - shared,
                effect=float(value),
                low=None if low is None else float(low[block, head, place]),
                high=None if high is None else float(high[block, head, place]),
            )
            for (block, head, place), value in np.ndenumerate(mean_NHL)
        ),
        clean=float(ends_P2[:, 0].mean()),
        counterfactual=float(ends_P2[:, 1].mean()),
        confidence=confidence,
        right=int((ends_P2[:, 0] > 0).sum()),
        flipped=int((ends_P2[:, 1] < 0).sum()),
        both=int(((ends_P2[:, 0] > 0) & (ends_P2[:, 1] < 0)).sum()),
        gap_low=gap_low,
        gap_high=gap_high,
    )


@torch.inference_mode()
def run_patched(
    model: PreTrainedModel, ids_L: torch.Tensor, values: Mapping[str, torch.Tensor], positions: Sequence[int]
) -> torch.Tensor:
    """The logits (L × V) of a run with activations of another one put in at some positions.

    Args:
        model: in evaluation mode.
        ids_L: what the model reads.
        values: by name (see `shoal.insight.hooks.names`), the other run's activation (1 × L × ...).
        positions: where they are put in.
    """
    where = torch.tensor(list(positions), dtype=torch.long, device=ids_L.device)

    def put(value: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda own: own.index_copy(1, where, value.index_select(1, where).to(own.dtype))

    with edit(model, {name: put(value) for name, value in values.items()}):
        logits: torch.Tensor = model(ids_L[None], use_cache=False).logits[0]
    return logits


def _names(parts: Parts, site: str) -> list[str]:
    return [f"blocks.{number}.{site}" for number in range(len(parts.blocks))]


def _difference(logits_BV: torch.Tensor, pair: EncodedPair) -> torch.Tensor:
    return logits_BV[:, pair.target].float() - logits_BV[:, pair.foil].float()


@torch.inference_mode()
def _by_running(parts: Parts, site: str, pair: EncodedPair) -> tuple[torch.Tensor, float, float]:
    """The change at every block, head and position (N × H × L), and both ends."""
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
        moved.extend(_moved(parts, name, value, batch, pair) for batch in batches)
    return torch.cat(moved).view(len(parts.blocks), heads, -1) - counter, clean, counter


def _moved(
    parts: Parts, name: str, value_LHX: torch.Tensor, places: Sequence[tuple[int, int]], pair: EncodedPair
) -> torch.Tensor:
    """The logit difference of a batch of runs, each with one place patched."""

    def put(own: torch.Tensor) -> torch.Tensor:
        fresh = own.clone()
        split = fresh.view(len(places), *value_LHX.shape)
        for row, (head, position) in enumerate(places):
            split[row, position, head] = value_LHX[position, head]
        return fresh

    with edit(parts.model, {name: put}):
        logits = parts.model(pair.counter_L.expand(len(places), -1), use_cache=False).logits[:, -1]
    return _difference(logits, pair)


def _by_gradient(parts: Parts, site: str, pair: EncodedPair) -> tuple[torch.Tensor, float, float]:
    """The same to first order, from one gradient."""
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
    return torch.stack(moved), clean, float(difference.detach())


def _interval(
    moved_PNHL: np.ndarray[Any, Any], gap_P: np.ndarray[Any, Any], confidence: float, seed: int
) -> tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None]:
    """Percentile interval of the ratio of means, pairs drawn anew; none where they are too few."""
    if not enough_units(len(gap_P), confidence):
        return None, None
    drawn = resampled_ratios(moved_PNHL.reshape(len(gap_P), -1).T, gap_P, seed=seed)
    low, high = percentile_interval(drawn, confidence)
    return low.reshape(moved_PNHL.shape[1:]), high.reshape(moved_PNHL.shape[1:])


def _gap_interval(gap_P: np.ndarray[Any, Any], confidence: float, seed: int) -> tuple[float | None, float | None]:
    """Percentile interval of the mean difference between prompt and counterfactual; none where pairs are too few."""
    if not enough_units(len(gap_P), confidence):
        return None, None
    return percentile_interval(resampled_ratios(gap_P, np.ones(len(gap_P)), seed=seed), confidence)
