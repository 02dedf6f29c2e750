"""Optimizers over the flat weights, and the schedule of their learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.training.settings import TrainSettings
    from shoal.training.weights import FlatWeights

_OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


def make_optimizer(weights: FlatWeights, settings: TrainSettings) -> torch.optim.Optimizer:
    """The optimizer of the settings, fused; weight decay falls on matrices alone."""
    groups = []
    parts = zip(weights.split(weights.values_P), weights.split(weights.grads_P), strict=True)
    for (values, grads), decay in zip(parts, (settings.weight_decay, 0.0), strict=True):
        parameter = torch.nn.Parameter(values)
        parameter.grad = grads
        groups.append({"params": [parameter], "weight_decay": decay})
    make: Callable[..., torch.optim.Optimizer] = _OPTIMIZERS[settings.optimizer]
    return make(groups, lr=settings.learning_rate, fused=True)


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
