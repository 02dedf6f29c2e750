"""The residual stream by layer: the logit lens, which is what each layer would predict as the last one, and its norms.

The residual stream after each block goes through the final norm and the unembedding (nostalgebraist 2020, "interpreting
GPT: the logit lens"); with a tuned lens, through an affine map before them (Belrose et al. 2023, arXiv:2303.08112). At
the last block both give the model's own logits.

The norm of what a part adds to the residual stream shows how much it writes, not what for: direct attribution and
patching show that. The first position is often an outlier with many times the norm of the others (Sun et al. 2024,
arXiv:2402.17762), so medians over the positions are reported.

Shapes: L positions of a text, N any positions, D width, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import ModelError
from shoal.insight.hooks import activation_names, find_parts, read_activations
from shoal.models import factor_model

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

    from shoal.insight.hooks import Parts
    from shoal.insight.logits.tuned_lens import TunedLens
    from shoal.models import LMHead

_TOP = 5
_ADDED = ("attention.output", "mlp.output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unembedding:
    """The final norm and the head of a model."""

    norm: nn.Module | None
    head: LMHead

    def logits(self, residual_ND: torch.Tensor) -> torch.Tensor:
        """Compute the logits (N × V) of positions of the residual stream (N × D), in the dtype of the model."""
        return self.head.logits(self.normed(residual_ND))

    def normed(self, residual_ND: torch.Tensor) -> torch.Tensor:
        """Apply the final norm (N × D), whose output the head reads."""
        # A tuned lens gives float32, whatever the model is in.
        residual_ND = residual_ND.to(self.head.weight_VD.dtype)
        if self.norm is None:
            return residual_ND
        fresh: torch.Tensor = self.norm(residual_ND)
        return fresh


def find_unembedding(parts: Parts) -> Unembedding:
    """Find the final norm and the head of a model in evaluation mode.

    Raises:
        ModelError: the model could not be split into body and head.
    """
    head = factor_model(parts.model).head
    if head is None:
        raise ModelError(f"{parts.name} could not be split into body and head, so its layers cannot be read as logits")
    return Unembedding(norm=parts.final_norm, head=head)


def surprisal(logits_LV: torch.Tensor, ids_L: torch.Tensor) -> list[float | None]:
    """Compute -log2 p(token | tokens before it) in bits; None for the first token, of which nothing was predicted.

    Args:
        logits_LV: the logits after each token.
        ids_L: the tokens.
    """
    log_p_LV = logits_LV[:-1].float().log_softmax(-1)
    bits = -log_p_LV.gather(1, ids_L[1:, None])[:, 0] / math.log(2)
    return [None, *bits.tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class LensReading:
    """The prediction of one layer at each position."""

    layer: str
    """``embedding``, or ``block N``."""

    top_ids: list[list[int]]
    """At each position the most likely next tokens, the most likely first."""

    top_p: list[list[float]]
    """Their probabilities."""

    next_p: list[float | None]
    """The probability of the actual next token; None at the last position."""

    divergence: list[float]
    """KL(model ‖ layer) in bits at each position; 0 at the last block."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@torch.inference_mode()
def lens_readings(
    model: PreTrainedModel, ids_L: torch.Tensor, *, tuned: TunedLens | None = None, top: int = _TOP
) -> tuple[LensReading, ...]:
    """Read the prediction of every layer, from the embedding to the last block.

    Args:
        model: in evaluation mode.
        ids_L: one text.
        tuned: the maps before the unembedding; None reads the logit lens.
        top: how many of the most likely tokens are returned per position.

    Raises:
        ModelError: the model could not be split into body and head, or the tuned lens is of another model.
    """
    parts = find_parts(model)
    unembed = find_unembedding(parts)
    names = ["embedding", *(f"blocks.{number}.residual_out" for number in range(len(parts.blocks)))]
    seen = read_activations(model, ids_L[None], [*names, "logits"])
    final_LV = seen["logits"][0].float().log_softmax(-1)
    if tuned is not None:
        tuned.check(parts)
    readings = []
    for layer, name in enumerate(names):
        residual_LD = seen[name][0]
        # The last block needs no map: its residual stream is what the unembedding reads.
        if tuned is not None and layer < len(parts.blocks):
            residual_LD = tuned.translate(layer, residual_LD)
        layer_LV = unembed.logits(residual_LD).float().log_softmax(-1)
        title = name if layer == 0 else f"block {layer - 1}"
        readings.append(_reading(title, layer_LV, final_LV, ids_L, top))
    return tuple(readings)


def _reading(layer: str, layer_LV: torch.Tensor, final_LV: torch.Tensor, ids_L: torch.Tensor, top: int) -> LensReading:
    top_p, top_ids = layer_LV.exp().topk(min(top, layer_LV.shape[1]), dim=-1)
    # What follows the last token is not in the text.
    next_p = layer_LV[:-1].gather(1, ids_L[1:, None])[:, 0].exp()
    nats_L = torch.nn.functional.kl_div(layer_LV, final_LV, reduction="none", log_target=True).sum(-1)
    return LensReading(
        layer=layer,
        top_ids=top_ids.tolist(),
        top_p=top_p.tolist(),
        next_p=[*next_p.tolist(), None],
        # Rounding may leave a divergence slightly below 0.
        divergence=(nats_L / torch.log(torch.tensor(2.0))).clamp_min(0.0).tolist(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualReading:
    """The residual stream after one layer; all numbers are medians over the positions."""

    layer: str
    """``embedding``, or ``block N``."""

    length: float
    """Its Euclidean norm."""

    attention: float | None
    """The norm of what attention added; None for the embedding, and where there is no attention."""

    mlp: float | None
    turned: float | None
    """The cosine between the stream before and after the block; None for the embedding."""

    to_last: float
    """The cosine between it and the stream after the last block."""

    longest: int
    """The position with the largest norm."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@torch.inference_mode()
def residual_readings(parts: Parts, ids_L: torch.Tensor) -> tuple[ResidualReading, ...]:
    """Measure the residual stream of one text, from the embedding to the last block.

    Args:
        parts: the parts of the model.
        ids_L: the text.
    """
    blocks = range(len(parts.blocks))
    known = set(activation_names(parts))
    streams = ["embedding", *(f"blocks.{number}.residual_out" for number in blocks)]
    added = [name for number in blocks for what in _ADDED if (name := f"blocks.{number}.{what}") in known]
    values = read_activations(parts.model, ids_L[None], [*streams, *added])
    seen = {name: value[0].float() for name, value in values.items()}
    last_LD = seen[streams[-1]]
    readings = []
    for place, name in enumerate(streams):
        lengths_L = seen[name].norm(dim=-1)
        attention, mlp = (
            _median(seen[part].norm(dim=-1)) if place and (part := f"blocks.{place - 1}.{what}") in known else None
            for what in _ADDED
        )
        readings.append(
            ResidualReading(
                layer=name if place == 0 else f"block {place - 1}",
                length=_median(lengths_L),
                attention=attention,
                mlp=mlp,
                turned=_cosine(seen[streams[place - 1]], seen[name]) if place else None,
                to_last=_cosine(seen[name], last_LD),
                longest=int(lengths_L.argmax()),
            )
        )
    return tuple(readings)


def _cosine(first_LD: torch.Tensor, second_LD: torch.Tensor) -> float:
    return _median(torch.nn.functional.cosine_similarity(first_LD, second_LD, dim=-1))


def _median(values_L: torch.Tensor) -> float:
    # torch's own median is the lower one of the middle two.
    return float(values_L.double().quantile(0.5))
