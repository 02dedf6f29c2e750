"""Irrational rotations of the circle: ergodic, not mixing, with no memory that a short lag shows once hidden.

r_t = r_{t-1} + beta (mod 1) with r_0 uniform is stationary and ergodic for every irrational beta, and every marginal is
uniform: only words of two values and more differ between two rotations. Hidden, x_t = 0.9 round(r_t) + u_t with
u_t uniform on [0, 1), it is of the kind that the experiments of Khaleghi and Ryabko (NIPS 2012; ICML 2014) segment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.generators.sample import Sample, Seed, concatenate

if TYPE_CHECKING:
    from collections.abc import Sequence

BETAS = (0.452341643253462432, 0.6345354645623456234234)
"""The two angles, as shares of a turn."""


def rotation(lengths: Sequence[int] = (1500, 3500), betas: Sequence[float] = BETAS, *, seed: Seed = 0) -> Sample:
    """The rotation itself: numbers in [0, 1), each piece with its own angle and a fresh uniform start."""
    return concatenate(lengths, betas, seed, _turn)


def hidden_rotation(lengths: Sequence[int] = (1500, 3500), betas: Sequence[float] = BETAS, *, seed: Seed = 0) -> Sample:
    """The rotation seen through rounding and noise: 0.9 round(r_t) + U(0, 1)."""
    return concatenate(lengths, betas, seed, _hidden)


def _turn(length: int, beta: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    return np.asarray((generator.random() + beta * np.arange(length)) % 1.0)


def _hidden(length: int, beta: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    return 0.9 * np.round(_turn(length, beta, generator)) + generator.random(length)
