"""The loss of a Llama and its gradient, written out for packed rows of tokens on a CPU.

The same function as `transformers.LlamaForCausalLM` (Touvron et al. 2023, arXiv:2302.13971, section 2.2), in fewer and
larger operations: queries, keys and values are one product, as are gate and up; the gain of a norm is folded into the
product that follows it; each gradient is written straight to its place, and autograd has no part in it. The rotation is
one complex product: the rows of the query and key weights are taken in the order that puts the two halves of each angle
side by side, which leaves the scores as they are.

In bfloat16 the products and what stands between them run in bfloat16, while weights, gradients, residual stream, norms'
statistics and the loss stay in float32.

Shapes: T tokens, D hidden width, C columns of query, key and value, F inner width, N predicted positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.training.attention import Heads, attend, attend_backward
from shoal.training.loss import add_product_, cross_entropy_with_gradient
from shoal.training.packing import pack_documents
from shoal.training.precision import DTYPES

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from shoal.models.anatomy import Head
    from shoal.training.batches import Batch
    from shoal.training.packing import Pack
    from shoal.training.precision import Dtype
    from shoal.training.weights import FlatWeights, Slot

_STATIC_ROTATIONS = ("default", "linear", "llama3", "yarn")
_PARTS = {
    "LlamaForCausalLM", "LlamaModel", "LlamaDecoderLayer", "LlamaAttention", "LlamaMLP", "LlamaRMSNorm",
    "LlamaRotaryEmbedding", "ModuleList", "Embedding", "Linear", "SiLU", "SiLUActivation",
}  # fmt: skip


def is_plain_llama(model: PreTrainedModel) -> bool:
    """Whether `LlamaGradient` computes just what this model does: on the CPU, all weights trained, nothing added."""
    config = model.config
    return (
        config.model_type == "llama"
        and model.device.type == "cpu"
        and not (config.attention_bias or config.mlp_bias)
        and config.rope_parameters["rope_type"] in _STATIC_ROTATIONS
        and all(weight.requires_grad for weight in model.parameters())
        and all(_is_plain(module) for module in model.modules())
    )


def _is_plain(module: torch.nn.Module) -> bool:
    return type(module).__name__ in _PARTS and not module._forward_hooks and not module._forward_pre_hooks


@dataclass(frozen=True, slots=True)
class _Layer:
    attention_gain: Slot
    qkv: Slot
    out: Slot
    mlp_gain: Slot
    gate_up: Slot
    down: Slot


@dataclass(frozen=True, slots=True)
class _Normed:
    """A row over its root mean square, before the gain."""

    unit: torch.Tensor
    scale_T1: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Tape:
    """What the backward pass of a layer needs of its forward pass."""

    attention_in: _Normed
    qkv_CD: torch.Tensor
    attended: list[Any]
    attention_out: torch.Tensor
    out_DD: torch.Tensor
    mlp_in: _Normed
    gate_up_ED: torch.Tensor
    gate_up_TE: torch.Tensor
    activated_TF: torch.Tensor
    inner_TF: torch.Tensor
    down_DF: torch.Tensor


class LlamaGradient:
    """Adds the gradient of a batch's loss to the flat gradients, and gives the loss."""

    def __init__(self, model: PreTrainedModel, head: Head, weights: FlatWeights) -> None:
        config = model.config
        self._heads = Heads(
            config.num_attention_heads, config.num_key_value_heads, model.model.layers[0].self_attn.head_dim
        )
        self._epsilon = config.rms_norm_eps
        self._inner = config.intermediate_size
        self._paired = _paired_rows(self._heads)
        self._parted = torch.argsort(self._paired)
        self._rotary = model.model.rotary_emb
        self._head = head
        self._embedding = weights.slot("model.embed_tokens.weight")
        self._final_gain = weights.slot("model.norm.weight")
        self._output = self._embedding if config.tie_word_embeddings else weights.slot("lm_head.weight")
        self._layers = [_layer_slots(weights, f"model.layers.{place}.") for place in range(len(model.model.layers))]

    @torch.no_grad()
    def __call__(self, batch: Batch, precision: Dtype, of: int) -> torch.Tensor:
        """The loss of a batch (a scalar)."""
        pack = pack_documents(batch)
        dtype = DTYPES[precision]
        x_TD = self._embedding.value.index_select(0, pack.ids_T)
        turn = self._rotation(pack, x_TD)
        tapes = []
        for layer in self._layers:
            x_TD, tape = self._forward(layer, x_TD, pack, turn, dtype)
            tapes.append(tape)
        loss, grad_TD = self._loss(x_TD, pack, dtype, of)
        back = turn.conj_physical()
        for layer in reversed(self._layers):
            self._backward(layer, tapes.pop(), grad_TD, pack, back)
        self._embedding.grad.index_add_(0, pack.ids_T, grad_TD)
        return loss

    def _rotation(self, pack: Pack, x_TD: torch.Tensor) -> torch.Tensor:
        """The angle of each pair of query and key columns, as a complex number of length 1 (T × pairs)."""
        cos, sin = (part[0, :, : self._heads.width // 2] for part in self._rotary(x_TD, pack.positions_T[None]))
        return torch.complex(cos, sin).repeat(1, self._heads.queries + self._heads.keys)

    def _forward(
        self, layer: _Layer, x_TD: torch.Tensor, pack: Pack, turn: torch.Tensor, dtype: torch.dtype
    ) -> tuple[torch.Tensor, _Tape]:
        attention_in = _normed(x_TD, self._epsilon, dtype)
        qkv_CD = (layer.qkv.value.index_select(0, self._paired) * layer.attention_gain.value).to(dtype)
        qkv_TC = attention_in.unit @ qkv_CD.t()
        _rotate_(qkv_TC, turn)
        attention_out, attended = attend(qkv_TC, self._heads, pack.groups)
        out_DD = layer.out.value.to(dtype)
        x_TD = _plus_product(x_TD, attention_out, out_DD)
        mlp_in = _normed(x_TD, self._epsilon, dtype)
        gate_up_ED = (layer.gate_up.value * layer.mlp_gain.value).to(dtype)
        gate_up_TE = mlp_in.unit @ gate_up_ED.t()
        gate_TF, up_TF = gate_up_TE.split(self._inner, dim=1)
        activated_TF = torch.nn.functional.silu(gate_TF)
        down_DF = layer.down.value.to(dtype)
        inner_TF = activated_TF * up_TF
        x_TD = _plus_product(x_TD, inner_TF, down_DF)
        tape = _Tape(
            attention_in, qkv_CD, attended, attention_out, out_DD,
            mlp_in, gate_up_ED, gate_up_TE, activated_TF, inner_TF, down_DF,
        )  # fmt: skip
        return x_TD, tape

    def _loss(self, x_TD: torch.Tensor, pack: Pack, dtype: torch.dtype, of: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and its gradient by the last layer's output."""
        final = _normed(x_TD.index_select(0, pack.rows_N), self._epsilon, dtype)
        hidden_ND = final.unit * self._final_gain.value.to(dtype)
        loss, grad_ND = cross_entropy_with_gradient(
            hidden_ND, pack.targets_N, self._head, of=of, weight_grad_VD=self._output.grad
        )
        self._final_gain.grad.add_((grad_ND * final.unit).sum(0, dtype=torch.float32))
        rows_ND = torch.zeros(hidden_ND.shape)
        _add_norm_gradient_(rows_ND, grad_ND.mul_(self._final_gain.value.to(dtype)), final)
        return loss, torch.zeros_like(x_TD).index_copy_(0, pack.rows_N, rows_ND)

    def _backward(self, layer: _Layer, tape: _Tape, grad_TD: torch.Tensor, pack: Pack, back: torch.Tensor) -> None:
        """Turn ``grad_TD`` from the gradient by a layer's output into that by its input, in place."""
        by_x_TD = grad_TD.to(tape.down_DF.dtype)
        gate_TF, up_TF = tape.gate_up_TE.split(self._inner, dim=1)
        add_product_(layer.down.grad, by_x_TD.t(), tape.inner_TF)
        by_inner_TF = by_x_TD @ tape.down_DF
        by_gate_up_TE = torch.empty_like(tape.gate_up_TE)
        torch.mul(by_inner_TF, tape.activated_TF, out=by_gate_up_TE[:, self._inner :])
        by_gate = torch.ops.aten.silu_backward(by_inner_TF.mul_(up_TF), gate_TF)
        by_gate_up_TE[:, : self._inner] = by_gate
        _add_folded_gradient(by_gate_up_TE.t() @ tape.mlp_in.unit, layer.gate_up, layer.mlp_gain)
        _add_norm_gradient_(grad_TD, by_gate_up_TE @ tape.gate_up_ED, tape.mlp_in)
        by_x_TD = grad_TD.to(by_x_TD.dtype)
        add_product_(layer.out.grad, by_x_TD.t(), tape.attention_out)
        by_qkv_TC = attend_backward(by_x_TD @ tape.out_DD, tape.attended, self._heads, pack.groups)
        _rotate_(by_qkv_TC, back)
        by_paired_CD = by_qkv_TC.t() @ tape.attention_in.unit
        _add_folded_gradient(by_paired_CD.index_select(0, self._parted), layer.qkv, layer.attention_gain)
        _add_norm_gradient_(grad_TD, by_qkv_TC @ tape.qkv_CD, tape.attention_in)


def _layer_slots(weights: FlatWeights, prefix: str) -> _Layer:
    attention, mlp = f"{prefix}self_attn.", f"{prefix}mlp."
    return _Layer(
        attention_gain=weights.slot(f"{prefix}input_layernorm.weight"),
        qkv=weights.slot(*(f"{attention}{name}_proj.weight" for name in "qkv")),
        out=weights.slot(f"{attention}o_proj.weight"),
        mlp_gain=weights.slot(f"{prefix}post_attention_layernorm.weight"),
        gate_up=weights.slot(f"{mlp}gate_proj.weight", f"{mlp}up_proj.weight"),
        down=weights.slot(f"{mlp}down_proj.weight"),
    )


def _normed(x_TD: torch.Tensor, epsilon: float, dtype: torch.dtype) -> _Normed:
    norm_T1 = torch.linalg.vector_norm(x_TD, dim=-1, keepdim=True)
    scale_T1 = norm_T1.square_().div_(x_TD.shape[-1]).add_(epsilon).rsqrt_()
    return _Normed((x_TD * scale_T1).to(dtype), scale_T1)


def _add_norm_gradient_(grad_TD: torch.Tensor, by_unit_TD: torch.Tensor, normed: _Normed) -> None:
    """Add the gradient that comes through a norm to that of the residual stream."""
    unit, by_unit, scale_T1 = normed.unit.float(), by_unit_TD.float(), normed.scale_T1
    along_T1 = (by_unit * unit).sum(-1, keepdim=True).mul_(scale_T1).div_(-unit.shape[-1])
    grad_TD.addcmul_(by_unit, scale_T1).addcmul_(unit, along_T1)


def _add_folded_gradient(by_folded: torch.Tensor, weight: Slot, gain: Slot) -> None:
    """The gradients of a weight and of the gain folded into it: W · diag(g) was what the product used."""
    by_folded = by_folded.float()
    gain.grad.add_((by_folded * weight.value).sum(0))
    weight.grad.addcmul_(by_folded, gain.value)


def _plus_product(x_TD: torch.Tensor, inner: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    if inner.dtype == x_TD.dtype:
        return torch.addmm(x_TD, inner, weight.t())
    return x_TD + inner @ weight.t()


def _paired_rows(heads: Heads) -> torch.Tensor:
    """The rows of queries, keys and values (C) so that the two halves of an angle are neighbours."""
    turned = (heads.queries + heads.keys) * heads.width
    rows = torch.arange(heads.all * heads.width)
    pairs = rows[:turned].view(-1, 2, heads.width // 2).transpose(1, 2).reshape(-1)
    return torch.cat([pairs, rows[turned:]])


def _rotate_(columns_TC: torch.Tensor, turn: torch.Tensor) -> None:
    """Rotate the pairs of queries and keys in place (Su et al. 2021, arXiv:2104.09864, equation 12)."""
    turned = columns_TC[:, : 2 * turn.shape[1]]
    pairs = turned.float().view(*turn.shape, 2)
    torch.view_as_complex(pairs).mul_(turn)
    if turned.dtype != torch.float32:
        turned.copy_(pairs.view(turned.shape))
