"""Direct logit attribution: the difference of two logits as a sum over the parts of the model.

The last residual stream is a sum: the embedding, what each head wrote and what each MLP wrote. With the scale of the
final norm held at its value, the difference of two logits is a sum over the same parts (Elhage et al. 2021; Wang et al.
2022, arXiv:2211.00593, section 3). What a part does through later parts is not included: patching shows that.

Shapes: N positions, D width, H heads, K width of a head, V vocabulary.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from shoal.errors import ModelError
from shoal.insight.hooks import find_parts, read_position
from shoal.insight.logits.lens import find_unembedding

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas
    from transformers import PreTrainedModel

    from shoal.insight.hooks import ModelBlock, Parts
    from shoal.insight.logits.lens import Unembedding

_LARGE = 1e4
"""An input so large that the epsilon of the norm plays no part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The contributions of the parts of a model to the difference of two logits."""

    target: int
    """The token whose logit is explained."""

    foil: int | None
    """The token whose logit is subtracted; None for the mean over the vocabulary."""

    position: int
    """The token after which they are predicted."""

    total: float
    """Logit of the target minus that of the foil, before a soft cap where the model has one."""

    parts: dict[str, float]
    """By name (``embedding``, ``block N head H``, ``block N biases``, ``block N mlp``, ``output biases``): its
    contribution. They sum to the total, up to what the dtype of the model rounds."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def strongest(self, count: int) -> list[tuple[str, float]]:
        """The parts that contribute most, in either direction."""
        return sorted(self.parts.items(), key=lambda item: -abs(item[1]))[:count]

    def to_frame(self) -> pandas.DataFrame:
        """A row per part: its name and its contribution, the strongest first."""
        import pandas

        return pandas.DataFrame(self.strongest(len(self.parts)), columns=["part", "contribution"])

    def __str__(self) -> str:
        foil = "the mean" if self.foil is None else f"token {self.foil}"
        lines = [f"token {self.target} against {foil}: {self.total:+.3f} in logits, of which"]
        return "\n".join(lines + [f"  {value:+8.3f}  {name}" for name, value in self.strongest(8)])


@torch.inference_mode()
def direct_attribution(
    model: PreTrainedModel, ids_L: torch.Tensor, *, target: int, foil: int | None = None, position: int = -1
) -> Attribution:
    """Decompose the difference of two logits into what embedding, heads and MLPs write.

    Args:
        model: in evaluation mode.
        ids_L: one text.
        target: the token id whose logit is explained.
        foil: the token id whose logit is subtracted; None subtracts the mean over the vocabulary, so that what is
            common to all tokens does not count.
        position: the token after which they are predicted; -1 is the last.

    Raises:
        ModelError: the model has parts that do not add up to its residual stream, or whose norms are not known.
    """
    parts = find_parts(model)
    unembed = find_unembedding(parts)
    if not parts.heads or any(block.mlp is None for block in parts.blocks):
        raise ModelError(f"{parts.name} has no attention and MLP in every block, so its logits cannot be decomposed")
    position = range(len(ids_L))[position]  # counted from the start, or an IndexError
    last = f"blocks.{len(parts.blocks) - 1}.residual_out"
    names = ["embedding", "blocks.*.attention.heads", "blocks.*.mlp.output", last]
    # In float32 at least: of a model in half precision the parts are read as they are, and added up exactly.
    seen = {name: _wide(value) for name, value in read_position(model, ids_L, names, position).items()}
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
    """The direction of the residual stream that writes the difference, the constant part, and the difference itself."""
    head = unembed.head
    kind = residual_D.dtype
    foil_D = head.weight_VD.mean(0, dtype=kind) if foil is None else head.weight_VD[foil].to(kind)
    after_D = (head.weight_VD[target].to(kind) - foil_D).to(residual_D) * head.scale
    bias = 0.0
    if head.bias_V is not None:
        bias_V = head.bias_V.to(kind)
        bias = head.scale * float(bias_V[target] - (bias_V.mean() if foil is None else bias_V[foil]))
    if unembed.norm is None:
        return after_D, bias, float(residual_D @ after_D) + bias
    total = float(_in_dtype(unembed.norm, kind)(residual_D[None])[0] @ after_D) + bias
    before_1D, offset_1 = linearize_norm(unembed.norm, residual_D[None], after_D[None])
    return before_1D[0], bias + float(offset_1), total


def _of_block(
    parts: Parts, number: int, block: ModelBlock, seen: Mapping[str, torch.Tensor], direction_D: torch.Tensor
) -> dict[str, float]:
    """The contributions of the heads, biases and MLP of one block."""
    weight_HKD, bias_D = _by_head(block, parts.heads)
    heads_HD = torch.einsum("hk,hkd->hd", seen[f"blocks.{number}.attention.heads"], weight_HKD)
    rest = 0.0
    reading_D = direction_D
    if block.attention_norm is not None:
        whole_D = heads_HD.sum(0) if bias_D is None else heads_HD.sum(0) + bias_D
        before_1D, offset_1 = linearize_norm(block.attention_norm, whole_D[None], direction_D[None])
        reading_D, rest = before_1D[0], float(offset_1)
    found = {f"block {number} head {head}": float(part) for head, part in enumerate(heads_HD @ reading_D)}
    if bias_D is not None:
        rest += float(bias_D @ reading_D)
    if bias_D is not None or block.attention_norm is not None:
        found[f"block {number} biases"] = rest
    return found | {f"block {number} mlp": float(seen[f"blocks.{number}.mlp.output"] @ direction_D)}


def _by_head(block: ModelBlock, heads: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The output projection split by head (H × K × D), and its bias; GPT-2 keeps its weights transposed."""
    layer = block.projection
    assert layer is not None
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, torch.Tensor)
    # GPT-2 keeps its weights transposed (Conv1D).
    weight_CD = _wide(weight.T if isinstance(layer, nn.Linear) else weight)
    return weight_CD.unflatten(0, (heads, -1)), _wide(bias) if isinstance(bias, torch.Tensor) else None


def _wide(value: torch.Tensor) -> torch.Tensor:
    """A tensor in float32 at least."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def _in_dtype(norm: nn.Module, kind: torch.dtype) -> nn.Module:
    """A norm that computes in a dtype: itself, or a copy where its weights are of another."""
    if all(weight.dtype == kind for weight in norm.parameters()):
        return norm
    return copy.deepcopy(norm).to(kind)


def _check_sum(parts: Parts, found: Mapping[str, float], total: float) -> None:
    """Refuse a model with more parts than those that are known, such as parallel adapters."""
    # Parts often cancel out, so that the error is measured against their sizes and not against the total.
    size = max(sum(map(abs, found.values())), 1e-6)
    # Each block rounds what it has added up to the dtype of the model.
    tolerance = max(1e-3, 4 * torch.finfo(parts.model.dtype).eps)
    if not abs(sum(found.values()) - total) <= tolerance * size:
        raise ModelError(
            f"the parts of {parts.name} add up to {sum(found.values()):.4f} and not to the logit difference "
            f"{total:.4f}: something else writes to its residual stream, so its logits cannot be decomposed"
        )


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
    norm = _in_dtype(norm, input_ND.dtype)
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
