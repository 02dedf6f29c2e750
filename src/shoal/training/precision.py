"""Which dtype a training runs in: the weights stay in float32, the products may be in bfloat16."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

Dtype = Literal["float32", "bfloat16"]
_ROUNDS = 3


def products_in(precision: Dtype, device: torch.device) -> AbstractContextManager[None]:
    """Within it, matrix products on the device run in the given dtype."""
    context: AbstractContextManager[None] = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"
    )
    return context


def faster_precision(step: Callable[[Dtype], object]) -> Dtype:
    """The dtype in which ``step`` takes less time, each tried in turn and the best of its times taken.

    On a GPU the step must end with a synchronisation, such as reading a number off its result.
    """
    kinds: tuple[Dtype, ...] = ("float32", "bfloat16")
    best = dict.fromkeys(kinds, float("inf"))
    for _ in range(_ROUNDS):
        for kind in kinds:
            start = time.perf_counter()
            step(kind)
            best[kind] = min(best[kind], time.perf_counter() - start)
    return min(kinds, key=best.__getitem__)
