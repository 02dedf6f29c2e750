"""What the theory says of each kind of layer: its row in table 1 of the paper, and the same as numbers.

Source: Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, table 1 and the text below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.insight.layers.kinds import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Theory:
    """One row of the table."""

    complexity: str
    """Operations a layer, as the paper writes it."""

    sequential: str
    """Operations that must wait for each other."""

    path: str
    """The longest way between two positions."""

    operations: Mapping[str, int]
    """The exponent of each size in the operations."""

    memory: Mapping[str, int]
    """The exponent of the length in what is held at once (the paper does not give it)."""

    depth: int
    """The exponent of the length in the sequential operations."""


_ATTENTION = Theory(
    complexity="O(n² · d)",
    sequential="O(1)",
    path="O(1)",
    operations={"n": 2, "d": 1},
    memory={"n": 2},
    depth=0,
)
_RESTRICTED = Theory(
    complexity="O(r · n · d)",
    sequential="O(1)",
    path="O(n / r)",
    operations={"n": 1, "d": 1, "r": 1},
    memory={"n": 1},
    depth=0,
)
_CONVOLUTION = Theory(
    complexity="O(k · n · d²)",
    sequential="O(1)",
    path="O(n / k)",
    operations={"n": 1, "d": 2, "k": 1},
    memory={"n": 1},
    depth=0,
)
THEORY: dict[str, Theory] = {
    "self-attention": _ATTENTION,
    "self-attention with projections": _ATTENTION,
    "recurrent": Theory(
        complexity="O(n · d²)",
        sequential="O(n)",
        path="O(n)",
        operations={"n": 1, "d": 2},
        memory={"n": 1},
        depth=1,
    ),
    "convolution": _CONVOLUTION,
    "dilated convolution": Theory(
        complexity="O(k · n · d²)",
        sequential="O(1)",
        path="O(log_k(n))",
        operations={"n": 1, "d": 2, "k": 1},
        memory={"n": 1},
        depth=0,
    ),
    "restricted self-attention": _RESTRICTED,
    "restricted with projections": _RESTRICTED,
}


def longest_path(kind: str, size: Size) -> int:
    """The exact longest way between two positions that see each other at all, in layers (in cells if recurrent).

    A layer that sees ``half`` positions to each side, (k - 1) / 2 or (r - 1) / 2, crosses n - 1 of them in
    ``ceil((n - 1) / half)`` layers. Gaps of 1, k, k², ... see k^L positions in L layers: ``ceil(log_k(n))``. A
    recurrent layer reads the first position and carries it through n cells.
    """
    if kind.startswith("self-attention"):
        return 1
    if kind == "recurrent":
        return size.n
    if kind == "dilated convolution":
        layers = 1
        while size.k**layers < size.n:
            layers += 1
        return layers
    half = (size.k if kind == "convolution" else size.r) // 2
    return max(1, -(-(size.n - 1) // half))
