"""Memory for the attention weights that a forward pass keeps, used again once nobody holds them.

The weights are more than all else that the pass of a small model writes. In fresh memory the system clears every page
first, which costs as much as computing them; NumPy asks for huge pages, which makes that three times cheaper, and what
was freed is kept for the next pass, which does without.
"""

from __future__ import annotations

import math
import threading
import weakref

import numpy as np
import torch

_MOST = 2**25
"""Floats held for later; 128 MB."""

_LEAST = 2**18
"""Floats from which it pays; smaller pieces are as quick from the allocator."""

_idle: dict[int, np.ndarray] = {}
"""By identity; the ones that were held longest first."""

_lock = threading.RLock()  # the collector may bring a piece back while another is being sought


def unfilled(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """A tensor of any content, of the type and device of another."""
    size = math.prod(shape)
    if like.device.type != "cpu" or like.dtype != torch.float32 or size < _LEAST:
        return like.new_empty(shape)
    piece = _seek(size)
    lent = piece[:size]
    weakref.finalize(lent, _take_back, piece).atexit = False
    return torch.from_numpy(lent).view(shape)


def _seek(size: int) -> np.ndarray:
    """A piece that is large enough, and not twice as large as that; a fresh one where none is idle."""
    with _lock:
        fitting = [piece for piece in reversed(list(_idle.values())) if size <= piece.size < 2 * size]
        if not fitting:
            return np.empty(size, np.float32)
        return _idle.pop(id(min(fitting, key=lambda piece: piece.size)))


def _take_back(piece: np.ndarray) -> None:
    """Hold a piece; the ones that were held longest are given up for it."""
    with _lock:
        _idle[id(piece)] = piece
        while sum(held.size for held in list(_idle.values())) > _MOST:
            _idle.pop(next(iter(_idle)))
