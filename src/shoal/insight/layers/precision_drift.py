"""Precision drift: how the greedy texts of a model change in bfloat16 and float16, and how fast a pass is.

Shapes: L positions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from shoal.errors import DataError
from shoal.insight.layers.number_formats import FORMATS
from shoal.insight.layers.profiling import cpu_seconds, one_thread
from shoal.insight.options import DEFAULTS
from shoal.insight.tokens.reading import encode_texts
from shoal.models import context_of, decode_greedily, factor_model, load_model
from shoal.statistics import Interval, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.options import AnalysisOptions
    from shoal.models import LoadedModel

_REFERENCE = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionDrift:
    """One format compared with float32 on the same prompts."""

    format: str
    prompts: int
    changed: int
    """Prompts whose greedy continuation differs from that in float32."""

    interval: Interval
    """Wilson interval of their share."""

    first_changes: tuple[int, ...]
    """The first new token (from 0) at which each of those differs."""

    decisions: int
    """Positions of the float32 texts at which the most likely tokens are compared."""

    other_choices: int
    """Number of them at which another token is the most likely, after the same text."""

    tied: int
    """Number of them at which two or more tokens have exactly the largest logit."""

    largest_difference: float
    """The largest difference of a logit from that in float32."""

    seconds: tuple[float, ...]
    """CPU-seconds of one forward pass over the longest text, the repeats."""

    def __str__(self) -> str:
        return (
            f"{self.format:8}  {self.changed} of {self.prompts} change [{self.interval.low:.2f}, "
            f"{self.interval.high:.2f}]; {self.other_choices} of {self.decisions} choices differ, {self.tied} tie; "
            f"logits differ by up to {self.largest_difference:.2g}; forward pass {1e3 * median(self.seconds):.2f} ms"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class _Texts(NamedTuple):
    """The greedy continuations of a model, and the logits that decide each token of the float32 texts."""

    continuations: list[list[int]]
    logits_LV: torch.Tensor


@torch.inference_mode()
def measure_precision_drift(
    spec: str,
    prompts: Sequence[str],
    *,
    new_tokens: int = 48,
    repeats: int = 5,
    options: AnalysisOptions = DEFAULTS,
) -> list[PrecisionDrift]:
    """Continue prompts greedily in every format, on one thread of the CPU.

    Args:
        spec: a model spec.
        prompts: texts to continue; cut to what leaves room for the new tokens.
        new_tokens: number of tokens of a continuation.
        repeats: samples of each time.
        options: level of the interval; seed of fresh weights and of the order of the measurements; progress callback.

    Raises:
        DataError: a prompt without a token, or a context too short for the new tokens.
    """
    # All at once and on the CPU: times are compared in turns, and a GPU rounds by other rules.
    models = {name: load_model(spec, device="cpu", dtype=name, seed=options.seed) for name in FORMATS}
    prefixes = _prefixes(models[_REFERENCE], prompts, new_tokens)
    with one_thread():
        continuations = {}
        for done, (name, loaded) in enumerate(models.items(), 1):
            continuations[name] = _continue(loaded, prefixes, new_tokens)
            options.progress("greedy texts", done, len(models))
        texts = [[*prefix, *new] for prefix, new in zip(prefixes, continuations[_REFERENCE], strict=True)]
        longest = torch.tensor(max(texts, key=len))[None]
        works = {name: (lambda model=loaded.model: model(longest).logits) for name, loaded in models.items()}
        seconds = cpu_seconds(works, repeats=repeats, name="times of a model", options=options)
        found = {
            name: _Texts(continuations[name], _deciding_logits(loaded, prefixes, texts))
            for name, loaded in models.items()
        }
    return [_drift(name, found[name], found[_REFERENCE], seconds[name], options.confidence) for name in models]


def _prefixes(loaded: LoadedModel, prompts: Sequence[str], new_tokens: int) -> list[list[int]]:
    """The ids of each prompt, as the tokenizer's own policy begins a text."""
    context = context_of(loaded.model)
    room = None if context is None else context - new_tokens
    if room is not None and room < 1:
        raise DataError(f"{new_tokens} new tokens do not fit into the context of {context}; ask for fewer")
    begin = loaded.tokenizer.bos_token_id
    prefixes = [_last_ids(ids, room, begin) for ids in encode_texts(loaded.tokenizer, prompts)]
    if not prefixes or not all(prefixes):
        raise DataError("every prompt must have a token to continue; leave the empty ones out")
    return prefixes


def _last_ids(ids: list[int], room: int | None, begin: int | None) -> list[int]:
    """As many of the last ids as there is room for, behind the beginning token where the text has one."""
    if room is None or len(ids) <= room:
        return ids
    # A model that learned from texts with a beginning token computes something else without it.
    kept = ids[:1] if ids[0] == begin and room > 1 else []
    return [*kept, *ids[len(ids) - room + len(kept) :]]


def _continue(loaded: LoadedModel, prefixes: list[list[int]], new_tokens: int) -> list[list[int]]:
    """Greedy continuations, each prefix alone, so that padding changes nothing."""
    factored = factor_model(loaded.model, max_length=max(map(len, prefixes)) + new_tokens)
    # Formats are compared as transformers computes them, so without a fast model of shoal's.
    factored = replace(factored, fast=None)
    limits = [new_tokens] * len(prefixes)
    # Each prefix alone: padding may change the last bit, which is what is measured.
    return decode_greedily(factored, prefixes, limits, loaded.tokenizer.eos_token_id, may_pad=False)


def _deciding_logits(loaded: LoadedModel, prefixes: list[list[int]], texts: list[list[int]]) -> torch.Tensor:
    """The logits (L × V, in the model's dtype) that decide the new tokens of all texts."""
    return torch.cat(
        [
            loaded.model(torch.tensor(text)[None]).logits[0, len(prefix) - 1 : -1]
            for prefix, text in zip(prefixes, texts, strict=True)
        ]
    )


def _drift(
    name: str, found: _Texts, reference: _Texts, seconds: tuple[float, ...], confidence: float
) -> PrecisionDrift:
    """Compare one format with the reference."""
    pairs = zip(found.continuations, reference.continuations, strict=True)
    first_changes = tuple(place for pair in pairs if (place := first_difference(*pair)) is not None)
    own_LV, full_LV = found.logits_LV, reference.logits_LV
    # In the model's own dtype: in half precision many logits are rounded to the same number.
    best_L = own_LV.max(dim=1, keepdim=True).values
    prompts = len(found.continuations)
    return PrecisionDrift(
        format=name,
        prompts=prompts,
        changed=len(first_changes),
        interval=wilson_interval(len(first_changes), prompts, confidence=confidence),
        first_changes=first_changes,
        decisions=len(own_LV),
        other_choices=int((own_LV.argmax(dim=1) != full_LV.argmax(dim=1)).sum()),
        tied=int(((own_LV == best_L).sum(dim=1) > 1).sum()),
        largest_difference=float((own_LV.float() - full_LV).abs().max()),
        seconds=seconds,
    )


def first_difference(first: Sequence[int], second: Sequence[int]) -> int | None:
    """Find the first place at which two sequences differ; None where they are equal.

    Args:
        first: token ids.
        second: token ids; where one is the beginning of the other, they differ at its end.
    """
    if first == second:
        return None
    pairs = zip(first, second, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))
