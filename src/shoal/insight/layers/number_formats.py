"""The number formats float32, bfloat16 and float16: range, rounding, and the time and error of a matrix product.

Source of the formats: IEEE 754-2019 (binary16, binary32; rounding to the nearest, ties to the even one); bfloat16 is
binary32 cut to its first 16 bits. Every entry here is measured on tensors of this machine, none is looked up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from shoal.insight.layers.profiling import cpu_seconds, one_thread
from shoal.insight.options import DEFAULTS

if TYPE_CHECKING:
    from shoal.insight.options import AnalysisOptions

FORMATS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """Range and rounding of one number format."""

    name: str
    largest: float
    """Found by doubling and halving until infinity."""

    smallest: float
    """The smallest number above zero, found by halving 1 until zero."""

    gap: float
    """From 1 to the next number above it."""

    largest_run: int
    """The largest whole number up to which all are represented."""

    ties: str
    """How a number in the middle of two is rounded: to ``even``, ``up`` or ``down``."""

    rounding: float
    """The largest relative error of rounding, over a million random numbers between 1 and 2."""

    product_seconds: tuple[float, ...]
    """CPU-seconds of a 512 by 512 matrix product, the repeats."""

    product_error: float
    """Its largest error against float64, relative to the largest entry."""

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.smallest:.3g} to {self.largest:.3g}, gap above 1 {self.gap:.3g}, whole numbers to "
            f"{self.largest_run:,}, ties to {self.ties}, rounding {self.rounding:.2g}; product "
            f"{1e3 * median(self.product_seconds):.2f} ms, error {self.product_error:.1e}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def measure_formats(*, repeats: int = 5, options: AnalysisOptions = DEFAULTS) -> list[NumberFormat]:
    """Measure float32, bfloat16 and float16.

    Args:
        repeats: samples of the time of a matrix product.
        options: seed of the random numbers, and progress callback.
    """
    random = torch.Generator().manual_seed(options.seed)
    # Between 1 and 2 the gap between numbers is the same everywhere, so that the largest error is reached.
    numbers = torch.rand(1_000_000, dtype=torch.float64, generator=random) + 1.0
    left, right = torch.randn(2, 512, 512, dtype=torch.float64, generator=random)
    exact = left @ right
    pairs = {name: (left.to(_dtype(name)), right.to(_dtype(name))) for name in FORMATS}
    with one_thread(), torch.inference_mode():
        # Bound as a default, since a lambda would otherwise see the last pair alone.
        works = {name: (lambda pair=pair: pair[0] @ pair[1]) for name, pair in pairs.items()}
        seconds = cpu_seconds(works, repeats=repeats, name="times of formats", options=options)
        return [
            NumberFormat(
                name=name,
                largest=_largest(_dtype(name)),
                smallest=_smallest(_dtype(name)),
                gap=_gap(_dtype(name)),
                largest_run=_largest_run(_dtype(name)),
                ties=_ties(_dtype(name)),
                rounding=float(((numbers.to(_dtype(name)).double() - numbers).abs() / numbers).max()),
                product_seconds=seconds[name],
                product_error=float(((pair[0] @ pair[1]).double() - exact).abs().max() / exact.abs().max()),
            )
            for name, pair in pairs.items()
        ]


def _dtype(name: str) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _one(dtype: torch.dtype) -> torch.Tensor:
    return torch.ones((), dtype=dtype)


def _largest(dtype: torch.dtype) -> float:
    """The largest finite number: powers of two as far as they go, then ever smaller ones on top."""
    value = _one(dtype)
    while bool((value * 2).isfinite()):
        value = value * 2
    part = value / 2
    while bool(part >= 1) or bool(value + part != value):
        if bool((value + part).isfinite()):
            value = value + part
        part = part / 2
        if float(part) == 0.0:  # the smallest part has been rounded away
            break
    return float(value)


def _smallest(dtype: torch.dtype) -> float:
    value = _one(dtype)
    while bool(value / 2 > 0):
        value = value / 2
    return float(value)


def _gap(dtype: torch.dtype) -> float:
    gap = _one(dtype)
    while bool(1 + gap / 2 != 1):
        gap = gap / 2
    return float(gap)


def _largest_run(dtype: torch.dtype) -> int:
    """Doubled until adding 1 is lost; below, the gap is at most 1."""
    value = _one(dtype)
    # Every operation rounds to the format, since a tensor keeps its dtype; Python's numbers would be doubles.
    while bool((value + 1) - value == 1):
        value = value * 2
    return int(value)


def _ties(dtype: torch.dtype) -> str:
    """The middles above 1 and above its successor, rounded from float64."""
    gap = _gap(dtype)
    first, second = (
        float(torch.tensor(middle, dtype=torch.float64).to(dtype)) for middle in (1 + gap / 2, 1 + gap * 1.5)
    )
    if (first, second) == (1.0, 1.0 + 2 * gap):
        return "even"
    return "up" if first > 1.0 else "down"
