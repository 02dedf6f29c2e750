"""When a training saves itself, and how its state goes to disk and comes back."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

from shoal.training.checkpoints import Checkpoint, write_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch
    from transformers import PreTrainedModel

    from shoal.training.batches import BatchSource
    from shoal.training.optimizers import Optimizers
    from shoal.training.precision import Dtype
    from shoal.training.settings import CurvePoint, TrainSettings


class Saver:
    """Writes a checkpoint at the start, at the end and every so many seconds; without a folder, never."""

    def __init__(self, folder: Path | None, identity: Mapping[str, str], seconds: float) -> None:
        self._folder, self._identity, self._seconds = folder, identity, seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time between two checkpoints is over."""
        return time.monotonic() - self._last >= self._seconds

    def save(
        self,
        values_P: torch.Tensor,
        optimizer: Optimizers,
        precision: Dtype,
        curve: Sequence[CurvePoint],
    ) -> None:
        """Write the state as it is between two steps."""
        if self._folder is None:
            return
        checkpoint = Checkpoint(self._identity, precision, tuple(curve), values_P, optimizer.state())
        write_checkpoint(self._folder, checkpoint)
        self._last = time.monotonic()


def restore(found: Checkpoint, values_P: torch.Tensor, optimizer: Optimizers) -> None:
    """Put weights and optimizer back into the state of a checkpoint."""
    values_P.copy_(found.weights)
    optimizer.load(found.optimizer)


def identity_of(model: PreTrainedModel, source: BatchSource, settings: TrainSettings) -> dict[str, str]:
    """What tells one training from another: settings, data and initial weights, each as text."""
    from shoal.models import weight_digest

    values = dataclasses.asdict(settings)
    del values["checkpoint_seconds"]
    return {"settings": json.dumps(values, sort_keys=True), "data": source.digest, "model": weight_digest(model)}
