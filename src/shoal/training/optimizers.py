"""Optimizers over the flat weights, and the schedule of their learning rate.

Muon moves each matrix of the blocks by its orthogonalised momentum; embeddings, head and vectors, whose rows are no
maps between hidden states, stay with AdamW.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from shoal.training.muon import Muon

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.training.settings import TrainSettings
    from shoal.training.weights import FlatWeights

_BETA1 = 0.9
_ADAM: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "muon": torch.optim.AdamW,
    "adam": torch.optim.Adam,
}
"""What moves the weights that Muon leaves, and those of all others but SGD."""


class Optimizers:
    """One or two optimizers of torch, stepped together at a share of their peaks."""

    def __init__(
        self,
        optimizers: Sequence[torch.optim.Optimizer],
        *,
        whole: Callable[[torch.Tensor], torch.Tensor] | None = None,
        like: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        """Where weights lie in parts, ``whole`` joins those of a tensor and ``like`` cuts it as a weight is cut."""
        self._optimizers = tuple(optimizers)
        self._whole, self._like = whole or (lambda tensor: tensor), like or (lambda tensor, _: tensor)
        self._peaks = [group["lr"] for group in self._groups()]

    def step(self, share: float) -> None:
        """Move the weights by their gradients, with this share of the peak learning rates."""
        for group, peak in zip(self._groups(), self._peaks, strict=True):
            group["lr"] = peak * share
        for optimizer in self._optimizers:
            optimizer.step()

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors that the next step depends on, under ``<weight's place>/<slot>``."""
        return {
            f"{place}/{slot}": self._whole(tensor)
            for place, (optimizer, parameter) in enumerate(self._places())
            for slot, tensor in optimizer.state.get(parameter, {}).items()
            if isinstance(tensor, torch.Tensor)
        }

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to a state that `state` gave."""
        places = self._places()
        for key, tensor in state.items():
            place, slot = key.split("/")
            optimizer, parameter = places[int(place)]
            optimizer.state[parameter][slot] = self._like(tensor.to(parameter.device), parameter)

    def _groups(self) -> list[dict[str, Any]]:
        return [group for optimizer in self._optimizers for group in optimizer.param_groups]

    def _places(self) -> list[tuple[torch.optim.Optimizer, torch.nn.Parameter]]:
        return [
            (optimizer, parameter)
            for optimizer in self._optimizers
            for group in optimizer.param_groups
            for parameter in group["params"]
        ]


def make_optimizer(weights: FlatWeights, settings: TrainSettings) -> Optimizers:
    """The optimizers of the settings, fused where that can be; weight decay falls on matrices alone."""
    muon = settings.optimizer == "muon"
    rows = weights.spans(("tables",) if muon else ("blocks", "tables")), weights.spans(("vectors",))
    groups = [
        {"params": [_as_parameter(*row)], "weight_decay": decay}
        for row, decay in zip(rows, (settings.weight_decay, 0.0), strict=True)
        if len(row[0])
    ]
    optimizers = [make_plain(groups, settings, fused=True)] if groups else []
    if muon and weights.matrices:
        peak = settings.matrix_learning_rate
        optimizers.append(
            Muon(
                [_as_parameter(*weights.slot(name)) for name in weights.matrices],
                lr=settings.learning_rate if peak is None else peak,
                weight_decay=settings.weight_decay,
            )
        )
    return Optimizers(optimizers)


def make_plain(groups: list[dict[str, Any]], settings: TrainSettings, *, fused: bool | None) -> torch.optim.Optimizer:
    """Torch's optimizer of the settings over groups of parameters; for Muon, the one of what it leaves."""
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, fused=fused)
    make = _ADAM[settings.optimizer]
    return make(groups, lr=settings.learning_rate, betas=(_BETA1, settings.beta2), fused=fused)


def schedule_share(step: int, steps: int, settings: TrainSettings) -> float:
    """The share of the peak learning rate of a step (counted from 0) of ``steps``.

    A linear rise, then the schedule down to 0; a constant one stays, and ``wsd`` (Hu et al. 2024, arXiv:2404.06395,
    section 4) stays until its last part. The first step of the rise has one part of the peak, never 0.
    """
    rise = round(settings.warmup * steps)
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    shares = {
        "constant": 1.0,
        "linear": 1.0 - done,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
        "wsd": min(1.0, (steps - step) / max(1, round(settings.decay * steps))),
    }
    return shares[settings.schedule]


def _as_parameter(values: torch.Tensor, grads: torch.Tensor) -> torch.nn.Parameter:
    parameter = torch.nn.Parameter(values)
    parameter.grad = grads
    return parameter
