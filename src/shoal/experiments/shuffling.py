"""Weights shuffled within each tensor: their sizes stay, and what was learned goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def shuffle_weights(model: PreTrainedModel, seed: int) -> None:
    """Permute the entries of every weight tensor in place; each keeps its mean, spread and shape.

    Source: the shuffled initialisation of Zhang, Backurs, Bubeck et al. (2022), "Unveiling Transformers with LEGO",
    arXiv:2206.04301, section 4 and of Raghu et al. (2019), "Transfusion", arXiv:1902.07208, section 4.2 ("mean var").

    Args:
        model: any model; tensors that are tied are shuffled once.
        seed: of the permutations.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
