"""Muon: matrices moved by their orthogonalised momentum (Jordan et al. 2024, kellerjordan.github.io/posts/muon).

The update is that of `torch.optim.Muon(adjust_lr_fn="match_rms_adamw")` (Liu et al. 2025, arXiv:2502.16982, section
2.2), and the tests compare the two. It differs in how it is computed: `torch.optim.Muon` takes the matrices one by one
and always in bfloat16. Here matrices of one shape go through the iteration together, which for the dozens of small
matrices of a small model is several times as fast, and on a CPU the iteration runs in float32, since bfloat16 products
gain nothing there and their rounding, up to 2% of an update, makes two machines drift apart.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

# Momentum, iterations and coefficients are those of Jordan et al.
_MOMENTUM = 0.95
_ITERATIONS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the iteration: steep at 0, and near 1 it stays near 1."""

_RMS_OF_ADAMW = 0.2
"""The root mean square of an update of AdamW, about."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; decoupled weight decay.

    Args:
        matrices: two-dimensional parameters, each with a gradient at every step.
        lr: in the measure of AdamW.
        weight_decay: decoupled.
    """

    def __init__(self, matrices: Sequence[torch.nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(list(matrices), {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override] # noqa: ARG002
        """Move all matrices."""
        for group in self.param_groups:
            alike: defaultdict[tuple[int, int], list[torch.nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                # A matrix and its transpose go together: the iteration works on the short side.
                rows, columns = sorted(matrix.shape)
                alike[rows, columns].append(matrix)
            for (rows, columns), matrices in alike.items():
                updates = orthogonalised(torch.stack([self._momentum(matrix) for matrix in matrices]))
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    turned = update if matrix.shape == (rows, columns) else update.t()
                    # An orthogonal matrix has entries of root mean square 1/√columns (the longer side); the factor
                    # brings them to the size of an update of AdamW.
                    matrix.add_(turned, alpha=-group["lr"] * _RMS_OF_ADAMW * math.sqrt(columns))

    def _momentum(self, matrix: torch.nn.Parameter) -> torch.Tensor:
        """The gradient and the momentum after it, mixed; lying on its longer side."""
        state, grad = self.state[matrix], matrix.grad
        assert grad is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(grad)
        momentum = state["momentum_buffer"].lerp_(grad, 1 - _MOMENTUM)
        mixed = grad.lerp(momentum, _MOMENTUM)
        return mixed.t() if len(mixed) > mixed.shape[1] else mixed


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices (n × rows × columns, no more rows than columns) with their singular values brought near 1."""
    first, third, fifth = _QUINTIC
    x = matrices if matrices.device.type == "cpu" else matrices.bfloat16()
    # By the Frobenius norm, which bounds the largest singular value: the iteration diverges above about 1.
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp_(min=1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=third, alpha=fifth), x, beta=first)
    return x.to(matrices.dtype)
