"""Table 1 of "Attention Is All You Need", measured: the growth of operations, CPU time and memory, depth and paths.

Each kind of layer is measured as each of its sizes grows, with the exponents of its costs; where they differ from the
theory, the row explains it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import UnknownNameError, UsageError
from shoal.insight.layers.layer_kinds import KINDS, Size, Theory, build_layer
from shoal.insight.layers.profiling import counted_operations, cpu_seconds, one_thread, peak_bytes
from shoal.insight.layers.structure import PathLength, graph_depth, path_length
from shoal.insight.options import DEFAULTS
from shoal.statistics import Exponent, fit_exponent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas

    from shoal.insight.options import AnalysisOptions

COSTS = ("operations", "seconds", "bytes")
_SMALL = Size(n=16, d=4, k=3, r=5)
"""Depth and paths do not depend on the width, so they are measured on narrow layers."""

_DEPTH_LENGTHS = (16, 32, 64)
# One more than powers of two, so that the 16, 32 and 64 positions to be crossed divide evenly into windows.
_PATH_LENGTHS = (17, 33, 65)
_REMARKABLE = 0.1
"""Difference of exponents from which a row explains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """The sizes at which costs are measured."""

    n: tuple[int, ...] = (512, 724, 1024, 1448)
    """Lengths for layers that are quadratic in it: long enough that their projections matter little, short enough that
    each block of memory stays below 32 MiB, above which glibc requests it from the system at every call."""

    long_n: tuple[int, ...] = (1024, 2048, 4096)
    """Lengths for layers that are linear in it, whose fixed costs vanish at larger sizes."""

    d: tuple[int, ...] = (64, 128, 256, 512)
    k: tuple[int, ...] = (3, 7, 15, 31)
    r: tuple[int, ...] = (65, 129, 257, 513)
    base: Size = field(default_factory=Size)
    """The sizes that are held fixed while one grows."""

    repeats: int = 7
    """Samples of the time at each size."""

    def __post_init__(self) -> None:
        for name in ("n", "long_n", "d", "k", "r"):
            sizes = getattr(self, name)
            if len(set(sizes)) < 2:
                raise UsageError(f"an exponent needs at least two different sizes, not {name}={list(sizes)}; give more")
            for size in sizes:
                replace(self.base, **{name[-1]: size})  # an invalid size is refused before the work begins
        if self.repeats < 2:
            raise UsageError(f"intervals of times need at least 2 repeats, not {self.repeats}")

    def sizes(self, kind: str, variable: str) -> tuple[int, ...]:
        """The sizes at which a kind of layer is measured.

        Args:
            kind: one of `KINDS`.
            variable: ``n``, ``d``, ``k`` or ``r``.
        """
        linear = variable == "n" and KINDS[kind].theory.operations["n"] == 1
        sizes: tuple[int, ...] = getattr(self, "long_n" if linear else variable)
        return sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSweep:
    """The costs of one kind of layer as one of its sizes grows."""

    kind: str
    variable: str
    """``n``, ``d``, ``k`` or ``r``."""

    sizes: tuple[int, ...]
    operations: tuple[int, ...]
    """Of one forward pass, by torch's counter."""

    seconds: tuple[tuple[float, ...], ...]
    """CPU-seconds of one forward pass: the repeats at each size."""

    bytes: tuple[int, ...]
    """Peak memory, beyond input and weights."""

    exponents: dict[str, Exponent]
    """Of operations, seconds and bytes."""

    @property
    def theory(self) -> int:
        """The exponent that table 1 of the paper gives the operations."""
        return KINDS[self.kind].theory.operations[self.variable]

    @property
    def colour(self) -> int:
        """Number of the kind's series in charts."""
        return KINDS[self.kind].colour

    @property
    def projections(self) -> bool:
        """Whether the layer has the projections of a real attention layer."""
        return KINDS[self.kind].projections


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One kind of layer: theory and measurement."""

    kind: str
    theory: Theory
    sweeps: tuple[LayerSweep, ...]
    """The growth of its costs, one per size."""

    depths: tuple[tuple[int, int], ...]
    """(n, sequential operations), counted in the traced graph."""

    depth_exponent: Exponent
    """The exponent of the sequential operations in n."""

    paths: tuple[PathLength, ...]
    remarks: tuple[str, ...]
    """Where a measured exponent differs from the theory, and why."""

    def __str__(self) -> str:
        theory = self.theory
        lines = [f"{self.kind}: {theory.complexity}, {theory.sequential} sequential, path {theory.path}"]
        for sweep in self.sweeps:
            operations, seconds, memory = (sweep.exponents[cost] for cost in COSTS)
            lines.append(
                f"  {sweep.variable} {sweep.sizes[0]} to {sweep.sizes[-1]}: theory {sweep.theory}, operations "
                f"{operations.value:.2f}, time {seconds.value:.2f} [{seconds.low:.2f}, {seconds.high:.2f}], memory "
                f"{memory.value:.2f}"
            )
        lines.append(f"  sequential operations {', '.join(f'{depth} at n={n}' for n, depth in self.depths)}")
        paths = (
            f"{path.measured} at n={path.n}" + ("" if path.confirmed else " (not confirmed)") for path in self.paths
        )
        lines.append(f"  longest path {', '.join(paths)}")
        return "\n".join(lines + [f"  - {remark}" for remark in self.remarks])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def layers_frame(rows: Sequence[LayerRow]) -> pandas.DataFrame:
    """Tabulate the exponents: a row per kind, size and cost.

    Args:
        rows: what `layer_table` returns.
    """
    import pandas

    return pandas.DataFrame(
        [
            {
                "kind": row.kind,
                "variable": sweep.variable,
                "cost": cost,
                "theory": sweep.theory,
                "exponent": exponent.value,
                "low": exponent.low,
                "high": exponent.high,
            }
            for row in rows
            for sweep in row.sweeps
            for cost, exponent in sweep.exponents.items()
        ]
    )


def layer_table(
    ranges: Ranges | None = None, *, kinds: Sequence[str] = tuple(KINDS), options: AnalysisOptions = DEFAULTS
) -> list[LayerRow]:
    """Measure every entry of table 1 of "Attention Is All You Need" on real layers.

    Args:
        ranges: the sizes at which the costs are measured.
        kinds: which layers, of `KINDS`.
        options: level of the exponents' intervals, seed of everything that is drawn, and progress callback.

    Raises:
        UnknownNameError: another kind.
    """
    sweeps = sweep_layers(ranges, kinds=kinds, options=options)
    rows = []
    for done, kind in enumerate(kinds, 1):
        own = tuple(sweep for sweep in sweeps if sweep.kind == kind)
        depths = tuple((n, graph_depth(kind, replace(_SMALL, n=n))) for n in _DEPTH_LENGTHS)
        rows.append(
            LayerRow(
                kind=kind,
                theory=KINDS[kind].theory,
                sweeps=own,
                depths=depths,
                depth_exponent=fit_exponent([n for n, _ in depths], [(float(depth),) for _, depth in depths]),
                paths=tuple(path_length(kind, replace(_SMALL, n=n), seed=options.seed) for n in _PATH_LENGTHS),
                remarks=tuple(remark for sweep in own for remark in _remarks(sweep)),
            )
        )
        options.progress("graphs and gradients of layers", done, len(kinds))
    return rows


def sweep_layers(
    ranges: Ranges | None = None, *, kinds: Sequence[str] = tuple(KINDS), options: AnalysisOptions = DEFAULTS
) -> list[LayerSweep]:
    """Measure forward passes (float32, CPU, one thread, no gradients) of layers as one size after the other grows.

    Args:
        ranges: the sizes at which the costs are measured.
        kinds: which layers, of `KINDS`.
        options: level of the exponents' intervals; seed of weights, inputs, the order of the measurements and the
            bootstrap; progress callback.

    Raises:
        UnknownNameError: another kind.
    """
    ranges = ranges or Ranges()
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError("kind of layer", kind, KINDS)
    chosen = [(kind, variable) for kind in kinds for variable in KINDS[kind].theory.operations]
    cells = [(*each, size) for each in chosen for size in ranges.sizes(*each)]
    with one_thread(), torch.inference_mode():
        works = {
            (kind, variable, size): _forward(kind, replace(ranges.base, **{variable: size}), options.seed)
            for kind, variable, size in cells
        }
        seconds = cpu_seconds(works, repeats=ranges.repeats, name="times of layers", options=options)
        # After the times: counters and the profiler hook into torch, and would slow down what is measured.
        operations = {cell: counted_operations(work) for cell, work in works.items()}
        memory = {cell: peak_bytes(work) for cell, work in works.items()}
    sweeps = []
    for kind, variable in chosen:
        sizes = ranges.sizes(kind, variable)
        keys = [(kind, variable, size) for size in sizes]
        samples: dict[str, Sequence[Sequence[float]]] = {
            "operations": [(operations[key],) for key in keys],
            "seconds": [seconds[key] for key in keys],
            "bytes": [(memory[key],) for key in keys],
        }
        exponents = {
            cost: fit_exponent(sizes, samples[cost], confidence=options.confidence, seed=options.seed) for cost in COSTS
        }
        sweeps.append(
            LayerSweep(
                kind=kind,
                variable=variable,
                sizes=sizes,
                operations=tuple(operations[key] for key in keys),
                seconds=tuple(seconds[key] for key in keys),
                bytes=tuple(memory[key] for key in keys),
                exponents=exponents,
            )
        )
    return sweeps


def _forward(kind: str, size: Size, seed: int) -> Callable[[], torch.Tensor]:
    """The work of one forward pass over random vectors."""
    layer = build_layer(kind, size, seed=seed)
    x_ND = torch.randn(size.n, size.d, generator=torch.Generator().manual_seed(seed))
    return lambda: layer(x_ND)


def _remarks(sweep: LayerSweep) -> list[str]:
    """Explain differences: operations from the theory by what it leaves out, time from operations by the speed."""
    counted, timed = sweep.exponents["operations"].value, sweep.exponents["seconds"]
    name, remarks = sweep.variable, []
    if abs(counted - sweep.theory) > _REMARKABLE:
        other = (
            "the four projections of O(n · d²), which the theory leaves out, have other exponents"
            if sweep.projections
            else "the last block of a window is filled up"
        )
        remarks.append(f"operations grow with {name}^{counted:.2f}, not {name}^{sweep.theory}: {other}")
    slow, fast = (
        sweep.operations[place] / float(np.median(sweep.seconds[place])) / 1e9 for place in (0, len(sweep.sizes) - 1)
    )
    # The interval is of the noise of repeats alone; a tenth of an exponent more is no news.
    if not timed.low - _REMARKABLE <= counted <= timed.high + _REMARKABLE:
        reason = (
            "the small ones pay fixed costs (calls, copies, softmax) for few operations"
            if fast > slow
            else "the large ones no longer fit into the caches, or need memory from the system at every call"
        )
        remarks.append(
            f"time grows with {name}^{timed.value:.2f} while operations grow with {name}^{counted:.2f}: the speed goes "
            f"from {slow:.1f} to {fast:.1f} GFLOP/s between {name} = {sweep.sizes[0]} and {sweep.sizes[-1]}; {reason}"
        )
    return remarks
