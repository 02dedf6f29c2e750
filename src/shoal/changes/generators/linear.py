"""Linear processes with normal noise: autoregressions of order one, and moving averages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.generators.sample import Sample, Seed, concatenate
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def autoregressive(
    lengths: Sequence[int] = (1500, 3500), coefficients: Sequence[float] = (0.0, 0.5), *, seed: Seed = 0
) -> Sample:
    """x_t = phi x_{t-1} + sqrt(1 - phi^2) e_t: every marginal is standard normal, only the memory changes.

    Raises:
        UsageError: A coefficient is outside (-1, 1), where no stationary process exists.
    """
    if any(not -1.0 < coefficient < 1.0 for coefficient in coefficients):
        raise UsageError(f"coefficients must lie between -1 and 1; got {tuple(coefficients)}")
    return concatenate(lengths, coefficients, seed, _autoregression)


def moving_average(
    lengths: Sequence[int] = (1500, 3500),
    weights: Sequence[tuple[float, ...]] = ((1.0,), (1.0, 0.8)),
    *,
    seed: Seed = 0,
) -> Sample:
    """x_t = w_0 e_t + w_1 e_{t-1} + ..., scaled to variance 1: only the memory changes.

    Raises:
        UsageError: The weights of a piece are empty or all zero.
    """
    if any(not any(row) for row in weights):
        raise UsageError("each piece needs a weight that is not zero")
    return concatenate(lengths, weights, seed, _average)


def _autoregression(length: int, coefficient: float, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    noise = generator.normal(size=length)
    noise[1:] *= math.sqrt(1.0 - coefficient**2)
    values, before = [], 0.0
    for step in noise.tolist():
        before = coefficient * before + step
        values.append(before)
    return np.array(values)


def _average(length: int, weights: tuple[float, ...], generator: np.random.Generator) -> np.ndarray[Any, Any]:
    noise = generator.normal(size=length + len(weights) - 1)
    return np.convolve(noise, np.asarray(weights) / np.linalg.norm(weights), mode="valid")
