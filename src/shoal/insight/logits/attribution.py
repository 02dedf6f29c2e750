"""Direct logit attribution: which parts of the model wrote the difference of two logits.

The last residual stream is a sum: the embedding, what each head wrote and what each MLP wrote. With the scale of the
final norm held at its value, the difference of two logits is a sum over the same parts (Elhage et al. 2021; Wang et al.
2022, arXiv:2211.00593, section 3). What a part does through later parts is not in it: that is what patching shows.

Shapes: D width, H heads, K width of a head, V vocabulary.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from shoal.errors import ModelError
from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.parts import find_parts
from shoal.insight.logits.frozen import pull_back
from shoal.insight.logits.unembed import find_unembedding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel

    from shoal.insight.hooks.parts import Block, Parts
    from shoal.insight.logits.unembed import Unembedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Where the difference of two logits comes from."""

    target: int
    """The token whose logit is explained."""

    foil: int | None
    """The token whose logit is taken off it; None for the mean over the vocabulary."""

    position: int
    """Where it is predicted."""

    total: float
    """Logit of the target minus that of the foil, before a soft cap where the model has one."""

    parts: dict[str, float]
    """By name (``embedding``, ``block N head H``, ``block N biases``, ``block N mlp``, ``output biases``): what it adds
    to the total. They sum to it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@torch.inference_mode()
def direct_attribution(
    model: PreTrainedModel, ids_L: torch.Tensor, *, target: int, foil: int | None = None, position: int = -1
) -> Attribution:
    """Share the difference of two logits out among embedding, heads and MLPs.

    Args:
        model: in evaluation mode.
        ids_L: one text.
        target: a token id.
        foil: another; None takes the mean over the vocabulary off, so that nothing common to all tokens counts.
        position: where the prediction is made; -1 is the last.

    Raises:
        ModelError: the model has parts that do not add up to its residual stream, or whose norms are not known.
    """
    parts = find_parts(model)
    unembed = find_unembedding(parts)
    if not parts.heads or any(block.mlp is None for block in parts.blocks):
        raise ModelError(f"{parts.name} has no attention and MLP in every block, so its logits cannot be shared out")
    position = range(len(ids_L))[position]
    last = f"blocks.{len(parts.blocks) - 1}.residual_out"
    names = ["embedding", "blocks.*.attention.heads", "blocks.*.mlp.output", last]
    with capture(model, names, keep=lambda _, value: value[0, position]) as seen:
        model(ids_L[None], use_cache=False)
    before_D, constant, total = _direction(unembed, seen[last], target, foil)
    found = {"embedding": float(seen["embedding"] @ before_D)}
    for number, block in enumerate(parts.blocks):
        found |= _of_block(parts, number, block, seen, before_D)
    found["output biases"] = constant
    _check_sum(parts, found, total)
    return Attribution(target=target, foil=foil, position=position, total=total, parts=found)


def _direction(
    unembed: Unembedding, residual_D: torch.Tensor, target: int, foil: int | None
) -> tuple[torch.Tensor, float, float]:
    """The direction of the residual stream that writes the difference, what is added to it, and the difference."""
    head = unembed.head
    foil_D = head.weight_VD.mean(0) if foil is None else head.weight_VD[foil]
    after_D = (head.weight_VD[target] - foil_D).to(residual_D) * head.scale
    bias = 0.0
    if head.bias_V is not None:
        bias = head.scale * float(head.bias_V[target] - (head.bias_V.mean() if foil is None else head.bias_V[foil]))
    total = float(unembed.normed(residual_D[None])[0] @ after_D) + bias
    if unembed.norm is None:
        return after_D, bias, total
    before_1D, offset_1 = pull_back(unembed.norm, residual_D[None], after_D[None])
    return before_1D[0], bias + float(offset_1), total


def _of_block(
    parts: Parts, number: int, block: Block, seen: Mapping[str, torch.Tensor], direction_D: torch.Tensor
) -> dict[str, float]:
    """What heads, biases and the MLP of one block add."""
    weight_HKD, bias_D = _by_head(block, parts.heads)
    heads_HD = torch.einsum("hk,hkd->hd", seen[f"blocks.{number}.attention.heads"], weight_HKD)
    rest = 0.0
    reading_D = direction_D
    if block.attention_norm is not None:
        whole_D = heads_HD.sum(0) if bias_D is None else heads_HD.sum(0) + bias_D
        before_1D, offset_1 = pull_back(block.attention_norm, whole_D[None], direction_D[None])
        reading_D, rest = before_1D[0], float(offset_1)
    found = {f"block {number} head {head}": float(part) for head, part in enumerate(heads_HD @ reading_D)}
    if bias_D is not None:
        rest += float(bias_D @ reading_D)
    if bias_D is not None or block.attention_norm is not None:
        found[f"block {number} biases"] = rest
    return found | {f"block {number} mlp": float(seen[f"blocks.{number}.mlp.output"] @ direction_D)}


def _by_head(block: Block, heads: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The output projection split by head (H × K × D), and its bias; GPT-2 keeps its weights transposed."""
    layer = block.projection
    assert layer is not None
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, torch.Tensor)
    weight_CD = weight.T if isinstance(layer, nn.Linear) else weight
    return weight_CD.unflatten(0, (heads, -1)), bias if isinstance(bias, torch.Tensor) else None


def _check_sum(parts: Parts, found: Mapping[str, float], total: float) -> None:
    size = max(sum(map(abs, found.values())), 1e-6)
    if not abs(sum(found.values()) - total) <= 1e-3 * size:
        raise ModelError(
            f"the parts of {parts.name} add up to {sum(found.values()):.4f} and not to the logit difference "
            f"{total:.4f}: something else writes to its residual stream, so its logits cannot be shared out"
        )
