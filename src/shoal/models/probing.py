"""What a probe of a model is made of: ids to read, the logits that it gives of them, and whether numbers are the same.

Shapes: B rows, L positions, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# The rounding that two ways of computing the same numbers may differ by, as a share of the largest of them: about a
# hundred units in the last place, and in the 16-bit types the few hundredths that a handful of layers add up to.
_SLACK = {torch.float64: 1e-9, torch.float32: 2e-5}
_SLACK_OF_16_BITS = 0.05


def spread_ids(model: PreTrainedModel, length: int, first: int = 1) -> torch.Tensor:
    """A row of ids (L) that are spread over the vocabulary.

    Args:
        model: whose embeddings give the number of ids.
        length: L.
        first: rows of different ``first`` have other ids.
    """
    entries = model.get_input_embeddings().weight.shape[0]
    # Primes, so that neighbours are far apart and no short cycle repeats.
    return torch.tensor([(first + 97 * place) * 31 % entries for place in range(length)], device=model.device)


def logits_of_all(model: PreTrainedModel, ids_BL: torch.Tensor) -> torch.Tensor:
    """The logits (B × L × V) that the model gives of rows of one length, read from their beginning.

    Args:
        model: in evaluation mode.
        ids_BL: rows without padding.
    """
    output = model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL), use_cache=False, return_dict=True)
    logits_BLV: torch.Tensor = output.logits
    return logits_BLV


def same_numbers(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors are equal up to rounding in the dtype of the first.

    Args:
        one: any tensor; NaN equals NaN.
        other: compared with it, and the reference for the scale.
    """
    if one.shape != other.shape:
        return False
    slack = _SLACK.get(one.dtype, _SLACK_OF_16_BITS)
    one, other = one.double(), other.double()
    finite = other[other.isfinite()]
    # The largest number is the measure: the error of a sum is relative to its terms, not to a result near 0.
    scale = max(float(finite.abs().max()), 1e-3) if len(finite) else 1.0
    return torch.allclose(one, other, rtol=0.0, atol=slack * scale, equal_nan=True)


def forget(model: Any) -> None:
    """Read a single token, after which frequencies are those of a short text again."""
    with torch.no_grad():
        model.base_model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=model.device), use_cache=False)


def context_of(model: PreTrainedModel) -> int | None:
    """How many tokens a model reads at most, where its configuration states it.

    Dynamic NTK scaling multiplies the context that it names by its factor; XLNet has -1 there and no limit.
    """
    config = model.config.get_text_config(decoder=True)
    context = getattr(config, "max_position_embeddings", None)
    rope = getattr(config, "rope_parameters", None) or {}
    if context is None or context < 1:
        return None
    return int(context * rope.get("factor", 1.0)) if rope.get("rope_type") == "dynamic" else int(context)


def hooks_present(module: torch.nn.Module) -> bool:
    """Whether hooks run before or after the module's forward, so that it may compute more than its class does."""
    return bool(module._forward_hooks or module._forward_pre_hooks)
