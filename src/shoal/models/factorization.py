"""A causal language model taken apart: a body that gives hidden states, and a head that turns them into logits.

Scoring needs logits at a few positions only, and never all of them at once, so it runs the body and applies the head
itself. What a model's own forward does between the two (a scale, a soft cap) is found by trying the few forms that are
in use and comparing with the logits of the model itself on a small probe; where none gives the same numbers,
the model stays whole and its full logits are used. Where shoal has a fast model of the architecture, and it gives
the same numbers on the probe, that is run. Cost: a handful of forward passes over seven tokens, once per model.
Where a caller gives the length of its rows, it is also found whether the length of what is read plays a part
(`shoal.models.lengths`), by a handful of passes over as many tokens.

Shapes: B rows, L positions, D hidden width, V vocabulary, N any number of positions.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import torch

from shoal.errors import ModelError
from shoal.models.attention import fast_forward, skips_mask
from shoal.models.fast import FastModel, wrap
from shoal.models.fast.base import LMHead
from shoal.models.lengths import ALL_AGREE, Lengths, find_lengths
from shoal.models.probing import context_of, forget, hooks_present, logits_of_all, same_numbers, spread_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformers import PreTrainedModel

Padding = Literal["right", "none"]

# Of two lengths, so that one row must be padded.
_PROBE_LENGTHS = (7, 4)
_MIN_LENGTH = 64
"""Lengths are looked at up to here at least, and then to the next power of two, so that few callers look again."""
_COMPARED = 64
"""Places at most at which two readings are compared."""
# Granite divides by logits_scaling; both ways are tried, and the probe decides.
_SCALES: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("logit_scale", lambda value: value),
    ("logits_scaling", lambda value: 1.0 / value),
    ("logits_scaling", lambda value: value),
    ("lm_head_multiplier", lambda value: value),
)
_SOFT_CAPS = ("final_logit_softcapping", "final_logit_softcap", "logit_softcap")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoredModel:
    """What `factor_model` returns."""

    model: PreTrainedModel | FastModel

    fast: FastModel | None
    """What runs in place of the model's body; None where there is no fast model that gives the same numbers."""

    head: LMHead | None
    """None where the model could not be factored, so that its full logits must be used."""

    padding: Padding
    """``right``: the numbers of a row are the same with and without padding after it; ``none``: they are not (or they
    depend on the other rows), so rows must go one at a time."""

    vocabulary: int
    """The number of logits."""

    lengths: Lengths = ALL_AGREE
    """Which lengths of what is read give the same numbers, up to the ``max_length`` given to `factor_model`."""

    @property
    def path(self) -> Literal["factored", "full logits"]:
        """Which path scoring takes."""
        return "full logits" if self.head is None else "factored"

    def hidden(self, ids_BL: torch.Tensor, shared: int = 0) -> torch.Tensor:
        """The last hidden states (B × (L - shared) × D), as the head takes them; no gradients flow.

        Args:
            ids_BL: what the model reads, padded on the right.
            shared: how many ids all rows begin with; no hidden states are wanted there, so that they may be read once.

        Raises:
            ModelError: the model could not be factored.
        """
        if self.head is None:
            raise ModelError(f"{type(self.model).__name__} could not be split into body and head; use its full logits")
        if self.fast is not None:
            with torch.inference_mode():
                return self.fast.hidden_after_prefix(shared, ids_BL)
        self.forget()
        with torch.inference_mode(), fast_forward(self.model):
            return _hidden(self.model, ids_BL)[:, shared:]

    def full_logits(self, ids_BL: torch.Tensor) -> torch.Tensor:
        """The logits (B × L × V) that the model itself gives."""
        if isinstance(self.model, FastModel):
            return self.model.head.logits(self.model.hidden(ids_BL))
        self.forget()
        return logits_of_all(self.model, ids_BL)

    def forget(self) -> None:
        """Make the model forget what it has read, where that would change what it reads next."""
        if self.lengths.keeps_state:
            forget(self.model)


@dataclass(frozen=True, slots=True)
class _Findings:
    """What the probe found; tensors are looked up afresh, since training may replace them."""

    outside: tuple[object, ...]
    """What stood around the body when it was found, see `_outside`."""
    form: tuple[float, float | None] | None
    padding: Padding
    vocabulary: int
    fast: bool
    """Whether a fast model of shoal's gives the same logits."""


_known: WeakKeyDictionary[torch.nn.Module, _Findings] = WeakKeyDictionary()
_known_lengths: WeakKeyDictionary[torch.nn.Module, tuple[_Findings, Lengths]] = WeakKeyDictionary()


def factor_model(model: PreTrainedModel | FastModel, *, max_length: int | None = None) -> FactoredModel:
    """Take a model apart into body and head, and prove on a probe that the parts give the logits of the whole.

    The model must be in evaluation mode. What was found is remembered for as long as the model object lives and its
    head stays the same kind of layer, without other hooks. What is returned sees the weights as they are now.

    Args:
        model: the model.
        max_length: how many ids will be read at most, where the length may matter; None does not look at lengths.
    """
    if isinstance(model, FastModel):
        return FactoredModel(
            model=model, fast=model, head=model.head, padding="right", vocabulary=len(model.head.weight_VD)
        )
    findings, outside = _known.get(model), _outside(model)
    if findings is None or findings.outside != outside:
        findings = _known[model] = _probe(model, outside)
    head = None if findings.form is None else _head(model, *findings.form)
    # Wrapped again each time: a fast model has copies of the weights, which training replaces.
    fast = wrap(model) if findings.fast else None
    factored = FactoredModel(
        model=model, fast=fast, head=head, padding=findings.padding, vocabulary=findings.vocabulary
    )
    if max_length is None or fast is not None:  # the fast models do not look at the length
        return factored
    found_for, lengths = _known_lengths.get(model, (findings, ALL_AGREE))
    if lengths.reached < max_length or found_for is not findings:
        reached = max(max_length, min(max(_MIN_LENGTH, 1 << max_length.bit_length()), context_of(model) or max_length))
        try:
            lengths = _look_at_lengths(factored, reached)
        except (IndexError, RuntimeError):  # more places or memory than there are
            lengths = _look_at_lengths(factored, max_length)
        _known_lengths[model] = (findings, lengths)
    return replace(factored, lengths=lengths)


@torch.inference_mode()
def _look_at_lengths(factored: FactoredModel, max_length: int) -> Lengths:
    """Which lengths up to ``max_length`` give the same numbers."""
    model: Any = factored.model
    row_L = spread_ids(model, max_length)
    # For as long as it is not known whether the model keeps a state, it is made to forget before each reading.
    forgetting = replace(factored, lengths=Lengths(keeps_state=True))
    seen: dict[int, torch.Tensor] = {}

    def differs(shorter: int, longer: int) -> bool:
        if longer not in seen:
            # One reading is enough: the search compares many lengths with one and the same, and hidden states of long
            # rows are large.
            seen.clear()
            seen[longer] = _read(forgetting, row_L[:longer])
        places = torch.linspace(0, shorter - 1, min(shorter, _COMPARED)).long()
        one, other = _read(forgetting, row_L[:shorter])[places], seen[longer][places]
        return not same_numbers(one, other)

    lengths = find_lengths(model.config.get_text_config(decoder=True).to_dict(), max_length, differs)
    if lengths.all_agree or lengths.keeps_state:
        return lengths
    _read(forgetting, row_L)
    # A shorter row after the longest one shows whether the model still turns by the frequencies of the longest.
    at_once, fresh = (_read(reader, row_L[: max_length - 1]) for reader in (factored, forgetting))
    return replace(lengths, keeps_state=not same_numbers(at_once, fresh))


def _read(factored: FactoredModel, ids_L: torch.Tensor) -> torch.Tensor:
    """What can be compared of a row read by itself: its last hidden states, or else its logits."""
    return (factored.full_logits(ids_L[None]) if factored.head is None else factored.hidden(ids_L[None]))[0]


def _outside(model: PreTrainedModel) -> tuple[object, ...]:
    """What may change the logits outside the body: the kind of head, hooks, a forward put on the object, scales."""
    layer = model.get_output_embeddings()
    hooks = [*model._forward_hooks, *model._forward_pre_hooks]
    if layer is not None:
        hooks += [*layer._forward_hooks, *layer._forward_pre_hooks]
    return (type(layer), tuple(hooks), vars(model).get("forward"), tuple(_forms(model)))


@torch.inference_mode()
def _probe(model: PreTrainedModel, outside: tuple[object, ...]) -> _Findings:
    """Find the form of the head, and whether padding on the right changes anything."""
    long, short = _probe_rows(model)
    alone = [logits_of_all(model, row[None])[0] for row in (long, short)]
    padding: Padding = "right"
    # Two fillers, since a model may treat its padding id alone in a way of its own.
    for filler in (0, int(long[-1])):
        padded = torch.full_like(long, filler)
        padded[: len(short)] = short
        together = logits_of_all(model, torch.stack([long, padded]))
        if not all(same_numbers(row[: len(one)], one) for row, one in zip(together, alone, strict=True)):
            padding = "none"
    form, vocabulary = _form(model, long, alone[0]), alone[0].shape[-1]
    fast = form is not None and padding == "right" and _fast_is_same(model, long, alone[0])
    return _Findings(outside=outside, form=form, padding=padding, vocabulary=vocabulary, fast=fast)


def _probe_rows(model: PreTrainedModel) -> list[torch.Tensor]:
    """Two short rows."""
    return [spread_ids(model, length, 1 + 11 * place) for place, length in enumerate(_PROBE_LENGTHS)]


def _form(model: PreTrainedModel, row_L: torch.Tensor, logits_LV: torch.Tensor) -> tuple[float, float | None] | None:
    """Scale and soft cap with which body and head reproduce the logits; None where nothing does."""
    if _plain_head(model) is None or hooks_present(model):
        return None
    with fast_forward(model):
        hidden_LD = _hidden(model, row_L[None])[0]
    for scale, soft_cap in _forms(model):
        head = _head(model, scale, soft_cap)
        if hidden_LD.shape[-1] == head.weight_VD.shape[-1] and same_numbers(head.logits(hidden_LD), logits_LV):
            return scale, soft_cap
    return None


def _fast_is_same(model: PreTrainedModel, row_L: torch.Tensor, logits_LV: torch.Tensor) -> bool:
    """Whether there is a fast model of the architecture that reproduces the logits."""
    fast = wrap(model)
    return fast is not None and same_numbers(fast.head.logits(fast.hidden(row_L[None]))[0], logits_LV)


def _forms(model: PreTrainedModel) -> Iterator[tuple[float, float | None]]:
    """Every scale and cap that the model or its configuration names, the plain ones first."""
    places = (model, model.base_model, model.config.get_text_config())
    scales = [1.0] + [change(value) for name, change in _SCALES for place in places if (value := _number(place, name))]
    caps = [None] + [value for name in _SOFT_CAPS for place in places if (value := _number(place, name)) is not None]
    # All combinations: a model may have both, and there are never more than a handful.
    return itertools.product(scales, caps)


def _number(place: object, name: str) -> float | None:
    value = getattr(place, name, None)
    return float(value) if isinstance(value, int | float) else None


def _plain_head(model: PreTrainedModel) -> torch.nn.Linear | None:
    """The output layer where it is a linear layer and nothing else."""
    layer = model.get_output_embeddings()
    # Not isinstance: a subclass (quantized, LoRA) may compute something else.
    plain = type(layer) is torch.nn.Linear and not hooks_present(layer)
    return layer if plain and model.base_model is not model else None


def _head(model: PreTrainedModel, scale: float, soft_cap: float | None) -> LMHead:
    layer = model.get_output_embeddings()
    return LMHead(weight_VD=layer.weight, bias_V=layer.bias, scale=scale, soft_cap=soft_cap)


def _hidden(model: PreTrainedModel, ids_BL: torch.Tensor) -> torch.Tensor:
    # What is padded on the right is not masked: a causal model does not see it, and without holes in the mask the
    # fused attention kernels need none at all. The probe proves that it changes nothing.
    mask = torch.zeros(1, 1, 1, 1, device=ids_BL.device) if skips_mask(model) else torch.ones_like(ids_BL)
    output = model.base_model(input_ids=ids_BL, attention_mask=mask, use_cache=False, return_dict=True)
    hidden_BLD: torch.Tensor = output[0]
    return hidden_BLD
