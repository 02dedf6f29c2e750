"""Streams without a change, and the same with one, for the size and the power of the test, by length and seed.

Kinds draw from the same generator, so equal seeds give kinds that go together (independent values and those that are
missing in runs are then the same values): each kind must be given seeds of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.changes.generators import autoregressive, moving_average

Array = np.ndarray[Any, Any]
WARM = 500
"""Steps that are drawn before a stream begins, so that its start is forgotten."""


def independent(length: int, seed: int) -> Array:
    """Normal values."""
    return np.random.default_rng(seed).normal(size=length)


def moving(length: int, seed: int) -> Array:
    """A moving average of .8."""
    return moving_average((length,), ((1.0, 0.8),), seed=seed).values


def remembering(length: int, seed: int) -> Array:
    """An autoregression of .9."""
    return autoregressive((length + WARM,), (0.9,), seed=seed).values[WARM:]


def volatile(length: int, seed: int) -> Array:
    """GARCH(1,1): variance .05 + .1 x^2 + .85 v, as daily returns have it."""
    noise = np.random.default_rng(seed).normal(size=length + WARM)
    values, variance = np.empty(length + WARM), 1.0
    for step in range(length + WARM):
        values[step] = variance**0.5 * noise[step]
        variance = 0.05 + 0.1 * values[step] ** 2 + 0.85 * variance
    return values[WARM:]


def seasonal(period: int) -> Callable[[int, int], Array]:
    """A sine of one and a half standard deviations of the noise around it, from a phase drawn."""

    def draw(length: int, seed: int) -> Array:
        generator = np.random.default_rng(seed)
        steps = np.arange(length) + generator.integers(period)
        return 1.5 * np.sin(2.0 * np.pi * steps / period) + generator.normal(size=length)

    return draw


def heavy(length: int, seed: int) -> Array:
    """Student's t with two degrees of freedom."""
    return np.random.default_rng(seed).standard_t(2, length)


def counts(mean: float) -> Callable[[int, int], Array]:
    """Poisson counts, most of them 0."""
    return lambda length, seed: np.random.default_rng(seed).poisson(mean, length).astype(float)


def scattered(share: float) -> Callable[[int, int], Array]:
    """Normal values, each missing with the same chance."""

    def draw(length: int, seed: int) -> Array:
        generator = np.random.default_rng(seed)
        return np.where(generator.random(length) < share, np.nan, generator.normal(size=length))

    return draw


def in_runs(share: float, mean: int = 10) -> Callable[[int, int], Array]:
    """Normal values, missing in runs of a mean length that a Markov chain draws."""

    def draw(length: int, seed: int) -> Array:
        generator = np.random.default_rng(seed)
        values, missing = generator.normal(size=length), bool(generator.random() < share)
        begins = share / (1.0 - share) / mean
        for step, drawn in enumerate(generator.random(length)):
            missing = drawn >= 1.0 / mean if missing else drawn < begins
            if missing:
                values[step] = np.nan
        return values

    return draw


QUIET: dict[str, Callable[[int, int], Array]] = {
    "independent": independent,
    "moving average .8": moving,
    "autoregression .9": remembering,
    "GARCH .1 + .85": volatile,
    "season of 7": seasonal(7),
    "season of 24": seasonal(24),
    "t of 2 degrees": heavy,
    "counts of mean .05": counts(0.05),
    "counts of mean .2": counts(0.2),
    "1% missing, scattered": scattered(0.01),
    "10% missing, scattered": scattered(0.1),
    "1% missing, in runs of 10": in_runs(0.01),
    "10% missing, in runs of 10": in_runs(0.1),
}


CHANGED_AT = 0.6
"""The share of a stream that lies before its change."""


def with_change(kind: str, length: int, seed: int) -> tuple[Array, int]:
    """A stream whose law changes once, and the place: the standard change of its kind.

    The spread doubles under volatility, a mean of counts triples, and elsewhere the level rises by one standard
    deviation of the stream, reckoned by its quartiles, since two degrees of freedom leave no variance.

    Args:
        kind: a key of `QUIET`.
        length: the steps of the stream.
        seed: what it is drawn from.
    """
    values, place = QUIET[kind](length, seed), int(CHANGED_AT * length)
    if kind.startswith("GARCH"):
        values[place:] *= 2.0
    elif kind.startswith("counts"):
        generator = np.random.default_rng([seed, 1])
        values[place:] += generator.poisson(2.0 * float(kind.rsplit(" ", 1)[1]), length - place)
    else:
        low, high = np.nanquantile(values, (0.25, 0.75))
        values[place:] += (high - low) / 1.349
    return values, place
