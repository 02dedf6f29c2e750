"""What a model says in bfloat16 and float16 where it would say something else in float32, and how fast.

Shapes: L positions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import DataError
from shoal.insight.layers.measuring import cpu_seconds, one_thread
from shoal.insight.layers.precision import FORMATS
from shoal.models import context_of, decode_greedily, factor_model, load_model
from shoal.statistics import Interval, check_confidence, wilson_interval
from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.models import LoadedModel
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class GreedyChange:
    """One format beside float32 on the same prompts."""

    format: str
    prompts: int
    changed: int
    """Prompts whose greedy continuation is another one than in float32."""

    interval: Interval
    """Of the share of such prompts (Wilson)."""

    first_changes: tuple[int, ...]
    """At which new token (from 0) each of those parts from float32."""

    decisions: int
    """Positions of the float32 texts at which the most likely token was looked up."""

    other_choices: int
    """How many of them have another most likely token, the text before being the same."""

    tied: int
    """How many have two or more tokens that share the largest logit exactly."""

    largest_difference: float
    """Of a logit from float32's."""

    seconds: tuple[float, ...]
    """CPU-seconds of one forward pass over the longest text, the repeats."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@torch.inference_mode()
def greedy_changes(
    spec: str,
    prompts: Sequence[str],
    *,
    new_tokens: int = 48,
    repeats: int = 5,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[GreedyChange]:
    """Let a model go on greedily in every format, on one thread of the CPU.

    Args:
        spec: a model spec.
        prompts: texts to go on from; cut to what leaves room for the new tokens.
        new_tokens: how many to say.
        repeats: samples of each time.
        confidence: the confidence of the interval.
        seed: of fresh weights, and of the order of the measurements.
        progress: called with (what, done, total).

    Raises:
        DataError: a prompt without a token, or a context too short for the new tokens.
    """
    check_confidence(confidence)
    models = {name: load_model(spec, device="cpu", dtype=name, seed=seed) for name in FORMATS}
    prefixes = _prefixes(models["float32"], prompts, new_tokens)
    with one_thread():
        said = {}
        for place, (name, loaded) in enumerate(models.items()):
            said[name] = _continue(loaded, prefixes, new_tokens)
            if progress is not None:
                progress("greedy texts", place + 1, len(models))
        texts = [(*prefix, *new) for prefix, new in zip(prefixes, said["float32"], strict=True)]
        starts = [len(prefix) for prefix in prefixes]
        longest = torch.tensor(max(texts, key=len))[None]
        works = {name: (lambda model=loaded.model: model(longest).logits) for name, loaded in models.items()}
        seconds = cpu_seconds(works, repeats=repeats, seed=seed, what="times of a model", progress=progress)
        reference = [_logits(models["float32"], text, start) for text, start in zip(texts, starts, strict=True)]
        return [
            _change(
                name,
                said[name],
                said["float32"],
                [_logits(loaded, text, start) for text, start in zip(texts, starts, strict=True)],
                reference,
                seconds[name],
                confidence,
            )
            for name, loaded in models.items()
        ]


def _prefixes(loaded: LoadedModel, prompts: Sequence[str], new_tokens: int) -> list[list[int]]:
    """The ids of each prompt, as the tokenizer's own policy begins a text."""
    context = context_of(loaded.model)
    room = None if context is None else context - new_tokens
    if room is not None and room < 1:
        raise DataError(f"{new_tokens} new tokens do not fit into the context of {context}; ask for fewer")
    check_coverage(loaded.tokenizer, prompts)
    prefixes = [loaded.tokenizer(prompt, verbose=False)["input_ids"][-room if room else None :] for prompt in prompts]
    if not prefixes or not all(prefixes):
        raise DataError("every prompt must have a token to go on from; leave the empty ones out")
    return prefixes


def _continue(loaded: LoadedModel, prefixes: list[list[int]], new_tokens: int) -> list[list[int]]:
    """Greedy continuations, each prefix alone, so that padding changes nothing."""
    factored = factor_model(loaded.model, max_length=max(map(len, prefixes)) + new_tokens)
    # Formats are compared as transformers computes them, so without a fast model of shoal's.
    factored = replace(factored, fast=None)
    limits = [new_tokens] * len(prefixes)
    return decode_greedily(factored, prefixes, limits, loaded.tokenizer.eos_token_id, may_pad=False)


def _logits(loaded: LoadedModel, text: Sequence[int], start: int) -> torch.Tensor:
    """L × V in the model's dtype: what decides each token from ``start`` on."""
    logits_LV: torch.Tensor = loaded.model(torch.tensor(text)[None]).logits[0, start - 1 : -1]
    return logits_LV


def _change(
    name: str,
    said: list[list[int]],
    expected: list[list[int]],
    logits: list[torch.Tensor],
    reference: list[torch.Tensor],
    seconds: tuple[float, ...],
    confidence: float,
) -> GreedyChange:
    """One format's row."""
    parted = [_first_difference(ours, theirs) for ours, theirs in zip(said, expected, strict=True)]
    first_changes = tuple(place for place in parted if place is not None)
    own_LV, full_LV = torch.cat(logits), torch.cat(reference)
    best_L = own_LV.max(dim=1, keepdim=True).values
    return GreedyChange(
        format=name,
        prompts=len(said),
        changed=len(first_changes),
        interval=wilson_interval(len(first_changes), len(said), confidence=confidence),
        first_changes=first_changes,
        decisions=len(own_LV),
        other_choices=int((own_LV.argmax(dim=1) != full_LV.argmax(dim=1)).sum()),
        tied=int(((own_LV == best_L).sum(dim=1) > 1).sum()),
        largest_difference=float((own_LV.float() - full_LV).abs().max()),
        seconds=seconds,
    )


def _first_difference(ours: Sequence[int], theirs: Sequence[int]) -> int | None:
    """The first place at which two continuations differ."""
    if ours == theirs:
        return None
    pairs = zip(ours, theirs, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))
