"""From the residual stream to logits, as the model itself does it after its last block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import ModelError
from shoal.models import factor_model

if TYPE_CHECKING:
    import torch

    from shoal.insight.hooks.parts import Parts
    from shoal.models import LMHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Unembedding:
    """The final norm and the head."""

    norm: torch.nn.Module | None
    head: LMHead

    def logits(self, residual_ND: torch.Tensor) -> torch.Tensor:
        """Logits (N × V) of any places of the residual stream (N × D)."""
        return self.head.logits(self.normed(residual_ND))

    def normed(self, residual_ND: torch.Tensor) -> torch.Tensor:
        """As the head reads it."""
        if self.norm is None:
            return residual_ND
        fresh: torch.Tensor = self.norm(residual_ND)
        return fresh


def find_unembedding(parts: Parts) -> Unembedding:
    """The unembedding of a model in evaluation mode.

    Raises:
        ModelError: the model could not be split into body and head.
    """
    head = factor_model(parts.model).head
    if head is None:
        raise ModelError(f"{parts.name} could not be split into body and head, so its layers cannot be read as logits")
    return Unembedding(norm=parts.final_norm, head=head)
