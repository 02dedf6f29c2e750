"""When a training saves itself, and how its state goes to disk and comes back."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

import torch

from shoal.training.checkpoints import Checkpoint, write_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel

    from shoal.training.batches import BatchSource
    from shoal.training.precision import Dtype
    from shoal.training.settings import CurvePoint, TrainSettings

Weights = dict[str, torch.nn.Parameter]


class Saver:
    """Writes a checkpoint at the start, at the end and every so many seconds; without a folder, never."""

    def __init__(self, folder: Path | None, identity: Mapping[str, str], seconds: float) -> None:
        self._folder, self._identity, self._seconds = folder, identity, seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time between two checkpoints is over."""
        return self._folder is not None and time.monotonic() - self._last >= self._seconds

    def save(
        self, weights: Weights, optimizer: torch.optim.Optimizer, precision: Dtype, curve: Sequence[CurvePoint]
    ) -> None:
        """Write the state as it is between two steps."""
        if self._folder is None:
            return
        state = {
            f"{name}/{slot}": tensor
            for name, weight in weights.items()
            for slot, tensor in optimizer.state.get(weight, {}).items()
        }
        tensors = {name: weight.data for name, weight in weights.items()}
        write_checkpoint(self._folder, Checkpoint(self._identity, precision, tuple(curve), tensors, state))
        self._last = time.monotonic()


def restore(found: Checkpoint, weights: Weights, optimizer: torch.optim.Optimizer) -> None:
    """Put weights and optimizer back into the state of a checkpoint."""
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(found.weights[name])
    for key, tensor in found.optimizer.items():
        name, slot = key.rsplit("/", 1)
        weight = weights[name]
        optimizer.state[weight][slot] = tensor.to(weight.device)


def identity_of(model: PreTrainedModel, source: BatchSource, settings: TrainSettings) -> dict[str, str]:
    """What tells one training from another: settings, data and initial weights, each as text."""
    from shoal.models import weight_digest

    values = dataclasses.asdict(settings)
    del values["checkpoint_seconds"]
    return {"settings": json.dumps(values, sort_keys=True), "data": source.digest, "model": weight_digest(model)}
