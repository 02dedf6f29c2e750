"""L1, L2 and the elastic net by proximal steps, for the optimizers of torch and any module.

The objective is the loss plus h(w) = l1 · Σ|w| + l2/2 · Σ w². After each step of the optimizer, which sees the loss
alone, the weights go to the proximal point of h (Parikh and Boyd 2014, Proximal Algorithms, section 6.5.3 for the
elastic net): the minimiser of h(u) + Σ d (u - w)² / 2η, with the learning rate η, which is

    u = sign(w) · max(|w| - η l1 / d, 0) / (1 + η l2 / d).

Weights that the loss holds less strongly than l1 are exactly 0, which a gradient of l1 · |w| never gives. The metric d
must be that of the optimizer's own step, or the two would not balance at the optimum: 1 for SGD, and for Adam and
AdamW the root of the bias-corrected mean square of the gradients plus ε (ProxGen: Yun, Lozano and Yang 2021, Adaptive
Proximal Gradient Methods for Structured Neural Networks, NeurIPS, algorithm 1). With one metric for both, the weights
at rest satisfy -gradient ∈ ∂h(w), whatever the metric is.

Cost: some passes over the penalised weights for each step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch.utils.hooks import RemovableHandle


def add_elastic_net(
    optimizer: torch.optim.Optimizer,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    parameters: Iterable[torch.Tensor] | None = None,
) -> RemovableHandle:
    """Have each step of an optimizer end with the proximal step of the elastic net.

    The Lasso has ``l1`` alone, ridge regression ``l2`` alone. A weight decay of the optimizer stays what it is: for
    ``torch.optim.SGD`` and ``Adam`` a part of the gradient, so that it adds to ``l2``; for ``AdamW`` decoupled.

    Args:
        optimizer: ``SGD``, ``Adam`` or ``AdamW`` of torch, over the weights of any module.
        l1: times the sum of magnitudes.
        l2: times half the sum of squares.
        parameters: which of the optimizer's are penalised; None for those of two dimensions and more, so that biases
            and gains are not.

    Returns:
        A handle; its ``remove`` ends the proximal steps.

    Raises:
        UsageError: a penalty is negative or not finite, the optimizer has no known metric, or a parameter is none of
            its own.
    """
    for name, value in (("l1", l1), ("l2", l2)):
        if not 0 <= value < float("inf"):
            raise UsageError(f"{name} = {value} is out of range; expected ≥ 0 and < inf")
    if not isinstance(optimizer, torch.optim.SGD | torch.optim.Adam | torch.optim.AdamW):
        raise UsageError(
            f"{type(optimizer).__name__} has no metric that a proximal step could be taken in; give SGD, Adam or AdamW"
        )
    own = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    chosen = [parameter for parameter in own if parameter.ndim >= 2] if parameters is None else list(parameters)
    ids = {id(parameter) for parameter in chosen}
    if not ids <= {id(parameter) for parameter in own}:
        raise UsageError("a parameter that is to be penalised is none of the optimizer's; give those that it updates")

    def shrink(stepped: torch.optim.Optimizer, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
        for group in stepped.param_groups:
            for parameter in group["params"]:
                # Torch leaves a weight without a gradient where it is, and so does the proximal step.
                if id(parameter) in ids and parameter.grad is not None:
                    _proximal_step_(parameter, _metric(stepped, group, parameter), float(group["lr"]), l1, l2)

    return optimizer.register_step_post_hook(shrink)


def _metric(optimizer: torch.optim.Optimizer, group: dict[str, Any], parameter: torch.Tensor) -> torch.Tensor | float:
    """What the step that was just made divided its (averaged) gradient by, apart from the learning rate."""
    if isinstance(optimizer, torch.optim.SGD):
        return 1.0
    state = optimizer.state[parameter]
    squares: torch.Tensor = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    unbiased: torch.Tensor = squares / (1 - group["betas"][1] ** float(state["step"]))
    return unbiased.sqrt_().add_(group["eps"])


@torch.no_grad()
def _proximal_step_(weights: torch.Tensor, metric: torch.Tensor | float, rate: float, l1: float, l2: float) -> None:
    """Replace weights by the proximal point of the elastic net."""
    if l1:
        if isinstance(metric, torch.Tensor):
            threshold = (rate * l1) / metric
            # The difference of equal numbers is exactly 0.
            weights.sub_(torch.clamp(weights, -threshold, threshold))
        else:
            weights.sub_(weights.clamp(-rate * l1 / metric, rate * l1 / metric))
    if l2:
        weights.div_(1 + (rate * l2) / metric)
