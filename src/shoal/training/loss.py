"""Cross-entropy from hidden states, without ever holding the logits of all positions.

The head runs on the predicted positions only, a chunk of them at a time, and the gradient of each chunk is taken while
its logits are there (as in Liger Kernel, Hsu et al. 2024, arXiv:2410.10989, section 3.2). Cost: three matrix products
N · D · V and memory for one chunk of logits.

Shapes: N predicted positions, C of them in a chunk, D hidden width, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from shoal.models.anatomy import Head

_CHUNK_LOGITS = 2**21
"""Logits in a chunk: 8 MB in float32, which stays in a core's share of the cache."""


def mean_cross_entropy(hidden_ND: torch.Tensor, targets_N: torch.Tensor, head: Head) -> torch.Tensor:
    """The mean of -log p(target) in nats; differentiable in the hidden states and in the head's weight and bias.

    The products run in the dtype of ``hidden_ND``; softmax and sums in float32.
    """
    loss: torch.Tensor = _ChunkedCrossEntropy.apply(
        hidden_ND, head.weight_VD, head.bias_V, targets_N, head.scale, head.soft_cap
    )
    return loss


class _ChunkedCrossEntropy(torch.autograd.Function):
    """The gradient is ready when the loss is."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: torch.Tensor,
        weight_VD: torch.Tensor,
        bias_V: torch.Tensor | None,
        targets_N: torch.Tensor,
        scale: float,
        soft_cap: float | None,
    ) -> torch.Tensor:
        with torch.autocast(hidden_ND.device.type, enabled=False):
            positions, dtype = len(targets_N), hidden_ND.dtype
            cast_VD = weight_VD.to(dtype)
            cast_V = None if bias_V is None else bias_V.to(dtype)
            loss = torch.zeros((), device=hidden_ND.device)
            grad_ND = torch.empty_like(hidden_ND)
            grad_VD = torch.zeros_like(weight_VD) if weight_VD.requires_grad else None
            grad_V = torch.zeros_like(bias_V) if bias_V is not None and bias_V.requires_grad else None
            step = max(1, _CHUNK_LOGITS // len(weight_VD))
            for start in range(0, positions, step):
                chunk = slice(start, start + step)
                hidden_CD, targets_C1 = hidden_ND[chunk], targets_N[chunk, None]
                raw_CV = torch.nn.functional.linear(hidden_CD, cast_VD, cast_V).float()
                chunk_loss, grad_CV = _chunk(raw_CV, targets_C1, scale, soft_cap)
                loss += chunk_loss
                products_CV = grad_CV.div_(positions).to(dtype)
                torch.mm(products_CV, cast_VD, out=grad_ND[chunk])
                if grad_VD is not None:
                    grad_VD += products_CV.t() @ hidden_CD
                if grad_V is not None:
                    grad_V += grad_CV.sum(0)
        ctx.save_for_backward(grad_ND, grad_VD, grad_V)
        return loss / positions

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        (upstream,) = outputs
        grads = [None if grad is None else grad * upstream.to(grad.dtype) for grad in ctx.saved_tensors]
        return *grads, None, None, None


def _chunk(
    raw_CV: torch.Tensor, targets_C1: torch.Tensor, scale: float, soft_cap: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The summed loss of a chunk, and its gradient by the raw products of the head."""
    logits_CV = raw_CV if scale == 1.0 else raw_CV * scale
    slope_CV = None
    if soft_cap is not None:
        tanh_CV = torch.tanh(logits_CV / soft_cap)
        logits_CV, slope_CV = tanh_CV * soft_cap, 1 - tanh_CV * tanh_CV
    log_p_CV = torch.log_softmax(logits_CV, dim=-1)
    loss = -log_p_CV.gather(1, targets_C1).sum()
    grad_CV = log_p_CV.exp_()
    grad_CV.scatter_add_(1, targets_C1, torch.full_like(targets_C1, -1, dtype=grad_CV.dtype))
    if slope_CV is not None:
        grad_CV *= slope_CV
    return loss, grad_CV if scale == 1.0 else grad_CV.mul_(scale)
