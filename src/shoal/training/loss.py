"""Cross-entropy from hidden states, without ever holding the logits of all positions.

The head runs on the predicted positions only, a chunk of them at a time, and the gradient of each chunk is taken while
its logits are there (as in Liger Kernel, Hsu et al. 2024, arXiv:2410.10989, section 3.2). Cost: three matrix products
N · D · V and memory for one chunk of logits.

Shapes: N predicted positions, C of them in a chunk, D hidden width, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from shoal.models import LMHead
from shoal.training.kernels import cross_entropy, over_rows, smoothed_cross_entropy

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_LOGITS = 2**22
"""Logits in a chunk: 16 MB in float32. With smaller chunks the whole weight gradient is read and written more often."""


def mean_cross_entropy(
    hidden_ND: torch.Tensor,
    targets_N: torch.Tensor,
    head: LMHead,
    *,
    label_smoothing: float = 0.0,
    weights_N: torch.Tensor | None = None,
) -> torch.Tensor:
    """The mean of -log p(target) in nats; differentiable in the hidden states and in the head's weight and bias.

    Args:
        hidden_ND: what the head reads; the products run in its dtype, softmax and sums in float32.
        targets_N: token ids.
        head: of the model.
        label_smoothing: share of each target that is spread evenly over the vocabulary, as in
            ``torch.nn.functional.cross_entropy``.
        weights_N: how much each position counts; the sum is divided by N all the same. None for all alike.
    """
    loss: torch.Tensor = _ChunkedCrossEntropy.apply(
        hidden_ND, head.weight_VD, head.bias_V, targets_N, head.scale, head.soft_cap, label_smoothing, weights_N
    )
    return loss


def cross_entropy_with_gradient(
    hidden_ND: torch.Tensor,
    targets_N: torch.Tensor,
    head: LMHead,
    *,
    denominator: int,
    weight_grad_VD: torch.Tensor | None,
    bias_grad_V: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
    weights_N: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the cross-entropy of each position together with its gradient.

    Args:
        hidden_ND: what the head reads; the products run in its dtype.
        targets_N: token ids.
        head: of the model.
        denominator: the sum of the losses is divided by it before the gradient is taken.
        weight_grad_VD: float32; the gradient of the head's weight is added to it. None takes none.
        bias_grad_V: the same for the head's bias.
        label_smoothing: share of each target that is spread evenly over the vocabulary; losses and gradient are of
            the smoothed targets.
        weights_N: how much each position counts in losses and gradient; None for all alike.

    Returns:
        The losses in nats (N), and the gradient of the divided sum by the hidden states (N × D).
    """
    dtype = hidden_ND.dtype
    weight_VD = head.weight_VD.to(dtype)
    bias_V = None if head.bias_V is None else head.bias_V.to(dtype)
    losses_N = torch.empty(len(targets_N), device=hidden_ND.device)
    grad_ND = torch.empty_like(hidden_ND)
    # One buffer for all chunks: fresh memory is cleared by the system page by page (see `kernels`).
    room = hidden_ND.new_empty(min(len(targets_N), _rows(len(weight_VD))), len(weight_VD))
    for chunk in _chunks(len(targets_N), len(weight_VD)):
        raw_CV = torch.mm(hidden_ND[chunk], weight_VD.t(), out=room[: len(hidden_ND[chunk])])
        raw_CV = (raw_CV if bias_V is None else raw_CV.add_(bias_V)).float()
        grad_CV = _chunk_(raw_CV, targets_N[chunk], head, denominator, label_smoothing, losses_N[chunk])
        if weights_N is not None:
            grad_CV *= weights_N[chunk, None]
        products_CV = grad_CV.to(dtype)
        torch.mm(products_CV, weight_VD, out=grad_ND[chunk])
        if weight_grad_VD is not None:
            add_product_(weight_grad_VD, products_CV.t(), hidden_ND[chunk])
        if bias_grad_V is not None:
            bias_grad_V += grad_CV.sum(0)
    return losses_N if weights_N is None else losses_N * weights_N, grad_ND


def add_product_(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add a matrix product to a float32 total, in place.

    Args:
        total: float32, of the shape of the product.
        left: first factor.
        right: second factor, in the same dtype; the product is computed in it.
    """
    if left.dtype == total.dtype:
        total.addmm_(left, right)
    else:
        total.add_(left @ right)


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
        label_smoothing: float,
        weights_N: torch.Tensor | None,
    ) -> torch.Tensor:
        grad_VD = torch.zeros_like(weight_VD) if weight_VD.requires_grad else None
        grad_V = torch.zeros_like(bias_V) if bias_V is not None and bias_V.requires_grad else None
        head = LMHead(weight_VD=weight_VD, bias_V=bias_V, scale=scale, soft_cap=soft_cap)
        with torch.autocast(hidden_ND.device.type, enabled=False):
            losses_N, grad_ND = cross_entropy_with_gradient(
                hidden_ND,
                targets_N,
                head,
                denominator=len(targets_N),
                weight_grad_VD=grad_VD,
                bias_grad_V=grad_V,
                label_smoothing=label_smoothing,
                weights_N=weights_N,
            )
        ctx.save_for_backward(grad_ND, grad_VD, grad_V)
        return losses_N.mean()

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        (upstream,) = outputs
        grads = [None if grad is None else grad * upstream.to(grad.dtype) for grad in ctx.saved_tensors]
        return *grads, None, None, None, None, None


def _rows(vocabulary: int) -> int:
    return max(1, _CHUNK_LOGITS // vocabulary)


def _chunks(positions: int, vocabulary: int) -> Iterator[slice]:
    for start in range(0, positions, _rows(vocabulary)):
        yield slice(start, start + _rows(vocabulary))


def _chunk_(
    raw_CV: torch.Tensor,
    targets_C: torch.Tensor,
    head: LMHead,
    denominator: int,
    smoothing: float,
    losses_C: torch.Tensor,
) -> torch.Tensor:
    """Write the losses of a chunk, and give the gradient by the head's raw products, in their place where it can."""
    if raw_CV.device.type == "cpu" and head.scale == 1.0 and head.soft_cap is None:
        rows, divisor = len(raw_CV), float(denominator)
        if smoothing:
            over_rows(smoothed_cross_entropy, rows, raw_CV, targets_C, smoothing, divisor, losses_C)
        else:
            over_rows(cross_entropy, rows, raw_CV, targets_C, divisor, losses_C)
        return raw_CV
    logits_CV = raw_CV if head.scale == 1.0 else raw_CV * head.scale
    slope_CV = None
    if head.soft_cap is not None:
        tanh_CV = torch.tanh(logits_CV / head.soft_cap)
        logits_CV, slope_CV = tanh_CV * head.soft_cap, 1 - tanh_CV * tanh_CV
    log_p_CV = torch.log_softmax(logits_CV, dim=-1)
    torch.neg(log_p_CV.gather(1, targets_C[:, None])[:, 0], out=losses_C)
    if smoothing:
        losses_C.mul_(1 - smoothing).sub_(log_p_CV.mean(1), alpha=smoothing)
    grad_CV = log_p_CV.exp_()
    # The gradient of the cross-entropy by the logits is p minus the target's share: 1, or what smoothing leaves of it.
    if smoothing:
        grad_CV -= smoothing / grad_CV.shape[1]
    at_target = torch.full_like(targets_C[:, None], smoothing - 1, dtype=grad_CV.dtype)
    grad_CV.scatter_add_(1, targets_C[:, None], at_target)
    if slope_CV is not None:
        grad_CV *= slope_CV
    return grad_CV.mul_(head.scale / denominator)
