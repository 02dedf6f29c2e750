"""Dropout as a setting of the training, whatever the model's configuration says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def dropout_set(model: torch.nn.Module, share: float) -> Iterator[None]:
    """Within it every dropout of the model drops ``share`` of its inputs; afterwards they are as before.

    Raises:
        UsageError: dropout is asked of an architecture that has none.
    """
    places: list[tuple[torch.nn.Module, str, float]] = []
    for module in model.modules():
        name = "p" if isinstance(module, torch.nn.Dropout) else "attention_dropout"
        value = getattr(module, name, None)
        if isinstance(value, int | float):
            places.append((module, name, float(value)))
    if share and not places:
        raise UsageError(f"dropout = {share}, but {type(model).__name__} has no dropout; set it to 0")
    for module, name, _ in places:
        setattr(module, name, share)
    try:
        yield
    finally:
        for module, name, before in places:
            setattr(module, name, before)
