"""How the cost of each kind of layer grows with each of its sizes: operations, CPU time and memory, with exponents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from shoal.errors import UnknownNameError, UsageError
from shoal.insight.layers.exponents import Exponent, fit_exponent
from shoal.insight.layers.kinds import KINDS, Size, build_layer
from shoal.insight.layers.measuring import counted_operations, cpu_seconds, one_thread, peak_bytes
from shoal.insight.layers.theory import THEORY
from shoal.statistics import check_confidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.progress import Progress

COSTS = ("operations", "seconds", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Which sizes are measured."""

    n: tuple[int, ...] = (512, 724, 1024, 1448)
    """Lengths for layers that are quadratic in it: long enough that their projections matter little, short enough that
    each piece of memory stays below 32 MiB, from where on glibc takes it from the system anew at every call."""

    long_n: tuple[int, ...] = (1024, 2048, 4096)
    """Lengths for layers that are linear in it, whose fixed costs vanish later."""

    d: tuple[int, ...] = (64, 128, 256, 512)
    k: tuple[int, ...] = (3, 7, 15, 31)
    r: tuple[int, ...] = (65, 129, 257, 513)
    base: Size = field(default_factory=Size)
    """The sizes that stand still while one grows."""

    repeats: int = 7
    """Samples of the time at each size."""

    def __post_init__(self) -> None:
        for name in ("n", "long_n", "d", "k", "r"):
            sizes = getattr(self, name)
            if len(set(sizes)) < 2:
                raise UsageError(f"an exponent needs at least two different sizes, not {name}={list(sizes)}; give more")
            for size in sizes:
                replace(self.base, **{name[-1]: size})  # a size that cannot be is refused before the work begins
        if self.repeats < 2:
            raise UsageError(f"intervals of times need at least 2 repeats, not {self.repeats}")

    def of(self, kind: str, variable: str) -> tuple[int, ...]:
        """The sizes at which a kind of layer is measured."""
        linear = variable == "n" and THEORY[kind].operations["n"] == 1
        sizes: tuple[int, ...] = getattr(self, "long_n" if linear else variable)
        return sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One kind of layer while one of its sizes grows."""

    kind: str
    variable: str
    """``n``, ``d``, ``k`` or ``r``."""

    sizes: tuple[int, ...]
    operations: tuple[int, ...]
    """Of one forward pass, by torch's counter."""

    seconds: tuple[tuple[float, ...], ...]
    """CPU-seconds of one forward pass: the repeats at each size."""

    bytes: tuple[int, ...]
    """The most that was held at once, beyond input and weights."""

    exponents: dict[str, Exponent]
    """Of operations, seconds and bytes."""

    @property
    def theory(self) -> int:
        """The exponent that table 1 of the paper gives the operations."""
        return THEORY[self.kind].operations[self.variable]


def sweep_layers(
    ranges: Ranges | None = None,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Sweep]:
    """Measure forward passes (float32, CPU, one thread, no gradients) of layers as one size after the other grows.

    Args:
        ranges: which sizes.
        kinds: which layers, of `KINDS`.
        confidence: the confidence of the exponents' intervals.
        seed: of weights, inputs, the order of the measurements and the bootstrap.
        progress: called with (what, done, total).

    Raises:
        UnknownNameError: a kind that there is not.
    """
    check_confidence(confidence)
    ranges = ranges or Ranges()
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError("kind of layer", kind, KINDS)
    cells = {
        (kind, variable, value): replace(ranges.base, **{variable: value})
        for kind in kinds
        for variable in THEORY[kind].operations
        for value in ranges.of(kind, variable)
    }
    with one_thread(), torch.inference_mode():
        works = {cell: _forward(cell[0], size, seed) for cell, size in cells.items()}
        seconds = cpu_seconds(works, repeats=ranges.repeats, seed=seed, what="times of layers", progress=progress)
        operations = {cell: counted_operations(work) for cell, work in works.items()}
        memory = {cell: peak_bytes(work) for cell, work in works.items()}
    sweeps = []
    for kind in kinds:
        for variable in THEORY[kind].operations:
            values = ranges.of(kind, variable)
            keys = [(kind, variable, value) for value in values]
            samples: dict[str, Sequence[Sequence[float]]] = {
                "operations": [(operations[key],) for key in keys],
                "seconds": [seconds[key] for key in keys],
                "bytes": [(memory[key],) for key in keys],
            }
            sweeps.append(
                Sweep(
                    kind=kind,
                    variable=variable,
                    sizes=values,
                    operations=tuple(operations[key] for key in keys),
                    seconds=tuple(seconds[key] for key in keys),
                    bytes=tuple(memory[key] for key in keys),
                    exponents={
                        cost: fit_exponent(values, samples[cost], confidence=confidence, seed=seed) for cost in COSTS
                    },
                )
            )
    return sweeps


def _forward(kind: str, size: Size, seed: int) -> Callable[[], torch.Tensor]:
    """One forward pass over random vectors."""
    layer = build_layer(kind, size, seed=seed)
    x_ND = torch.randn(size.n, size.d, generator=torch.Generator().manual_seed(seed))
    return lambda: layer(x_ND)
