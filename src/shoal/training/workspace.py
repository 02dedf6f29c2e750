"""Memory for activations that is kept from step to step.

Fresh memory is dear: the system clears each page at its first touch, which for a small model costs about as much as the
arithmetic on it. So pieces are cut from one row, and given back in the reverse order, as on a stack. A row that was too
short is replaced by a longer one before the next step, with room for batches that are somewhat larger; until then pieces
that do not fit are fresh. The row is NumPy's, which asks the system for large pages: fewer of them to clear and look up.
"""

from __future__ import annotations

import math

import numpy as np
import torch

_ALIGNED = 16
"""Floats in a line of the cache."""

_SPARE = 1.25
"""Room over the most that was in use: batches of as many tokens differ in the lengths of their documents."""


class Workspace:
    """A stack of float32 tensors."""

    def __init__(self) -> None:
        self._row = torch.empty(0)
        self._used = self._most = 0

    def begin(self) -> None:
        """Take all pieces back, and make room for the most that was ever in use."""
        self._used = 0
        if self._most > len(self._row):
            self._row = torch.from_numpy(np.empty(int(self._most * _SPARE), dtype=np.float32))

    def take(self, *shape: int) -> torch.Tensor:
        """A tensor of this shape with anything in it."""
        size, start = math.prod(shape), self._used
        self._used += -(-size // _ALIGNED) * _ALIGNED
        self._most = max(self._most, self._used)
        if self._used > len(self._row):
            return torch.empty(shape)
        return self._row[start : start + size].view(shape)

    def mark(self) -> int:
        """The height of the stack, for `release`."""
        return self._used

    def release(self, mark: int) -> None:
        """Take back all pieces that were given since the mark."""
        self._used = mark
