"""A body of shoal's own from a model folder, where its files are plain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shoal.models.fast import fast_class

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from shoal.models.fast import FastModel


def read_body(folder: Path, dtype: torch.dtype) -> FastModel | None:
    """The body of a folder; None where there is none for its architecture, or its files are not whole."""
    config = _read_config(folder / "config.json")
    body = fast_class(str(config.get("model_type")))
    settings = body.read_settings(config) if body is not None else None
    if body is None or settings is None:
        return None
    weights = _read_weights(folder / "model.safetensors", dtype)
    if not weights or not body.takes(settings, weights) or not all(map(_is_finite, weights.values())):
        return None
    return body(settings, weights)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _read_weights(path: Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {name: weight.to(dtype) for name, weight in load_file(path).items()}
    except (OSError, SafetensorError):
        return {}


def _is_finite(weight: torch.Tensor) -> bool:
    import torch

    return bool(torch.isfinite(weight.sum(dtype=torch.float64)))
