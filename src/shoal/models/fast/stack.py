"""Matrices that multiply the same vectors, as one product where they are small.

Joined, three small products take little more time than one; but joining copies the weights, which for large ones would
cost memory and gain nothing. Those are multiplied one after the other.
"""

from __future__ import annotations

import torch
from torch.nn.functional import linear

_MOST_JOINED = 2**19
"""Elements; 2 MiB in float32."""


class Stack:
    """Matrices below each other: ``stack(x)`` is what each of them makes of x, side by side."""

    def __init__(self, *matrices: torch.Tensor) -> None:
        """Take matrices with the same number of columns."""
        small = sum(matrix.numel() for matrix in matrices) <= _MOST_JOINED
        self._matrices = (torch.cat(matrices),) if small else matrices

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The products with x (… × columns), side by side (… × rows of all)."""
        products = [linear(x, matrix) for matrix in self._matrices]
        return products[0] if len(products) == 1 else torch.cat(products, dim=-1)
