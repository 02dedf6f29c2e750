"""Independent draws: uniform numbers that slide, and coins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.changes.generators.sample import Sample, Seed, concatenate
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def uniform_pieces(
    lengths: Sequence[int] = (2000, 4500, 1500), lows: Sequence[float] = (0.0, 0.1, 0.0), *, seed: Seed = 0
) -> Sample:
    """Uniform numbers on [low, low + 1), with another low in each piece."""
    return concatenate(lengths, lows, seed, lambda length, low, generator: generator.uniform(low, low + 1.0, length))


def bernoulli(lengths: Sequence[int] = (1500, 3500), shares: Sequence[float] = (0.3, 0.5), *, seed: Seed = 0) -> Sample:
    """Coins: ones with another share in each piece.

    Raises:
        UsageError: A share is outside [0, 1].
    """
    if any(not 0.0 <= share <= 1.0 for share in shares):
        raise UsageError(f"shares of ones must lie from 0 to 1; got {tuple(shares)}")
    return concatenate(
        lengths, shares, seed, lambda length, share, generator: (generator.random(length) < share).astype(int)
    )
