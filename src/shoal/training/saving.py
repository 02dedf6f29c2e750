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

    from transformers import PreTrainedModel

    from shoal.training.batches import BatchSource
    from shoal.training.crew import Crew
    from shoal.training.optimizers import Optimizers
    from shoal.training.precision import Dtype
    from shoal.training.settings import CurvePoint, TrainSettings
    from shoal.training.sharded import ShardedWeights
    from shoal.training.weights import FlatWeights

    Weights = FlatWeights | ShardedWeights


class Saver:
    """Writes a checkpoint at the start, at the end and every so many seconds; without a folder, never.

    With several processes all of them call it, and the first one writes.
    """

    def __init__(self, folder: Path | None, identity: Mapping[str, str], seconds: float, crew: Crew) -> None:
        self._folder, self._identity, self._seconds, self._crew = folder, identity, seconds, crew
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time between two checkpoints is over."""
        if self._folder is None:
            return False
        return bool(self._crew.from_first(self._is_over)) if self._crew.mode == "fsdp" else self._is_over()

    def _is_over(self) -> bool:
        return time.monotonic() - self._last >= self._seconds

    def save(
        self,
        weights: Weights,
        optimizer: Optimizers,
        precision: Dtype,
        curve: Sequence[CurvePoint],
    ) -> None:
        """Write the state as it is between two steps."""
        if self._folder is None:
            return
        checkpoint = Checkpoint(self._identity, precision, tuple(curve), weights.row(), optimizer.state())
        if self._crew.is_first:
            write_checkpoint(self._folder, checkpoint)
        self._last = time.monotonic()


def restore(found: Checkpoint, weights: Weights, optimizer: Optimizers) -> None:
    """Put weights and optimizer back into the state of a checkpoint."""
    weights.load(found.weights)
    optimizer.load(found.optimizer)


def identity_of(model: PreTrainedModel, source: BatchSource, settings: TrainSettings, crew: Crew) -> dict[str, str]:
    """What tells one training from another: settings, data and initial weights, each as text.

    The number of processes is no part of it, but a checkpoint of weights in parts has a form of its own.
    """
    from shoal.models import weight_digest

    values = dataclasses.asdict(settings)
    del values["checkpoint_seconds"]
    if crew.mode == "fsdp":
        values["mode"] = "fsdp"
    return {"settings": json.dumps(values, sort_keys=True), "data": source.digest, "model": weight_digest(model)}
