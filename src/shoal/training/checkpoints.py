"""A training on disk: weights, optimizer state and curve in one safetensors file, replaced as a whole.

The file is written beside the old one and renamed over it, so that there is a whole checkpoint at any moment. What
is not a tensor lies as JSON in the file's header; a digest over all bytes of the tensors tells a damaged one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from shoal.errors import CorruptModelError, StoreError
from shoal.files import atomic_file, remove_partials
from shoal.training.settings import CurvePoint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.training.precision import Dtype

FILE_NAME = "checkpoint.safetensors"
_OPTIMIZER = "optimizer/"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a training needs to go on."""

    identity: Mapping[str, str]
    """What it is a training of; one of another identity is refused."""

    precision: Dtype
    curve: tuple[CurvePoint, ...]
    """One point a step that is done."""

    weights: torch.Tensor
    """All trained weights in one row."""

    optimizer: dict[str, torch.Tensor]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a folder in place of the one before.

    Raises:
        StoreError: the disk is full or the folder cannot be written; the checkpoint before is still there.
    """
    curve = torch.tensor([astuple(point) for point in checkpoint.curve], dtype=torch.float64).reshape(-1, 5)
    tensors = {"weights": checkpoint.weights, "curve": curve}
    tensors |= {_OPTIMIZER + name: tensor for name, tensor in checkpoint.optimizer.items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"identity": dict(checkpoint.identity), "precision": checkpoint.precision, "digest": _digest(tensors)}
    target = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(target, durable=True) as partial:
            save_file(tensors, partial, metadata={"shoal": json.dumps(header)})
    except (OSError, SafetensorError) as fault:
        raise StoreError(
            f"cannot write the checkpoint {target}: {fault}; "
            "make room and start again, the checkpoint before it is kept"
        ) from fault


def read_checkpoint(folder: Path, identity: Mapping[str, str]) -> Checkpoint | None:
    """The checkpoint of a folder, or None where there is none; what a killed writer left there is removed.

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
        whole = header["digest"] == _digest(tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as fault:
        raise CorruptModelError(f"the checkpoint {path} cannot be read ({fault}); delete it to start anew") from fault
    if not whole:
        raise CorruptModelError(f"the checkpoint {path} is damaged: its digest differs; delete it to start anew")
    for part, expected in identity.items():
        if header["identity"].get(part) != expected:
            raise StoreError(
                f"the checkpoint {path} is of another training: its {part} differs; "
                "give another folder or delete the file"
            )
    return Checkpoint(
        identity=header["identity"],
        precision=header["precision"],
        curve=tuple(_point(row) for row in tensors["curve"].tolist()),
        weights=tensors["weights"],
        optimizer={
            name.removeprefix(_OPTIMIZER): tensor for name, tensor in tensors.items() if name.startswith(_OPTIMIZER)
        },
    )


def _point(row: list[float]) -> CurvePoint:
    step, loss, rate, norm, tokens = row
    return CurvePoint(step=int(step), loss=loss, learning_rate=rate, gradient_norm=norm, tokens=int(tokens))


def _digest(tensors: Mapping[str, torch.Tensor]) -> str:
    state = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        state.update(f"{name} {tuple(tensor.shape)} {tensor.dtype};".encode())
        state.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()
