"""A pool of buffers for captured attention weights: a buffer is used again once no tensor refers to it.

The weights are more than everything else that the pass of a small model writes. In fresh memory the system clears every
page first, which costs as much as computing them; NumPy requests huge pages, which makes that three times cheaper, and
a buffer of the pool needs neither.
"""

from __future__ import annotations

import math
import threading
import weakref

import numpy as np
import torch

_MAX_IDLE = 2**25
"""Floats that idle buffers hold at most; 128 MB."""

_MIN_SIZE = 2**18
"""Floats from which the pool pays; smaller buffers are as quick from the allocator."""

_idle: dict[int, np.ndarray] = {}
"""Idle buffers by identity, the longest idle first."""

_lock = threading.RLock()  # the garbage collector may return a buffer while another is being taken


def empty_tensor(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Make an uninitialised tensor, from the pool where it is large and float32 on the CPU.

    Args:
        shape: its shape.
        like: a tensor of the same type and device.
    """
    size = math.prod(shape)
    if like.device.type != "cpu" or like.dtype != torch.float32 or size < _MIN_SIZE:
        return like.new_empty(shape)
    buffer = _take(size)
    lent = buffer[:size]
    # Torch holds the view `lent`; once it and everything made of it is gone, the buffer itself comes back.
    weakref.finalize(lent, _give_back, buffer).atexit = False
    return torch.from_numpy(lent).view(shape)


def idle_floats() -> int:
    """How many floats the idle buffers of the pool hold."""
    with _lock:
        return sum(buffer.size for buffer in list(_idle.values()))


def _take(size: int) -> np.ndarray:
    """A buffer that is large enough and less than twice as large; a fresh one where none is idle."""
    with _lock:
        fitting = [buffer for buffer in reversed(list(_idle.values())) if size <= buffer.size < 2 * size]
        if not fitting:
            return np.empty(size, np.float32)
        return _idle.pop(id(min(fitting, key=lambda buffer: buffer.size)))


def _give_back(buffer: np.ndarray) -> None:
    """Keep a buffer, and drop the longest idle ones beyond the limit."""
    with _lock:
        _idle[id(buffer)] = buffer
        while idle_floats() > _MAX_IDLE:
            _idle.pop(next(iter(_idle)))
