"""Memory for activations that is kept from step to step.

Fresh memory is dear: the system clears each page at its first touch, which for a small model costs about as much as the
arithmetic on it. So pieces are cut from slabs that are kept, and given back in the reverse order, as on a stack. Slabs
are added and never replaced, so that batches of another size touch no page anew.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

_ALIGNED = 16
"""Floats in a line of the cache."""

_SLAB = 2**24
"""Floats in a slab, 64 MB; what is never touched of it costs nothing. A larger piece has a slab of its own."""


class Mark(NamedTuple):
    """A height of the stack."""

    slab: int
    used: int


class Workspace:
    """A stack of float32 tensors."""

    def __init__(self) -> None:
        self._slabs: list[torch.Tensor] = []
        self._top = Mark(0, 0)

    def begin(self) -> None:
        """Take all pieces back."""
        self._top = Mark(0, 0)

    def take(self, *shape: int) -> torch.Tensor:
        """A tensor of this shape with anything in it."""
        size = math.prod(shape)
        slab, start = self._place(-(-size // _ALIGNED) * _ALIGNED)
        return self._slabs[slab][start : start + size].view(shape)

    def mark(self) -> Mark:
        """The height of the stack, for `release`."""
        return self._top

    def release(self, mark: Mark) -> None:
        """Take back all pieces that were given since the mark."""
        self._top = mark

    def _place(self, room: int) -> Mark:
        """Where a piece begins: on top of the stack, or in the next slab that has room for it."""
        slab, start = self._top
        while slab < len(self._slabs) and start + room > len(self._slabs[slab]):
            slab, start = slab + 1, 0
        if slab == len(self._slabs):
            self._slabs.append(torch.empty(max(room, _SLAB)))
        self._top = Mark(slab, start + room)
        return Mark(slab, start)
