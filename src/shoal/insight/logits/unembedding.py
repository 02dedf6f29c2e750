"""From the residual stream to logits, as the model itself does it after its last block.

Shapes: N positions, L positions of one text, D width, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.errors import ModelError
from shoal.models import factor_model

if TYPE_CHECKING:
    from torch import nn

    from shoal.insight.hooks import Parts
    from shoal.models import LMHead

_LARGE = 1e4
"""An input so large that the epsilon of the norm plays no part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unembedding:
    """The final norm and the head of a model."""

    norm: nn.Module | None
    head: LMHead

    def logits(self, residual_ND: torch.Tensor) -> torch.Tensor:
        """Compute the logits (N × V) of positions of the residual stream (N × D)."""
        return self.head.logits(self.normed(residual_ND))

    def normed(self, residual_ND: torch.Tensor) -> torch.Tensor:
        """Apply the final norm (N × D), whose output the head reads."""
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


def linearize_norm(
    norm: nn.Module, input_ND: torch.Tensor, direction_ND: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Write ``norm(input) · direction`` as a product with the input plus a constant, the scale of the norm held fixed.

    Norm(x) = g ⊙ (x - [mean x]) / s(x) + b is linear at fixed s, so that a direction after the norm is a direction
    before it (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on reading off logits).

    Args:
        norm: a layer norm or an RMS norm.
        input_ND: its input.
        direction_ND: a direction of its output at each position.

    Returns:
        The direction before the norm (N × D), and the constant (N).

    Raises:
        ModelError: the norm is neither a layer norm nor an RMS norm.
    """
    bias_D = getattr(norm, "bias", None)
    bias_D = torch.zeros_like(input_ND[0]) if bias_D is None else bias_D.detach()
    centred = "LayerNorm" in type(norm).__name__
    gain_D = _gain(norm, bias_D, centred=centred)
    eps = float(getattr(norm, "eps", getattr(norm, "variance_epsilon", 0.0)))
    base_ND = input_ND - input_ND.mean(-1, keepdim=True) if centred else input_ND
    # Checked against the norm itself below, since conventions of epsilon and gain differ.
    scale_N1 = (base_ND.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    normed_ND = norm(input_ND)
    error = (gain_D * base_ND / scale_N1 + bias_D - normed_ND).abs().max()
    if not float(error) <= 1e-3 * max(float(normed_ND.abs().max()), 1e-3):
        raise ModelError(
            f"{type(norm).__name__} is neither a layer norm nor an RMS norm, so its parts cannot be separated"
        )
    before_ND = gain_D * direction_ND / scale_N1
    if centred:  # subtracting the mean is linear too, and symmetric
        before_ND = before_ND - before_ND.mean(-1, keepdim=True)
    return before_ND, direction_ND @ bias_D


def _gain(norm: nn.Module, bias_D: torch.Tensor, *, centred: bool) -> torch.Tensor:
    """Find g from the norm's output of ±1 times a large number, since conventions differ (w in Llama, 1 + w in Gemma).

    Of a centred norm the input must have mean 0, which an odd width does not allow; g is then taken to be the weight.
    """
    signs_D = torch.ones_like(bias_D)
    if centred:
        signs_D[1::2] = -1.0
        if len(signs_D) % 2:
            weight = getattr(norm, "weight", None)
            return torch.ones_like(bias_D) if weight is None else weight.detach()
    fresh: torch.Tensor = norm(_LARGE * signs_D[None])[0]
    return (fresh - bias_D) * signs_D
