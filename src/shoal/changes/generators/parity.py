"""Hidden parity: a change that no word of length up to the lag can see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.generators.sample import Sample, Seed, concatenate
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def hidden_parity(
    lag: int = 2,
    lengths: Sequence[int] = (1500, 3500),
    noises: Sequence[float] = (0.5, 0.1),
    *,
    seed: Seed = 0,
) -> Sample:
    """Bits that are the parity of the ``lag`` bits before, flipped with some probability, under uniform numbers.

    b_t = b_{t-1} + ... + b_{t-lag} + e_t (mod 2) and x_t = (b_t + u_t) / 2 with u_t uniform on [0, 1). Whatever the
    probability of e_t = 1, every word of up to ``lag`` values is uniform; words of ``lag`` + 1 values are uniform only
    where it is one half. So a change of that probability leaves the law of all shorter words as it was.

    Args:
        lag: How many bits the parity is taken of, at least 1.
        lengths: The lengths of the pieces.
        noises: The probability of a flip in each piece; one half is independent bits.
        seed: A seed, or the generator to draw from.

    Raises:
        UsageError: The lag is below 1 or a probability outside [0, 1].
    """
    if lag < 1:
        raise UsageError(f"the lag of a parity is at least 1; got {lag}")
    if any(not 0.0 <= noise <= 1.0 for noise in noises):
        raise UsageError(f"probabilities of a flip must lie from 0 to 1; got {tuple(noises)}")
    return concatenate(lengths, noises, seed, lambda length, noise, generator: _parity(length, lag, noise, generator))


def _parity(length: int, lag: int, noise: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    bits = generator.integers(0, 2, lag).tolist()
    parity = sum(bits) % 2
    for flip in (generator.random(length) < noise).tolist():
        bit = parity ^ flip
        parity ^= bits[-lag] ^ bit
        bits.append(bit)
    return (np.array(bits[lag:]) + generator.random(length)) / 2.0
