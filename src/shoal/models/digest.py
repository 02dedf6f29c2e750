"""A digest that names weights: equal for equal weights, whatever device they lie on and however they were loaded."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


def weight_digest(model: nn.Module) -> str:
    """The digest (see `digest_of`) of a module's parameters and persistent buffers."""
    return digest_of(model.state_dict(keep_vars=True))


def digest_of(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over tensors in the order of their names, as 64 hexadecimal characters.

    Each one adds a JSON line with its name, dtype and shape, and then its bytes in row-major order. Of tensors that
    are tied to each other only the first name counts. It reads each byte once, about 1 s for each GB.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()
    for name, tensor in sorted(weights.items()):
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        head = [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        digest.update(json.dumps(head).encode() + b"\n")
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    """The tensor's bytes in row-major order; without a copy where it lies so on the CPU."""
    import torch

    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy().data)
