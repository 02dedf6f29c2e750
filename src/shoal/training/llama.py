"""The loss of a Llama and its gradient, written out for packed rows of tokens on a CPU.

The same function as `transformers.LlamaForCausalLM` (Touvron et al. 2023, arXiv:2302.13971, section 2.2), in fewer and
larger operations: queries, keys and values are one product, as are gate and up; what stands between two products is one
pass (`kernels`) over memory that stays from step to step; each gradient is written straight to its place, and autograd
has no part in it.

In bfloat16 the products run in bfloat16; all else stays in float32.

Shapes: T tokens, D hidden width, C columns of query, key and value, F inner width, N predicted positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from shoal.models import LMHead, hooks_present
from shoal.training.gradients import DTYPES
from shoal.training.kernels import (
    Mark,
    Workspace,
    gate_backward,
    gate_forward,
    norm_backward,
    norm_forward,
    over_rows,
    rotate,
)
from shoal.training.loss import add_product_, cross_entropy_with_gradient
from shoal.training.packed_attention import AttentionTape, HeadLayout, attend, attend_backward, pack_documents

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from shoal.training.batches import Batch
    from shoal.training.flat_parameters import FlatParameters, ParameterView
    from shoal.training.gradients import Dtype
    from shoal.training.packed_attention import PackedRow

# Rotary frequencies that do not change with the length of what is read, so that one table of angles serves all steps.
_STATIC_ROTATIONS = ("default", "linear", "llama3", "yarn")
# By name, so that no model class of transformers is imported; a subclass has another name and is not plain.
_PARTS = {
    "LlamaForCausalLM", "LlamaModel", "LlamaDecoderLayer", "LlamaAttention", "LlamaMLP", "LlamaRMSNorm",
    "LlamaRotaryEmbedding", "ModuleList", "Embedding", "Linear", "SiLU", "SiLUActivation",
}  # fmt: skip


def is_plain_llama(model: PreTrainedModel) -> bool:
    """Whether `LlamaGradient` computes just what this model does: on the CPU, all weights trained, nothing added."""
    return (
        type(model).__name__ == "LlamaForCausalLM"
        and model.device.type == "cpu"
        and model.config.rope_parameters["rope_type"] in _STATIC_ROTATIONS
        # A frozen weight would get a gradient here all the same, and has no place in the flat buffers.
        and all(weight.requires_grad for weight in model.parameters())
        and all(_is_plain(module) for module in model.modules())
    )


def _is_plain(module: torch.nn.Module) -> bool:
    """Whether a module computes just what its class does, and adds no bias."""
    replaced = "forward" in vars(module)
    biased = getattr(module, "bias", None) is not None
    return type(module).__name__ in _PARTS and not (replaced or biased or hooks_present(module))


@dataclass(frozen=True, slots=True)
class _Layer:
    attention_gain: ParameterView
    qkv: ParameterView
    out: ParameterView
    mlp_gain: ParameterView
    gate_up: ParameterView
    down: ParameterView


@dataclass(frozen=True, slots=True)
class _Normed:
    """A row behind its norm and gain, and what the norm's gradient needs."""

    before_TD: torch.Tensor
    scale_T: torch.Tensor
    after: torch.Tensor
    """In the dtype of the products."""


@dataclass(frozen=True, slots=True)
class _Tape:
    """What the backward pass of a layer needs of its forward pass."""

    mark: Mark
    """The workspace before the layer."""
    attention_in: _Normed
    qkv_CD: torch.Tensor
    attended: AttentionTape
    attention_out: torch.Tensor
    out_DD: torch.Tensor
    mlp_in: _Normed
    gate_up_ED: torch.Tensor
    gate_up_TE: torch.Tensor
    inner_TF: torch.Tensor
    down_DF: torch.Tensor


class LlamaGradient:
    """Adds the gradient of a batch's loss to the flat gradients, and gives the loss.

    Args:
        model: a Llama for which `is_plain_llama` holds.
        weights: of the model, flat.
        label_smoothing: share of each target that is spread evenly over the vocabulary.
    """

    def __init__(self, model: PreTrainedModel, weights: FlatParameters, *, label_smoothing: float = 0.0) -> None:
        config = model.config
        self._heads = HeadLayout(
            config.num_attention_heads, config.num_key_value_heads, model.model.layers[0].self_attn.head_dim
        )
        self._epsilon = config.rms_norm_eps
        self._inner = config.intermediate_size
        self._angles = _Angles(model.model.rotary_emb)
        self._head = LMHead(weight_VD=model.lm_head.weight, bias_V=None, scale=1.0, soft_cap=None)
        self._embedding = weights.view("model.embed_tokens.weight")
        self._final_gain = weights.view("model.norm.weight")
        self._output = self._embedding if config.tie_word_embeddings else weights.view("lm_head.weight")
        self._layers = [_layer_views(weights, f"model.layers.{place}.") for place in range(len(model.model.layers))]
        self._label_smoothing = label_smoothing
        self._work = Workspace()

    @torch.no_grad()
    def __call__(self, batch: Batch, precision: Dtype, denominator: int) -> torch.Tensor:
        """The loss of a batch (a scalar)."""
        packed, dtype = pack_documents(batch), DTYPES[precision]
        x_TD, tapes = self._body(packed, dtype)
        losses_N, grad_TD = self._loss(x_TD, packed, dtype, denominator)
        for layer in reversed(self._layers):
            # Popped, not read: what a tape holds outside the workspace is then free before the next layer needs memory.
            tape = tapes.pop()
            self._backward(layer, tape, grad_TD, packed)
        # Added, since a tied embedding has the gradient of the head already.
        self._embedding.grad.index_add_(0, packed.ids_T, grad_TD)
        return losses_N.sum() / denominator

    @torch.no_grad()
    def losses(self, batch: Batch, precision: Dtype) -> list[float]:
        """The summed loss of each document of a batch, in nats; no gradients."""
        packed, dtype = pack_documents(batch), DTYPES[precision]
        x_TD, _ = self._body(packed, dtype)
        rows_ND = x_TD if packed.rows_N is None else x_TD.index_select(0, packed.rows_N)
        final = self._normed(rows_ND, self._final_gain, dtype)
        losses_N, _ = cross_entropy_with_gradient(
            final.after, packed.targets_N, self._head, denominator=1, weight_grad_VD=None
        )
        sizes = [len(batch.documents[place].ids) - batch.documents[place].boundary for place in packed.order]
        # In float64, so that the sum of a long document loses nothing of its small terms.
        sums = [float(losses.double().sum()) for losses in losses_N.split(sizes)]
        return [loss for _, loss in sorted(zip(packed.order, sums, strict=True))]

    def _body(self, packed: PackedRow, dtype: torch.dtype) -> tuple[torch.Tensor, list[_Tape]]:
        """The output of the last layer (T × D), and what the backward pass needs."""
        # Tensors of the step before may lie in this memory; nothing of them is read any more.
        self._work.begin()
        x_TD = self._work.take(len(packed.ids_T), self._embedding.value.shape[1])
        torch.index_select(self._embedding.value, 0, packed.ids_T, out=x_TD)
        tapes = []
        for layer in self._layers:
            x_TD, tape = self._forward(layer, x_TD, packed, dtype)
            tapes.append(tape)
        return x_TD, tapes

    def _forward(
        self, layer: _Layer, x_TD: torch.Tensor, packed: PackedRow, dtype: torch.dtype
    ) -> tuple[torch.Tensor, _Tape]:
        mark, tokens = self._work.mark(), len(x_TD)
        attention_in = self._normed(x_TD, layer.attention_gain, dtype)
        qkv_CD, out_DD = layer.qkv.value.to(dtype), layer.out.value.to(dtype)
        qkv_TC = self._product(attention_in.after, qkv_CD.t())
        self._rotate(qkv_TC, packed, 1.0)
        mixed, attended = attend(qkv_TC, self._heads, packed.blocks, dtype, self._work)
        attention_out = mixed.to(dtype)
        middle_TD = self._plus_product(x_TD, attention_out, out_DD.t())
        mlp_in = self._normed(middle_TD, layer.mlp_gain, dtype)
        gate_up_ED, down_DF = layer.gate_up.value.to(dtype), layer.down.value.to(dtype)
        gate_up_TE = self._product(mlp_in.after, gate_up_ED.t())
        inner = self._work.take(tokens, self._inner)
        over_rows(gate_forward, tokens, gate_up_TE, inner)
        inner_TF = inner.to(dtype)
        tape = _Tape(
            mark, attention_in, qkv_CD, attended, attention_out, out_DD,
            mlp_in, gate_up_ED, gate_up_TE, inner_TF, down_DF,
        )  # fmt: skip
        return self._plus_product(middle_TD, inner_TF, down_DF.t()), tape

    def _loss(
        self, x_TD: torch.Tensor, packed: PackedRow, dtype: torch.dtype, denominator: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of each predicted token, and the gradient by the last layer's output."""
        rows_ND = x_TD if packed.rows_N is None else x_TD.index_select(0, packed.rows_N)
        final = self._normed(rows_ND, self._final_gain, dtype)
        losses_N, by_normed = cross_entropy_with_gradient(
            final.after,
            packed.targets_N,
            self._head,
            denominator=denominator,
            weight_grad_VD=self._output.grad,
            label_smoothing=self._label_smoothing,
            weights_N=packed.weights_N,
        )
        grad_ND = torch.zeros_like(rows_ND)
        self._norm_backward(final, self._final_gain, by_normed.float(), grad_ND)
        if packed.rows_N is None:
            return losses_N, grad_ND
        return losses_N, torch.zeros_like(x_TD).index_copy_(0, packed.rows_N, grad_ND)

    def _backward(self, layer: _Layer, tape: _Tape, grad_TD: torch.Tensor, packed: PackedRow) -> None:
        """Turn ``grad_TD`` from the gradient by a layer's output into that by its input, in place."""
        dtype, gate_up_TE = tape.down_DF.dtype, tape.gate_up_TE
        by_x_TD = grad_TD.to(dtype)
        add_product_(layer.down.grad, by_x_TD.t(), tape.inner_TF)
        # In place over the forward values, which nothing reads after this.
        over_rows(gate_backward, len(grad_TD), gate_up_TE, self._product(by_x_TD, tape.down_DF))
        by_gate_up_TE = gate_up_TE.to(dtype)
        add_product_(layer.gate_up.grad, by_gate_up_TE.t(), tape.mlp_in.after)
        self._norm_backward(tape.mlp_in, layer.mlp_gain, self._product(by_gate_up_TE, tape.gate_up_ED), grad_TD)
        by_x_TD = grad_TD.to(dtype)
        add_product_(layer.out.grad, by_x_TD.t(), tape.attention_out)
        by_mixed = self._product(by_x_TD, tape.out_DD).to(dtype)
        by_columns_TC = attend_backward(by_mixed, tape.attended, self._heads, packed.blocks, self._work)
        self._rotate(by_columns_TC, packed, -1.0)
        by_qkv_TC = by_columns_TC.to(dtype)
        add_product_(layer.qkv.grad, by_qkv_TC.t(), tape.attention_in.after)
        self._norm_backward(tape.attention_in, layer.attention_gain, self._product(by_qkv_TC, tape.qkv_CD), grad_TD)
        self._work.release(tape.mark)

    def _normed(self, x_TD: torch.Tensor, gain: ParameterView, dtype: torch.dtype) -> _Normed:
        after_TD, scale_T = self._work.take(*x_TD.shape), self._work.take(len(x_TD))
        over_rows(norm_forward, len(x_TD), x_TD, gain.value, self._epsilon, after_TD, scale_T)
        return _Normed(x_TD, scale_T, after_TD.to(dtype))

    def _norm_backward(
        self, normed: _Normed, gain: ParameterView, by_after_TD: torch.Tensor, grad_TD: torch.Tensor
    ) -> None:
        """Add the gradient that comes through a norm to that of the residual stream; and the gain's to its own."""
        over_rows(norm_backward, len(grad_TD), normed.before_TD, normed.scale_T, gain.value, by_after_TD, grad_TD)
        gain.grad.add_(by_after_TD.sum(0))

    def _rotate(self, columns_TC: torch.Tensor, packed: PackedRow, turn: float) -> None:
        cos_PK, sin_PK = self._angles.upto(int(packed.positions_T.max()) + 1)
        rotated = self._heads.queries + self._heads.keys
        over_rows(rotate, len(columns_TC), columns_TC, cos_PK, sin_PK, packed.positions_T, rotated, turn)

    def _product(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """A matrix product in float32, computed in the dtype of the factors."""
        if left.dtype != torch.float32:
            return (left @ right).float()
        out = self._work.take(left.shape[0], right.shape[1])
        return torch.mm(left, right, out=out)

    def _plus_product(self, x_TD: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        out = self._work.take(*x_TD.shape)
        if left.dtype != x_TD.dtype:
            return torch.add(x_TD, left @ right, out=out)
        return torch.addmm(x_TD, left, right, out=out)


class _Angles:
    """Cosine and sine of each place's angles, as the model has them."""

    def __init__(self, rotary: torch.nn.Module) -> None:
        self._rotary = rotary
        self._cos_PK = self._sin_PK = torch.empty(0, 0)

    def upto(self, places: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of the places below ``places``, and perhaps more (P × half a head's width)."""
        if places > len(self._cos_PK):
            # Twice as many, so that documents that grow a little make no new table each time.
            positions_1P = torch.arange(2 * places)[None]
            # From the module of the model itself: scaled frequencies are then right without a formula here. It reads no
            # more than dtype and device of the first argument.
            cos, sin = self._rotary(torch.empty(1), positions_1P)
            # transformers repeats each half of the angles for the two halves of a head.
            half = cos.shape[-1] // 2
            self._cos_PK, self._sin_PK = cos[0, :, :half].contiguous(), sin[0, :, :half].contiguous()
        return self._cos_PK, self._sin_PK


def _layer_views(weights: FlatParameters, prefix: str) -> _Layer:
    attention, mlp = f"{prefix}self_attn.", f"{prefix}mlp."
    return _Layer(
        attention_gain=weights.view(f"{prefix}input_layernorm.weight"),
        qkv=weights.view(*(f"{attention}{name}_proj.weight" for name in "qkv")),
        out=weights.view(f"{attention}o_proj.weight"),
        mlp_gain=weights.view(f"{prefix}post_attention_layernorm.weight"),
        gate_up=weights.view(f"{mlp}gate_proj.weight", f"{mlp}up_proj.weight"),
        down=weights.view(f"{mlp}down_proj.weight"),
    )
