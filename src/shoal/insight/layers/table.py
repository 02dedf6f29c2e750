"""The table of layer types, each entry measured, beside the theory, with where and why the two differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.insight.layers.depth import graph_depth
from shoal.insight.layers.exponents import Exponent, fit_exponent
from shoal.insight.layers.kinds import KINDS, Size
from shoal.insight.layers.paths import PathLength, path_length
from shoal.insight.layers.sweeps import Ranges, Sweep, sweep_layers
from shoal.insight.layers.theory import THEORY, Theory
from shoal.statistics import check_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.progress import Progress

_SMALL = Size(n=16, d=4, k=3, r=5)
"""Depth and paths do not depend on the width, so they are measured on narrow layers."""

_DEPTH_LENGTHS = (16, 32, 64)
_PATH_LENGTHS = (17, 33, 65)
_WORTH_SAYING = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One kind of layer."""

    kind: str
    theory: Theory
    sweeps: tuple[Sweep, ...]
    """How its cost grows, one a size."""

    depths: tuple[tuple[int, int], ...]
    """(n, sequential operations), seen in the traced graph."""

    depth_exponent: Exponent
    """Of the sequential operations in n."""

    paths: tuple[PathLength, ...]
    remarks: tuple[str, ...]
    """Where a measured exponent is not the theory's, and why."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def layer_table(
    ranges: Ranges | None = None,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[LayerRow]:
    """Measure every entry of table 1 of "Attention Is All You Need" on real layers.

    Args:
        ranges: the sizes at which the costs are measured.
        kinds: which layers, of `KINDS`.
        confidence: the confidence of the exponents' intervals.
        seed: of everything that is drawn.
        progress: called with (what, done, total).

    Raises:
        UnknownNameError: a kind that there is not.
    """
    check_confidence(confidence)
    sweeps = sweep_layers(ranges, kinds=kinds, confidence=confidence, seed=seed, progress=progress)
    rows = []
    for place, kind in enumerate(kinds):
        own = tuple(sweep for sweep in sweeps if sweep.kind == kind)
        depths = tuple((n, graph_depth(kind, replace(_SMALL, n=n))) for n in _DEPTH_LENGTHS)
        rows.append(
            LayerRow(
                kind=kind,
                theory=THEORY[kind],
                sweeps=own,
                depths=depths,
                depth_exponent=fit_exponent([n for n, _ in depths], [(float(depth),) for _, depth in depths]),
                paths=tuple(path_length(kind, replace(_SMALL, n=n), seed=seed) for n in _PATH_LENGTHS),
                remarks=tuple(remark for sweep in own for remark in _remarks(sweep)),
            )
        )
        if progress is not None:
            progress("graphs and gradients of layers", place + 1, len(kinds))
    return rows


def _remarks(sweep: Sweep) -> list[str]:
    """Why exponents differ: the operations from the theory by what it leaves out, the time from them by the speed."""
    counted, timed = sweep.exponents["operations"].value, sweep.exponents["seconds"]
    name, said = sweep.variable, []
    if abs(counted - sweep.theory) > _WORTH_SAYING:
        other = (
            "the four projections of O(n · d²), which the theory leaves out, grow otherwise"
            if "projections" in sweep.kind
            else "the last block of a window is filled up"
        )
        said.append(f"operations grow with {name}^{counted:.2f}, not {name}^{sweep.theory}: {other}")
    slow, fast = (
        sweep.operations[place] / float(np.median(sweep.seconds[place])) / 1e9 for place in (0, len(sweep.sizes) - 1)
    )
    if not timed.low - _WORTH_SAYING <= counted <= timed.high + _WORTH_SAYING:
        reason = (
            "the small ones pay fixed costs (calls, copies, softmax) for few operations"
            if fast > slow
            else "the large ones no longer fit into the caches, or need fresh memory from the system"
        )
        said.append(
            f"time grows with {name}^{timed.value:.2f} while operations grow with {name}^{counted:.2f}: the speed goes "
            f"from {slow:.1f} to {fast:.1f} GFLOP/s between {name} = {sweep.sizes[0]} and {sweep.sizes[-1]}; {reason}"
        )
    return said
