"""A norm as a linear map: with its scale held fixed, the parts of its input pass by themselves.

Norm(x) = g ⊙ (x - [mean x]) / s(x) + b; at fixed s the map is linear, and a direction after the norm is a direction
before it (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on reading off logits).

Shapes: N positions, D width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from shoal.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

_FAR = 1e4
"""So large that the norm's epsilon does not count."""


def pull_back(norm: nn.Module, input_ND: torch.Tensor, direction_ND: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The direction (N × D) whose product with the input, plus a constant (N), is ``norm(input) · direction``.

    Raises:
        ModelError: the norm is neither a layer norm nor an RMS norm.
    """
    bias_D = getattr(norm, "bias", None)
    bias_D = torch.zeros_like(input_ND[0]) if bias_D is None else bias_D.detach()
    centred = "LayerNorm" in type(norm).__name__
    gain_D = _gain(norm, bias_D, centred=centred)
    eps = float(getattr(norm, "eps", getattr(norm, "variance_epsilon", 0.0)))
    base_ND = input_ND - input_ND.mean(-1, keepdim=True) if centred else input_ND
    scale_N1 = (base_ND.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    normed_ND = norm(input_ND)
    error = (gain_D * base_ND / scale_N1 + bias_D - normed_ND).abs().max()
    if not float(error) <= 1e-3 * max(float(normed_ND.abs().max()), 1e-3):
        raise ModelError(
            f"{type(norm).__name__} is neither a layer norm nor an RMS norm, so no parts can be told apart"
        )
    before_ND = gain_D * direction_ND / scale_N1
    if centred:
        before_ND = before_ND - before_ND.mean(-1, keepdim=True)
    return before_ND, direction_ND @ bias_D


def _gain(norm: nn.Module, bias_D: torch.Tensor, *, centred: bool) -> torch.Tensor:
    """g, found by what the norm makes of inputs whose normal form is known; conventions differ (w or 1 + w)."""
    signs_D = torch.ones_like(bias_D)
    if centred:
        signs_D[1::2] = -1.0
        if len(signs_D) % 2:
            weight = getattr(norm, "weight", None)
            return torch.ones_like(bias_D) if weight is None else weight.detach()
    fresh: torch.Tensor = norm(_FAR * signs_D[None])[0]
    return (fresh - bias_D) * signs_D
