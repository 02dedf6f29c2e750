"""The state of a training on disk: weights, optimizer state and curve in one safetensors file, replaced as a whole.

The file is written next to the old one and renamed over it, so that there is a whole checkpoint at any moment. What
is not a tensor lies as JSON in the file's header; a digest of all bytes of the tensors reveals a damaged file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from shoal.errors import CorruptModelError, StoreError
from shoal.files import atomic_file, remove_partials
from shoal.models import model_digest, tensor_bytes
from shoal.training.settings import OPTIONAL, CurvePoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel

    from shoal.training.batches import BatchSource
    from shoal.training.distributed import ProcessGroup
    from shoal.training.flat_parameters import FlatParameters
    from shoal.training.gradients import Dtype
    from shoal.training.optimizers import Optimizers
    from shoal.training.settings import TrainSettings
    from shoal.training.sharded import ShardedParameters

FILE_NAME = "checkpoint.safetensors"
_OPTIMIZER, _EXTRA = "optimizer/", "extra/"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a training needs to be resumed."""

    fingerprint: Mapping[str, str]
    """What it is a training of; a checkpoint with another fingerprint is refused."""

    precision: Dtype
    curve: tuple[CurvePoint, ...]
    """One point per finished step."""

    weights: torch.Tensor
    """All trained weights as one vector."""

    optimizer: dict[str, torch.Tensor]

    extra: dict[str, torch.Tensor] = field(default_factory=dict)
    """What else the next step and the result depend on: averaged and best weights, held-out losses."""


class Checkpointer:
    """Writes a checkpoint when it is called to, and knows when the next one is due.

    With several processes all of them call it, and rank 0 writes.

    Args:
        folder: where the checkpoint lies.
        fingerprint: what the training is of, see `fingerprint`.
        seconds: between two checkpoints.
        group: the processes of the training.
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, str], seconds: float, group: ProcessGroup) -> None:
        self._folder, self._fingerprint, self._seconds, self._group = folder, fingerprint, seconds, group
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time between two checkpoints is over."""
        # Sharded weights are gathered from all processes, so all of them must decide alike; clocks differ.
        if self._group.mode == "fsdp":
            return bool(self._group.broadcast_from_rank0(self._is_over))
        return self._is_over()

    def _is_over(self) -> bool:
        return time.monotonic() - self._last >= self._seconds

    def save(
        self,
        parameters: FlatParameters | ShardedParameters,
        optimizer: Optimizers,
        precision: Dtype,
        curve: Sequence[CurvePoint],
        extra: dict[str, torch.Tensor],
    ) -> None:
        """Write the state as it is between two steps.

        Args:
            parameters: the trained weights.
            optimizer: with its state.
            precision: the dtype of the training, which a resumed one keeps.
            curve: of the steps so far.
            extra: what else the training depends on.

        Raises:
            StoreError: as `write_checkpoint`.
        """
        # By every process, since sharded weights and states are gathered from all; rank 0 alone writes.
        checkpoint = Checkpoint(
            self._fingerprint, precision, tuple(curve), parameters.to_vector(), optimizer.state(), extra
        )
        if self._group.is_rank0:
            write_checkpoint(self._folder, checkpoint)
        self._last = time.monotonic()


def fingerprint(
    model: PreTrainedModel, source: BatchSource, settings: TrainSettings, group: ProcessGroup
) -> dict[str, str]:
    """What distinguishes one training from another: settings, data and initial weights, each as text.

    The number of processes is no part of it, but a checkpoint of sharded weights has a form of its own.

    Args:
        model: with its initial weights.
        source: of the batches.
        settings: of the training.
        group: the processes of the training.
    """
    # What is off is left out, so that trainings from before there was such a setting can be resumed.
    values = {
        item.name: getattr(settings, item.name)
        for item in dataclasses.fields(settings)
        if item.name not in OPTIONAL or getattr(settings, item.name) != item.default
    }
    # It changes no weight, so a training may be resumed with another.
    del values["checkpoint_seconds"]
    if group.mode == "fsdp":
        values["mode"] = "fsdp"
    return {"settings": json.dumps(values, sort_keys=True), "data": source.digest, "model": model_digest(model)}


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a folder.

    Args:
        folder: made where it does not exist.
        checkpoint: what is written.

    Raises:
        StoreError: the disk is full or the folder cannot be written; the checkpoint before is still there.
    """
    # In float64: steps and tokens are whole numbers that float32 rounds beyond 16.8 million. The shape is for an empty
    # curve, which has no width of its own.
    curve = torch.tensor([astuple(point) for point in checkpoint.curve], dtype=torch.float64).reshape(-1, 5)
    tensors = {"weights": checkpoint.weights, "curve": curve}
    tensors |= {_OPTIMIZER + name: tensor for name, tensor in checkpoint.optimizer.items()}
    tensors |= {_EXTRA + name: tensor for name, tensor in checkpoint.extra.items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"identity": dict(checkpoint.fingerprint), "precision": checkpoint.precision, "digest": _digest(tensors)}
    target = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(target, durable=True) as partial:
            save_file(tensors, partial, metadata={"shoal": json.dumps(header)})
    except (OSError, SafetensorError) as fault:
        raise StoreError(
            f"cannot write the checkpoint {target}: {fault}; "
            "free some space and start again; the previous checkpoint is still there"
        ) from fault


def read_checkpoint(folder: Path, expected: Mapping[str, str]) -> Checkpoint | None:
    """The checkpoint of a folder, or None where there is none; what a killed writer left there is removed.

    Args:
        folder: of the checkpoint.
        expected: the fingerprint of the training that it must be of.

    Raises:
        CorruptModelError: the file is damaged.
        StoreError: it belongs to a training of other settings, data or model.
    """
    remove_partials(folder)
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["shoal"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # safetensors checks the sizes of the header alone; flipped bytes would be weights like any other.
        whole = header["digest"] == _digest(tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as fault:
        raise CorruptModelError(f"the checkpoint {path} cannot be read ({fault}); delete it to start again") from fault
    if not whole:
        raise CorruptModelError(f"the checkpoint {path} is damaged: its digest differs; delete it to start again")
    for part, value in expected.items():
        if header["identity"].get(part) != value:
            raise StoreError(
                f"the checkpoint {path} is of another training: its {part} differs; "
                "give another folder or delete the file"
            )
    return Checkpoint(
        fingerprint=header["identity"],
        precision=header["precision"],
        curve=tuple(_point(row) for row in tensors["curve"].tolist()),
        weights=tensors["weights"],
        optimizer=_under(_OPTIMIZER, tensors),
        extra=_under(_EXTRA, tensors),
    )


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _point(row: list[float]) -> CurvePoint:
    step, loss, rate, norm, tokens = row
    return CurvePoint(step=int(step), loss=loss, learning_rate=rate, gradient_norm=norm, tokens=int(tokens))


def _digest(tensors: Mapping[str, torch.Tensor]) -> str:
    state = hashlib.sha256()
    # Sorted, since a file gives its tensors in an order of its own.
    for name in sorted(tensors):
        tensor = tensors[name]
        state.update(f"{name} {tuple(tensor.shape)} {tensor.dtype};".encode())
        state.update(tensor_bytes(tensor))
    return state.hexdigest()
