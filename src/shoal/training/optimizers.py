"""Optimizers over the weights that are trained, and the schedule of their learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from shoal.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.training.settings import TrainSettings

_OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


def trained_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters by name, tied ones once, frozen ones left out.

    Raises:
        TrainingError: every weight is frozen.
    """
    found = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not found:
        raise TrainingError("every weight of the model is frozen; set requires_grad on those to be trained")
    return found


def make_optimizer(weights: dict[str, torch.nn.Parameter], settings: TrainSettings) -> torch.optim.Optimizer:
    """The optimizer of the settings, fused; weight decay falls on matrices alone."""
    matrices = [weight for weight in weights.values() if weight.ndim >= 2]
    vectors = [weight for weight in weights.values() if weight.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    make: Callable[..., torch.optim.Optimizer] = _OPTIMIZERS[settings.optimizer]
    return make([group for group in groups if group["params"]], lr=settings.learning_rate, fused=True)


def learning_rate(step: int, steps: int, settings: TrainSettings) -> float:
    """The learning rate of a step (counted from 0) of ``steps``: a linear rise, then the schedule down to 0.

    The first step of the rise has one part of the peak, never 0; a constant schedule stays at the peak.
    """
    rise = round(settings.warmup * steps)
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    shares = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}
    return settings.learning_rate * shares[settings.schedule]
