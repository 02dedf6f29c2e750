"""Which dtype a training runs in: the weights stay in float32, the products may be in bfloat16."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

Dtype = Literal["float32", "bfloat16"]
DTYPES: dict[Dtype, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# A trial must not cost much of a training of seconds; the best of a few times is what a busy machine disturbs least.
_SECONDS = 0.3
_ROUNDS = 4
_SIDE = 768


def products_in(precision: Dtype, device: torch.device) -> AbstractContextManager[None]:
    """Within it, matrix products on the device run in the given dtype.

    Args:
        precision: the dtype of the products.
        device: where they run.
    """
    context: AbstractContextManager[None] = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"
    )
    return context


def faster_precision(step: Callable[[Dtype], object], *, device: str = "cpu") -> Dtype:
    """The dtype in which ``step`` takes less time, each tried in turn and the best of its times taken.

    A step in bfloat16 adds conversions to its products, so no step is tried on a CPU whose products gain nothing by it.
    A first step in each is not timed, since it also loads what all steps need. Then they are tried up to four times,
    with no further round once a third of a second has gone by. On a CPU it is the processor's time that counts, since
    the clock's is that of everything else on the machine, too. On a GPU the step must end with a synchronisation, such
    as reading a number off its result.

    Args:
        step: one step in the dtype that it is given.
        device: where it runs, as torch names it.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    if device == "cpu":
        # The product alone first: on a CPU without fast bfloat16 a trial of steps took 1.0 to 1.4 s of each run
        # (docs/benchmarks.md).
        products = _best_times(_product, clock)
        if products["bfloat16"] >= products["float32"]:
            return "float32"
    best = _best_times(step, clock)
    return min(best, key=best.__getitem__)


def measure_precision() -> Dtype:
    """The dtype in which a large matrix product takes less time on this processor."""
    return faster_precision(_product)


def _best_times(step: Callable[[Dtype], object], clock: Callable[[], float]) -> dict[Dtype, float]:
    best = dict.fromkeys(DTYPES, float("inf"))
    for kind in DTYPES:
        step(kind)
    begin = time.perf_counter()
    for _ in range(_ROUNDS):
        for kind in DTYPES:
            start = clock()
            step(kind)
            # In turn within a round, so that a machine that slows down is slow for both.
            best[kind] = min(best[kind], clock() - start)
        if time.perf_counter() - begin > _SECONDS:
            break
    return best


def _product(kind: Dtype) -> None:
    """A matrix product that is large enough for any kernel to show its speed, some milliseconds long."""
    factor = torch.ones(_SIDE, _SIDE, dtype=DTYPES[kind])
    torch.mm(factor, factor)
