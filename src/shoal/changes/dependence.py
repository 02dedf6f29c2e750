"""How long a stream remembers: the block length that its permutations need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.channels import Channel

Array = np.ndarray[Any, Any]


def memory(channels: list[Channel]) -> int:
    """The longest memory of the channels, in steps."""
    return max((_steps(channel.codes.astype(np.float64)) for channel in channels), default=1)


def _steps(codes: Array) -> int:
    """The length L at which blocks of an AR(1) are correlated by r / (L (1 - r^2)) = 1/26; from local means."""
    n = len(codes)
    span = max(min(n, 100), n // 20)
    whole = n // span * span
    local = codes[:whole].reshape(-1, span)
    local = local - local.mean(axis=1, keepdims=True)
    power = float((local**2).sum())
    if power == 0.0:
        return 1
    near = float((local[:, 1:] * local[:, :-1]).sum()) / power
    near = min(max(near + (1.0 + 3.0 * near) / span, 0.0), 0.995)  # of a few steps the estimate may reach -1
    return max(3, round(26.0 * near / (1.0 - near**2)))
