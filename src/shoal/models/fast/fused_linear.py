"""Matrices that multiply the same vectors, fused into one product where they are small.

Fused, three small products take little more time than one; but fusing copies the weights, which for large ones would
cost memory and gain nothing. Those are multiplied one after the other.
"""

from __future__ import annotations

import torch
from torch.nn.functional import linear

_MAX_FUSED = 2**19
"""Elements; 2 MiB in float32."""


class FusedLinear:
    """Matrices stacked below each other: the products of each with x, side by side.

    Args:
        matrices: with the same number of columns.
    """

    def __init__(self, *matrices: torch.Tensor) -> None:
        small = sum(matrix.numel() for matrix in matrices) <= _MAX_FUSED
        self._matrices = (torch.cat(matrices),) if small else matrices

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The products with x (… × columns), side by side (… × rows of all)."""
        products = [linear(x, matrix) for matrix in self._matrices]
        return products[0] if len(products) == 1 else torch.cat(products, dim=-1)
