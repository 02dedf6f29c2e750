"""The last step of a causal language model: from hidden states to logits.

Shapes: D hidden width, V vocabulary, N any number of positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class LMHead:
    """From hidden states to logits: ``cap(scale · (h Wᵀ + b))`` with ``cap(z) = c · tanh(z / c)`` where c is given."""

    weight_VD: torch.Tensor
    bias_V: torch.Tensor | None
    scale: float
    soft_cap: float | None

    def logits(self, hidden_ND: torch.Tensor, start: int = 0, stop: int | None = None) -> torch.Tensor:
        """Logits (N × (stop - start)) of the vocabulary from ``start`` to ``stop``, in the dtype of the weights."""
        bias = None if self.bias_V is None else self.bias_V[start:stop]
        return self.finish_(torch.nn.functional.linear(hidden_ND, self.weight_VD[start:stop], bias))

    def finish_(self, products: torch.Tensor) -> torch.Tensor:
        """Scale and cap, in place, what the matrix product gave."""
        if self.scale != 1.0:
            products.mul_(self.scale)
        if self.soft_cap is not None:
            products.div_(self.soft_cap).tanh_().mul_(self.soft_cap)
        return products
